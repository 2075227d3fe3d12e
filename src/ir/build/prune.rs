//! Copies only what is needed of a function, loops included: a loop keeps the carried values
//! and stacked outputs that somebody reads.

use std::collections::{BTreeSet, HashMap};

use super::Builder;
use crate::ir::op::{Function, Input, InputKind, Loop, Op, ValueId};

/// The function that computes only the outputs with these positions.
pub fn extract(function: &Function, outputs: &[usize], name: &str) -> Function {
    let wanted: Vec<ValueId> = outputs.iter().map(|&k| function.outputs[k].value).collect();
    let mut b = Builder::new(name);
    let declare =
        |b: &mut Builder, input: &Input| b.input(input.kind, &input.name, input.ty.clone());
    let copied = copy(&mut b, function, &wanted, &declare);
    for &k in outputs {
        let output = &function.outputs[k];
        b.output(output.name.clone(), copied[&output.value]);
    }
    b.into_function()
}

/// A loop without what nobody reads, and the new numbers of its results.
struct Pruned {
    parts: Loop,
    results: HashMap<usize, usize>,
}

/// What of a function is needed.
struct Needed {
    values: Vec<bool>,
    loops: HashMap<ValueId, Pruned>,
}

impl Needed {
    fn by(function: &Function, wanted: &[ValueId]) -> Needed {
        let mut values = vec![false; function.values.len()];
        let mut results: HashMap<ValueId, BTreeSet<usize>> = HashMap::new();
        let mut loops = HashMap::new();
        for value in wanted {
            values[value.index()] = true;
        }
        for (id, value) in function.values.iter().rev() {
            if !values[id.index()] {
                continue;
            }
            match &value.op {
                Op::Result(l, k) => {
                    values[l.index()] = true;
                    results.entry(*l).or_default().insert(*k);
                }
                Op::Loop(l) => {
                    let pruned = prune(l, &results.remove(&id).unwrap_or_default());
                    let parts = &pruned.parts;
                    values[parts.count.index()] = true;
                    for operand in parts.carried.iter().chain(&parts.captured) {
                        values[operand.index()] = true;
                    }
                    loops.insert(id, pruned);
                }
                op => op.operands().iter().for_each(|v| values[v.index()] = true),
            }
        }
        Needed { values, loops }
    }
}

/// Copies what `wanted` needs into `b`; returns where each needed value went.
fn copy(
    b: &mut Builder,
    function: &Function,
    wanted: &[ValueId],
    declare: &dyn Fn(&mut Builder, &Input) -> ValueId,
) -> HashMap<ValueId, ValueId> {
    let needed = Needed::by(function, wanted);
    let mut copied: HashMap<ValueId, ValueId> = HashMap::new();
    for (id, value) in function.values.iter() {
        if !needed.values[id.index()] {
            continue;
        }
        b.set_span(value.span);
        let of = |v: ValueId| copied[&v];
        let copy = match &value.op {
            Op::Input(k) => declare(b, &function.inputs[*k]),
            Op::Loop(_) => {
                let op = Op::Loop(Box::new(needed.loops[&id].parts.clone()));
                b.emit(&op, &value.ty, &of)
            }
            Op::Result(l, k) => b.result(of(*l), needed.loops[l].results[k]),
            op => b.emit(op, &value.ty, &of),
        };
        copied.insert(id, copy);
    }
    copied
}

fn prune(l: &Loop, used: &BTreeSet<usize>) -> Pruned {
    let (outputs, read) = closure(l, used);
    let kept = |kind: fn(usize) -> InputKind, count: usize, always: &dyn Fn(usize) -> bool| {
        (0..count).filter(|&k| read.contains(&kind(k)) || always(k)).collect::<Vec<usize>>()
    };
    let carried = kept(InputKind::Carried, l.carried.len(), &|k| outputs.contains(&k));
    let captured = kept(InputKind::Captured, l.captured.len(), &|_| false);
    let body = prune_body(l, &outputs, &carried, &captured);
    let results = outputs.iter().enumerate().map(|(new, &old)| (old, new)).collect();
    let parts = Loop {
        count: l.count,
        max_count: l.max_count.clone(),
        reverse: l.reverse,
        body,
        carried: carried.iter().map(|&k| l.carried[k]).collect(),
        captured: captured.iter().map(|&k| l.captured[k]).collect(),
    };
    Pruned { parts, results }
}

/// The outputs that are used, or that keep carried values alive that these need; and the
/// inputs that all of them read.
fn closure(l: &Loop, used: &BTreeSet<usize>) -> (BTreeSet<usize>, BTreeSet<InputKind>) {
    let mut outputs = used.clone();
    loop {
        let wanted: Vec<ValueId> = outputs.iter().map(|&k| l.body.outputs[k].value).collect();
        let needed = Needed::by(&l.body, &wanted);
        let mut read = BTreeSet::new();
        for (id, value) in l.body.values.iter() {
            if let Op::Input(k) = value.op
                && needed.values[id.index()]
            {
                read.insert(l.body.inputs[k].kind);
            }
        }
        let carried = (0..l.carried.len()).filter(|&k| read.contains(&InputKind::Carried(k)));
        let before = outputs.len();
        outputs.extend(carried);
        if outputs.len() == before {
            return (outputs, read);
        }
    }
}

fn prune_body(
    l: &Loop,
    outputs: &BTreeSet<usize>,
    carried: &[usize],
    captured: &[usize],
) -> Function {
    let mut b = Builder::new(l.body.name.clone());
    let renumbered = |kind: InputKind| match kind {
        InputKind::Carried(k) => {
            InputKind::Carried(carried.iter().position(|&c| c == k).expect("kept"))
        }
        InputKind::Captured(k) => {
            InputKind::Captured(captured.iter().position(|&c| c == k).expect("kept"))
        }
        other => other,
    };
    let is_kept = |kind: InputKind| match kind {
        InputKind::Carried(k) => carried.contains(&k),
        InputKind::Captured(k) => captured.contains(&k),
        _ => true,
    };
    for input in l.body.inputs.iter().filter(|input| is_kept(input.kind)) {
        b.input(renumbered(input.kind), &input.name, input.ty.clone());
    }
    let wanted: Vec<ValueId> = outputs.iter().map(|&k| l.body.outputs[k].value).collect();
    let declare = |b: &mut Builder, input: &Input| {
        b.input(renumbered(input.kind), &input.name, input.ty.clone())
    };
    let copied = copy(&mut b, &l.body, &wanted, &declare);
    for &k in outputs {
        let output = &l.body.outputs[k];
        b.output(output.name.clone(), copied[&output.value]);
    }
    b.into_function()
}
