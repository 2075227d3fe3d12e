//! The exponential distribution with this `rate`.

use super::cdf::{log_one_minus_exp, lower_inside, upper_inside};
use super::sampling::{exponential_draw, is_positive};
use super::support::{above, at_least, guarded, inside};
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// The exponential distribution with this `rate`.
pub static EXPONENTIAL: Distribution = Distribution {
    name: "exponential",
    outcome: Outcome::Univariate(Element::Real, Support::NonNegative),
    params: &[Param { name: "rate", kind: ParamKind::Positive }],
    formula: "ln rate - rate · x",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `ln rate - rate · x` for `x >= 0`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[rate] = args else { unreachable!("the checker counts arguments") };
    let is_inside = at_least(b, x, 0.0);
    let x = guarded(b, is_inside, x, 1.0);
    let log_rate = b.log(rate);
    let kernel = b.mul(rate, x);
    let density = b.sub(log_rate, kernel);
    inside(b, is_inside, density)
}

/// `ln(1 - e^(-rate · x))`
fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[rate] = args else { unreachable!("the checker counts arguments") };
    let is_inside = above(b, x, 0.0);
    let x = guarded(b, is_inside, x, 1.0);
    let u = b.mul(rate, x);
    let log_rate = b.log(rate);
    let log_x = b.log(x);
    let log_u = b.add(log_rate, log_x);
    let log = log_one_minus_exp(b, u, log_u);
    lower_inside(b, is_inside, log)
}

/// `-rate · x`
fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[rate] = args else { unreachable!("the checker counts arguments") };
    let is_inside = above(b, x, 0.0);
    let u = b.mul(rate, x);
    let log = b.neg(u);
    upper_inside(b, is_inside, log)
}

/// By inversion.
fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[rate]] = args else { unreachable!("the checker counts arguments") };
    out[0] = if is_positive(rate) { exponential_draw(stream) / rate } else { f64::NAN };
}
