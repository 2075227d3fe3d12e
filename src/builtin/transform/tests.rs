//! Laws of transforms: they have inverses, and their log-Jacobians are those of differences.

use super::*;
use crate::autodiff::forward::{Directions, jacobian};
use crate::codegen::compile;
use crate::codegen::tests::{Numbers, call, interpret, sizes};
use crate::ir::op::{Function, InputKind, ValueType};
use crate::ir::verify::verify;

const TABLE: &str = include_str!("../../../tests/oracle/transforms.csv");

/// Bounds of the tests.
const LOWER: f64 = -1.25;
const UPPER: f64 = 3.5;

/// Which transform, without values of a function.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Identity,
    Lower,
    Upper,
    Both,
    CholeskyFactorCorr,
    CovMatrix,
    Simplex,
    Ordered,
    PositiveOrdered,
}

const ELEMENTWISE: [Kind; 4] = [Kind::Identity, Kind::Lower, Kind::Upper, Kind::Both];
const OF_VECTORS: [Kind; 3] = [Kind::Simplex, Kind::Ordered, Kind::PositiveOrdered];

/// A transform and the dimensions of its constrained value.
#[derive(Clone, Debug)]
struct Case {
    kind: Kind,
    dims: Vec<i64>,
}

fn sizes_of(dims: &[i64]) -> Vec<Size> {
    dims.iter().map(|n| Size::constant(*n)).collect()
}

impl Case {
    fn transform(&self, b: &mut Builder) -> Transform {
        let (lower, upper) = (b.real(LOWER), b.real(UPPER));
        match self.kind {
            Kind::Identity => Transform::Identity,
            Kind::Lower => Transform::Lower(lower),
            Kind::Upper => Transform::Upper(upper),
            Kind::Both => Transform::LowerUpper(lower, upper),
            Kind::CholeskyFactorCorr => Transform::CholeskyFactorCorr,
            Kind::CovMatrix => Transform::CovMatrix,
            Kind::Simplex => Transform::Simplex,
            Kind::Ordered => Transform::Ordered,
            Kind::PositiveOrdered => Transform::PositiveOrdered,
        }
    }

    fn unconstrained_dims(&self) -> Vec<Size> {
        let transform = self.transform(&mut Builder::new("dims"));
        transform.unconstrained_dims(&sizes_of(&self.dims))
    }

    /// How many numbers are unconstrained.
    fn n_free(&self) -> usize {
        let dims = self.unconstrained_dims();
        dims.iter().map(|n| n.as_constant().expect("a number") as usize).product()
    }

    /// The constrained value and the log-Jacobian.
    fn constrain(&self) -> Function {
        let mut b = Builder::new("constrain");
        let y = b.input(InputKind::Local(0), "y", ValueType::reals(self.unconstrained_dims()));
        let transform = self.transform(&mut b);
        let dims = sizes_of(&self.dims);
        let (x, log_jacobian) = transform.constrain(&mut b, y, &dims);
        assert_eq!(b.dims(x), dims);
        b.output("x", x);
        b.output("log_jacobian", log_jacobian);
        b.into_function()
    }

    fn unconstrain(&self) -> Function {
        let mut b = Builder::new("unconstrain");
        let x = b.input(InputKind::Local(0), "x", ValueType::reals(sizes_of(&self.dims)));
        let transform = self.transform(&mut b);
        let y = transform.unconstrain(&mut b, x);
        assert_eq!(b.dims(y), self.unconstrained_dims());
        b.output("y", y);
        b.into_function()
    }

    /// Positions of elements of the constrained value that are free: the first ones of a
    /// simplex, those below the diagonal of a factor, the lower triangle of a symmetric matrix,
    /// or all.
    fn free_elements(&self) -> Vec<usize> {
        let n = *self.dims.last().expect("a container") as usize;
        let all = self.dims.iter().product::<i64>() as usize;
        match self.kind {
            Kind::CholeskyFactorCorr => {
                (0..n).flat_map(|i| (0..i).map(move |j| i * n + j)).collect()
            }
            Kind::CovMatrix => (0..n).flat_map(|i| (0..=i).map(move |j| i * n + j)).collect(),
            Kind::Simplex => (0..all).filter(|k| k % n != n - 1).collect(),
            _ => (0..all).collect(),
        }
    }
}

/// By the interpreter, where machine code agrees.
fn run(f: &Function, input: &[f64]) -> Vec<Vec<f64>> {
    verify(f).unwrap();
    let inputs = vec![input.to_vec(); f.inputs.len()];
    let expected = interpret(f, &inputs, 1);
    let code = compile(&[f], &sizes(1)).unwrap().remove(0);
    for (a, b) in expected.concat().iter().zip(call(f, &code, &inputs, 1).concat()) {
        assert!((a - b).abs() <= 1e-13 * a.abs().max(1.0) || a.to_bits() == b.to_bits(), "{a} {b}");
    }
    expected
}

fn points(n: usize) -> Vec<Vec<f64>> {
    let mut numbers = Numbers(3);
    let mut points: Vec<Vec<f64>> =
        [0.4, 1.0, 2.0].iter().map(|s| (0..n).map(|_| s * numbers.next()).collect()).collect();
    points.push(vec![0.0; n]);
    points
}

fn all() -> Vec<Case> {
    let elementwise = ELEMENTWISE.iter().map(|&kind| Case { kind, dims: vec![4] });
    let factors = (1..=5).map(|n| Case { kind: Kind::CholeskyFactorCorr, dims: vec![n, n] });
    let shapes = [vec![1], vec![2], vec![5], vec![3, 4], vec![2, 2, 3]];
    let vectors = OF_VECTORS
        .iter()
        .flat_map(|&kind| shapes.iter().map(move |dims| Case { kind, dims: dims.clone() }));
    let matrices = (1..=4).map(|n| Case { kind: Kind::CovMatrix, dims: vec![n, n] });
    elementwise.chain(factors).chain(matrices).chain(vectors).collect()
}

#[test]
fn unconstrain_undoes_constrain() {
    for case in all() {
        for y in points(case.n_free()) {
            let x = run(&case.constrain(), &y).remove(0);
            let back = run(&case.unconstrain(), &x).remove(0);
            for (a, b) in y.iter().zip(&back) {
                assert!((a - b).abs() < 1e-9, "{case:?}: {back:?} instead of {y:?}");
            }
            let again = run(&case.constrain(), &back).remove(0);
            assert!(x.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-12), "{case:?}");
        }
    }
}

#[test]
fn log_jacobian_is_that_of_differences() {
    for case in all() {
        let f = case.constrain();
        let free = case.free_elements();
        for y in points(case.n_free()) {
            let columns: Vec<Vec<f64>> = (0..y.len())
                .map(|k| {
                    let at = |t: f64| {
                        let mut moved = y.clone();
                        moved[k] += t;
                        run(&f, &moved).remove(0)
                    };
                    let h = 1e-3;
                    let (a, b, c, d) = (at(h), at(-h), at(2.0 * h), at(-2.0 * h));
                    let slope = |i: &usize| (8.0 * (a[*i] - b[*i]) - (c[*i] - d[*i])) / (12.0 * h);
                    free.iter().map(slope).collect()
                })
                .collect();
            let expected = log_abs_determinant(columns);
            let actual = run(&f, &y)[1][0];
            assert!((actual - expected).abs() < 1e-8, "{case:?} {y:?}: {actual} {expected}");
        }
    }
}

/// The derivative, too, is that of the program: forward mode agrees with the log-Jacobian.
#[test]
fn log_jacobian_is_that_of_forward_mode() {
    for case in all() {
        let f = case.constrain();
        let directions = Directions::of_inputs(&f, |kind| matches!(kind, InputKind::Local(_)));
        let derivative = jacobian(&f, &directions);
        for y in points(case.n_free()) {
            let found = run(&derivative, &y);
            let m = y.len();
            let rows: Vec<Vec<f64>> = case
                .free_elements()
                .iter()
                .map(|i| found[1][i * m..(i + 1) * m].to_vec())
                .collect();
            let expected = log_abs_determinant(rows);
            assert!((found[2][0] - expected).abs() < 1e-11, "{case:?} {y:?}");
        }
    }
}

/// Against values and determinants computed with many digits.
#[test]
fn transforms_agree_with_high_precision_values() {
    let numbers = |text: &str| -> Vec<f64> {
        text.split_whitespace().map(|text| text.parse().expect("a number")).collect()
    };
    let mut tested = Vec::new();
    for line in TABLE.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let n: i64 = fields[1].parse().expect("a number");
        let vectors: i64 = fields[2].parse().expect("a number");
        let kind = match fields[0] {
            "simplex" => Kind::Simplex,
            "ordered" => Kind::Ordered,
            "positive_ordered" => Kind::PositiveOrdered,
            "cholesky_factor_corr" => Kind::CholeskyFactorCorr,
            "cov_matrix" => Kind::CovMatrix,
            other => panic!("no transform `{other}`"),
        };
        let dims = match vectors {
            0 => vec![n, n],
            1 => vec![n],
            several => vec![several, n],
        };
        let case = Case { kind, dims };
        tested.push(kind);
        let (y, x, log_jacobian) = (numbers(fields[3]), numbers(fields[4]), numbers(fields[5]));
        let found = run(&case.constrain(), &y);
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-13 * b.abs().max(1.0);
        assert!(found[0].iter().zip(&x).all(|(a, b)| close(*a, *b)), "{line}: {:?}", found[0]);
        assert!(close(found[1][0], log_jacobian[0]), "{line}: {}", found[1][0]);
        let back = run(&case.unconstrain(), &x).remove(0);
        let again = run(&case.constrain(), &back).remove(0);
        let largest = x.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        for (a, b) in again.iter().zip(&x) {
            assert!((a - b).abs() <= 1e-12 * largest, "{line}: {again:?}");
        }
    }
    assert!(OF_VECTORS.iter().all(|kind| tested.contains(kind)));
}

#[test]
fn vectors_keep_their_constraint() {
    for dims in [vec![4], vec![3, 4]] {
        for y in [-300.0, -2.0, 0.0, 1.5, 300.0] {
            let vectors = |kind: Kind| {
                let case = Case { kind, dims: dims.clone() };
                let y: Vec<f64> =
                    (0..case.n_free()).map(|k| if k % 2 == 0 { y } else { -0.5 * y }).collect();
                let x = run(&case.constrain(), &y).remove(0);
                x.chunks(4).map(<[f64]>::to_vec).collect::<Vec<_>>()
            };
            for x in vectors(Kind::Simplex) {
                let sum: f64 = x.iter().sum();
                assert!((sum - 1.0).abs() < 1e-15 && x.iter().all(|x| *x >= 0.0), "{x:?}");
            }
            for x in vectors(Kind::Ordered).iter().chain(&vectors(Kind::PositiveOrdered)) {
                assert!(x.windows(2).all(|pair| pair[0] <= pair[1]), "{x:?}");
            }
            assert!(vectors(Kind::PositiveOrdered).iter().all(|x| x[0] > 0.0));
        }
    }
}

/// By Gaussian elimination with pivots.
fn log_abs_determinant(mut rows: Vec<Vec<f64>>) -> f64 {
    let n = rows.len();
    let mut log = 0.0;
    for k in 0..n {
        let largest = (k..n).max_by(|i, j| rows[*i][k].abs().total_cmp(&rows[*j][k].abs()));
        rows.swap(k, largest.expect("at least one row"));
        let pivot = rows[k].clone();
        log += pivot[k].abs().ln();
        for row in &mut rows[k + 1..] {
            let factor = row[k] / pivot[k];
            row.iter_mut().zip(&pivot).for_each(|(x, p)| *x -= factor * p);
        }
    }
    log
}

#[test]
fn factors_are_cholesky_factors_of_correlation_matrices() {
    for n in 1..=5_i64 {
        let case = Case { kind: Kind::CholeskyFactorCorr, dims: vec![n, n] };
        let f = case.constrain();
        for y in points(case.n_free()) {
            let x = run(&f, &y).remove(0);
            let n = n as usize;
            for i in 0..n {
                let row = &x[i * n..(i + 1) * n];
                let norm: f64 = row.iter().map(|v| v * v).sum();
                assert!((norm - 1.0).abs() < 1e-14, "{norm}");
                assert!(row[i] > 0.0 && row[i + 1..].iter().all(|v| *v == 0.0), "{row:?}");
            }
        }
    }
}

/// Far out, values stay inside their bounds, and nothing is infinite or NaN, gradients too.
#[test]
fn extreme_values_are_finite() {
    for case in all() {
        let m = case.n_free();
        let f = case.constrain();
        let directions = Directions::of_inputs(&f, |kind| matches!(kind, InputKind::Local(_)));
        let derivative = jacobian(&f, &directions);
        for y in [20.0, -20.0] {
            let mixed: Vec<f64> = (0..m).map(|k| if k % 2 == 0 { y } else { -y }).collect();
            for y in [vec![y; m], mixed] {
                let found = run(&derivative, &y);
                assert!(found.concat().iter().all(|x| x.is_finite()), "{case:?}: {found:?}");
            }
        }
    }
    let both = Case { kind: Kind::Both, dims: vec![4] };
    let x = run(&both.constrain(), &[-800.0, -20.0, 20.0, 800.0]).remove(0);
    assert!(x.iter().all(|x| (LOWER..=UPPER).contains(x)), "{x:?}");
}
