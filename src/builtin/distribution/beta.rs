//! The beta distribution on (0, 1) with mean `a / (a + b)`.

use super::log_beta::log_beta;
use super::{Distribution, Outcome, Param, ParamKind, Support, above, inside};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::Element;

/// The beta distribution on (0, 1) with mean `a / (a + b)`.
pub static BETA: Distribution = Distribution {
    name: "beta",
    outcome: Outcome::Univariate(Element::Real, Support::UnitInterval),
    params: &[
        Param { name: "a", kind: ParamKind::Positive },
        Param { name: "c", kind: ParamKind::Positive },
    ],
    formula: "(a - 1) ln x + (b - 1) ln(1 - x) - ln B(a, b)",
    log_density,
    cdfs: None,
    sample: None,
};

/// `(a - 1) ln x + (b - 1) ln(1 - x) - ln B(a, b)`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[a, c] = args else { unreachable!("the checker counts arguments") };
    let log_x = b.log(x);
    let minus_x = b.neg(x);
    let log_rest = b.log1p(minus_x);
    let a_less_one = b.offset(a, -1.0);
    let c_less_one = b.offset(c, -1.0);
    let left = b.mul(a_less_one, log_x);
    let right = b.mul(c_less_one, log_rest);
    let kernel = b.add(left, right);
    let normaliser = log_beta(b, a, c);
    let density = b.sub(kernel, normaliser);
    let is_above = above(b, x, 0.0);
    let is_below = above(b, minus_x, -1.0);
    let is_inside = b.mul(is_above, is_below);
    inside(b, is_inside, density)
}
