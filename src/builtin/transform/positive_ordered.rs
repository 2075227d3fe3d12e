//! Vectors of positive numbers that increase.
//!
//! `x₁ = exp y₁` and `xₖ = xₖ₋₁ + exp yₖ`, with log-Jacobian `Σ yₖ`.

use super::ordered::steps;
use crate::ir::build::Builder;
use crate::ir::op::ValueId;

/// The ordered vectors along the last axis, and the log-Jacobian.
pub fn constrain(b: &mut Builder, y: ValueId) -> (ValueId, ValueId) {
    let terms = b.exp(y);
    let last = b.rank(y) as u8 - 1;
    let x = b.cumulative_sum(terms, last, false, false);
    (x, b.sum(y))
}

/// `y₁ = ln x₁`, `yₖ = ln(xₖ - xₖ₋₁)`
pub fn unconstrain(b: &mut Builder, x: ValueId) -> ValueId {
    let steps = steps(b, x);
    b.log(steps)
}
