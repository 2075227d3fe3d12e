//! A count with mean `rate`.

use super::cdf::{lower_inside, upper_inside};
use super::count_terms::{away_from, is_possible};
use super::support::guarded;
use super::{
    Cdfs, Distribution, Outcome, Param, ParamKind, Support, at_least, draw_counts, inside,
};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, Bivariate, UnaryOp, ValueId};
use crate::ty::Element;

/// A count with mean `rate`.
pub static POISSON: Distribution = Distribution {
    name: "poisson",
    outcome: Outcome::Univariate(Element::Int, Support::NonNegative),
    params: &[Param { name: "rate", kind: ParamKind::Positive }],
    formula: "x ln rate - rate - ln x!",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample: |stream, args, out| out[0] = draw_counts::poisson(stream, args[0][0]),
};

/// `x ln rate - rate - ln x!`; a rate of zero makes 0 certain.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[rate] = args else { unreachable!("the checker counts arguments") };
    let positive = away_from(b, rate, 0.0, 1.0);
    let log_rate = b.log(positive);
    let linear = b.mul(x, log_rate);
    let next = b.offset(x, 1.0);
    let log_factorial = b.lgamma(next);
    let kernel = b.sub(linear, rate);
    let density = b.sub(kernel, log_factorial);
    let is_count = at_least(b, x, 0.0);
    let is_possible = is_possible(b, x, rate);
    // Both terms of an infinite rate are infinite.
    let infinity = b.real(f64::INFINITY);
    let is_infinite = b.binary(BinaryOp::Equal, rate, infinity);
    let is_finite = b.unary(UnaryOp::Not, is_infinite);
    let is_inside = b.mul(is_count, is_possible);
    let is_inside = b.mul(is_inside, is_finite);
    inside(b, is_inside, density)
}

/// `ln Q(x + 1, rate)`, the upper regularised incomplete gamma function
fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let (is_count, log) = incomplete_gamma(b, x, args, Bivariate::LogGammaQ);
    lower_inside(b, is_count, log)
}

/// `ln P(x + 1, rate)`, the lower one
fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let (is_count, log) = incomplete_gamma(b, x, args, Bivariate::LogGammaP);
    upper_inside(b, is_count, log)
}

/// Whether `x` is a count, and the function of it and the rate.
fn incomplete_gamma(
    b: &mut Builder,
    x: ValueId,
    args: &[ValueId],
    function: Bivariate,
) -> (ValueId, ValueId) {
    let &[rate] = args else { unreachable!("the checker counts arguments") };
    let is_count = at_least(b, x, 0.0);
    let x = guarded(b, is_count, x, 0.0);
    let shape = b.offset(x, 1.0);
    (is_count, b.binary(BinaryOp::Partial(function, 0, 0), shape, rate))
}
