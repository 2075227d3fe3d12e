//! Reverse mode: the adjoints of inputs from the adjoints of outputs.

use std::collections::HashMap;

use super::{loops, slope};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, Function, InputKind, Op, Value, ValueId};
use crate::ty::{Element, Size};

/// Where the adjoint of an output comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seed {
    /// It is one: the output is a scalar to be differentiated.
    One,
    /// It is the input `Cotangent(k)`, with `k` the output's position.
    Given,
}

/// The outputs of `function` named by `kept`, then the adjoint of each input that `wanted`
/// accepts, in the order of [`sources`]. `seeds` pairs outputs with their adjoints'
/// sources. Inputs that nothing depends on have zeros.
pub fn gradient(
    function: &Function,
    kept: &[usize],
    seeds: &[(usize, Seed)],
    wanted: impl Fn(InputKind) -> bool,
) -> Function {
    let mut b = Builder::new(format!("{} gradient", function.name));
    let inputs = b.inputs_of(function);
    let copied = b.inline(function, &inputs);
    let of = |k: usize| copied[function.outputs[k].value.index()];
    let sources: Vec<(InputKind, ValueId)> = function
        .inputs
        .iter()
        .zip(&inputs)
        .filter(|(input, _)| wanted(input.kind))
        .map(|(input, &value)| (input.kind, value))
        .collect();
    let active = Active::from(&b, sources.iter().map(|(_, value)| *value));
    let mut adjoints = Adjoints::new(active);
    for &(k, seed) in seeds {
        let output = of(k);
        let adjoint = match seed {
            Seed::One => b.real(1.0),
            Seed::Given => {
                let ty = b.ty(output).clone();
                let name = format!("adjoint of {}", function.outputs[k].name);
                b.input(InputKind::Cotangent(k), &name, ty)
            }
        };
        adjoints.add(&mut b, output, adjoint);
    }
    adjoints.sweep(&mut b);
    for &k in kept {
        b.output(function.outputs[k].name.clone(), of(k));
    }
    let mut sources = sources;
    sources.sort();
    for (kind, value) in sources {
        let name = match function.inputs.iter().find(|input| input.kind == kind) {
            Some(input) => format!("adjoint of {}", input.name),
            None => unreachable!("sources are inputs"),
        };
        let adjoint = adjoints.of(value).unwrap_or_else(|| b.zeros_like(value));
        b.output(name, adjoint);
    }
    b.finish()
}

/// The inputs that `wanted` accepts, in the order of their adjoints in [`gradient`].
pub fn sources(function: &Function, wanted: impl Fn(InputKind) -> bool) -> Vec<InputKind> {
    let kinds = function.inputs.iter().map(|input| input.kind);
    let mut kinds: Vec<InputKind> = kinds.filter(|&kind| wanted(kind)).collect();
    kinds.sort();
    kinds
}

/// Which values depend, as reals, on inputs of interest.
pub struct Active {
    flags: Vec<bool>,
}

impl Active {
    /// Those of `b` that depend on `sources`.
    pub fn from(b: &Builder, sources: impl Iterator<Item = ValueId>) -> Active {
        let function = b.function();
        let mut flags = vec![false; function.values.len()];
        for source in sources {
            flags[source.index()] = true;
        }
        for (id, value) in function.values.iter() {
            if !flags[id.index()] {
                flags[id.index()] = passes_on(value, &flags);
            }
        }
        Active { flags }
    }

    /// Whether this value does; those written later do not.
    pub fn has(&self, value: ValueId) -> bool {
        self.flags.get(value.index()).copied().unwrap_or(false)
    }
}

fn passes_on(value: &Value, flags: &[bool]) -> bool {
    let is = |v: &ValueId| flags[v.index()];
    match &value.op {
        Op::Largest(..) => false,
        Op::Select(_, a, b) => is(a) || is(b),
        Op::Index(a, _) | Op::Gather { base: a, .. } => is(a),
        Op::ScatterAdd { base, value, .. } => is(base) || is(value),
        Op::Set { base, value, .. } | Op::AddAt { base, value, .. } => is(base) || is(value),
        Op::Loop(l) => l.carried.iter().chain(&l.captured).any(is),
        Op::Unary(..) | Op::Binary(..) if value.ty.element == Element::Int => false,
        op => op.operands().iter().any(is),
    }
}

/// The adjoints gathered so far in a reverse sweep.
pub struct Adjoints {
    active: Active,
    by_value: HashMap<ValueId, ValueId>,
    of_results: HashMap<ValueId, HashMap<usize, ValueId>>,
}

impl Adjoints {
    /// None yet.
    pub fn new(active: Active) -> Self {
        Adjoints { active, by_value: HashMap::new(), of_results: HashMap::new() }
    }

    /// The adjoint of a value, if it is not zero.
    pub fn of(&self, value: ValueId) -> Option<ValueId> {
        self.by_value.get(&value).copied()
    }

    /// Sets the adjoint of a value, whatever it was.
    pub fn set(&mut self, value: ValueId, adjoint: ValueId) {
        self.by_value.insert(value, adjoint);
    }

    /// Adds to the adjoint of a value.
    pub fn add(&mut self, b: &mut Builder, value: ValueId, adjoint: ValueId) {
        if !self.active.has(value) {
            return;
        }
        let sum = match self.of(value) {
            Some(known) => b.add(known, adjoint),
            None => adjoint,
        };
        self.by_value.insert(value, sum);
    }

    /// From the last value to the first, passes every adjoint on to the operands.
    pub fn sweep(&mut self, b: &mut Builder) {
        for position in (0..self.active.flags.len()).rev() {
            let id = ValueId::from_index(position);
            if !self.active.flags[position] {
                continue;
            }
            let op = b.op(id).clone();
            if let Op::Loop(_) = op {
                if let Some(results) = self.of_results.remove(&id) {
                    let passed = loops::reverse_loop(b, id, &results, &|v| self.active.has(v));
                    for (operand, adjoint) in passed {
                        self.add(b, operand, adjoint);
                    }
                }
                continue;
            }
            if let Some(adjoint) = self.of(id) {
                b.set_span(b.function().values[id].span);
                self.pass_on(b, id, &op, adjoint);
            }
        }
        b.set_span(None);
    }

    /// The rule of each op.
    fn pass_on(&mut self, b: &mut Builder, y: ValueId, op: &Op, adjoint: ValueId) {
        match op {
            Op::Unary(op, x) => {
                if let Some(slope) = slope::unary(b, *op, *x, y) {
                    let passed = b.mul(adjoint, slope);
                    self.add(b, *x, passed);
                }
            }
            Op::Binary(op, x, z) => self.pass_binary(b, *op, *x, *z, y, adjoint),
            Op::Select(c, x, z) => self.pass_select(b, *c, *x, *z, adjoint),
            Op::Broadcast(x, axes) => {
                let passed = b.sum_keeping(adjoint, axes);
                self.add(b, *x, passed);
            }
            Op::Sum(x, keep) => {
                let dims = b.dims(*x).to_vec();
                let passed = b.broadcast(adjoint, keep, &dims);
                self.add(b, *x, passed);
            }
            Op::Reshape(x) => {
                let dims = b.dims(*x).to_vec();
                let passed = b.reshape(adjoint, &dims);
                self.add(b, *x, passed);
            }
            Op::Contract { a, a_axes, b: c, b_axes } => {
                self.pass_contract(b, (*a, a_axes), (*c, b_axes), adjoint);
                self.pass_contract(b, (*c, b_axes), (*a, a_axes), adjoint);
            }
            Op::Index(x, at) => {
                if self.active.has(*x) {
                    let base = self.of(*x).unwrap_or_else(|| b.zeros_like(*x));
                    let passed = b.add_at(base, at.clone(), adjoint);
                    self.set(*x, passed);
                }
            }
            Op::Set { base, at, value } => {
                let of_value = b.index(adjoint, at.clone());
                let zeros = b.zeros_like(*value);
                let of_base = b.set(adjoint, at.clone(), zeros);
                self.add(b, *value, of_value);
                self.add(b, *base, of_base);
            }
            Op::AddAt { base, at, value } => {
                let of_value = b.index(adjoint, at.clone());
                self.add(b, *value, of_value);
                self.add(b, *base, adjoint);
            }
            Op::Gather { base, indices, axis } => {
                let sum = self.of(*base).unwrap_or_else(|| b.zeros_like(*base));
                let passed = b.scatter_add(sum, *indices, *axis, adjoint);
                self.set(*base, passed);
            }
            Op::ScatterAdd { base, indices, axis, value } => {
                let of_value = b.gather(adjoint, *indices, *axis);
                self.add(b, *value, of_value);
                self.add(b, *base, adjoint);
            }
            Op::Stack(items) => self.pass_stack(b, items, adjoint),
            Op::Diagonal(x) => {
                let passed = b.diagonal_matrix(adjoint);
                self.add(b, *x, passed);
            }
            Op::DiagonalMatrix(x) => {
                let passed = b.diagonal(adjoint);
                self.add(b, *x, passed);
            }
            Op::LowerTriangle(x) => {
                let passed = b.lower_triangle(adjoint);
                self.add(b, *x, passed);
            }
            Op::UnpackStrictLower(x) => {
                let length = b.dims(*x)[0].clone();
                let passed = b.pack_strict_lower(adjoint, length);
                self.add(b, *x, passed);
            }
            Op::PackStrictLower(x) => {
                let n = b.dims(*x)[0].clone();
                let passed = b.unpack_strict_lower(adjoint, n);
                self.add(b, *x, passed);
            }
            Op::CumulativeSum { value, axis, exclusive, reverse } => {
                let passed = b.cumulative_sum(adjoint, *axis, *exclusive, !reverse);
                self.add(b, *value, passed);
            }
            Op::SolveLower { matrix, rhs, transpose } => {
                self.pass_solve(b, *matrix, *rhs, *transpose, y, adjoint);
            }
            Op::Result(l, k) => {
                self.of_results.entry(*l).or_default().insert(*k, adjoint);
            }
            Op::Input(_)
            | Op::Real(_)
            | Op::Int(_)
            | Op::SizeOf(_)
            | Op::Fill(_)
            | Op::Iota
            | Op::Eye { .. }
            | Op::Largest(..) => {}
            Op::Loop(_) => unreachable!("loops are passed as a whole"),
        }
    }

    fn pass_binary(
        &mut self,
        b: &mut Builder,
        op: BinaryOp,
        x: ValueId,
        z: ValueId,
        y: ValueId,
        adjoint: ValueId,
    ) {
        let slopes = slope::binary(b, op, x, z, y);
        for (operand, slope) in [x, z].into_iter().zip(slopes) {
            if let Some(slope) = slope
                && self.active.has(operand)
            {
                let passed = b.mul(adjoint, slope);
                self.add(b, operand, passed);
            }
        }
    }

    fn pass_select(
        &mut self,
        b: &mut Builder,
        c: ValueId,
        x: ValueId,
        z: ValueId,
        adjoint: ValueId,
    ) {
        let zero = b.zeros_like(adjoint);
        let of_x = b.select(c, adjoint, zero);
        let of_z = b.select(c, zero, adjoint);
        self.add(b, x, of_x);
        self.add(b, z, of_z);
    }

    /// The adjoint of one operand of a contraction: the result's adjoint with the other.
    fn pass_contract(
        &mut self,
        b: &mut Builder,
        (x, x_axes): (ValueId, &[u8]),
        (other, other_axes): (ValueId, &[u8]),
        adjoint: ValueId,
    ) {
        if !self.active.has(x) {
            return;
        }
        let rank = b.rank(adjoint);
        // A summed axis that `x` alone has: the adjoint is the same all along it.
        let reachable = |l: u8| usize::from(l) < rank || other_axes.contains(&l);
        let present: Vec<u8> = x_axes.iter().copied().filter(|&l| reachable(l)).collect();
        // The labels of `x` become those of the result, in order; others come after.
        let relabel = |l: u8| match present.iter().position(|&p| p == l) {
            Some(position) => position as u8,
            None => present.len() as u8 + l,
        };
        let adjoint_axes: Vec<u8> = (0..rank as u8).map(relabel).collect();
        let other_axes: Vec<u8> = other_axes.iter().map(|&l| relabel(l)).collect();
        let mut passed = b.contract(adjoint, &adjoint_axes, other, &other_axes, present.len());
        if present.len() < x_axes.len() {
            let axes: Vec<u8> = present
                .iter()
                .map(|l| x_axes.iter().position(|x| x == l).expect("a label of x") as u8)
                .collect();
            let dims = b.dims(x).to_vec();
            passed = b.broadcast(passed, &axes, &dims);
        }
        self.add(b, x, passed);
    }

    fn pass_stack(&mut self, b: &mut Builder, items: &[ValueId], adjoint: ValueId) {
        for (k, &item) in items.iter().enumerate() {
            if self.active.has(item) {
                let mut at = vec![None; b.rank(adjoint)];
                at[0] = Some(b.int(k as i64));
                let passed = b.index(adjoint, at);
                self.add(b, item, passed);
            }
        }
    }

    /// For `x = L⁻¹ r`: `r̄ = L⁻ᵀ x̄` and `L̄ = -tril(r̄ xᵀ)`; for `x = L⁻ᵀ r`: `r̄ = L⁻¹ x̄` and
    /// `L̄ = -tril(x r̄ᵀ)` (Giles 2008). Further axes of x are summed over.
    fn pass_solve(
        &mut self,
        b: &mut Builder,
        matrix: ValueId,
        rhs: ValueId,
        transpose: bool,
        x: ValueId,
        adjoint: ValueId,
    ) {
        let of_rhs = b.solve_lower(matrix, adjoint, !transpose);
        self.add(b, rhs, of_rhs);
        if self.active.has(matrix) {
            let (left, right) = if transpose { (x, of_rhs) } else { (of_rhs, x) };
            let mut left_axes: Vec<u8> = (0..b.rank(x) as u8).map(|axis| axis + 1).collect();
            let mut right_axes = left_axes.clone();
            left_axes[0] = 0;
            right_axes[0] = 1;
            let product = b.contract(left, &left_axes, right, &right_axes, 2);
            let lower = b.lower_triangle(product);
            let passed = b.neg(lower);
            self.add(b, matrix, passed);
        }
    }
}

/// Zeros of these dimensions.
pub fn zeros(b: &mut Builder, dims: &[Size]) -> ValueId {
    b.fill(0.0, dims.to_vec())
}
