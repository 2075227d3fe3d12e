//! The distribution of `1 / u` with `u` of the gamma distribution.

use super::draw::log_gamma;
use super::sampling::is_positive;
use super::support::{above, guarded, inside};
use super::{Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// The distribution of `1 / u` with `u` of the gamma distribution with rate `scale`.
pub static INV_GAMMA: Distribution = Distribution {
    name: "inv_gamma",
    outcome: Outcome::Univariate(Element::Real, Support::Positive),
    params: &[
        Param { name: "shape", kind: ParamKind::Positive },
        Param { name: "scale", kind: ParamKind::Positive },
    ],
    formula: "shape · ln scale - ln Γ(shape) - (shape + 1) ln x - scale / x",
    log_density,
    cdfs: None,
    sample,
};

/// `shape · ln scale - ln Γ(shape) - (shape + 1) ln x - scale / x` for `x > 0`.
pub fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[shape, scale] = args else { unreachable!("the checker counts arguments") };
    let log_scale = b.log(scale);
    log_density_of(b, x, shape, log_scale, |b, x| b.div(scale, x))
}

/// The density with the logarithm of the scale and the scale over `x` given by themselves, of
/// which one may be known where the scale overflows.
pub fn log_density_of(
    b: &mut Builder,
    x: ValueId,
    shape: ValueId,
    log_scale: ValueId,
    scale_over: impl Fn(&mut Builder, ValueId) -> ValueId,
) -> ValueId {
    let is_inside = above(b, x, 0.0);
    let x = guarded(b, is_inside, x, 1.0);
    let power_of_scale = b.mul(shape, log_scale);
    let normaliser = b.lgamma(shape);
    let constant = b.sub(power_of_scale, normaliser);
    let log_x = b.log(x);
    let exponent = b.offset(shape, 1.0);
    let power = b.mul(exponent, log_x);
    let decay = scale_over(b, x);
    let kernel = b.add(power, decay);
    let density = b.sub(constant, kernel);
    inside(b, is_inside, density)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[shape], &[scale]] = args else { unreachable!("the checker counts arguments") };
    let draw = libm::exp(libm::log(scale) - log_gamma(stream, shape));
    out[0] = if is_positive(scale) { draw } else { f64::NAN };
}
