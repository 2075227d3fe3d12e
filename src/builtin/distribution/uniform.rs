//! The uniform distribution between two bounds.

use super::{Distribution, Outcome, Param, ParamKind, Support, inside};
use crate::ir::build::Builder;
use crate::ir::op::BinaryOp;
use crate::ir::op::ValueId;
use crate::ty::Element;

/// The uniform distribution between two bounds.
pub static UNIFORM: Distribution = Distribution {
    name: "uniform",
    outcome: Outcome::Univariate(Element::Real, Support::BetweenArguments),
    params: &[
        Param { name: "lower", kind: ParamKind::Real },
        Param { name: "upper", kind: ParamKind::Real },
    ],
    formula: "-ln(upper - lower)",
    log_density,
    cdfs: None,
    sample: None,
};

/// `-ln(upper - lower)` between the bounds.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[lower, upper] = args else { unreachable!("the checker counts arguments") };
    let width = b.sub(upper, lower);
    let log_width = b.log(width);
    let density = b.neg(log_width);
    let from_lower = b.binary(BinaryOp::LessEqual, lower, x);
    let to_upper = b.binary(BinaryOp::LessEqual, x, upper);
    let is_inside = b.mul(from_lower, to_upper);
    inside(b, is_inside, density)
}
