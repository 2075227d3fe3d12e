//! One element of a vector for each outcome.

use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, InputKind, Loop, UnaryOp, ValueId, ValueType};

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

/// The largest element along the last axis, rounded up: an origin from which exponentials do
/// not overflow. Its slope is zero, as sums of exponentials want it.
pub fn ceiling_of_largest(b: &mut Builder, vectors: ValueId) -> ValueId {
    let dims = b.dims(vectors).to_vec();
    let (length, outer) = dims.split_last().expect("vectors have an axis");
    let mut body = Builder::new("largest");
    let position = body.input(InputKind::LoopIndex, "position", ValueType::int());
    let so_far = body.input(InputKind::Carried(0), "so_far", ValueType::reals(outer.to_vec()));
    let all = body.input(InputKind::Captured(0), "all", ValueType::reals(dims.clone()));
    let mut at = vec![None; outer.len()];
    at.push(Some(position));
    let element = body.index(all, at);
    let larger = body.binary(BinaryOp::Max, so_far, element);
    body.output("larger", larger);
    let count = b.size(length);
    let lowest = b.fill(f64::NEG_INFINITY, outer.to_vec());
    let parts = Loop {
        count,
        max_count: length.clone(),
        reverse: false,
        body: body.finish(),
        carried: vec![lowest],
        captured: vec![vectors],
    };
    let of_loop = b.push_loop(parts);
    let largest = b.result(of_loop, 0);
    b.unary(UnaryOp::Ceil, largest)
}
