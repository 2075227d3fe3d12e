//! What branches compute from shared values alone is computed once for each θ.
//!
//! A logarithm of a scale, a Cholesky factor of a covariance matrix and their like are the same in
//! every branch, and so are their derivatives: they become shared values of their own, after
//! those that the author's `local` block reads. What is cheap, or larger than what it is computed
//! from, stays where it is.

use crate::ir::build::{Builder, extract};
use crate::ir::op::{BinaryOp, Function, InputKind, Op, UnaryOp, ValueId};
use crate::ty::Size;

/// Moves what `local` computes from its `Shared` inputs and whole data to the end of `global`'s
/// outputs; `shared`, the outputs of `global` that these inputs are, grows by it. `is_whole` tells
/// which inputs are the same in every branch.
pub(super) fn hoist(
    local: &mut Function,
    global: &mut Function,
    shared: &mut Vec<usize>,
    is_whole: &dyn Fn(InputKind) -> bool,
) {
    let hoisted = hoistable(local, is_whole);
    if hoisted.is_empty() {
        return;
    }
    *global = extended(global, local, &hoisted, shared);
    let first = shared.len();
    let n_before = global.outputs.len() - hoisted.len();
    *local = reading(local, &hoisted, first);
    shared.extend(n_before..n_before + hoisted.len());
}

/// What is known of one value.
#[derive(Clone, Copy, Default)]
pub(super) struct Known {
    /// It is the same in every branch.
    pub is_common: bool,
    /// It depends on θ.
    pub reads_shared: bool,
    /// Computing it takes more than arithmetic.
    is_costly: bool,
}

/// The values worth computing once, none of which is needed for another alone.
fn hoistable(local: &Function, is_whole: &dyn Fn(InputKind) -> bool) -> Vec<ValueId> {
    let known = known(local, is_whole);
    let mut wanted: Vec<ValueId> = local.outputs.iter().map(|output| output.value).collect();
    for (id, value) in local.values.iter() {
        if !known[id.index()].is_common {
            wanted.extend(value.op.operands());
        }
    }
    let mut hoisted = Vec::new();
    let mut is_seen = vec![false; local.values.len()];
    while let Some(id) = wanted.pop() {
        let Known { is_common, reads_shared, is_costly } = known[id.index()];
        if std::mem::replace(&mut is_seen[id.index()], true) || !(is_common && reads_shared) {
            continue;
        }
        let op = &local.values[id].op;
        match op {
            Op::Input(_) => {}
            _ if is_costly && !expands(op) => hoisted.push(id),
            _ => wanted.extend(op.operands()),
        }
    }
    hoisted.sort();
    hoisted
}

/// What is known of each value.
pub(super) fn known(local: &Function, is_whole: &dyn Fn(InputKind) -> bool) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::with_capacity(local.values.len());
    for (_, value) in local.values.iter() {
        let mut this = match &value.op {
            Op::Input(k) => {
                let kind = local.inputs[*k].kind;
                let reads_shared = matches!(kind, InputKind::Shared(_));
                let is_common = reads_shared || is_whole(kind);
                Known { is_common, reads_shared, is_costly: false }
            }
            op => Known { is_common: true, reads_shared: false, is_costly: is_costly(op) },
        };
        this.is_common &= !depends_on_rows(&value.op, &value.ty.dims);
        for operand in value.op.operands() {
            let operand = known[operand.index()];
            this.is_common &= operand.is_common;
            this.reads_shared |= operand.reads_shared;
            this.is_costly |= operand.is_costly;
        }
        known.push(this);
    }
    known
}

/// Whether the number of rows of a branch has a say in the value.
fn depends_on_rows(op: &Op, dims: &[Size]) -> bool {
    let within = match op {
        Op::SizeOf(size) | Op::Eye { offset: size } => size.depends_on_rows(),
        Op::Loop(l) => {
            let mut values = l.body.values.iter();
            l.max_count.depends_on_rows()
                || values.any(|(_, value)| depends_on_rows(&value.op, &value.ty.dims))
        }
        _ => false,
    };
    within || dims.iter().any(Size::depends_on_rows)
}

/// Whether it takes more than a few instructions for each element.
pub fn is_costly(op: &Op) -> bool {
    match op {
        Op::Unary(op, _) => !matches!(
            op,
            UnaryOp::Neg
                | UnaryOp::Abs
                | UnaryOp::Sign
                | UnaryOp::Square
                | UnaryOp::Floor
                | UnaryOp::Ceil
                | UnaryOp::Trunc
                | UnaryOp::Not
        ),
        Op::Binary(op, ..) => !matches!(
            op,
            BinaryOp::Add
                | BinaryOp::Sub
                | BinaryOp::Mul
                | BinaryOp::Min
                | BinaryOp::Max
                | BinaryOp::Equal
                | BinaryOp::NotEqual
                | BinaryOp::Less
                | BinaryOp::LessEqual
        ),
        Op::Sum(..)
        | Op::Largest(..)
        | Op::Contract { .. }
        | Op::CumulativeSum { .. }
        | Op::SolveLower { .. }
        | Op::Loop(_) => true,
        _ => false,
    }
}

/// Whether the value may have more elements than what it is computed from: such are not kept.
fn expands(op: &Op) -> bool {
    match op {
        Op::Broadcast(..) | Op::DiagonalMatrix(_) | Op::UnpackStrictLower(_) | Op::Stack(_) => true,
        Op::Gather { .. } | Op::ScatterAdd { .. } => true,
        // An outer product.
        Op::Contract { a_axes, b_axes, .. } => !a_axes.iter().any(|label| b_axes.contains(label)),
        _ => false,
    }
}

/// `global` with the hoisted values of `local` as further outputs.
fn extended(
    global: &Function,
    local: &Function,
    hoisted: &[ValueId],
    shared: &[usize],
) -> Function {
    let mut part = local.clone();
    part.outputs.clear();
    for (k, &value) in hoisted.iter().enumerate() {
        let name = name_of(local, value, k);
        part.outputs.push(crate::ir::op::Output { name, value });
    }
    let all: Vec<usize> = (0..hoisted.len()).collect();
    let part = extract(&part, &all, "hoisted");
    let mut b = Builder::new(global.name.clone());
    let inputs = b.inputs_of(global);
    let copied = b.inline(global, &inputs);
    for output in &global.outputs {
        b.output(output.name.clone(), copied[output.value.index()]);
    }
    let mut inputs = Vec::new();
    for input in &part.inputs {
        inputs.push(match input.kind {
            InputKind::Shared(k) => copied[global.outputs[shared[k]].value.index()],
            kind => b.input(kind, &input.name, input.ty.clone()),
        });
    }
    let copied = b.inline(&part, &inputs);
    for output in &part.outputs {
        b.output(output.name.clone(), copied[output.value.index()]);
    }
    b.finish()
}

/// `local` with inputs in place of what was hoisted, the first being `Shared(first)`.
fn reading(local: &Function, hoisted: &[ValueId], first: usize) -> Function {
    let mut b = Builder::new(local.name.clone());
    let mut copied: Vec<ValueId> = Vec::with_capacity(local.values.len());
    for (id, value) in local.values.iter() {
        b.set_span(value.span);
        let copy = match (&value.op, hoisted.binary_search(&id)) {
            (_, Ok(k)) => {
                let kind = InputKind::Shared(first + k);
                b.input(kind, &name_of(local, id, k), value.ty.clone())
            }
            (Op::Input(k), _) => {
                let input = &local.inputs[*k];
                b.input(input.kind, &input.name, input.ty.clone())
            }
            (op, _) => b.emit(op, &value.ty, &|v: ValueId| copied[v.index()]),
        };
        copied.push(copy);
    }
    for output in &local.outputs {
        b.output(output.name.clone(), copied[output.value.index()]);
    }
    b.finish()
}

/// What a hoisted value is called in dumps.
fn name_of(local: &Function, value: ValueId, k: usize) -> String {
    match local.outputs.iter().find(|output| output.value == value) {
        Some(output) => output.name.clone(),
        None => format!("hoisted {}", k + 1),
    }
}
