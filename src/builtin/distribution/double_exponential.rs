//! The Laplace distribution with median `loc`.

use super::{Distribution, Outcome, Param, ParamKind, Support, standardised};
use crate::ir::build::Builder;
use crate::ir::op::UnaryOp;
use crate::ir::op::ValueId;
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
    cdfs: None,
    sample: None,
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
