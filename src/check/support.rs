//! Declared constraints against what distributions want: scales that may be negative, and
//! unknowns declared wider than their distribution.

use super::Checker;
use super::typed::{Constraint, ExprId, SymbolId, SymbolKind};
use crate::builtin::distribution::{Support, VectorSupport};
use crate::builtin::{Distribution, Outcome, ParamKind};
use crate::diagnostic::Code;

impl Checker<'_> {
    /// Warns where declarations and distributions do not go together.
    pub(super) fn warn_supports(
        &mut self,
        distribution: &'static Distribution,
        outcome: ExprId,
        args: &[ExprId],
    ) {
        for (param, arg) in distribution.params.iter().zip(args) {
            self.warn_argument(distribution, param.name, param.kind, *arg);
        }
        let Some(symbol) = self.unknown_of(outcome) else { return };
        match distribution.outcome {
            Outcome::Univariate(_, support) => {
                self.warn_outcome(distribution, support, symbol, outcome);
                self.warn_truncation(distribution, support, symbol, outcome, args);
            }
            Outcome::Vector(VectorSupport::Simplex) => {
                self.warn_constraint(distribution, symbol, outcome);
            }
            Outcome::Vector(VectorSupport::Real) => {
                self.warn_truncation(distribution, Support::Real, symbol, outcome, args);
            }
            Outcome::CholeskyFactorCorr => {}
        }
    }

    /// The constraint that an unknown is declared with.
    pub(super) fn constraint_of(&self, symbol: SymbolId) -> &Constraint {
        match &self.symbols[symbol].kind {
            SymbolKind::Unknown { constraint, .. } => constraint,
            _ => &Constraint::None,
        }
    }

    /// A distribution over simplexes of an unknown that is none.
    fn warn_constraint(&mut self, distribution: &Distribution, symbol: SymbolId, outcome: ExprId) {
        if *self.constraint_of(symbol) == Constraint::Simplex {
            return;
        }
        let (name, declared) = (self.symbols[symbol].name.clone(), self.symbols[symbol].span);
        let span = self.exprs[outcome].span;
        let message = format!("`{name}` is declared wider than `{}` reaches", distribution.name);
        self.diags
            .warning(Code::OutcomeSupport, span, message)
            .label(declared, "declared here")
            .help(format!("declare it as `simplex[K] {name}`"));
    }

    /// The unknown that an expression is, whole or an element of.
    fn unknown_of(&self, expr: ExprId) -> Option<SymbolId> {
        self.base_symbol(expr).filter(|symbol| self.is_unknown(*symbol))
    }

    /// The declared bounds of an unknown.
    pub(super) fn bounds_of(&self, symbol: SymbolId) -> (Option<ExprId>, Option<ExprId>) {
        match &self.symbols[symbol].kind {
            SymbolKind::Unknown { constraint, .. } => match constraint {
                Constraint::Lower(low) => (Some(*low), None),
                Constraint::Upper(high) => (None, Some(*high)),
                Constraint::LowerUpper(low, high) => (Some(*low), Some(*high)),
                Constraint::None
                | Constraint::CholeskyFactorCorr
                | Constraint::Simplex
                | Constraint::Ordered
                | Constraint::PositiveOrdered
                | Constraint::CovMatrix => (None, None),
            },
            _ => (None, None),
        }
    }

    /// Whether the declaration of an unknown keeps it from going below `limit`; a bound that
    /// is not a number is trusted.
    fn keeps_above(&self, symbol: SymbolId, limit: f64) -> bool {
        let is_positive =
            matches!(self.constraint_of(symbol), Constraint::Simplex | Constraint::PositiveOrdered);
        let (low, _) = self.bounds_of(symbol);
        (is_positive && limit <= 0.0)
            || low.is_some_and(|low| self.constant_value(low).is_none_or(|low| low >= limit))
    }

    fn keeps_below(&self, symbol: SymbolId, limit: f64) -> bool {
        let is_simplex = *self.constraint_of(symbol) == Constraint::Simplex;
        let (_, high) = self.bounds_of(symbol);
        (is_simplex && limit >= 1.0)
            || high.is_some_and(|high| self.constant_value(high).is_none_or(|high| high <= limit))
    }

    fn warn_argument(
        &mut self,
        distribution: &Distribution,
        param: &str,
        kind: ParamKind,
        arg: ExprId,
    ) {
        let Some(symbol) = self.unknown_of(arg) else { return };
        let word = self.symbols[symbol].ty.unsized_name();
        let is_ordered = || {
            matches!(self.constraint_of(symbol), Constraint::Ordered | Constraint::PositiveOrdered)
        };
        let (fits, wanted, declaration) = match kind {
            ParamKind::Positive | ParamKind::PositiveScalar | ParamKind::PositiveVector => {
                (self.keeps_above(symbol, 0.0), "positive", format!("{word}<lower=0>"))
            }
            ParamKind::Probability => (
                self.keeps_above(symbol, 0.0) && self.keeps_below(symbol, 1.0),
                "between 0 and 1",
                format!("{word}<lower=0, upper=1>"),
            ),
            ParamKind::SimplexPerOutcome => (
                *self.constraint_of(symbol) == Constraint::Simplex,
                "positive and sum to one",
                "simplex[K]".to_string(),
            ),
            ParamKind::OrderedPerOutcome => {
                (is_ordered(), "in increasing order", "ordered[K]".to_string())
            }
            ParamKind::Covariance => (
                *self.constraint_of(symbol) == Constraint::CovMatrix,
                "symmetric and positive definite",
                "cov_matrix[K]".to_string(),
            ),
            _ => return,
        };
        if fits {
            return;
        }
        let (name, declared) = (self.symbols[symbol].name.clone(), self.symbols[symbol].span);
        let span = self.exprs[arg].span;
        let of_log_odds = crate::builtin::distribution(&format!("{}_logit", distribution.name))
            .filter(|_| kind == ParamKind::Probability);
        let or_log_odds = of_log_odds.map_or(String::new(), |found| {
            format!(", or keep it on the scale of log-odds with `{}`", found.name)
        });
        self.diags
            .warning(
                Code::ArgumentSupport,
                span,
                format!(
                    "`{name}` may take any value, and `{param}` of `{}` must be {wanted}",
                    distribution.name
                ),
            )
            .label(declared, "declared here")
            .help(format!("declare it as `{declaration}`{or_log_odds}"));
    }

    fn warn_outcome(
        &mut self,
        distribution: &Distribution,
        support: Support,
        symbol: SymbolId,
        outcome: ExprId,
    ) {
        let (low, high) = self.bounds_of(symbol);
        let is_interval = support == Support::BetweenArguments;
        let (fits, bounds) = match support {
            _ if is_interval => (low.is_some() && high.is_some(), "<lower=…, upper=…>"),
            Support::NonNegative | Support::Positive | Support::FromFirstArgument => {
                (self.keeps_above(symbol, 0.0), "<lower=0>")
            }
            Support::UnitInterval => (
                self.keeps_above(symbol, 0.0) && self.keeps_below(symbol, 1.0),
                "<lower=0, upper=1>",
            ),
            _ => return,
        };
        if fits {
            return;
        }
        let (name, declared) = (self.symbols[symbol].name.clone(), self.symbols[symbol].span);
        let word = self.symbols[symbol].ty.unsized_name();
        let span = self.exprs[outcome].span;
        let reason = if is_interval { " with the ends of the interval" } else { "" };
        self.diags
            .warning(
                Code::OutcomeSupport,
                span,
                format!("`{name}` is declared wider than `{}` reaches", distribution.name),
            )
            .label(declared, "declared here")
            .help(format!("declare it as `{word}{bounds}`{reason}"));
    }
}
