//! Where densities are zero, and what they are at the ends of their supports.
//!
//! A density is written for outcomes inside its support. Outside, [`guarded`] puts another
//! outcome in place of the given one before anything is computed, and [`inside`] puts minus
//! infinity in place of the result: then no slope of the untaken side is infinite, and the
//! gradient there is zero rather than `0 · ∞`.

use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};

/// `-inf` where `inside` is zero, else the density.
pub fn inside(b: &mut Builder, inside: ValueId, density: ValueId) -> ValueId {
    let outside = b.real(f64::NEG_INFINITY);
    b.select(inside, density, outside)
}

/// `x` where `inside` is not zero, else `harmless`, a number inside the support.
pub fn guarded(b: &mut Builder, inside: ValueId, x: ValueId, harmless: f64) -> ValueId {
    let harmless = b.real(harmless);
    b.select(inside, x, harmless)
}

/// Whether `x >= bound`.
pub fn at_least(b: &mut Builder, x: ValueId, bound: f64) -> ValueId {
    let bound = b.real(bound);
    b.binary(BinaryOp::LessEqual, bound, x)
}

/// Whether `x > bound`.
pub fn above(b: &mut Builder, x: ValueId, bound: f64) -> ValueId {
    let bound = b.real(bound);
    b.binary(BinaryOp::Less, bound, x)
}

/// Whether `xᵖ` with `p = exponent` is not zero: `x > 0`, or `x = 0` and `p <= 0`.
pub fn has_power(b: &mut Builder, x: ValueId, exponent: ValueId) -> ValueId {
    let zero = b.real(0.0);
    let is_above = b.binary(BinaryOp::Less, zero, x);
    let at_zero = b.binary(BinaryOp::Equal, x, zero);
    let has_limit = b.binary(BinaryOp::LessEqual, exponent, zero);
    let at_end = b.mul(at_zero, has_limit);
    b.add(is_above, at_end)
}

/// `exponent · ln x`, zero where both factors are: the limit, as `0⁰ = 1`. `log` is the
/// logarithm in the argument it is given, which is `x` but where that would be `ln 0 · 0`.
pub fn log_power(
    b: &mut Builder,
    exponent: ValueId,
    x: ValueId,
    log: impl Fn(&mut Builder, ValueId) -> ValueId,
    at: f64,
) -> ValueId {
    let end = b.real(at);
    let zero = b.real(0.0);
    let at_end = b.binary(BinaryOp::Equal, x, end);
    let is_zero = b.binary(BinaryOp::Equal, exponent, zero);
    let corner = b.mul(at_end, is_zero);
    let other = b.real(0.5);
    let x = b.select(corner, other, x);
    let log = log(b, x);
    b.mul(exponent, log)
}

/// `(x - loc) / scale`
pub fn standardised(b: &mut Builder, x: ValueId, loc: ValueId, scale: ValueId) -> ValueId {
    let centred = b.sub(x, loc);
    b.div(centred, scale)
}

/// `ln(x / y)` of positive numbers, accurate where they are nearly equal and without overflow
/// of the quotient.
pub fn log_ratio(b: &mut Builder, x: ValueId, y: ValueId) -> ValueId {
    let twice_y = b.scale(y, 2.0);
    let half_y = b.scale(y, 0.5);
    let below_twice = b.binary(BinaryOp::Less, x, twice_y);
    let above_half = b.binary(BinaryOp::Less, half_y, x);
    let is_near = b.mul(below_twice, above_half);
    let near = b.select(is_near, x, y);
    let difference = b.sub(near, y);
    let excess = b.div(difference, y);
    let of_near = b.log1p(excess);
    let log_x = b.log(x);
    let log_y = b.log(y);
    let of_far = b.sub(log_x, log_y);
    b.select(is_near, of_near, of_far)
}

/// `ln(1 + z²/n)`, where the square may overflow.
pub fn log1p_square_over(b: &mut Builder, z: ValueId, n: ValueId) -> ValueId {
    let size = b.unary(UnaryOp::Abs, z);
    let is_far = above(b, size, 1e150);
    let (zero, one) = (b.real(0.0), b.real(1.0));
    let near = b.select(is_far, zero, z);
    let far = b.select(is_far, size, one);
    let square = b.square(near);
    let ratio = b.div(square, n);
    let of_near = b.log1p(ratio);
    let log_far = b.log(far);
    let twice = b.scale(log_far, 2.0);
    let log_n = b.log(n);
    let of_far = b.sub(twice, log_n);
    b.select(is_far, of_far, of_near)
}
