//! Which arguments are unknown changes nothing: the gradient in each subset of them is the part
//! of the whole gradient. Outside the support it is zero.

use super::*;

type Write = fn(&mut Builder, ValueId, &[ValueId]) -> ValueId;

/// Densities and distribution functions over single numbers.
fn functions() -> Vec<(&'static Distribution, Write)> {
    let mut all: Vec<(&'static Distribution, Write)> = Vec::new();
    for distribution in ALL {
        let vectorised = distribution.params.iter().all(|param| param.kind.is_vectorised());
        if vectorised && matches!(distribution.outcome, Outcome::Univariate(..)) {
            all.push((distribution, distribution.log_density));
            let cdfs = distribution.cdfs.iter().flat_map(|cdfs| [cdfs.lower, cdfs.upper]);
            all.extend(cdfs.map(|write| (*distribution, write)));
        }
    }
    all
}

/// A few outcomes and arguments of the table, ordinary and not.
fn points(name: &str) -> Vec<Vec<f64>> {
    let all: Vec<Entry> = table().into_iter().filter(|entry| entry.name == name).collect();
    all.iter().step_by((all.len() / 12).max(1)).map(|entry| entry.arguments.clone()).collect()
}

#[test]
fn every_pattern_of_data_and_unknowns() {
    for (distribution, write) in functions() {
        let points = points(distribution.name);
        let n_arguments = distribution.params.len() + 1;
        let inputs: Vec<Vec<f64>> =
            (0..n_arguments).map(|k| points.iter().map(|point| point[k]).collect()).collect();
        let whole = function_of(distribution, write, points.len(), &|_| true);
        let real: Vec<usize> = (0..n_arguments).filter(|k| !whole.whole[*k]).collect();
        let [(values, gradients), _] = whole.both(&inputs);
        for pattern in 0..1_u32 << n_arguments {
            let is_unknown = |k: usize| pattern >> k & 1 == 1;
            let part = function_of(distribution, write, points.len(), &is_unknown);
            for (part_values, part_gradients) in part.both(&inputs) {
                assert_same(&part_values, &values, distribution.name);
                let wanted = real.iter().enumerate().filter(|(_, k)| is_unknown(**k));
                let wanted: Vec<usize> = wanted.map(|(position, _)| position).collect();
                assert_eq!(part_gradients.len(), wanted.len(), "{}", distribution.name);
                for (position, gradient) in wanted.into_iter().zip(&part_gradients) {
                    assert_same(gradient, &gradients[position], distribution.name);
                }
            }
        }
    }
}

fn assert_same(actual: &[f64], expected: &[f64], name: &str) {
    for (actual, expected) in actual.iter().zip(expected) {
        let is_same = actual == expected
            || actual.is_nan() && expected.is_nan()
            || (actual - expected).abs() <= 1e-13 * expected.abs();
        assert!(is_same, "{name}: {actual:e}, not {expected:e}");
    }
}

/// Where a density is zero there is nothing to climb, whatever the formula gives there.
#[test]
fn gradients_outside_the_support_are_zero() {
    let outside = [-1e300, -1.0, -1e-300, 1.0 + 1e-9, 1e300];
    for distribution in ALL {
        let is_inside = |x: f64| match distribution.outcome {
            Outcome::Univariate(Element::Real, Support::NonNegative | Support::Positive) => x > 0.0,
            Outcome::Univariate(Element::Real, Support::UnitInterval) => (0.0..=1.0).contains(&x),
            Outcome::Univariate(Element::Real, Support::FromFirstArgument) => x >= 2.0,
            Outcome::Univariate(Element::Real, Support::BetweenArguments) => x >= 2.0 && x <= 4.0,
            _ => true,
        };
        let points: Vec<f64> = outside.into_iter().filter(|x| !is_inside(*x)).collect();
        for shape in [2.0, 0.5, 1.0] {
            let mut inputs = vec![points.clone()];
            let bounds = matches!(
                distribution.outcome,
                Outcome::Univariate(_, Support::FromFirstArgument | Support::BetweenArguments)
            );
            inputs.extend(distribution.params.iter().enumerate().map(|(k, param)| {
                let value = match param.kind {
                    ParamKind::Probability => 0.4,
                    _ if bounds => 2.0 * (k + 1) as f64,
                    _ => shape,
                };
                vec![value; points.len()]
            }));
            if points.is_empty() {
                continue;
            }
            let density = density(distribution.name, points.len());
            for (values, gradients) in density.both(&inputs) {
                let name = distribution.name;
                assert!(values.iter().all(|x| *x == f64::NEG_INFINITY), "{name}: {values:?}");
                let slopes = gradients.concat();
                assert!(slopes.iter().all(|slope| *slope == 0.0), "{name}: {slopes:?}");
            }
        }
    }
}
