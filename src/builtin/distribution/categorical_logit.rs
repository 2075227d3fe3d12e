//! A category, of which `k` has a probability proportional to `e^eta[k]`.

use super::pick::pick;
use super::{Distribution, Outcome, Param, ParamKind, Support, draw, inside, is_category};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// A category, of which `k` has a probability proportional to `e^eta[k]`.
pub static CATEGORICAL_LOGIT: Distribution = Distribution {
    name: "categorical_logit",
    outcome: Outcome::Univariate(Element::Int, Support::UpToLength),
    params: &[Param { name: "eta", kind: ParamKind::VectorPerOutcome }],
    formula: "eta[x] - ln Σ e^eta[k]",
    log_density,
    cdfs: None,
    sample,
};

/// `eta[x] - m - ln Σ e^(eta[k] - m)` with the largest element `m`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[eta] = args else { unreachable!("the checker counts arguments") };
    let dims = b.dims(eta).to_vec();
    let outer: Vec<u8> = (0..dims.len() as u8 - 1).collect();
    let largest = b.largest_keeping(eta, &outer);
    let largest = b.broadcast(largest, &outer, &dims);
    let shifted = b.sub(eta, largest);
    let weights = b.exp(shifted);
    let sum = b.sum_keeping(weights, &outer);
    let log_sum = b.log(sum);
    let position = b.offset(x, -1.0);
    let chosen = pick(b, shifted, position);
    let density = b.sub(chosen, log_sum);
    let is_inside = is_category(b, x, eta, 0);
    inside(b, is_inside, density)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let mut chances = args[0].to_vec();
    draw::exponential_shares(&mut chances);
    out[0] = draw::category(stream, &chances);
}
