//! What machine code does for a function, in words: why a model is fast or slow.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::kernels::{MatrixProduct, elementary};
use super::schedule::{Storage, calls, plan};
use super::table::indices_of_rows;
use crate::ir::op::{BinaryOp, Function, Loop, Op, Value, ValueId};

/// Kinds of work, in the order in which they are told.
const KINDS: [&str; 5] = [
    "by kernels, at the width of the machine",
    "by a call for each element",
    "step by step",
    "sums and products of other shapes, in plain loops",
    "arrays written to memory on the way",
];

/// The work of one function, by kind and by what is done; how often.
#[derive(Default)]
struct Work {
    counts: [BTreeMap<String, usize>; KINDS.len()],
}

/// What calling a function means.
pub fn work(function: &Function) -> String {
    let mut work = Work::default();
    work.add(function, "");
    let mut text = format!("{}\n", function.name);
    let mut is_empty = true;
    for (kind, counts) in KINDS.iter().zip(&work.counts).filter(|(_, counts)| !counts.is_empty()) {
        is_empty = false;
        writeln!(text, "  {kind}").expect("text can be written to");
        for (what, count) in counts {
            let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
            writeln!(text, "    {what}{times}").expect("text can be written to");
        }
    }
    if is_empty {
        text.push_str("  a few numbers\n");
    }
    text
}

impl Work {
    fn add(&mut self, function: &Function, within: &str) {
        let plan = plan(function);
        let needed =
            function.values.iter().filter(|(id, _)| plan.storage[id.index()] != Storage::Dead);
        for (id, value) in needed {
            if let Op::Loop(l) = &value.op {
                self.add_loop(function, l, within);
            } else if let Some((kind, what)) = of_value(function, value) {
                self.note(kind, format!("{what}{within}"));
            }
            if plan.storage[id.index()] == Storage::Buffer {
                self.note(4, format!("{}{within}", value.ty));
            }
        }
    }

    fn add_loop(&mut self, function: &Function, l: &Loop, within: &str) {
        let steps = match &function.values[l.count].op {
            Op::SizeOf(size) => format!("{size} steps"),
            _ => format!("at most {} steps", l.max_count),
        };
        let what = format!("{} of {steps}", l.body.name);
        self.note(2, format!("{what}{within}"));
        self.add(&l.body, &format!(", in each step of {}{within}", l.body.name));
    }

    fn note(&mut self, kind: usize, what: String) {
        *self.counts[kind].entry(what).or_default() += 1;
    }
}

/// The kind of work that a value is, and what it does; nothing where it is arithmetic that is
/// done along with what reads it.
fn of_value(function: &Function, value: &Value) -> Option<(usize, String)> {
    let ty = |id: ValueId| function.values[id].ty.to_string();
    let is_array = value.ty.rank() > 0;
    Some(match &value.op {
        Op::Unary(op, _) if is_array && elementary(*op).is_some() => {
            (0, format!("{} of {}", elementary(*op)?, value.ty))
        }
        Op::Unary(op, _) if is_array && calls(*op) => (1, format!("{op:?} of {}", value.ty)),
        Op::Binary(
            op @ (BinaryOp::Pow
            | BinaryOp::Rem
            | BinaryOp::Atan2
            | BinaryOp::Hypot
            | BinaryOp::LogBeta
            | BinaryOp::Partial(..)),
            ..,
        ) if is_array => (1, format!("{op:?} of {}", value.ty)),
        op if indices_of_rows(function, op, value.ty.rank()).is_some() => {
            (0, format!("rows {}", value.ty))
        }
        op if MatrixProduct::of(op, value.ty.rank()).is_some() => {
            let product = MatrixProduct::of(op, value.ty.rank())?;
            (0, format!("product of {} and {}", ty(product.left.value), ty(product.right.value)))
        }
        Op::Contract { a, b, .. } => (3, format!("product of {} and {}", ty(*a), ty(*b))),
        Op::Sum(a, _) => (3, format!("sum of {}", ty(*a))),
        Op::SolveLower { matrix, rhs, .. } => {
            (3, format!("solution of {} for {}", ty(*matrix), ty(*rhs)))
        }
        Op::ScatterAdd { value, .. } => (3, format!("{} added in places", ty(*value))),
        _ => return None,
    })
}
