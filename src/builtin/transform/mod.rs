//! Bijections between constrained values and unconstrained ones, with log-Jacobians; they are
//! those of Stan 2.39, so that numbers compare.
//!
//! Elementwise transforms keep dimensions; the unconstrained form of a Cholesky factor of a
//! correlation matrix is a vector.

mod bounds;
mod cholesky_factor_corr;
#[cfg(test)]
mod tests;

use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::Size;

/// A declared constraint with the values of its bounds.
#[derive(Clone, Copy, Debug)]
pub enum Transform {
    /// Any value.
    Identity,
    /// Above a bound.
    Lower(ValueId),
    /// Below a bound.
    Upper(ValueId),
    /// Between bounds.
    LowerUpper(ValueId, ValueId),
    /// A Cholesky factor of a correlation matrix.
    CholeskyFactorCorr,
}

impl Transform {
    /// The constrained value and the log absolute determinant of the Jacobian, a scalar, at an
    /// unconstrained one. `dims` are those of the constrained value.
    pub fn constrain(self, b: &mut Builder, y: ValueId, dims: &[Size]) -> (ValueId, ValueId) {
        match self {
            Transform::Identity => (y, b.real(0.0)),
            Transform::Lower(lower) => bounds::constrain_lower(b, y, lower),
            Transform::Upper(upper) => bounds::constrain_upper(b, y, upper),
            Transform::LowerUpper(lower, upper) => bounds::constrain_both(b, y, lower, upper),
            Transform::CholeskyFactorCorr => cholesky_factor_corr::constrain(b, y, &dims[0]),
        }
    }

    /// The unconstrained value of a constrained one; not finite outside the constraint.
    pub fn unconstrain(self, b: &mut Builder, x: ValueId) -> ValueId {
        match self {
            Transform::Identity => x,
            Transform::Lower(lower) => bounds::unconstrain_lower(b, x, lower),
            Transform::Upper(upper) => bounds::unconstrain_upper(b, x, upper),
            Transform::LowerUpper(lower, upper) => bounds::unconstrain_both(b, x, lower, upper),
            Transform::CholeskyFactorCorr => cholesky_factor_corr::unconstrain(b, x),
        }
    }
}
