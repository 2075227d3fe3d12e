//! The distribution of the sum of `df` squared standard normal numbers.

use super::draw::log_gamma;
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support, gamma};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;
use crate::ty::Element;

/// The distribution of the sum of `df` squared standard normal numbers.
pub static CHI_SQUARE: Distribution = Distribution {
    name: "chi_square",
    outcome: Outcome::Univariate(Element::Real, Support::NonNegative),
    params: &[Param { name: "df", kind: ParamKind::Positive }],
    formula: "(df/2 - 1) ln x - x/2 - df/2 · ln 2 - ln Γ(df/2)",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// The gamma density with shape `df/2` and rate 1/2.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let args = of_gamma(b, args);
    gamma::log_density(b, x, &args)
}

fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let args = of_gamma(b, args);
    gamma::lower(b, x, &args)
}

fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let args = of_gamma(b, args);
    gamma::upper(b, x, &args)
}

/// Shape and rate.
fn of_gamma(b: &mut Builder, args: &[ValueId]) -> [ValueId; 2] {
    let &[df] = args else { unreachable!("the checker counts arguments") };
    [b.scale(df, 0.5), b.real(0.5)]
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[df]] = args else { unreachable!("the checker counts arguments") };
    out[0] = 2.0 * libm::exp(log_gamma(stream, 0.5 * df));
}
