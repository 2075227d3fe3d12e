//! The gamma distribution with mean `shape / rate`.

use super::cdf::{lower_inside, upper_inside};
use super::draw::log_gamma;
use super::sampling::is_positive;
use super::support::{above, guarded, has_power, inside, log_power};
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, Bivariate, ValueId};
use crate::random::Stream;
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
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `shape · ln rate - ln Γ(shape) + (shape - 1) ln x - rate · x` for `x > 0`, and its limit at
/// zero.
pub fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[shape, rate] = args else { unreachable!("the checker counts arguments") };
    let less_one = b.offset(shape, -1.0);
    let is_inside = has_power(b, x, less_one);
    let x = guarded(b, is_inside, x, 1.0);
    let log_rate = b.log(rate);
    let scale = b.mul(shape, log_rate);
    let normaliser = b.lgamma(shape);
    let constant = b.sub(scale, normaliser);
    let power = log_power(b, less_one, x, |b, x| b.log(x), 0.0);
    let decay = b.mul(rate, x);
    let kernel = b.sub(power, decay);
    let density = b.add(constant, kernel);
    inside(b, is_inside, density)
}

/// `ln P(shape, rate · x)`, the lower regularised incomplete gamma function
pub fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[shape, rate] = args else { unreachable!("the checker counts arguments") };
    let is_inside = above(b, x, 0.0);
    let x = guarded(b, is_inside, x, 1.0);
    let u = b.mul(rate, x);
    let log = b.binary(BinaryOp::Partial(Bivariate::LogGammaP, 0, 0), shape, u);
    lower_inside(b, is_inside, log)
}

/// `ln Q(shape, rate · x)`, the upper one
pub fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[shape, rate] = args else { unreachable!("the checker counts arguments") };
    let is_inside = above(b, x, 0.0);
    let x = guarded(b, is_inside, x, 1.0);
    let u = b.mul(rate, x);
    let log = b.binary(BinaryOp::Partial(Bivariate::LogGammaQ, 0, 0), shape, u);
    upper_inside(b, is_inside, log)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[shape], &[rate]] = args else { unreachable!("the checker counts arguments") };
    let draw = libm::exp(log_gamma(stream, shape) - libm::log(rate));
    out[0] = if is_positive(rate) { draw } else { f64::NAN };
}
