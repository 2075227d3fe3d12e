//! Lower bounds, upper bounds, and both.

use crate::ir::build::Builder;
use crate::ir::op::ValueId;

/// `x = lower + eʸ`, log-Jacobian `y`.
pub fn constrain_lower(b: &mut Builder, y: ValueId, lower: ValueId) -> (ValueId, ValueId) {
    let distance = b.exp(y);
    let x = b.add(distance, lower);
    (x, b.sum(y))
}

/// `y = ln(x - lower)`
pub fn unconstrain_lower(b: &mut Builder, x: ValueId, lower: ValueId) -> ValueId {
    let distance = b.sub(x, lower);
    b.log(distance)
}

/// `x = upper - eʸ`, log-Jacobian `y`.
pub fn constrain_upper(b: &mut Builder, y: ValueId, upper: ValueId) -> (ValueId, ValueId) {
    let distance = b.exp(y);
    let x = b.sub(upper, distance);
    (x, b.sum(y))
}

/// `y = ln(upper - x)`
pub fn unconstrain_upper(b: &mut Builder, x: ValueId, upper: ValueId) -> ValueId {
    let distance = b.sub(upper, x);
    b.log(distance)
}

/// `x = lower + (upper - lower) logit⁻¹(y)`, log-Jacobian
/// `ln(upper - lower) - ln(1 + eʸ) - ln(1 + e⁻ʸ)`.
pub fn constrain_both(
    b: &mut Builder,
    y: ValueId,
    lower: ValueId,
    upper: ValueId,
) -> (ValueId, ValueId) {
    let width = b.sub(upper, lower);
    let share = b.inv_logit(y);
    let distance = b.mul(share, width);
    let x = b.add(distance, lower);
    let minus_y = b.neg(y);
    let above = b.log1p_exp(y);
    let below = b.log1p_exp(minus_y);
    let log_width = b.log(width);
    let slopes = b.add(above, below);
    let log_slope = b.sub(log_width, slopes);
    (x, b.sum(log_slope))
}

/// `y = ln(x - lower) - ln(upper - x)`
pub fn unconstrain_both(b: &mut Builder, x: ValueId, lower: ValueId, upper: ValueId) -> ValueId {
    let from_lower = b.sub(x, lower);
    let to_upper = b.sub(upper, x);
    let log_lower = b.log(from_lower);
    let log_upper = b.log(to_upper);
    b.sub(log_lower, log_upper)
}
