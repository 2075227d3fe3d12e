//! q(zᵢ|θ) from an encoder: the model's prior times a Gaussian site whose (h, H) it computes.
//!
//! The encoder works in coordinates u with z = c + S u, whitened by mean and covariance of the
//! locals at the start, so that its weights are free of the data's units. With g₀ = S⁻ᵀh and
//! H₀ = S⁻ᵀ H S⁻¹ the site is a quadratic of gradient g₀ and curvature H₀ at c, and stands where
//! the expansion of the log likelihood stands in the default guide.

use serde::{Deserialize, Serialize};

use super::conditional::Conditional;
use super::encoder::RowEncoder;
use super::linalg::{
    axpy, cholesky, cholesky_adjoint, identity, solve_lower, solve_lower_transposed,
};
use super::site::Site;

/// An encoder and the coordinates that it works in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncodedGuide {
    /// The encoder.
    pub encoder: RowEncoder,
    n: usize,
    /// c.
    centre: Vec<f64>,
    /// S⁻¹, row-major.
    whitening: Vec<f64>,
}

impl EncodedGuide {
    /// Whitened by the centres and covariances of `sites`, branches' posteriors at the start.
    pub fn new(encoder: RowEncoder, n_local: usize, sites: &[Site]) -> Self {
        let (centre, scale) = population(n_local, sites);
        let mut whitening = identity(n_local);
        // Rows of the identity become columns of S⁻¹.
        whitening.chunks_exact_mut(n_local.max(1)).for_each(|e| solve_lower(&scale, n_local, e));
        super::linalg::transpose(&mut whitening, n_local);
        Self { encoder, n: n_local, centre, whitening }
    }

    /// The site of a branch with rows, from what the encoder gave.
    pub fn site(&self, parameters: &[f64]) -> Site {
        let n = self.n;
        let (h, precision) = parameters.split_at(n);
        let mut gradient = vec![0.0; n];
        for (x, row) in h.iter().zip(self.whitening.chunks_exact(n)) {
            axpy(*x, row, &mut gradient);
        }
        let curvature = self.congruent(precision, true);
        let mut around = self.congruent(&identity(n), true);
        axpy(1.0, &curvature, &mut around);
        Site {
            centre: self.centre.clone(),
            factor: vec![],
            precision: around,
            points: self.centre.clone(),
            weights: vec![1.0],
            likelihood: Some((gradient, curvature)),
            inputs: vec![],
            has_rows: true,
        }
    }

    /// Adds to `own` the adjoint of what the encoder gave, from that of the site's gradient and
    /// curvature.
    pub fn pull(&self, gradient: &[f64], curvature: &[f64], own: &mut [f64]) {
        let n = self.n;
        let (h, precision) = own.split_at_mut(n);
        for (x, row) in h.iter_mut().zip(self.whitening.chunks_exact(n)) {
            *x += super::linalg::dot(row, gradient);
        }
        axpy(1.0, &self.congruent(curvature, false), precision);
    }

    /// Tᵀ A T with T = S⁻¹, or T A Tᵀ.
    fn congruent(&self, a: &[f64], transposed: bool) -> Vec<f64> {
        use super::encoder::matrix;
        let (a, t) = (matrix(a, self.n, self.n), matrix(&self.whitening, self.n, self.n));
        let product = match transposed {
            true => t.t().dot(&a).dot(&t),
            false => t.dot(&a).dot(&t.t()),
        };
        product.iter().copied().collect()
    }
}

/// Mean and Cholesky factor of the covariance of the locals over branches: the spread of the
/// centres, and on average that around each.
fn population(n: usize, sites: &[Site]) -> (Vec<f64>, Vec<f64>) {
    let weight = 1.0 / sites.len().max(1) as f64;
    let mut centre = vec![0.0; n];
    sites.iter().for_each(|site| axpy(weight, &site.centre, &mut centre));
    let mut covariance = vec![0.0; n * n];
    for site in sites {
        let mut off = site.centre.clone();
        axpy(-1.0, &centre, &mut off);
        for (i, row) in covariance.chunks_exact_mut(n.max(1)).enumerate() {
            axpy(weight * off[i], &off, row);
            let mut column = vec![0.0; n];
            column[i] = 1.0;
            solve_lower(&site.factor, n, &mut column);
            solve_lower_transposed(&site.factor, n, &mut column);
            axpy(weight, &column, row);
        }
    }
    match cholesky(&mut covariance, n) {
        true => (centre, covariance),
        false => (centre, identity(n)),
    }
}

/// The gradient of a branch's ELBO in its site, sticking the landing: along the path of
/// z = m + R⁻ᵀε with the parameters of log q held.
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
        // R⁻¹a = R⁻¹dz + ε, a = dz + Rε, v = R⁻ᵀε.
        self.path.copy_from_slice(dz);
        solve_lower(r, n, &mut self.path);
        axpy(1.0, noise, &mut self.path);
        self.whitened.copy_from_slice(noise);
        solve_lower_transposed(r, n, &mut self.whitened);
        for i in 0..n {
            let row = i * n..i * n + i + 1;
            self.mean[i] += weight * super::linalg::dot(&r[row.clone()], &self.path[..=i]);
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
