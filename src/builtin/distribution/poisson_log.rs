//! A count with mean `e^eta`.

use super::{Distribution, Outcome, Param, ParamKind, Support, at_least, inside};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::ty::Element;

/// A count with mean `e^eta`.
pub static POISSON_LOG: Distribution = Distribution {
    name: "poisson_log",
    outcome: Outcome::Univariate(Element::Int, Support::NonNegative),
    params: &[Param { name: "eta", kind: ParamKind::Real }],
    formula: "x · eta - e^eta - ln x!",
    log_density,
    cdfs: None,
    sample: None,
};

/// `x · eta - e^eta - ln x!`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[eta] = args else { unreachable!("the checker counts arguments") };
    let linear = b.mul(x, eta);
    let mean = b.exp(eta);
    let next = b.offset(x, 1.0);
    let log_factorial = b.lgamma(next);
    let kernel = b.sub(linear, mean);
    let density = b.sub(kernel, log_factorial);
    let is_count = at_least(b, x, 0.0);
    // Where the mean overflows, `x · eta` may as well: their difference would be NaN.
    let infinity = b.real(f64::INFINITY);
    let is_finite = b.binary(BinaryOp::Less, mean, infinity);
    let is_inside = b.mul(is_count, is_finite);
    inside(b, is_inside, density)
}
