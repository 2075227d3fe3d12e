//! `for (x in container)`: a loop over positions, in which the name means the element.

use super::Checker;
use super::Facts;
use super::typed::{ExprId, ExprKind, Statement, SymbolId, SymbolKind};
use crate::builtin;
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast;
use crate::ty::{Shape, Size, Type};

/// A loop along one axis of a container.
struct Axis {
    position: usize,
    counter: SymbolId,
    from: ExprId,
    to: ExprId,
    max_count: Size,
}

impl Checker<'_> {
    pub(super) fn check_for_each(
        &mut self,
        name: &ast::Ident,
        over: ast::ExprId,
        body: &ast::Statement,
    ) -> Option<Statement> {
        let n_reads = self.missing_reads.len();
        let typed = self.check_expr(over);
        if typed.is_none() {
            self.give_up_on(over);
        }
        let container = typed.and_then(|typed| self.check_gone_through(typed));
        let Some(container) = container else {
            self.check_failed_loop(name, body);
            return None;
        };
        if self.is_lasting(container) {
            // Each use of the element counts by itself.
            self.missing_reads.truncate(n_reads);
        }
        let (base, declared) = self.hold(container);
        let span = name.span;
        let axes = self.axes(base, span);
        self.names.open_scope();
        let mut at = vec![None; axes.len()];
        for axis in &axes {
            at[axis.position] = Some(self.symbol_expr(axis.counter, span));
        }
        let element = self.push_index(base, at, span);
        let own = self.declare_element(name, element);
        self.loops.extend(axes.iter().map(|axis| axis.counter));
        let mut rounds: Vec<Statement> = own.into_iter().collect();
        rounds.extend(self.check_statement_list(std::slice::from_ref(body)));
        self.loops.truncate(self.loops.len() - axes.len());
        self.names.close_scope();
        for Axis { counter: symbol, from, to, max_count, .. } in axes.into_iter().rev() {
            rounds = vec![Statement::For { symbol, from, to, max_count, body: rounds }];
        }
        let round = rounds.pop().expect("a container has an axis");
        Some(match declared {
            Some(declared) => Statement::Block(vec![declared, round]),
            None => round,
        })
    }

    /// The loops that go through a container, the outermost first: over its elements, or over
    /// the columns of a matrix and then its rows, as Stan does.
    fn axes(&mut self, base: ExprId, span: Span) -> Vec<Axis> {
        let ty = self.exprs[base].ty.clone();
        let is_matrix = ty.array.is_empty() && matches!(ty.shape, Shape::Matrix(..));
        let order: &[(usize, &str)] =
            if is_matrix { &[(1, "cols"), (0, "rows")] } else { &[(0, "size")] };
        let axis = |(position, size): &(usize, &str)| {
            let max_count = ty.dims()[*position].clone();
            let size = builtin::function(size).expect("containers have a size");
            let to = self.push(ExprKind::Call(size, vec![base]), Type::int(), &[], span);
            let from = self.int_literal(1, span);
            let counter = self.counter(max_count.clone());
            Axis { position: *position, counter, from, to, max_count }
        };
        order.iter().map(axis).collect()
    }

    /// The body of a loop that failed, for what else is wrong in it.
    fn check_failed_loop(&mut self, name: &ast::Ident, body: &ast::Statement) {
        self.names.open_scope();
        let facts = Facts::new(self.reach_of_assigned(&name.name));
        let symbol = self.declare(name, SymbolKind::LoopVariable, Type::int(), facts);
        self.facts_mut(symbol).give_up();
        self.loops.push(symbol);
        self.check_statement_list(std::slice::from_ref(body));
        self.loops.pop();
        self.names.close_scope();
    }

    fn check_gone_through(&mut self, container: ExprId) -> Option<ExprId> {
        let expr = &self.exprs[container];
        let (span, ty) = (expr.span, expr.ty.clone());
        let text = self.text(span);
        if !ty.is_scalar() {
            return Some(container);
        }
        let message = format!("a loop goes through a range or a container, and `{text}` is {ty}");
        let help = format!("the numbers from one to `{text}` are `1:{text}`");
        self.diags.error(Code::LoopBound, span, message).help(help);
        None
    }

    /// The container as something that stays the same in all rounds: data and unknowns as
    /// they are, anything else in a temporary.
    fn hold(&mut self, container: ExprId) -> (ExprId, Option<Statement>) {
        if self.is_lasting(container) {
            return (container, None);
        }
        let ty = self.exprs[container].ty.clone();
        let symbol = self.temporary("container", ty, container);
        let held = self.symbol_expr(symbol, self.exprs[container].span);
        (held, Some(Statement::Declare { symbol, value: Some(container) }))
    }

    /// Whether an expression is data or an unknown, or an element of these.
    fn is_lasting(&self, container: ExprId) -> bool {
        let is_plain =
            matches!(self.exprs[container].kind, ExprKind::Symbol(_) | ExprKind::Index(..));
        is_plain
            && self.base_symbol(container).is_some_and(|symbol| {
                matches!(
                    self.symbols[symbol].kind,
                    SymbolKind::Datum(_) | SymbolKind::Unknown { .. }
                )
            })
    }

    /// The name of the element. That of data or unknowns is the element itself, so that it
    /// may stand left of `~`.
    fn declare_element(&mut self, name: &ast::Ident, element: ExprId) -> Option<Statement> {
        let ty = self.exprs[element].ty.clone();
        let mut facts = Facts::new(self.reach(element));
        facts.nested = true;
        facts.reads = 1;
        facts.nonlinear = self.is_nonlinear(element);
        facts.discontinuous = self.find_jump(element).is_some();
        let is_lasting = self.is_lasting(element);
        facts.alias = is_lasting.then_some(element);
        let symbol: SymbolId = self.declare(name, SymbolKind::Temporary, ty, facts);
        (!is_lasting).then_some(Statement::Declare { symbol, value: Some(element) })
    }
}
