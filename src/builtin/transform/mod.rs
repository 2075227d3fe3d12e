//! Bijections between constrained values and unconstrained ones, with log-Jacobians; they are
//! those of Stan 2.39, so that numbers compare.
//!
//! Elementwise transforms keep dimensions; those of vectors go along the last axis of an array
//! of vectors; a matrix is one matrix, whose unconstrained form is a vector.

mod bounds;
mod cholesky_factor_corr;
mod cov_matrix;
mod ordered;
mod positive_ordered;
mod shift;
mod simplex;
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
    /// Vectors of positive numbers whose sum is one.
    Simplex,
    /// Vectors whose elements increase.
    Ordered,
    /// Vectors of positive numbers that increase.
    PositiveOrdered,
    /// A covariance matrix.
    CovMatrix,
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
            Transform::Simplex => simplex::constrain(b, y, &dims[dims.len() - 1]),
            Transform::Ordered => ordered::constrain(b, y),
            Transform::PositiveOrdered => positive_ordered::constrain(b, y),
            Transform::CovMatrix => cov_matrix::constrain(b, y, &dims[0]),
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
            Transform::Simplex => simplex::unconstrain(b, x),
            Transform::Ordered => ordered::unconstrain(b, x),
            Transform::PositiveOrdered => positive_ordered::unconstrain(b, x),
            Transform::CovMatrix => cov_matrix::unconstrain(b, x),
        }
    }

    /// The dimensions of the unconstrained form of a value with these dimensions.
    pub fn unconstrained_dims(self, dims: &[Size]) -> Vec<Size> {
        match self {
            Transform::Identity
            | Transform::Lower(_)
            | Transform::Upper(_)
            | Transform::LowerUpper(..)
            | Transform::Ordered
            | Transform::PositiveOrdered => dims.to_vec(),
            Transform::CholeskyFactorCorr => of_matrices(dims, Size::strict_triangle),
            Transform::CovMatrix => of_matrices(dims, cov_matrix::n_unconstrained),
            Transform::Simplex => {
                let (last, batch) = dims.split_last().expect("a simplex is a vector");
                [batch, &[less_one(last)]].concat()
            }
        }
    }
}

/// The axes before the matrix, then one with as many places as `count` says of its rows.
fn of_matrices(dims: &[Size], count: fn(&Size) -> Size) -> Vec<Size> {
    let (batch, matrix) = dims.split_at(dims.len() - 2);
    [batch, &[count(&matrix[0])]].concat()
}

/// `n - 1`
fn less_one(n: &Size) -> Size {
    n.checked_sub(&Size::constant(1)).expect("sizes were checked")
}
