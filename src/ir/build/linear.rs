//! Contractions of operands that are put together from simpler ones.
//!
//! A contraction is linear in each operand. Where one is a sum of parts in their places, or
//! repeats what it has, the same comes from contractions of the parts, which are smaller: the
//! curvature of `z[1] + X z[2:]` needs XᵀWX and Xᵀw, and no matrix with a column of ones.

use super::Builder;
use crate::ir::op::{BinaryOp, Op, UnaryOp, ValueId};

/// An operand of a contraction with the labels of its axes.
type Labelled<'a> = (ValueId, &'a [u8]);

/// How deep a sum of parts is looked into.
const MAX_DEPTH: usize = 6;

impl Builder {
    /// Whether a value repeats something, puts it in its place among zeros, or is a sum of such.
    fn is_composed(&self, value: ValueId, depth: usize) -> bool {
        if depth == 0 {
            return false;
        }
        let inner = |a: &ValueId| self.is_composed(*a, depth - 1);
        match self.op(value) {
            Op::Broadcast(a, axes) => axes.len() < self.rank(value) || inner(a),
            Op::ScatterAdd { base, .. } => self.constant(*base) == Some(0.0),
            Op::Unary(UnaryOp::Neg, a) => inner(a),
            Op::Binary(BinaryOp::Add | BinaryOp::Sub, a, b) => inner(a) && inner(b),
            _ => false,
        }
    }

    /// A contraction by its parts, if `b` has some.
    pub(super) fn contract_by_parts(
        &mut self,
        a: Labelled,
        b: Labelled,
        rank: usize,
    ) -> Option<ValueId> {
        if let Some(simpler) = self.contract_with_scaled(a, b, rank) {
            return Some(simpler);
        }
        if !self.is_composed(b.0, MAX_DEPTH) {
            return None;
        }
        match self.op(b.0).clone() {
            Op::Unary(UnaryOp::Neg, inner) => {
                let contracted = self.contract_parts(a, (inner, b.1), rank);
                Some(self.neg(contracted))
            }
            Op::Binary(op, x, y) => {
                let x = self.contract_parts(a, (x, b.1), rank);
                let y = self.contract_parts(a, (y, b.1), rank);
                Some(self.binary(op, x, y))
            }
            Op::Broadcast(inner, axes) => self.contract_with_repeated(a, b, (inner, &axes), rank),
            Op::ScatterAdd { indices, axis, value, .. } => {
                self.contract_with_placed(a, b, (value, indices, axis), rank)
            }
            _ => None,
        }
    }

    fn contract_parts(&mut self, a: Labelled, b: Labelled, rank: usize) -> ValueId {
        self.contract(a.0, a.1, b.0, b.1, rank)
    }

    /// A factor that is repeated along axes of `b`, and that `a` can take: what remains of `b`
    /// may have parts.
    fn contract_with_scaled(&mut self, a: Labelled, b: Labelled, rank: usize) -> Option<ValueId> {
        let Op::Binary(BinaryOp::Mul, x, y) = *self.op(b.0) else { return None };
        for (factor, rest) in [(x, y), (y, x)] {
            let Op::Broadcast(inner, axes) = self.op(factor) else { continue };
            let (inner, axes) = (*inner, axes.clone());
            let place = |axis: &u8| a.1.iter().position(|label| *label == b.1[usize::from(*axis)]);
            let places: Option<Vec<u8>> =
                axes.iter().map(|axis| place(axis).map(|place| place as u8)).collect();
            let Some(places) = places else { continue };
            if !self.is_composed(rest, MAX_DEPTH) {
                continue;
            }
            let dims = self.dims(a.0).to_vec();
            let factor = self.broadcast(inner, &places, &dims);
            let scaled = self.mul(factor, a.0);
            return self.contract_by_parts((scaled, a.1), (rest, b.1), rank);
        }
        None
    }

    /// Axes that only repeat, and that the other operand has, need not be run through.
    fn contract_with_repeated(
        &mut self,
        a: Labelled,
        b: Labelled,
        (inner, axes): (ValueId, &[u8]),
        rank: usize,
    ) -> Option<ValueId> {
        let labels: Vec<u8> = axes.iter().map(|axis| b.1[usize::from(*axis)]).collect();
        let repeated = b.1.iter().filter(|label| !labels.contains(label));
        if labels.len() == b.1.len() || !repeated.clone().all(|label| a.1.contains(label)) {
            return None;
        }
        // What is summed and in `a` alone now is summed there.
        let is_kept = |label: &u8| usize::from(*label) < rank || labels.contains(label);
        let keep: Vec<u8> =
            (0..a.1.len() as u8).filter(|axis| is_kept(&a.1[usize::from(*axis)])).collect();
        let rest: Vec<u8> = keep.iter().map(|axis| a.1[usize::from(*axis)]).collect();
        let summed = if keep.len() == a.1.len() { a.0 } else { self.sum_keeping(a.0, &keep) };
        if rest.is_empty() {
            return self.scaled_by(summed, (inner, &labels), rank);
        }
        if labels.is_empty() {
            return self.scaled_by(inner, (summed, &rest), rank);
        }
        Some(self.contract_parts((summed, &rest), (inner, &labels), rank))
    }

    /// A scalar times a value whose axes are those of the result.
    fn scaled_by(
        &mut self,
        scalar: ValueId,
        (value, labels): Labelled,
        rank: usize,
    ) -> Option<ValueId> {
        let keep: Option<Vec<u8>> = (0..rank as u8)
            .map(|label| labels.iter().position(|l| *l == label).map(|axis| axis as u8))
            .collect();
        let value = self.sum_keeping(value, &keep?);
        let dims = self.dims(value).to_vec();
        let scalar = self.broadcast(scalar, &[], &dims);
        Some(self.mul(scalar, value))
    }

    /// What is put in its places along an axis of the result can be put there afterwards.
    fn contract_with_placed(
        &mut self,
        a: Labelled,
        b: Labelled,
        (value, indices, axis): (ValueId, ValueId, u8),
        rank: usize,
    ) -> Option<ValueId> {
        let label = b.1[usize::from(axis)];
        if usize::from(label) >= rank || a.1.contains(&label) {
            return None;
        }
        let size = self.dims(b.0)[usize::from(axis)].clone();
        let contracted = self.contract_parts(a, (value, b.1), rank);
        let mut dims = self.dims(contracted).to_vec();
        dims[usize::from(label)] = size;
        let zeros = self.fill(0.0, dims);
        Some(self.scatter_add(zeros, indices, label, contracted))
    }

    /// The sum of a value scaled along the axis that is summed over is a product of a vector and
    /// a matrix.
    pub(super) fn sum_of_scaled(&mut self, a: ValueId, keep: &[u8]) -> Option<ValueId> {
        let (2, &[kept]) = (self.rank(a), keep) else { return None };
        let Op::Binary(BinaryOp::Mul, x, y) = *self.op(a) else { return None };
        let labels = if kept == 1 { [1, 0] } else { [0, 1] };
        for (factor, rest) in [(x, y), (y, x)] {
            if let Op::Broadcast(inner, axes) = self.op(factor)
                && axes[..] == [1 - kept]
            {
                let inner = *inner;
                return Some(self.contract(inner, &[1], rest, &labels, 1));
            }
        }
        None
    }
}
