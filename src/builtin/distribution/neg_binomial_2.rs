//! A count with mean `mean` and variance `mean + mean² / shape`.

use super::count_terms::{away_from, is_possible, log_neg_binomial};
use super::{Distribution, Outcome, Param, ParamKind, Support, draw, draw_counts, inside};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::random::Stream;
use crate::ty::Element;

/// A count with mean `mean` and variance `mean + mean² / shape`.
pub static NEG_BINOMIAL_2: Distribution = Distribution {
    name: "neg_binomial_2",
    outcome: Outcome::Univariate(Element::Int, Support::NonNegative),
    params: &[
        Param { name: "mean", kind: ParamKind::Positive },
        Param { name: "shape", kind: ParamKind::Positive },
    ],
    formula: "ln C(x + shape - 1, x) - x ln(1 + shape/mean) - shape ln(1 + mean/shape)",
    log_density,
    cdfs: None,
    sample,
};

/// `ln C(x + shape - 1, x) - x ln(1 + shape/mean) - shape ln(1 + mean/shape)`; a mean of zero
/// (of an exponential that underflows) makes 0 certain.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[mean, shape] = args else { unreachable!("the checker counts arguments") };
    let zero = b.real(0.0);
    let has_mean = b.binary(BinaryOp::NotEqual, mean, zero);
    let positive = away_from(b, mean, 0.0, 1.0);
    let log_shape = b.log(shape);
    let log_mean = b.log(positive);
    let log_rate = b.sub(log_shape, log_mean);
    let density = log_neg_binomial(b, x, shape, log_rate);
    // Near a mean of zero, the mass of 0 is e^(-mean).
    let minus_mean = b.neg(mean);
    let density = b.select(has_mean, density, minus_mean);
    let is_possible = is_possible(b, x, mean);
    inside(b, is_possible, density)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let (mean, shape) = (args[0][0], args[1][0]);
    let drawn = draw::gamma(stream, shape) / shape * mean;
    out[0] = draw_counts::poisson(stream, drawn);
}
