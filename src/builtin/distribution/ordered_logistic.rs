//! A category: where `eta` with logistic noise lies between the cutpoints `cuts`.

use super::pick::{pick, width};
use super::{Distribution, Outcome, Param, ParamKind, Support, inside, is_category};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};
use crate::random::Stream;
use crate::ty::Element;

/// A category: where `eta` with logistic noise lies between the cutpoints `cuts`.
pub static ORDERED_LOGISTIC: Distribution = Distribution {
    name: "ordered_logistic",
    outcome: Outcome::Univariate(Element::Int, Support::UpToLengthPlusOne),
    params: &[
        Param { name: "eta", kind: ParamKind::Real },
        Param { name: "cuts", kind: ParamKind::OrderedPerOutcome },
    ],
    formula: "ln(inv_logit(eta - cuts[x - 1]) - inv_logit(eta - cuts[x])), of which the first category has 1 for the first and the last 0 for the second",
    log_density,
    cdfs: None,
    sample,
};

/// `ln(1 - e^(lower - upper)) - ln(1 + e^(lower - eta)) - ln(1 + e^(eta - upper))` with the
/// cutpoints `lower` and `upper` of the category: no term cancels another. The first category
/// has the last term alone, the last one the second.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[eta, cuts] = args else { unreachable!("the checker counts arguments") };
    let (zero, one) = (b.real(0.0), b.real(1.0));
    let n_cuts = width(b, cuts);
    let has_lower = b.binary(BinaryOp::Less, one, x);
    let has_upper = b.binary(BinaryOp::LessEqual, x, n_cuts);
    let has_both = b.mul(has_lower, has_upper);
    let before = b.offset(x, -2.0);
    let position = b.offset(x, -1.0);
    let lower = pick(b, cuts, before);
    let upper = pick(b, cuts, position);
    let gap = b.sub(upper, lower);
    let gap = b.select(has_both, gap, one);
    let minus_gap = b.neg(gap);
    let of_gap = b.unary(UnaryOp::Log1mExp, minus_gap);
    let of_gap = b.select(has_both, of_gap, zero);
    let below = b.sub(lower, eta);
    let of_lower = b.log1p_exp(below);
    let of_lower = b.select(has_lower, of_lower, zero);
    let above = b.sub(eta, upper);
    let of_upper = b.log1p_exp(above);
    let of_upper = b.select(has_upper, of_upper, zero);
    let tails = b.add(of_lower, of_upper);
    let density = b.sub(of_gap, tails);
    let is_inside = is_category(b, x, cuts, 1);
    inside(b, is_inside, density)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let (eta, cuts) = (args[0][0], args[1]);
    let u = stream.uniform();
    let noisy = eta + libm::log(u) - libm::log1p(-u);
    let is_ordered = cuts.is_sorted() && !noisy.is_nan();
    let below = cuts.iter().filter(|cut| **cut < noisy).count();
    out[0] = if is_ordered { (below + 1) as f64 } else { f64::NAN };
}
