//! Gradients where some arguments are unknown and others data, and vectors that each outcome
//! has, for outcomes of any rank.

use super::*;
use crate::codegen::tests::assert_agree_on;

/// Every choice of unknown arguments gives the slopes that all of them together have.
#[test]
fn any_arguments_may_be_unknown() {
    for distribution in ALL {
        let entries: Vec<Entry> = table()
            .into_iter()
            .filter(|entry| {
                entry.name == distribution.name && entry.n > 0 && entry.value.is_finite()
            })
            .collect();
        let entry = &entries[entries.len() / 2];
        let is_univariate = matches!(distribution.outcome, Outcome::Univariate(..));
        let (n, width) = if is_univariate { (1, entry.n) } else { (entry.n, 1) };
        let all = density(distribution.name, n, width);
        let inputs = split(&entry.arguments, &all.lengths);
        let real: Vec<usize> = (0..inputs.len()).filter(|k| !all.whole[*k]).collect();
        let expected = all.both(&inputs);
        for chosen in 0..1_usize << real.len() {
            let is_unknown = |k: usize| {
                real.iter().position(|&r| r == k).is_some_and(|bit| chosen >> bit & 1 == 1)
            };
            let some = density_of_unknowns(distribution.name, n, width, &is_unknown);
            for (actual, expected) in some.both(&inputs).iter().zip(&expected) {
                assert_eq!(actual.0, expected.0, "{}", distribution.name);
                let of_unknowns: Vec<&Vec<f64>> = real
                    .iter()
                    .zip(&expected.1)
                    .filter_map(|(&k, slopes)| is_unknown(k).then_some(slopes))
                    .collect();
                let close = |a: &f64, b: &f64| (a - b).abs() <= 1e-13 * b.abs().max(1.0);
                let agree = actual.1.iter().zip(of_unknowns).all(|(actual, expected)| {
                    actual.iter().zip(expected).all(|(a, b)| close(a, b))
                });
                assert!(agree, "{} of unknowns {chosen:b}", distribution.name);
            }
        }
    }
}

/// The inputs of these lengths, one after another.
fn split(mut rest: &[f64], lengths: &[usize]) -> Vec<Vec<f64>> {
    lengths
        .iter()
        .map(|&length| {
            let (own, others) = rest.split_at(length);
            rest = others;
            own.to_vec()
        })
        .collect()
}

/// One outcome, and a matrix of outcomes, have the masses and slopes that a row of outcomes
/// has.
#[test]
fn outcomes_with_vectors_have_any_rank() {
    for name in ["categorical", "categorical_logit", "ordered_logistic"] {
        let found = distribution(name).expect("known");
        let cuts = [-0.4, 0.3, 1.1, -2.0, 0.1, 0.2, 0.0, 1.0, 5.0, -1.0, 0.5, 0.75];
        let vectors: Vec<f64> = match name {
            "categorical" => [0.2, 0.5, 0.3].repeat(4),
            _ => cuts.to_vec(),
        };
        let function = |dims: &[i64]| {
            let mut b = Builder::new(name);
            let dims: Vec<Size> = dims.iter().map(|n| Size::constant(*n)).collect();
            let x_type = ValueType { element: Element::Int, dims: dims.clone() };
            let x = b.input(InputKind::Datum(0), "x", x_type);
            let mut args = Vec::new();
            if found.params.len() == 2 {
                args.push(b.input(InputKind::Local(0), "eta", ValueType::real()));
            }
            let wide = [dims, vec![size(3)]].concat();
            args.push(b.input(InputKind::Local(1), "vectors", ValueType::reals(wide)));
            let value = (found.log_density)(&mut b, x, &args);
            b.output("value", value);
            let value = b.into_function();
            let is_unknown = |kind| matches!(kind, InputKind::Local(_));
            let gradient = gradient(&value, &[], &[(0, Seed::Given)], is_unknown);
            (value, gradient)
        };
        let inputs = |function: &Function, x: &[f64], vectors: &[f64]| -> Vec<Vec<f64>> {
            let of_kind = |kind| match kind {
                InputKind::Datum(_) => x.to_vec(),
                InputKind::Local(0) => vec![0.35],
                InputKind::Cotangent(_) => vec![1.0; x.len()],
                _ => vectors.to_vec(),
            };
            function.inputs.iter().map(|input| of_kind(input.kind)).collect()
        };
        let x = [1.0, 3.0, 2.0, 3.0];
        let mut seen: Vec<[Vec<f64>; 2]> = Vec::new();
        for dims in [&[4_i64][..], &[2, 2], &[1, 4, 1]] {
            let (value, gradient) = function(dims);
            let of = |function: &Function| {
                let inputs = inputs(function, &x, &vectors);
                let code = compile(&[function], &sizes(1)).unwrap().remove(0);
                assert_agree_on(function, &code, &inputs, 1);
                interpret(function, &inputs, 1).concat()
            };
            seen.push([of(&value), of(&gradient)]);
        }
        assert!(seen.iter().all(|results| *results == seen[0]), "{name}: {seen:?}");
        let (one, _) = function(&[]);
        for row in 0..x.len() {
            let inputs = inputs(&one, &x[row..=row], &vectors[3 * row..][..3]);
            assert_eq!(interpret(&one, &inputs, 1)[0], seen[0][0][row..=row], "{name}");
        }
    }
}
