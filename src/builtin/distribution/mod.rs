//! The registry of distributions. Each has a file of its own with its formula and tests.
//!
//! Univariate densities are written for single numbers: arguments are scalars or containers
//! of equal dimensions, which the builder combines element by element.

mod bernoulli;
mod bernoulli_logit;
mod beta;
mod binomial_logit;
mod cauchy;
mod double_exponential;
mod draw;
mod exponential;
mod gamma;
mod lkj_corr_cholesky;
mod log_beta;
mod lognormal;
mod multi_normal_cholesky;
mod normal;
mod poisson_log;
mod signature;
mod std_normal;
mod student_t;
mod uniform;

#[cfg(test)]
mod tests;

use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::random::Stream;
use crate::ty::Element;

pub use signature::{Outcome, Param, ParamKind, Support, VectorSupport};

/// A distribution.
pub struct Distribution {
    /// As written after `~`.
    pub name: &'static str,
    /// What it is over.
    pub outcome: Outcome,
    /// Its arguments.
    pub params: &'static [Param],
    /// Its log density, in the words of its arguments; shown in the reference.
    pub formula: &'static str,
    /// Its log density (or log mass) at an outcome, given its arguments, with every constant:
    /// elementwise where univariate, else a scalar.
    pub log_density: fn(&mut Builder, ValueId, &[ValueId]) -> ValueId,
    /// `_lcdf` and `_lccdf`, where the language has them; univariate, elementwise.
    pub cdfs: Option<Cdfs>,
    /// How outcomes are drawn.
    pub sample: Option<Sampler>,
}

/// Logarithms of the probability of at most, and of more than, an outcome given arguments.
pub struct Cdfs {
    /// `ln P(X <= x)`
    pub lower: fn(&mut Builder, ValueId, &[ValueId]) -> ValueId,
    /// `ln P(X > x)`
    pub upper: fn(&mut Builder, ValueId, &[ValueId]) -> ValueId,
}

/// Draws one outcome into the last slice, given the arguments of that outcome, each row-major.
/// Arguments outside their domain give NaN.
pub type Sampler = fn(&mut Stream, &[&[f64]], &mut [f64]);

impl PartialEq for Distribution {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Distribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Distribution {
    /// Whether outcomes are whole numbers, so that its density is called `_lpmf`.
    pub fn is_discrete(&self) -> bool {
        matches!(self.outcome, Outcome::Univariate(Element::Int, _))
    }

    /// `normal_lpdf` or `poisson_lpmf`.
    pub fn density_name(&self) -> String {
        format!("{}_{}", self.name, if self.is_discrete() { "lpmf" } else { "lpdf" })
    }

    /// `normal(real loc, real<lower=0> scale)`, for messages.
    pub fn signature(&self) -> String {
        let params: Vec<String> = self
            .params
            .iter()
            .map(|param| format!("{} {}", param.kind.words(), param.name))
            .collect();
        format!("{}({})", self.name, params.join(", "))
    }
}

/// Every distribution, by name.
pub const ALL: &[&Distribution] = &[
    &bernoulli::BERNOULLI,
    &bernoulli_logit::BERNOULLI_LOGIT,
    &beta::BETA,
    &binomial_logit::BINOMIAL_LOGIT,
    &cauchy::CAUCHY,
    &double_exponential::DOUBLE_EXPONENTIAL,
    &exponential::EXPONENTIAL,
    &gamma::GAMMA,
    &lkj_corr_cholesky::LKJ_CORR_CHOLESKY,
    &lognormal::LOGNORMAL,
    &multi_normal_cholesky::MULTI_NORMAL_CHOLESKY,
    &normal::NORMAL,
    &poisson_log::POISSON_LOG,
    &std_normal::STD_NORMAL,
    &student_t::STUDENT_T,
    &uniform::UNIFORM,
];

/// The distribution of this name.
pub fn distribution(name: &str) -> Option<&'static Distribution> {
    ALL.iter().copied().find(|d| d.name == name)
}

/// `-inf` where `inside` is zero, else the density.
fn inside(b: &mut Builder, inside: ValueId, density: ValueId) -> ValueId {
    let outside = b.real(f64::NEG_INFINITY);
    b.select(inside, density, outside)
}

/// Whether `x >= bound`.
fn at_least(b: &mut Builder, x: ValueId, bound: f64) -> ValueId {
    let bound = b.real(bound);
    b.binary(BinaryOp::LessEqual, bound, x)
}

/// Whether `x > bound`.
fn above(b: &mut Builder, x: ValueId, bound: f64) -> ValueId {
    let bound = b.real(bound);
    b.binary(BinaryOp::Less, bound, x)
}

/// `(x - loc) / scale`
fn standardised(b: &mut Builder, x: ValueId, loc: ValueId, scale: ValueId) -> ValueId {
    let centred = b.sub(x, loc);
    b.div(centred, scale)
}
