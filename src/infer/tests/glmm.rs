//! A hand-written generalised linear mixed model, with every derivative in closed form.
//!
//! ```text
//! z_j ~ N(μ_j, τ_j)      η = x·z + w·β      y ~ N(η, sd), N(η, σ) or binomial(trials, logit⁻¹ η)
//! ```
//!
//! `shared` is (μ, log τ, β, log σ); each of its elements is an element of θ or a constant.

use std::sync::Arc;

use crate::target::{BranchDensity, Part, RowColumn, Target};

const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

#[derive(Clone, Debug)]
pub struct Row {
    pub x: Vec<f64>,
    pub w: Vec<f64>,
    pub y: f64,
    /// Standard deviation or number of trials, where the likelihood knows it.
    pub size: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Likelihood {
    NormalKnown,
    Normal,
    Binomial,
}

/// Prior of an element of θ.
#[derive(Clone, Copy, Debug)]
pub enum Prior {
    Normal(f64),
    /// Of exp θ; the density of the whole line, as bounds do not renormalise.
    HalfCauchy(f64),
    /// Of exp θ, on the positive line.
    FlatPositive,
}

#[derive(Clone, Copy, Debug)]
pub enum Source {
    Theta(usize),
    Constant(f64),
}

#[derive(Clone, Debug)]
pub struct Model {
    pub n_local: usize,
    pub likelihood: Likelihood,
    pub priors: Vec<Prior>,
    /// One per element of `shared`.
    pub sources: Vec<Source>,
    pub branches: Vec<Vec<Row>>,
    pub held_out: Vec<Vec<Row>>,
}

#[derive(Clone, Debug)]
pub struct Glmm(pub Arc<Model>);

struct RowTerms {
    log_density: f64,
    slope: f64,
    weight: f64,
    weight_slope: f64,
    by_log_sigma: [f64; 3],
}

fn log1p_exp(x: f64) -> f64 {
    if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
}

impl Glmm {
    fn log_sigma(&self, shared: &[f64]) -> f64 {
        *shared.last().expect("shared holds at least the prior")
    }

    fn fixed<'a>(&self, shared: &'a [f64]) -> &'a [f64] {
        let end = shared.len() - usize::from(self.0.likelihood == Likelihood::Normal);
        &shared[2 * self.0.n_local..end]
    }

    fn terms(&self, row: &Row, shared: &[f64], z: &[f64]) -> RowTerms {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let eta = dot(&row.x, z) + dot(&row.w, self.fixed(shared));
        if self.0.likelihood == Likelihood::Binomial {
            let n = row.size;
            let p = 1.0 / (1.0 + (-eta).exp());
            let choose =
                libm::lgamma(n + 1.0) - libm::lgamma(row.y + 1.0) - libm::lgamma(n - row.y + 1.0);
            return RowTerms {
                log_density: choose + row.y * eta - n * log1p_exp(eta),
                slope: row.y - n * p,
                weight: n * p * (1.0 - p),
                weight_slope: n * p * (1.0 - p) * (1.0 - 2.0 * p),
                by_log_sigma: [0.0; 3],
            };
        }
        let known = self.0.likelihood == Likelihood::NormalKnown;
        let sd = if known { row.size } else { self.log_sigma(shared).exp() };
        let precision = 1.0 / (sd * sd);
        let r = row.y - eta;
        let q = r * r * precision;
        RowTerms {
            log_density: -0.5 * q - sd.ln() - HALF_LOG_TAU,
            slope: r * precision,
            weight: precision,
            weight_slope: 0.0,
            by_log_sigma: [q - 1.0, -2.0 * r * precision, -2.0 * precision],
        }
    }

    fn prior_log_density(&self, shared: &[f64], z: &[f64]) -> f64 {
        let n = self.0.n_local;
        (0..n)
            .map(|j| {
                let scaled = (z[j] - shared[j]) * (-shared[n + j]).exp();
                -0.5 * scaled * scaled - shared[n + j] - HALF_LOG_TAU
            })
            .sum()
    }
}

impl Target for Glmm {
    fn n_branches(&self) -> usize {
        self.0.branches.len()
    }
    fn n_global(&self) -> usize {
        self.0.priors.len()
    }
    fn n_local(&self) -> usize {
        self.0.n_local
    }
    fn n_shared(&self) -> usize {
        self.0.sources.len()
    }
    fn n_rows(&self, branch: usize) -> usize {
        self.0.branches[branch].len()
    }
    fn branch_features(&self, _: usize) -> Vec<f64> {
        Vec::new()
    }
    fn row_columns(&self) -> &[RowColumn] {
        let row = self.0.branches.iter().flatten().next().expect("a model with rows");
        &[RowColumn::Number; 40][..row.x.len() + row.w.len() + 2]
    }
    fn row_features(&self, branch: usize, out: &mut Vec<f64>) {
        out.clear();
        for row in &self.0.branches[branch] {
            out.extend(row.x.iter().chain(&row.w));
            out.extend([row.size, row.y]);
        }
    }
    fn likelihood_reads_shared(&self) -> bool {
        self.0.sources.len() > 2 * self.0.n_local
    }
    fn prior_is_gaussian(&self) -> bool {
        true
    }

    fn prior_is_common(&self) -> bool {
        true
    }

    fn shared(&mut self, theta: &[f64], shared: &mut [f64]) -> f64 {
        for (out, source) in shared.iter_mut().zip(&self.0.sources) {
            *out = match *source {
                Source::Theta(k) => theta[k],
                Source::Constant(x) => x,
            };
        }
        let log_prior = |(&t, prior): (&f64, &Prior)| match *prior {
            Prior::Normal(s) => -0.5 * (t / s).powi(2) - s.ln() - HALF_LOG_TAU,
            Prior::HalfCauchy(s) => {
                (1.0 / (std::f64::consts::PI * s)).ln() - (t.exp() / s).powi(2).ln_1p() + t
            }
            Prior::FlatPositive => t,
        };
        theta.iter().zip(&self.0.priors).map(log_prior).sum()
    }

    fn shared_vjp(&mut self, theta: &[f64], adjoint: &[f64], gradient: &mut [f64]) {
        for (k, out) in gradient.iter_mut().enumerate() {
            *out = match self.0.priors[k] {
                Prior::Normal(s) => -theta[k] / (s * s),
                Prior::HalfCauchy(s) => {
                    let q = (theta[k].exp() / s).powi(2);
                    1.0 - 2.0 * q / (1.0 + q)
                }
                Prior::FlatPositive => 1.0,
            };
        }
        for (x, source) in adjoint.iter().zip(&self.0.sources) {
            if let Source::Theta(k) = *source {
                gradient[k] += x;
            }
        }
    }

    fn density(&mut self, branch: usize, shared: &[f64], z: &[f64]) -> BranchDensity {
        let model = self.0.clone();
        let rows = model.branches[branch].iter();
        BranchDensity {
            prior: self.prior_log_density(shared, z),
            likelihood: rows.map(|row| self.terms(row, shared, z).log_density).sum(),
        }
    }

    fn gradient(
        &mut self,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        weight: f64,
        dz: &mut [f64],
        dshared: &mut [f64],
    ) -> BranchDensity {
        let model = self.0.clone();
        let n = model.n_local;
        for j in 0..n {
            let precision = (-2.0 * shared[n + j]).exp();
            let r = z[j] - shared[j];
            dz[j] = -r * precision;
            dshared[j] += weight * r * precision;
            dshared[n + j] += weight * (r * r * precision - 1.0);
        }
        let mut likelihood = 0.0;
        for row in &model.branches[branch] {
            let terms = self.terms(row, shared, z);
            likelihood += terms.log_density;
            for (d, x) in dz.iter_mut().zip(&row.x) {
                *d += terms.slope * x;
            }
            for (d, w) in dshared[2 * n..].iter_mut().zip(&row.w) {
                *d += weight * terms.slope * w;
            }
            if model.likelihood == Likelihood::Normal {
                dshared[model.sources.len() - 1] += weight * terms.by_log_sigma[0];
            }
        }
        BranchDensity { prior: self.prior_log_density(shared, z), likelihood }
    }

    fn expansion(
        &mut self,
        part: Part,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        gradient: &mut [f64],
        curvature: &mut [f64],
    ) {
        let model = self.0.clone();
        let n = model.n_local;
        gradient.fill(0.0);
        curvature.fill(0.0);
        if part == Part::Prior {
            for j in 0..n {
                let precision = (-2.0 * shared[n + j]).exp();
                gradient[j] = -(z[j] - shared[j]) * precision;
                curvature[j * n + j] = precision;
            }
            return;
        }
        for row in &model.branches[branch] {
            let terms = self.terms(row, shared, z);
            for i in 0..n {
                gradient[i] += terms.slope * row.x[i];
                let wx = terms.weight * row.x[i];
                for (c, x) in curvature[i * n..i * n + n].iter_mut().zip(&row.x) {
                    *c += wx * x;
                }
            }
        }
    }

    fn expansion_vjp(
        &mut self,
        part: Part,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        gradient_adjoint: &[f64],
        curvature_adjoint: &[f64],
        dshared: &mut [f64],
    ) {
        let model = self.0.clone();
        let n = model.n_local;
        if part == Part::Prior {
            for j in 0..n {
                let precision = (-2.0 * shared[n + j]).exp();
                let (g, c) = (gradient_adjoint[j], curvature_adjoint[j * n + j]);
                dshared[j] += g * precision;
                dshared[n + j] += 2.0 * precision * (g * (z[j] - shared[j]) - c);
            }
            return;
        }
        for row in &model.branches[branch] {
            let terms = self.terms(row, shared, z);
            let mut along = 0.0;
            let mut across = 0.0;
            for i in 0..n {
                along += gradient_adjoint[i] * row.x[i];
                for j in 0..n {
                    across += curvature_adjoint[i * n + j] * row.x[i] * row.x[j];
                }
            }
            let eta_adjoint = -terms.weight * along + terms.weight_slope * across;
            for (d, w) in dshared[2 * n..].iter_mut().zip(&row.w) {
                *d += eta_adjoint * w;
            }
            if model.likelihood == Likelihood::Normal {
                let [_, by_slope, by_weight] = terms.by_log_sigma;
                dshared[model.sources.len() - 1] += along * by_slope + across * by_weight;
            }
        }
    }

    fn held_out(&mut self, branch: usize, shared: &[f64], z: &[f64]) -> f64 {
        let model = self.0.clone();
        let Some(rows) = model.held_out.get(branch) else { return 0.0 };
        rows.iter().map(|row| self.terms(row, shared, z).log_density).sum()
    }

    fn n_held_out(&self, branch: usize) -> usize {
        self.0.held_out.get(branch).map_or(0, Vec::len)
    }
}
