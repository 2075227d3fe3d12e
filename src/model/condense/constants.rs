//! What a branch computes of its data alone, as numbers that it reads.

use super::known::Known;
use super::{Extents, length};
use crate::ir::build::{Builder, extract};
use crate::ir::op::{Function, InputKind, Op, Output, ValueId};
use crate::lower::is_costly;

/// Statistics longer than this many numbers, and than the rows of a branch, are not kept.
const MAX_LENGTH: usize = 16;

/// The function with inputs, `Statistic(first)` and those after it, in place of what costs more
/// than reading it and depends on data alone; and the function that gives these. What has one
/// element a row stays.
pub fn extract_constants(
    local: &Function,
    first: usize,
    extents: &Extents,
) -> (Function, Function) {
    let constants = constants(local, extents);
    let mut function = local.clone();
    let output = |&value: &ValueId| Output { name: "statistic".to_string(), value };
    function.outputs = constants.iter().map(output).collect();
    let all: Vec<usize> = (0..constants.len()).collect();
    let function = extract(&function, &all, "statistics");
    (reading(local, &constants, first), function)
}

/// The values worth computing once, none of which is needed for another alone.
fn constants(local: &Function, extents: &Extents) -> Vec<ValueId> {
    let known = Known::of(local);
    let is_whole = |id: ValueId| !local.values[id].ty.dims.iter().any(|dim| dim.depends_on_rows());
    let is_short = |id: ValueId| {
        let most = MAX_LENGTH.max(extents.mean_rows as usize);
        length(&local.values[id].ty, extents) <= most
    };
    let costly = costly(local);
    let mut wanted: Vec<ValueId> = local.outputs.iter().map(|output| output.value).collect();
    for (id, value) in local.values.iter() {
        if !known.is_data(id) {
            wanted.extend(value.op.operands());
        }
    }
    let mut found = Vec::new();
    let mut is_seen = vec![false; local.values.len()];
    while let Some(id) = wanted.pop() {
        if std::mem::replace(&mut is_seen[id.index()], true) || !known.is_data(id) {
            continue;
        }
        let op = &local.values[id].op;
        let is_result = matches!(op, Op::Loop(_) | Op::Result(..));
        if costly[id.index()] && is_whole(id) && is_short(id) && !is_result {
            found.push(id);
        } else {
            wanted.extend(op.operands());
        }
    }
    found.sort();
    found
}

/// Which values take more than a few instructions.
fn costly(local: &Function) -> Vec<bool> {
    let mut costly: Vec<bool> = Vec::with_capacity(local.values.len());
    for (_, value) in local.values.iter() {
        let operands = value.op.operands();
        costly.push(is_costly(&value.op) || operands.iter().any(|v| costly[v.index()]));
    }
    costly
}

fn reading(local: &Function, constants: &[ValueId], first: usize) -> Function {
    let mut b = Builder::new(local.name.clone());
    let inputs = b.inputs_of(local);
    let mut copied: Vec<ValueId> = Vec::with_capacity(local.values.len());
    for (id, value) in local.values.iter() {
        b.set_span(value.span);
        let copy = match (&value.op, constants.binary_search(&id)) {
            (_, Ok(k)) => {
                let name = format!("statistic {}", k + 1);
                b.input(InputKind::Statistic(first + k), &name, value.ty.clone())
            }
            (Op::Input(k), _) => inputs[*k],
            (op, _) => b.emit(op, &value.ty, &|v: ValueId| copied[v.index()]),
        };
        copied.push(copy);
    }
    for output in &local.outputs {
        b.output(output.name.clone(), copied[output.value.index()]);
    }
    b.finish()
}
