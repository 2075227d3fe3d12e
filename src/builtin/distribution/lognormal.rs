//! The distribution of `eᵘ` with `u` normal.

use super::{Distribution, Outcome, Param, ParamKind, Support, above, inside, standardised};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
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
    cdfs: None,
    sample: None,
};

/// `-z²/2 - ln x - ln scale - ln √(2π)` with `z = (ln x - loc) / scale`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let log_x = b.log(x);
    let z = standardised(b, log_x, loc, scale);
    let square = b.square(z);
    let kernel = b.scale(square, -0.5);
    let log_scale = b.log(scale);
    let constant = b.offset(log_scale, LN_SQRT_TWO_PI);
    let per_x = b.add(constant, log_x);
    let density = b.sub(kernel, per_x);
    let is_inside = above(b, x, 0.0);
    inside(b, is_inside, density)
}
