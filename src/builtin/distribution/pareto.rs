//! The Pareto distribution: `ln(x / minimum)` is exponential with rate `shape`.

use super::cdf::{log_one_minus_exp, lower_inside, upper_inside};
use super::sampling::{exponential_draw, is_positive};
use super::support::{inside, log_ratio};
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::random::Stream;
use crate::ty::Element;

/// The Pareto distribution: `ln(x / minimum)` is exponential with rate `shape`.
pub static PARETO: Distribution = Distribution {
    name: "pareto",
    outcome: Outcome::Univariate(Element::Real, Support::FromFirstArgument),
    params: &[
        Param { name: "minimum", kind: ParamKind::Positive },
        Param { name: "shape", kind: ParamKind::Positive },
    ],
    formula: "ln shape - ln x - shape · ln(x / minimum)",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `ln shape - ln x - shape · ln(x / minimum)` for `x >= minimum`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[minimum, shape] = args else { unreachable!("the checker counts arguments") };
    let is_inside = b.binary(BinaryOp::LessEqual, minimum, x);
    let x = b.select(is_inside, x, minimum);
    let log_shape = b.log(shape);
    let log_x = b.log(x);
    let constant = b.sub(log_shape, log_x);
    let log = log_ratio(b, x, minimum);
    let decay = b.mul(shape, log);
    let density = b.sub(constant, decay);
    inside(b, is_inside, density)
}

/// `ln(1 - e⁻ᵘ)` with `u = shape · ln(x / minimum)`
fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[minimum, shape] = args else { unreachable!("the checker counts arguments") };
    let is_inside = b.binary(BinaryOp::Less, minimum, x);
    let twice = b.scale(minimum, 2.0);
    let x = b.select(is_inside, x, twice);
    let log = log_ratio(b, x, minimum);
    let u = b.mul(shape, log);
    let log_shape = b.log(shape);
    let log_log = b.log(log);
    let log_u = b.add(log_shape, log_log);
    let log = log_one_minus_exp(b, u, log_u);
    lower_inside(b, is_inside, log)
}

/// `-u`
fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[minimum, shape] = args else { unreachable!("the checker counts arguments") };
    let is_inside = b.binary(BinaryOp::Less, minimum, x);
    let x = b.select(is_inside, x, minimum);
    let log = log_ratio(b, x, minimum);
    let u = b.mul(shape, log);
    let log = b.neg(u);
    upper_inside(b, is_inside, log)
}

/// By inversion.
fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[minimum], &[shape]] = args else { unreachable!("the checker counts arguments") };
    let u = exponential_draw(stream);
    let is_valid = is_positive(shape) && is_positive(minimum);
    out[0] = if is_valid { minimum * libm::exp(u / shape) } else { f64::NAN };
}
