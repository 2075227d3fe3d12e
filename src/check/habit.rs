//! Priors that are habits of other programs: a uniform distribution over a range that no one
//! believes in, and gamma(0.001, 0.001).

use super::Checker;
use super::typed::ExprId;
use crate::builtin::Distribution;
use crate::diagnostic::Code;

/// A uniform prior at least as wide is a habit rather than a statement.
const WIDE: f64 = 50.0;

/// Shape and rate at most as large make nearly all mass of a gamma prior lie at zero.
const VAGUE: f64 = 0.01;

impl Checker<'_> {
    /// Warns of priors that say other than they seem to.
    pub(super) fn warn_habits(
        &mut self,
        distribution: &Distribution,
        outcome: ExprId,
        args: &[ExprId],
    ) {
        let is_unknown = self.base_symbol(outcome).is_some_and(|symbol| self.is_unknown(symbol));
        let [first, second] = args else { return };
        let (Some(a), Some(b)) = (self.constant_value(*first), self.constant_value(*second)) else {
            return;
        };
        let span = self.exprs[*first].span.to(self.exprs[*second].span);
        let text = self.text(self.exprs[outcome].span);
        match distribution.name {
            _ if !is_unknown => {}
            "uniform" if b - a >= WIDE => {
                let message = format!(
                    "`uniform({a}, {b})` puts as much weight on `{text}` near {b} as near {a}, \
                     and none beyond"
                );
                self.diags.warning(Code::WideUniform, span, message).help(format!(
                    "say on what scale it is expected, without hard ends: `{text} ~ normal(0, 5);`, \
                     declared `real<lower=0>` if it is a scale"
                ));
            }
            "gamma" | "inv_gamma" if a == b && a <= VAGUE => {
                let message = format!(
                    "`{}({a}, {b})` is not vague: it pulls `{text}` towards zero, the more so \
                     the less the data say",
                    distribution.name
                );
                self.diags.warning(Code::VagueGamma, span, message).help(
                    "give a scale (a standard deviation) a prior such as `normal(0, 1)` or \
                     `exponential(1)` with `real<lower=0>`",
                );
            }
            _ => {}
        }
    }
}
