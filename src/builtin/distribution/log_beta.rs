//! The logarithm of the beta function, without the cancellation of large gamma functions.

use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};

/// From this argument on, Stirling's series is exact to the last place.
const MANY: f64 = 20.0;

/// `ln Γ(a) + ln Γ(c) - ln Γ(a + c)` for positive arguments.
///
/// Where the larger argument, `b`, exceeds [`MANY`], its gamma function and that of the sum
/// are taken together (Didonato and Morris 1992, `ALGDIV`), with `s` the smaller argument:
/// `ln Γ(b) - ln Γ(s + b) = Δ(b) - Δ(s + b) - (s + b - 1/2) ln(1 + s/b) - s (ln b - 1)`.
pub fn log_beta(b: &mut Builder, a: ValueId, c: ValueId) -> ValueId {
    // Selected rather than by minimum and maximum, whose slopes both go to one side at ties.
    let is_less = b.binary(BinaryOp::Less, a, c);
    let small = b.select(is_less, a, c);
    let large = b.select(is_less, c, a);
    // Values rather than arguments are chosen from: one number that many rows share is one still.
    let (gamma_a, gamma_c) = (b.lgamma(a), b.lgamma(c));
    let gamma_small = b.select(is_less, gamma_a, gamma_c);
    let gamma_large = b.select(is_less, gamma_c, gamma_a);
    let ratio = log_gamma_ratio(b, small, large, gamma_large);
    b.add(gamma_small, ratio)
}

/// `ln Γ(large) - ln Γ(small + large)`, given the first.
fn log_gamma_ratio(
    b: &mut Builder,
    small: ValueId,
    large: ValueId,
    gamma_large: ValueId,
) -> ValueId {
    let sum = b.add(small, large);
    let gamma_sum = b.lgamma(sum);
    let of_few = b.sub(gamma_large, gamma_sum);
    let bound = b.real(MANY);
    let is_many = b.binary(BinaryOp::Less, bound, large);
    // The series are not to overflow where they do not count.
    let large = b.binary(BinaryOp::Max, large, bound);
    let sum = b.add(small, large);
    let correction_large = stirling_correction(b, large);
    let correction_sum = stirling_correction(b, sum);
    let corrections = b.sub(correction_large, correction_sum);
    let quotient = b.div(small, large);
    let log = b.log1p(quotient);
    let exponent = b.offset(sum, -0.5);
    let of_sum = b.mul(exponent, log);
    let log_large = b.log(large);
    let less_one = b.offset(log_large, -1.0);
    let of_small = b.mul(small, less_one);
    let powers = b.add(of_sum, of_small);
    let of_many = b.sub(corrections, powers);
    b.select(is_many, of_many, of_few)
}

/// `Δ(x) = 1/(12x) - 1/(360x³) + 1/(1260x⁵) - 1/(1680x⁷)`, what Stirling's formula lacks of
/// `ln Γ(x)` (Abramowitz and Stegun 6.1.41).
fn stirling_correction(b: &mut Builder, x: ValueId) -> ValueId {
    let r = b.recip(x);
    let square = b.square(r);
    let mut series = b.real(-1.0 / 1680.0);
    for coefficient in [1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0] {
        let higher = b.mul(series, square);
        series = b.offset(higher, coefficient);
    }
    b.mul(series, r)
}
