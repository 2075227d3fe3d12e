//! Decides, before any code is made, where each value lives and until when.
//!
//! Scalars are registers. Arrays are seen in memory that exists already (`View`), computed
//! element by element inside the loops that read them (`Virtual`), or written to memory of
//! their own (`Buffer`). Nothing costly is computed twice: what is read several times and
//! costs more than loading it gets a buffer.

use std::collections::HashSet;

use super::kernels::{MatrixProduct, elementary};
use super::reduction::Reduction;
use super::table::{GatheredProduct, indices_of_rows, multiplied_rows};
use crate::ir::op::{BinaryOp, Function, InputKind, Op, UnaryOp, ValueId};

/// Where a value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    /// Nothing reads it.
    Dead,
    /// A register.
    Scalar,
    /// Memory of another value or an input, seen through strides.
    View,
    /// Computed where it is read.
    Virtual,
    /// Memory of its own.
    Buffer,
    /// A loop, whose results are views and scalars.
    Loop,
}

/// The decisions about one function.
pub(super) struct Plan {
    /// For each value.
    pub storage: Vec<Storage>,
    /// For each value, the position of the last one that may read its memory.
    pub lifetime: Vec<usize>,
    /// Of `Set`, `AddAt` and `ScatterAdd`: whether the base is changed in place.
    pub in_place: Vec<bool>,
    /// Loops (by position) and carried values that take over the initial value's memory.
    pub carried_in_place: HashSet<(usize, usize)>,
}

/// Memory read after the last value, by whoever gets the outputs.
pub(super) const FOREVER: usize = usize::MAX;

/// Deeper or larger expressions are cut by a buffer, so that emission recurses little.
const MAX_DEPTH: u32 = 32;
const MAX_NODES: u32 = 48;

/// How often an element counts as evaluated when a loop around its reader repeats it.
const REPEATED: u32 = 8;

/// The cost of what may be computed again rather than loaded, in simple operations.
const CHEAP: u32 = 8;

const CALL_COST: u32 = 100;

/// A numerical integral.
const PARTIAL_COST: u32 = 10_000;

pub(super) fn plan(function: &Function) -> Plan {
    let needed = needed(function);
    let multiplied_rows = multiplied_rows(function, &needed);
    let mut scheduler = Scheduler {
        function,
        evaluations: evaluations(function, &needed),
        needs_memory: needs_memory(function, &needed, &multiplied_rows),
        multiplied_rows,
        storage: vec![Storage::Dead; function.values.len()],
        tree: vec![Tree::default(); function.values.len()],
        roots: vec![Vec::new(); function.values.len()],
    };
    for id in function.values.ids().filter(|id| needed[id.index()]) {
        scheduler.decide(id);
    }
    let storage = scheduler.storage;
    let last_read = last_reads(function, &storage, &[]);
    let mut plan = Plan {
        in_place: vec![false; function.values.len()],
        carried_in_place: HashSet::new(),
        lifetime: Vec::new(),
        storage,
    };
    decide_in_place(function, &last_read, &mut plan);
    plan.lifetime = last_reads(function, &plan.storage, &plan.in_place);
    plan
}

fn is_scalar(function: &Function, id: ValueId) -> bool {
    function.values[id].ty.dims.is_empty()
}

/// Values that some output depends on.
fn needed(function: &Function) -> Vec<bool> {
    let mut needed = vec![false; function.values.len()];
    for output in &function.outputs {
        needed[output.value.index()] = true;
    }
    for (id, value) in function.values.iter().rev() {
        if needed[id.index()] {
            for operand in value.op.operands() {
                needed[operand.index()] = true;
            }
        }
    }
    needed
}

/// How often each element of each value is read.
fn evaluations(function: &Function, needed: &[bool]) -> Vec<u32> {
    let mut count = vec![0_u32; function.values.len()];
    for (_, value) in function.values.iter().filter(|(id, _)| needed[id.index()]) {
        let rank = value.ty.rank();
        if let Some(product) = MatrixProduct::of(&value.op, rank) {
            // From memory: how often does not matter.
            product.reads(function).iter().for_each(|read| count[read.index()] += 1);
            continue;
        }
        let reduction = Reduction::of(&value.op, |a| function.values[a].ty.rank(), rank);
        for (slot, operand) in value.op.operands().into_iter().enumerate() {
            let repeats = match &value.op {
                Op::Broadcast(a, _) => rank > function.values[*a].ty.rank(),
                Op::SolveLower { .. } | Op::DiagonalMatrix(_) | Op::Gather { .. } => true,
                _ => reduction.as_ref().is_some_and(|reduction| reduction.repeats(slot)),
            };
            let times = if repeats { REPEATED } else { 1 };
            count[operand.index()] = count[operand.index()].saturating_add(times);
        }
    }
    count
}

/// Arrays that must be in memory: outputs, what loops read, and what kernels compute or read.
fn needs_memory(function: &Function, needed: &[bool], multiplied_rows: &[bool]) -> Vec<bool> {
    let mut needs = vec![false; function.values.len()];
    for output in &function.outputs {
        needs[output.value.index()] = true;
    }
    for (id, value) in function.values.iter().filter(|(id, _)| needed[id.index()]) {
        match &value.op {
            Op::Loop(l) => l.captured.iter().for_each(|captured| needs[captured.index()] = true),
            Op::Unary(op, _) => needs[id.index()] |= elementary(*op).is_some(),
            op => {
                if let Some(indices) = indices_of_rows(function, op, value.ty.rank()) {
                    needs[indices.index()] = true;
                }
                let rank = value.ty.rank();
                let gathered = GatheredProduct::of(function, op, rank);
                let gathered = gathered.filter(|product| multiplied_rows[product.rows.index()]);
                if let Some(product) = gathered {
                    needs[product.vector.index()] = true;
                } else if let Some(product) = MatrixProduct::of(op, rank) {
                    let reads = product.reads(function);
                    reads.iter().for_each(|read| needs[read.index()] = true);
                }
            }
        }
    }
    needs
}

/// The expression that computing one element of a virtual value evaluates.
#[derive(Clone, Copy, Default)]
struct Tree {
    depth: u32,
    nodes: u32,
    cost: u32,
}

struct Scheduler<'a> {
    function: &'a Function,
    evaluations: Vec<u32>,
    needs_memory: Vec<bool>,
    multiplied_rows: Vec<bool>,
    storage: Vec<Storage>,
    tree: Vec<Tree>,
    /// Values whose memory reading this one may read.
    roots: Vec<Vec<ValueId>>,
}

impl Scheduler<'_> {
    fn decide(&mut self, id: ValueId) {
        let op = &self.function.values[id].op;
        self.storage[id.index()] = match op {
            Op::Loop(_) => Storage::Loop,
            _ if self.multiplied_rows[id.index()] => Storage::Virtual,
            _ if is_scalar(self.function, id) => Storage::Scalar,
            Op::Input(_) | Op::Result(..) => Storage::View,
            Op::Broadcast(a, _) | Op::Index(a, _) | Op::Diagonal(a)
                if matches!(self.storage[a.index()], Storage::View | Storage::Buffer) =>
            {
                Storage::View
            }
            Op::Fill(_)
            | Op::Iota
            | Op::Eye { .. }
            | Op::Unary(..)
            | Op::Binary(..)
            | Op::Select(..)
            | Op::Broadcast(..)
            | Op::Index(..)
            | Op::Diagonal(_)
            | Op::DiagonalMatrix(_)
            | Op::LowerTriangle(_) => self.virtual_or_buffer(id),
            _ => Storage::Buffer,
        };
        self.note_roots(id);
        if let Op::Set { base, value, .. } | Op::AddAt { base, value, .. } = op {
            self.separate(*base, *value);
        }
        if let Op::ScatterAdd { base, indices, value, .. } = op {
            self.separate(*base, *value);
            self.separate(*base, *indices);
        }
    }

    fn virtual_or_buffer(&mut self, id: ValueId) -> Storage {
        let op = &self.function.values[id].op;
        let mut tree = Tree { depth: 1, nodes: 1, cost: cost(op) };
        for operand in op.operands() {
            if self.storage[operand.index()] == Storage::Virtual {
                let inner = self.tree[operand.index()];
                tree.depth = tree.depth.max(inner.depth + 1);
                tree.nodes += inner.nodes;
                tree.cost = tree.cost.saturating_add(inner.cost);
            }
        }
        let again = self.evaluations[id.index()].saturating_sub(1);
        let costly = again.saturating_mul(tree.cost) > CHEAP;
        let large = tree.depth > MAX_DEPTH || tree.nodes > MAX_NODES;
        if costly || large || self.needs_memory[id.index()] {
            return Storage::Buffer;
        }
        self.tree[id.index()] = tree;
        Storage::Virtual
    }

    fn note_roots(&mut self, id: ValueId) {
        let op = &self.function.values[id].op;
        let sees_through = match (self.storage[id.index()], op) {
            (Storage::Virtual, _) => true,
            (Storage::View, op) => !matches!(op, Op::Input(_) | Op::Result(..)),
            _ => false,
        };
        if !sees_through {
            self.roots[id.index()] = vec![id];
            return;
        }
        let mut roots: Vec<ValueId> =
            op.operands().iter().flat_map(|operand| self.roots[operand.index()].clone()).collect();
        roots.sort();
        roots.dedup();
        self.roots[id.index()] = roots;
    }

    /// Gives the new part a buffer where reading it would read what is being changed.
    fn separate(&mut self, base: ValueId, value: ValueId) {
        let seen = matches!(self.storage[value.index()], Storage::Virtual | Storage::View);
        let base = &self.roots[base.index()];
        if seen && self.roots[value.index()].iter().any(|root| base.contains(root)) {
            self.storage[value.index()] = Storage::Buffer;
        }
    }
}

/// The cost of one element, in simple operations; operands not counted.
fn cost(op: &Op) -> u32 {
    match op {
        Op::Unary(op, _) if calls(*op) => CALL_COST,
        Op::Unary(UnaryOp::Sqrt | UnaryOp::Recip, _) => 6,
        Op::Binary(
            BinaryOp::Pow | BinaryOp::Rem | BinaryOp::Atan2 | BinaryOp::Hypot | BinaryOp::LogBeta,
            ..,
        ) => CALL_COST,
        Op::Binary(BinaryOp::Partial(..), ..) => PARTIAL_COST,
        Op::Binary(BinaryOp::Div | BinaryOp::IntDiv, ..) => 6,
        Op::Unary(..) | Op::Binary(..) | Op::Select(..) => 1,
        Op::Iota | Op::Eye { .. } | Op::DiagonalMatrix(_) | Op::LowerTriangle(_) => 2,
        _ => 0,
    }
}

/// Whether machine code calls a function for it.
pub(super) fn calls(op: UnaryOp) -> bool {
    use UnaryOp::{Abs, Ceil, Floor, Neg, Not, Recip, Sign, Sqrt, Square, Trunc};
    !matches!(op, Abs | Ceil | Floor | Neg | Not | Recip | Sign | Sqrt | Square | Trunc)
}

/// For each value the last position at which its memory is read, through views and virtual
/// values too, and through values that take its memory over (`in_place`).
fn last_reads(function: &Function, storage: &[Storage], in_place: &[bool]) -> Vec<usize> {
    let mut last = vec![0; function.values.len()];
    for output in &function.outputs {
        last[output.value.index()] = FOREVER;
    }
    for (id, value) in function.values.iter().rev() {
        let position = id.index();
        let passes_on = match storage[position] {
            Storage::Dead => continue,
            Storage::View | Storage::Virtual => true,
            // A loop may have taken over the memory of its operands.
            Storage::Loop => !in_place.is_empty(),
            Storage::Scalar | Storage::Buffer => in_place.get(position) == Some(&true),
        };
        let read = if passes_on { last[position].max(position) } else { position };
        for operand in value.op.operands() {
            last[operand.index()] = last[operand.index()].max(read);
        }
    }
    last
}

/// Lets a value change the memory of its base where nothing reads the base afterwards.
fn decide_in_place(function: &Function, last_read: &[usize], plan: &mut Plan) {
    for (id, value) in function.values.iter() {
        let position = id.index();
        if plan.storage[position] == Storage::Dead {
            continue;
        }
        match &value.op {
            Op::Set { base, .. } | Op::AddAt { base, .. } | Op::ScatterAdd { base, .. } => {
                // One scatter may read again what it has changed already.
                let reads = value.op.operands().iter().filter(|operand| *operand == base).count();
                plan.in_place[position] = reads == 1
                    && owns_memory(function, plan, *base)
                    && last_read[base.index()] == position;
            }
            Op::Loop(l) => {
                let all = [l.carried.as_slice(), &l.captured].concat();
                for (k, initial) in l.carried.iter().enumerate() {
                    let once = all.iter().filter(|operand| *operand == initial).count() == 1;
                    let own = plan.storage[initial.index()] == Storage::Buffer;
                    if once && own && only_loop_reads(function, *initial, id) {
                        plan.carried_in_place.insert((position, k));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether no value after the loop, and no view among its operands, reads `initial`.
fn only_loop_reads(function: &Function, initial: ValueId, l: ValueId) -> bool {
    let is_output = function.outputs.iter().any(|output| output.value == initial);
    let readers =
        function.values.iter().filter(|(_, value)| value.op.operands().contains(&initial));
    !is_output && readers.map(|(id, _)| id).eq([l])
}

/// Whether the value is the whole of a piece of memory that this function may change.
fn owns_memory(function: &Function, plan: &Plan, id: ValueId) -> bool {
    let op = &function.values[id].op;
    match (plan.storage[id.index()], op) {
        (Storage::Buffer, _) => true,
        (Storage::View, Op::Result(l, k)) => {
            let reads = |other: &Op| matches!(other, Op::Result(m, j) if m == l && j == k);
            function.values.iter().filter(|(_, value)| reads(&value.op)).count() == 1
        }
        (Storage::View, Op::Input(k)) => {
            let carried = matches!(function.inputs[*k].kind, InputKind::Carried(_));
            let reads = |other: &Op| matches!(other, Op::Input(j) if j == k);
            carried && function.values.iter().filter(|(_, value)| reads(&value.op)).count() == 1
        }
        _ => false,
    }
}
