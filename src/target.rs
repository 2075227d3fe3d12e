//! What inference sees of a model with its data. It knows no IR and no machine code.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The two parts of a branch's log density.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BranchDensity {
    /// `log p(zᵢ | θ)` with the log-Jacobian of zᵢ.
    pub prior: f64,
    /// `log p(yᵢ | θ, zᵢ, xᵢ)` over the rows that are not held out.
    pub likelihood: f64,
}

impl BranchDensity {
    /// Both parts together.
    pub fn total(self) -> f64 {
        self.prior + self.likelihood
    }
}

/// Which part of a branch's log density.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `log p(zᵢ | θ)` with the log-Jacobian.
    Prior,
    /// `log p(yᵢ | θ, zᵢ, xᵢ)`.
    Likelihood,
}

/// What a column of [`Target::row_features`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowColumn {
    /// Any number.
    Number,
    /// A number from zero, such as a count, whose logarithm tells more.
    Count,
    /// 0 or 1.
    Flag,
    /// The number, from zero, of one of so many levels.
    Level(usize),
}

/// The log density p(θ) ∏ᵢ p(zᵢ|θ) p(yᵢ|θ,zᵢ,xᵢ) in unconstrained space, branch by branch.
///
/// θ has `n_global` elements, each zᵢ `n_local`. What branches need of θ is first computed
/// once per draw, into the `shared` vector of `n_shared` elements; branches see only that.
/// Every method is a pure function of its arguments; `&mut self` is for work space.
/// Non-finite results are allowed and must be handled by the caller.
pub trait Target: Clone + Send {
    /// Number of branches.
    fn n_branches(&self) -> usize;
    /// Number of unconstrained globals.
    fn n_global(&self) -> usize;
    /// Where the globals that were declared together lie in θ, in order and without gaps.
    fn global_variables(&self) -> Vec<Range<usize>> {
        (0..self.n_global()).map(|j| j..j + 1).collect()
    }
    /// Number of unconstrained locals of one branch.
    fn n_local(&self) -> usize;
    /// Length of the shared vector.
    fn n_shared(&self) -> usize;
    /// Number of rows of a branch that are not held out.
    fn n_rows(&self, branch: usize) -> usize;
    /// Branch-level data for the network: as many for each branch, raw scale, any number.
    fn branch_features(&self, branch: usize) -> Vec<f64>;
    /// The columns of [`Self::row_features`]. A target without any has no row encoder.
    fn row_columns(&self) -> &[RowColumn] {
        &[]
    }
    /// Sets `out` to the data behind the branch's density, row by row: those of its rows that
    /// are not held out, outcomes included, with the branch's own data on each. Raw scale; NaN
    /// where a cell is empty.
    fn row_features(&self, branch: usize, out: &mut Vec<f64>) {
        let _ = branch;
        out.clear();
    }
    /// Whether the likelihood reads `shared` at all.
    fn likelihood_reads_shared(&self) -> bool;
    /// Whether `log p(zᵢ | θ)` is quadratic in zᵢ for every θ.
    fn prior_is_gaussian(&self) -> bool;
    /// Whether `log p(zᵢ | θ)` is moreover the same function for all branches, so that one
    /// expansion per θ serves them all.
    fn prior_is_common(&self) -> bool;

    /// Computes `shared` from θ; returns log p(θ) with the log-Jacobian.
    fn shared(&mut self, theta: &[f64], shared: &mut [f64]) -> f64;

    /// Sets `gradient` to ∂/∂θ of `log p(θ) + log-Jacobian + adjointᵀ shared(θ)`.
    fn shared_vjp(&mut self, theta: &[f64], adjoint: &[f64], gradient: &mut [f64]);

    /// The branch's log density at z.
    fn density(&mut self, branch: usize, shared: &[f64], z: &[f64]) -> BranchDensity;

    /// The same; sets `dz` to the gradient of the total in z and adds `weight` times its
    /// gradient in `shared` to `dshared`.
    fn gradient(
        &mut self,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        weight: f64,
        dz: &mut [f64],
        dshared: &mut [f64],
    ) -> BranchDensity;

    /// Sets `gradient` to ∇_z and `curvature` (`n_local` × `n_local`, row-major) to −∇²_z of
    /// that part's log density at z.
    fn expansion(
        &mut self,
        part: Part,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        gradient: &mut [f64],
        curvature: &mut [f64],
    );

    /// Adds to `dshared` the gradient in `shared` of
    /// `gradient_adjointᵀ ∇_z + Σ curvature_adjoint ⊙ (−∇²_z)` of that part at z (held fixed).
    #[allow(clippy::too_many_arguments)]
    fn expansion_vjp(
        &mut self,
        part: Part,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        gradient_adjoint: &[f64],
        curvature_adjoint: &[f64],
        dshared: &mut [f64],
    );

    /// `log p(y | θ, zᵢ)` of the branch's held-out rows; zero where it has none.
    fn held_out(&mut self, branch: usize, shared: &[f64], z: &[f64]) -> f64;

    /// Number of held-out rows of the branch.
    fn n_held_out(&self, branch: usize) -> usize;
}
