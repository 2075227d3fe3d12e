//! `y ~ own(args)`: a distribution that the file defines by its `own_lpdf` or `own_lpmf`, and
//! draws by its `own_rng`.

use super::Checker;
use super::function::Purpose;
use super::typed::{ExprId, RowsOf, Statement};
use crate::builtin;
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{self, DistributionCall, Ident};

impl Checker<'_> {
    /// Whether a name after `~` is a distribution of the file.
    pub(super) fn is_own_distribution(&self, name: &Ident) -> bool {
        builtin::distribution(&name.name).is_none() && self.own_density(&name.name).is_some()
    }

    /// The log density of a distribution of the file.
    fn own_density(&self, name: &str) -> Option<usize> {
        let position = |end: &str| self.functions.position(&format!("{name}{end}"));
        position("_lpdf").or_else(|| position("_lpmf"))
    }

    /// Names of distributions of the file.
    pub(super) fn own_distributions(&self) -> impl Iterator<Item = String> {
        let densities = self
            .own_names()
            .filter_map(|name| name.strip_suffix("_lpdf").or_else(|| name.strip_suffix("_lpmf")));
        densities.map(str::to_string)
    }

    /// `lhs ~ own(args);`
    pub(super) fn check_own_sample(
        &mut self,
        lhs: ast::ExprId,
        call: &DistributionCall,
        span: Span,
    ) -> Option<Statement> {
        let outcome = self.check_expr(lhs);
        if let Some(outcome) = outcome {
            self.discount_read(outcome);
        }
        let statement = self.finish_own_sample(outcome, call, span);
        if statement.is_none() {
            self.give_up_on(lhs);
        }
        statement
    }

    /// The same of an outcome that is typed.
    pub(super) fn finish_own_sample(
        &mut self,
        outcome: Option<ExprId>,
        call: &DistributionCall,
        span: Span,
    ) -> Option<Statement> {
        let args = self.check_exprs(&call.args);
        let statement = match (outcome, args) {
            (Some(outcome), Some(args)) => self.own_sample(outcome, &args, call, span),
            _ => None,
        };
        if statement.is_none() {
            call.args.iter().for_each(|arg| self.give_up_on(*arg));
            if let Some(symbol) = outcome.and_then(|outcome| self.base_symbol(outcome)) {
                self.facts_mut(symbol).density.get_or_insert(span);
                self.facts_mut(symbol).reads += 1;
            }
        }
        statement
    }

    fn own_sample(
        &mut self,
        outcome: ExprId,
        args: &[ExprId],
        call: &DistributionCall,
        span: Span,
    ) -> Option<Statement> {
        let density = self.own_density(&call.name.name)?;
        self.check_left(outcome)?;
        let all: Vec<ExprId> = std::iter::once(outcome).chain(args.iter().copied()).collect();
        self.check_own_arguments(density, &all, call.name.span)?;
        let value = self.inline(density, &all, span)?;
        self.note_outcome(outcome, span);
        self.warn_jump(value);
        let part = self.part_of_outcome(outcome);
        let drawn = self.own_draw(outcome, args, call)?;
        // A density of several rows at once is one number, of which no row can be left out.
        let rows = match self.rows_of(outcome) {
            rows @ RowsOf::One(_) => rows,
            _ => RowsOf::None,
        };
        Some(Statement::Target { value, part, rows, drawn })
    }

    /// What draws the outcome: `None` on an error, `Some(None)` where the file does not say.
    fn own_draw(
        &mut self,
        outcome: ExprId,
        args: &[ExprId],
        call: &DistributionCall,
    ) -> Option<Option<(ExprId, ExprId)>> {
        let name = format!("{}_rng", call.name.name);
        let Some(position) = self.functions.position(&name) else { return Some(None) };
        self.functions.note_call(position);
        debug_assert_eq!(self.functions.at(position).purpose, Purpose::Random, "by its name");
        if self.base_symbol(outcome).is_none() {
            return Some(None);
        }
        self.check_own_arguments(position, args, call.name.span)?;
        let draw = self.inline(position, args, call.name.span)?;
        let (wanted, found) = (self.exprs[outcome].ty.clone(), self.exprs[draw].ty.clone());
        let fits = super::statement::is_same_kind_but_element(&wanted, &found)
            && found.element <= wanted.element;
        if !fits {
            let message = format!("`{name}` draws {found}, and the outcome is {wanted}");
            let help = format!("the value of `{name}` has the type of the outcome");
            self.diags.error(Code::FunctionType, call.name.span, message).help(help);
            return None;
        }
        for (left, right) in wanted.dims().iter().zip(&found.dims()) {
            self.require_equal(left, right, outcome, draw, call.name.span)?;
        }
        Some(Some((outcome, draw)))
    }

    /// Rule 16: functions are pure.
    pub(super) fn report_in_function(&mut self, span: Span, what: &str) {
        let message =
            format!("a function gives a value and adds nothing to the density: no {what}");
        self.diags.error(Code::FunctionScope, span, message).help(
            "return the term, and write `target += …` where the function is called; a \
             distribution of your own is a function `own_lpdf(y, …)`, used as `y ~ own(…)`",
        );
    }
}
