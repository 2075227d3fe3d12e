//! Logarithms of the regularised incomplete gamma functions and their partial derivatives.
//!
//! With `t = x e^∓ʳ` in the integral of `tᵃ⁻¹ e⁻ᵗ`, below and above `x`:
//! `P(a, x) = xᵃ e⁻ˣ / Γ(a) · ∫₀^∞ exp(-a r + x (1 - e⁻ʳ)) dr` and
//! `Q(a, x) = xᵃ e⁻ˣ / Γ(a) · ∫₀^∞ exp(a r - x (eʳ - 1)) dr`.
//! Both integrands are positive and decay from the start where `x < a` and where `x >= a`; of
//! the two functions the smaller is computed so, and the other is what remains of one. The
//! derivatives of the integral are its moments.

use super::gamma::polygamma;
use super::jet::{Jet, MAX_ORDER};
use super::tail::integrate;

/// `ln P(a, x)` (or `ln Q(a, x)` where `upper`) for `a > 0` and `x >= 0`: its partial
/// derivative of order `i` in `a` and `j` in `x`.
pub fn log_incomplete_gamma(upper: bool, i: usize, j: usize, a: f64, x: f64) -> f64 {
    let order = i + j;
    if a.is_nan() || x.is_nan() || a <= 0.0 || x < 0.0 || a.is_infinite() || order > MAX_ORDER {
        return f64::NAN;
    }
    if x == 0.0 || x == f64::INFINITY {
        let is_certain = upper == (x == 0.0);
        return match (is_certain, order) {
            (true, _) => 0.0,
            (false, 0) => f64::NEG_INFINITY,
            (false, _) => f64::NAN,
        };
    }
    let is_lower = x < a.max(1.0);
    let integral = match is_lower {
        true if a < 1.0 => series(order, a, x),
        true => lower(order, a, x),
        false => above(order, a, x),
    };
    let smaller = log_prefix(order, a, x).plus(&integral.ln());
    let wanted = if is_lower == upper { smaller.ln_rest() } else { smaller };
    wanted.partial(i, j)
}

/// `∫₀^∞ exp(-a r + x (1 - e⁻ʳ)) dr`
fn lower(order: usize, a: f64, x: f64) -> Jet {
    let mut sum = Jet::from_fn(order, |_, _| 0.0);
    integrate(1.0 / ((a - x).max(0.0) + x.min(a).sqrt()), |r, weight| {
        let exponent = -(a - x) * r - x * exp_less(-r);
        add_moments(&mut sum, [-r, -(-r).exp_m1()], weight, exponent)
    });
    sum
}

/// The lower integral for `x < 1`, where it may decay slowly: `eˣ Σ (-x)ⁿ / (n! (a + n))`.
fn series(order: usize, a: f64, x: f64) -> Jet {
    const TERMS: usize = 30;
    // The Taylor coefficients (-1)ʲ (-x)ᵐ / (m! j!) of (-x)ᵐ⁺ʲ / (m + j)!.
    let mut of_x = [1.0; TERMS];
    for m in 1..TERMS {
        of_x[m] = -of_x[m - 1] * x / m as f64;
    }
    let sum = Jet::from_fn(order, |i, j| {
        let sign = if (i + j) % 2 == 0 { 1.0 } else { -1.0 };
        let factorial = (1..=j).map(|k| k as f64).product::<f64>();
        let term = |m: usize| of_x[m] / (a + (m + j) as f64).powi(i as i32 + 1);
        sign / factorial * (0..TERMS).rev().map(term).sum::<f64>()
    });
    let in_x = Jet::from_fn(order, |i, j| match (i, j) {
        (0, 0) => x,
        (0, 1) => 1.0,
        _ => 0.0,
    });
    sum.times(&in_x.exp())
}

/// `∫₀^∞ exp(a r - x (eʳ - 1)) dr`
fn above(order: usize, a: f64, x: f64) -> Jet {
    let mut sum = Jet::from_fn(order, |_, _| 0.0);
    integrate(1.0 / ((x - a).max(0.0) + x.sqrt()), |r, weight| {
        let exponent = (a - x) * r - x * exp_less(r);
        add_moments(&mut sum, [r, -r.exp_m1()], weight, exponent)
    });
    sum
}

/// `eʳ - 1 - r`, without cancellation near zero
fn exp_less(r: f64) -> f64 {
    if r.abs() > 0.25 {
        return r.exp_m1() - r;
    }
    // r²/2 + r³/6 + …
    let series = (3..18).rev().fold(1.0, |sum, k| 1.0 + r / f64::from(k) * sum);
    0.5 * r * r * series
}

/// Adds `weight · exp(a u + x v)`, a series in `a` and `x`, given the exponent, whose two parts
/// nearly cancel; says whether it counted.
fn add_moments(sum: &mut Jet, [u, v]: [f64; 2], weight: f64, exponent: f64) -> bool {
    let whole = weight * exponent.exp();
    if whole == 0.0 {
        return false;
    }
    let mut row = whole;
    for i in 0..=sum.order {
        let mut term = row;
        for j in 0..=sum.order - i {
            sum.c[i][j] += term;
            term *= v / (j + 1) as f64;
        }
        row *= u / (i + 1) as f64;
    }
    true
}

/// `a ln x - x - ln Γ(a)`
fn log_prefix(order: usize, a: f64, x: f64) -> Jet {
    Jet::from_fn(order, |i, j| match (i, j) {
        (0, 0) => log_prefix_value(a, x),
        (1, 0) => x.ln() - polygamma(0, a),
        (0, 1) => a / x - 1.0,
        (0, j) => a * log_coefficient(j, x),
        (1, j) => log_coefficient(j, x),
        (i, 0) => -polygamma(i as i32 - 1, a) / (2..=i).map(|k| k as f64).product::<f64>(),
        _ => 0.0,
    })
}

/// Of `ln x`: `-(-1/x)ʲ / j`
fn log_coefficient(j: usize, x: f64) -> f64 {
    -(-1.0 / x).powi(j as i32) / j as f64
}

/// Stirling's formula takes the large terms out: `a (ln(x/a) + 1 - x/a) + ½ ln(a / 2π) - Δ(a)`.
fn log_prefix_value(a: f64, x: f64) -> f64 {
    if a < 20.0 {
        return a * x.ln() - x - super::lgamma(a);
    }
    let excess = (x - a) / a;
    let r = 1.0 / a;
    let s = r * r;
    let correction = r * (1.0 / 12.0 - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s / 1680.0)));
    a * log_less(x / a, excess) + 0.5 * (a / std::f64::consts::TAU).ln() - correction
}

/// `ln(1 + y) - y` given `1 + y` as well, without cancellation at either end
fn log_less(ratio: f64, y: f64) -> f64 {
    if y.abs() > 0.25 {
        return ratio.ln() - y;
    }
    // -y²/2 + y³/3 - …
    let series = (2..30).rev().fold(0.0, |sum, k| 1.0 / f64::from(k) - y * sum);
    -y * y * series
}
