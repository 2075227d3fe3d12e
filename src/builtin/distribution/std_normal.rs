//! The normal distribution with mean 0 and standard deviation 1.

use super::cdf::log_phi;
use super::{Cdfs, Distribution, Outcome, Support};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// The normal distribution with mean 0 and standard deviation 1.
pub static STD_NORMAL: Distribution = Distribution {
    name: "std_normal",
    outcome: Outcome::Univariate(Element::Real, Support::Real),
    params: &[],
    formula: "-x²/2 - ln √(2π)",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `-x²/2 - ln √(2π)`.
fn log_density(b: &mut Builder, x: ValueId, _args: &[ValueId]) -> ValueId {
    let square = b.square(x);
    let kernel = b.scale(square, -0.5);
    b.offset(kernel, -LN_SQRT_TWO_PI)
}

/// `ln Φ(x)`
fn lower(b: &mut Builder, x: ValueId, _args: &[ValueId]) -> ValueId {
    log_phi(b, x)
}

/// `ln Φ(-x)`
fn upper(b: &mut Builder, x: ValueId, _args: &[ValueId]) -> ValueId {
    let minus = b.neg(x);
    log_phi(b, minus)
}

fn sample(stream: &mut Stream, _args: &[&[f64]], out: &mut [f64]) {
    out[0] = stream.normal();
}
