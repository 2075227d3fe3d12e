//! Sums and contractions as loops, in the order that `reduction` gives.

use cranelift::prelude::*;

use super::control::UNROLLED;
use super::element::At;
use super::emit::{Emit, Emitter, Num, Scope, View};
use super::reduction::Reduction;
use crate::ir::op::{BinaryOp, ValueId};

/// A reduction on its way: what does not change from loop to loop.
struct Nest<'a, 'f> {
    scope: &'a Scope<'f>,
    reduction: Reduction,
    /// Of each label.
    extents: Vec<Num>,
    /// Where the result goes, unless it is a scalar.
    target: Option<&'a View>,
}

/// How far the loops are: labels that have a position, and elements computed already.
#[derive(Clone)]
struct Progress {
    level: usize,
    bound: Vec<Option<At>>,
    elements: Vec<Option<Value>>,
}

/// How many positions of the last reduced loop outside kept ones run together.
const JAMMED: i64 = 4;

impl Nest<'_, '_> {
    fn n_levels(&self) -> usize {
        self.reduction.order.len()
    }

    fn label(&self, level: usize) -> usize {
        usize::from(self.reduction.order[level])
    }

    /// Whether the loop of this level is over a reduced label and all inside it over kept ones.
    fn is_last_reduced(&self, level: usize) -> bool {
        let is_kept = |level: usize| self.label(level) < self.reduction.n_kept;
        !is_kept(level) && (level + 1..self.n_levels()).all(is_kept)
    }
}

impl Progress {
    /// The same, one loop further in.
    fn inside(&self, label: usize, at: At) -> Progress {
        let mut inside = self.clone();
        inside.level += 1;
        inside.bound[label] = Some(at);
        inside
    }

    fn at(&self, labels: &[u8]) -> Option<Vec<At>> {
        labels.iter().map(|label| self.bound[usize::from(*label)]).collect()
    }
}

impl Emitter<'_> {
    /// Computes a sum or a contraction into `target`; a scalar's result is returned.
    pub fn emit_reduction(
        &mut self,
        scope: &Scope,
        id: ValueId,
        target: Option<&View>,
    ) -> Emit<Option<Value>> {
        let dims = self.extents(scope.dims(id))?;
        let rank_of = |a: ValueId| scope.dims(a).len();
        let reduction = Reduction::of(scope.op(id), rank_of, dims.len())
            .expect("only sums and contractions come here");
        let labels = reduction.operands.iter().flat_map(|(_, labels)| labels);
        let n_labels = labels.map(|label| usize::from(*label) + 1).max().unwrap_or(0);
        let mut extents = vec![Num::Const(1); n_labels];
        for (operand, labels) in &reduction.operands {
            for (size, label) in scope.dims(*operand).iter().zip(labels) {
                extents[usize::from(*label)] = self.extent(size)?;
            }
        }
        if let (Some(target), true) = (target, reduction.sums_into_memory()) {
            self.write_zeros(target, &dims);
        }
        let n_operands = reduction.operands.len();
        let nest = Nest { scope, reduction, extents, target };
        let start =
            Progress { level: 0, bound: vec![None; n_labels], elements: vec![None; n_operands] };
        Ok(self.reduce(&nest, vec![start]))
    }

    pub fn write_zeros(&mut self, target: &View, dims: &[Num]) {
        let zero = self.b.ins().f64const(0.0);
        self.nest(dims, true, &mut |e, at| {
            let pair = at.iter().any(|at| at.pair);
            let zero = if pair { e.widen(zero) } else { zero };
            let address = e.element_address(target, at);
            e.store(zero, address);
        });
    }

    /// The loops from the level that `terms` have reached on. Each term adds its part to the
    /// same element of the result; they differ in the position along one reduced label.
    fn reduce(&mut self, nest: &Nest, mut terms: Vec<Progress>) -> Option<Value> {
        for term in &mut terms {
            self.compute_bound_elements(nest, term);
        }
        let level = terms[0].level;
        if level + nest.reduction.n_in_registers == nest.n_levels() {
            let sums: Vec<Value> =
                terms.iter().map(|term| self.sum_in_registers(nest, term)).collect();
            let sum = sums.into_iter().reduce(|a, b| self.binary(BinaryOp::Add, a, b));
            let sum = sum.expect("there is a term");
            let Some(target) = nest.target else {
                return Some(sum);
            };
            self.write_sum(nest, &terms[0], target, sum);
            return None;
        }
        if nest.is_last_reduced(level) {
            self.reduce_jammed(nest, &terms[0]);
            return None;
        }
        let label = nest.label(level);
        let pairs = level + 1 == nest.n_levels()
            && self.operands_suit_pairs(nest, label)
            && nest.target.is_some_and(|target| target.strides.get(label) == Some(&Num::Const(1)));
        self.for_each_at(nest.extents[label], pairs, &mut |e, at| {
            let inside = terms.iter().map(|term| term.inside(label, at));
            e.reduce(nest, inside.collect());
        });
        None
    }

    /// The last loop over a reduced label, outside loops over the result's axes: several
    /// positions at a time, so that the result is loaded and stored less often.
    fn reduce_jammed(&mut self, nest: &Nest, progress: &Progress) {
        let label = nest.label(progress.level);
        let extent = nest.extents[label];
        let (start, end) = (self.int(0), self.int_value(extent));
        let rest = self.for_range(start, end, JAMMED, &mut |e, first| {
            let mut terms = Vec::new();
            for step in 0..JAMMED {
                let step = e.int(step);
                let index = e.b.ins().iadd(first, step);
                terms.push(progress.inside(label, At::one(index)));
            }
            e.reduce(nest, terms);
        });
        if !matches!(extent, Num::Const(n) if n % JAMMED == 0) {
            self.for_range(rest, end, 1, &mut |e, index| {
                e.reduce(nest, vec![progress.inside(label, At::one(index))]);
            });
        }
    }

    /// Elements of operands whose labels all have a position: inner loops do not repeat them.
    fn compute_bound_elements(&mut self, nest: &Nest, progress: &mut Progress) {
        for (position, (operand, labels)) in nest.reduction.operands.iter().enumerate() {
            if progress.elements[position].is_none()
                && let Some(at) = progress.at(labels)
            {
                progress.elements[position] = Some(self.element(nest.scope, *operand, &at));
            }
        }
    }

    fn operands_suit_pairs(&self, nest: &Nest, label: usize) -> bool {
        nest.reduction.operands.iter().all(|(operand, labels)| {
            let paired: Vec<bool> = labels.iter().map(|l| usize::from(*l) == label).collect();
            self.suits_pairs(nest.scope, *operand, &paired)
        })
    }

    fn product(&mut self, nest: &Nest, mut progress: Progress) -> Value {
        self.compute_bound_elements(nest, &mut progress);
        let factors = progress.elements.into_iter().map(|e| e.expect("every label is bound"));
        let factors: Vec<Value> = factors.collect();
        match factors[..] {
            [only] => only,
            [a, b] => self.binary(BinaryOp::Mul, a, b),
            _ => unreachable!("a reduction has one or two operands"),
        }
    }

    fn write_sum(&mut self, nest: &Nest, progress: &Progress, target: &View, sum: Value) {
        let kept: Vec<u8> = (0..nest.reduction.n_kept as u8).collect();
        let at = progress.at(&kept).expect("kept labels are bound");
        let address = self.element_address(target, &at);
        let pair = at.iter().any(|at| at.pair);
        let mut sum = if pair { self.widen(sum) } else { sum };
        if nest.reduction.sums_into_memory() {
            let before = if pair { self.load_pair(address) } else { self.load_f64(address) };
            sum = self.b.ins().fadd(before, sum);
        }
        self.store(sum, address);
    }

    /// The sum over the innermost loops, all over reduced labels.
    fn sum_in_registers(&mut self, nest: &Nest, progress: &Progress) -> Value {
        if nest.reduction.n_in_registers == 0 {
            return self.product(nest, progress.clone());
        }
        let innermost = nest.label(nest.n_levels() - 1);
        let is_short = matches!(nest.extents[innermost], Num::Const(..=UNROLLED));
        let pairs = !is_short && self.operands_suit_pairs(nest, innermost);
        let sums = Accumulators::start(self, pairs);
        self.accumulate(nest, progress.clone(), &sums);
        sums.total(self)
    }

    fn accumulate(&mut self, nest: &Nest, mut progress: Progress, sums: &Accumulators) {
        self.compute_bound_elements(nest, &mut progress);
        let label = nest.label(progress.level);
        let extent = nest.extents[label];
        if progress.level + 1 < nest.n_levels() {
            return self.for_each(extent, &mut |e, index| {
                e.accumulate(nest, progress.inside(label, At::one(index)), sums);
            });
        }
        let add = |e: &mut Self, variable: Variable, at: At| {
            let term = e.product(nest, progress.inside(label, at));
            let before = e.b.use_var(variable);
            let sum = e.binary(BinaryOp::Add, before, term);
            e.b.def_var(variable, sum);
        };
        let Some(pairs) = sums.pairs else {
            return self.for_each(extent, &mut |e, index| add(e, sums.single, At::one(index)));
        };
        let multiple_of = |n: i64| matches!(extent, Num::Const(count) if count % n == 0);
        let start = self.int(0);
        let end = self.int_value(extent);
        let start = self.for_range(start, end, 4, &mut |e, index| {
            add(e, pairs[0], At::pair(index));
            let two = e.int(2);
            let next = e.b.ins().iadd(index, two);
            add(e, pairs[1], At::pair(next));
        });
        if multiple_of(4) {
            return;
        }
        let start =
            self.for_range(start, end, 2, &mut |e, index| add(e, pairs[0], At::pair(index)));
        if !multiple_of(2) {
            self.for_range(start, end, 1, &mut |e, index| add(e, sums.single, At::one(index)));
        }
    }
}

/// Running sums in registers: several, so that additions need not wait for each other.
struct Accumulators {
    single: Variable,
    pairs: Option<[Variable; 2]>,
}

impl Accumulators {
    fn start(e: &mut Emitter, pairs: bool) -> Accumulators {
        let zero = e.b.ins().f64const(0.0);
        let single = e.b.declare_var(types::F64);
        e.b.def_var(single, zero);
        let pairs = pairs.then(|| {
            [(); 2].map(|()| {
                let zeros = e.widen(zero);
                let pair = e.b.declare_var(types::F64X2);
                e.b.def_var(pair, zeros);
                pair
            })
        });
        Accumulators { single, pairs }
    }

    fn total(&self, e: &mut Emitter) -> Value {
        let single = e.b.use_var(self.single);
        let Some(pairs) = self.pairs else {
            return single;
        };
        let [first, second] = pairs.map(|pair| e.b.use_var(pair));
        let pair = e.b.ins().fadd(first, second);
        let lanes = [0_u8, 1].map(|lane| e.b.ins().extractlane(pair, lane));
        let sum = e.b.ins().fadd(lanes[0], lanes[1]);
        e.b.ins().fadd(sum, single)
    }
}
