//! The linear forms of q(zᵢ|θ): a Gaussian whose mean is linear in θ and whose covariance is not
//! moved by it. One set of formulas for whatever gives the parameters: free ones of a branch
//! ([`super::free`]), Newton's expansion ([`super::expanded`]), or a network.
//!
//! ```text
//! z = c + R⁻ᵀ w                       c and R fixed during a step: units of the branch
//! w = ν + B ε₀ + L ε                  the noise form, θ = c₀ + S(μ + L₀ε₀)
//! w = ν + A u  + L ε                  the Aθ form, u = μ + L₀ε₀ the whitened θ
//! log q(z|θ) = −½|ε|² − D/2 log 2π + Σ log R_jj − Σ log L_jj
//! ```
//!
//! Without coupling zᵢ is independent of θ; with a diagonal L and R its elements are independent.
//! Both forms span the same distributions. They differ in what the gradient holds: B where θ's own
//! L₀ moves, or A.
//!
//! Sticking the landing, with p = R⁻¹ ∂log p/∂z the adjoint of w along the path of log p:
//! ν gains t = p + L⁻ᵀε, L gains tεᵀ; in the noise form B gains tε₀ᵀ, and −log q(z|θ) adds −BᵀL⁻ᵀε to
//! the adjoint of ε₀ (to which q(θ) adds its own); in the Aθ form A gains tuᵀ, and u gains
//! Aᵀt − AᵀL⁻ᵀε = Aᵀp.

use serde::{Deserialize, Serialize};

use super::config::Coupling;
use super::linalg::{axpy, dot, identity, lower_times, solve_lower, solve_lower_transposed};
use super::worker::Particle;

const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

/// Which linear form, and its sizes. Its parameters lie in one slice: ν, then B or A (D × G), then
/// L (D × D, lower) or its diagonal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinearForm {
    /// D, locals of a branch.
    pub n_local: usize,
    /// G, globals.
    pub n_global: usize,
    /// How the mean follows θ, if it does.
    pub coupling: Option<Coupling>,
    /// Whether L is diagonal.
    pub diagonal: bool,
}

impl LinearForm {
    /// Length of ν, of B or A, and of L.
    fn lengths(&self) -> [usize; 3] {
        let n = self.n_local;
        let coupling = if self.coupling.is_some() { n * self.n_global } else { 0 };
        [n, coupling, if self.diagonal { n } else { n * n }]
    }

    /// Number of parameters of one branch.
    pub fn n_parameters(&self) -> usize {
        self.lengths().iter().sum()
    }

    /// Where B or A begins, and where L does.
    pub fn offsets(&self) -> (usize, usize) {
        let [mean, coupling, _] = self.lengths();
        (mean, mean + coupling)
    }

    /// ν, B or A, and L.
    fn parts<'p>(&self, parameters: &'p [f64]) -> (&'p [f64], &'p [f64], &'p [f64]) {
        let (coupling, factor) = self.offsets();
        (&parameters[..coupling], &parameters[coupling..factor], &parameters[factor..])
    }

    /// ν = B = 0 and L = I.
    pub fn standard(&self) -> Vec<f64> {
        let mut parameters = vec![0.0; self.offsets().1];
        match self.diagonal {
            true => parameters.extend(vec![1.0; self.n_local]),
            false => parameters.extend(identity(self.n_local)),
        }
        parameters
    }

    /// What the mean is linear in: ε₀ or u.
    fn followed<'p>(&self, particle: &'p Particle) -> &'p [f64] {
        match self.coupling {
            Some(Coupling::Noise) => &particle.noise,
            Some(Coupling::Theta) => &particle.whitened,
            None => &[],
        }
    }

    /// Sets `out` to the mean of w.
    pub fn mean(&self, parameters: &[f64], particle: &Particle, out: &mut [f64]) {
        let (nu, coupling, _) = self.parts(parameters);
        out.copy_from_slice(nu);
        let followed = self.followed(particle);
        if !followed.is_empty() {
            for (mean, row) in out.iter_mut().zip(coupling.chunks_exact(self.n_global)) {
                *mean += dot(row, followed);
            }
        }
    }

    /// Sets w for noise ε and its mean; returns log q in the coordinates of w.
    pub fn sample(&self, parameters: &[f64], mean: &[f64], noise: &[f64], w: &mut [f64]) -> f64 {
        let n = self.n_local;
        let (_, _, factor) = self.parts(parameters);
        let mut log_scale = 0.0;
        if self.diagonal {
            for j in 0..n {
                w[j] = factor[j] * noise[j];
                log_scale += factor[j].ln();
            }
        } else {
            lower_times(factor, n, noise, w);
            log_scale = super::linalg::log_diagonal_sum(factor, n);
        }
        axpy(1.0, mean, w);
        -log_scale - 0.5 * dot(noise, noise) - HALF_LOG_TAU * n as f64
    }

    /// Adds one draw's gradient, sticking the landing: `own_weight` times that in the parameters
    /// to `own` (a factor's diagonal in logarithms), and `weight` times what reaches ε₀ or u to
    /// `followed_adjoint`. `path` is p.
    #[allow(clippy::too_many_arguments)]
    pub fn add_gradient(
        &self,
        parameters: &[f64],
        particle: &Particle,
        noise: &[f64],
        path: &[f64],
        (weight, own_weight): (f64, f64),
        own: &mut [f64],
        followed_adjoint: &mut [f64],
    ) {
        let (n, g) = (self.n_local, self.n_global);
        let (_, coupling, factor) = self.parts(parameters);
        let mut landing = noise.to_vec();
        match self.diagonal {
            true => landing.iter_mut().zip(factor).for_each(|(x, l)| *x /= l),
            false => solve_lower_transposed(factor, n, &mut landing),
        }
        let followed = self.followed(particle);
        let (at_coupling, at_factor) = self.offsets();
        for i in 0..n {
            let total = own_weight * (path[i] + landing[i]);
            own[i] += total;
            let through = match self.coupling {
                Some(Coupling::Noise) => -weight * landing[i],
                Some(Coupling::Theta) => weight * path[i],
                None => 0.0,
            };
            if self.coupling.is_some() {
                axpy(through, &coupling[i * g..(i + 1) * g], followed_adjoint);
                axpy(total, followed, &mut own[at_coupling + i * g..at_coupling + (i + 1) * g]);
            }
            if self.diagonal {
                own[at_factor + i] += total * noise[i] * factor[i];
            } else {
                let row = at_factor + i * n;
                axpy(total, &noise[..i], &mut own[row..row + i]);
                own[row + i] += total * noise[i] * factor[i * n + i];
            }
        }
    }

    /// Moves parameters along `delta`, ordered as the gradient.
    pub fn advance(&self, parameters: &mut [f64], delta: &[f64]) {
        let n = self.n_local;
        let (_, at_factor) = self.offsets();
        axpy(1.0, &delta[..at_factor], &mut parameters[..at_factor]);
        let (factor, delta) = (&mut parameters[at_factor..], &delta[at_factor..]);
        for i in 0..n {
            if self.diagonal {
                factor[i] *= delta[i].exp();
            } else {
                axpy(1.0, &delta[i * n..i * n + i], &mut factor[i * n..i * n + i]);
                factor[i * n + i] *= delta[i * n + i].exp();
            }
        }
    }
}

/// z = c + R⁻ᵀ w, with a lower R of D × D entries or its diagonal of D.
#[derive(Clone, Copy, Debug)]
pub struct Whitening<'a> {
    /// c.
    pub centre: &'a [f64],
    /// R.
    pub factor: &'a [f64],
}

impl Whitening<'_> {
    fn is_diagonal(self) -> bool {
        self.factor.len() == self.centre.len()
    }

    /// Turns w into z; returns Σ log R_jj, which log q gains.
    pub fn unwhiten(self, w: &mut [f64]) -> f64 {
        let n = self.centre.len();
        let log_scale = match self.is_diagonal() {
            true => {
                w.iter_mut().zip(self.factor).for_each(|(x, r)| *x /= r);
                self.factor.iter().map(|r| r.ln()).sum()
            }
            false => {
                solve_lower_transposed(self.factor, n, w);
                super::linalg::log_diagonal_sum(self.factor, n)
            }
        };
        axpy(1.0, self.centre, w);
        log_scale
    }

    /// Turns an adjoint of z into that of w.
    pub fn pull(self, adjoint: &mut [f64]) {
        match self.is_diagonal() {
            true => adjoint.iter_mut().zip(self.factor).for_each(|(x, r)| *x /= r),
            false => solve_lower(self.factor, self.centre.len(), adjoint),
        }
    }
}
