//! Third and fourth derivatives of a branch's density, from the curvature at its site's points.
//!
//! By Stein's lemma E[f‴] = E[He₁ f″] and E[f⁗] = E[He₂ f″] over a standard normal, so that the nodes
//! ξ_k which average the curvature −∇²ℓ of a branch also give the averages of its derivatives:
//!
//! ```text
//! T_j = Σ_k w_k ξ_kj (−∇²ℓ(z_k, θ))       A_j = (R*_jj/R_jj) R⁻¹ T_j R⁻ᵀ
//! F = Σ_k w_k (ξ_k² − 1) (−∇²ℓ(z_k, θ))   b = (R*/R)² R⁻¹ F R⁻¹          (one local)
//! ```
//!
//! Element (i, l) of A_j is the derivative of −ℓ in the whitened coordinates i, l and j of q(z|θ). The nodes
//! stand in those of the site, of which axis j is as long as R*_jj/R_jj in q's; that a skewed axis of
//! R moves with the others is left out.

use super::linalg::{axpy, dot, solve_lower, solve_lower_transposed};

/// The sums of one branch at one θ, what follows from them, and adjoints.
#[derive(Clone, Debug, Default)]
pub struct Higher {
    n: usize,
    /// T_j, one matrix after another; for one local F after it.
    sums: Vec<f64>,
    adjoints: Vec<f64>,
    /// A_j, likewise, and for one local b after it; empty where the centre is the only point.
    pub values: Vec<f64>,
}

impl Higher {
    /// Begins at the sums of the likelihood, or at zero.
    pub fn begin(&mut self, n_local: usize, n_nodes: usize, likelihood: Option<&[f64]>) {
        let count = match (n_nodes > 1, n_local) {
            (false, _) => 0,
            (true, 1) => 2,
            (true, n) => n,
        };
        self.n = n_local;
        self.sums.clear();
        self.sums.resize(count * n_local * n_local, 0.0);
        if let Some(likelihood) = likelihood {
            self.sums.copy_from_slice(likelihood);
        }
    }

    /// Adds the curvature at a node of this weight.
    pub fn add(&mut self, node: &[f64], weight: f64, curvature: &[f64]) {
        for (slot, sum) in self.sums.chunks_exact_mut(curvature.len().max(1)).enumerate() {
            axpy(weight * hermite(node, slot), curvature, sum);
        }
    }

    /// The sums.
    pub fn sums(&self) -> &[f64] {
        &self.sums
    }

    /// Sets the values, for q's factor R and the site's R*.
    pub fn evaluate(&mut self, factor: &[f64], site_factor: &[f64]) {
        let n = self.n;
        self.values.clone_from(&self.sums);
        for (slot, matrix) in self.values.chunks_exact_mut((n * n).max(1)).enumerate() {
            let (j, power) = axis(slot, n);
            let scale = (site_factor[j * n + j] / factor[j * n + j]).powi(power);
            for _ in 0..2 {
                matrix.chunks_exact_mut(n).for_each(|row| solve_lower(factor, n, row));
                transpose(matrix, n);
            }
            matrix.iter_mut().for_each(|x| *x *= scale);
        }
    }

    /// Carries adjoints of the values, each matrix symmetric, to the sums, kept for
    /// [`Self::add_node_adjoint`], and to R.
    pub fn pull(
        &mut self,
        adjoint: &[f64],
        factor: &[f64],
        site_factor: &[f64],
        factor_adjoint: &mut [f64],
    ) {
        let n = self.n;
        self.adjoints.clear();
        for (slot, value) in self.values.chunks_exact((n * n).max(1)).enumerate() {
            let (j, power) = axis(slot, n);
            let own = &adjoint[slot * n * n..(slot + 1) * n * n];
            let diagonal = factor[j * n + j];
            factor_adjoint[j * n + j] -= f64::from(power) * dot(own, value) / diagonal;
            // Rows of R⁻ᵀ A̅: then −2 R⁻ᵀ A̅ A for R, and (R⁻ᵀ A̅) R⁻¹, scaled, for T.
            let mut rows = own.to_vec();
            rows.chunks_exact_mut(n).for_each(|row| solve_lower_transposed(factor, n, row));
            transpose(&mut rows, n);
            for i in 0..n {
                for (k, weight) in rows[i * n..(i + 1) * n].iter().enumerate() {
                    let value = &value[k * n..k * n + i + 1];
                    axpy(-2.0 * weight, value, &mut factor_adjoint[i * n..i * n + i + 1]);
                }
            }
            rows.chunks_exact_mut(n).for_each(|row| solve_lower_transposed(factor, n, row));
            let scale = (site_factor[j * n + j] / diagonal).powi(power);
            self.adjoints.extend(rows.iter().map(|x| scale * x));
        }
    }

    /// Adds to the adjoint of the curvature at a node what the last `pull` found.
    pub fn add_node_adjoint(&self, node: &[f64], weight: f64, curvature_adjoint: &mut [f64]) {
        let size = self.n * self.n;
        for (slot, adjoint) in self.adjoints.chunks_exact(size.max(1)).enumerate() {
            axpy(weight * hermite(node, slot), adjoint, curvature_adjoint);
        }
    }

    /// Forgets adjoints.
    pub fn clear_adjoint(&mut self) {
        self.adjoints.clear();
    }
}

/// He₁ along the slot's axis, or He₂ after the last axis.
fn hermite(node: &[f64], slot: usize) -> f64 {
    match node.get(slot) {
        Some(xi) => *xi,
        None => node[0] * node[0] - 1.0,
    }
}

/// The axis of a slot, and the power of its length.
fn axis(slot: usize, n: usize) -> (usize, i32) {
    if slot < n { (slot, 1) } else { (0, 2) }
}

fn transpose(matrix: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            matrix.swap(i * n + j, j * n + i);
        }
    }
}
