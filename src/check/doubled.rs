//! Which unknowns have a distribution so far, and which get a second one.

use super::Checker;
use super::typed::{ExprId, SymbolId, SymbolKind};
use crate::diagnostic::Code;
use crate::source::Span;

/// A distribution that an unknown was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    symbol: SymbolId,
    /// Whether all of it was.
    whole: bool,
    span: Span,
}

impl Checker<'_> {
    /// Every unknown of an outcome has a density from here on.
    pub(super) fn mark_density(&mut self, outcome: ExprId, span: Span) {
        for symbol in self.outcome_symbols(outcome) {
            if self.facts(symbol).density.is_none() {
                self.given.push(Given { symbol, whole: false, span });
                self.facts_mut(symbol).density = Some(span);
            }
        }
    }

    /// Takes back what one side of an `if` gave, because the other may give it as well.
    pub(super) fn forget_given(&mut self, before: usize) -> Vec<Given> {
        let given = self.given[before..].to_vec();
        for item in &given {
            let facts = self.facts_mut(item.symbol);
            *(if item.whole { &mut facts.whole_prior } else { &mut facts.density }) = None;
        }
        given
    }

    /// Brings it back when both sides are known.
    pub(super) fn recall_given(&mut self, given: Vec<Given>) {
        for item in given {
            let facts = self.facts_mut(item.symbol);
            *(if item.whole { &mut facts.whole_prior } else { &mut facts.density }) =
                Some(item.span);
        }
    }

    /// Warns where an unknown gets a second distribution.
    pub(super) fn warn_doubled(&mut self, lhs: ExprId, span: Span) {
        if let Some(symbol) = self.named_symbol(lhs) {
            self.warn_doubled_whole(symbol, lhs, span);
        } else if let Some(symbol) = self.base_symbol(lhs)
            && let Some(first) = self.facts(symbol).whole_prior
            && self.is_unknown(symbol)
        {
            self.report_doubled(symbol, lhs, first);
        }
    }

    fn warn_doubled_whole(&mut self, symbol: SymbolId, lhs: ExprId, span: Span) {
        let is_unknown = self.is_unknown(symbol);
        let first = self.facts(symbol).density.filter(|_| is_unknown);
        let is_fixed = is_unknown || matches!(self.symbols[symbol].kind, SymbolKind::Datum(_));
        if let Some(first) = first {
            self.report_doubled(symbol, lhs, first);
        } else if is_fixed && self.is_repeated() {
            let name = self.symbols[symbol].name.clone();
            let message = format!("all of `{name}` gets a distribution in each round of the loop");
            let help = "write one element, as in `y[n] ~ …`, or move the statement out of the loop";
            self.diags.warning(Code::DoubledPrior, self.exprs[lhs].span, message).help(help);
        }
        if self.facts(symbol).whole_prior.is_none() {
            self.given.push(Given { symbol, whole: true, span });
            self.facts_mut(symbol).whole_prior = Some(span);
        }
    }

    /// Whether a loop runs around the statement at hand; one that failed may not be meant.
    fn is_repeated(&self) -> bool {
        self.loops.iter().any(|variable| !self.facts(*variable).broken)
    }

    fn report_doubled(&mut self, symbol: SymbolId, lhs: ExprId, first: Span) {
        let name = self.symbols[symbol].name.clone();
        let span = self.exprs[lhs].span;
        self.diags
            .warning(Code::DoubledPrior, span, format!("`{name}` gets a second distribution"))
            .label(first, "the first one is here")
            .help("their densities multiply; keep the one that is meant");
    }
}
