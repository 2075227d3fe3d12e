//! q(zᵢ|θ) ∝ p(zᵢ|θ) exp(hᵢᵀzᵢ − ½ zᵢᵀHᵢzᵢ): the model's prior times a Gaussian site that is given,
//! by free parameters of the branch here, by an encoder elsewhere.
//!
//! A site is held as what an expansion of the log likelihood would be: gradient s = h − Hc and
//! curvature H at a fixed centre c. So a [`Site`] whose `likelihood` is `Some((s, H))` goes through
//! [`Conditional`] like Newton's own; what is new is the gradient in (s, H), by [`SiteAdjoint`]:
//!
//! 1. `clear` on a branch;
//! 2. for a draw of θ, `Conditional::expand`, then for each draw of z `Conditional::sample` with
//!    ν = t = 0, `Conditional::add_adjoint` and `SiteAdjoint::add`;
//! 3. `SiteAdjoint::finish`, and only then `Conditional::finish_adjoint`, which spoils what it reads;
//! 4. after all draws, `gradient` and `curvature` hold the sums of the adjoints of s and H.
//!
//! With Λ = P(θ) + H = R Rᵀ, m = c + Λ⁻¹(∇ log p(c|θ) + s) and z = m + R⁻ᵀε, sticking the landing
//! leaves a = ∇_z log p(z, y|θ) + Rε as the adjoint of z along its path, and
//!
//! ```text
//! s̄ = Λ⁻¹a        H̄ = Λ̄ − ½(s̄ (m−c)ᵀ + (m−c) s̄ᵀ)        R̄ = −tril(R⁻ᵀε (R⁻¹a)ᵀ)
//! ```
//!
//! where Λ̄ is R̄ carried through the Cholesky factorisation. In (h, H) instead of (s, H): h̄ = s̄, and
//! H̄ gains −½(s̄cᵀ + cs̄ᵀ).

use serde::{Deserialize, Serialize};

use super::conditional::Conditional;
use super::linalg::{
    axpy, cholesky, cholesky_adjoint, dot, identity, lower_times, lower_transposed_times,
    solve_lower, solve_lower_transposed, symmetric_eigen, transpose,
};
use super::site::{Averages, Site};
use crate::target::{Part, Target};

/// Least eigenvalue of a whitened site at the start: at zero its factor would have no gradient.
const LEAST_CURVATURE: f64 = 1e-6;

/// The gradient of a branch's ELBO in its site, sticking the landing.
#[derive(Clone, Debug)]
pub struct SiteAdjoint {
    n: usize,
    mean: Vec<f64>,
    factor: Vec<f64>,
    path: Vec<f64>,
    whitened: Vec<f64>,
    scratch: Vec<f64>,
    /// Of the site's gradient, summed over draws of θ.
    pub gradient: Vec<f64>,
    /// Of its curvature, every entry a variable of its own.
    pub curvature: Vec<f64>,
}

impl SiteAdjoint {
    /// Work space.
    pub fn new(n_local: usize) -> Self {
        let (vector, matrix) = (vec![0.0; n_local], vec![0.0; n_local * n_local]);
        Self {
            n: n_local,
            mean: vector.clone(),
            factor: matrix.clone(),
            path: vector.clone(),
            whitened: vector.clone(),
            scratch: matrix.clone(),
            gradient: vector,
            curvature: matrix,
        }
    }

    /// Starts on a branch.
    pub fn clear(&mut self) {
        for part in [&mut self.mean, &mut self.factor, &mut self.gradient, &mut self.curvature] {
            part.fill(0.0);
        }
    }

    /// Takes in `weight` times one draw of z, `dz` being ∂ log p/∂z there.
    pub fn add(&mut self, conditional: &Conditional, noise: &[f64], dz: &[f64], weight: f64) {
        let (n, r) = (self.n, conditional.factor());
        self.path.copy_from_slice(dz);
        solve_lower(r, n, &mut self.path);
        axpy(1.0, noise, &mut self.path);
        self.whitened.copy_from_slice(noise);
        solve_lower_transposed(r, n, &mut self.whitened);
        for i in 0..n {
            let row = i * n..i * n + i + 1;
            self.mean[i] += weight * dot(&r[row.clone()], &self.path[..=i]);
            axpy(-weight * self.whitened[i], &self.path[..=i], &mut self.factor[row]);
        }
    }

    /// Ends a draw of θ: from m and R to the site.
    pub fn finish(&mut self, conditional: &Conditional) {
        let (n, r) = (self.n, conditional.factor());
        cholesky_adjoint(r, &self.factor, n, &mut self.scratch);
        axpy(1.0, &self.scratch, &mut self.curvature);
        let g = &mut self.mean;
        solve_lower(r, n, g);
        solve_lower_transposed(r, n, g);
        axpy(1.0, g, &mut self.gradient);
        let shift = conditional.shift();
        for i in 0..n {
            for j in 0..n {
                self.curvature[i * n + j] -= 0.5 * (g[i] * shift[j] + g[j] * shift[i]);
            }
        }
        self.mean.fill(0.0);
        self.factor.fill(0.0);
    }
}

/// A free site for each branch, in coordinates whitened by Newton's precision R*R*ᵀ at the start:
/// s = R*η, H = (R*F)(R*F)ᵀ with a lower F. It starts as Newton's site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreeSites {
    n: usize,
    centres: Vec<f64>,
    factors: Vec<f64>,
    /// For each branch η and F, row-major.
    pub parameters: Vec<f64>,
}

impl FreeSites {
    /// For branches to be added by [`Self::push`].
    pub fn new(n_local: usize) -> Self {
        Self { n: n_local, centres: vec![], factors: vec![], parameters: vec![] }
    }

    /// One more branch, at the site that Newton found for `shared`; with none, at the prior.
    pub fn push<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        site: Option<&Site>,
    ) {
        let n = self.n;
        let Some(site) = site else {
            self.centres.extend(vec![0.0; n]);
            self.factors.extend(identity(n));
            self.parameters.extend(vec![0.0; n]);
            self.parameters.extend(identity(n).iter().map(|x| x * LEAST_CURVATURE.sqrt()));
            return;
        };
        let (mut gradient, mut curvature) = likelihood(target, branch, shared, site);
        solve_lower(&site.factor, n, &mut gradient);
        for _ in 0..2 {
            curvature.chunks_exact_mut(n.max(1)).for_each(|row| solve_lower(&site.factor, n, row));
            transpose(&mut curvature, n);
        }
        self.centres.extend(&site.centre);
        self.factors.extend(&site.factor);
        self.parameters.extend(gradient);
        // Without rows q is the prior, where that is Gaussian, and has nothing to learn.
        match site.has_rows || !target.prior_is_gaussian() {
            true => self.parameters.extend(definite_factor(&curvature, n)),
            false => self.parameters.extend(vec![0.0; n * n]),
        }
    }

    /// Number of parameters of one branch.
    pub fn n_parameters(&self) -> usize {
        self.n * (1 + self.n)
    }

    /// Of one branch: η, F, R*.
    fn parts(&self, branch: usize) -> (&[f64], &[f64], &[f64]) {
        let (n, p) = (self.n, self.n_parameters());
        let (eta, factor) = self.parameters[branch * p..(branch + 1) * p].split_at(n);
        (eta, factor, &self.factors[branch * n * n..(branch + 1) * n * n])
    }

    /// The site of a branch.
    pub fn site(&self, branch: usize) -> Site {
        let n = self.n;
        let (eta, _, whitening) = self.parts(branch);
        let mut gradient = vec![0.0; n];
        lower_times(whitening, n, eta, &mut gradient);
        let curvature = square(&self.curvature_factor(branch), n);
        let centre = self.centres[branch * n..(branch + 1) * n].to_vec();
        Site {
            factor: whitening.to_vec(),
            precision: square(whitening, n),
            points: centre.clone(),
            weights: vec![1.0],
            nodes: vec![0.0; n],
            likelihood: Some(Averages { gradient, curvature, higher: vec![] }),
            inputs: vec![],
            has_rows: true,
            centre,
        }
    }

    /// R*F, a lower factor of H.
    fn curvature_factor(&self, branch: usize) -> Vec<f64> {
        let n = self.n;
        let (_, factor, whitening) = self.parts(branch);
        let mut product = vec![0.0; n * n];
        for i in 0..n {
            for k in 0..=i {
                axpy(whitening[i * n + k], &factor[k * n..=k * n + k], &mut product[i * n..][..=k]);
            }
        }
        product
    }

    /// The gradient in a branch's parameters, from that in its site.
    pub fn pull(&self, branch: usize, adjoint: &SiteAdjoint) -> Vec<f64> {
        let n = self.n;
        let (_, _, whitening) = self.parts(branch);
        let mut own = vec![0.0; self.n_parameters()];
        lower_transposed_times(whitening, n, &adjoint.gradient, &mut own[..n]);
        // H = MMᵀ with M = R*F, so the adjoint of M is 2H̄M, and that of F R*ᵀ of it.
        let product = self.curvature_factor(branch);
        for i in 0..n {
            let mut row = vec![0.0; n];
            for k in 0..n {
                let weight = adjoint.curvature[i * n + k] + adjoint.curvature[k * n + i];
                axpy(weight, &product[k * n..(k + 1) * n], &mut row);
            }
            for k in 0..=i {
                axpy(whitening[i * n + k], &row[..=k], &mut own[n + k * n..][..=k]);
            }
        }
        own
    }

    /// Moves one branch along `delta`, ordered as its gradient.
    pub fn advance(&mut self, branch: usize, delta: &[f64]) {
        let p = self.n_parameters();
        axpy(1.0, delta, &mut self.parameters[branch * p..(branch + 1) * p]);
    }
}

/// Gradient and curvature of the log likelihood, averaged over the points of a site.
fn likelihood<T: Target>(
    target: &mut T,
    branch: usize,
    shared: &[f64],
    site: &Site,
) -> (Vec<f64>, Vec<f64>) {
    let n = site.centre.len();
    let mut sums = (vec![0.0; n], vec![0.0; n * n]);
    if let Some(known) = &site.likelihood {
        return (known.gradient.clone(), known.curvature.clone());
    }
    if !site.has_rows {
        return sums;
    }
    let (mut gradient, mut curvature) = sums.clone();
    for (point, &weight) in site.points.chunks_exact(n.max(1)).zip(&site.weights) {
        target.expansion(Part::Likelihood, branch, shared, point, &mut gradient, &mut curvature);
        axpy(weight, &gradient, &mut sums.0);
        axpy(weight, &curvature, &mut sums.1);
    }
    sums
}

/// R Rᵀ, R lower.
fn square(r: &[f64], n: usize) -> Vec<f64> {
    let row = |i: usize| &r[i * n..(i + 1) * n];
    (0..n * n).map(|ij| dot(row(ij / n), row(ij % n))).collect()
}

/// The lower factor of a symmetric matrix, eigenvalues below the least one raised to it.
fn definite_factor(a: &[f64], n: usize) -> Vec<f64> {
    let mut factor = a.to_vec();
    (0..n).for_each(|j| factor[j * n + j] += LEAST_CURVATURE);
    if cholesky(&mut factor, n) {
        return factor;
    }
    let (values, vectors) = symmetric_eigen(a, n);
    let mut factor = vec![0.0; n * n];
    for (value, v) in values.iter().zip(vectors.chunks_exact(n.max(1))) {
        for i in 0..n {
            axpy(value.max(LEAST_CURVATURE) * v[i], v, &mut factor[i * n..(i + 1) * n]);
        }
    }
    match cholesky(&mut factor, n) {
        true => factor,
        false => identity(n).iter().map(|x| x * LEAST_CURVATURE.sqrt()).collect(),
    }
}
