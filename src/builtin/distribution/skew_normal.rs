//! Azzalini's skew normal distribution.

use super::cdf::log_phi;
use super::sampling::is_positive;
use super::support::{guarded, inside, standardised};
use super::{Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::random::Stream;
use crate::ty::Element;

const LN_SQRT_HALF_PI: f64 = 0.225_791_352_644_727_43;

/// Azzalini's skew normal distribution: with `skew` 0 the normal one.
pub static SKEW_NORMAL: Distribution = Distribution {
    name: "skew_normal",
    outcome: Outcome::Univariate(Element::Real, Support::Real),
    params: &[
        Param { name: "loc", kind: ParamKind::Real },
        Param { name: "scale", kind: ParamKind::Positive },
        Param { name: "skew", kind: ParamKind::Real },
    ],
    formula: "-z²/2 - ln scale - ln √(π/2) + ln Φ(skew · z), z = (x - loc) / scale",
    log_density,
    cdfs: None,
    sample,
};

/// `-z²/2 - ln scale - ln √(π/2) + ln Φ(skew · z)` with `z = (x - loc) / scale`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale, skew] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    // Where the square overflows nothing is left, and `skew · z` may be `0 · ∞`.
    let square = b.square(z);
    let infinity = b.real(f64::INFINITY);
    let is_inside = b.binary(BinaryOp::Less, square, infinity);
    let z = guarded(b, is_inside, z, 0.0);
    let square = b.square(z);
    let kernel = b.scale(square, -0.5);
    let log_scale = b.log(scale);
    let constant = b.offset(log_scale, LN_SQRT_HALF_PI);
    let symmetric = b.sub(kernel, constant);
    let skewed = b.mul(skew, z);
    let tilt = log_phi(b, skewed);
    let density = b.add(symmetric, tilt);
    inside(b, is_inside, density)
}

/// `δ |u| + √(1 - δ²) v` of two normal draws, with `δ = skew / √(1 + skew²)`.
fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[loc], &[scale], &[skew]] = args else { unreachable!("the checker counts arguments") };
    let length = libm::hypot(1.0, skew);
    let (u, v) = (stream.normal(), stream.normal());
    let z = skew / length * u.abs() + v / length;
    out[0] = if is_positive(scale) { loc + scale * z } else { f64::NAN };
}
