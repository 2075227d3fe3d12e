//! A category, of which `k` has probability `theta[k]`.

use super::pick::pick;
use super::{Distribution, Outcome, Param, ParamKind, Support, draw, inside, is_category};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// A category, of which `k` has probability `theta[k]`.
pub static CATEGORICAL: Distribution = Distribution {
    name: "categorical",
    outcome: Outcome::Univariate(Element::Int, Support::UpToLength),
    params: &[Param { name: "theta", kind: ParamKind::SimplexPerOutcome }],
    formula: "ln theta[x]",
    log_density,
    cdfs: None,
    sample,
};

/// `ln theta[x]`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[theta] = args else { unreachable!("the checker counts arguments") };
    let position = b.offset(x, -1.0);
    let chance = pick(b, theta, position);
    let is_inside = is_category(b, x, theta, 0);
    let one = b.real(1.0);
    let chance = b.select(is_inside, chance, one);
    let density = b.log(chance);
    inside(b, is_inside, density)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    out[0] = draw::category(stream, args[0]);
}
