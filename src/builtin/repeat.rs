//! Loops over ops: what functions and transforms compute step by step.

use crate::ir::build::Builder;
use crate::ir::op::{InputKind, Loop, ValueId, ValueType};
use crate::ty::Size;

/// One step: the number of steps before it, an `Int` scalar, the carried and the captured values
/// in; the next carried values out, of the same types.
pub type Step<'a> = &'a dyn Fn(&mut Builder, ValueId, &[ValueId], &[ValueId]) -> Vec<ValueId>;

/// The values that are carried through `count` steps. Steps see nothing of what is outside but
/// the captured values.
pub fn repeat(
    b: &mut Builder,
    count: &Size,
    carried: &[ValueId],
    captured: &[ValueId],
    step: Step,
) -> Vec<ValueId> {
    let mut body = Builder::new("step");
    let index = body.input(InputKind::LoopIndex, "step", ValueType::int());
    let inputs = |body: &mut Builder, values: &[ValueId], kind: fn(usize) -> InputKind| {
        let declare = |(k, &value): (usize, &ValueId)| body.input(kind(k), "", b.ty(value).clone());
        values.iter().enumerate().map(declare).collect::<Vec<ValueId>>()
    };
    let before = inputs(&mut body, carried, InputKind::Carried);
    let fixed = inputs(&mut body, captured, InputKind::Captured);
    let after = step(&mut body, index, &before, &fixed);
    for value in after {
        body.output("next", value);
    }
    let n = b.size(count);
    let repeated = b.push_loop(Loop {
        count: n,
        max_count: count.clone(),
        reverse: false,
        body: body.into_function(),
        carried: carried.to_vec(),
        captured: captured.to_vec(),
    });
    (0..carried.len()).map(|k| b.result(repeated, k)).collect()
}
