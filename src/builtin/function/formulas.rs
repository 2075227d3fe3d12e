//! Formulas that functions are made of, each written so that it loses little to cancellation
//! and has no slope that is not a number where its value is one.

use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};

/// Exponents above this are cut: `eˣ` is not to overflow where a factor makes up for it.
const MAX_EXPONENT: f64 = 700.0;

/// `ln(1 - x)`
pub fn log1m(b: &mut Builder, x: ValueId) -> ValueId {
    let minus = b.neg(x);
    b.log1p(minus)
}

/// `ln(x / (1 - x))`
pub fn logit(b: &mut Builder, x: ValueId) -> ValueId {
    let log = b.log(x);
    let log_rest = log1m(b, x);
    b.sub(log, log_rest)
}

/// `-ln(1 + e⁻ˣ)`
pub fn log_inv_logit(b: &mut Builder, x: ValueId) -> ValueId {
    let minus = b.neg(x);
    let log = b.log1p_exp(minus);
    b.neg(log)
}

/// `-ln(1 + eˣ)`
pub fn log1m_inv_logit(b: &mut Builder, x: ValueId) -> ValueId {
    let log = b.log1p_exp(x);
    b.neg(log)
}

/// `sin x / cos x`
pub fn tan(b: &mut Builder, x: ValueId) -> ValueId {
    let sin = b.unary(UnaryOp::Sin, x);
    let cos = b.unary(UnaryOp::Cos, x);
    b.div(sin, cos)
}

/// `logit⁻¹(0.07056 x³ + 1.5976 x)`, Stan's approximation of the normal distribution function.
pub fn phi_approx(b: &mut Builder, x: ValueId) -> ValueId {
    let square = b.square(x);
    let quadratic = b.scale(square, 0.07056);
    let factor = b.offset(quadratic, 1.5976);
    let logit = b.mul(factor, x);
    b.inv_logit(logit)
}

/// 1 from zero on, else 0.
pub fn step(b: &mut Builder, x: ValueId) -> ValueId {
    let zero = b.real(0.0);
    b.binary(BinaryOp::LessEqual, zero, x)
}

/// 1 above zero, else 0.
pub fn int_step(b: &mut Builder, x: ValueId) -> ValueId {
    let zero = b.real(0.0);
    b.binary(BinaryOp::Less, zero, x)
}

/// `ln(eᵃ + eᶜ)`, elementwise.
pub fn log_add_exp(b: &mut Builder, a: ValueId, c: ValueId) -> ValueId {
    // Selected rather than by maximum, whose slopes both go to one side at ties.
    let is_less = b.binary(BinaryOp::Less, a, c);
    let high = b.select(is_less, c, a);
    let low = b.select(is_less, a, c);
    let difference = b.sub(low, high);
    // Of two equal infinities the difference is no number.
    let is_finite = is_finite(b, high);
    let zero = b.real(0.0);
    let difference = b.select(is_finite, difference, zero);
    let log = b.log1p_exp(difference);
    b.add(high, log)
}

/// `ln(eᵃ - eᶜ)` for `a ≥ c`, elementwise.
pub fn log_diff_exp(b: &mut Builder, a: ValueId, c: ValueId) -> ValueId {
    let difference = b.sub(c, a);
    let log = b.unary(UnaryOp::Log1mExp, difference);
    b.add(a, log)
}

/// `ln Σ eˣ` over the axes not in `keep`: minus infinity where all elements are.
pub fn log_sum_exp(b: &mut Builder, x: ValueId, keep: &[u8]) -> ValueId {
    let dims = b.dims(x).to_vec();
    let largest = b.largest_keeping(x, keep);
    let (is_finite, shift) = finite_or_zero(b, largest);
    let shifts = b.broadcast(shift, keep, &dims);
    let shifted = b.sub(x, shifts);
    let terms = b.exp(shifted);
    let sum = b.sum_keeping(terms, keep);
    add_log_to_shift(b, is_finite, largest, sum)
}

/// `eˣ / Σ eˣ` over the last axis.
pub fn softmax(b: &mut Builder, x: ValueId) -> ValueId {
    let dims = b.dims(x).to_vec();
    let keep: Vec<u8> = (0..dims.len() as u8 - 1).collect();
    let largest = b.largest_keeping(x, &keep);
    let shifts = b.broadcast(largest, &keep, &dims);
    let shifted = b.sub(x, shifts);
    let terms = b.exp(shifted);
    let sum = b.sum_keeping(terms, &keep);
    let sums = b.broadcast(sum, &keep, &dims);
    b.div(terms, sums)
}

/// `x - ln Σ eˣ` over the last axis.
pub fn log_softmax(b: &mut Builder, x: ValueId) -> ValueId {
    let dims = b.dims(x).to_vec();
    let keep: Vec<u8> = (0..dims.len() as u8 - 1).collect();
    let largest = b.largest_keeping(x, &keep);
    let shifts = b.broadcast(largest, &keep, &dims);
    let shifted = b.sub(x, shifts);
    let terms = b.exp(shifted);
    let sum = b.sum_keeping(terms, &keep);
    let log = b.log(sum);
    let logs = b.broadcast(log, &keep, &dims);
    b.sub(shifted, logs)
}

/// `ln Σ wᵢ e^{xᵢ}` over the first axis. The slope in `w` is `e^{xᵢ} / Σ`, where `w` is zero
/// too.
pub fn log_mix(b: &mut Builder, weights: ValueId, x: ValueId) -> ValueId {
    let dims = b.dims(x).to_vec();
    let keep: Vec<u8> = (1..dims.len() as u8).collect();
    let log_weights = b.log(weights);
    let log_terms = b.add(log_weights, x);
    let largest = b.largest_keeping(log_terms, &keep);
    let (is_finite, shift) = finite_or_zero(b, largest);
    let shifts = b.broadcast(shift, &keep, &dims);
    let shifted = b.sub(x, shifts);
    let bound = b.real(MAX_EXPONENT);
    let shifted = b.binary(BinaryOp::Min, shifted, bound);
    let exponentials = b.exp(shifted);
    let terms = b.mul(weights, exponentials);
    let sum = b.sum_keeping(terms, &keep);
    add_log_to_shift(b, is_finite, largest, sum)
}

/// The largest element; where several are, its slope is shared among them.
pub fn maximum(b: &mut Builder, x: ValueId) -> ValueId {
    let largest = b.largest_keeping(x, &[]);
    if b.ty(x).element == crate::ty::Element::Int {
        return largest;
    }
    // What the largest elements exceed the largest by: zero, but with a slope.
    let excess = b.sub(x, largest);
    let zero = b.real(0.0);
    let is_largest = b.binary(BinaryOp::Equal, excess, zero);
    let excess = b.select(is_largest, excess, zero);
    let total = b.sum(excess);
    let count = b.sum(is_largest);
    let one = b.int(1);
    let count = b.binary(BinaryOp::Max, count, one);
    let shared = b.div(total, count);
    b.add(largest, shared)
}

/// The smallest element.
pub fn minimum(b: &mut Builder, x: ValueId) -> ValueId {
    let minus = b.neg(x);
    let largest = maximum(b, minus);
    b.neg(largest)
}

/// `√x`, with the slope zero at zero.
pub fn root(b: &mut Builder, x: ValueId) -> ValueId {
    let (zero, one) = (b.real(0.0), b.real(1.0));
    let is_zero = b.binary(BinaryOp::Equal, x, zero);
    let safe = b.select(is_zero, one, x);
    let root = b.sqrt(safe);
    b.select(is_zero, zero, root)
}

/// 1 where a number is neither infinite nor NaN, else 0.
fn is_finite(b: &mut Builder, x: ValueId) -> ValueId {
    let zero_or_nan = b.sub(x, x);
    let zero = b.real(0.0);
    b.binary(BinaryOp::Equal, zero_or_nan, zero)
}

fn finite_or_zero(b: &mut Builder, x: ValueId) -> (ValueId, ValueId) {
    let is_finite = is_finite(b, x);
    let zero = b.real(0.0);
    let shift = b.select(is_finite, x, zero);
    (is_finite, shift)
}

/// `shift + ln sum`, or the shift where that is infinite.
fn add_log_to_shift(b: &mut Builder, is_finite: ValueId, shift: ValueId, sum: ValueId) -> ValueId {
    let (zero, one) = (b.real(0.0), b.real(1.0));
    let safe = b.select(is_finite, sum, one);
    let log = b.log(safe);
    let log = b.select(is_finite, log, zero);
    b.add(shift, log)
}
