//! Rule 12: a declared constraint does not renormalise a prior. For a local whose distribution
//! depends on unknowns, what is lost depends on these.

use super::Checker;
use super::typed::{Constraint, ExprId, SymbolId, SymbolKind};
use crate::builtin::distribution::Support;
use crate::builtin::{Distribution, Outcome};
use crate::diagnostic::Code;
use crate::ty::Role;

impl Checker<'_> {
    /// Rule 12: the part of a local's prior that a declared bound cuts off is not normalised
    /// away, and how much that is depends on the globals.
    pub(super) fn warn_truncation(
        &mut self,
        distribution: &Distribution,
        support: Support,
        symbol: SymbolId,
        outcome: ExprId,
        args: &[ExprId],
    ) {
        let is_local =
            matches!(self.symbols[symbol].kind, SymbolKind::Unknown { role: Role::Local, .. });
        let depends = args.iter().any(|arg| self.exprs[*arg].role > Role::Data);
        let reaches =
            self.reaches_beyond(support, symbol) || self.loses_order(distribution, symbol, args);
        if !is_local || !depends || !reaches || self.is_folded(distribution, symbol, args) {
            return;
        }
        let (name, declared) = (self.symbols[symbol].name.clone(), self.symbols[symbol].span);
        let span = self.exprs[outcome].span;
        let is_order = matches!(self.constraint_of(symbol), Constraint::Ordered);
        let (what, help) = if is_order {
            (
                "order",
                "an order does not renormalise a prior: with the same numbers for all elements \
                 nothing is lost that depends on unknowns, as in `c ~ normal(mu, tau)`",
            )
        } else {
            let is_bound = self.bounds_of(symbol) != (None, None);
            (
                if is_bound { "bound" } else { "constraint" },
                "a bound does not renormalise a prior: take a distribution that has this \
                 support, such as `lognormal` or `gamma`, or leave out the bound and transform",
            )
        };
        let message = format!(
            "the {what} of `{name}` cuts off a part of `{}` that depends on unknowns",
            distribution.name
        );
        self.diags
            .warning(Code::TruncatedPrior, span, message)
            .label(declared, "declared here")
            .help(help);
    }

    fn reaches_beyond(&self, support: Support, symbol: SymbolId) -> bool {
        match self.constraint_of(symbol) {
            Constraint::Simplex => return true,
            Constraint::PositiveOrdered if support == Support::Real => return true,
            _ => {}
        }
        let (low, high) = self.bounds_of(symbol);
        let beyond = |bound: Option<ExprId>, end: f64| {
            bound.is_some_and(|bound| self.constant_value(bound) != Some(end))
        };
        match support {
            Support::Real => low.is_some() || high.is_some(),
            Support::NonNegative | Support::Positive => beyond(low, 0.0) || high.is_some(),
            Support::UnitInterval => beyond(low, 0.0) || beyond(high, 1.0),
            Support::Binary
            | Support::UpToFirstArgument
            | Support::UpToLength
            | Support::UpToLengthPlusOne
            | Support::FromFirstArgument
            | Support::BetweenArguments => false,
        }
    }

    /// Increasing elements are a fixed part of all orders only where each has the same
    /// distribution.
    fn loses_order(&self, distribution: &Distribution, symbol: SymbolId, args: &[ExprId]) -> bool {
        let is_ordered =
            matches!(self.constraint_of(symbol), Constraint::Ordered | Constraint::PositiveOrdered);
        let is_alike = matches!(distribution.outcome, Outcome::Univariate(..))
            && args.iter().all(|arg| self.exprs[*arg].ty.is_scalar());
        is_ordered && !is_alike
    }

    /// A symmetric distribution cut at its centre loses one half, whatever its scale.
    fn is_folded(&self, distribution: &Distribution, symbol: SymbolId, args: &[ExprId]) -> bool {
        let centre = match distribution.name {
            "normal" | "cauchy" | "double_exponential" | "logistic" => args.first(),
            "student_t" => args.get(1),
            _ => None,
        };
        let bound = match self.bounds_of(symbol) {
            (Some(bound), None) | (None, Some(bound)) => bound,
            _ => return false,
        };
        let centre = centre.and_then(|centre| self.constant_value(*centre));
        centre.is_some() && centre == self.constant_value(bound)
    }
}
