//! The logarithm of the standard normal distribution function and its derivatives.
//!
//! In the lower tail all of them come from the continued fraction of Mills' ratio (Laplace;
//! Abramowitz and Stegun 26.2.14), so that nothing cancels: with `t = -x`,
//! `φ(x) / Φ(x) = t + e`, `e = 1/(t + f)`, `f = 2/(t + 3/(t + 4/(t + …)))`.

use std::f64::consts::FRAC_1_SQRT_2;

const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_7;
const ONE_OVER_SQRT_TWO_PI: f64 = 0.398_942_280_401_432_7;

/// Below, the continued fraction is exact to the last place after [`LEVELS`] levels.
const TAIL_BELOW: f64 = -3.0;
const LEVELS: u32 = 60;

/// The highest derivative.
const MAX_ORDER: usize = 12;

/// `ln Φ(x)`, the standard normal distribution function, with full accuracy in both tails
pub extern "C" fn log_phi(x: f64) -> f64 {
    if x == f64::NEG_INFINITY {
        x
    } else if x < TAIL_BELOW {
        let (hazard, _, _) = lower_tail(x);
        -0.5 * x * x - LN_SQRT_TWO_PI - hazard.ln()
    } else if x < 0.0 {
        (0.5 * libm::erfc(-x * FRAC_1_SQRT_2)).ln()
    } else {
        (-0.5 * libm::erfc(x * FRAC_1_SQRT_2)).ln_1p()
    }
}

/// The n-th derivative of `ln Φ(x)`; NaN beyond order 12
pub extern "C" fn log_phi_derivative(n: i32, x: f64) -> f64 {
    if n == 0 {
        return log_phi(x);
    }
    if !(1..=MAX_ORDER as i32).contains(&n) || x.is_nan() {
        return f64::NAN;
    }
    if x == f64::NEG_INFINITY {
        return [f64::INFINITY, -1.0, 0.0][(n as usize - 1).min(2)];
    }
    let (hazard, excess, slope) = if x < TAIL_BELOW { lower_tail(x) } else { elsewhere(x) };
    if hazard == 0.0 {
        return 0.0;
    }
    // h' = -h e and e = h + x, and Leibniz' rule from there on.
    let mut h = [0.0; MAX_ORDER + 1];
    let mut e = [0.0; MAX_ORDER + 1];
    (h[0], e[0]) = (hazard, excess);
    for order in 1..n as usize {
        let mut choose = 1.0;
        for k in 0..order {
            h[order] -= choose * h[k] * e[order - 1 - k];
            choose *= (order - 1 - k) as f64 / (k + 1) as f64;
        }
        e[order] = if order == 1 { slope } else { h[order] };
    }
    h[n as usize - 1]
}

/// `h = φ / Φ`, `e = h + x` and `e' = 1 - h e = e (f - e)` far below zero.
fn lower_tail(x: f64) -> (f64, f64, f64) {
    let t = -x;
    let f = (2..LEVELS).rev().fold(0.0, |rest, level| f64::from(level) / (t + rest));
    let e = 1.0 / (t + f);
    (t + e, e, e * (f - e))
}

fn elsewhere(x: f64) -> (f64, f64, f64) {
    let density = ONE_OVER_SQRT_TWO_PI * (-0.5 * x * x).exp();
    let h = density / (0.5 * libm::erfc(-x * FRAC_1_SQRT_2));
    let e = h + x;
    (h, e, 1.0 - h * e)
}
