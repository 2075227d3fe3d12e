//! Derivatives of loops: a loop again, whose body is the derivative of the body.

use std::collections::HashMap;

use super::forward::{push_forward, zero_tangent};
use super::reverse::{Active, Adjoints, zeros};
use crate::ir::build::Builder;
use crate::ir::op::{Function, InputKind, Loop, Op, ValueId, ValueType};
use crate::ty::Size;

/// A loop that computes tangents beside values, and where its results are.
pub struct PushedLoop {
    value: ValueId,
    /// For each result of the original loop, the number of its tangent here.
    tangents: Vec<Option<usize>>,
    /// For each result of the original loop, its number here.
    values: Vec<usize>,
}

/// The k-th result of the original loop and its tangent.
pub fn result_forward(
    b: &mut Builder,
    pushed: &PushedLoop,
    k: usize,
) -> (ValueId, Option<ValueId>) {
    let value = b.result(pushed.value, pushed.values[k]);
    let tangent = pushed.tangents[k].map(|k| b.result(pushed.value, k));
    (value, tangent)
}

/// Copies a loop in with tangents of what it carries, captures and stacks.
pub fn push_loop_forward(
    b: &mut Builder,
    l: &Loop,
    of: &dyn Fn(ValueId) -> (ValueId, Option<ValueId>),
    n: &Size,
) -> PushedLoop {
    let mut carried_active: Vec<bool> = l.carried.iter().map(|&v| of(v).1.is_some()).collect();
    let captured_active: Vec<bool> = l.captured.iter().map(|&v| of(v).1.is_some()).collect();
    let (body, stacked_active) = loop {
        let (body, output_active) = forward_body(l, &carried_active, &captured_active, n);
        let grown: Vec<bool> =
            carried_active.iter().zip(&output_active).map(|(&a, &b)| a || b).collect();
        if grown == carried_active {
            break (body, output_active[l.carried.len()..].to_vec());
        }
        carried_active = grown;
    };
    let mut carried: Vec<ValueId> = l.carried.iter().map(|&v| of(v).0).collect();
    let mut tangents = Vec::new();
    for (&init, _) in l.carried.iter().zip(&carried_active).filter(|(_, active)| **active) {
        tangents.push(Some(carried.len()));
        let (value, tangent) = of(init);
        carried.push(tangent.unwrap_or_else(|| zero_tangent(b, value, n)));
    }
    let mut captured: Vec<ValueId> = l.captured.iter().map(|&v| of(v).0).collect();
    captured.extend(l.captured.iter().filter_map(|&v| of(v).1));
    let mut in_order = tangents.into_iter();
    let n_carried = carried.len();
    let mut tangent_of: Vec<Option<usize>> = carried_active
        .iter()
        .map(|&active| if active { in_order.next().flatten() } else { None })
        .collect();
    let mut values: Vec<usize> = (0..l.carried.len()).collect();
    let mut next = n_carried;
    for _ in &stacked_active {
        values.push(next);
        next += 1;
    }
    for &active in &stacked_active {
        tangent_of.push(active.then_some(next));
        next += usize::from(active);
    }
    let value = b.push_loop(Loop {
        count: of(l.count).0,
        max_count: l.max_count.clone(),
        reverse: l.reverse,
        body,
        carried,
        captured,
    });
    PushedLoop { value, tangents: tangent_of, values }
}

/// The body with tangents, and which of its outputs have one. Outputs: next carried values,
/// tangents of active ones, stacked values, tangents of active ones.
fn forward_body(
    l: &Loop,
    carried_active: &[bool],
    captured_active: &[bool],
    n: &Size,
) -> (Function, Vec<bool>) {
    let mut b = Builder::new(format!("{} forward", l.body.name));
    let mut inputs = vec![b.input(InputKind::LoopIndex, "i", ValueType::int())];
    let mut tangents = vec![None];
    let (n_carried, n_captured) = (l.carried.len(), l.captured.len());
    let ty = |k: usize| l.body.inputs[k].ty.clone();
    let with_directions = |ty: ValueType| {
        let mut dims = ty.dims;
        dims.push(n.clone());
        ValueType::reals(dims)
    };
    type Kind = fn(usize) -> InputKind;
    let sections: [(usize, usize, &[bool], Kind); 2] = [
        (1, n_carried, carried_active, InputKind::Carried),
        (1 + n_carried, n_captured, captured_active, InputKind::Captured),
    ];
    for (first, count, active, kind) in sections {
        for k in 0..count {
            inputs.push(b.input(kind(k), &l.body.inputs[first + k].name, ty(first + k)));
        }
        let mut extra = count;
        for (k, &is_active) in active.iter().enumerate().take(count) {
            tangents.push(is_active.then(|| {
                let name = format!("d {}", l.body.inputs[first + k].name);
                let input = b.input(kind(extra), &name, with_directions(ty(first + k)));
                extra += 1;
                input
            }));
        }
    }
    let pushed = push_forward(&mut b, &l.body, &inputs, &tangents, n);
    let outputs: Vec<_> = l.body.outputs.iter().map(|o| pushed.outputs_of(o.value)).collect();
    let active: Vec<bool> = outputs.iter().map(|(_, tangent)| tangent.is_some()).collect();
    for (value, _) in &outputs[..n_carried] {
        b.output("next", *value);
    }
    for (k, (value, tangent)) in outputs[..n_carried].iter().enumerate() {
        if carried_active[k] {
            let tangent = tangent.unwrap_or_else(|| zero_tangent(&mut b, *value, n));
            b.output("d next", tangent);
        }
    }
    for (value, _) in &outputs[n_carried..] {
        b.output("stacked", *value);
    }
    for tangent in outputs[n_carried..].iter().filter_map(|(_, tangent)| *tangent) {
        b.output("d stacked", tangent);
    }
    (b.into_function(), active)
}

/// Appends the reverse of loop `id`, given the adjoints of its results. Returns operands with
/// their adjoints. What the reverse needs of each iteration is stacked by the loop itself,
/// which gains outputs.
pub fn reverse_loop(
    b: &mut Builder,
    id: ValueId,
    results: &HashMap<usize, ValueId>,
    is_active: &dyn Fn(ValueId) -> bool,
) -> Vec<(ValueId, ValueId)> {
    let Op::Loop(l) = b.op(id).clone() else { unreachable!("called on loops alone") };
    let step = ReverseStep::new(&l, results, is_active);
    let residuals = step.residuals();
    let stacks: Vec<ValueId> = step.widen_primal(b, id, &residuals);
    let (body, captured) = step.body(&l, results, &residuals, &stacks);
    let mut carried = Vec::new();
    for &j in &step.carried {
        let dims = l.body.values[l.body.outputs[j].value].ty.dims.clone();
        carried.push(results.get(&j).copied().unwrap_or_else(|| zeros(b, &dims)));
    }
    for &k in &step.captured {
        let dims = b.dims(l.captured[k]).to_vec();
        carried.push(zeros(b, &dims));
    }
    let reverse = b.push_loop(Loop {
        count: l.count,
        max_count: l.max_count.clone(),
        reverse: !l.reverse,
        body,
        carried,
        captured,
    });
    let operands = step.carried.iter().map(|&j| l.carried[j]);
    let operands = operands.chain(step.captured.iter().map(|&k| l.captured[k]));
    operands.enumerate().map(|(k, operand)| (operand, b.result(reverse, k))).collect()
}

/// One iteration forwards and then backwards, before it is cut in two.
struct ReverseStep {
    /// Values: the body's own, then adjoints.
    work: Function,
    /// How many values are the body's own.
    n_primal: usize,
    /// Where the body's outputs went.
    outputs: Vec<ValueId>,
    /// Positions of the carried values that have adjoints, and of the captured ones.
    carried: Vec<usize>,
    captured: Vec<usize>,
    /// The adjoints of these, carried first.
    adjoints: Vec<ValueId>,
    /// Whether each value of `work` depends on carried values.
    is_carried: Vec<bool>,
}

impl ReverseStep {
    fn new(
        l: &Loop,
        results: &HashMap<usize, ValueId>,
        is_active: &dyn Fn(ValueId) -> bool,
    ) -> Self {
        let n_carried = l.carried.len();
        let mut b = Builder::new(format!("{} reverse", l.body.name));
        let inputs = b.inputs_of(&l.body);
        let copied = b.inline(&l.body, &inputs);
        let n_primal = b.len();
        let outputs: Vec<ValueId> =
            l.body.outputs.iter().map(|o| copied[o.value.index()]).collect();
        let captured_active: Vec<bool> = l.captured.iter().map(|&v| is_active(v)).collect();
        let mut carried_active: Vec<bool> = l.carried.iter().map(|&v| is_active(v)).collect();
        let active = loop {
            let flags = carried_active.iter().chain(&captured_active);
            let sources =
                inputs[1..].iter().zip(flags).filter(|(_, active)| **active).map(|(&v, _)| v);
            let active = Active::from(&b, sources);
            let grown: Vec<bool> =
                (0..n_carried).map(|j| carried_active[j] || active.has(outputs[j])).collect();
            if grown == carried_active {
                break active;
            }
            carried_active = grown;
        };
        let mut adjoints = Adjoints::new(active);
        let positions = |flags: &[bool]| -> Vec<usize> {
            flags.iter().enumerate().filter(|(_, f)| **f).map(|(k, _)| k).collect()
        };
        let (carried, captured) = (positions(&carried_active), positions(&captured_active));
        // Sums over iterations start where the last iteration left them.
        for &k in &captured {
            let value = inputs[1 + n_carried + k];
            let ty = ValueType::reals(b.dims(value).to_vec());
            let kind = InputKind::Cotangent(outputs.len() + k);
            let sum = b.input(kind, "adjoint of captured", ty);
            adjoints.set(value, sum);
        }
        for (m, &output) in outputs.iter().enumerate() {
            let has_adjoint =
                if m < n_carried { carried_active[m] } else { results.contains_key(&m) };
            if has_adjoint {
                let ty = ValueType::reals(b.dims(output).to_vec());
                let seed = b.input(InputKind::Cotangent(m), "adjoint", ty);
                adjoints.add(&mut b, output, seed);
            }
        }
        adjoints.sweep(&mut b);
        let mut of = |value: ValueId| match adjoints.of(value) {
            Some(adjoint) => adjoint,
            None => b.zeros_like(value),
        };
        let found: Vec<ValueId> = carried
            .iter()
            .map(|&j| inputs[1 + j])
            .chain(captured.iter().map(|&k| inputs[1 + n_carried + k]))
            .map(&mut of)
            .collect();
        let work = b.into_function();
        let is_carried = depends_on_carried(&work);
        ReverseStep { work, n_primal, outputs, carried, captured, adjoints: found, is_carried }
    }

    /// Whether a value is the body's own: its values, and what loops in it stack for their
    /// own reverse.
    fn is_primal(&self, id: ValueId) -> bool {
        id.index() < self.n_primal
            || matches!(self.work.values[id].op, Op::Result(l, _) if l.index() < self.n_primal)
    }

    fn is_residual(&self, id: ValueId) -> bool {
        self.is_primal(id) && self.is_carried[id.index()]
    }

    /// Values that the reverse needs, without those behind residuals.
    fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.work.values.len()];
        for adjoint in &self.adjoints {
            needed[adjoint.index()] = true;
        }
        for (id, value) in self.work.values.iter().rev() {
            if needed[id.index()] && !self.is_residual(id) {
                for operand in value.op.operands() {
                    needed[operand.index()] = true;
                }
            }
        }
        needed
    }

    /// What each iteration has to hand to its reverse: the needed values that depend on
    /// carried ones. Others are computed again.
    fn residuals(&self) -> Vec<ValueId> {
        let needed = self.needed();
        self.work.values.ids().filter(|&id| needed[id.index()] && self.is_residual(id)).collect()
    }

    /// Gives the original loop the body that also stacks the residuals; returns the stacks.
    fn widen_primal(&self, b: &mut Builder, id: ValueId, residuals: &[ValueId]) -> Vec<ValueId> {
        let Op::Loop(l) = b.op(id) else { unreachable!("a loop") };
        let mut wide = Builder::new(l.body.name.clone());
        for input in &l.body.inputs {
            wide.input(input.kind, &input.name, input.ty.clone());
        }
        let names: Vec<String> = l.body.outputs.iter().map(|o| o.name.clone()).collect();
        let wanted: Vec<ValueId> = self.outputs.iter().chain(residuals).copied().collect();
        let copied = copy_needed(&mut wide, &self.work, &wanted, HashMap::new());
        for (name, output) in names.into_iter().zip(&self.outputs) {
            wide.output(name, copied[output]);
        }
        let body = wide.into_function();
        b.replace_body(id, body);
        residuals.iter().map(|residual| b.add_stacked_output(id, copied[residual])).collect()
    }

    /// The body of the reverse loop and what it captures.
    fn body(
        &self,
        l: &Loop,
        results: &HashMap<usize, ValueId>,
        residuals: &[ValueId],
        stacks: &[ValueId],
    ) -> (Function, Vec<ValueId>) {
        let mut b = Builder::new(self.work.name.clone());
        let index = b.input(InputKind::LoopIndex, "i", ValueType::int());
        let needed = self.needed();
        let mut known: HashMap<ValueId, ValueId> = HashMap::new();
        let mut by_kind: HashMap<InputKind, ValueId> = HashMap::new();
        for (id, value) in self.work.values.iter() {
            if let Op::Input(k) = value.op {
                by_kind.insert(self.work.inputs[k].kind, id);
            }
        }
        // Carried: adjoints of carried values, then running sums for captured ones.
        let seeds = self.carried.iter().copied();
        let sums = self.captured.iter().map(|&k| self.outputs.len() + k);
        for (position, m) in seeds.chain(sums).enumerate() {
            let id = by_kind[&InputKind::Cotangent(m)];
            let ty = self.work.values[id].ty.clone();
            let input = b.input(InputKind::Carried(position), "adjoint", ty);
            known.insert(id, input);
        }
        let mut captured = Vec::new();
        let mut capture = |b: &mut Builder, outer: ValueId, ty: ValueType| {
            captured.push(outer);
            b.input(InputKind::Captured(captured.len() - 1), "captured", ty)
        };
        for (kind, &id) in sorted(&by_kind) {
            if !needed[id.index()] {
                continue;
            }
            let ty = self.work.values[id].ty.clone();
            match kind {
                InputKind::LoopIndex => {
                    known.insert(id, index);
                }
                InputKind::Captured(k) => {
                    let input = capture(&mut b, l.captured[k], ty);
                    known.insert(id, input);
                }
                InputKind::Cotangent(m) if (l.carried.len()..self.outputs.len()).contains(&m) => {
                    let slice = stacked_type(&ty, &l.max_count);
                    let stack = capture(&mut b, results[&m], slice);
                    known.insert(id, at_iteration(&mut b, stack, index));
                }
                _ => {}
            }
        }
        for (&residual, &stack) in residuals.iter().zip(stacks) {
            let ty = stacked_type(&self.work.values[residual].ty, &l.max_count);
            let input = capture(&mut b, stack, ty);
            known.insert(residual, at_iteration(&mut b, input, index));
        }
        let copied = copy_needed(&mut b, &self.work, &self.adjoints, known);
        for adjoint in &self.adjoints {
            b.output("adjoint", copied[adjoint]);
        }
        (b.into_function(), captured)
    }
}

fn sorted(by_kind: &HashMap<InputKind, ValueId>) -> Vec<(InputKind, &ValueId)> {
    let mut kinds: Vec<_> = by_kind.iter().map(|(kind, id)| (*kind, id)).collect();
    kinds.sort_by_key(|(_, id)| **id);
    kinds
}

fn stacked_type(ty: &ValueType, max_count: &Size) -> ValueType {
    let mut ty = ty.clone();
    ty.dims.insert(0, max_count.clone());
    ty
}

fn at_iteration(b: &mut Builder, stack: ValueId, index: ValueId) -> ValueId {
    let mut at = vec![None; b.rank(stack)];
    at[0] = Some(index);
    b.index(stack, at)
}

/// Copies what `wanted` needs of `from`, where `known` values are there already.
/// Inputs of `from` not in `known` are declared as they are.
fn copy_needed(
    b: &mut Builder,
    from: &Function,
    wanted: &[ValueId],
    known: HashMap<ValueId, ValueId>,
) -> HashMap<ValueId, ValueId> {
    let mut needed = vec![false; from.values.len()];
    for value in wanted {
        needed[value.index()] = true;
    }
    for (id, value) in from.values.iter().rev() {
        if needed[id.index()] && !known.contains_key(&id) {
            for operand in value.op.operands() {
                needed[operand.index()] = true;
            }
        }
    }
    let mut copied = known;
    for (id, value) in from.values.iter() {
        if !needed[id.index()] || copied.contains_key(&id) {
            continue;
        }
        b.set_span(value.span);
        let copy = match &value.op {
            Op::Input(k) => {
                let input = &from.inputs[*k];
                b.input(input.kind, &input.name, input.ty.clone())
            }
            op => b.emit(op, &value.ty, &|v| copied[&v]),
        };
        copied.insert(id, copy);
    }
    copied
}

fn depends_on_carried(function: &Function) -> Vec<bool> {
    let mut depends = vec![false; function.values.len()];
    for (id, value) in function.values.iter() {
        depends[id.index()] = match &value.op {
            Op::Input(k) => matches!(function.inputs[*k].kind, InputKind::Carried(_)),
            op => op.operands().iter().any(|v| depends[v.index()]),
        };
    }
    depends
}
