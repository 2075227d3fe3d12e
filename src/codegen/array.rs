//! Ops that fill memory of their own.

use cranelift::prelude::*;

use super::element::At;
use super::emit::{Emit, Emitter, Num, Place, Scope, View};
use super::kernels::elementary;
use crate::ir::op::{BinaryOp, Op, ValueId};

/// Given row, column and place in the packed vector, and positions along further axes.
type StrictLowerBody<'b, E> = dyn FnMut(&mut E, [At; 3], &[At]) + 'b;

impl Emitter<'_> {
    /// Emits a value that the plan gives a buffer.
    pub fn emit_buffer(&mut self, scope: &mut Scope, id: ValueId) -> Emit<Place> {
        match scope.op(id) {
            Op::Set { .. } | Op::AddAt { .. } => return self.emit_change(scope, id),
            Op::ScatterAdd { .. } => return self.emit_scatter(scope, id),
            Op::Input(_) | Op::Result(..) => {
                scope.places[id.index()] = self.emit_view(scope, id)?
            }
            Op::Index(..) => scope.places[id.index()] = self.emit_virtual(scope, id),
            _ => {}
        }
        let target = self.memory_for(scope, id)?;
        let dims = self.extents(scope.dims(id))?;
        match scope.op(id) {
            Op::Sum(..) | Op::Contract { .. } => {
                if !self.emit_gathered_product(scope, id, &target)?
                    && !self.emit_product(scope, id, &target)?
                {
                    self.emit_reduction(scope, id, Some(&target))?;
                }
            }
            Op::Unary(op, a) if let Some(kernel) = elementary(*op) => {
                self.emit_elementary(scope, kernel, *a, (&target, &dims));
            }
            Op::Largest(a, keep) => {
                let extents = self.extents(scope.dims(*a))?;
                self.nest(&dims, false, &mut |e, kept| {
                    let largest = e.largest(scope, *a, (keep, kept), &extents);
                    let address = e.element_address(&target, kept);
                    e.store(largest, address);
                });
            }
            Op::Reshape(a) => self.emit_reshape(scope, *a, &target)?,
            Op::Gather { base, indices, axis } => {
                let along = (*indices, usize::from(*axis));
                self.emit_gather(scope, *base, along, &target, &dims)?;
            }
            Op::Stack(items) => self.emit_stack(scope, items, &target, &dims),
            Op::UnpackStrictLower(a) => self.emit_unpack(scope, *a, &target, &dims),
            Op::PackStrictLower(a) => self.emit_pack(scope, *a, &target)?,
            Op::CumulativeSum { value, axis, exclusive, reverse } => {
                let axis = usize::from(*axis);
                self.emit_running_sums(scope, *value, (axis, *exclusive, *reverse), &target, &dims);
            }
            Op::SolveLower { matrix, rhs, transpose } => {
                self.emit_solve(scope, (*matrix, *rhs), *transpose, &target, &dims);
            }
            _ => self.write_elements(scope, id, &target, &dims),
        }
        Ok(Place::View(target))
    }

    /// The largest element of `a` at these positions along the kept axes.
    pub fn largest(
        &mut self,
        scope: &Scope,
        a: ValueId,
        (keep, kept): (&[u8], &[At]),
        extents: &[Num],
    ) -> Value {
        let running = self.b.declare_var(types::F64);
        let least = self.b.ins().f64const(f64::NEG_INFINITY);
        self.b.def_var(running, least);
        let is_kept = |axis: usize| keep.iter().position(|k| usize::from(*k) == axis);
        let reduced: Vec<usize> =
            (0..extents.len()).filter(|&axis| is_kept(axis).is_none()).collect();
        let counts: Vec<Num> = reduced.iter().map(|&axis| extents[axis]).collect();
        self.nest(&counts, false, &mut |e, rest| {
            let mut rest = rest.iter();
            let at: Vec<At> = (0..extents.len())
                .map(|axis| match is_kept(axis) {
                    Some(k) => kept[k],
                    None => *rest.next().expect("one position for each reduced axis"),
                })
                .collect();
            let element = e.element(scope, a, &at);
            let before = e.b.use_var(running);
            let larger = e.binary(BinaryOp::Max, before, element);
            e.b.def_var(running, larger);
        });
        self.b.use_var(running)
    }

    /// Elements in their order: the target is one piece of memory.
    fn emit_reshape(&mut self, scope: &Scope, a: ValueId, target: &View) -> Emit {
        let extents = self.extents(scope.dims(a))?;
        let same_elements = self.contiguous(target.base, &extents, None);
        self.write_elements(scope, a, &same_elements, &extents);
        Ok(())
    }

    /// `Set` and `AddAt`: the part changes in the base's memory or in a copy.
    fn emit_change(&mut self, scope: &mut Scope, id: ValueId) -> Emit<Place> {
        let (base, at, value, adds) = match scope.op(id) {
            Op::Set { base, at, value } => (*base, at, *value, false),
            Op::AddAt { base, at, value } => (*base, at, *value, true),
            other => unreachable!("{other:?} changes nothing"),
        };
        let whole = self.changeable(scope, id, base)?;
        let fixed = self.fixed_positions(scope, id, at)?;
        let part = self.part(&whole, &fixed);
        let dims = self.extents(scope.dims(value))?;
        if adds {
            self.add_elements(scope, value, &part, &dims);
        } else {
            self.write_elements(scope, value, &part, &dims);
        }
        Ok(Place::View(whole))
    }

    /// The base's memory, where `id` may change it, or a copy.
    pub fn changeable(&mut self, scope: &mut Scope, id: ValueId, base: ValueId) -> Emit<View> {
        if scope.plan.in_place[id.index()] {
            return Ok(self.view(scope, base));
        }
        let copy = self.memory_for(scope, id)?;
        let dims = self.extents(scope.dims(id))?;
        self.write_elements(scope, base, &copy, &dims);
        Ok(copy)
    }

    fn add_elements(&mut self, scope: &Scope, id: ValueId, target: &View, dims: &[Num]) {
        self.nest(dims, false, &mut |e, at| {
            let value = e.element(scope, id, at);
            let address = e.element_address(target, at);
            let before = e.load_f64(address);
            let sum = e.b.ins().fadd(before, value);
            e.store(sum, address);
        });
    }

    fn emit_stack(&mut self, scope: &Scope, items: &[ValueId], target: &View, dims: &[Num]) {
        for (k, item) in items.iter().enumerate() {
            let offset = self.mul(Num::Const(k as i64), target.strides[0]);
            let base = self.address(target.base, offset);
            let slot = View { base, strides: target.strides[1..].to_vec(), home: None };
            self.write_elements(scope, *item, &slot, &dims[1..]);
        }
    }

    fn emit_unpack(&mut self, scope: &Scope, packed: ValueId, target: &View, dims: &[Num]) {
        self.write_zeros(target, dims);
        self.strict_lower(dims[0], &dims[2..], &mut |e, [i, j, position], rest| {
            let from = [&[position], rest].concat();
            let value = e.element(scope, packed, &from);
            let address = e.element_address(target, &[&[i, j], rest].concat());
            e.store(value, address);
        });
    }

    fn emit_pack(&mut self, scope: &Scope, square: ValueId, target: &View) -> Emit {
        let dims = self.extents(scope.dims(square))?;
        self.strict_lower(dims[0], &dims[2..], &mut |e, [i, j, position], rest| {
            let value = e.element(scope, square, &[&[i, j], rest].concat());
            let address = e.element_address(target, &[&[position], rest].concat());
            e.store(value, address);
        });
        Ok(())
    }

    /// Every row `i`, column `j < i` and place in the packed vector, with every position
    /// along the remaining axes.
    fn strict_lower(&mut self, n: Num, rest: &[Num], body: &mut StrictLowerBody<Self>) {
        self.for_each(n, &mut |e, i| {
            let one = e.int(1);
            let before = e.b.ins().isub(i, one);
            let twice = e.b.ins().imul(i, before);
            let row_start = e.b.ins().sshr(twice, one);
            e.for_each(Num::Dyn(i), &mut |e, j| {
                let position = e.b.ins().iadd(row_start, j);
                let at = [i, j, position].map(At::one);
                e.nest(rest, false, &mut |e, rest| body(e, at, rest));
            });
        });
    }

    fn emit_running_sums(
        &mut self,
        scope: &Scope,
        value: ValueId,
        (axis, exclusive, reverse): (usize, bool, bool),
        target: &View,
        dims: &[Num],
    ) {
        let mut others = dims.to_vec();
        let n = others.remove(axis);
        self.nest(&others, false, &mut |e, others| {
            let running = e.b.declare_var(types::F64);
            let zero = e.b.ins().f64const(0.0);
            e.b.def_var(running, zero);
            e.for_each(n, &mut |e, step| {
                let index = if reverse { e.counted_back(n, step) } else { step };
                let mut at = others.to_vec();
                at.insert(axis, At::one(index));
                let element = e.element(scope, value, &at);
                let before = e.b.use_var(running);
                let sum = e.b.ins().fadd(before, element);
                e.b.def_var(running, sum);
                let address = e.element_address(target, &at);
                e.store(if exclusive { before } else { sum }, address);
            });
        });
    }

    /// `n - 1 - step`
    pub fn counted_back(&mut self, n: Num, step: Value) -> Value {
        let n = self.int_value(n);
        let one = self.int(1);
        let last = self.b.ins().isub(n, one);
        self.b.ins().isub(last, step)
    }

    /// Forward or, with the transpose, backward substitution, for each column.
    fn emit_solve(
        &mut self,
        scope: &Scope,
        (matrix, rhs): (ValueId, ValueId),
        transpose: bool,
        x: &View,
        dims: &[Num],
    ) {
        let n = dims[0];
        self.nest(&dims[1..], false, &mut |e, column| {
            e.for_each(n, &mut |e, step| {
                let i = if transpose { e.counted_back(n, step) } else { step };
                let at = |row: Value| [&[At::one(row)], column].concat();
                let rest = e.b.declare_var(types::F64);
                let right = e.element(scope, rhs, &at(i));
                e.b.def_var(rest, right);
                let (first, end) = if transpose {
                    let one = e.int(1);
                    (e.b.ins().iadd(i, one), e.int_value(n))
                } else {
                    (e.int(0), i)
                };
                e.for_range(first, end, 1, &mut |e, j| {
                    let entry = if transpose { [j, i] } else { [i, j] };
                    let coefficient = e.element(scope, matrix, &entry.map(At::one));
                    let address = e.element_address(x, &at(j));
                    let known = e.load_f64(address);
                    let term = e.b.ins().fmul(coefficient, known);
                    let before = e.b.use_var(rest);
                    let after = e.b.ins().fsub(before, term);
                    e.b.def_var(rest, after);
                });
                let pivot = e.element(scope, matrix, &[i, i].map(At::one));
                let rest = e.b.use_var(rest);
                let solved = e.b.ins().fdiv(rest, pivot);
                let address = e.element_address(x, &at(i));
                e.store(solved, address);
            });
        });
    }
}
