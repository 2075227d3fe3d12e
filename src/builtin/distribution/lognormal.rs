//! The distribution of `eᵘ` with `u` normal.

use super::cdf::{log_phi, lower_inside, upper_inside};
use super::sampling::is_positive;
use super::support::{above, guarded, inside, standardised};
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// The distribution of `eᵘ` with `u` normal.
pub static LOGNORMAL: Distribution = Distribution {
    name: "lognormal",
    outcome: Outcome::Univariate(Element::Real, Support::NonNegative),
    params: &[
        Param { name: "loc", kind: ParamKind::Real },
        Param { name: "scale", kind: ParamKind::Positive },
    ],
    formula: "-z²/2 - ln x - ln scale - ln √(2π), z = (ln x - loc) / scale",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `-z²/2 - ln x - ln scale - ln √(2π)` with `z = (ln x - loc) / scale`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[_, scale] = args else { unreachable!("the checker counts arguments") };
    let (is_inside, log_x, z) = standardised_log(b, x, args);
    let square = b.square(z);
    let kernel = b.scale(square, -0.5);
    let log_scale = b.log(scale);
    let constant = b.offset(log_scale, LN_SQRT_TWO_PI);
    let per_x = b.add(constant, log_x);
    let density = b.sub(kernel, per_x);
    inside(b, is_inside, density)
}

/// `ln Φ(z)`
fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let (is_inside, _, z) = standardised_log(b, x, args);
    let log = log_phi(b, z);
    lower_inside(b, is_inside, log)
}

/// `ln Φ(-z)`
fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let (is_inside, _, z) = standardised_log(b, x, args);
    let minus = b.neg(z);
    let log = log_phi(b, minus);
    upper_inside(b, is_inside, log)
}

/// Whether `x` is positive, its logarithm, and `z`; `loc` and zero where it is not.
fn standardised_log(b: &mut Builder, x: ValueId, args: &[ValueId]) -> (ValueId, ValueId, ValueId) {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let is_inside = above(b, x, 0.0);
    let x = guarded(b, is_inside, x, 1.0);
    let log_x = b.log(x);
    let log_x = b.select(is_inside, log_x, loc);
    (is_inside, log_x, standardised(b, log_x, loc, scale))
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[loc], &[scale]] = args else { unreachable!("the checker counts arguments") };
    let z = stream.normal();
    out[0] = if is_positive(scale) { libm::exp(loc + scale * z) } else { f64::NAN };
}
