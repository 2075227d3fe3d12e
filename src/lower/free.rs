//! Single expressions as functions of the names they read, for those who run statements one
//! by one.

use super::Lowerer;
use crate::check::typed::{ExprId, SymbolId, SymbolKind, TypedModel};
use crate::ir::op::{Function, InputKind, ValueId, ValueType};
use crate::ty::{Role, Size};

/// An expression as a function.
#[derive(Clone, Debug)]
pub struct Expression {
    /// Its one output is the value. `Captured(k)` is the value of the k-th symbol, `Carried(k)`
    /// that of the k-th random number.
    pub function: Function,
    /// The symbols it reads.
    pub symbols: Vec<SymbolId>,
    /// The random numbers in it, which are expressions of kind `Random`.
    pub randoms: Vec<ExprId>,
}

/// What a single expression has read so far.
#[derive(Clone, Debug, Default)]
pub struct Free {
    symbols: Vec<SymbolId>,
    randoms: Vec<ExprId>,
}

/// An expression of the model as a function.
pub fn expression(model: &TypedModel, root: ExprId) -> Expression {
    let mut l = Lowerer::new(model, "expression", Role::Data);
    l.free = Some(Free::default());
    let value = l.expr(root);
    l.b().output("value", value);
    let Free { symbols, randoms } = l.free.take().expect("it was set above");
    let builder = l.frames.pop().expect("one function").builder;
    let function = crate::ir::build::extract(builder.function(), &[0], "expression");
    Expression { function, symbols, randoms }
}

impl Lowerer<'_> {
    pub(super) fn free_symbol(&mut self, symbol: SymbolId) -> ValueId {
        let declared = &self.model.symbols[symbol];
        if let SymbolKind::RowCount = declared.kind {
            let rows = Size::rows(&declared.name);
            return self.frames[0].builder.size(&rows);
        }
        let ty = ValueType { element: declared.ty.element, dims: declared.ty.dims() };
        let free = self.free.as_mut().expect("names are free here");
        free.symbols.push(symbol);
        let kind = InputKind::Captured(free.symbols.len() - 1);
        self.frames[0].builder.input(kind, &declared.name, ty)
    }

    pub(super) fn free_random(&mut self, id: ExprId) -> ValueId {
        let ty = &self.model.exprs[id].ty;
        let ty = ValueType { element: ty.element, dims: ty.dims() };
        let free = self.free.as_mut().expect("only simulation draws numbers");
        free.randoms.push(id);
        let kind = InputKind::Carried(free.randoms.len() - 1);
        let value = self.frames[0].builder.input(kind, "random", ty);
        (1..self.frames.len()).fold(value, |value, depth| self.capture(value, depth))
    }
}
