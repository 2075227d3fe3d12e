//! The logarithm of the beta function, without the cancellation of large gamma functions.

use super::lgamma;

/// From here on Stirling's series is exact to the last place.
const STIRLING_FROM: f64 = 10.0;

/// Below this the gamma function overflows.
const TINY: f64 = 1e-300;

const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

/// `ln B(x, y) = ln Γ(x) + ln Γ(y) - ln Γ(x + y)` for arguments that are not negative; infinite
/// at zero, NaN below
///
/// Where an argument is large, its gamma function and that of the sum are taken together by
/// Stirling's formula and its corrections (Didonato and Morris 1992, `BCORR` and `ALGDIV`).
pub extern "C" fn log_beta(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() || x < 0.0 || y < 0.0 {
        return f64::NAN;
    }
    let (small, large) = if x < y { (x, y) } else { (y, x) };
    if small == 0.0 {
        return if large == f64::INFINITY { f64::NAN } else { f64::INFINITY };
    }
    if large == f64::INFINITY {
        return f64::NEG_INFINITY;
    }
    let sum = small + large;
    let share = small / sum;
    if small >= STIRLING_FROM {
        let correction = correction(small) + correction(large) - correction(sum);
        let powers = (small - 0.5) * share.ln() + large * (-share).ln_1p();
        return LN_SQRT_2PI - 0.5 * large.ln() + correction + powers;
    }
    if large >= STIRLING_FROM {
        let correction = correction(large) - correction(sum);
        let powers = small - small * sum.ln() + (large - 0.5) * (-share).ln_1p();
        return lgamma(small) + correction + powers;
    }
    if small < TINY {
        return lgamma(small) + (lgamma(large) - lgamma(sum));
    }
    (libm::tgamma(small) * (libm::tgamma(large) / libm::tgamma(sum))).ln()
}

/// What Stirling's formula lacks of `ln Γ(x)`: `Σ B₂ₖ / (2k (2k - 1) x²ᵏ⁻¹)`
/// (Abramowitz and Stegun 6.1.41).
fn correction(x: f64) -> f64 {
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    inverse * COEFFICIENTS.iter().rev().fold(0.0, |sum, c| sum * square + c)
}

const COEFFICIENTS: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3617.0 / 122_400.0,
];
