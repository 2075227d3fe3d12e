//! The registry of distributions. Each has a file of its own with its formula and tests.
//!
//! Univariate densities are written for single numbers: arguments are scalars or containers
//! of equal dimensions, which the builder combines element by element.

mod bernoulli;
mod bernoulli_logit;
mod beta;
mod beta_binomial;
mod binomial;
mod binomial_logit;
mod categorical;
mod categorical_logit;
mod cauchy;
mod cdf;
mod chi_square;
mod count_terms;
mod dirichlet;
mod double_exponential;
mod draw;
mod draw_counts;
mod exponential;
mod gamma;
mod gumbel;
mod inv_chi_square;
mod inv_gamma;
mod lkj_corr_cholesky;
mod log_beta;
mod logistic;
mod lognormal;
mod multi_normal;
mod multi_normal_cholesky;
mod neg_binomial;
mod neg_binomial_2;
mod neg_binomial_2_log;
mod normal;
mod ordered_logistic;
mod pareto;
mod pick;
mod poisson;
mod poisson_log;
mod sampling;
mod scaled_inv_chi_square;
mod signature;
mod skew_normal;
mod std_normal;
mod student_t;
mod support;
mod uniform;
mod weibull;

#[cfg(test)]
mod tests;

use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::random::Stream;
use crate::ty::Element;

use support::{at_least, inside};

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
    pub sample: Sampler,
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
    &beta_binomial::BETA_BINOMIAL,
    &binomial::BINOMIAL,
    &binomial_logit::BINOMIAL_LOGIT,
    &categorical::CATEGORICAL,
    &categorical_logit::CATEGORICAL_LOGIT,
    &cauchy::CAUCHY,
    &chi_square::CHI_SQUARE,
    &dirichlet::DIRICHLET,
    &double_exponential::DOUBLE_EXPONENTIAL,
    &exponential::EXPONENTIAL,
    &gamma::GAMMA,
    &gumbel::GUMBEL,
    &inv_chi_square::INV_CHI_SQUARE,
    &inv_gamma::INV_GAMMA,
    &lkj_corr_cholesky::LKJ_CORR_CHOLESKY,
    &logistic::LOGISTIC,
    &lognormal::LOGNORMAL,
    &multi_normal::MULTI_NORMAL,
    &multi_normal_cholesky::MULTI_NORMAL_CHOLESKY,
    &neg_binomial::NEG_BINOMIAL,
    &neg_binomial_2::NEG_BINOMIAL_2,
    &neg_binomial_2_log::NEG_BINOMIAL_2_LOG,
    &normal::NORMAL,
    &ordered_logistic::ORDERED_LOGISTIC,
    &pareto::PARETO,
    &poisson::POISSON,
    &poisson_log::POISSON_LOG,
    &scaled_inv_chi_square::SCALED_INV_CHI_SQUARE,
    &skew_normal::SKEW_NORMAL,
    &std_normal::STD_NORMAL,
    &student_t::STUDENT_T,
    &uniform::UNIFORM,
    &weibull::WEIBULL,
];

/// The distribution of this name.
pub fn distribution(name: &str) -> Option<&'static Distribution> {
    ALL.iter().copied().find(|d| d.name == name)
}

/// Whether `x` is 0 or 1.
fn is_binary(b: &mut Builder, x: ValueId) -> ValueId {
    let square = b.mul(x, x);
    b.binary(BinaryOp::Equal, square, x)
}

/// Whether `x` is a category from 1 to `more` above the number of elements along the last axis
/// of `vectors`.
fn is_category(b: &mut Builder, x: ValueId, vectors: ValueId, more: i64) -> ValueId {
    let width = pick::width(b, vectors);
    let (one, more) = (b.int(1), b.int(more));
    let last = b.add(width, more);
    let from_one = b.binary(BinaryOp::LessEqual, one, x);
    let to_last = b.binary(BinaryOp::LessEqual, x, last);
    b.mul(from_one, to_last)
}
