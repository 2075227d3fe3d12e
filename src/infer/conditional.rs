//! q(zᵢ | θ) of the default guide: the model's own prior times a Gaussian site.
//!
//! With points z_k and weights w_k of the branch's [`Site`] held fixed, at a drawn θ
//!
//! ```text
//! g = Σ w_k ∇_z ℓ(z_k, θ)      Λ = Σ w_k (−∇²_z ℓ(z_k, θ)) = R Rᵀ      m = z* + Λ⁻¹ g
//! z = m + R⁻ᵀ (ν + T ε)         log q(z|θ) = −½|ε|² − D/2 log 2π + Σ log R_jj − Σ t_j
//! ```
//!
//! where ℓ is the branch's log density and ν, T = diag(exp t) come from the network.

use super::linalg::{
    axpy, cholesky, cholesky_adjoint, dot, log_diagonal_sum, solve_lower, solve_lower_transposed,
};
use super::site::Site;
use crate::target::{Part, Target};

const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

/// q(zᵢ | θ) of one branch at one θ, and the adjoints that flow back through it.
#[derive(Clone, Debug)]
pub struct Conditional {
    n: usize,
    /// g, then Λ⁻¹ g.
    shift: Vec<f64>,
    mean: Vec<f64>,
    factor: Vec<f64>,
    part_gradient: Vec<f64>,
    part_curvature: Vec<f64>,
    whitened: Vec<f64>,
    mean_adjoint: Vec<f64>,
    factor_adjoint: Vec<f64>,
    precision_adjoint: Vec<f64>,
    scratch: Vec<f64>,
    log_determinant: f64,
}

impl Conditional {
    /// Work space for branches of `n_local` locals.
    pub fn new(n_local: usize) -> Self {
        let vector = vec![0.0; n_local];
        let matrix = vec![0.0; n_local * n_local];
        Self {
            n: n_local,
            shift: vector.clone(),
            mean: vector.clone(),
            factor: matrix.clone(),
            part_gradient: vector.clone(),
            part_curvature: matrix.clone(),
            whitened: vector.clone(),
            mean_adjoint: vector.clone(),
            factor_adjoint: matrix.clone(),
            precision_adjoint: matrix.clone(),
            scratch: vector,
            log_determinant: 0.0,
        }
    }

    /// Expands at the θ behind `shared`. False where the result is not finite.
    #[must_use]
    pub fn expand<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        site: &Site,
    ) -> bool {
        let n = self.n;
        self.shift.fill(0.0);
        self.factor.fill(0.0);
        let prior_points = if target.prior_is_gaussian() { 1 } else { site.weights.len() };
        for k in 0..prior_points {
            let (point, weight) = prior_point(target, site, n, k);
            self.add_part(target, Part::Prior, branch, shared, point, weight);
        }
        match &site.likelihood {
            Some((gradient, curvature)) => {
                axpy(1.0, gradient, &mut self.shift);
                axpy(1.0, curvature, &mut self.factor);
            }
            None if site.has_rows => {
                for (point, &weight) in site.points.chunks_exact(n.max(1)).zip(&site.weights) {
                    self.add_part(target, Part::Likelihood, branch, shared, point, weight);
                }
            }
            None => {}
        }
        if !self.factorise(site) {
            return false;
        }
        solve_lower(&self.factor, n, &mut self.shift);
        solve_lower_transposed(&self.factor, n, &mut self.shift);
        self.mean.copy_from_slice(&site.centre);
        axpy(1.0, &self.shift, &mut self.mean);
        self.log_determinant = log_diagonal_sum(&self.factor, n);
        self.log_determinant.is_finite() && self.mean.iter().all(|x| x.is_finite())
    }

    /// R, lower.
    pub fn factor(&self) -> &[f64] {
        &self.factor
    }

    /// m.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// m − z*.
    pub fn shift(&self) -> &[f64] {
        &self.shift
    }

    fn add_part<T: Target>(
        &mut self,
        target: &mut T,
        part: Part,
        branch: usize,
        shared: &[f64],
        point: &[f64],
        weight: f64,
    ) {
        let (gradient, curvature) = (&mut self.part_gradient, &mut self.part_curvature);
        target.expansion(part, branch, shared, point, gradient, curvature);
        axpy(weight, gradient, &mut self.shift);
        axpy(weight, curvature, &mut self.factor);
    }

    /// Λ to R. Far from the mean of q(θ) a curvature may lose definiteness: as much of the
    /// site's own precision is then added as it takes, and held.
    fn factorise(&mut self, site: &Site) -> bool {
        let n = self.n;
        self.part_curvature.copy_from_slice(&self.factor);
        let mut added = 0.0;
        for _ in 0..8 {
            if cholesky(&mut self.factor, n) {
                return true;
            }
            added = if added == 0.0 { 0.05 } else { added * 3.0 };
            self.factor.copy_from_slice(&self.part_curvature);
            axpy(added, &site.precision, &mut self.factor);
        }
        false
    }

    /// Sets z for noise ε; returns log q(z|θ).
    pub fn sample(&mut self, nu: &[f64], log_t: &[f64], noise: &[f64], z: &mut [f64]) -> f64 {
        for j in 0..self.n {
            z[j] = nu[j] + log_t[j].exp() * noise[j];
        }
        solve_lower_transposed(&self.factor, self.n, z);
        axpy(1.0, &self.mean, z);
        let log_scale: f64 = log_t.iter().sum();
        self.log_determinant - log_scale - 0.5 * dot(noise, noise) - HALF_LOG_TAU * self.n as f64
    }

    /// Starts collecting adjoints.
    pub fn begin_adjoint(&mut self) {
        self.mean_adjoint.fill(0.0);
        self.factor_adjoint.fill(0.0);
    }

    /// Adds `weight` times the derivative of `log p(z, y|θ) − log q(z|θ)` along the path of one
    /// sample; `dz` is ∂ log p/∂z there. Adds the network's share, with log q's parameters held
    /// (sticking the landing), to `nu_adjoint` and `log_t_adjoint`.
    #[allow(clippy::too_many_arguments)]
    pub fn add_adjoint(
        &mut self,
        nu: &[f64],
        log_t: &[f64],
        noise: &[f64],
        dz: &[f64],
        weight: f64,
        nu_adjoint: &mut [f64],
        log_t_adjoint: &mut [f64],
    ) {
        let n = self.n;
        axpy(weight, dz, &mut self.mean_adjoint);
        let v = &mut self.whitened;
        for j in 0..n {
            v[j] = nu[j] + log_t[j].exp() * noise[j];
        }
        solve_lower_transposed(&self.factor, n, v);
        let pulled = &mut self.scratch;
        pulled.copy_from_slice(dz);
        solve_lower(&self.factor, n, pulled);
        for i in 0..n {
            axpy(-weight * v[i], &pulled[..i + 1], &mut self.factor_adjoint[i * n..i * n + i + 1]);
            self.factor_adjoint[i * n + i] -= weight / self.factor[i * n + i];
        }
        for j in 0..n {
            let scale = log_t[j].exp();
            let total = pulled[j] + noise[j] / scale;
            nu_adjoint[j] += weight * total;
            log_t_adjoint[j] += weight * total * scale * noise[j];
        }
    }

    /// Adds `adjoint` to that of the mean m.
    pub fn add_mean_adjoint(&mut self, adjoint: &[f64]) {
        axpy(1.0, adjoint, &mut self.mean_adjoint);
    }

    /// Carries the collected adjoints back to `dshared`; what reaches it through a prior that
    /// is common to all branches is only noted in `prior`.
    pub fn finish_adjoint<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        site: &Site,
        dshared: &mut [f64],
        prior: &mut PriorAdjoint,
    ) {
        let n = self.n;
        cholesky_adjoint(&self.factor, &self.factor_adjoint, n, &mut self.precision_adjoint);
        let g = &mut self.mean_adjoint;
        solve_lower(&self.factor, n, g);
        solve_lower_transposed(&self.factor, n, g);
        for i in 0..n {
            for j in 0..n {
                self.precision_adjoint[i * n + j] -=
                    0.5 * (g[i] * self.shift[j] + g[j] * self.shift[i]);
            }
        }
        let prior_points = match (target.prior_is_common(), target.prior_is_gaussian()) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => site.weights.len(),
        };
        if target.prior_is_common() {
            prior.add(&self.mean_adjoint, &self.precision_adjoint, &site.centre);
        }
        for k in 0..prior_points {
            let (point, weight) = prior_point(target, site, n, k);
            self.pull_part(target, Part::Prior, branch, shared, point, weight, dshared);
        }
        if site.has_rows && site.likelihood.is_none() {
            for (point, &weight) in site.points.chunks_exact(n.max(1)).zip(&site.weights) {
                self.pull_part(target, Part::Likelihood, branch, shared, point, weight, dshared);
            }
        }
    }

    /// Adds to `dshared` the gradient in `shared` of `adjointᵀ g`; spoils collected adjoints.
    pub fn gradient_vjp<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        site: &Site,
        adjoint: &[f64],
        dshared: &mut [f64],
    ) {
        let n = self.n;
        self.mean_adjoint.copy_from_slice(adjoint);
        self.precision_adjoint.fill(0.0);
        let prior_points = if target.prior_is_gaussian() { 1 } else { site.weights.len() };
        for k in 0..prior_points {
            let (point, weight) = prior_point(target, site, n, k);
            self.pull_part(target, Part::Prior, branch, shared, point, weight, dshared);
        }
        if site.has_rows && site.likelihood.is_none() {
            for (point, &weight) in site.points.chunks_exact(n.max(1)).zip(&site.weights) {
                self.pull_part(target, Part::Likelihood, branch, shared, point, weight, dshared);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn pull_part<T: Target>(
        &mut self,
        target: &mut T,
        part: Part,
        branch: usize,
        shared: &[f64],
        point: &[f64],
        weight: f64,
        dshared: &mut [f64],
    ) {
        for (out, x) in self.part_gradient.iter_mut().zip(&self.mean_adjoint) {
            *out = weight * x;
        }
        for (out, x) in self.part_curvature.iter_mut().zip(&self.precision_adjoint) {
            *out = weight * x;
        }
        let (gradient, curvature) = (&self.part_gradient, &self.part_curvature);
        target.expansion_vjp(part, branch, shared, point, gradient, curvature, dshared);
    }
}

/// What reaches θ through a prior common to all branches, gathered over branches: adjoints of
/// the gradient at z = 0 and of the precision P, since ∇ log p(z|θ) = ∇ log p(0|θ) − P z.
#[derive(Clone, Debug)]
pub struct PriorAdjoint {
    gradient: Vec<f64>,
    precision: Vec<f64>,
}

impl PriorAdjoint {
    /// Nothing yet.
    pub fn new(n_local: usize) -> Self {
        Self { gradient: vec![0.0; n_local], precision: vec![0.0; n_local * n_local] }
    }

    fn add(&mut self, gradient: &[f64], precision: &[f64], centre: &[f64]) {
        let n = gradient.len();
        axpy(1.0, gradient, &mut self.gradient);
        axpy(1.0, precision, &mut self.precision);
        for (row, g) in self.precision.chunks_exact_mut(n.max(1)).zip(gradient) {
            axpy(-g, centre, row);
        }
    }

    /// Carries what was gathered to `dshared`.
    pub fn finish<T: Target>(&self, target: &mut T, shared: &[f64], dshared: &mut [f64]) {
        if target.prior_is_common() && target.n_branches() > 0 {
            let zero = vec![0.0; self.gradient.len()];
            let (gradient, precision) = (&self.gradient, &self.precision);
            target.expansion_vjp(Part::Prior, 0, shared, &zero, gradient, precision, dshared);
        }
    }
}

/// A Gaussian prior is the same quadratic at every point, and the points are symmetric about
/// the centre: there one expansion is the average.
fn prior_point<'a, T: Target>(target: &T, site: &'a Site, n: usize, k: usize) -> (&'a [f64], f64) {
    if target.prior_is_gaussian() {
        (&site.centre, 1.0)
    } else {
        (&site.points[k * n..k * n + n], site.weights[k])
    }
}
