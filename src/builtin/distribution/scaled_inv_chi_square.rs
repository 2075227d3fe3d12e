//! The distribution of `df · scale² / u` with `u` of the chi-square distribution.

use std::f64::consts::LN_2;

use super::draw::log_gamma;
use super::sampling::is_positive;
use super::{Distribution, Outcome, Param, ParamKind, Support, inv_gamma};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// The distribution of `df · scale² / u` with `u` of the chi-square distribution.
pub static SCALED_INV_CHI_SQUARE: Distribution = Distribution {
    name: "scaled_inv_chi_square",
    outcome: Outcome::Univariate(Element::Real, Support::Positive),
    params: &[
        Param { name: "df", kind: ParamKind::Positive },
        Param { name: "scale", kind: ParamKind::Positive },
    ],
    formula: "df/2 · ln(df/2) - ln Γ(df/2) + df · ln scale - (df/2 + 1) ln x - df · scale² / (2x)",
    log_density,
    cdfs: None,
    sample,
};

/// The inverse gamma density with shape `df/2` and scale `df/2 · scale²`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[df, scale] = args else { unreachable!("the checker counts arguments") };
    let shape = b.scale(df, 0.5);
    let log_shape = b.log(shape);
    let log_root = b.log(scale);
    let twice = b.scale(log_root, 2.0);
    let log_scale = b.add(log_shape, twice);
    inv_gamma::log_density_of(b, x, shape, log_scale, |b, x| {
        // The quotient first: the square of the scale may overflow.
        let ratio = b.div(scale, x);
        let square_ratio = b.mul(ratio, scale);
        b.mul(square_ratio, shape)
    })
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[df], &[scale]] = args else { unreachable!("the checker counts arguments") };
    let log_ratio = libm::log(df) - LN_2 - log_gamma(stream, 0.5 * df);
    let draw = libm::exp(log_ratio + 2.0 * libm::log(scale));
    out[0] = if is_positive(scale) { draw } else { f64::NAN };
}
