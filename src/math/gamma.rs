//! The logarithm of the gamma function and its derivatives.
//!
//! Derivatives: Abramowitz and Stegun, *Handbook of Mathematical Functions*, 6.3.5, 6.3.7 and
//! 6.3.18 for digamma, 6.4.6, 6.4.7 and 6.4.11 for the polygammas.

use std::f64::consts::PI;

use super::positive_gamma::{self, is_common};

/// `ln |Γ(x)|`; infinite at zero and the negative whole numbers
pub extern "C" fn lgamma(x: f64) -> f64 {
    if is_common(x) { positive_gamma::lgamma_of_one(x) } else { libm::lgamma(x) }
}

/// `ψ(x) = d/dx ln Γ(x)`; NaN at zero and the negative whole numbers
pub extern "C" fn digamma(x: f64) -> f64 {
    if is_common(x) {
        positive_gamma::digamma_of_one(x)
    } else if x > 0.0 {
        // ψ(x) = ψ(x + 1) - 1/x
        -1.0 / x
    } else if x.is_nan() || x == x.floor() {
        f64::NAN
    } else {
        positive_gamma::digamma_of_one(1.0 - x) - PI * cot_pi(x)
    }
}

/// `ψ₁(x)`, the second derivative of `ln Γ`; infinite at zero and the negative whole numbers
pub extern "C" fn trigamma(x: f64) -> f64 {
    if is_common(x) { positive_gamma::trigamma_of_one(x) } else { polygamma(1, x) }
}

/// `ψₙ(x)`, the n-th derivative of digamma, with a relative error of a few units in the last
/// place for positive `x` (near digamma's root the error is absolute).
///
/// At zero and the negative whole numbers odd orders are infinite and even ones NaN. The
/// order is meant to be small; above 20 the result is NaN.
pub extern "C" fn polygamma(n: i32, x: f64) -> f64 {
    if n == 0 {
        return digamma(x);
    }
    if !(1..=MAX_ORDER as i32).contains(&n) || x.is_nan() || x == f64::NEG_INFINITY {
        return f64::NAN;
    }
    if n == 1 && is_common(x) {
        return trigamma(x);
    }
    let order = n as usize;
    if x == f64::INFINITY {
        return if order % 2 == 1 { 0.0 } else { -0.0 };
    }
    if x <= 0.0 && x == x.floor() {
        return if order % 2 == 1 { f64::INFINITY } else { f64::NAN };
    }
    if x > 0.0 {
        return polygamma_above(order, x);
    }
    // Reflection: ψₙ(1 - x) + (-1)ⁿ⁺¹ ψₙ(x) = (-1)ⁿ π dⁿ/dxⁿ cot πx.
    let mirrored = polygamma_above(order, 1.0 - x);
    let slope = PI * cot_pi_derivative(order, x);
    if order % 2 == 1 { -slope - mirrored } else { mirrored - slope }
}

const MAX_ORDER: usize = 20;

/// From here on the asymptotic series are exact to the last place (for small orders).
const ASYMPTOTIC_FROM: f64 = 15.0;

/// The Bernoulli numbers `B₂, B₄, …, B₂₀`.
const BERNOULLI: [f64; 10] = [
    1.0 / 6.0,
    -1.0 / 30.0,
    1.0 / 42.0,
    -1.0 / 30.0,
    5.0 / 66.0,
    -691.0 / 2730.0,
    7.0 / 6.0,
    -3617.0 / 510.0,
    43867.0 / 798.0,
    -174611.0 / 330.0,
];

/// Polygamma of order at least one at a positive number.
fn polygamma_above(order: usize, mut x: f64) -> f64 {
    let n = order as i32;
    let factorial_below = (1..order).map(|k| k as f64).product::<f64>();
    let factorial = factorial_below * order as f64;
    // (-1)ⁿ⁺¹ ψₙ(x) = (-1)ⁿ⁺¹ ψₙ(x + 1) + n! / xⁿ⁺¹, and every term is positive.
    let mut shift = 0.0;
    let from = ASYMPTOTIC_FROM + order as f64;
    while x < from {
        shift += factorial / x.powi(n + 1);
        x += 1.0;
    }
    let inverse_square = 1.0 / (x * x);
    // Σ B₂ₖ (2k+n-1)! / ((2k)! x²ᵏ), the factorials growing from one term to the next.
    let mut ratio = factorial_below;
    let mut power = 1.0;
    let mut series = 0.0;
    for (position, bernoulli) in BERNOULLI.iter().enumerate() {
        let k2 = 2.0 * (position + 1) as f64;
        let m = order as f64;
        ratio *= (k2 + m - 1.0) * (k2 + m - 2.0) / (k2 * (k2 - 1.0));
        power *= inverse_square;
        series += bernoulli * ratio * power;
    }
    let tail = (factorial_below + 0.5 * factorial / x + series) / x.powi(n);
    let magnitude = tail + shift;
    if order % 2 == 1 { magnitude } else { -magnitude }
}

/// `cot πx`, exact in its period.
fn cot_pi(x: f64) -> f64 {
    let reduced = x - x.round();
    if reduced.abs() == 0.5 {
        return 0.0;
    }
    1.0 / libm::tan(PI * reduced)
}

/// `dⁿ/dxⁿ cot πx = πⁿ Pₙ(cot πx)` with `P₀(c) = c` and `Pₙ₊₁(c) = -(1 + c²) Pₙ'(c)`.
fn cot_pi_derivative(order: usize, x: f64) -> f64 {
    let mut coefficients = [0.0; MAX_ORDER + 2];
    coefficients[1] = 1.0;
    for _ in 0..order {
        let mut next = [0.0; MAX_ORDER + 2];
        for power in 1..coefficients.len() {
            let slope = coefficients[power] * power as f64;
            next[power - 1] -= slope;
            if power + 1 < next.len() {
                next[power + 1] -= slope;
            }
        }
        coefficients = next;
    }
    let c = cot_pi(x);
    let value = coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * c + coefficient);
    PI.powi(order as i32) * value
}
