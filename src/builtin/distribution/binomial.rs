//! Successes in `trials` trials of probability `chance` each.

use super::count_terms::{away_from, is_part, is_possible, log_choose};
use super::{Distribution, Outcome, Param, ParamKind, Support, draw_counts, inside};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::Element;

/// Successes in `trials` trials of probability `chance` each.
pub static BINOMIAL: Distribution = Distribution {
    name: "binomial",
    outcome: Outcome::Univariate(Element::Int, Support::UpToFirstArgument),
    params: &[
        Param { name: "trials", kind: ParamKind::Count },
        Param { name: "chance", kind: ParamKind::Probability },
    ],
    formula: "ln C(trials, x) + x ln chance + (trials - x) ln(1 - chance)",
    log_density,
    cdfs: None,
    sample: |stream, args, out| {
        out[0] = draw_counts::binomial(stream, args[0][0], args[1][0]);
    },
};

/// `ln C(trials, x) + x ln chance + (trials - x) ln(1 - chance)`; a chance of 0 makes 0
/// certain, of 1 `trials`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[trials, chance] = args else { unreachable!("the checker counts arguments") };
    let failures = b.sub(trials, x);
    let positive = away_from(b, chance, 0.0, 1.0);
    let log_success = b.log(positive);
    let uncertain = away_from(b, chance, 1.0, 0.0);
    let minus = b.neg(uncertain);
    let log_failure = b.log1p(minus);
    let of_successes = b.mul(x, log_success);
    let of_failures = b.mul(failures, log_failure);
    let kernel = b.add(of_successes, of_failures);
    let ways = log_choose(b, trials, x, failures);
    let density = b.add(ways, kernel);
    let is_part = is_part(b, x, failures);
    let minus_chance = b.neg(chance);
    let rest = b.offset(minus_chance, 1.0);
    let may_succeed = is_possible(b, x, chance);
    let may_fail = is_possible(b, failures, rest);
    let is_possible = b.mul(may_succeed, may_fail);
    let is_inside = b.mul(is_part, is_possible);
    inside(b, is_inside, density)
}
