//! Memory of arrays: regions of scratch, views of whole arrays and of their parts.

use cranelift::prelude::*;

use super::CodegenError;
use super::emit::{Emit, Emitter, Home, Num, Place, Scope, View};
use crate::ir::op::{Op, ValueId};
use crate::ty::Size;

impl Emitter<'_> {
    /// The part of an array at fixed positions.
    pub fn part(&mut self, view: &View, fixed: &[Option<Value>]) -> View {
        let mut base = view.base;
        let mut strides = Vec::new();
        for (stride, position) in view.strides.iter().zip(fixed) {
            match position {
                None => strides.push(*stride),
                Some(position) => {
                    let offset = self.mul(Num::Dyn(*position), *stride);
                    base = self.address(base, offset);
                }
            }
        }
        View { base, strides, home: None }
    }

    /// Positions of an index along its fixed axes, kept within the axes: the proof that they
    /// are was made elsewhere, from data this code never sees.
    pub fn fixed_positions(
        &mut self,
        scope: &Scope,
        id: ValueId,
        at: &[Option<ValueId>],
    ) -> Emit<Vec<Option<Value>>> {
        let (Op::Index(indexed, _)
        | Op::Set { base: indexed, .. }
        | Op::AddAt { base: indexed, .. }) = scope.op(id)
        else {
            unreachable!("only these have positions");
        };
        self.note_part(scope.dims(*indexed), at)?;
        let mut fixed = Vec::new();
        for (size, position) in scope.dims(*indexed).iter().zip(at) {
            fixed.push(match position {
                None => None,
                Some(position) => Some(self.position_within(scope.scalar(*position), size)?),
            });
        }
        Ok(fixed)
    }

    /// Keeps room for a part of an array that is empty along an indexed axis: no position is
    /// in range then, and what is read or written instead lies in scratch memory.
    fn note_part(&mut self, dims: &[Size], at: &[Option<ValueId>]) -> Emit {
        let mut may_be_empty = false;
        for (size, _) in dims.iter().zip(at).filter(|(_, at)| at.is_some()) {
            may_be_empty |= self.sizes.resolve(size)?.as_constant().is_none_or(|n| n < 1);
        }
        if may_be_empty {
            let kept = dims.iter().zip(at).filter(|(_, at)| at.is_none());
            let length = self.length_bound(kept.map(|(size, _)| size))?;
            self.slack = self.slack.max(length);
        }
        Ok(())
    }

    /// A position along an axis, kept within it.
    pub fn position_within(&mut self, position: Value, size: &Size) -> Emit<Value> {
        let position = self.b.ins().fcvt_to_sint_sat(types::I64, position);
        let last = match self.extent(size)? {
            Num::Const(n) => self.int((n - 1).max(0)),
            Num::Dyn(n) => {
                let (one, zero) = (self.int(1), self.int(0));
                let last = self.b.ins().isub(n, one);
                self.b.ins().smax(last, zero)
            }
        };
        // Below zero is far above the last when unsigned.
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, position, last);
        Ok(self.b.ins().select(inside, position, last))
    }

    /// The view of an array that is in memory.
    pub fn view(&self, scope: &Scope, id: ValueId) -> View {
        match scope.place(id) {
            Place::View(view) => view.clone(),
            other => unreachable!("an array in memory, not {other:?}"),
        }
    }

    /// Memory for a value's array: where the output wants it, or a region of scratch.
    pub fn memory_for(&mut self, scope: &mut Scope, id: ValueId) -> Emit<View> {
        let dims = self.extents(scope.dims(id))?;
        if let Some(pointer) = scope.destinations.get(&id) {
            return Ok(self.contiguous(*pointer, &dims, None));
        }
        let sizes: Vec<&Size> = scope.dims(id).iter().collect();
        self.scratch_for(scope, id, &sizes, &dims)
    }

    /// A region of scratch that lives as long as `owner`.
    pub fn scratch_for(
        &mut self,
        scope: &mut Scope,
        owner: ValueId,
        sizes: &[&Size],
        dims: &[Num],
    ) -> Emit<View> {
        let length = self.length_bound(sizes.iter().copied())?;
        let offset = self.regions.take(length)?;
        scope.regions.push((owner, offset));
        let bytes = i64::try_from(8 * offset).map_err(|_| CodegenError::TooLarge)?;
        let bytes = self.int(bytes);
        let base = self.b.ins().iadd(self.scratch, bytes);
        self.n_homes += 1;
        Ok(self.contiguous(base, dims, Some(self.n_homes)))
    }

    /// The most elements that an array of these dimensions can have.
    fn length_bound<'s>(&self, mut sizes: impl Iterator<Item = &'s Size>) -> Emit<usize> {
        sizes.try_fold(1_usize, |length, size| {
            let bound = self.sizes.resolve(size)?.upper_bound(self.sizes.max_rows());
            bound.and_then(|n| n.checked_mul(length)).ok_or(CodegenError::TooLarge)
        })
    }

    pub fn release_regions(&mut self, scope: &mut Scope, position: usize) {
        let Scope { plan, regions, .. } = scope;
        regions.retain(|(owner, offset)| {
            let over = plan.lifetime[owner.index()] <= position;
            if over {
                self.regions.give_back(*offset);
            }
            !over
        });
    }

    /// Gives back what the scope still holds, at its end.
    pub fn release_all(&mut self, scope: &mut Scope) {
        for (_, offset) in scope.regions.drain(..) {
            self.regions.give_back(offset);
        }
    }

    /// A row-major view.
    pub fn contiguous(&mut self, base: Value, dims: &[Num], home: Option<Home>) -> View {
        let mut strides = vec![Num::Const(1); dims.len()];
        for axis in (1..dims.len()).rev() {
            strides[axis - 1] = self.mul(strides[axis], dims[axis]);
        }
        View { base, strides, home }
    }
}
