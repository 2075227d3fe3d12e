//! q(θ): θ = c + S u, u = μ + L ε₀, ε₀ ~ N(0, I).
//!
//! c and S come from the start phase and stay fixed, so μ and L, which are learned, are free of
//! the units of the data.

use serde::{Deserialize, Serialize};

use super::linalg::{
    axpy, dot, identity, log_diagonal_sum, lower_times, lower_transposed_times, solve_lower,
    solve_lower_transposed,
};

const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

/// The Gaussian q(θ) in whitened coordinates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GlobalGuide {
    /// c.
    pub centre: Vec<f64>,
    /// S, lower, row-major.
    pub scale: Vec<f64>,
    /// μ.
    pub loc: Vec<f64>,
    /// L, lower, row-major, positive diagonal.
    pub factor: Vec<f64>,
    /// Whether S and L are diagonal and stay so.
    pub diagonal: bool,
}

impl GlobalGuide {
    /// The Laplace approximation: μ = 0, L = I.
    pub fn new(centre: Vec<f64>, scale: Vec<f64>) -> Self {
        let n = centre.len();
        Self { centre, scale, loc: vec![0.0; n], factor: identity(n), diagonal: false }
    }

    /// The best Gaussian of independent elements for that Laplace approximation: the standard
    /// deviations of each element given all others.
    pub fn independent(centre: Vec<f64>, scale: &[f64]) -> Self {
        let n = centre.len();
        let mut diagonal = vec![0.0; n * n];
        for j in 0..n {
            // e_jᵀ(SSᵀ)⁻¹e_j = |S⁻¹e_j|².
            let mut column = vec![0.0; n];
            column[j] = 1.0;
            solve_lower(scale, n, &mut column);
            diagonal[j * n + j] = 1.0 / dot(&column, &column).sqrt();
        }
        Self { diagonal: true, ..Self::new(centre, diagonal) }
    }

    /// Number of globals.
    pub fn n(&self) -> usize {
        self.centre.len()
    }

    /// The mean of θ.
    pub fn mean(&self) -> Vec<f64> {
        self.position(&self.loc)
    }

    fn position(&self, u: &[f64]) -> Vec<f64> {
        let mut theta = vec![0.0; self.n()];
        lower_times(&self.scale, self.n(), u, &mut theta);
        axpy(1.0, &self.centre, &mut theta);
        theta
    }

    /// θ for noise ε₀.
    pub fn theta(&self, noise: &[f64]) -> Vec<f64> {
        let mut u = vec![0.0; self.n()];
        lower_times(&self.factor, self.n(), noise, &mut u);
        axpy(1.0, &self.loc, &mut u);
        self.position(&u)
    }

    /// u of θ: S⁻¹(θ − c).
    pub fn whitened(&self, theta: &[f64]) -> Vec<f64> {
        let mut u: Vec<f64> = theta.iter().zip(&self.centre).map(|(t, c)| t - c).collect();
        solve_lower(&self.scale, self.n(), &mut u);
        u
    }

    /// The adjoint of θ from that of u: S⁻ᵀ of it.
    pub fn theta_adjoint(&self, whitened_adjoint: &[f64]) -> Vec<f64> {
        let mut adjoint = whitened_adjoint.to_vec();
        solve_lower_transposed(&self.scale, self.n(), &mut adjoint);
        adjoint
    }

    /// The adjoint of u from that of θ: Sᵀ of it.
    pub fn whitened_adjoint(&self, theta_adjoint: &[f64]) -> Vec<f64> {
        let mut adjoint = vec![0.0; self.n()];
        lower_transposed_times(&self.scale, self.n(), theta_adjoint, &mut adjoint);
        adjoint
    }

    /// The ε₀ that gives θ.
    pub fn noise_of(&self, theta: &[f64]) -> Vec<f64> {
        let mut noise = self.whitened(theta);
        axpy(-1.0, &self.loc, &mut noise);
        solve_lower(&self.factor, self.n(), &mut noise);
        noise
    }

    /// log q(θ) at the θ of that noise.
    pub fn log_density(&self, noise: &[f64]) -> f64 {
        let n = self.n();
        -0.5 * dot(noise, noise)
            - HALF_LOG_TAU * n as f64
            - log_diagonal_sum(&self.factor, n)
            - log_diagonal_sum(&self.scale, n)
    }

    /// Adds to `gradient` (μ, then L with the diagonal in logarithms) `weight` times that of one
    /// draw: `theta_adjoint` is the derivative in θ without log q(θ), `noise_adjoint` what log
    /// q(z|θ) adds in the coordinates of ε₀. Sticking the landing adds ε₀ to the latter.
    /// Returns the largest summand, to judge how near zero the result is.
    pub fn add_gradient(
        &self,
        noise: &[f64],
        theta_adjoint: &[f64],
        noise_adjoint: &[f64],
        weight: f64,
        gradient: &mut [f64],
    ) -> f64 {
        let n = self.n();
        let path = self.whitened_adjoint(theta_adjoint);
        let mut landing: Vec<f64> = noise.iter().zip(noise_adjoint).map(|(a, b)| a + b).collect();
        solve_lower_transposed(&self.factor, n, &mut landing);
        let (loc, factor) = gradient.split_at_mut(n);
        let mut largest = 0.0f64;
        for i in 0..n {
            largest = largest.max(path[i].abs()).max(landing[i].abs());
            let total = weight * (path[i] + landing[i]);
            loc[i] += total;
            if !self.diagonal {
                axpy(total, &noise[..i], &mut factor[i * n..i * n + i]);
            }
            factor[i * n + i] += total * noise[i] * self.factor[i * n + i];
        }
        largest
    }

    /// Number of learned parameters, those of the zero triangle counted.
    pub fn n_parameters(&self) -> usize {
        self.n() * (self.n() + 1)
    }

    /// Moves along `delta`, ordered as the gradient.
    pub fn advance(&mut self, delta: &[f64]) {
        let n = self.n();
        axpy(1.0, &delta[..n], &mut self.loc);
        let delta = &delta[n..];
        for i in 0..n {
            axpy(1.0, &delta[i * n..i * n + i], &mut self.factor[i * n..i * n + i]);
            self.factor[i * n + i] *= delta[i * n + i].exp();
        }
    }
}
