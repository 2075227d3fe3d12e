//! What q(zᵢ|θ) has beyond a Gaussian: tails whose widths differ from the middle's and from each
//! other, element by element in whitened coordinates.
//!
//! For standard normal ε, with the logarithms λ + κ and λ − κ of the widths of the right and the
//! left tail,
//!
//! ```text
//! v(ε) = [ ε + τ (√(1 + ε²) − c) + δ ε (1 − 1/√(1 + ε²)) ] / √V
//! τ = e^λ sinh κ     δ = e^λ cosh κ − 1     V = 1 + τ² A + 2 δ B + δ² C
//! ```
//!
//! The slope of the bracket is one in the middle and e^(λ±κ) far out, and is positive everywhere:
//! with σ = ε/√(1 + ε²) it is 1 + τσ + δ(1 − (1 − σ²)^{3/2}), at least 1 − |τ| + min(δ, 0). The
//! constants c, A, B and C make mean and variance of v those of ε, so that κ and λ leave both to
//! the rest of the guide. One square root an element is all it costs; κ = λ = 0 is the Gaussian.
//!
//! For a branch whose third and fourth derivatives of −log density in whitened coordinates are
//! on average a and b, the best κ and λ are to first order −[`SKEW_OF_THIRD`] a and
//! −[`TAIL_OF_FOURTH`] b: the maximum over κ (λ) of E[log p(v(ε)) + log v′(ε)] for
//! p ∝ exp(−v²/2 − a He₃(v)/6 − b He₄(v)/24).

/// c = E √(1 + ε²).
const MEAN_ROOT: f64 = 1.354_530_806_481_315_3;
/// A, the variance of √(1 + ε²).
const ROOT_VARIANCE: f64 = 0.165_246_294_293_077_56;
/// B = E ε²(1 − 1/√(1 + ε²)).
const TAIL_COVARIANCE: f64 = 0.435_109_152_754_341_8;
/// C = E ε²(1 − 1/√(1 + ε²))².
const TAIL_SQUARE: f64 = 0.214_538_763_089_885_1;
/// ½ E r″ / E[r² + r′²] for r = √(1 + ε²) − c.
pub const SKEW_OF_THIRD: f64 = 0.554_285_424_988_662_7;
/// ⅙ E[He₃ r] / E[r² + r′²] for r = ε(1 − 1/√(1 + ε²)) − B ε.
pub const TAIL_OF_FOURTH: f64 = 0.472_273_441_066_408_5;
/// Bounds of κ and λ, approached smoothly.
const SKEW_BOUND: f64 = 1.5;
const TAIL_BOUND: f64 = 1.0;

/// The map of one element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tails {
    tau: f64,
    delta: f64,
    /// 1/√V.
    norm: f64,
    /// Derivatives of κ and λ in what the bounds were laid on.
    slopes: [f64; 2],
}

/// v and its derivatives at a point.
#[derive(Clone, Copy, Debug)]
pub struct Stretched {
    /// v(ε).
    pub value: f64,
    /// v′(ε).
    pub slope: f64,
    /// (log v′)′(ε).
    pub log_slope_derivative: f64,
    /// ∂v/∂κ and ∂v/∂λ, before the bounds.
    pub by: [f64; 2],
    /// ∂log v′/∂κ and ∂log v′/∂λ, before the bounds.
    pub log_slope_by: [f64; 2],
}

impl Tails {
    /// Those of a Gaussian.
    pub const GAUSSIAN: Self = Self { tau: 0.0, delta: 0.0, norm: 1.0, slopes: [1.0; 2] };

    /// From κ and λ before their bounds.
    pub fn new(skew: f64, tail: f64) -> Self {
        let (kappa, lambda) = (SKEW_BOUND * (skew / SKEW_BOUND).tanh(), (tail / TAIL_BOUND).tanh());
        let lambda = TAIL_BOUND * lambda;
        let (right, left) = ((lambda + kappa).exp(), (lambda - kappa).exp());
        let (tau, delta) = (0.5 * (right - left), 0.5 * (right + left) - 1.0);
        let variance = 1.0
            + tau * tau * ROOT_VARIANCE
            + 2.0 * delta * TAIL_COVARIANCE
            + delta * delta * TAIL_SQUARE;
        let slopes = [1.0 - (kappa / SKEW_BOUND).powi(2), 1.0 - (lambda / TAIL_BOUND).powi(2)];
        Self { tau, delta, norm: variance.sqrt().recip(), slopes }
    }

    /// v(ε) and log v′(ε).
    pub fn position(&self, epsilon: f64) -> (f64, f64) {
        if *self == Self::GAUSSIAN {
            return (epsilon, 0.0);
        }
        let inverse = (1.0 + epsilon * epsilon).sqrt().recip();
        let (value, slope) = self.bracket(epsilon, inverse);
        (value * self.norm, (slope * self.norm).ln())
    }

    /// The bracket and its slope; `inverse` is 1/√(1 + ε²).
    fn bracket(&self, epsilon: f64, inverse: f64) -> (f64, f64) {
        let Self { tau, delta, .. } = *self;
        let root = (1.0 + epsilon * epsilon) * inverse;
        let value = epsilon + tau * (root - MEAN_ROOT) + delta * epsilon * (1.0 - inverse);
        let slope = 1.0 + tau * epsilon * inverse + delta * (1.0 - inverse.powi(3));
        (value, slope)
    }

    /// v and its derivatives.
    pub fn at(&self, epsilon: f64) -> Stretched {
        let Self { tau, delta, norm, slopes } = *self;
        let inverse = (1.0 + epsilon * epsilon).sqrt().recip();
        let cube = inverse.powi(3);
        let (value, slope) = self.bracket(epsilon, inverse);
        let curvature = cube * (tau + 3.0 * delta * epsilon * inverse * inverse);
        // In τ and δ: of the bracket, of its slope, and of log(1/√V).
        let by_tau = epsilon.mul_add(epsilon, 1.0) * inverse - MEAN_ROOT;
        let by_delta = epsilon * (1.0 - inverse);
        let slope_by_tau = epsilon * inverse;
        let slope_by_delta = 1.0 - cube;
        let squared = norm * norm;
        let norm_by_tau = -squared * tau * ROOT_VARIANCE;
        let norm_by_delta = -squared * (TAIL_COVARIANCE + delta * TAIL_SQUARE);
        // ∂(τ, δ)/∂κ = (δ + 1, τ) and ∂(τ, δ)/∂λ = (τ, δ + 1).
        let directions = [(delta + 1.0, tau), (tau, delta + 1.0)];
        let mut by = [0.0; 2];
        let mut log_slope_by = [0.0; 2];
        for (k, (along_tau, along_delta)) in directions.into_iter().enumerate() {
            let of_norm = along_tau * norm_by_tau + along_delta * norm_by_delta;
            let of_value = along_tau * by_tau + along_delta * by_delta;
            let of_slope = along_tau * slope_by_tau + along_delta * slope_by_delta;
            by[k] = slopes[k] * norm * (of_value + value * of_norm);
            log_slope_by[k] = slopes[k] * (of_slope / slope + of_norm);
        }
        Stretched {
            value: value * norm,
            slope: slope * norm,
            log_slope_derivative: curvature / slope,
            by,
            log_slope_by,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: [(f64, f64); 5] = [(0.0, 0.0), (0.4, 0.2), (-1.3, -0.8), (2.5, 0.9), (0.3, -2.0)];

    /// E f(ε) by the trapezoidal rule, which is exact to rounding for these.
    fn expectation(f: impl Fn(f64) -> f64) -> f64 {
        let h = 0.01;
        let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
        (-1200..=1200).map(|k| f64::from(k) * h).map(|x| h * density(x) * f(x)).sum()
    }

    #[test]
    fn mean_and_variance_are_those_of_the_noise() {
        for (skew, tail) in CASES {
            let tails = Tails::new(skew, tail);
            let mean = expectation(|x| tails.position(x).0);
            let square = expectation(|x| tails.position(x).0.powi(2));
            assert!(mean.abs() < 1e-10 && (square - 1.0).abs() < 1e-10, "{mean} {square}");
        }
    }

    #[test]
    fn it_rises_everywhere_and_its_derivatives_are_central_differences() {
        let h = 1e-5;
        let close = |x: f64, y: f64| assert!((x - y).abs() < 1e-8 * (1.0 + x.abs()), "{x} {y}");
        for (skew, tail) in CASES {
            let tails = Tails::new(skew, tail);
            for k in -60..=60 {
                let x = f64::from(k) * 0.2;
                let at = tails.at(x);
                assert!(at.slope > 0.0, "{skew} {tail} {x}");
                let difference = |f: &dyn Fn(f64) -> f64| (f(h) - f(-h)) / (2.0 * h);
                close(at.value, tails.position(x).0);
                close(at.slope.ln(), tails.position(x).1);
                close(at.slope, difference(&|h| tails.position(x + h).0));
                close(at.log_slope_derivative, difference(&|h| tails.position(x + h).1));
                let moved = [
                    |skew: f64, tail: f64, h: f64| Tails::new(skew + h, tail),
                    |skew: f64, tail: f64, h: f64| Tails::new(skew, tail + h),
                ];
                for (k, moved) in moved.iter().enumerate() {
                    close(at.by[k], difference(&|h| moved(skew, tail, h).position(x).0));
                    close(at.log_slope_by[k], difference(&|h| moved(skew, tail, h).position(x).1));
                }
            }
        }
    }

    #[test]
    fn the_first_guess_is_the_best_for_slight_skewness_and_tails() {
        let elbo = |third: f64, fourth: f64, tails: Tails| {
            expectation(|x| {
                let (v, log_slope) = tails.position(x);
                let he3 = v.powi(3) - 3.0 * v;
                let he4 = v.powi(4) - 6.0 * v * v + 3.0;
                -0.5 * v * v - third * he3 / 6.0 - fourth * he4 / 24.0 + log_slope
            })
        };
        let e = 1e-3;
        let skewed = |factor: f64| elbo(e, 0.0, Tails::new(-factor * SKEW_OF_THIRD * e, 0.0));
        let tailed = |factor: f64| elbo(0.0, e, Tails::new(0.0, -factor * TAIL_OF_FOURTH * e));
        assert!(skewed(1.0) > skewed(0.95) && skewed(1.0) > skewed(1.05));
        assert!(tailed(1.0) > tailed(0.95) && tailed(1.0) > tailed(1.05));
    }
}
