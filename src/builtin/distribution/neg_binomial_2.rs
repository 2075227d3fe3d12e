//! A count with mean `mean` and variance `mean + mean² / shape`.

use super::count_terms::log_neg_binomial;
use super::{Distribution, Outcome, Param, ParamKind, Support, draw, draw_counts};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
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
    sample: Some(sample),
};

/// `ln C(x + shape - 1, x) - x ln(1 + shape/mean) - shape ln(1 + mean/shape)`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[mean, shape] = args else { unreachable!("the checker counts arguments") };
    let log_shape = b.log(shape);
    let log_mean = b.log(mean);
    let log_rate = b.sub(log_shape, log_mean);
    log_neg_binomial(b, x, shape, log_rate)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let (mean, shape) = (args[0][0], args[1][0]);
    let drawn = draw::gamma(stream, shape) / shape * mean;
    out[0] = draw_counts::poisson(stream, drawn);
}
