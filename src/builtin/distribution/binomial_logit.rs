//! Successes in `trials` trials with log odds `eta` each.

use super::log_beta::log_beta;
use super::{Distribution, Outcome, Param, ParamKind, Support, at_least, inside};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
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
    sample: None,
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
    let some = at_least(b, x, 0.0);
    let not_too_many = at_least(b, failures, 0.0);
    let is_inside = b.mul(some, not_too_many);
    inside(b, is_inside, density)
}

/// `ln C(n, k) = -ln(n + 1) - ln B(k + 1, rest + 1)` with `rest = n - k`.
fn log_choose(b: &mut Builder, n: ValueId, k: ValueId, rest: ValueId) -> ValueId {
    let [all, chosen, left] = [n, k, rest].map(|m| b.offset(m, 1.0));
    let log_all = b.log(all);
    let log_beta = log_beta(b, chosen, left);
    let sum = b.add(log_all, log_beta);
    b.neg(sum)
}
