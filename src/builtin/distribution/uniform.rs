//! The uniform distribution between two bounds.

use super::support::inside;
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::random::Stream;
use crate::ty::Element;

/// The uniform distribution between two bounds.
pub static UNIFORM: Distribution = Distribution {
    name: "uniform",
    outcome: Outcome::Univariate(Element::Real, Support::BetweenArguments),
    params: &[
        Param { name: "lower", kind: ParamKind::Real },
        Param { name: "upper", kind: ParamKind::Real },
    ],
    formula: "-ln(upper - lower)",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `-ln(upper - lower)` between the bounds.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[lower, upper] = args else { unreachable!("the checker counts arguments") };
    let width = b.sub(upper, lower);
    let log_width = b.log(width);
    let density = b.neg(log_width);
    let from_lower = b.binary(BinaryOp::LessEqual, lower, x);
    let to_upper = b.binary(BinaryOp::LessEqual, x, upper);
    let is_inside = b.mul(from_lower, to_upper);
    inside(b, is_inside, density)
}

/// `ln((x - lower) / (upper - lower))`
fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[lower, upper] = args else { unreachable!("the checker counts arguments") };
    log_part(b, [lower, x, upper], false)
}

/// `ln((upper - x) / (upper - lower))`
fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[lower, upper] = args else { unreachable!("the checker counts arguments") };
    log_part(b, [lower, x, upper], true)
}

/// The logarithm of the part of the interval below `x`, or above it.
fn log_part(b: &mut Builder, [lower, x, upper]: [ValueId; 3], above: bool) -> ValueId {
    let after_lower = b.binary(BinaryOp::Less, lower, x);
    let before_upper = b.binary(BinaryOp::Less, x, upper);
    let is_inside = b.mul(after_lower, before_upper);
    let width = b.sub(upper, lower);
    let part = if above { b.sub(upper, x) } else { b.sub(x, lower) };
    let part = b.select(is_inside, part, width);
    let ratio = b.div(part, width);
    let log = b.log(ratio);
    let (certain, never) = (b.real(0.0), b.real(f64::NEG_INFINITY));
    let is_possible = if above { before_upper } else { after_lower };
    let outside = b.select(is_possible, certain, never);
    b.select(is_inside, log, outside)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[lower], &[upper]] = args else { unreachable!("the checker counts arguments") };
    let u = stream.uniform();
    out[0] = if lower < upper { lower * (1.0 - u) + upper * u } else { f64::NAN };
}
