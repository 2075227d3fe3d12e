//! The gamma distribution with mean `shape / rate`.

use super::{Distribution, Outcome, Param, ParamKind, Support, above, inside};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::Element;

/// The gamma distribution with mean `shape / rate`.
pub static GAMMA: Distribution = Distribution {
    name: "gamma",
    outcome: Outcome::Univariate(Element::Real, Support::NonNegative),
    params: &[
        Param { name: "shape", kind: ParamKind::Positive },
        Param { name: "rate", kind: ParamKind::Positive },
    ],
    formula: "shape · ln rate - ln Γ(shape) + (shape - 1) ln x - rate · x",
    log_density,
    cdfs: None,
    sample: None,
};

/// `shape · ln rate - ln Γ(shape) + (shape - 1) ln x - rate · x` for `x > 0`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[shape, rate] = args else { unreachable!("the checker counts arguments") };
    let log_rate = b.log(rate);
    let scale = b.mul(shape, log_rate);
    let normaliser = b.lgamma(shape);
    let constant = b.sub(scale, normaliser);
    let log_x = b.log(x);
    let less_one = b.offset(shape, -1.0);
    let power = b.mul(less_one, log_x);
    let decay = b.mul(rate, x);
    let kernel = b.sub(power, decay);
    let density = b.add(constant, kernel);
    let is_inside = above(b, x, 0.0);
    inside(b, is_inside, density)
}
