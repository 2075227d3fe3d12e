//! The registry of distributions.

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
#[derive(Debug)]
pub struct Distribution {
    /// As written after `~`.
    pub name: &'static str,
    /// What it is over.
    pub outcome: Outcome,
    /// Its arguments.
    pub params: &'static [Param],
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

/// Every distribution.
pub const ALL: &[&Distribution] = &[&NORMAL];

static NORMAL: Distribution = Distribution {
    name: "normal",
    outcome: Outcome::Univariate(Element::Real, Support::Real),
    params: &[
        Param { name: "loc", kind: ParamKind::Real },
        Param { name: "scale", kind: ParamKind::Positive },
    ],
};

/// The distribution of this name.
pub fn distribution(name: &str) -> Option<&'static Distribution> {
    ALL.iter().copied().find(|d| d.name == name)
}
