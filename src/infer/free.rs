//! The branch family: a free Gaussian for each branch, in the noise form, in whitened
//! coordinates.
//!
//! ```text
//! z = z* + R*⁻ᵀ (ν + B ε₀ + L ε)      θ = c + S(μ + L₀ ε₀)
//! log q(z|θ) = −½|ε|² − D/2 log 2π + Σ log R*_jj − Σ log L_jj
//! ```
//!
//! (z*, R*) is the branch's site at the start and stays, so ν, B and L are free of units.

use serde::{Deserialize, Serialize};

use super::linalg::{axpy, dot, lower_times, solve_lower, solve_lower_transposed};
use super::site::Site;

const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

/// Parameters of every branch's Gaussian.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreeGuide {
    n_local: usize,
    n_global: usize,
    centres: Vec<f64>,
    factors: Vec<f64>,
    /// For each branch ν, B (D × G) and L (D × D), row-major.
    pub parameters: Vec<f64>,
}

impl FreeGuide {
    /// Every branch at its site, ν = B = 0 and L = I.
    pub fn new(n_local: usize, n_global: usize, sites: &[Option<Site>]) -> Self {
        let n = n_local;
        let mut guide =
            Self { n_local, n_global, centres: vec![], factors: vec![], parameters: vec![] };
        for site in sites {
            match site {
                Some(site) => {
                    guide.centres.extend(&site.centre);
                    guide.factors.extend(&site.factor);
                }
                None => {
                    guide.centres.extend(vec![0.0; n]);
                    guide.factors.extend(super::linalg::identity(n));
                }
            }
            guide.parameters.extend(vec![0.0; n + n * n_global]);
            guide.parameters.extend(super::linalg::identity(n));
        }
        guide
    }

    /// Number of parameters of one branch.
    pub fn n_parameters(&self) -> usize {
        self.n_local * (1 + self.n_global + self.n_local)
    }

    /// Parameters of one branch: ν, B, L.
    fn parts(&self, branch: usize) -> (&[f64], &[f64], &[f64]) {
        let p = self.n_parameters();
        let (nu, rest) = self.parameters[branch * p..branch * p + p].split_at(self.n_local);
        let (coupling, factor) = rest.split_at(self.n_local * self.n_global);
        (nu, coupling, factor)
    }

    fn whitening(&self, branch: usize) -> (&[f64], &[f64]) {
        let n = self.n_local;
        (
            &self.centres[branch * n..branch * n + n],
            &self.factors[branch * n * n..(branch + 1) * n * n],
        )
    }

    /// Sets `out` to ν + B ε₀.
    pub fn mean(&self, branch: usize, global_noise: &[f64], out: &mut [f64]) {
        let (nu, coupling, _) = self.parts(branch);
        let n = self.n_global;
        for (j, mean) in out.iter_mut().enumerate() {
            *mean = nu[j] + dot(&coupling[j * n..(j + 1) * n], global_noise);
        }
    }

    /// Sets z; returns log q(z|θ). `mean` is that of [`Self::mean`].
    pub fn sample(&self, branch: usize, mean: &[f64], noise: &[f64], z: &mut [f64]) -> f64 {
        let n = self.n_local;
        let (_, _, factor) = self.parts(branch);
        let (centre, whitening) = self.whitening(branch);
        lower_times(factor, n, noise, z);
        axpy(1.0, mean, z);
        solve_lower_transposed(whitening, n, z);
        axpy(1.0, centre, z);
        let log_scales: f64 = (0..n).map(|j| (whitening[j * n + j] / factor[j * n + j]).ln()).sum();
        log_scales - 0.5 * dot(noise, noise) - HALF_LOG_TAU * n as f64
    }

    /// Adds `weight` times one draw's gradient, sticking the landing: in (ν, B, L with log
    /// diagonal) to `own`, in ε₀ through −log q(z|θ), which is −Bᵀ L⁻ᵀ ε, to `dnoise`.
    #[allow(clippy::too_many_arguments)]
    pub fn add_gradient(
        &self,
        branch: usize,
        global_noise: &[f64],
        noise: &[f64],
        dz: &[f64],
        weight: f64,
        own: &mut [f64],
        dnoise: &mut [f64],
    ) {
        let (n, g) = (self.n_local, self.n_global);
        let (_, coupling, factor) = self.parts(branch);
        let (_, whitening) = self.whitening(branch);
        let mut landing = noise.to_vec();
        solve_lower_transposed(factor, n, &mut landing);
        let mut path = dz.to_vec();
        solve_lower(whitening, n, &mut path);
        for i in 0..n {
            axpy(-weight * landing[i], &coupling[i * g..i * g + g], dnoise);
            let total = weight * (path[i] + landing[i]);
            own[i] += total;
            axpy(total, global_noise, &mut own[n + i * g..n + i * g + g]);
            let row = n + n * g + i * n;
            axpy(total, &noise[..i], &mut own[row..row + i]);
            own[row + i] += total * noise[i] * factor[i * n + i];
        }
    }

    /// Moves one branch along `delta`, ordered as its gradient.
    pub fn advance(&mut self, branch: usize, delta: &[f64]) {
        let (n, p) = (self.n_local, self.n_parameters());
        let own = &mut self.parameters[branch * p..branch * p + p];
        let square = n + n * self.n_global;
        axpy(1.0, &delta[..square], &mut own[..square]);
        for i in 0..n {
            let row = square + i * n;
            axpy(1.0, &delta[row..row + i], &mut own[row..row + i]);
            own[row + i] *= delta[row + i].exp();
        }
    }
}
