//! The Weibull distribution: `(x / scale)^shape` is standard exponential.

use super::cdf::{log_one_minus_exp, lower_inside, upper_inside};
use super::sampling::{exponential_draw, is_positive};
use super::support::{above, has_power, inside, log_ratio};
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};
use crate::random::Stream;
use crate::ty::Element;

/// The Weibull distribution: `(x / scale)^shape` is standard exponential.
pub static WEIBULL: Distribution = Distribution {
    name: "weibull",
    outcome: Outcome::Univariate(Element::Real, Support::NonNegative),
    params: &[
        Param { name: "shape", kind: ParamKind::Positive },
        Param { name: "scale", kind: ParamKind::Positive },
    ],
    formula: "ln shape - ln scale + (shape - 1) ln(x / scale) - (x / scale)^shape",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `ln shape - ln scale + (shape - 1) ln(x / scale) - (x / scale)^shape` for `x > 0`, and its
/// limit at zero.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[shape, scale] = args else { unreachable!("the checker counts arguments") };
    let less_one = b.offset(shape, -1.0);
    let is_inside = has_power(b, x, less_one);
    let x = b.select(is_inside, x, scale);
    let log_shape = b.log(shape);
    let log_scale = b.log(scale);
    let constant = b.sub(log_shape, log_scale);
    // One logarithm for power and exponential, whose slopes in `x` may both overflow.
    let zero = b.real(0.0);
    let is_above = above(b, x, 0.0);
    let at_zero = b.unary(UnaryOp::Not, is_above);
    let is_flat = b.binary(BinaryOp::Equal, less_one, zero);
    let is_corner = b.mul(at_zero, is_flat);
    let x = b.select(is_corner, scale, x);
    let log = log_ratio(b, x, scale);
    let power = b.mul(less_one, log);
    // At zero nothing is left of the exponential, nor of its slopes.
    let log_above = b.select(is_above, log, zero);
    let log_u = b.mul(shape, log_above);
    let exp = b.exp(log_u);
    let u = b.select(is_above, exp, zero);
    let kernel = b.sub(power, u);
    let density = b.add(constant, kernel);
    inside(b, is_inside, density)
}

/// `ln u` and `u = (x / scale)^shape`, which are 0 and 1 where `x` is not above zero.
fn hazard(
    b: &mut Builder,
    is_above: ValueId,
    x: ValueId,
    shape: ValueId,
    scale: ValueId,
) -> (ValueId, ValueId) {
    let x = b.select(is_above, x, scale);
    let log = log_ratio(b, x, scale);
    let log_u = b.mul(shape, log);
    (log_u, b.exp(log_u))
}

/// `ln(1 - e⁻ᵘ)` with `u = (x / scale)^shape`
fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[shape, scale] = args else { unreachable!("the checker counts arguments") };
    let is_inside = above(b, x, 0.0);
    // Where nothing is left, `u` may be infinite, and so its slopes.
    let (_, u) = hazard(b, is_inside, x, shape, scale);
    let (zero, many) = (b.real(0.0), b.real(1e3));
    let is_certain = b.binary(BinaryOp::Less, many, u);
    let x = b.select(is_certain, scale, x);
    let (log_u, u) = hazard(b, is_inside, x, shape, scale);
    let log = log_one_minus_exp(b, u, log_u);
    let log = b.select(is_certain, zero, log);
    lower_inside(b, is_inside, log)
}

/// `-u`
fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[shape, scale] = args else { unreachable!("the checker counts arguments") };
    let is_inside = above(b, x, 0.0);
    let (_, u) = hazard(b, is_inside, x, shape, scale);
    let log = b.neg(u);
    upper_inside(b, is_inside, log)
}

/// By inversion.
fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[shape], &[scale]] = args else { unreachable!("the checker counts arguments") };
    let log_u = libm::log(exponential_draw(stream));
    let is_valid = is_positive(shape) && is_positive(scale);
    out[0] = if is_valid { scale * libm::exp(log_u / shape) } else { f64::NAN };
}
