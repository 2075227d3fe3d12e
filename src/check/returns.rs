//! `return`: a function that returns early becomes conditions whose other side is the rest of
//! its body, so that what is left has one end.

use super::Checker;
use super::typed::{ExprId, Statement, SymbolId};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{self, StatementKind};

/// Conditions that return, one after the other.
const MAX_RETURNS: usize = 200;

/// Statements still to come, and what comes after those.
#[derive(Clone, Copy)]
pub(super) struct Rest<'r> {
    list: &'r [ast::Statement],
    after: Option<&'r Rest<'r>>,
    /// How many conditions stand around it.
    depth: usize,
}

impl<'r> Rest<'r> {
    /// The whole body of a function.
    pub(super) fn of(list: &'r [ast::Statement]) -> Rest<'r> {
        Rest { list, after: None, depth: 0 }
    }
}

/// Whether a statement returns, on some way through it.
pub(super) fn has_return(statement: &ast::Statement) -> bool {
    match &statement.kind {
        StatementKind::Return(_) => true,
        StatementKind::Block(list) => list.iter().any(has_return),
        StatementKind::If { then, otherwise, .. } => {
            has_return(then) || otherwise.as_deref().is_some_and(has_return)
        }
        StatementKind::For { body, .. } | StatementKind::ForEach { body, .. } => has_return(body),
        _ => false,
    }
}

/// Whether a statement returns, on every way through it.
fn always_returns(statement: &ast::Statement) -> bool {
    match &statement.kind {
        StatementKind::Return(_) => true,
        StatementKind::Block(list) => list.iter().any(always_returns),
        StatementKind::If { then, otherwise, .. } => {
            always_returns(then) && otherwise.as_deref().is_some_and(always_returns)
        }
        _ => false,
    }
}

impl Checker<'_> {
    /// The last statement of a body that returns nowhere before.
    pub(super) fn check_last(
        &mut self,
        last: &ast::Statement,
        name: Span,
        statements: &mut Vec<Statement>,
    ) -> Option<ExprId> {
        match &last.kind {
            StatementKind::Return(value) => {
                let value = self.check_expr(*value)?;
                self.check_returned(value)
            }
            _ if has_return(last) => {
                self.check_returns(Rest::of(std::slice::from_ref(last)), statements)
            }
            _ => {
                self.check_statement_list(std::slice::from_ref(last));
                self.report_no_return(name);
                None
            }
        }
    }

    /// A body that returns in several places: its value is assigned.
    pub(super) fn check_returns(
        &mut self,
        rest: Rest<'_>,
        statements: &mut Vec<Statement>,
    ) -> Option<ExprId> {
        let body = self.check_rest(rest)?;
        let symbol = self.within.as_ref().expect("a body is at hand").returned?;
        statements.push(Statement::Declare { symbol, value: None });
        statements.extend(body);
        let span = self.symbols[symbol].span;
        Some(self.symbol_expr(symbol, span))
    }

    /// The statements up to the `return` that ends them, on every way.
    fn check_rest(&mut self, mut rest: Rest<'_>) -> Option<Vec<Statement>> {
        let mut done = Vec::new();
        loop {
            let Some((next, list)) = rest.list.split_first() else {
                let Some(after) = rest.after else {
                    let within = self.within.as_ref().expect("a body is at hand");
                    let name = self.functions.at(within.function).definition.name.span;
                    self.report_no_return(name);
                    return None;
                };
                self.names.close_scope();
                rest = Rest { depth: rest.depth, ..*after };
                continue;
            };
            rest.list = list;
            if always_returns(next) {
                self.check_nothing_below(rest.list)?;
            }
            match &next.kind {
                _ if !has_return(next) => {
                    done.extend(self.check_statement_list(std::slice::from_ref(next)));
                }
                StatementKind::Return(value) => {
                    done.push(self.check_return(*value, next.span)?);
                    return Some(done);
                }
                StatementKind::Block(list) => {
                    self.names.open_scope();
                    let inner = Rest { list, after: Some(&rest), depth: rest.depth };
                    done.extend(self.check_rest(inner)?);
                    return Some(done);
                }
                StatementKind::If { condition, then, otherwise } => {
                    let otherwise = otherwise.as_deref();
                    done.push(self.check_early(*condition, [Some(then), otherwise], &rest)?);
                    return Some(done);
                }
                _ => {
                    self.report_return_in_loop(next);
                    return None;
                }
            }
        }
    }

    /// `if (c) return a; rest` is `if (c) value = a; else rest`.
    fn check_early(
        &mut self,
        condition: ast::ExprId,
        sides: [Option<&ast::Statement>; 2],
        rest: &Rest<'_>,
    ) -> Option<Statement> {
        let span = self.ast.exprs[condition].span;
        let condition = self.check_condition(condition);
        self.check_expansion(span)?;
        if rest.depth >= MAX_RETURNS {
            let message = format!("more than {MAX_RETURNS} conditions return one after the other");
            let help = "assign the value in a loop or look it up in a table, and return it once";
            self.diags.error(Code::Nesting, span, message).help(help);
            return None;
        }
        let names = self.names.visible();
        let mut checked = Vec::with_capacity(2);
        for side in sides {
            self.names.open_scope();
            self.guards += 1;
            let list = side.map_or(&[][..], std::slice::from_ref);
            let inner = Rest { list, after: Some(rest), depth: rest.depth + 1 };
            checked.push(self.check_rest(inner));
            self.guards -= 1;
            self.names.restore(names.clone());
        }
        let condition = condition?;
        let otherwise = checked.pop().flatten()?;
        let then = checked.pop().flatten()?;
        self.warn_condition(condition, &[&then, &otherwise]);
        Some(Statement::If { condition, then, otherwise })
    }

    fn check_return(&mut self, value: ast::ExprId, span: Span) -> Option<Statement> {
        let value = self.check_expr(value)?;
        let value = self.check_returned(value)?;
        let within = self.within.as_ref().expect("a body is at hand");
        let symbol = match within.returned {
            Some(symbol) => {
                self.check_same_size(symbol, value)?;
                symbol
            }
            None => {
                let symbol = self.returned_symbol(value, span);
                self.within.as_mut().expect("a body is at hand").returned = Some(symbol);
                symbol
            }
        };
        self.note_value(symbol, value);
        Some(Statement::Assign { symbol, subscripts: Vec::new(), value })
    }

    /// All values that a function returns have one size.
    fn check_same_size(&mut self, symbol: SymbolId, value: ExprId) -> Option<()> {
        let target = self.symbol_expr(symbol, self.symbols[symbol].span);
        let (wanted, found) = (self.exprs[target].ty.dims(), self.exprs[value].ty.dims());
        let span = self.exprs[value].span;
        for (left, right) in wanted.iter().zip(&found) {
            let help = "a function returns values of one size, whichever way it takes";
            self.require_equal_or(left, right, [target, value], span, help)?;
        }
        Some(())
    }

    fn check_nothing_below(&mut self, list: &[ast::Statement]) -> Option<()> {
        let Some(below) = list.first() else { return Some(()) };
        let message = "nothing below a `return` is run";
        let help = "leave it out, or move it above the `return`";
        self.diags.error(Code::NoReturn, below.span, message).help(help);
        None
    }

    fn report_no_return(&mut self, name: Span) {
        let text = self.text(name);
        let message = format!("`{text}` does not return a value on every way through it");
        let help = "end it by `return …;`, after the last `if` too";
        self.diags.error(Code::NoReturn, name, message).help(help);
    }

    fn report_return_in_loop(&mut self, statement: &ast::Statement) {
        let span = return_in(statement).unwrap_or(statement.span);
        self.diags
            .error(Code::NoReturn, span, "this `return` stands inside a loop")
            .primary("would leave the loop")
            .label(statement.span, "the loop")
            .help(
                "loops run to their end: keep the value in a variable, \
                 `real found = 0; for (…) if (…) found = x;`, and return it below the loop",
            );
    }

    /// `return` where no function is.
    pub(super) fn report_return_outside(&mut self, span: Span) {
        let message = "`return` stands outside a function";
        let help = "a quantity gets its value where it is declared: `real x = …;`";
        self.diags.error(Code::NoReturn, span, message).help(help);
    }
}

/// Where the first `return` of a statement stands.
fn return_in(statement: &ast::Statement) -> Option<Span> {
    match &statement.kind {
        StatementKind::Return(_) => Some(statement.span),
        StatementKind::Block(list) => list.iter().find_map(return_in),
        StatementKind::If { then, otherwise, .. } => {
            return_in(then).or_else(|| otherwise.as_deref().and_then(return_in))
        }
        StatementKind::For { body, .. } | StatementKind::ForEach { body, .. } => return_in(body),
        _ => None,
    }
}
