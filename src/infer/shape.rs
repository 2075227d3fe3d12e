//! What q(θ) has beyond a Gaussian: skewness, tails, and centres and widths that bend with other
//! elements.
//!
//! With standard normal ε and η_j = h(ε_j; e_j, d_j), row i of the map to whitened θ is
//!
//! ```text
//! u_i = μ_i + Σ_{j<i} (L_ij η_j + Q_ij s(ε_j)) + L_ii exp(b(Σ_{j<i} C_ij ε_j)) η_i
//! b(a) = 3 tanh(a/3)      s(ε) = √(1 + ε²) − 1
//! h(ε; e, d) = (sinh(d asinh ε + e) − sinh e) / (d cosh e)
//! ```
//!
//! h is the sinh–arcsinh map (Jones and Pewsey, 2009), with its median kept at zero and its slope
//! there at one, so that e and d bend the tails and leave the middle to μ and L. C lets the
//! width of one element follow another's value, as effects follow the logarithm of their scale in
//! a funnel; Q bends a ridge into a banana. e = 0, d = 1, C = Q = 0 is the Gaussian. The map is triangular, so its inverse and the
//! logarithm of its Jacobian cost what those of L cost.

use serde::{Deserialize, Serialize};

use super::linalg::axpy;
use super::triangular::Triangular;

/// Bound of the logarithm of a width's factor.
const WIDTH_BOUND: f64 = 3.0;
/// Bounds of e and log d: beyond them lie maps that no posterior has needed.
const SKEW_BOUND: f64 = 2.0;
const LOG_TAIL_BOUND: f64 = 1.0;

/// The unit in which these parameters are learned, so that their steps are shorter than those of μ
/// and L: far from the middle a draw says much of them by chance.
pub const UNIT: f64 = 0.3;

/// Parameters of the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// C; its diagonal is zero.
    pub width: Triangular,
    /// Q; its diagonal is zero.
    pub bow: Triangular,
    /// e.
    pub skew: Vec<f64>,
    /// log d.
    pub log_tail: Vec<f64>,
}

impl Shape {
    /// That of a Gaussian, with widths that may depend on the first `core` elements.
    pub fn gaussian(n: usize, core: usize) -> Self {
        Self {
            width: Triangular::diagonal(&vec![0.0; n], core),
            bow: Triangular::diagonal(&vec![0.0; n], core),
            skew: vec![0.0; n],
            log_tail: vec![0.0; n],
        }
    }

    /// Number of parameters, the zero diagonals counted.
    pub fn n_parameters(&self) -> usize {
        2 * self.width.values().len() + self.skew.len() + self.log_tail.len()
    }

    /// Moves along `delta`, in units of [`UNIT`]: C, Q, e, log d.
    pub fn advance(&mut self, delta: &[f64]) {
        let (width, rest) = delta.split_at(self.width.values().len());
        let (bow, rest) = rest.split_at(self.bow.values().len());
        let (skew, log_tail) = rest.split_at(self.skew.len());
        axpy(UNIT, width, self.width.values_mut());
        axpy(UNIT, bow, self.bow.values_mut());
        for (value, delta) in self.skew.iter_mut().zip(skew) {
            *value = (*value + UNIT * delta).clamp(-SKEW_BOUND, SKEW_BOUND);
        }
        for (value, delta) in self.log_tail.iter_mut().zip(log_tail) {
            *value = (*value + UNIT * delta).clamp(-LOG_TAIL_BOUND, LOG_TAIL_BOUND);
        }
    }

    /// The map of element j.
    pub fn bend(&self, j: usize) -> Bend {
        Bend { skew: self.skew[j], tail: self.log_tail[j].exp() }
    }
}

/// b(a) and its derivative.
pub fn bounded(a: f64) -> (f64, f64) {
    let t = (a / WIDTH_BOUND).tanh();
    (WIDTH_BOUND * t, 1.0 - t * t)
}

/// s(ε) and its derivative.
pub fn bow(epsilon: f64) -> (f64, f64) {
    let root = (1.0 + epsilon * epsilon).sqrt();
    (root - 1.0, epsilon / root)
}

/// h of one element.
#[derive(Clone, Copy, Debug)]
pub struct Bend {
    skew: f64,
    tail: f64,
}

/// h and its derivatives at a point.
#[derive(Clone, Copy, Debug)]
pub struct Bent {
    /// h(ε).
    pub value: f64,
    /// log h′(ε).
    pub log_slope: f64,
    /// (log h′)′(ε).
    pub log_slope_derivative: f64,
    /// ∂h/∂e.
    pub by_skew: f64,
    /// ∂h/∂(log d).
    pub by_log_tail: f64,
}

impl Bend {
    /// Value and derivatives at ε.
    pub fn at(self, epsilon: f64) -> Bent {
        let Self { skew, tail } = self;
        let root = (1.0 + epsilon * epsilon).sqrt();
        let a = epsilon.asinh();
        let angle = tail * a + skew;
        let norm = tail * skew.cosh();
        let value = (angle.sinh() - skew.sinh()) / norm;
        Bent {
            value,
            log_slope: (angle.cosh() / (root * skew.cosh())).ln(),
            log_slope_derivative: angle.tanh() * tail / root - epsilon / (root * root),
            by_skew: (angle.cosh() - skew.cosh()) / norm - value * skew.tanh(),
            by_log_tail: angle.cosh() * a / skew.cosh() - value,
        }
    }

    /// The ε with h(ε) = value.
    pub fn inverse(self, value: f64) -> f64 {
        let Self { skew, tail } = self;
        (((value * tail * skew.cosh() + skew.sinh()).asinh() - skew) / tail).sinh()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_central_differences_and_the_inverse_inverts() {
        let h = 1e-5;
        for (skew, log_tail) in [(0.0, 0.0), (0.7, -0.3), (-1.2, 0.4)] {
            let bend = |skew: f64, log_tail: f64| Bend { skew, tail: f64::exp(log_tail) };
            for epsilon in [-4.0, -1.0, 0.0, 0.3, 2.5] {
                let here = bend(skew, log_tail).at(epsilon);
                let slope = |above: Bent, below: Bent| (above.value - below.value) / (2.0 * h);
                let at = |x: f64| bend(skew, log_tail).at(x);
                let checks = [
                    (here.log_slope.exp(), slope(at(epsilon + h), at(epsilon - h))),
                    (
                        here.log_slope_derivative,
                        (at(epsilon + h).log_slope - at(epsilon - h).log_slope) / (2.0 * h),
                    ),
                    (
                        here.by_skew,
                        slope(
                            bend(skew + h, log_tail).at(epsilon),
                            bend(skew - h, log_tail).at(epsilon),
                        ),
                    ),
                    (
                        here.by_log_tail,
                        slope(
                            bend(skew, log_tail + h).at(epsilon),
                            bend(skew, log_tail - h).at(epsilon),
                        ),
                    ),
                ];
                for (k, (ours, difference)) in checks.into_iter().enumerate() {
                    let bound = 1e-7 * (1.0 + difference.abs());
                    assert!(
                        (ours - difference).abs() < bound,
                        "{k} {epsilon}: {ours} {difference}"
                    );
                }
                let back = bend(skew, log_tail).inverse(here.value);
                assert!((back - epsilon).abs() < 1e-9 * (1.0 + epsilon.abs()), "{back} {epsilon}");
            }
        }
    }

    #[test]
    fn the_middle_stays_where_it_is() {
        let bent = Bend { skew: 1.1, tail: 0.7 }.at(0.0);
        assert!(bent.value.abs() < 1e-15 && bent.log_slope.abs() < 1e-15);
    }
}
