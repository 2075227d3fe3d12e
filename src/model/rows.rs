//! Which terms of the likelihood are of single rows, so that rows can be held out.

use super::CompiledModel;
use crate::check::for_each_typed_operand;
use crate::check::typed::{ExprId, ExprKind, Part, RowsOf, Statement, SymbolKind, TypedModel};
use crate::source::Span;

impl CompiledModel {
    /// The first term of the likelihood that reads data of rows and is not left of `~` row by
    /// row, if there is one: rows of such a model cannot be held out.
    pub(crate) fn term_of_all_rows(&self) -> Option<Span> {
        let model = self.typed();
        first(model, &model.local, &|model, statement| match statement {
            Statement::Sample { lhs, part: Part::Likelihood, rows: RowsOf::None, .. } => {
                reads_rows(model, *lhs).then(|| model.exprs[*lhs].span)
            }
            Statement::Target { value, part: Part::Likelihood, rows: RowsOf::None, .. } => {
                reads_rows(model, *value).then(|| model.exprs[*value].span)
            }
            _ => None,
        })
    }
}

impl CompiledModel {
    /// Whether the likelihood of a branch is a sum of terms of single rows and of nothing else.
    pub(crate) fn likelihood_is_by_rows(&self) -> bool {
        let model = self.typed();
        let of_no_row = first(model, &model.local, &|model, statement| match statement {
            Statement::Sample { lhs, part: Part::Likelihood, rows: RowsOf::None, .. } => {
                Some(model.exprs[*lhs].span)
            }
            Statement::Target { value, part: Part::Likelihood, rows: RowsOf::None, .. } => {
                Some(model.exprs[*value].span)
            }
            _ => None,
        });
        model.schema.rows.is_some() && of_no_row.is_none()
    }
}

type Visit<'v> = &'v dyn Fn(&TypedModel, &Statement) -> Option<Span>;

/// The first span that `visit` gives, in the statements and those in them.
fn first(model: &TypedModel, statements: &[Statement], visit: Visit) -> Option<Span> {
    statements.iter().find_map(|statement| {
        visit(model, statement).or_else(|| match statement {
            Statement::For { body, .. } | Statement::Block(body) => first(model, body, visit),
            Statement::If { then, otherwise, .. } => {
                first(model, then, visit).or_else(|| first(model, otherwise, visit))
            }
            _ => None,
        })
    })
}

/// Whether an expression reads data that have one value per row.
fn reads_rows(model: &TypedModel, root: ExprId) -> bool {
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        let kind = &model.exprs[id].kind;
        for_each_typed_operand(kind, |operand| open.push(operand));
        match kind {
            ExprKind::Symbol(symbol) => {
                let symbol = &model.symbols[*symbol];
                match symbol.kind {
                    SymbolKind::Datum(datum) if model.schema.data[datum].per_row => return true,
                    // What such a name holds was made from rows if it is as long as they are,
                    // and may have been where it is not.
                    SymbolKind::Temporary | SymbolKind::Derived { .. }
                        if model.exprs[id].level == crate::ty::Level::Branch =>
                    {
                        return true;
                    }
                    _ => {}
                }
            }
            ExprKind::Inline(statements, _) => {
                let given = |statement: &Statement| match statement {
                    Statement::Declare { value, .. } => *value,
                    _ => None,
                };
                open.extend(statements.iter().filter_map(given));
            }
            _ => {}
        }
    }
    false
}
