//! A count with mean `e^eta` and variance `mean + mean² / shape`.

use super::count_terms::log_neg_binomial;
use super::{Distribution, Outcome, Param, ParamKind, Support, draw, draw_counts};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// A count with mean `e^eta` and variance `mean + mean² / shape`.
pub static NEG_BINOMIAL_2_LOG: Distribution = Distribution {
    name: "neg_binomial_2_log",
    outcome: Outcome::Univariate(Element::Int, Support::NonNegative),
    params: &[
        Param { name: "eta", kind: ParamKind::Real },
        Param { name: "shape", kind: ParamKind::Positive },
    ],
    formula: "ln C(x + shape - 1, x) - x ln(1 + shape/e^eta) - shape ln(1 + e^eta/shape)",
    log_density,
    cdfs: None,
    sample,
};

/// `ln C(x + shape - 1, x) - x ln(1 + shape/e^eta) - shape ln(1 + e^eta/shape)`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[eta, shape] = args else { unreachable!("the checker counts arguments") };
    let log_shape = b.log(shape);
    let log_rate = b.sub(log_shape, eta);
    log_neg_binomial(b, x, shape, log_rate)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let (eta, shape) = (args[0][0], args[1][0]);
    let mean = libm::exp(eta) * (draw::gamma(stream, shape) / shape);
    out[0] = draw_counts::poisson(stream, mean);
}
