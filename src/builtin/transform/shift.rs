//! Elements moved along the last axis.

use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::Size;

/// A value whose last axis has the size `n`: element `k + offset` of the result is element `k`
/// of `x`. Zeros come in, and what has no place falls out.
pub fn shifted(b: &mut Builder, x: ValueId, n: &Size, offset: Size) -> ValueId {
    let rank = b.rank(x);
    let last = rank - 1;
    let from = b.dims(x)[last].clone();
    let places = b.eye(from, n.clone(), offset);
    // The last axis of `x` is summed over, that of the places takes its position.
    let mut axes: Vec<u8> = (0..rank as u8).collect();
    axes[last] = rank as u8;
    b.contract(x, &axes, places, &[rank as u8, last as u8], rank)
}
