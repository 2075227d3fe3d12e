//! Writes functions: each method appends one op, or finds that it need not.
//!
//! The constructors share equal values, fold constants and drop identities (`x + 0`,
//! `x · 1`), so that generated code, derivatives above all, comes out small. They never
//! fold `x · 0`: x may be infinite. A scalar operand of an elementwise op is spread over the
//! other's dimensions.

mod containers;
mod elementwise;
mod gather;
mod key;
mod linear;
mod prune;

pub use prune::extract;

use std::collections::HashMap;

use super::op::{Function, Input, InputKind, Loop, Op, Output, Value, ValueId, ValueType};
use crate::index::Arena;
use crate::source::Span;
use crate::ty::{Element, Size};

/// A function being written.
pub struct Builder {
    function: Function,
    known: HashMap<key::Key, ValueId>,
    inputs: HashMap<InputKind, ValueId>,
    span: Option<Span>,
}

impl Builder {
    /// An empty function.
    pub fn new(name: impl Into<String>) -> Self {
        let function = Function {
            name: name.into(),
            inputs: Vec::new(),
            values: Arena::default(),
            outputs: Vec::new(),
        };
        Builder { function, known: HashMap::new(), inputs: HashMap::new(), span: None }
    }

    /// The model text that the ops to come stem from.
    pub fn set_span(&mut self, span: Option<Span>) {
        self.span = span;
    }

    /// The type of a value.
    pub fn ty(&self, value: ValueId) -> &ValueType {
        &self.function.values[value].ty
    }

    /// The dimensions of a value.
    pub fn dims(&self, value: ValueId) -> &[Size] {
        &self.function.values[value].ty.dims
    }

    /// Number of axes of a value.
    pub fn rank(&self, value: ValueId) -> usize {
        self.dims(value).len()
    }

    /// The op of a value.
    pub fn op(&self, value: ValueId) -> &Op {
        &self.function.values[value].op
    }

    /// Number of values so far.
    pub fn len(&self) -> usize {
        self.function.values.len()
    }

    /// The function so far.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// Adds a result.
    pub fn output(&mut self, name: impl Into<String>, value: ValueId) {
        self.function.outputs.push(Output { name: name.into(), value });
    }

    /// The finished function, without values that no output needs.
    pub fn finish(self) -> Function {
        let all: Vec<usize> = (0..self.function.outputs.len()).collect();
        extract(&self.function, &all, &self.function.name)
    }

    /// The function as it stands, with values that nothing needs.
    pub(crate) fn into_function(self) -> Function {
        self.function
    }

    /// The input of this kind; the same value each time.
    pub fn input(&mut self, kind: InputKind, name: &str, ty: ValueType) -> ValueId {
        if let Some(&known) = self.inputs.get(&kind) {
            return known;
        }
        let position = self.function.inputs.len();
        self.function.inputs.push(Input { name: name.to_string(), kind, ty: ty.clone() });
        let value = self.append(Op::Input(position), ty);
        self.inputs.insert(kind, value);
        value
    }

    /// Appends an op whose type is known, or finds an equal value.
    fn push(&mut self, op: Op, ty: ValueType) -> ValueId {
        let Some(key) = key::key(&op, &ty) else { return self.append(op, ty) };
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        let value = self.append(op, ty);
        self.known.insert(key, value);
        value
    }

    fn append(&mut self, op: Op, ty: ValueType) -> ValueId {
        self.function.values.push(Value { op, ty, span: self.span })
    }

    /// Appends a loop; read its results with [`Builder::result`].
    pub fn push_loop(&mut self, parts: Loop) -> ValueId {
        self.append(Op::Loop(Box::new(parts)), ValueType::int())
    }

    /// The k-th result of a loop.
    pub fn result(&mut self, loop_value: ValueId, k: usize) -> ValueId {
        let Op::Loop(parts) = self.op(loop_value) else {
            unreachable!("results are read of loops alone")
        };
        let output = &parts.body.outputs[k];
        let mut ty = parts.body.values[output.value].ty.clone();
        if k >= parts.carried.len() {
            ty.dims.insert(0, parts.max_count.clone());
        }
        self.push(Op::Result(loop_value, k), ty)
    }

    /// Gives a loop another body with the same inputs and at least the same outputs.
    pub fn replace_body(&mut self, loop_value: ValueId, body: Function) {
        let Op::Loop(parts) = &mut self.function.values[loop_value].op else {
            unreachable!("only loops have bodies")
        };
        parts.body = body;
    }

    /// Adds a stacked output to a loop that exists already, and returns it. The results it had
    /// keep their numbers.
    pub fn add_stacked_output(&mut self, loop_value: ValueId, in_body: ValueId) -> ValueId {
        let Op::Loop(parts) = &mut self.function.values[loop_value].op else {
            unreachable!("only loops have stacked outputs")
        };
        let name = format!("residual{}", parts.body.outputs.len());
        parts.body.outputs.push(Output { name, value: in_body });
        let k = parts.body.outputs.len() - 1;
        self.result(loop_value, k)
    }

    /// Appends `op` again, with operands replaced; used to copy functions.
    pub fn emit(&mut self, op: &Op, ty: &ValueType, of: &dyn Fn(ValueId) -> ValueId) -> ValueId {
        let at = |at: &[Option<ValueId>]| at.iter().map(|i| i.map(of)).collect::<Vec<_>>();
        match op {
            Op::Input(_) => unreachable!("inputs are mapped by the caller"),
            Op::Real(x) => self.real(*x),
            Op::Int(k) => self.int(*k),
            Op::SizeOf(size) => self.size(size),
            Op::Fill(x) => self.fill(*x, ty.dims.clone()),
            Op::Iota | Op::Eye { .. } => self.push(op.clone(), ty.clone()),
            Op::Unary(op, a) => self.unary(*op, of(*a)),
            Op::Binary(op, a, b) => self.binary(*op, of(*a), of(*b)),
            Op::Select(c, a, b) => self.select(of(*c), of(*a), of(*b)),
            Op::Broadcast(a, axes) => self.broadcast(of(*a), axes, &ty.dims),
            Op::Sum(a, keep) => self.sum_keeping(of(*a), keep),
            Op::Largest(a, keep) => self.largest_keeping(of(*a), keep),
            Op::Reshape(a) => self.reshape(of(*a), &ty.dims),
            Op::Contract { a, a_axes, b, b_axes } => {
                self.contract(of(*a), a_axes, of(*b), b_axes, ty.rank())
            }
            Op::Index(a, indices) => self.index(of(*a), at(indices)),
            Op::Set { base, at: indices, value } => self.set(of(*base), at(indices), of(*value)),
            Op::AddAt { base, at: indices, value } => {
                self.add_at(of(*base), at(indices), of(*value))
            }
            Op::Gather { base, indices, axis } => self.gather(of(*base), of(*indices), *axis),
            Op::ScatterAdd { base, indices, axis, value } => {
                self.scatter_add(of(*base), of(*indices), *axis, of(*value))
            }
            Op::Stack(items) => self.stack(items.iter().map(|&item| of(item)).collect()),
            Op::Diagonal(a) => self.diagonal(of(*a)),
            Op::DiagonalMatrix(a) => self.diagonal_matrix(of(*a)),
            Op::LowerTriangle(a) => self.lower_triangle(of(*a)),
            Op::UnpackStrictLower(a) => self.unpack_strict_lower(of(*a), ty.dims[0].clone()),
            Op::PackStrictLower(a) => self.pack_strict_lower(of(*a), ty.dims[0].clone()),
            Op::CumulativeSum { value, axis, exclusive, reverse } => {
                self.cumulative_sum(of(*value), *axis, *exclusive, *reverse)
            }
            Op::SolveLower { matrix, rhs, transpose } => {
                self.solve_lower(of(*matrix), of(*rhs), *transpose)
            }
            Op::Loop(l) => self.push_loop(Loop {
                count: of(l.count),
                max_count: l.max_count.clone(),
                reverse: l.reverse,
                body: l.body.clone(),
                carried: l.carried.iter().map(|&v| of(v)).collect(),
                captured: l.captured.iter().map(|&v| of(v)).collect(),
            }),
            Op::Result(l, k) => self.result(of(*l), *k),
        }
    }

    /// Copies a function in; input `k` becomes `inputs[k]`. Returns where each value went.
    pub fn inline(&mut self, function: &Function, inputs: &[ValueId]) -> Vec<ValueId> {
        let mut copied: Vec<ValueId> = Vec::with_capacity(function.values.len());
        for (_, value) in function.values.iter() {
            let span = self.span;
            self.span = value.span.or(span);
            let copy = match &value.op {
                Op::Input(k) => inputs[*k],
                op => self.emit(op, &value.ty, &|v: ValueId| copied[v.index()]),
            };
            self.span = span;
            copied.push(copy);
        }
        copied
    }

    /// Declares the inputs of `function` here, and returns them in its order.
    pub fn inputs_of(&mut self, function: &Function) -> Vec<ValueId> {
        let declare = |input: &Input| self.input(input.kind, &input.name, input.ty.clone());
        function.inputs.iter().map(declare).collect()
    }
}

/// The element type of a value that mixes two.
pub(crate) fn join(a: Element, b: Element) -> Element {
    a.max(b)
}
