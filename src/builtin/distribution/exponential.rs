//! The exponential distribution with this `rate`.

use super::{Distribution, Outcome, Param, ParamKind, Support, at_least, inside};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::Element;

/// The exponential distribution with this `rate`.
pub static EXPONENTIAL: Distribution = Distribution {
    name: "exponential",
    outcome: Outcome::Univariate(Element::Real, Support::NonNegative),
    params: &[Param { name: "rate", kind: ParamKind::Positive }],
    formula: "ln rate - rate · x",
    log_density,
    cdfs: None,
    sample: None,
};

/// `ln rate - rate · x` for `x >= 0`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[rate] = args else { unreachable!("the checker counts arguments") };
    let log_rate = b.log(rate);
    let kernel = b.mul(rate, x);
    let density = b.sub(log_rate, kernel);
    let is_inside = at_least(b, x, 0.0);
    inside(b, is_inside, density)
}
