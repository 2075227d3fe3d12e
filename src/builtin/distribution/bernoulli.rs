//! 1 with probability `chance`, else 0.

use super::{Distribution, Outcome, Param, ParamKind, Support, inside, is_binary};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};
use crate::random::Stream;
use crate::ty::Element;

/// 1 with probability `chance`, else 0.
pub static BERNOULLI: Distribution = Distribution {
    name: "bernoulli",
    outcome: Outcome::Univariate(Element::Int, Support::Binary),
    params: &[Param { name: "chance", kind: ParamKind::Probability }],
    formula: "ln chance at 1, ln(1 - chance) at 0",
    log_density,
    cdfs: None,
    sample,
};

/// `ln chance` at 1 and `ln(1 - chance)` at 0.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[chance] = args else { unreachable!("the checker counts arguments") };
    // What does not happen is replaced by what is certain, so that a chance of 0 or 1 leaves
    // no infinite slope behind.
    let (certain, zero) = (b.real(1.0), b.real(0.0));
    let is_one = b.binary(BinaryOp::Equal, x, certain);
    let is_zero = b.unary(UnaryOp::Not, x);
    let minus = b.neg(chance);
    let of_one = b.select(is_one, chance, certain);
    let of_zero = b.select(is_zero, minus, zero);
    let log_one = b.log(of_one);
    let log_zero = b.log1p(of_zero);
    let density = b.add(log_one, log_zero);
    let is_binary = is_binary(b, x);
    inside(b, is_binary, density)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let chance = args[0][0];
    let is_chance = (0.0..=1.0).contains(&chance);
    out[0] = if is_chance { f64::from(stream.uniform() < chance) } else { f64::NAN };
}
