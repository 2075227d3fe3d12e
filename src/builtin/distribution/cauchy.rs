//! The Cauchy distribution with median `loc` and half-width `scale`.

use super::{Distribution, Outcome, Param, ParamKind, Support, standardised};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
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
    cdfs: None,
    sample: None,
};

/// `-ln(1 + z²) - ln scale - ln π` with `z = (x - loc) / scale`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    let square = b.square(z);
    let kernel = b.log1p(square);
    let log_scale = b.log(scale);
    let constant = b.offset(log_scale, LN_PI);
    let sum = b.add(kernel, constant);
    b.neg(sum)
}
