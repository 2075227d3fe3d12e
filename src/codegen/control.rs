//! Numbers, addresses and loops: the layer above single instructions.

use cranelift::prelude::*;

use super::element::At;
use super::emit::{Emit, Emitter, Num};
use crate::ty::Size;

/// Loops that are known to run at most so often are written out.
pub(super) const UNROLLED: i64 = 4;

impl Emitter<'_> {
    pub fn int(&mut self, n: i64) -> Value {
        self.b.ins().iconst(types::I64, n)
    }

    pub fn int_value(&mut self, n: Num) -> Value {
        match n {
            Num::Const(n) => self.int(n),
            Num::Dyn(value) => value,
        }
    }

    /// `a + b`; constants wrap, since only addresses that no loop reaches could overflow.
    pub fn add(&mut self, a: Num, b: Num) -> Num {
        match (a, b) {
            (Num::Const(a), Num::Const(b)) => Num::Const(a.wrapping_add(b)),
            (Num::Const(0), other) | (other, Num::Const(0)) => other,
            _ => {
                let (a, b) = (self.int_value(a), self.int_value(b));
                Num::Dyn(self.b.ins().iadd(a, b))
            }
        }
    }

    /// `a · b`; constants wrap as in [`Self::add`].
    pub fn mul(&mut self, a: Num, b: Num) -> Num {
        match (a, b) {
            (Num::Const(a), Num::Const(b)) => Num::Const(a.wrapping_mul(b)),
            (Num::Const(1), other) | (other, Num::Const(1)) => other,
            (Num::Const(0), _) | (_, Num::Const(0)) => Num::Const(0),
            _ => {
                let (a, b) = (self.int_value(a), self.int_value(b));
                Num::Dyn(self.b.ins().imul(a, b))
            }
        }
    }

    /// What a size comes to, which may be negative.
    pub fn whole(&mut self, size: &Size) -> Emit<Num> {
        let polynomial = self.sizes.resolve(size)?;
        let mut value = Num::Const(0);
        for coefficient in polynomial.coefficients().iter().rev() {
            value = self.mul(value, Num::Dyn(self.n_rows));
            value = self.add(value, Num::Const(*coefficient));
        }
        Ok(value)
    }

    /// The number of elements along a dimension, never negative.
    pub fn extent(&mut self, size: &Size) -> Emit<Num> {
        let may_be_negative = self.sizes.resolve(size)?.may_be_negative();
        Ok(match self.whole(size)? {
            Num::Const(n) => Num::Const(n.max(0)),
            Num::Dyn(n) if may_be_negative => {
                let zero = self.int(0);
                Num::Dyn(self.b.ins().smax(n, zero))
            }
            other => other,
        })
    }

    pub fn extents(&mut self, sizes: &[Size]) -> Emit<Vec<Num>> {
        sizes.iter().map(|size| self.extent(size)).collect()
    }

    /// The address `offset` elements after `base`.
    pub fn address(&mut self, base: Value, offset: Num) -> Value {
        match self.mul(offset, Num::Const(8)) {
            Num::Const(0) => base,
            bytes => {
                let bytes = self.int_value(bytes);
                self.b.ins().iadd(base, bytes)
            }
        }
    }

    pub fn load_f64(&mut self, address: Value) -> Value {
        self.b.ins().load(types::F64, MemFlagsData::trusted(), address, 0)
    }

    /// Two neighbours; aligned to one element only.
    pub fn load_pair(&mut self, address: Value) -> Value {
        self.b.ins().load(types::F64X2, MemFlagsData::new().with_notrap(), address, 0)
    }

    /// One element or two neighbours, as the type of `value` says.
    pub fn store(&mut self, value: Value, address: Value) {
        self.b.ins().store(MemFlagsData::new().with_notrap(), value, address, 0);
    }

    pub fn is_pair(&self, value: Value) -> bool {
        self.b.func.dfg.value_type(value) == types::F64X2
    }

    /// Both lanes the same, if it is not a pair already.
    pub fn widen(&mut self, value: Value) -> Value {
        if self.is_pair(value) { value } else { self.b.ins().splat(types::F64X2, value) }
    }

    /// `for i in (start..end).step_by(step)`, `end` leaving room for whole steps; returns
    /// where it stopped.
    pub fn for_range(
        &mut self,
        start: Value,
        end: Value,
        step: i64,
        body: &mut dyn FnMut(&mut Self, Value),
    ) -> Value {
        let counter = self.b.declare_var(types::I64);
        self.b.def_var(counter, start);
        let [head, inside, after] = [(); 3].map(|()| self.b.create_block());
        self.b.ins().jump(head, &[]);
        self.b.switch_to_block(head);
        let i = self.b.use_var(counter);
        let step = self.int(step);
        let next = self.b.ins().iadd(i, step);
        let more = self.b.ins().icmp(IntCC::SignedLessThanOrEqual, next, end);
        self.b.ins().brif(more, inside, &[], after, &[]);
        self.b.switch_to_block(inside);
        self.b.seal_block(inside);
        self.known_elements.clear();
        body(self, i);
        self.known_elements.clear();
        self.b.def_var(counter, next);
        self.b.ins().jump(head, &[]);
        self.b.seal_block(head);
        self.b.seal_block(after);
        self.b.switch_to_block(after);
        i
    }

    /// `for i in 0..count`.
    pub fn for_each(&mut self, count: Num, body: &mut dyn FnMut(&mut Self, Value)) {
        match count {
            Num::Const(n) if n <= UNROLLED => {
                for k in 0..n {
                    let index = self.int(k);
                    body(self, index);
                }
            }
            count => {
                let (zero, count) = (self.int(0), self.int_value(count));
                self.for_range(zero, count, 1, body);
            }
        }
    }

    /// `for i in 0..count`, two at a time where `pairs` says so and one at a time for the
    /// rest.
    pub fn for_each_at(&mut self, count: Num, pairs: bool, body: &mut dyn FnMut(&mut Self, At)) {
        if !pairs || matches!(count, Num::Const(n) if n < 2) {
            return self.for_each(count, &mut |e, index| body(e, At::one(index)));
        }
        if let Num::Const(n @ ..=UNROLLED) = count {
            for k in (0..n - 1).step_by(2) {
                let index = self.int(k);
                body(self, At::pair(index));
            }
            if n % 2 == 1 {
                let last = self.int(n - 1);
                body(self, At::one(last));
            }
            return;
        }
        let zero = self.int(0);
        let end = self.int_value(count);
        let rest = self.for_range(zero, end, 2, &mut |e, index| body(e, At::pair(index)));
        if !matches!(count, Num::Const(n) if n % 2 == 0) {
            self.for_range(rest, end, 1, &mut |e, index| body(e, At::one(index)));
        }
    }

    /// Loops over every element of `dims`, the last axis innermost, by pairs where `pairs`
    /// says so.
    pub fn nest(&mut self, dims: &[Num], pairs: bool, body: &mut dyn FnMut(&mut Self, &[At])) {
        self.nest_from(dims, pairs, &mut Vec::new(), body);
    }

    fn nest_from(
        &mut self,
        dims: &[Num],
        pairs: bool,
        at: &mut Vec<At>,
        body: &mut dyn FnMut(&mut Self, &[At]),
    ) {
        let Some(count) = dims.get(at.len()) else {
            return body(self, at);
        };
        let innermost = at.len() + 1 == dims.len();
        self.for_each_at(*count, pairs && innermost, &mut |e, index| {
            at.push(index);
            e.nest_from(dims, pairs, at, body);
            at.pop();
        });
    }
}
