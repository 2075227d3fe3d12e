//! The distribution of `1 / u` with `u` of the chi-square distribution.

use std::f64::consts::LN_2;

use super::draw::log_gamma;
use super::{Distribution, Outcome, Param, ParamKind, Support, inv_gamma};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// The distribution of `1 / u` with `u` of the chi-square distribution.
pub static INV_CHI_SQUARE: Distribution = Distribution {
    name: "inv_chi_square",
    outcome: Outcome::Univariate(Element::Real, Support::Positive),
    params: &[Param { name: "df", kind: ParamKind::Positive }],
    formula: "-df/2 · ln 2 - ln Γ(df/2) - (df/2 + 1) ln x - 1 / (2x)",
    log_density,
    cdfs: None,
    sample,
};

/// The inverse gamma density with shape `df/2` and scale 1/2.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[df] = args else { unreachable!("the checker counts arguments") };
    let shape = b.scale(df, 0.5);
    let scale = b.real(0.5);
    // Not folded: the logarithm of a constant is a constant of its own.
    let log_scale = b.real(-LN_2);
    inv_gamma::log_density_of(b, x, shape, log_scale, |b, x| b.div(scale, x))
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[df]] = args else { unreachable!("the checker counts arguments") };
    out[0] = 0.5 * libm::exp(-log_gamma(stream, 0.5 * df));
}
