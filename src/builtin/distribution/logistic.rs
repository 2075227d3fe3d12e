//! The logistic distribution with median `loc`.

use super::sampling::is_positive;
use super::support::standardised;
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// The logistic distribution with median `loc`.
pub static LOGISTIC: Distribution = Distribution {
    name: "logistic",
    outcome: Outcome::Univariate(Element::Real, Support::Real),
    params: &[
        Param { name: "loc", kind: ParamKind::Real },
        Param { name: "scale", kind: ParamKind::Positive },
    ],
    formula: "-ln(1 + e^z) - ln(1 + e^(-z)) - ln scale, z = (x - loc) / scale",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `-ln(1 + eᶻ) - ln(1 + e⁻ᶻ) - ln scale` with `z = (x - loc) / scale`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[_, scale] = args else { unreachable!("the checker counts arguments") };
    let log_lower = lower(b, x, args);
    let log_upper = upper(b, x, args);
    let kernel = b.add(log_lower, log_upper);
    let log_scale = b.log(scale);
    b.sub(kernel, log_scale)
}

/// `-ln(1 + e⁻ᶻ)`
fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    let minus = b.neg(z);
    let log = b.log1p_exp(minus);
    b.neg(log)
}

/// `-ln(1 + eᶻ)`
fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    let log = b.log1p_exp(z);
    b.neg(log)
}

/// By inversion.
fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[loc], &[scale]] = args else { unreachable!("the checker counts arguments") };
    let u = stream.uniform();
    let z = libm::log(u) - libm::log1p(-u);
    out[0] = if is_positive(scale) { loc + scale * z } else { f64::NAN };
}
