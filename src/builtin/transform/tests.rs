//! Laws of transforms: they have inverses, and their log-Jacobians are those of differences.

use super::*;
use crate::autodiff::forward::{Directions, jacobian};
use crate::codegen::compile;
use crate::codegen::tests::{Numbers, call, interpret, sizes};
use crate::ir::op::{Function, InputKind, ValueType};
use crate::ir::verify::verify;

/// Bounds of the tests.
const LOWER: f64 = -1.25;
const UPPER: f64 = 3.5;

/// Which transform, without values of a function.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Identity,
    Lower,
    Upper,
    Both,
    CholeskyFactorCorr,
}

const ELEMENTWISE: [Kind; 4] = [Kind::Identity, Kind::Lower, Kind::Upper, Kind::Both];

impl Kind {
    fn transform(self, b: &mut Builder) -> Transform {
        let (lower, upper) = (b.real(LOWER), b.real(UPPER));
        match self {
            Kind::Identity => Transform::Identity,
            Kind::Lower => Transform::Lower(lower),
            Kind::Upper => Transform::Upper(upper),
            Kind::Both => Transform::LowerUpper(lower, upper),
            Kind::CholeskyFactorCorr => Transform::CholeskyFactorCorr,
        }
    }

    /// Dimensions of the constrained and of the unconstrained value.
    fn dims(self, n: i64) -> (Vec<Size>, Vec<Size>) {
        let n = Size::constant(n);
        match self {
            Kind::CholeskyFactorCorr => {
                (vec![n.clone(), n.clone()], vec![Size::strict_triangle(&n)])
            }
            _ => (vec![n.clone()], vec![n]),
        }
    }

    /// The constrained value and the log-Jacobian.
    fn constrain(self, n: i64) -> Function {
        let mut b = Builder::new("constrain");
        let (constrained, unconstrained) = self.dims(n);
        let y = b.input(InputKind::Local(0), "y", ValueType::reals(unconstrained));
        let transform = self.transform(&mut b);
        let (x, log_jacobian) = transform.constrain(&mut b, y, &constrained);
        b.output("x", x);
        b.output("log_jacobian", log_jacobian);
        b.into_function()
    }

    fn unconstrain(self, n: i64) -> Function {
        let mut b = Builder::new("unconstrain");
        let x = b.input(InputKind::Local(0), "x", ValueType::reals(self.dims(n).0));
        let transform = self.transform(&mut b);
        let y = transform.unconstrain(&mut b, x);
        b.output("y", y);
        b.into_function()
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

fn all() -> Vec<(Kind, i64)> {
    let elementwise = ELEMENTWISE.iter().map(|kind| (*kind, 4));
    let factors = (1..=5).map(|n| (Kind::CholeskyFactorCorr, n));
    elementwise.chain(factors).collect()
}

fn n_unconstrained(kind: Kind, n: i64) -> usize {
    kind.dims(n).1[0].as_constant().expect("a number") as usize
}

#[test]
fn unconstrain_undoes_constrain() {
    for (kind, n) in all() {
        for y in points(n_unconstrained(kind, n)) {
            let x = run(&kind.constrain(n), &y).remove(0);
            let back = run(&kind.unconstrain(n), &x).remove(0);
            for (a, b) in y.iter().zip(&back) {
                // Squares of what lies before in a row cancel in 1 - Σ x².
                assert!((a - b).abs() < 1e-9, "{kind:?} {n}: {back:?} instead of {y:?}");
            }
            let again = run(&kind.constrain(n), &back).remove(0);
            assert!(x.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-12), "{kind:?} {n}");
        }
    }
}

#[test]
fn log_jacobian_is_that_of_differences() {
    for (kind, n) in all() {
        let f = kind.constrain(n);
        let free = free_elements(kind, n as usize);
        for y in points(n_unconstrained(kind, n)) {
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
            assert!((actual - expected).abs() < 1e-8, "{kind:?} {n} {y:?}: {actual} {expected}");
        }
    }
}

/// The derivative, too, is that of the program: forward mode agrees with the log-Jacobian.
#[test]
fn log_jacobian_is_that_of_forward_mode() {
    for (kind, n) in all() {
        let f = kind.constrain(n);
        let directions = Directions::of_inputs(&f, |kind| matches!(kind, InputKind::Local(_)));
        let derivative = jacobian(&f, &directions);
        for y in points(n_unconstrained(kind, n)) {
            let found = run(&derivative, &y);
            let m = y.len();
            let rows: Vec<Vec<f64>> = free_elements(kind, n as usize)
                .iter()
                .map(|i| found[1][i * m..(i + 1) * m].to_vec())
                .collect();
            let expected = log_abs_determinant(rows);
            assert!((found[2][0] - expected).abs() < 1e-11, "{kind:?} {n} {y:?}");
        }
    }
}

/// Positions of the elements that are free: below the diagonal of a factor, or all.
fn free_elements(kind: Kind, n: usize) -> Vec<usize> {
    match kind {
        Kind::CholeskyFactorCorr => (0..n).flat_map(|i| (0..i).map(move |j| i * n + j)).collect(),
        _ => (0..n).collect(),
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
        let f = Kind::CholeskyFactorCorr.constrain(n);
        for y in points(n_unconstrained(Kind::CholeskyFactorCorr, n)) {
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
    for (kind, n) in all() {
        let m = n_unconstrained(kind, n);
        let f = kind.constrain(n);
        let directions = Directions::of_inputs(&f, |kind| matches!(kind, InputKind::Local(_)));
        let derivative = jacobian(&f, &directions);
        for y in [20.0, -20.0] {
            let mixed: Vec<f64> = (0..m).map(|k| if k % 2 == 0 { y } else { -y }).collect();
            for y in [vec![y; m], mixed] {
                let found = run(&derivative, &y);
                assert!(found.concat().iter().all(|x| x.is_finite()), "{kind:?} {n}: {found:?}");
            }
        }
    }
    let x = run(&Kind::Both.constrain(4), &[-800.0, -20.0, 20.0, 800.0]).remove(0);
    assert!(x.iter().all(|x| (LOWER..=UPPER).contains(x)), "{x:?}");
}
