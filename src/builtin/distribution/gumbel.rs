//! The Gumbel distribution of largest values: `e^(-z)` is standard exponential.

use super::cdf::log_one_minus_exp;
use super::sampling::{exponential_draw, is_positive};
use super::support::{guarded, inside, standardised};
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::random::Stream;
use crate::ty::Element;

/// The Gumbel distribution of largest values: `e^(-z)` is standard exponential.
pub static GUMBEL: Distribution = Distribution {
    name: "gumbel",
    outcome: Outcome::Univariate(Element::Real, Support::Real),
    params: &[
        Param { name: "loc", kind: ParamKind::Real },
        Param { name: "scale", kind: ParamKind::Positive },
    ],
    formula: "-z - e^(-z) - ln scale, z = (x - loc) / scale",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `-z - e⁻ᶻ - ln scale` with `z = (x - loc) / scale`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    // Where the exponential overflows, `z` may as well: their difference would be NaN.
    let (_, u) = hazard(b, z);
    let infinity = b.real(f64::INFINITY);
    let is_inside = b.binary(BinaryOp::Less, u, infinity);
    let z = guarded(b, is_inside, z, 0.0);
    let (log_u, u) = hazard(b, z);
    let kernel = b.sub(log_u, u);
    let log_scale = b.log(scale);
    let density = b.sub(kernel, log_scale);
    inside(b, is_inside, density)
}

/// `ln u = -z` and `u`.
fn hazard(b: &mut Builder, z: ValueId) -> (ValueId, ValueId) {
    let log_u = b.neg(z);
    (log_u, b.exp(log_u))
}

/// `-e⁻ᶻ`
fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    let (_, u) = hazard(b, z);
    b.neg(u)
}

/// `ln(1 - e⁻ᵘ)` with `u = e⁻ᶻ`
fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    // Where nothing is left, `u` may be infinite, and so its slopes.
    let (zero, far) = (b.real(0.0), b.real(-7.0));
    let is_certain = b.binary(BinaryOp::Less, z, far);
    let z = b.select(is_certain, zero, z);
    let (log_u, u) = hazard(b, z);
    let log = log_one_minus_exp(b, u, log_u);
    b.select(is_certain, zero, log)
}

/// By inversion.
fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[loc], &[scale]] = args else { unreachable!("the checker counts arguments") };
    let z = -libm::log(exponential_draw(stream));
    out[0] = if is_positive(scale) { loc + scale * z } else { f64::NAN };
}
