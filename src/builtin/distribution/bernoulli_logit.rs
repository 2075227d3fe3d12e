//! 1 with log odds `eta`, else 0.

use super::{Distribution, Outcome, Param, ParamKind, Support, inside, is_binary};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// 1 with log odds `eta`, else 0.
pub static BERNOULLI_LOGIT: Distribution = Distribution {
    name: "bernoulli_logit",
    outcome: Outcome::Univariate(Element::Int, Support::Binary),
    params: &[Param { name: "eta", kind: ParamKind::Real }],
    formula: "-ln(1 + e^(-eta)) at 1, -ln(1 + e^eta) at 0",
    log_density,
    cdfs: None,
    sample,
};

/// `-ln(1 + exp(∓eta))`, minus at 1 and plus at 0.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[eta] = args else { unreachable!("the checker counts arguments") };
    let twice = b.scale(x, -2.0);
    let sign = b.offset(twice, 1.0);
    let signed = b.mul(sign, eta);
    let log_odds = b.log1p_exp(signed);
    let density = b.neg(log_odds);
    let is_binary = is_binary(b, x);
    inside(b, is_binary, density)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let eta = args[0][0];
    let chance = 1.0 / (1.0 + libm::exp(-eta));
    out[0] = if chance.is_nan() { f64::NAN } else { f64::from(stream.uniform() < chance) };
}
