//! The Cauchy distribution with median `loc` and half-width `scale`.

use std::f64::consts::{FRAC_1_PI, PI};

use super::sampling::is_positive;
use super::support::{log1p_square_over, standardised};
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};
use crate::random::Stream;
use crate::ty::Element;

const LN_PI: f64 = 1.144_729_885_849_400_2;

/// The Cauchy distribution with median `loc` and half-width `scale`.
pub static CAUCHY: Distribution = Distribution {
    name: "cauchy",
    outcome: Outcome::Univariate(Element::Real, Support::Real),
    params: &[
        Param { name: "loc", kind: ParamKind::Real },
        Param { name: "scale", kind: ParamKind::Positive },
    ],
    formula: "-ln(1 + z²) - ln scale - ln π, z = (x - loc) / scale",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `-ln(1 + z²) - ln scale - ln π` with `z = (x - loc) / scale`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    let one = b.real(1.0);
    let kernel = log1p_square_over(b, z, one);
    let log_scale = b.log(scale);
    let constant = b.offset(log_scale, LN_PI);
    let sum = b.add(kernel, constant);
    b.neg(sum)
}

/// `ln(1/2 + atan(z) / π)`
fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let centred = b.sub(x, loc);
    log_lower(b, centred, scale)
}

/// `ln(1/2 - atan(z) / π)`
fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let centred = b.sub(loc, x);
    log_lower(b, centred, scale)
}

/// The distribution function of `centred / scale`; in the tails by
/// `atan z = ∓π/2 - atan(1/z)`.
fn log_lower(b: &mut Builder, centred: ValueId, scale: ValueId) -> ValueId {
    let minus_scale = b.neg(scale);
    let is_low = b.binary(BinaryOp::Less, centred, minus_scale);
    let is_high = b.binary(BinaryOp::Less, scale, centred);
    let tail = |b: &mut Builder, is_tail: ValueId, end: ValueId| {
        let far = b.select(is_tail, centred, end);
        let inverse = b.div(scale, far);
        let angle = b.unary(UnaryOp::Atan, inverse);
        b.scale(angle, -FRAC_1_PI)
    };
    let lower_tail = tail(b, is_low, minus_scale);
    let of_low = b.log(lower_tail);
    let minus_upper = tail(b, is_high, scale);
    let of_high = b.log1p(minus_upper);
    let is_tail = b.add(is_low, is_high);
    let zero = b.real(0.0);
    let middle = b.select(is_tail, zero, centred);
    let z = b.div(middle, scale);
    let angle = b.unary(UnaryOp::Atan, z);
    let part = b.scale(angle, FRAC_1_PI);
    let chance = b.offset(part, 0.5);
    let of_middle = b.log(chance);
    let not_low = b.select(is_high, of_high, of_middle);
    b.select(is_low, of_low, not_low)
}

/// By inversion.
fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[loc], &[scale]] = args else { unreachable!("the checker counts arguments") };
    let z = libm::tan(PI * (stream.uniform() - 0.5));
    out[0] = if is_positive(scale) { loc + scale * z } else { f64::NAN };
}
