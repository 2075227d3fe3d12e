//! What a distribution is over and what its arguments may be.

use crate::ty::{Element, Shape, Type};

/// What a distribution is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Single numbers, vectorised over containers: every element is one outcome.
    Univariate(Element, Support),
    /// A whole vector, of which a container counts vector by vector.
    Vector(VectorSupport),
    /// A Cholesky factor of a correlation matrix.
    CholeskyFactorCorr,
}

/// Where the density of a whole vector is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorSupport {
    /// All vectors.
    Real,
    /// Vectors of positive numbers whose sum is one.
    Simplex,
}

/// Where the density of a univariate distribution is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// All real numbers.
    Real,
    /// Zero or more.
    NonNegative,
    /// More than zero.
    Positive,
    /// From the first argument on.
    FromFirstArgument,
    /// Between the first argument and the second.
    BetweenArguments,
    /// From zero to one.
    UnitInterval,
    /// 0 or 1.
    Binary,
    /// 0 up to the first argument.
    UpToFirstArgument,
    /// 1 up to the number of elements of the last argument.
    UpToLength,
    /// 1 up to one more than the number of elements of the last argument.
    UpToLengthPlusOne,
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
    /// A vector of positive numbers as long as the outcome.
    PositiveVector,
    /// A vector for each outcome: one vector for all, or an array with one for each. The
    /// density is given it with the outcome's dimensions in front.
    VectorPerOutcome,
    /// As `VectorPerOutcome`, of positive numbers whose sum is one.
    SimplexPerOutcome,
    /// As `VectorPerOutcome`, in increasing order.
    OrderedPerOutcome,
    /// A symmetric positive definite matrix as wide as the outcome.
    Covariance,
    /// A square matrix as wide as the outcome, of which the lower triangle is read.
    LowerTriangle,
    /// One positive number.
    PositiveScalar,
}

impl Outcome {
    /// The number of axes of one outcome.
    pub fn rank(self) -> usize {
        match self {
            Outcome::Univariate(..) => 0,
            Outcome::Vector(_) => 1,
            Outcome::CholeskyFactorCorr => 2,
        }
    }
}

impl ParamKind {
    /// The number of axes of the argument of one outcome.
    pub fn rank(self) -> usize {
        match self {
            ParamKind::Real
            | ParamKind::Positive
            | ParamKind::Count
            | ParamKind::Probability
            | ParamKind::PositiveScalar => 0,
            ParamKind::Vector
            | ParamKind::PositiveVector
            | ParamKind::VectorPerOutcome
            | ParamKind::SimplexPerOutcome
            | ParamKind::OrderedPerOutcome => 1,
            ParamKind::LowerTriangle | ParamKind::Covariance => 2,
        }
    }

    /// As shown in signatures.
    pub fn words(self) -> &'static str {
        match self {
            ParamKind::Real => "real",
            ParamKind::Positive | ParamKind::PositiveScalar => "real<lower=0>",
            ParamKind::Count => "int<lower=0>",
            ParamKind::Probability => "real<lower=0, upper=1>",
            ParamKind::Vector | ParamKind::VectorPerOutcome => "vector",
            ParamKind::PositiveVector => "vector<lower=0>",
            ParamKind::SimplexPerOutcome => "simplex",
            ParamKind::OrderedPerOutcome => "ordered",
            ParamKind::Covariance => "cov_matrix",
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
        match self {
            ParamKind::Real | ParamKind::Positive | ParamKind::Probability => true,
            ParamKind::Count => ty.element == Element::Int,
            ParamKind::PositiveScalar => ty.is_scalar(),
            ParamKind::Vector | ParamKind::PositiveVector => {
                ty.array.is_empty() && matches!(ty.shape, Shape::Vector(_))
            }
            ParamKind::VectorPerOutcome
            | ParamKind::SimplexPerOutcome
            | ParamKind::OrderedPerOutcome => matches!(ty.shape, Shape::Vector(_)),
            ParamKind::LowerTriangle | ParamKind::Covariance => {
                ty.array.is_empty() && matches!(ty.shape, Shape::Matrix(..))
            }
        }
    }
}
