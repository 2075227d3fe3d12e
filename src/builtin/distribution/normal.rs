//! The normal distribution with mean `loc` and standard deviation `scale`.

use super::cdf::log_phi;
use super::sampling::is_positive;
use super::support::standardised;
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// The normal distribution with mean `loc` and standard deviation `scale`.
pub static NORMAL: Distribution = Distribution {
    name: "normal",
    outcome: Outcome::Univariate(Element::Real, Support::Real),
    params: &[
        Param { name: "loc", kind: ParamKind::Real },
        Param { name: "scale", kind: ParamKind::Positive },
    ],
    formula: "-z²/2 - ln scale - ln √(2π), z = (x - loc) / scale",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `-z²/2 - ln scale - ln √(2π)` with `z = (x - loc) / scale`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    let square = b.square(z);
    let kernel = b.scale(square, -0.5);
    let log_scale = b.log(scale);
    let constant = b.offset(log_scale, LN_SQRT_TWO_PI);
    b.sub(kernel, constant)
}

/// `ln Φ(z)`
fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    log_phi(b, z)
}

/// `ln Φ(-z)`
fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    let minus = b.neg(z);
    log_phi(b, minus)
}

/// Box and Muller's method, in the stream.
fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[loc], &[scale]] = args else { unreachable!("the checker counts arguments") };
    out[0] = if is_positive(scale) { loc + scale * stream.normal() } else { f64::NAN };
}
