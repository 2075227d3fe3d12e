//! A count whose Poisson rate is drawn from the gamma distribution with `shape` and `rate`.

use super::count_terms::log_neg_binomial;
use super::{Distribution, Outcome, Param, ParamKind, Support, draw, draw_counts};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// A count whose Poisson rate is drawn from the gamma distribution with `shape` and `rate`.
pub static NEG_BINOMIAL: Distribution = Distribution {
    name: "neg_binomial",
    outcome: Outcome::Univariate(Element::Int, Support::NonNegative),
    params: &[
        Param { name: "shape", kind: ParamKind::Positive },
        Param { name: "rate", kind: ParamKind::Positive },
    ],
    formula: "ln C(x + shape - 1, x) - shape ln(1 + 1/rate) - x ln(1 + rate)",
    log_density,
    cdfs: None,
    sample,
};

/// `ln C(x + shape - 1, x) - shape ln(1 + 1/rate) - x ln(1 + rate)`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[shape, rate] = args else { unreachable!("the checker counts arguments") };
    let log_rate = b.log(rate);
    log_neg_binomial(b, x, shape, log_rate)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let (shape, rate) = (args[0][0], args[1][0]);
    let mean = if rate > 0.0 { draw::gamma(stream, shape) / rate } else { f64::NAN };
    out[0] = draw_counts::poisson(stream, mean);
}
