//! Statements.

use super::Lowerer;
use super::frame::Name;
use crate::check::typed::{ExprId, Part, Statement, SymbolId};
use crate::ir::op::ValueId;
use crate::ty::Size;

impl Lowerer<'_> {
    /// Walks statements in order.
    pub fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Unknown(symbol) => self.unknown(*symbol),
            Statement::Declare { symbol, value } => self.declare(*symbol, *value),
            Statement::Sample { lhs, distribution, args, part, rows, observed } => {
                let terms = self.sample_terms(*lhs, distribution, args, *observed);
                let total = self.sum_of_rows(terms, rows);
                self.add_term(*part, total);
            }
            Statement::Target { value, part, rows, .. } => {
                let value = self.expr(*value);
                let total = self.sum_of_rows(value, rows);
                self.add_term(*part, total);
            }
            Statement::Assign { symbol, subscripts, value, .. } => {
                self.assign(*symbol, subscripts, *value);
            }
            Statement::For { symbol, from, to, max_count, body, .. } => {
                self.for_loop(*symbol, *from, *to, max_count, body);
            }
            Statement::Block(statements) => self.statements(statements),
            Statement::If { condition, then, otherwise } => {
                self.if_statement(*condition, then, otherwise);
            }
        }
    }

    fn declare(&mut self, symbol: SymbolId, value: Option<ExprId>) {
        let dims = self.model.symbols[symbol].ty.dims();
        let value = match value {
            Some(value) => {
                let value = self.expr(value);
                match self.b().rank(value) {
                    0 if !dims.is_empty() => self.b().broadcast(value, &[], &dims),
                    _ => value,
                }
            }
            None => self.b().fill(f64::NAN, dims),
        };
        self.bind(Name::Symbol(symbol), value);
    }

    fn add_term(&mut self, part: Part, term: ValueId) {
        self.add_to(Name::Term(part), term);
    }

    pub(super) fn add_to(&mut self, name: Name, term: ValueId) {
        let so_far = self.lookup(name);
        let sum = self.b().add(so_far, term);
        self.bind(name, sum);
    }

    fn assign(&mut self, symbol: SymbolId, subscripts: &[Option<ExprId>], value: ExprId) {
        let model = self.model;
        let declared = &model.symbols[symbol];
        let dims = declared.ty.dims();
        let mut value = self.expr(value);
        let kept: Vec<Size> = dims
            .iter()
            .enumerate()
            .filter(|(axis, _)| !matches!(subscripts.get(*axis), Some(Some(_))))
            .map(|(_, dim)| dim.clone())
            .collect();
        if self.b().rank(value) == 0 && !kept.is_empty() {
            value = self.b().broadcast(value, &[], &kept);
        }
        if subscripts.iter().any(Option::is_some) {
            let lowered: Vec<(ExprId, ValueId)> =
                subscripts.iter().flatten().map(|&index| (index, self.expr(index))).collect();
            let of = |id: ExprId| {
                let found = lowered.iter().find(|(index, _)| *index == id);
                found.expect("every subscript was lowered").1
            };
            let at = self.indices_into(&declared.name, &dims, subscripts, &of);
            let base = self.lookup(Name::Symbol(symbol));
            value = self.b().set(base, at, value);
        }
        self.bind(Name::Symbol(symbol), value);
    }
}
