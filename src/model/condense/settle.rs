//! Conditions on data alone: those that hold for every branch and row are settled once.

use super::known::Known;
use crate::ir::build::Builder;
use crate::ir::op::{Function, Op, UnaryOp, ValueId};

/// Conditions that a function asks of data alone.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// The values that are asked.
    asked: Vec<ValueId>,
    /// Of data of a branch: for each, how often it does not hold.
    pub violations: Function,
}

/// The conditions in the function of a branch; none where there are none.
pub fn conditions(local: &Function) -> Option<Conditions> {
    let known = Known::of(local);
    let mut asked: Vec<ValueId> = Vec::new();
    for (_, value) in local.values.iter() {
        if let Op::Select(condition, ..) = value.op
            && known.is_data(condition)
            && !asked.contains(&condition)
        {
            asked.push(condition);
        }
    }
    if asked.is_empty() {
        return None;
    }
    let mut b = Builder::new("conditions on data");
    let inputs = b.inputs_of(local);
    let copied = b.inline(local, &inputs);
    for (k, condition) in asked.iter().enumerate() {
        let fails = b.unary(UnaryOp::Not, copied[condition.index()]);
        let count = b.sum(fails);
        b.output(format!("violations of {}", k + 1), count);
    }
    Some(Conditions { asked, violations: b.finish() })
}

/// The function with the conditions that hold taken for granted; one of `holds` for each.
pub fn settle(local: &Function, conditions: &Conditions, holds: &[bool]) -> Function {
    let mut b = Builder::new(local.name.clone());
    let inputs = b.inputs_of(local);
    let mut copied: Vec<ValueId> = Vec::with_capacity(local.values.len());
    for (id, value) in local.values.iter() {
        b.set_span(value.span);
        let place = conditions.asked.iter().position(|&asked| asked == id);
        let copy = match &value.op {
            _ if place.is_some_and(|place| holds[place]) => {
                let one = b.int(1);
                b.broadcast(one, &[], &value.ty.dims)
            }
            Op::Input(k) => inputs[*k],
            Op::Select(condition, a, _) if is_settled(conditions, holds, *condition) => {
                copied[a.index()]
            }
            op => b.emit(op, &value.ty, &|v: ValueId| copied[v.index()]),
        };
        copied.push(copy);
    }
    for output in &local.outputs {
        b.output(output.name.clone(), copied[output.value.index()]);
    }
    b.finish()
}

fn is_settled(conditions: &Conditions, holds: &[bool], condition: ValueId) -> bool {
    let place = conditions.asked.iter().position(|&asked| asked == condition);
    place.is_some_and(|place| holds[place])
}
