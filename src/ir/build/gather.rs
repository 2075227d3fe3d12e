//! Reading and adding to many parts of an array, and what is written with it: slices,
//! concatenation, reversal.

use super::{Builder, join};
use crate::ir::op::{BinaryOp, Op, ValueId, ValueType};
use crate::ty::{Element, Size};

impl Builder {
    /// `base` at each of `indices`, a vector of whole numbers counted from zero, along `axis`.
    pub fn gather(&mut self, base: ValueId, indices: ValueId, axis: u8) -> ValueId {
        let count = self.dims(indices)[0].clone();
        let mut dims = self.dims(base).to_vec();
        let old = std::mem::replace(&mut dims[usize::from(axis)], count);
        if matches!(self.op(indices), Op::Iota) && old == dims[usize::from(axis)] {
            return base;
        }
        match self.op(base) {
            Op::Fill(x) => {
                let x = *x;
                self.fill(x, dims)
            }
            Op::Broadcast(inner, axes) => {
                let (inner, axes) = (*inner, axes.clone());
                let inner = match axes.iter().position(|&to| to == axis) {
                    Some(from) => self.gather(inner, indices, from as u8),
                    None => inner,
                };
                self.broadcast(inner, &axes, &dims)
            }
            Op::Gather { base, indices: first, axis: same } if *same == axis => {
                let (base, first) = (*base, *first);
                let both = self.gather(first, indices, 0);
                self.gather(base, both, axis)
            }
            _ => {
                let ty = ValueType { element: self.ty(base).element, dims };
                self.push(Op::Gather { base, indices, axis }, ty)
            }
        }
    }

    /// `base` with `value`, of the dimensions that [`Builder::gather`] would give, added at
    /// `indices` along `axis`; what goes to the same index adds up.
    pub fn scatter_add(
        &mut self,
        base: ValueId,
        indices: ValueId,
        axis: u8,
        value: ValueId,
    ) -> ValueId {
        let dims = self.dims(base).to_vec();
        let all = matches!(self.op(indices), Op::Iota) && dims == self.dims(value);
        if all {
            return self.add(base, value);
        }
        let element = join(self.ty(base).element, self.ty(value).element);
        self.push(Op::ScatterAdd { base, indices, axis, value }, ValueType { element, dims })
    }

    /// `length` parts of `base` along `axis`, from number `start` on: an `Int` scalar, counted
    /// from zero.
    pub fn slice(&mut self, base: ValueId, axis: u8, start: ValueId, length: &Size) -> ValueId {
        let indices = self.counted_from(start, length);
        self.gather(base, indices, axis)
    }

    /// Values one after the other along `axis`; their other dimensions are equal.
    pub fn concat(&mut self, values: &[ValueId], axis: u8) -> ValueId {
        if let [only] = values {
            return *only;
        }
        let place = usize::from(axis);
        let lengths: Vec<Size> = values.iter().map(|&v| self.dims(v)[place].clone()).collect();
        let first = *values.first().expect("there is something to concatenate");
        let mut dims = self.dims(first).to_vec();
        let sum = |sum: Size, length: &Size| sum.checked_add(length).expect("sizes were checked");
        dims[place] = lengths.iter().fold(Size::constant(0), sum);
        let is_whole = values.iter().all(|&v| self.ty(v).element == Element::Int);
        let zero = if is_whole { self.int(0) } else { self.real(0.0) };
        let mut whole = self.broadcast(zero, &[], &dims);
        let mut start = self.int(0);
        for (&value, length) in values.iter().zip(&lengths) {
            let indices = self.counted_from(start, length);
            whole = self.scatter_add(whole, indices, axis, value);
            let length = self.size(length);
            start = self.add(start, length);
        }
        whole
    }

    /// The parts of `a` along `axis` in the opposite order.
    pub fn reverse_axis(&mut self, a: ValueId, axis: u8) -> ValueId {
        let n = self.dims(a)[usize::from(axis)].clone();
        let count = self.size(&n);
        let minus_one = self.int(-1);
        let last = self.add(count, minus_one);
        let positions = self.iota(n);
        let indices = self.binary(BinaryOp::Sub, last, positions);
        self.gather(a, indices, axis)
    }

    /// `start, start + 1, …`, as many as `length`.
    fn counted_from(&mut self, start: ValueId, length: &Size) -> ValueId {
        let positions = self.iota(length.clone());
        self.add(positions, start)
    }
}
