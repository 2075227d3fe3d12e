//! Third and fourth derivatives of a branch's density, from the curvature at its site's points.

use super::linalg::{axpy, dot, solve_lower, solve_lower_transposed};

/// Third and, for one local, fourth derivatives of a branch's −log density in the whitened
/// coordinates of q(z|θ), averaged over the site's points: by Stein's lemma E[f‴] = E[He₁ f″] and
/// E[f⁗] = E[He₂ f″], with
///
/// ```text
/// T_j = Σ_k w_k ξ_kj (−∇²ℓ(z_k, θ))     a_j = (R*_jj/R_jj) r_jᵀ T_j r_j     r_j = R⁻ᵀ e_j
/// ```
///
/// ξ_k are the nodes in the site's own coordinates, of which axis j is as long as R*_jj/R_jj in those
/// of q(z|θ); that a skewed axis of R moves with the others is left out.
#[derive(Clone, Debug, Default)]
pub struct Higher {
    n: usize,
    /// T_j, one matrix after another; for one local the sum for the fourth derivative after it.
    sums: Vec<f64>,
    /// Adjoints of the same.
    adjoints: Vec<f64>,
    /// a_j, and for one local b.
    pub values: Vec<f64>,
}

impl Higher {
    /// How many sums a site with these nodes has: none where the centre is its only point.
    pub fn count(n_local: usize, n_nodes: usize) -> usize {
        match (n_nodes > 1, n_local) {
            (false, _) => 0,
            (true, 1) => 2,
            (true, n) => n,
        }
    }

    /// Begins at sums of their likelihood, or at zero.
    pub fn begin(&mut self, n_local: usize, n_nodes: usize, likelihood: Option<&[f64]>) {
        self.n = n_local;
        self.sums.clear();
        self.sums.resize(Self::count(n_local, n_nodes) * n_local * n_local, 0.0);
        if let Some(likelihood) = likelihood.filter(|sums| sums.len() == self.sums.len()) {
            self.sums.copy_from_slice(likelihood);
        }
    }

    /// Adds the curvature at a node of this weight.
    pub fn add(&mut self, node: &[f64], weight: f64, curvature: &[f64]) {
        let size = self.n * self.n;
        for (slot, sum) in self.sums.chunks_exact_mut(size.max(1)).enumerate() {
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
        self.values.clear();
        let mut row = vec![0.0; n];
        for (slot, sum) in self.sums.chunks_exact((n * n).max(1)).enumerate() {
            let (j, power) = axis(slot, n);
            unit_solve(factor, n, j, &mut row);
            let ratio = site_factor[j * n + j] / factor[j * n + j];
            let quadratic: f64 = (0..n * n).map(|il| row[il / n] * sum[il] * row[il % n]).sum();
            self.values.push(ratio.powi(power) * quadratic);
        }
    }

    /// Carries adjoints of the values to the sums, kept for [`Self::add_node_adjoint`], and to R.
    pub fn pull(
        &mut self,
        adjoint: &[f64],
        factor: &[f64],
        site_factor: &[f64],
        factor_adjoint: &mut [f64],
    ) {
        let n = self.n;
        self.adjoints.clear();
        self.adjoints.resize(self.sums.len(), 0.0);
        let (mut row, mut product) = (vec![0.0; n], vec![0.0; n]);
        for (slot, sum) in self.sums.chunks_exact((n * n).max(1)).enumerate() {
            let (j, power) = axis(slot, n);
            let diagonal = factor[j * n + j];
            let scale = adjoint[slot] * (site_factor[j * n + j] / diagonal).powi(power);
            unit_solve(factor, n, j, &mut row);
            for (i, product) in product.iter_mut().enumerate() {
                *product = dot(&sum[i * n..i * n + n], &row);
            }
            solve_lower(factor, n, &mut product);
            for i in 0..n {
                let of_sum = &mut self.adjoints[slot * n * n + i * n..slot * n * n + i * n + n];
                axpy(scale * row[i], &row, of_sum);
                // d r_j = −R⁻ᵀ dRᵀ r_j.
                let of_factor = &mut factor_adjoint[i * n..i * n + i + 1];
                axpy(-2.0 * scale * row[i], &product[..i + 1], of_factor);
            }
            factor_adjoint[j * n + j] -=
                adjoint[slot] * f64::from(power) * self.values[slot] / diagonal;
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

/// R⁻ᵀ e_j.
fn unit_solve(factor: &[f64], n: usize, j: usize, out: &mut [f64]) {
    out.fill(0.0);
    out[j] = 1.0;
    solve_lower_transposed(factor, n, out);
}
