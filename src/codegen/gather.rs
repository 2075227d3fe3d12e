//! Parts of an array at many indices: read one after the other, or added to.

use cranelift::prelude::*;

use super::element::At;
use super::emit::{Emit, Emitter, Num, Place, Scope, View};
use crate::ir::op::{Op, ValueId};
use crate::ty::Size;

/// Given positions in the gathered array and in the one that it is gathered from.
type GatherBody<'b, E> = dyn FnMut(&mut E, &[At], &[At]) + 'b;

impl Emitter<'_> {
    /// `Gather` into memory of its own.
    pub fn emit_gather(
        &mut self,
        scope: &Scope,
        base: ValueId,
        (indices, axis): (ValueId, usize),
        target: &View,
        dims: &[Num],
    ) -> Emit {
        let size = &scope.dims(base)[axis];
        if !matches!(self.extent(size)?, Num::Const(1..)) {
            self.write_zeros(target, dims);
        }
        if axis == 0 && self.emit_gathered_rows(scope, base, indices, (target, dims))? {
            return Ok(());
        }
        let mut paired = vec![false; dims.len()];
        paired[axis + 1..].iter_mut().rev().take(1).for_each(|last| *last = true);
        let contiguous = target.strides.last() == Some(&Num::Const(1));
        let pairs = contiguous && self.suits_pairs(scope, base, &paired);
        self.for_gathered(scope, (indices, axis, size), dims, pairs, &mut |e, at, from| {
            let mut value = e.element(scope, base, from);
            if at.iter().any(|at| at.pair) {
                value = e.widen(value);
            }
            let address = e.element_address(target, at);
            e.store(value, address);
        })
    }

    /// One element of a `Gather` that is nowhere in memory; of an axis without positions, zero.
    pub fn gathered_element(
        &mut self,
        scope: &Scope,
        base: ValueId,
        (indices, axis): (ValueId, usize),
        at: &[At],
    ) -> Value {
        let size = &scope.dims(base)[axis];
        let extent = self.extent(size).expect("sizes were resolved before");
        if !matches!(extent, Num::Const(1..)) {
            return self.b.ins().f64const(0.0);
        }
        let index = self.element(scope, indices, &[at[axis]]);
        let position = self.position_within(index, size).expect("sizes were resolved before");
        let mut from = at.to_vec();
        from[axis] = At::one(position);
        self.element(scope, base, &from)
    }

    /// `ScatterAdd` in the base's memory or in a copy.
    pub fn emit_scatter(&mut self, scope: &mut Scope, id: ValueId) -> Emit<Place> {
        let Op::ScatterAdd { base, indices, axis, value } = scope.op(id) else {
            unreachable!("only this scatters");
        };
        let whole = self.changeable(scope, id, *base)?;
        let axis = usize::from(*axis);
        let size = &scope.dims(*base)[axis];
        let dims = self.extents(scope.dims(*value))?;
        self.for_gathered(scope, (*indices, axis, size), &dims, false, &mut |e, at, to| {
            let added = e.element(scope, *value, at);
            let address = e.element_address(&whole, to);
            let before = e.load_f64(address);
            let sum = e.b.ins().fadd(before, added);
            e.store(sum, address);
        })?;
        Ok(Place::View(whole))
    }

    /// Every element of a gathered array with the one that it comes from, in order. Indices
    /// are kept within the axis, of this size: the proof that they are was made elsewhere,
    /// from data this code never sees. Of an axis without positions nothing is read.
    fn for_gathered(
        &mut self,
        scope: &Scope,
        (indices, axis, size): (ValueId, usize, &Size),
        dims: &[Num],
        pairs: bool,
        body: &mut GatherBody<Self>,
    ) -> Emit {
        let n = self.extent(size)?;
        let count = self.none_without(n, dims[axis]);
        let mut outcome = Ok(());
        self.nest(&dims[..axis], false, &mut |e, before| {
            e.for_each(count, &mut |e, j| {
                let index = e.element(scope, indices, &[At::one(j)]);
                let position = match e.position_within(index, size) {
                    Ok(position) => position,
                    Err(error) => {
                        outcome = Err(error);
                        return;
                    }
                };
                e.nest(&dims[axis + 1..], pairs, &mut |e, after| {
                    let with = |along: Value| [before, &[At::one(along)], after].concat();
                    body(e, &with(j), &with(position));
                });
            });
        });
        outcome
    }

    /// `count`, or zero where `n` is zero.
    fn none_without(&mut self, n: Num, count: Num) -> Num {
        match n {
            Num::Const(1..) => count,
            Num::Const(_) => Num::Const(0),
            Num::Dyn(n) => {
                let zero = self.int(0);
                let count = self.int_value(count);
                let some = self.b.ins().icmp(IntCC::SignedGreaterThan, n, zero);
                Num::Dyn(self.b.ins().select(some, count, zero))
            }
        }
    }
}
