//! Rows of a table by kernels: written one after another, or multiplied where they are.

use super::emit::{Emit, Emitter, Num, Place, Scope, View};
use crate::ir::op::{BinaryOp, Function, Op, ValueId};
use crate::kernel::{GATHER, TIMES_VECTOR, WEIGHTED_SUM};
use crate::ty::Size;

/// The indices of a gather of rows of a matrix, up to what is added to each: a kernel reads them.
pub(super) fn indices_of_rows(function: &Function, op: &Op, rank: usize) -> Option<ValueId> {
    match op {
        Op::Gather { indices, axis: 0, .. } if rank == 2 => Some(shifted(function, *indices).0),
        _ => None,
    }
}

/// A vector and a whole number that is added to each element, which together are these indices.
fn shifted(function: &Function, indices: ValueId) -> (ValueId, i64) {
    let Op::Binary(BinaryOp::Add, x, y) = function.values[indices].op else { return (indices, 0) };
    let constant = |value: ValueId| match function.values[value].op {
        Op::Broadcast(a, _) => match function.values[a].op {
            Op::Int(shift) => Some(shift),
            _ => None,
        },
        _ => None,
    };
    let found = [(x, y), (y, x)].into_iter().find_map(|(vector, other)| {
        let is_vector = function.values[vector].ty.rank() == 1;
        constant(other).filter(|_| is_vector).map(|shift| (vector, shift))
    });
    found.unwrap_or((indices, 0))
}

/// The same where the indices are nowhere in memory: only then is what they are made of sure to be
/// there still.
fn memory_of_indices(scope: &Scope, indices: ValueId) -> (ValueId, i64) {
    match scope.place(indices) {
        Place::Virtual(_) => shifted(scope.function, indices),
        _ => (indices, 0),
    }
}

/// A product of a matrix whose rows are gathered from a table with a vector.
#[derive(Clone, Copy, Debug)]
pub(super) struct GatheredProduct {
    pub rows: ValueId,
    pub vector: ValueId,
    /// The kernel that computes it.
    kernel: &'static str,
}

impl GatheredProduct {
    /// The product that an op with a result of this rank is, if it is one.
    pub fn of(function: &Function, op: &Op, rank: usize) -> Option<GatheredProduct> {
        let Op::Contract { a, a_axes, b, b_axes } = op else { return None };
        let is_gathered = |value: ValueId| is_gather_of_rows(function, value);
        [(*a, a_axes, *b, b_axes), (*b, b_axes, *a, a_axes)].into_iter().find_map(
            |(rows, axes, vector, along)| {
                let kernel = match (&axes[..], &along[..]) {
                    ([0, 1], [1]) => TIMES_VECTOR.0,
                    ([1, 0], [1]) => WEIGHTED_SUM.0,
                    _ => return None,
                };
                let suits = rank == 1 && is_gathered(rows);
                suits.then_some(GatheredProduct { rows, vector, kernel })
            },
        )
    }
}

/// Whether a value is rows of a table that lies in memory as it was given.
fn is_gather_of_rows(function: &Function, value: ValueId) -> bool {
    let Op::Gather { base, axis: 0, .. } = function.values[value].op else { return false };
    let base = &function.values[base];
    let is_fixed = !base.ty.dims.iter().any(Size::depends_on_rows);
    matches!(base.op, Op::Input(_)) && base.ty.rank() == 2 && is_fixed
}

/// The values that are rows of a table and only ever multiplied with vectors: they need not be
/// written anywhere.
pub(super) fn multiplied_rows(function: &Function, needed: &[bool]) -> Vec<bool> {
    let mut only_multiplied: Vec<bool> =
        function.values.ids().map(|id| is_gather_of_rows(function, id)).collect();
    for output in &function.outputs {
        only_multiplied[output.value.index()] = false;
    }
    for (_, value) in function.values.iter().filter(|(id, _)| needed[id.index()]) {
        let product = GatheredProduct::of(function, &value.op, value.ty.rank());
        for operand in value.op.operands() {
            if product.is_none_or(|product| product.rows != operand) {
                only_multiplied[operand.index()] = false;
            }
        }
    }
    only_multiplied
}

impl Emitter<'_> {
    /// Rows of a table that lie in memory as the kernel likes them; else false. `indices` are
    /// what it reads.
    pub fn emit_gathered_rows(
        &mut self,
        scope: &Scope,
        base: ValueId,
        indices: ValueId,
        (target, dims): (&View, &[Num]),
    ) -> Emit<bool> {
        let (indices, shift) = memory_of_indices(scope, indices);
        let (Place::View(table), Place::View(along)) = (scope.place(base), scope.place(indices))
        else {
            return Ok(false);
        };
        let contiguous = |view: &View| view.strides.last() == Some(&Num::Const(1));
        if dims.len() != 2 || !contiguous(table) || !contiguous(along) {
            return Ok(false);
        }
        let (values, stride, along) = (table.base, table.strides[0], along.base);
        let n_rows = self.extent(&scope.dims(base)[0])?;
        // The fields of `kernel::GatherCall`, in its order.
        let none = self.int(0);
        let mut call = vec![values, along, none, target.base];
        for number in [n_rows, stride, dims[0], dims[1], Num::Const(shift)] {
            call.push(self.int_value(number));
        }
        self.call_kernel_with(GATHER.0, call);
        Ok(true)
    }

    /// A product of gathered rows that are nowhere in memory into `target`, where what it reads
    /// suits the kernel; else false.
    pub fn emit_gathered_product(
        &mut self,
        scope: &Scope,
        id: ValueId,
        target: &View,
    ) -> Emit<bool> {
        let rank = scope.dims(id).len();
        let Some(product) = GatheredProduct::of(scope.function, scope.op(id), rank) else {
            return Ok(false);
        };
        let Op::Gather { base, indices, .. } = scope.op(product.rows) else { return Ok(false) };
        let (indices, shift) = memory_of_indices(scope, *indices);
        let places = [product.rows, *base, indices, product.vector].map(|id| scope.place(id));
        let [Place::Virtual(_), Place::View(table), Place::View(along), Place::View(vector)] =
            places
        else {
            return Ok(false);
        };
        let contiguous = |view: &View| view.strides.last() == Some(&Num::Const(1));
        if ![table, along, vector, target].into_iter().all(contiguous) {
            return Ok(false);
        }
        let (table, along, vector) = (table.clone(), along.base, vector.base);
        let n_rows = self.extent(&scope.dims(*base)[0])?;
        let dims = self.extents(scope.dims(product.rows))?;
        // The fields of `kernel::GatherCall`, in its order.
        let mut call = vec![table.base, along, vector, target.base];
        for number in [n_rows, table.strides[0], dims[0], dims[1], Num::Const(shift)] {
            call.push(self.int_value(number));
        }
        self.call_kernel_with(product.kernel, call);
        Ok(true)
    }
}
