//! Exact scores of branches that a fit has not seen, and exact means of their locals, for draws of θ
//! from the fit: the integrals over z by importance weights of a Student t.

use std::error::Error;

use hbdc::{Evaluator, Fit, LocalSummary, Point, Prediction, SummaryRow};

/// Draws of θ behind an exact score, of z for all branches together, and for each.
const THETAS: usize = 500;
const LOCALS: usize = 50_000;
const LOCALS_EACH: [usize; 2] = [500, 5000];

/// log (1/S) Σ_s ∫ p(y, z | θ_s) dz over branches.
pub struct Exact {
    thetas: Vec<Vec<f64>>,
    n_locals: usize,
    sum: f64,
    /// Of the draws of z, and for each draw of θ what it adds relative to the mean.
    variance: f64,
    influence: Vec<f64>,
    /// For each draw of θ log p(y | θ) of all branches, and for each branch the means of its locals.
    log_weights: Vec<f64>,
    means: Vec<Vec<Vec<f64>>>,
}

impl Exact {
    pub fn new(fit: &Fit, n_branches: usize) -> Exact {
        let thetas = globals(fit);
        let (influence, log_weights) = (vec![0.0; thetas.len()], vec![0.0; thetas.len()]);
        let [least, most] = LOCALS_EACH;
        let n_locals = (LOCALS / n_branches).clamp(least, most);
        let (sum, variance, means) = (0.0, 0.0, Vec::new());
        Exact { thetas, n_locals, sum, variance, influence, log_weights, means }
    }

    /// Adds the one branch of `evaluator`.
    pub fn add(
        &mut self,
        mut evaluator: Evaluator,
        summary: Option<&LocalSummary>,
        seed: usize,
    ) -> Result<(), Box<dyn Error>> {
        let summary = summary.ok_or("draws were not finite")?;
        let mut noise = Noise(seed as u64);
        let mut by_theta = vec![Vec::with_capacity(self.n_locals); self.thetas.len()];
        let (mut weights, mut draws) = (Vec::with_capacity(self.n_locals), Vec::new());
        for _ in 0..self.n_locals {
            let (mut z, mut log_proposal) = (Vec::new(), 0.0);
            for row in &summary.rows {
                let (t, log_density) = noise.student();
                let scale = 1.2 * row.sd;
                z.push(row.mean + scale * t);
                log_proposal += log_density - scale.ln();
            }
            let mut point = Point { globals: Vec::new(), locals: vec![z] };
            let mut values = Vec::with_capacity(self.thetas.len());
            for (theta, all) in self.thetas.iter().zip(&mut by_theta) {
                point.globals.clone_from(theta);
                values.push(evaluator.density_at(&point).log_local - log_proposal);
                all.push(values[values.len() - 1]);
            }
            weights.push(log_mean_exp(&values));
            draws.extend(point.locals);
        }
        let value = log_mean_exp(&weights);
        let n = weights.len() as f64;
        let spread = weights.iter().map(|w| ((w - value).exp() - 1.0).powi(2)).sum::<f64>() / n;
        self.sum += value;
        self.variance += spread / n;
        for (s, own) in by_theta.iter().enumerate() {
            let log_likelihood = log_mean_exp(own);
            self.influence[s] += (log_likelihood - value).exp() - 1.0;
            self.log_weights[s] += log_likelihood;
        }
        self.means.push(by_theta.iter().map(|own| weighted_mean(own, &draws)).collect());
        Ok(())
    }

    /// Mean |z| of the exact means of locals given all data against those of a fit to all.
    pub fn z_given_all(&self, seen: &Prediction) -> f64 {
        let mut errors = Vec::new();
        for (means, summary) in self.means.iter().zip(seen.branches().branches().iter().flatten()) {
            let exact = weighted_mean(&self.log_weights, means);
            let one = |(mean, row): (f64, &SummaryRow)| ((mean - row.mean) / row.sd).abs();
            errors.extend(exact.into_iter().zip(&summary.rows).map(one));
        }
        errors.iter().sum::<f64>() / errors.len() as f64
    }

    /// The mean over branches and its Monte Carlo error.
    pub fn per_branch(&self) -> (f64, f64) {
        let s = self.thetas.len() as f64;
        let of_theta = self.influence.iter().map(|a| a * a).sum::<f64>() / (s * s);
        let n = self.means.len() as f64;
        (self.sum / n, (self.variance + of_theta).sqrt() / n)
    }
}

/// The unknown globals at draws from the posterior.
fn globals(fit: &Fit) -> Vec<Vec<f64>> {
    let draws = fit.posterior().draws(THETAS);
    let layout = fit.evaluator().reported_layout();
    let unknown = layout.variables().iter().filter(|variable| variable.is_unknown);
    let ranges: Vec<_> = unknown.map(|variable| variable.range.clone()).collect();
    let elements: Vec<usize> = layout
        .variables()
        .iter()
        .flat_map(|variable| variable.elements().into_iter().map(|(_, position)| position))
        .collect();
    let of_draw = |row: ndarray::ArrayView1<f64>| {
        // What is left out of the draws is the upper triangle of a factor.
        let mut all = vec![0.0; layout.len()];
        elements.iter().zip(row).for_each(|(&position, &value)| all[position] = value);
        ranges.iter().flat_map(|range| all[range.clone()].to_vec()).collect()
    };
    draws.values().rows().into_iter().map(of_draw).collect()
}

/// The mean of rows by the exponentials of these weights.
fn weighted_mean(log_weights: &[f64], rows: &[Vec<f64>]) -> Vec<f64> {
    let log_mean = log_mean_exp(log_weights);
    let mut mean = vec![0.0; rows[0].len()];
    for (log_weight, row) in log_weights.iter().zip(rows) {
        let weight = (log_weight - log_mean).exp() / rows.len() as f64;
        mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight * x);
    }
    mean
}

fn log_mean_exp(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = values.iter().map(|x| (x - largest).exp()).sum();
    largest + (sum / values.len() as f64).ln()
}

/// SplitMix64.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((x ^ (x >> 31)) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let angle = std::f64::consts::TAU * self.uniform();
        (-2.0 * self.uniform().ln()).sqrt() * angle.cos()
    }

    /// Student's t with five degrees of freedom, and its log density.
    fn student(&mut self) -> (f64, f64) {
        let squares: f64 = (0..5).map(|_| self.normal().powi(2)).sum();
        let t = self.normal() / (squares / 5.0).sqrt();
        // Γ(3) / (√(5π) Γ(5/2)), with Γ(5/2) = ¾√π.
        let constant = 2.0 / (0.75 * std::f64::consts::PI * 5.0f64.sqrt());
        (t, constant.ln() - 3.0 * (1.0 + t * t / 5.0).ln())
    }
}
