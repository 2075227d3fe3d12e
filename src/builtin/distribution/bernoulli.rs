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
    log_density,
};

/// `ln chance` at 1 and `ln(1 - chance)` at 0.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[chance] = args else { unreachable!("the checker counts arguments") };
    let log_chance = b.log(chance);
    let minus = b.neg(chance);
    let log_rest = b.log1p(minus);
    b.select(x, log_chance, log_rest)
}
