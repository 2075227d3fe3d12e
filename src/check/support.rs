//! Declared bounds against what distributions want: scales that may be negative, unknowns
//! declared wider than their distribution, and priors that a declared bound cuts off.

use super::Checker;
use super::typed::{Constraint, ExprId, ExprKind, SymbolId, SymbolKind};
use crate::builtin::distribution::Support;
use crate::builtin::{Distribution, Outcome, ParamKind};
use crate::diagnostic::Code;
use crate::ty::Role;

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
        let Outcome::Univariate(_, support) = distribution.outcome else { return };
        let Some(symbol) = self.unknown_of(outcome) else { return };
        self.warn_outcome(distribution, support, symbol, outcome);
        self.warn_truncation(distribution, support, symbol, outcome, args);
    }

    /// The unknown that an expression is, whole or an element of.
    fn unknown_of(&self, expr: ExprId) -> Option<SymbolId> {
        let base = match self.exprs[expr].kind {
            ExprKind::Index(base, _) | ExprKind::Slice(base, ..) => base,
            _ => expr,
        };
        self.named_symbol(base).filter(|symbol| self.is_unknown(*symbol))
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

    /// Whether a lower bound keeps values from going below `limit`; one that is not a number
    /// is trusted.
    fn keeps_above(&self, bound: Option<ExprId>, limit: f64) -> bool {
        bound.is_some_and(|bound| self.constant_value(bound).is_none_or(|low| low >= limit))
    }

    fn keeps_below(&self, bound: Option<ExprId>, limit: f64) -> bool {
        bound.is_some_and(|bound| self.constant_value(bound).is_none_or(|high| high <= limit))
    }

    fn warn_argument(
        &mut self,
        distribution: &Distribution,
        param: &str,
        kind: ParamKind,
        arg: ExprId,
    ) {
        let Some(symbol) = self.unknown_of(arg) else { return };
        let (low, high) = self.bounds_of(symbol);
        let (fits, wanted, bounds) = match kind {
            ParamKind::Positive | ParamKind::PositiveScalar => {
                (self.keeps_above(low, 0.0), "positive", "<lower=0>")
            }
            ParamKind::Probability => (
                self.keeps_above(low, 0.0) && self.keeps_below(high, 1.0),
                "between 0 and 1",
                "<lower=0, upper=1>",
            ),
            _ => return,
        };
        if fits {
            return;
        }
        let (name, declared) = (self.symbols[symbol].name.clone(), self.symbols[symbol].span);
        let word = self.symbols[symbol].ty.unsized_name();
        let span = self.exprs[arg].span;
        let of_log_odds = crate::builtin::distribution(&format!("{}_logit", distribution.name));
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
            .help(format!("declare it as `{word}{bounds}`{or_log_odds}"));
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
                (self.keeps_above(low, 0.0), "<lower=0>")
            }
            Support::UnitInterval => {
                (self.keeps_above(low, 0.0) && self.keeps_below(high, 1.0), "<lower=0, upper=1>")
            }
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

    /// Rule 12: the part of a local's prior that a declared bound cuts off is not normalised
    /// away, and how much that is depends on the globals.
    fn warn_truncation(
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
        let reaches = self.reaches_beyond(support, symbol);
        if !is_local || !depends || !reaches || self.is_folded(distribution, symbol, args) {
            return;
        }
        let (name, declared) = (self.symbols[symbol].name.clone(), self.symbols[symbol].span);
        let span = self.exprs[outcome].span;
        self.diags
            .warning(
                Code::TruncatedPrior,
                span,
                format!(
                    "the bound of `{name}` cuts off a part of `{}` that depends on unknowns",
                    distribution.name
                ),
            )
            .label(declared, "declared with a bound here")
            .help(
                "a bound does not renormalise a prior: take a distribution that has this \
                 support, such as `lognormal` or `gamma`, or leave out the bound and transform",
            );
    }

    fn reaches_beyond(&self, support: Support, symbol: SymbolId) -> bool {
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
