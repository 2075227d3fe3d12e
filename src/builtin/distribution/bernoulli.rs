//! 1 with probability `chance`, else 0.

use super::{Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::Element;

/// 1 with probability `chance`, else 0.
pub static BERNOULLI: Distribution = Distribution {
    name: "bernoulli",
    outcome: Outcome::Univariate(Element::Int, Support::Binary),
    params: &[Param { name: "chance", kind: ParamKind::Probability }],
    formula: "ln chance at 1, ln(1 - chance) at 0",
    log_density,
    cdfs: None,
    sample: None,
};

/// `ln chance` at 1 and `ln(1 - chance)` at 0.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[chance] = args else { unreachable!("the checker counts arguments") };
    // What does not happen is replaced by what is certain, so that a chance of 0 or 1 leaves
    // no infinite slope behind.
    let (certain, zero) = (b.real(1.0), b.real(0.0));
    let minus = b.neg(chance);
    let of_one = b.select(x, chance, certain);
    let of_zero = b.select(x, zero, minus);
    let log_one = b.log(of_one);
    let log_zero = b.log1p(of_zero);
    b.add(log_one, log_zero)
}
