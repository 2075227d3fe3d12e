//! Successes in `trials` trials with log odds `eta` each.

use super::count_terms::{is_part, log_choose};
use super::{Distribution, Outcome, Param, ParamKind, Support, draw_counts, inside};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// Successes in `trials` trials with log odds `eta` each.
pub static BINOMIAL_LOGIT: Distribution = Distribution {
    name: "binomial_logit",
    outcome: Outcome::Univariate(Element::Int, Support::UpToFirstArgument),
    params: &[
        Param { name: "trials", kind: ParamKind::Count },
        Param { name: "eta", kind: ParamKind::Real },
    ],
    formula: "ln C(trials, x) - x ln(1 + e^(-eta)) - (trials - x) ln(1 + e^eta)",
    log_density,
    cdfs: None,
    sample,
};

/// `ln C(trials, x) - x ln(1 + e⁻ᵉᵗᵃ) - (trials - x) ln(1 + eᵉᵗᵃ)`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[trials, eta] = args else { unreachable!("the checker counts arguments") };
    let failures = b.sub(trials, x);
    let minus_eta = b.neg(eta);
    let success = b.log1p_exp(minus_eta);
    let failure = b.log1p_exp(eta);
    let of_successes = b.mul(x, success);
    let of_failures = b.mul(failures, failure);
    let kernel = b.add(of_successes, of_failures);
    let ways = log_choose(b, trials, x, failures);
    let density = b.sub(ways, kernel);
    let is_inside = is_part(b, x, failures);
    inside(b, is_inside, density)
}

/// The rarer of success and failure is drawn, whose chance has all its digits.
fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let (trials, eta) = (args[0][0], args[1][0]);
    let rarer = draw_counts::binomial(stream, trials, 1.0 / (1.0 + libm::exp(eta.abs())));
    out[0] = if eta > 0.0 { trials - rarer } else { rarer };
}
