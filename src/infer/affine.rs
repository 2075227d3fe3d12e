//! q(z|θ) of any family, at one θ, as z = m + J v(ε), v the map of
//! [`super::stretch`]: what checks of a fit need of it.

use super::linalg::{axpy, cholesky, dot, identity, log_diagonal_sum, solve_lower};
use super::stretch::{Stretch, StretchAdjoint};
use super::worker::LocalWorker;

const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

/// One q(z|θ).
#[derive(Clone, Debug)]
pub struct Affine {
    n: usize,
    /// m.
    pub mean: Vec<f64>,
    /// J, row-major.
    map: Vec<f64>,
    /// v.
    stretch: Stretch,
}

impl Affine {
    /// That of the worker's branch and θ.
    pub fn of(worker: &mut LocalWorker) -> Self {
        let n = worker.z.len();
        let stretch = worker.stretch();
        let mut v = vec![0.0; n];
        let mut noise = vec![0.0; n];
        let mut origin = vec![0.0; n];
        worker.sample(&noise);
        stretch.position(&noise, &mut origin);
        let centre = worker.z.clone();
        let mut map = vec![0.0; n * n];
        for j in 0..n {
            noise[j] = 1.0;
            worker.sample(&noise);
            stretch.position(&noise, &mut v);
            noise[j] = 0.0;
            // v moves in elements up to j, whose columns but the last are known.
            for i in 0..n {
                let known: f64 = (0..j).map(|k| map[i * n + k] * (v[k] - origin[k])).sum();
                map[i * n + j] = (worker.z[i] - centre[i] - known) / (v[j] - origin[j]);
            }
        }
        let mean = (0..n).map(|i| centre[i] - dot(&map[i * n..(i + 1) * n], &origin)).collect();
        Self { n, mean, map, stretch }
    }

    /// Sets z to m + J v(ε); returns log |∂v/∂ε|.
    pub fn position(&self, noise: &[f64], z: &mut [f64]) -> f64 {
        let mut v = vec![0.0; self.n];
        let log_slope = self.stretch.position(noise, &mut v);
        for (i, z) in z.iter_mut().enumerate() {
            *z = self.mean[i] + dot(&self.map[i * self.n..(i + 1) * self.n], &v);
        }
        log_slope
    }

    /// Sets `out` to the gradient in ε of f(z) + log |∂v/∂ε|, for the gradient of f in z.
    pub fn pull(&self, noise: &[f64], gradient: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (row, &g) in self.map.chunks_exact(self.n.max(1)).zip(gradient) {
            axpy(g, row, out);
        }
        if !self.stretch.is_gaussian() {
            let mut work = StretchAdjoint::default();
            let (of_v, mut v) = (out.to_vec(), vec![0.0; self.n]);
            self.stretch.visit(noise, &mut work, &mut v);
            self.stretch.pull(noise, &of_v, &work, out);
        }
    }
}

/// The Gaussian of an [`Affine`], v aside, by its covariance, for densities at any point.
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
