//! The log likelihood of data that a fit has not seen, branch by branch.
//!
//! Rows y' of a branch whose other rows y were fitted, and whole new branches:
//!
//! ```text
//! log (1/S) Σ_s Σ_k w_sk p(y'|θ_s, z_sk) / Σ_k w_sk        w_sk = p(z_sk, y|θ_s) / q(z_sk|θ_s)
//! log (1/S) Σ_s (1/K) Σ_k w_sk
//! ```
//!
//! with θ_s from the posterior and z_sk from q(z|θ_s). Both are consistent whatever q is; it
//! only has to cover the posterior of z. The logarithm is taken branch by branch: the log of one
//! average over all branches would be that of the single best draw.
//!
//! Draws of θ are common to all branches. So to first order a total errs by (1/S) Σ_s aₛ with
//! aₛ = Σᵢ (p_is / p̄ᵢ − 1), whose variance is estimated over independent units of draws (mirrored
//! draws and copies of a draw are one unit).

use std::collections::HashMap;

use super::elbo::{self, Guide, Noise};
use super::importance::{CANDIDATES, log_mean_exp};
use super::shards::Shards;
use super::worker::{LocalWorker, Particle};
use crate::random::Purpose;
use crate::target::Target;

/// Most and fewest draws of θ behind a score.
const MAX_DRAWS: usize = 1000;
const MIN_DRAWS: usize = 200;
/// Evaluations of rows (a branch counts as 16 more) that a score may take, if it has draws enough.
const WORK: usize = 200_000_000;

/// Draws of θ that scores are averaged over.
#[derive(Clone, Debug)]
pub struct ScoreDraws {
    /// What branches need of each.
    pub particles: Vec<Particle>,
    /// The independent unit that each belongs to; any numbers.
    pub units: Vec<usize>,
}

/// The score of one branch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BranchScore {
    /// The branch, of the target that was scored.
    pub branch: usize,
    /// Minus infinity where no draw allows the data.
    pub log_likelihood: f64,
    /// Its Monte Carlo error.
    pub se: f64,
}

/// Scores of branches on common draws of θ.
#[derive(Clone, Debug, Default)]
pub struct Scores {
    /// In the order of the branches.
    pub branches: Vec<BranchScore>,
    /// aₛ.
    influence: Vec<f64>,
}

/// How many draws a score of so many rows and branches rests on.
pub fn n_draws(n_rows: usize, n_branches: usize) -> usize {
    (WORK / (CANDIDATES * (n_rows + 16 * n_branches).max(1))).clamp(MIN_DRAWS, MAX_DRAWS)
}

impl Scores {
    /// The sum over branches and its Monte Carlo error.
    pub fn total(&self, draws: &ScoreDraws) -> (f64, f64) {
        let sum = self.branches.iter().map(|branch| branch.log_likelihood).sum();
        (sum, standard_error(&self.influence, &draws.units))
    }

    /// Adds the scores of other branches on the same draws.
    pub fn join(&mut self, other: &Scores) {
        self.branches.extend(&other.branches);
        add(&mut self.influence, &other.influence);
    }
}

/// Scores rows that were kept out of the fit, of these branches. `rows` makes, for each thread,
/// what gives their log likelihood: of a branch, `shared` and z.
pub fn held_out<T, R>(
    shards: &mut Shards<T>,
    guide: &Guide,
    draws: &ScoreDraws,
    branches: &[usize],
    seed: u64,
    rows: impl Fn() -> R + Sync,
) -> Scores
where
    T: Target,
    R: FnMut(usize, &[f64], &[f64]) -> f64,
{
    let noise = noise(seed);
    let (shared_mean, _) = elbo::shared_at(shards.target(), &guide.global.mean());
    let parts = shards.map(branches, |target, shard| {
        let mut rows = rows();
        let mut epsilon = vec![0.0; target.n_local()];
        let (mut weights, mut weighted) = ([0.0; CANDIDATES], [0.0; CANDIDATES]);
        let each = |target: &mut T, worker: &mut LocalWorker, branch: usize, p: usize| {
            let shared = &draws.particles[p].shared;
            for k in 0..CANDIDATES {
                noise.local(branch, p * CANDIDATES + k, &mut epsilon);
                weights[k] = worker.value(target, shared, &epsilon);
                weighted[k] = weights[k] + rows(branch, shared, &worker.z);
            }
            log_mean_exp(&weighted) - log_mean_exp(&weights)
        };
        score_shard(target, guide, &shared_mean, draws, shard, each)
    });
    gather(parts)
}

/// Scores whole branches that were not fitted.
pub fn new_branches<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    draws: &ScoreDraws,
    branches: &[usize],
    seed: u64,
) -> Scores {
    let noise = noise(seed);
    let (shared_mean, _) = elbo::shared_at(shards.target(), &guide.global.mean());
    let parts = shards.map(branches, |target, shard| {
        let mut epsilon = vec![0.0; target.n_local()];
        let mut weights = [0.0; CANDIDATES];
        let each = |target: &mut T, worker: &mut LocalWorker, branch: usize, p: usize| {
            for (k, weight) in weights.iter_mut().enumerate() {
                noise.local(branch, p * CANDIDATES + k, &mut epsilon);
                *weight = worker.value(target, &draws.particles[p].shared, &epsilon);
            }
            log_mean_exp(&weights)
        };
        score_shard(target, guide, &shared_mean, draws, shard, each)
    });
    gather(parts)
}

fn noise(seed: u64) -> Noise {
    let (global, local) = (Purpose::GlobalDraws, Purpose::ScoreLocal);
    Noise { seed, global, local, step: 0 }
}

/// Scores branches one after another; `each` gives the log likelihood of an open branch at one
/// draw of θ.
fn score_shard<T: Target>(
    target: &mut T,
    guide: &Guide,
    shared_mean: &[f64],
    draws: &ScoreDraws,
    shard: &[usize],
    mut each: impl FnMut(&mut T, &mut LocalWorker, usize, usize) -> f64,
) -> Scores {
    let mut worker = LocalWorker::within(&guide.local, &guide.global, target);
    let n = draws.particles.len();
    let mut scores = Scores { branches: Vec::with_capacity(shard.len()), influence: vec![0.0; n] };
    for &branch in shard {
        let is_open = worker.open(target, branch, shared_mean, None);
        let at = |(p, particle): (usize, &Particle)| match is_open && worker.at(target, particle) {
            true => each(target, &mut worker, branch, p),
            false => f64::NAN,
        };
        // A draw at which nothing can be computed speaks for nothing.
        let of_draw = |value: f64| if value.is_nan() { f64::NEG_INFINITY } else { value };
        let values: Vec<f64> = draws.particles.iter().enumerate().map(at).map(of_draw).collect();
        let log_likelihood = log_mean_exp(&values);
        let influence: Vec<f64> =
            values.iter().map(|value| (value - log_likelihood).exp() - 1.0).collect();
        let se = standard_error(&influence, &draws.units);
        scores.branches.push(BranchScore { branch, log_likelihood, se });
        add(&mut scores.influence, &influence);
    }
    scores
}

fn gather(parts: Vec<Scores>) -> Scores {
    let mut all = Scores::default();
    parts.iter().for_each(|part| all.join(part));
    all
}

fn add(sums: &mut Vec<f64>, values: &[f64]) {
    sums.resize(values.len().max(sums.len()), 0.0);
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

/// Of the mean of `values`, which are independent between units.
fn standard_error(values: &[f64], units: &[usize]) -> f64 {
    let mut sums: HashMap<usize, f64> = HashMap::new();
    for (value, &unit) in values.iter().zip(units) {
        *sums.entry(unit).or_default() += value;
    }
    // In a fixed order, so that the last bit is always the same.
    let mut squares: Vec<f64> = sums.values().map(|sum| sum * sum).collect();
    squares.sort_by(f64::total_cmp);
    squares.iter().sum::<f64>().sqrt() / values.len().max(1) as f64
}
