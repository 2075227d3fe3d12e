//! Whether branches have posterior modes that the guide does not cover.
//!
//! Importance weights of draws from q(z|θ) cannot tell: where q never goes, no draw shows what
//! is missing. So the branch's density is climbed from far points as well, and the mass of each
//! mode that is found (Laplace's) is held against what q sees.

use super::affine::{Affine, Ellipsoid};
use super::elbo::{Guide, Noise};
use super::importance::log_mean_exp;
use super::linalg::{axpy, cholesky, log_diagonal_sum, solve_lower, solve_lower_transposed};
use super::shards::Shards;
use super::site::SiteSolver;
use super::worker::{LocalWorker, Particle};
use crate::target::{Part, Target};

const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;
/// How far from the guide's mean a climb begins, in standard deviations of q and of the prior.
const FAR: [f64; 3] = [4.0, 12.0, 36.0];
const FAR_IN_PRIOR: [f64; 2] = [1.0, 2.5];
/// Squared distance, in standard deviations of either, of modes that are two.
const APART: f64 = 9.0;
/// Draws of q behind the evidence that it sees.
const DRAWS: usize = 64;
/// q covers a mode where its weight is within this of the mean weight, in nats.
const COVERED: f64 = 3.0;

/// Modes that were found and are not covered.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherModes {
    /// For each branch of the sample the share of its posterior, at the mean of θ, that lies in
    /// modes not covered; zero where there are none.
    pub missed: Vec<f64>,
}

impl OtherModes {
    /// The mean share over branches.
    pub fn mean(&self) -> f64 {
        self.missed.iter().sum::<f64>() / self.missed.len().max(1) as f64
    }

    /// How many branches miss more than that share.
    pub fn count_above(&self, share: f64) -> usize {
        self.missed.iter().filter(|&&missed| missed > share).count()
    }

    /// The largest share.
    pub fn largest(&self) -> f64 {
        self.missed.iter().copied().fold(0.0, f64::max)
    }
}

/// Looks for modes of each of `branches`; `at_mean` is the particle at the mean of q(θ).
pub fn search<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    branches: &[usize],
    at_mean: &Particle,
    noise: Noise,
) -> OtherModes {
    let parts = shards.map(branches, |target, shard| {
        let mut worker = LocalWorker::within(&guide.local, &guide.global, target);
        let mut solver = SiteSolver::new(target.n_local());
        let mut one = |&branch: &usize| {
            let shared = &at_mean.shared;
            if !(worker.open(target, branch, shared, None) && worker.at(target, at_mean)) {
                return 0.0;
            }
            let affine = Affine::of(&mut worker);
            let Some(guide) = Ellipsoid::new(&affine) else { return 0.0 };
            let mut epsilon = vec![0.0; target.n_local()];
            let mut weight = |k: usize| {
                noise.local(branch, k, &mut epsilon);
                worker.value(target, shared, &epsilon)
            };
            let weights: Vec<f64> = (0..DRAWS).map(&mut weight).collect();
            let seen = log_mean_exp(&weights);
            let mut found: Vec<(Ellipsoid, f64)> = vec![];
            for start in starts(target, branch, shared, &affine, noise) {
                let mode = climb(&mut solver, target, branch, shared, &start);
                let Some((centre, own, log_mass, log_density)) = mode else { continue };
                let is_guides = guide.squared_distance(&centre) < APART
                    || own.squared_distance(&affine.mean) < APART
                    || log_density - guide.log_density(&centre) < seen + COVERED;
                let is_known = found.iter().any(|(old, _)| old.squared_distance(&centre) < APART);
                if !is_guides && !is_known {
                    found.push((own, log_mass));
                }
            }
            let missed: f64 = found.iter().map(|(_, log_mass)| (log_mass - seen).exp()).sum();
            if missed.is_finite() { missed / (1.0 + missed) } else { 1.0 }
        };
        shard.iter().map(&mut one).collect::<Vec<_>>()
    });
    OtherModes { missed: parts.into_iter().flatten().collect() }
}

/// Far points: along random directions from the guide's mean, in its own standard deviations,
/// and from the prior's mean in those of the prior, as far as that is near Gaussian.
fn starts<T: Target>(
    target: &mut T,
    branch: usize,
    shared: &[f64],
    affine: &Affine,
    noise: Noise,
) -> Vec<Vec<f64>> {
    let n = target.n_local();
    let mut starts = vec![];
    let mut epsilon = vec![0.0; n];
    let (mut gradient, mut factor) = (vec![0.0; n], vec![0.0; n * n]);
    target.expansion(Part::Prior, branch, shared, &affine.mean, &mut gradient, &mut factor);
    let is_definite = cholesky(&mut factor, n);
    let mut prior_mean = gradient;
    solve_lower(&factor, n, &mut prior_mean);
    solve_lower_transposed(&factor, n, &mut prior_mean);
    axpy(1.0, &affine.mean, &mut prior_mean);
    // Mirrored directions, in one dimension both sides.
    for direction in 0..4 {
        noise.local(branch, DRAWS + direction, &mut epsilon);
        let length = epsilon.iter().map(|x| x * x).sum::<f64>().sqrt();
        let to = |by: f64| epsilon.iter().map(|x| by * x / length).collect::<Vec<f64>>();
        for far in FAR {
            let mut z = vec![0.0; n];
            affine.position(&to(far), &mut z);
            starts.push(z);
        }
        for far in FAR_IN_PRIOR.into_iter().filter(|_| is_definite) {
            let mut z = to(far * (n as f64).sqrt());
            solve_lower_transposed(&factor, n, &mut z);
            axpy(1.0, &prior_mean, &mut z);
            starts.push(z);
        }
    }
    starts.retain(|start| start.iter().all(|x| x.is_finite()));
    starts
}

/// The mode that Newton reaches from `start`: where it is, its Gaussian, log of its mass, and
/// the log density there.
fn climb<T: Target>(
    solver: &mut SiteSolver,
    target: &mut T,
    branch: usize,
    shared: &[f64],
    start: &[f64],
) -> Option<(Vec<f64>, Ellipsoid, f64, f64)> {
    if !target.density(branch, shared, start).total().is_finite() {
        return None;
    }
    let site = solver.solve(target, branch, shared, Some(start))?;
    let n = site.centre.len();
    let log_density = target.density(branch, shared, &site.centre).total();
    let log_mass = log_density + HALF_LOG_TAU * n as f64 - log_diagonal_sum(&site.factor, n);
    let own = Ellipsoid::of_precision(&site.centre, &site.factor)?;
    log_mass.is_finite().then_some((site.centre, own, log_mass, log_density))
}
