//! Vectors whose elements increase.
//!
//! `x₁ = y₁` and `xₖ = xₖ₋₁ + exp yₖ`, with log-Jacobian `Σ_{k≥2} yₖ`.

use super::shift::shifted;
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::ty::Size;

/// The ordered vectors along the last axis, and the log-Jacobian.
pub fn constrain(b: &mut Builder, y: ValueId) -> (ValueId, ValueId) {
    let is_first = is_first(b, y);
    let zero = b.real(0.0);
    // The first element, which may be large, has no exponential.
    let log_steps = b.select(is_first, zero, y);
    let steps = b.exp(log_steps);
    let terms = b.select(is_first, y, steps);
    let last = b.rank(y) as u8 - 1;
    let x = b.cumulative_sum(terms, last, false, false);
    (x, b.sum(log_steps))
}

/// `y₁ = x₁`, `yₖ = ln(xₖ - xₖ₋₁)`
pub fn unconstrain(b: &mut Builder, x: ValueId) -> ValueId {
    let is_first = is_first(b, x);
    let steps = steps(b, x);
    let one = b.real(1.0);
    let steps = b.select(is_first, one, steps);
    let logs = b.log(steps);
    b.select(is_first, x, logs)
}

/// The distance of each element from the one before, of the first from zero.
pub fn steps(b: &mut Builder, x: ValueId) -> ValueId {
    let n = b.dims(x)[b.rank(x) - 1].clone();
    let before = shifted(b, x, &n, Size::constant(1));
    b.sub(x, before)
}

/// 1 at the first position along the last axis, else 0.
fn is_first(b: &mut Builder, like: ValueId) -> ValueId {
    let dims = b.dims(like).to_vec();
    let last = dims.len() - 1;
    let positions = b.iota(dims[last].clone());
    let zero = b.int(0);
    let is_first = b.binary(BinaryOp::Equal, positions, zero);
    b.broadcast(is_first, &[last as u8], &dims)
}
