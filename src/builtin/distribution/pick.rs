//! One element of a vector for each outcome.

use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};

/// The element of `vectors` at `position`, counted from zero, along the last axis; zero where
/// there is none. The dimensions of `position` are those of `vectors` without the last.
pub fn pick(b: &mut Builder, vectors: ValueId, position: ValueId) -> ValueId {
    let dims = b.dims(vectors).to_vec();
    let last = dims.len() - 1;
    let outer: Vec<u8> = (0..last as u8).collect();
    let positions = b.iota(dims[last].clone());
    let positions = b.broadcast(positions, &[last as u8], &dims);
    let wanted = b.broadcast(position, &outer, &dims);
    let is_wanted = b.binary(BinaryOp::Equal, positions, wanted);
    // Selected rather than multiplied by zero: other elements may be infinite.
    let zero = b.real(0.0);
    let alone = b.select(is_wanted, vectors, zero);
    b.sum_keeping(alone, &outer)
}

/// The number of elements along the last axis.
pub fn width(b: &mut Builder, vectors: ValueId) -> ValueId {
    let last = b.dims(vectors).last().expect("vectors have an axis").clone();
    b.size(&last)
}
