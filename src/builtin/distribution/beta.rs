//! The beta distribution on (0, 1) with mean `a / (a + b)`.

use super::log_beta::log_beta;
use super::sampling::beta_draw;
use super::support::{guarded, has_power, inside, log_power};
use super::{Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// The beta distribution on (0, 1) with mean `a / (a + b)`.
pub static BETA: Distribution = Distribution {
    name: "beta",
    outcome: Outcome::Univariate(Element::Real, Support::UnitInterval),
    params: &[
        Param { name: "a", kind: ParamKind::Positive },
        Param { name: "b", kind: ParamKind::Positive },
    ],
    formula: "(a - 1) ln x + (b - 1) ln(1 - x) - ln B(a, b)",
    log_density,
    cdfs: None,
    sample,
};

/// `(a - 1) ln x + (c - 1) ln(1 - x) - ln B(a, c)` inside, and its limits at the ends.
pub fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[a, c] = args else { unreachable!("the checker counts arguments") };
    let a_less_one = b.offset(a, -1.0);
    let c_less_one = b.offset(c, -1.0);
    let minus_x = b.neg(x);
    let rest = b.offset(minus_x, 1.0);
    let has_left = has_power(b, x, a_less_one);
    let has_right = has_power(b, rest, c_less_one);
    let is_inside = b.mul(has_left, has_right);
    let x = guarded(b, is_inside, x, 0.5);
    let left = log_power(b, a_less_one, x, |b, x| b.log(x), 0.0);
    let log_rest = |b: &mut Builder, x: ValueId| {
        let minus = b.neg(x);
        b.log1p(minus)
    };
    let right = log_power(b, c_less_one, x, log_rest, 1.0);
    let kernel = b.add(left, right);
    let normaliser = log_beta(b, a, c);
    let density = b.sub(kernel, normaliser);
    inside(b, is_inside, density)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[a], &[c]] = args else { unreachable!("the checker counts arguments") };
    out[0] = beta_draw(stream, a, c);
}
