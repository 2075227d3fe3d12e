//! What names mean at a point of the walk.

use std::collections::HashMap;

use super::{Lowerer, int_type};
use crate::check::typed::{Part, SymbolId, SymbolKind};
use crate::ir::build::Builder;
use crate::ir::op::{InputKind, ValueId, ValueType};
use crate::ty::Role;

/// Everything that a loop can carry or capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// A symbol of the model.
    Symbol(SymbolId),
    /// The sum so far of a part of the density.
    Term(Part),
    /// The sum so far of log-Jacobians.
    Jacobian,
    /// One weight per row.
    RowMask,
    /// The number of the site of the first index out of range.
    BadSite,
    /// That index.
    BadIndex,
    /// The value so far of a `?:` by its number, and whether it is a whole number.
    Choice(usize, bool),
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (*self as u8).cmp(&(*other as u8))
    }
}

impl std::hash::Hash for Part {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (*self as u8).hash(state);
    }
}

/// A function being written, or the body of a loop in it.
pub struct Frame {
    /// Writes it.
    pub builder: Builder,
    /// What names mean.
    pub env: HashMap<Name, ValueId>,
    /// In a loop body: values of the enclosing frame, in order of capture.
    pub captured: Vec<ValueId>,
}

impl Frame {
    /// Nothing is known yet.
    pub fn new(builder: Builder) -> Self {
        Frame { builder, env: HashMap::new(), captured: Vec::new() }
    }
}

impl Lowerer<'_> {
    /// The value of a name, here and now.
    pub fn lookup(&mut self, name: Name) -> ValueId {
        self.lookup_at(name, self.frames.len() - 1)
    }

    /// Gives a name another value.
    pub fn bind(&mut self, name: Name, value: ValueId) {
        let frame = self.frames.last_mut().expect("the walk is inside a function");
        frame.env.insert(name, value);
    }

    fn lookup_at(&mut self, name: Name, depth: usize) -> ValueId {
        if let Some(&value) = self.frames[depth].env.get(&name) {
            return value;
        }
        let value = match depth {
            0 => self.outermost(name),
            _ => {
                let outer = self.lookup_at(name, depth - 1);
                self.capture(outer, depth)
            }
        };
        self.frames[depth].env.insert(name, value);
        value
    }

    /// Makes a value of the enclosing frame readable in the loop body at `depth`.
    pub fn capture(&mut self, outer: ValueId, depth: usize) -> ValueId {
        let ty = self.frames[depth - 1].builder.ty(outer).clone();
        let frame = &mut self.frames[depth];
        let position = match frame.captured.iter().position(|&v| v == outer) {
            Some(position) => position,
            None => {
                frame.captured.push(outer);
                frame.captured.len() - 1
            }
        };
        frame.builder.input(InputKind::Captured(position), "captured", ty)
    }

    /// What a name means where nothing has been said of it yet.
    fn outermost(&mut self, name: Name) -> ValueId {
        let symbol = match name {
            Name::Symbol(symbol) => symbol,
            Name::Term(_) | Name::Jacobian => return self.frames[0].builder.real(0.0),
            Name::BadSite | Name::BadIndex => return self.frames[0].builder.int(0),
            Name::RowMask => return self.row_mask(),
            Name::Choice(..) => unreachable!("a choice starts where it is made"),
        };
        if self.free.is_some() {
            return self.free_symbol(symbol);
        }
        let model = self.model;
        let declared = &model.symbols[symbol];
        let ty = ValueType { element: declared.ty.element, dims: declared.ty.dims() };
        let kind = match &declared.kind {
            SymbolKind::Datum(k) => InputKind::Datum(*k),
            SymbolKind::RowCount => {
                let rows = crate::ty::Size::rows(&declared.name);
                return self.frames[0].builder.size(&rows);
            }
            SymbolKind::Unknown { role: Role::Global, .. }
            | SymbolKind::Derived { block: Role::Global, .. }
                if self.block == Role::Local =>
            {
                InputKind::Shared(self.shared_position(symbol))
            }
            kind => unreachable!("{} is {kind:?} and was declared before", declared.name),
        };
        self.frames[0].builder.input(kind, &declared.name, ty)
    }

    fn shared_position(&mut self, symbol: SymbolId) -> usize {
        if let Some(position) = self.shared.iter().position(|&s| s == symbol) {
            return position;
        }
        self.shared.push(symbol);
        self.shared.len() - 1
    }

    fn row_mask(&mut self) -> ValueId {
        let rows = self.model.schema.rows.as_ref().expect("only rows are masked");
        let size = match rows.count {
            Some(count) => crate::ty::Size::constant(count as i64),
            None => crate::ty::Size::rows(&rows.name),
        };
        let ty = ValueType::reals(vec![size]);
        self.frames[0].builder.input(InputKind::RowMask, "row_mask", ty)
    }

    /// Starts the body of a loop; returns the iteration, counted from zero.
    pub fn enter_loop(&mut self, name: &str) -> ValueId {
        self.frames.push(Frame::new(Builder::new(name)));
        self.b().input(InputKind::LoopIndex, "i", int_type())
    }
}
