//! Successes in `trials` trials whose chance is drawn from the beta distribution.

use super::count_terms::{is_part, log_multichoose};
use super::{Distribution, Outcome, Param, ParamKind, Support, draw, draw_counts, inside};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// Successes in `trials` trials whose chance is drawn from the beta distribution.
pub static BETA_BINOMIAL: Distribution = Distribution {
    name: "beta_binomial",
    outcome: Outcome::Univariate(Element::Int, Support::UpToFirstArgument),
    params: &[
        Param { name: "trials", kind: ParamKind::Count },
        Param { name: "a", kind: ParamKind::Positive },
        Param { name: "b", kind: ParamKind::Positive },
    ],
    formula: "ln C(trials, x) + ln B(x + a, trials - x + b) - ln B(a, b)",
    log_density,
    cdfs: None,
    sample,
};

/// `w(a, x) + w(b, trials - x) - w(a + b, trials)` with
/// `w(c, k) = ln Γ(c + k) - ln Γ(c) - ln k!`, which loses no digits for large `a` and `b`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[trials, of_success, of_failure] = args else {
        unreachable!("the checker counts arguments")
    };
    let failures = b.sub(trials, x);
    let both = b.add(of_success, of_failure);
    let successes = log_multichoose(b, of_success, x);
    let failed = log_multichoose(b, of_failure, failures);
    let parts = b.add(successes, failed);
    let whole = log_multichoose(b, both, trials);
    let density = b.sub(parts, whole);
    let is_inside = is_part(b, x, failures);
    inside(b, is_inside, density)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let (trials, a, b) = (args[0][0], args[1][0], args[2][0]);
    let log_odds = draw::log_gamma(stream, a) - draw::log_gamma(stream, b);
    let rarer = 1.0 / (1.0 + libm::exp(log_odds.abs()));
    let drawn = draw_counts::binomial(stream, trials, rarer);
    out[0] = if log_odds > 0.0 { trials - drawn } else { drawn };
}
