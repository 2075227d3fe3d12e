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
mod exponential;
mod gamma;
mod lkj_corr_cholesky;
mod log_beta;
mod lognormal;
mod multi_normal_cholesky;
mod normal;
mod poisson_log;
mod std_normal;
mod student_t;
mod uniform;

#[cfg(test)]
mod tests;

use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::ty::{Element, Type};

/// What a distribution is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Single numbers, vectorised over containers: every element is one outcome.
    Univariate(Element, Support),
    /// A whole vector.
    Vector,
    /// A Cholesky factor of a correlation matrix.
    CholeskyFactorCorr,
}

/// Where the density of a univariate distribution is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// All real numbers.
    Real,
    /// Zero or more.
    NonNegative,
    /// From zero to one.
    UnitInterval,
    /// 0 or 1.
    Binary,
    /// 0 up to the first argument.
    UpToFirstArgument,
}

/// One argument of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name in documentation and messages.
    pub name: &'static str,
    /// What it may be.
    pub kind: ParamKind,
}

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// Any number, vectorised.
    Real,
    /// A positive number, vectorised.
    Positive,
    /// A whole number from zero, vectorised.
    Count,
    /// A number from zero to one, vectorised.
    Probability,
    /// A vector as long as the outcome.
    Vector,
    /// A square matrix as wide as the outcome, of which the lower triangle is read.
    LowerTriangle,
    /// One positive number.
    PositiveScalar,
}

/// A distribution.
pub struct Distribution {
    /// As written after `~`.
    pub name: &'static str,
    /// What it is over.
    pub outcome: Outcome,
    /// Its arguments.
    pub params: &'static [Param],
    /// Its log density (or log mass) at an outcome, given its arguments, with every constant:
    /// elementwise where univariate, else a scalar.
    pub log_density: fn(&mut Builder, ValueId, &[ValueId]) -> ValueId,
}

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

impl ParamKind {
    /// As shown in signatures.
    pub fn words(self) -> &'static str {
        match self {
            ParamKind::Real => "real",
            ParamKind::Positive | ParamKind::PositiveScalar => "real<lower=0>",
            ParamKind::Count => "int<lower=0>",
            ParamKind::Probability => "real<lower=0, upper=1>",
            ParamKind::Vector => "vector",
            ParamKind::LowerTriangle => "matrix",
        }
    }

    /// Whether a container argument counts element by element.
    pub fn is_vectorised(self) -> bool {
        matches!(
            self,
            ParamKind::Real | ParamKind::Positive | ParamKind::Count | ParamKind::Probability
        )
    }

    /// Whether a type can stand for it, sizes apart.
    pub fn accepts(self, ty: &Type) -> bool {
        use crate::ty::Shape;
        match self {
            ParamKind::Real | ParamKind::Positive | ParamKind::Probability => true,
            ParamKind::Count => ty.element == Element::Int,
            ParamKind::PositiveScalar => ty.is_scalar(),
            ParamKind::Vector => ty.array.is_empty() && matches!(ty.shape, Shape::Vector(_)),
            ParamKind::LowerTriangle => {
                ty.array.is_empty() && matches!(ty.shape, Shape::Matrix(..))
            }
        }
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
