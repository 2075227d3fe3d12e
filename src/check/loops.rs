//! `for` loops: their bounds, and how often they run at most.
//!
//! `to - from + 1` of two linear bounds is linear, and its largest value is a size.

use super::Checker;
use super::Facts;
use super::names::looks_like_branches;
use super::reach::Reach;
use super::typed::{ExprId, Statement, SymbolId, SymbolKind};
use crate::diagnostic::Code;
use crate::schema::Bound;
use crate::syntax::ast;
use crate::ty::{Element, Level, Role, Size, Type};

impl Checker<'_> {
    pub(super) fn check_for(
        &mut self,
        name: &ast::Ident,
        [from, to]: [ast::ExprId; 2],
        body: &ast::Statement,
    ) -> Option<Statement> {
        self.check_no_branch_loop(from, to);
        let bounds = self.check_exprs(&[from, to]).and_then(|b| self.check_bounds(b[0], b[1]));
        self.names.open_scope();
        let symbol = self.declare_loop_variable(name, bounds.as_ref());
        self.loops.push(symbol);
        let body = self.check_statement_list(std::slice::from_ref(body));
        self.loops.pop();
        self.names.close_scope();
        let Bounds { from, to, max_count, .. } = bounds?;
        Some(Statement::For { symbol, from, to, max_count, body })
    }

    /// Says that there is no loop over branches when a bound seems to count them.
    fn check_no_branch_loop(&mut self, from: ast::ExprId, to: ast::ExprId) {
        let ast = self.ast;
        for bound in [from, to] {
            let ast::ExprKind::Name(name) = &ast.exprs[bound].kind else { continue };
            if self.names.get(name).is_none() && looks_like_branches(name, ast) {
                let span = ast.exprs[bound].span;
                self.names.silence(name);
                self.diags
                    .error(
                        Code::BranchLoop,
                        span,
                        format!("there is no loop over branches, and nothing is called `{name}`"),
                    )
                    .help(
                        "`local` is about one branch and runs for each of them: write there \
                         what the body of this loop says, without the index",
                    );
            }
        }
    }

    fn declare_loop_variable(&mut self, name: &ast::Ident, bounds: Option<&Bounds>) -> SymbolId {
        let mut facts = Facts::new(Reach::NOTHING);
        facts.nested = true;
        if let Some(bounds) = bounds {
            facts.reach = bounds.reach;
            facts.range = bounds.range.clone();
            facts.exact_range = bounds.exact;
        }
        let symbol = self.declare(name, SymbolKind::LoopVariable, Type::int(), facts);
        if bounds.is_none() {
            self.facts_mut(symbol).give_up();
        }
        symbol
    }

    fn check_bounds(&mut self, from: ExprId, to: ExprId) -> Option<Bounds> {
        for bound in [from, to] {
            self.check_bound_type(bound)?;
        }
        let (Some(first), Some(last)) = (self.linear(from), self.linear(to)) else {
            let culprit = if self.linear(from).is_none() { from } else { to };
            self.report_loop_bound(culprit);
            return None;
        };
        let count = first.scaled(-1).and_then(|first| last.clone().plus(&first));
        let max_count = count
            .and_then(|count| self.largest(&count))
            .and_then(|count| count.checked_add(&Size::constant(1)));
        let Some(max_count) = max_count else {
            self.report_loop_bound(to);
            return None;
        };
        let is_empty = max_count.as_constant().is_some_and(|count| count < 0);
        Some(Bounds {
            from,
            to,
            max_count: if is_empty { Size::constant(0) } else { max_count },
            reach: self.reach(from).join(self.reach(to)),
            range: (self.smallest(&first), self.largest(&last)),
            exact: first.coefficients.is_empty() && last.coefficients.is_empty() && !is_empty,
        })
    }

    fn check_bound_type(&mut self, bound: ExprId) -> Option<()> {
        let expr = &self.exprs[bound];
        let (span, role, ty) = (expr.span, expr.role, expr.ty.clone());
        let text = self.text(span);
        if !self.is_int(bound) {
            let message = format!("a loop runs over whole numbers, and `{text}` is {ty}");
            let help = "bounds follow from data: literals, `int` data, the row count, `size(x)`";
            self.diags.error(Code::LoopBound, span, message).help(help);
            return None;
        }
        if role != Role::Data {
            let message = format!("the loop bound `{text}` depends on an unknown");
            let help = "how often a loop runs must follow from the data";
            self.diags.error(Code::IndexUnknown, span, message).help(help);
            return None;
        }
        Some(())
    }

    fn report_loop_bound(&mut self, bound: ExprId) {
        let span = self.exprs[bound].span;
        let text = self.text(span);
        self.diags
            .error(
                Code::LoopBound,
                span,
                format!("`{text}` does not tell how often the loop runs at most"),
            )
            .help(
                "bounds are sums and multiples of whole data, the row count, variables of \
                 enclosing loops, and whole numbers of the branch that are declared with \
                 `<lower=…, upper=…>`",
            );
    }

    /// The range that the declared bounds of a datum give it.
    pub(super) fn range_of_datum(&self, datum: usize) -> (Option<Size>, Option<Size>) {
        let size = |bound: &Option<Bound>| match bound.as_ref()? {
            Bound::Number(value) if value.fract() == 0.0 && value.abs() < 1e15 => {
                Some(Size::constant(*value as i64))
            }
            Bound::Number(_) => None,
            Bound::Datum(other) => {
                let other = &self.schema.data[*other];
                let is_size = other.level == Level::Whole
                    && other.element == Element::Int
                    && other.dims.is_empty();
                is_size.then(|| Size::datum(&other.name))
            }
        };
        let datum = &self.schema.data[datum];
        (size(&datum.lower), size(&datum.upper))
    }
}

/// The bounds of a loop and what follows from them.
struct Bounds {
    from: ExprId,
    to: ExprId,
    max_count: Size,
    reach: Reach,
    range: (Option<Size>, Option<Size>),
    /// Whether they are the same in every round of the enclosing loops.
    exact: bool,
}
