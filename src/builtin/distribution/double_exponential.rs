//! The Laplace distribution with median `loc`.

use super::sampling::is_positive;
use super::support::standardised;
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};
use crate::random::Stream;
use crate::ty::Element;
use std::f64::consts::LN_2;

/// The Laplace distribution with median `loc`.
pub static DOUBLE_EXPONENTIAL: Distribution = Distribution {
    name: "double_exponential",
    outcome: Outcome::Univariate(Element::Real, Support::Real),
    params: &[
        Param { name: "loc", kind: ParamKind::Real },
        Param { name: "scale", kind: ParamKind::Positive },
    ],
    formula: "-|x - loc| / scale - ln(2 scale)",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `-|x - loc| / scale - ln(2 scale)`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    let kernel = b.unary(UnaryOp::Abs, z);
    let log_scale = b.log(scale);
    let constant = b.offset(log_scale, LN_2);
    let sum = b.add(kernel, constant);
    b.neg(sum)
}

/// `z - ln 2` below zero, `ln(1 - e⁻ᶻ/2)` above
fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    log_lower(b, z)
}

/// The same of `-z`
fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    let minus = b.neg(z);
    log_lower(b, minus)
}

fn log_lower(b: &mut Builder, z: ValueId) -> ValueId {
    let zero = b.real(0.0);
    let is_low = b.binary(BinaryOp::Less, z, zero);
    let of_low = b.offset(z, -LN_2);
    let high = b.select(is_low, zero, z);
    let minus = b.neg(high);
    let exp = b.exp(minus);
    let rest = b.scale(exp, -0.5);
    let of_high = b.log1p(rest);
    b.select(is_low, of_low, of_high)
}

/// By inversion.
fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[loc], &[scale]] = args else { unreachable!("the checker counts arguments") };
    let centred = 2.0 * stream.uniform() - 1.0;
    let z = -centred.signum() * libm::log1p(-centred.abs());
    out[0] = if is_positive(scale) { loc + scale * z } else { f64::NAN };
}
