//! The logarithm of Student's distribution function and its partial derivatives, in the
//! degrees of freedom as well.
//!
//! With `s² = ln(1 + t²/ν)` the tail is
//! `∫_z^∞ (1 + t²/ν)^(-(ν+1)/2) dt = √ν ∫_{s(z)}^∞ e^(-ν s²/2) q(s) ds`,
//! `q(s) = s / √(1 - e^(-s²))`, whose integrand is smooth and positive for every `ν`, near the
//! normal distribution (large `ν`) as in tails like powers. Derivatives in `ν` are integrals
//! of the derivatives at fixed `t`, those in `z` follow from the density.

use super::gamma::polygamma;
use super::jet::{Jet, MAX_ORDER};
use super::lgamma;
use super::tail::integrate;

const LN_PI: f64 = 1.144_729_885_849_400_2;
const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// `ln P(T <= z)` with `df` degrees of freedom: its partial derivative of order `i` in `df`
/// and `j` in `z`.
pub fn log_student_t(i: usize, j: usize, df: f64, z: f64) -> f64 {
    let order = i + j;
    if df.is_nan() || z.is_nan() || df <= 0.0 || df.is_infinite() || order > MAX_ORDER {
        return f64::NAN;
    }
    if z.is_infinite() {
        return match (z > 0.0, order) {
            (false, 0) => z,
            _ => 0.0,
        };
    }
    let upper = log_upper_tail(order, df, z.abs());
    let sign = if z < 0.0 && j % 2 == 1 { -1.0 } else { 1.0 };
    let wanted = if z > 0.0 { upper.ln_rest() } else { upper };
    // At zero the tail that is computed is the upper one, of which P(T <= 0) is the mirror.
    let sign = if z == 0.0 && j % 2 == 1 { -1.0 } else { sign };
    sign * wanted.partial(i, j)
}

/// `ln P(T > z)` for `z >= 0`.
fn log_upper_tail(order: usize, df: f64, z: f64) -> Jet {
    let square = log1p_square_over(df, z);
    let start = square.sqrt();
    // Relative to the integrand at its start.
    let in_df = tail(order, df, start);
    // -∂/∂z, the integrand in z: (1 + z²/ν)^(-(ν+1)/2), relative to e^(-ν s²/2) √ν.
    let density = log_kernel(order, df, z, square);
    let relative = -0.5 * square - 0.5 * df.ln();
    let mut density = Jet { c: density.c, order };
    density.c[0][0] = relative;
    let density = density.exp();
    let whole = Jet::from_fn(order, |i, j| match j {
        0 => in_df[i],
        _ => -density.c[i][j - 1] / j as f64,
    });
    let constant = log_constant(order, df);
    let mut log = whole.ln().plus(&constant);
    log.c[0][0] += -0.5 * df * square;
    // The integral is over √ν at the centre; the density's constant has 1/√ν as it varies.
    for k in 1..=order {
        log.c[k][0] += 0.5 * (-1.0 / df).powi(k as i32) / k as f64;
    }
    log
}

/// `ln(1 + z²/ν)`, where the square may overflow.
fn log1p_square_over(df: f64, z: f64) -> f64 {
    let ratio = z / df * z;
    if ratio > 1e30 { 2.0 * z.ln() - df.ln() } else { ratio.ln_1p() }
}

/// The integral from `start` on, over `√ν e^(-ν start²/2)`, as a series in `ν` at fixed `t`.
fn tail(order: usize, df: f64, start: f64) -> [f64; MAX_ORDER + 1] {
    let mut sum = [0.0; MAX_ORDER + 1];
    integrate(1.0 / (df * start + df.sqrt()), |r, weight| {
        let s = start + r;
        let whole = weight * (-df * r * (start + 0.5 * r)).exp() * slope(s);
        if whole == 0.0 {
            return false;
        }
        let series = exponential(&kernel_series(order, df, s));
        for (sum, coefficient) in sum.iter_mut().zip(series).take(order + 1) {
            *sum += whole * coefficient;
        }
        true
    });
    sum
}

/// `s / √(1 - e^(-s²))`
fn slope(s: f64) -> f64 {
    if s < 1e-8 { 1.0 } else { s / (-(-s * s).exp_m1()).sqrt() }
}

/// The Taylor coefficients in `ν`, but the first, of `-(ν+1)/2 · ln(1 + t²/ν)`.
fn kernel_series(order: usize, df: f64, s: f64) -> [f64; MAX_ORDER + 1] {
    let square = s * s;
    // Of ln(ν + t²) - ln ν: (-1)ᵏ⁻¹/k · ((e^(-s²)/ν)ᵏ - (1/ν)ᵏ)
    let mut log = [square; MAX_ORDER + 1];
    let mut power = -1.0;
    for (k, coefficient) in log.iter_mut().enumerate().skip(1) {
        power /= -df;
        *coefficient = power * (-(k as f64) * square).exp_m1() / k as f64;
    }
    let mut series = [0.0; MAX_ORDER + 1];
    for k in 1..=order {
        series[k] = -0.5 * ((df + 1.0) * log[k] + log[k - 1]);
    }
    series
}

/// The Taylor coefficients of `e` to a series whose constant is zero.
fn exponential(series: &[f64; MAX_ORDER + 1]) -> [f64; MAX_ORDER + 1] {
    let mut out = [0.0; MAX_ORDER + 1];
    out[0] = 1.0;
    for n in 1..=MAX_ORDER {
        let sum: f64 = (1..=n).map(|k| k as f64 * series[k] * out[n - k]).sum();
        out[n] = sum / n as f64;
    }
    out
}

/// `-(ν+1)/2 · (ln(ν + z²) - ln ν)`, the constant left out.
fn log_kernel(order: usize, df: f64, z: f64, square: f64) -> Jet {
    // (ν + z²) over its value c, which may overflow: 1/c = e^(-s²)/ν, 2z/c.
    let inverse = (-square).exp() / df;
    let twice = if z == 0.0 { 0.0 } else { 2.0 / (z + df / z) };
    let of_sum = Jet::from_fn(order, |i, j| match (i, j) {
        (0, 0) => 1.0,
        (1, 0) | (0, 2) => inverse,
        (0, 1) => twice,
        _ => 0.0,
    })
    .ln();
    let mut power = -1.0;
    let mut log = of_sum;
    for i in 1..=order {
        power /= -df;
        // ln(ν + z²) - ln ν in ν alone, without cancellation.
        log.c[i][0] = power * (-(i as f64) * square).exp_m1() / i as f64;
    }
    log.c[0][0] = square;
    let factor = Jet::from_fn(order, |i, j| match (i, j) {
        (0, 0) => -0.5 * (df + 1.0),
        (1, 0) => -0.5,
        _ => 0.0,
    });
    factor.times(&log)
}

/// `ln Γ((ν+1)/2) - ln Γ(ν/2) - ½ ln π`: of the density's constant times `√ν`.
fn log_constant(order: usize, df: f64) -> Jet {
    let half = 0.5 * df;
    if half > 20.0 {
        return log_constant_of_many(order, half);
    }
    Jet::from_fn(order, |i, j| match (i, j) {
        (0, 0) => lgamma(half + 0.5) - lgamma(half) - 0.5 * LN_PI,
        (i, 0) => {
            let difference = polygamma(i as i32 - 1, half + 0.5) - polygamma(i as i32 - 1, half);
            let factorial = (2..=i).map(|k| k as f64).product::<f64>();
            difference * 0.5_f64.powi(i as i32) / factorial
        }
        _ => 0.0,
    })
}

/// The same from its series in `r = 2/ν`:
/// `½ ln(ν/2) + ½ ln 2 - ln √(2π) - r/8 + r³/192 - r⁵/640 + 17 r⁷/14336`.
fn log_constant_of_many(order: usize, half: f64) -> Jet {
    const SERIES: [(i32, f64); 4] =
        [(1, -1.0 / 8.0), (3, 1.0 / 192.0), (5, -1.0 / 640.0), (7, 17.0 / 14336.0)];
    let mut coefficients = [0.0; MAX_ORDER + 1];
    let r = 1.0 / half;
    coefficients[0] = 0.5 * (2.0 * half).ln() - LN_SQRT_TWO_PI;
    for (k, coefficient) in coefficients.iter_mut().enumerate().skip(1) {
        *coefficient = -0.5 * (-r).powi(k as i32) / k as f64;
    }
    for (power, factor) in SERIES {
        // (1/h)ᵖ: coefficient k is C(-p, k) h^(-p-k).
        let mut binomial = 1.0;
        for (k, coefficient) in coefficients.iter_mut().enumerate() {
            *coefficient += factor * binomial * r.powi(power + k as i32);
            binomial *= -(f64::from(power) + k as f64) / (k + 1) as f64;
        }
    }
    Jet::from_fn(order, |i, j| match (i, j) {
        (i, 0) => coefficients[i] * 0.5_f64.powi(i as i32),
        _ => 0.0,
    })
}
