//! A count with mean `e^eta`.

use super::{Distribution, Outcome, Param, ParamKind, Support, at_least, draw_counts, inside};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};
use crate::ty::Element;

/// The logarithm of the largest number.
const LN_MAX: f64 = 709.782_712_893_384;

/// A count with mean `e^eta`.
pub static POISSON_LOG: Distribution = Distribution {
    name: "poisson_log",
    outcome: Outcome::Univariate(Element::Int, Support::NonNegative),
    params: &[Param { name: "eta", kind: ParamKind::Real }],
    formula: "x · eta - e^eta - ln x!",
    log_density,
    cdfs: None,
    sample: |stream, args, out| {
        out[0] = draw_counts::poisson(stream, libm::exp(args[0][0]));
    },
};

/// `x · eta - e^eta - ln x!`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[eta] = args else { unreachable!("the checker counts arguments") };
    // Where the mean overflows, `x · eta` may as well: their difference would be NaN.
    let (zero, largest) = (b.real(0.0), b.real(LN_MAX));
    let overflows = b.binary(BinaryOp::Less, largest, eta);
    let eta = b.select(overflows, zero, eta);
    let linear = b.mul(x, eta);
    let mean = b.exp(eta);
    let next = b.offset(x, 1.0);
    let log_factorial = b.lgamma(next);
    let kernel = b.sub(linear, mean);
    let density = b.sub(kernel, log_factorial);
    let is_count = at_least(b, x, 0.0);
    let is_finite = b.unary(UnaryOp::Not, overflows);
    let is_inside = b.mul(is_count, is_finite);
    inside(b, is_inside, density)
}
