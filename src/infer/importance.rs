//! Importance weights of θ, with each branch's locals integrated out by weights of their own.
//!
//! ```text
//! log w_s = log p(θ_s) + Σᵢ log (1/K) Σ_k p(z_ik, yᵢ|θ_s)/q(z_ik|θ_s) − log q(θ_s)
//! ```
//!
//! Their mean estimates the evidence without bias, and where their effective size is good the
//! weighted draws of θ correct what the Gaussian q(θ) misses.

use super::elbo::{self, Guide, Noise};
use super::estimate::chunk_size;
use super::local::LocalWorker;
use super::shards::Shards;
use super::target::Target;
use crate::random::{Purpose, Stream};

/// Draws of each zᵢ for one draw of θ.
pub const CANDIDATES: usize = 8;
/// Relative effective size from which weighted summaries replace plain ones.
const USABLE: f64 = 0.1;
/// Relative effective size below which the guide is not to be believed.
const POOR: f64 = 0.01;

/// Weighted draws of θ.
#[derive(Clone, Debug)]
pub struct Importance {
    n_global: usize,
    /// Draws of θ from q, one row each; mirrored pairs.
    pub theta: Vec<f64>,
    /// Normalised weights, which sum to one.
    pub weights: Vec<f64>,
    /// log of the mean weight: the log evidence.
    pub log_evidence: f64,
    /// Its standard error (delta method).
    pub log_evidence_se: f64,
    /// The gap between log mean and mean log: an estimate of KL(q‖p) in θ.
    pub gap: f64,
    /// (Σw)² / Σw² over the number of draws.
    pub relative_ess: f64,
    /// Draws whose weight was not finite, counted as zero.
    pub non_finite: usize,
}

impl Importance {
    /// Whether weighted summaries should be the reported ones.
    pub fn is_usable(&self) -> bool {
        self.relative_ess > USABLE && self.log_evidence.is_finite() && self.non_finite == 0
    }

    /// Whether the weights say that the guide is bad.
    pub fn is_poor(&self) -> bool {
        !(self.relative_ess > POOR)
    }

    /// `count` draws of equal weight, one row each, by systematic resampling; those of one draw
    /// stand together.
    pub fn resample(&self, count: usize, seed: u64) -> Vec<f64> {
        let n = self.n_global;
        let offset = Stream::new(seed, Purpose::Resample, 0, 0, 0).uniform();
        let mut theta = Vec::with_capacity(count * n);
        let (mut draw, mut sum) = (0, self.weights[0]);
        for k in 0..count {
            let mark = (k as f64 + offset) / count as f64;
            while mark > sum && draw + 1 < self.weights.len() {
                draw += 1;
                sum += self.weights[draw];
            }
            theta.extend_from_slice(&self.theta[draw * n..draw * n + n]);
        }
        theta
    }
}

/// Weighs `n_draws` draws of θ.
pub fn weigh<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    seed: u64,
    n_draws: usize,
) -> Importance {
    let chunk = chunk_size(shards.target());
    let mut theta = vec![];
    let mut log_weights: Vec<f64> = vec![];
    let mut step = 0;
    while log_weights.len() < n_draws {
        let (global, local) = (Purpose::GlobalDraws, Purpose::WeightLocal);
        let noise = Noise { seed, global, local, step };
        let count = chunk.min(n_draws - log_weights.len());
        log_weights.extend(weigh_chunk(shards, guide, noise, count, &mut theta));
        step += 1;
    }
    summarise(theta, log_weights, guide.global.n())
}

fn weigh_chunk<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    noise: Noise,
    count: usize,
    theta: &mut Vec<f64>,
) -> Vec<f64> {
    let particles = elbo::draw_particles(shards.target(), &guide.global, noise, count);
    let (shared_mean, _) = elbo::shared_at(shards.target(), &guide.global.mean());
    let branches: Vec<usize> = (0..shards.target().n_branches()).collect();
    let sums = shards.map(&branches, |target, shard| {
        let mut worker = LocalWorker::new(&guide.local, target);
        let mut epsilon = vec![0.0; target.n_local()];
        let mut ratios = [0.0; CANDIDATES];
        let mut sums = vec![0.0; count];
        for &branch in shard {
            let open = worker.open(target, branch, &shared_mean, None);
            for (p, particle) in particles.iter().enumerate() {
                if !(open && worker.at(target, particle)) {
                    sums[p] = f64::NAN;
                    continue;
                }
                for (k, ratio) in ratios.iter_mut().enumerate() {
                    noise.local(branch, p * CANDIDATES + k, &mut epsilon);
                    *ratio = worker.value(target, &particle.shared, &epsilon);
                }
                sums[p] += log_mean_exp(&ratios);
            }
        }
        sums
    });
    let mut log_weights = vec![];
    for (p, particle) in particles.iter().enumerate() {
        theta.extend(&particle.theta);
        let local: f64 = sums.iter().map(|sums| sums[p]).sum();
        log_weights.push(particle.log_prior - particle.log_q + local);
    }
    log_weights
}

fn summarise(theta: Vec<f64>, log_weights: Vec<f64>, n_global: usize) -> Importance {
    let n = log_weights.len() as f64;
    let finite = || log_weights.iter().copied().filter(|x| x.is_finite());
    let non_finite = log_weights.len() - finite().count();
    let largest = finite().fold(f64::NEG_INFINITY, f64::max);
    let raw = |x: f64| if x.is_finite() { (x - largest).exp() } else { 0.0 };
    let sum: f64 = log_weights.iter().map(|&x| raw(x)).sum();
    let weights: Vec<f64> = log_weights.iter().map(|&x| raw(x) / sum).collect();
    let squares: f64 = weights.iter().map(|w| w * w).sum();
    let relative_ess = 1.0 / (squares * n);
    let log_evidence = largest + (sum / n).ln();
    let mean_log = finite().sum::<f64>() / (n - non_finite as f64);
    Importance {
        n_global,
        theta,
        weights,
        log_evidence,
        log_evidence_se: ((squares * n - 1.0).max(0.0) / n).sqrt(),
        gap: log_evidence - mean_log,
        relative_ess,
        non_finite,
    }
}

/// log of the mean of exponentials; NaN if any is NaN.
pub fn log_mean_exp(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY || values.iter().any(|x| x.is_nan()) {
        return if values.iter().any(|x| x.is_nan()) { f64::NAN } else { largest };
    }
    let sum: f64 = values.iter().map(|x| (x - largest).exp()).sum();
    largest + (sum / values.len() as f64).ln()
}
