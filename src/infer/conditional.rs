//! q(zᵢ | θ) of the default guide: the model's own prior times a Gaussian site.
//!
//! With points z_k and weights w_k of the branch's [`Site`] held fixed, at a drawn θ
//!
//! ```text
//! g = Σ w_k ∇_z ℓ(z_k, θ)      Λ = Σ w_k (−∇²_z ℓ(z_k, θ)) = R Rᵀ      m = z* + Λ⁻¹ g
//! z = m + R⁻ᵀ (ν + T v(ε))      log q(z|θ) = −½|ε|² − D/2 log 2π + Σ (log R_jj − t_j) − log|∂v/∂ε|
//! ```
//!
//! where ℓ is the branch's log density and ν, T = diag(exp t) come from the network. v bends and
//! stretches the noise ([`super::stretch`]) by what third and fourth derivatives of ℓ at this θ say
//! ([`super::higher`]), and by what the network adds.

use super::higher::Higher;
use super::linalg::{
    axpy, cholesky, cholesky_adjoint, dot, log_diagonal_sum, solve_lower, solve_lower_transposed,
};
use super::network::Activation;
use super::site::Site;
use super::stretch::{Stretch, StretchAdjoint};
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
    higher: Higher,
    stretch: Stretch,
    stretch_adjoint: StretchAdjoint,
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
            higher: Higher::default(),
            stretch: Stretch::default(),
            stretch_adjoint: StretchAdjoint::default(),
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
        self.stretch.clear();
        let likelihood = site.likelihood.as_ref();
        let higher = likelihood.map(|averages| &averages.higher[..]);
        self.higher.begin(n, site.weights.len(), higher);
        if target.prior_is_gaussian() {
            // The same quadratic at every point, and these are symmetric about the centre.
            self.add_part(target, Part::Prior, branch, shared, (&site.centre, &[], 1.0));
        } else {
            site.nodes().for_each(|at| self.add_part(target, Part::Prior, branch, shared, at));
        }
        if let Some(averages) = likelihood {
            axpy(1.0, &averages.gradient, &mut self.shift);
            axpy(1.0, &averages.curvature, &mut self.factor);
        } else if site.has_rows {
            site.nodes().for_each(|at| self.add_part(target, Part::Likelihood, branch, shared, at));
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
        (point, node, weight): (&[f64], &[f64], f64),
    ) {
        let (gradient, curvature) = (&mut self.part_gradient, &mut self.part_curvature);
        target.expansion(part, branch, shared, point, gradient, curvature);
        axpy(weight, gradient, &mut self.shift);
        axpy(weight, curvature, &mut self.factor);
        if !node.is_empty() {
            self.higher.add(node, weight, curvature);
        }
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

    /// Bends and stretches q, after [`Self::expand`]; without, it is a Gaussian.
    pub fn stretch(&mut self, activation: &Activation, site: &Site) {
        self.higher.evaluate(&self.factor, &site.factor);
        self.stretch.set(activation, &self.higher.values);
        self.stretch_adjoint.begin(self.higher.values.len());
    }

    /// v.
    pub fn stretched(&self) -> &Stretch {
        &self.stretch
    }

    /// Sets z for noise ε; returns log q(z|θ).
    pub fn sample(&mut self, activation: &Activation, noise: &[f64], z: &mut [f64]) -> f64 {
        let log_slope = self.stretch.position(noise, z);
        let (nu, log_t) = (activation.nu(), activation.log_t());
        for (j, z) in z.iter_mut().enumerate() {
            *z = nu[j] + log_t[j].exp() * *z;
        }
        let log_scale = log_slope + log_t.iter().sum::<f64>();
        solve_lower_transposed(&self.factor, self.n, z);
        axpy(1.0, &self.mean, z);
        self.log_determinant - log_scale - 0.5 * dot(noise, noise) - HALF_LOG_TAU * self.n as f64
    }

    /// Starts collecting adjoints.
    pub fn begin_adjoint(&mut self) {
        self.mean_adjoint.fill(0.0);
        self.factor_adjoint.fill(0.0);
    }

    /// Adds `weight` times the derivative of `log p(z, y|θ) − log q(z|θ)` along the path of one
    /// sample; `dz` is ∂ log p/∂z there. Adds `own_weight` times the network's share, with log q's
    /// parameters held (sticking the landing), to `adjoint`, ordered as the network's outputs.
    pub fn add_adjoint(
        &mut self,
        activation: &Activation,
        noise: &[f64],
        dz: &[f64],
        (weight, own_weight): (f64, f64),
        adjoint: &mut [f64],
    ) {
        let n = self.n;
        let (nu, log_t) = (activation.nu(), activation.log_t());
        axpy(weight, dz, &mut self.mean_adjoint);
        let mut pulled = std::mem::take(&mut self.scratch);
        pulled.copy_from_slice(dz);
        solve_lower(&self.factor, n, &mut pulled);
        // −∂ log q/∂v, then with the gradient of log p in v the path of v.
        let mut landing = noise.to_vec();
        let work = &mut self.stretch_adjoint;
        if self.stretch.is_gaussian() {
            self.whitened.copy_from_slice(noise);
        } else {
            self.stretch.visit(noise, work, &mut self.whitened);
            self.stretch.landing(noise, work, &mut landing);
            let gradient: Vec<f64> = (0..n).map(|j| pulled[j] * log_t[j].exp()).collect();
            self.stretch.add_higher(noise, &gradient, weight, work);
        }
        for j in 0..n {
            let scale = log_t[j].exp();
            let path = own_weight * (pulled[j] * scale + landing[j]);
            adjoint[j] += path / scale;
            adjoint[n + j] += path * self.whitened[j];
            if !self.stretch.is_gaussian() {
                let [by_skew, by_tail] = self.stretch.by_tails(j, work);
                adjoint[2 * n + j] += path * by_skew;
                adjoint[3 * n + j] += path * by_tail;
            }
            self.whitened[j] = nu[j] + scale * self.whitened[j];
        }
        let v = &mut self.whitened;
        solve_lower_transposed(&self.factor, n, v);
        for i in 0..n {
            axpy(-weight * v[i], &pulled[..i + 1], &mut self.factor_adjoint[i * n..i * n + i + 1]);
            self.factor_adjoint[i * n + i] -= weight / self.factor[i * n + i];
        }
        self.scratch = pulled;
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
        self.pull_stretch(site);
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
        let common = target.prior_is_common();
        if common {
            prior.add(&self.mean_adjoint, &self.precision_adjoint, &site.centre);
        }
        self.pull_parts(target, branch, shared, site, !common, dshared);
    }

    /// Carries the adjoint of v to R and to the sums behind third and fourth derivatives.
    fn pull_stretch(&mut self, site: &Site) {
        self.higher.clear_adjoint();
        if !self.stretch.is_gaussian() {
            let adjoint = self.stretch_adjoint.symmetric(self.n);
            self.higher.pull(&adjoint, &self.factor, &site.factor, &mut self.factor_adjoint);
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
        self.mean_adjoint.copy_from_slice(adjoint);
        self.precision_adjoint.fill(0.0);
        self.higher.clear_adjoint();
        self.pull_parts(target, branch, shared, site, true, dshared);
    }

    /// Carries the adjoints of g and Λ to `dshared` through the likelihood and, if asked, the prior.
    fn pull_parts<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        site: &Site,
        with_prior: bool,
        dshared: &mut [f64],
    ) {
        if with_prior && target.prior_is_gaussian() {
            let at = (&site.centre[..], &[][..], 1.0);
            self.pull_part(target, Part::Prior, branch, shared, at, dshared);
        } else if with_prior {
            for at in site.nodes() {
                self.pull_part(target, Part::Prior, branch, shared, at, dshared);
            }
        }
        if site.has_rows && site.likelihood.is_none() {
            for at in site.nodes() {
                self.pull_part(target, Part::Likelihood, branch, shared, at, dshared);
            }
        }
    }

    fn pull_part<T: Target>(
        &mut self,
        target: &mut T,
        part: Part,
        branch: usize,
        shared: &[f64],
        (point, node, weight): (&[f64], &[f64], f64),
        dshared: &mut [f64],
    ) {
        for (out, x) in self.part_gradient.iter_mut().zip(&self.mean_adjoint) {
            *out = weight * x;
        }
        for (out, x) in self.part_curvature.iter_mut().zip(&self.precision_adjoint) {
            *out = weight * x;
        }
        if !node.is_empty() {
            self.higher.add_node_adjoint(node, weight, &mut self.part_curvature);
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
