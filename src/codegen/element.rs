//! Elements of arrays: loaded from memory or computed from the elements they depend on.
//!
//! Along the innermost loop two neighbouring elements can be asked for at once; what does
//! not come in pairs is then computed for each and put together.

use cranelift::prelude::*;

use super::emit::{Emitter, Num, Place, Scope, View};
use super::schedule::calls;
use crate::ir::op::{BinaryOp, Op, ValueId};

/// A position along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct At {
    /// Counted from zero.
    pub index: Value,
    /// Whether `index + 1` is meant as well.
    pub pair: bool,
}

impl At {
    pub fn one(index: Value) -> At {
        At { index, pair: false }
    }

    pub fn pair(index: Value) -> At {
        At { index, pair: true }
    }
}

impl Emitter<'_> {
    /// The element at `at`, as a pair where `at` asks for one and the element depends on it.
    pub fn element(&mut self, scope: &Scope, id: ValueId, at: &[At]) -> Value {
        if let Place::Scalar(value) = scope.place(id) {
            return *value;
        }
        let key = (id, at.to_vec());
        if let Some(known) = self.known_elements.get(&key) {
            return *known;
        }
        let value = match scope.place(id) {
            Place::View(view) => self.load(view, at),
            _ => self.computed_element(scope, id, at),
        };
        self.known_elements.insert(key, value);
        value
    }

    /// A scalar value, from its op.
    pub fn scalar_element(&mut self, scope: &Scope, id: ValueId) -> Value {
        self.computed_element(scope, id, &[])
    }

    fn computed_element(&mut self, scope: &Scope, id: ValueId, at: &[At]) -> Value {
        match scope.op(id) {
            Op::Fill(x) => self.b.ins().f64const(*x),
            Op::Iota => self.iota(at[0]),
            Op::Unary(op, a) => {
                let a = self.element(scope, *a, at);
                self.unary(*op, a)
            }
            Op::Binary(op, a, b) => {
                let (a, b) = (self.element(scope, *a, at), self.element(scope, *b, at));
                self.binary(*op, a, b)
            }
            Op::Select(c, a, b) => {
                let c = self.element(scope, *c, at);
                let (a, b) = (self.element(scope, *a, at), self.element(scope, *b, at));
                self.select(c, a, b)
            }
            Op::Broadcast(a, axes) => {
                let from: Vec<At> = axes.iter().map(|axis| at[usize::from(*axis)]).collect();
                self.element(scope, *a, &from)
            }
            Op::Index(..) => {
                let Place::Virtual(fixed) = scope.place(id) else {
                    unreachable!("an index that is computed is virtual")
                };
                self.indexed_element(scope, id, fixed, at)
            }
            Op::Diagonal(a) => self.element(scope, *a, &[&at[..1], at].concat()),
            Op::Eye { offset } => {
                let offset = self.whole(offset).expect("sizes were resolved before");
                self.by_lane(at, &mut |e, at| {
                    let column = e.add(Num::Dyn(at[0].index), offset);
                    let column = e.int_value(column);
                    let one = e.b.ins().f64const(1.0);
                    e.where_int(IntCC::Equal, at[1].index, column, one)
                })
            }
            Op::DiagonalMatrix(a) => self.by_lane(at, &mut |e, at| {
                let element = e.element(scope, *a, &at[1..]);
                e.where_int(IntCC::Equal, at[0].index, at[1].index, element)
            }),
            Op::LowerTriangle(a) => self.by_lane(at, &mut |e, at| {
                let element = e.element(scope, *a, at);
                e.where_int(IntCC::SignedLessThanOrEqual, at[1].index, at[0].index, element)
            }),
            Op::Gather { base, indices, axis } => {
                let (base, indices, axis) = (*base, *indices, usize::from(*axis));
                self.by_lane(at, &mut |e, at| e.gathered_element(scope, base, (indices, axis), at))
            }
            other => unreachable!("{other:?} is not computed by elements"),
        }
    }

    /// The element of an indexed array, given the positions along fixed axes.
    pub fn indexed_element(
        &mut self,
        scope: &Scope,
        id: ValueId,
        fixed: &[Option<Value>],
        at: &[At],
    ) -> Value {
        let Op::Index(a, _) = scope.op(id) else { unreachable!("an index") };
        let mut kept = at.iter().copied();
        let axis = |fixed: &Option<Value>| match fixed {
            Some(position) => At::one(*position),
            None => kept.next().expect("one position for each kept axis"),
        };
        let from: Vec<At> = fixed.iter().map(axis).collect();
        self.element(scope, *a, &from)
    }

    fn iota(&mut self, at: At) -> Value {
        let first = self.b.ins().fcvt_from_sint(types::F64, at.index);
        if !at.pair {
            return first;
        }
        let one = self.b.ins().f64const(1.0);
        let second = self.b.ins().fadd(first, one);
        self.join(first, second)
    }

    pub fn join(&mut self, first: Value, second: Value) -> Value {
        let pair = self.b.ins().splat(types::F64X2, first);
        self.b.ins().insertlane(pair, second, 1_u8)
    }

    /// `element` where the comparison holds, else zero.
    fn where_int(&mut self, condition: IntCC, a: Value, b: Value, element: Value) -> Value {
        let holds = self.b.ins().icmp(condition, a, b);
        let zero = self.b.ins().f64const(0.0);
        self.b.ins().select(holds, element, zero)
    }

    /// Each element of a pair for itself.
    fn by_lane(&mut self, at: &[At], element: &mut dyn FnMut(&mut Self, &[At]) -> Value) -> Value {
        if !at.iter().any(|at| at.pair) {
            return element(self, at);
        }
        let [first, second] = [0, 1].map(|lane| {
            let lane = self.int(lane);
            let mut of_lane = Vec::new();
            for at in at {
                of_lane.push(match at.pair {
                    true => At::one(self.b.ins().iadd(at.index, lane)),
                    false => *at,
                });
            }
            element(self, &of_lane)
        });
        self.join(first, second)
    }

    /// The address of the (first) element.
    pub fn element_address(&mut self, view: &View, at: &[At]) -> Value {
        let mut base = view.base;
        // What the innermost loop changes comes last, so that the rest can leave the loop.
        for inner in [false, true] {
            for (stride, at) in view.strides.iter().zip(at) {
                if at.pair == inner {
                    let offset = self.mul(Num::Dyn(at.index), *stride);
                    base = self.address(base, offset);
                }
            }
        }
        base
    }

    /// The distance between the two elements of a pair.
    fn pair_stride(&mut self, view: &View, at: &[At]) -> Num {
        let mut sum = Num::Const(0);
        for (stride, _) in view.strides.iter().zip(at).filter(|(_, at)| at.pair) {
            sum = self.add(sum, *stride);
        }
        sum
    }

    pub fn load(&mut self, view: &View, at: &[At]) -> Value {
        let stride = self.pair_stride(view, at);
        let first = self.element_address(view, at);
        match stride {
            Num::Const(0) => self.load_f64(first),
            Num::Const(1) => self.load_pair(first),
            apart => {
                let second = self.address(first, apart);
                let (first, second) = (self.load_f64(first), self.load_f64(second));
                self.join(first, second)
            }
        }
    }

    /// Whether pairs of elements along the axes marked in `paired` come cheaper than one by
    /// one: nothing is called, and memory is contiguous along them.
    pub fn suits_pairs(&self, scope: &Scope, id: ValueId, paired: &[bool]) -> bool {
        if !paired.contains(&true) {
            return true;
        }
        let view = match scope.place(id) {
            Place::Scalar(_) => return true,
            Place::View(view) => view,
            _ => return self.computation_suits_pairs(scope, id, paired),
        };
        let strides: Vec<Num> =
            view.strides.iter().zip(paired).filter(|(_, p)| **p).map(|(s, _)| *s).collect();
        strides == [Num::Const(1)] || strides.iter().all(|stride| *stride == Num::Const(0))
    }

    fn computation_suits_pairs(&self, scope: &Scope, id: ValueId, paired: &[bool]) -> bool {
        let all =
            |operands: &[ValueId]| operands.iter().all(|a| self.suits_pairs(scope, *a, paired));
        match scope.op(id) {
            Op::Fill(_) | Op::Iota => true,
            Op::Unary(op, a) => !calls(*op) && all(&[*a]),
            Op::Binary(BinaryOp::Pow | BinaryOp::Rem | BinaryOp::Partial(..), ..) => false,
            Op::Binary(_, a, b) => all(&[*a, *b]),
            Op::Select(c, a, b) => all(&[*c, *a, *b]),
            Op::Broadcast(a, axes) => {
                let from: Vec<bool> = axes.iter().map(|axis| paired[usize::from(*axis)]).collect();
                self.suits_pairs(scope, *a, &from)
            }
            _ => false,
        }
    }

    /// Computes every element of a value into `target`.
    pub fn write_elements(&mut self, scope: &Scope, id: ValueId, target: &View, dims: &[Num]) {
        let mut paired = vec![false; dims.len()];
        if let Some(last) = paired.last_mut() {
            *last = true;
        }
        let contiguous = target.strides.last() == Some(&Num::Const(1));
        let pairs = contiguous && self.suits_pairs(scope, id, &paired);
        self.nest(dims, pairs, &mut |e, at| {
            let mut value = e.element(scope, id, at);
            if at.iter().any(|at| at.pair) {
                value = e.widen(value);
            }
            let address = e.element_address(target, at);
            e.store(value, address);
        });
    }
}
