//! q(z|θ) of any family, at one θ, as z = m + J v(ε), v the stretched tails of each element where
//! there are some: what checks of a fit need of it.

use super::linalg::{axpy, cholesky, dot, identity, log_diagonal_sum, solve_lower};
use super::local::LocalWorker;
use super::tails::Tails;

const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

/// One q(z|θ).
#[derive(Clone, Debug)]
pub struct Affine {
    n: usize,
    /// m.
    pub mean: Vec<f64>,
    /// J, row-major.
    map: Vec<f64>,
    /// One for each element; none for a Gaussian.
    tails: Vec<Tails>,
}

impl Affine {
    /// That of the worker's branch and θ.
    pub fn of(worker: &mut LocalWorker) -> Self {
        let n = worker.z.len();
        let tails = worker.tails().to_vec();
        let stretched = |j: usize, x: f64| tails.get(j).map_or(x, |tails| tails.position(x).0);
        let mut noise = vec![0.0; n];
        worker.sample(&noise);
        let mut mean = worker.z.clone();
        let mut map = vec![0.0; n * n];
        for j in 0..n {
            noise[j] = 1.0;
            worker.sample(&noise);
            noise[j] = 0.0;
            let (zero, one) = (stretched(j, 0.0), stretched(j, 1.0));
            for i in 0..n {
                map[i * n + j] = (worker.z[i] - mean[i]) / (one - zero);
            }
        }
        for j in 0..n {
            let shift = stretched(j, 0.0);
            (0..n).for_each(|i| mean[i] -= shift * map[i * n + j]);
        }
        Self { n, mean, map, tails }
    }

    /// Sets z to m + J v(ε); returns log |v′(ε)|.
    pub fn position(&self, noise: &[f64], z: &mut [f64]) -> f64 {
        let mut log_slope = 0.0;
        let stretched: Vec<f64> = match self.tails.is_empty() {
            true => noise.to_vec(),
            false => (self.tails.iter().zip(noise))
                .map(|(tails, &x)| {
                    let (v, log_of_slope) = tails.position(x);
                    log_slope += log_of_slope;
                    v
                })
                .collect(),
        };
        for (i, z) in z.iter_mut().enumerate() {
            *z = self.mean[i] + dot(&self.map[i * self.n..(i + 1) * self.n], &stretched);
        }
        log_slope
    }

    /// Sets `out` to the gradient in ε of f(z) + log |v′(ε)|, for the gradient of f in z.
    pub fn pull(&self, noise: &[f64], gradient: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (row, &g) in self.map.chunks_exact(self.n.max(1)).zip(gradient) {
            axpy(g, row, out);
        }
        for ((out, tails), &x) in out.iter_mut().zip(&self.tails).zip(noise) {
            let at = tails.at(x);
            *out = *out * at.slope + at.log_slope_derivative;
        }
    }
}

/// The Gaussian of an [`Affine`], its tails aside, by its covariance, for densities at any point.
#[derive(Clone, Debug)]
pub struct Ellipsoid {
    n: usize,
    mean: Vec<f64>,
    factor: Vec<f64>,
}

impl Ellipsoid {
    /// `None` where J is singular or not finite.
    pub fn new(affine: &Affine) -> Option<Self> {
        let n = affine.n;
        let row = |i: usize| &affine.map[i * n..i * n + n];
        let mut factor: Vec<f64> = (0..n * n).map(|ij| dot(row(ij / n), row(ij % n))).collect();
        cholesky(&mut factor, n).then(|| Self { n, mean: affine.mean.clone(), factor })
    }

    /// That of mean `mean` and precision R Rᵀ. `None` where that is not finite.
    pub fn of_precision(mean: &[f64], precision_factor: &[f64]) -> Option<Self> {
        let n = mean.len();
        let mut inverse = identity(n);
        inverse.chunks_exact_mut(n.max(1)).for_each(|row| {
            solve_lower(precision_factor, n, row);
        });
        // Row i is R⁻¹e_i, and the covariance R⁻ᵀR⁻¹: rows times rows.
        let row = |i: usize| &inverse[i * n..i * n + n];
        let mut factor: Vec<f64> = (0..n * n).map(|ij| dot(row(ij / n), row(ij % n))).collect();
        cholesky(&mut factor, n).then(|| Self { n, mean: mean.to_vec(), factor })
    }

    /// Squared distance from the mean, in standard deviations.
    pub fn squared_distance(&self, z: &[f64]) -> f64 {
        let mut shift: Vec<f64> = z.iter().zip(&self.mean).map(|(z, m)| z - m).collect();
        solve_lower(&self.factor, self.n, &mut shift);
        dot(&shift, &shift)
    }

    /// log q(z|θ).
    pub fn log_density(&self, z: &[f64]) -> f64 {
        -0.5 * self.squared_distance(z)
            - log_diagonal_sum(&self.factor, self.n)
            - HALF_LOG_TAU * self.n as f64
    }
}
