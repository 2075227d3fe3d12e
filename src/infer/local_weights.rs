//! Importance weights of the locals given θ, branch by branch, on a sample of branches.
//!
//! For branch i at a draw θ_s, w_k = p(z_k, yᵢ|θ_s)/q(z_k|θ_s). Their spread says how far
//! q(zᵢ|θ) is from the branch's posterior given θ, and nothing about q(θ).

use super::elbo::{Guide, Noise};
use super::importance::{median, normalise};
use super::pareto::{self, KHAT_LIMIT};
use super::shards::Shards;
use super::worker::{LocalWorker, Particle};
use crate::target::Target;

/// The weights of one branch, over all draws of θ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BranchWeights {
    /// log mean w − mean log w, averaged over θ, in nats.
    pub gap: f64,
    /// (Σw)²/Σw² over the number of draws, averaged over θ.
    pub relative_ess: f64,
    /// k̂ of all weights, those of each θ divided by their mean.
    pub khat: f64,
    /// Draws that were not finite.
    pub non_finite: usize,
}

/// Weights of a sample of branches.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalWeights {
    /// One for each branch of the sample.
    pub branches: Vec<BranchWeights>,
}

impl LocalWeights {
    fn median_of(&self, figure: impl Fn(&BranchWeights) -> f64) -> f64 {
        median(&self.branches.iter().map(figure).collect::<Vec<_>>())
    }

    /// The median of k̂ over branches.
    pub fn khat_median(&self) -> f64 {
        self.median_of(|branch| branch.khat)
    }

    /// The largest k̂.
    pub fn khat_max(&self) -> f64 {
        self.branches.iter().map(|branch| branch.khat).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The share of branches whose k̂ is above 0.7.
    pub fn khat_above(&self) -> f64 {
        self.share(|branch| branch.khat > KHAT_LIMIT)
    }

    /// The median gap in nats.
    pub fn gap_median(&self) -> f64 {
        self.median_of(|branch| branch.gap)
    }

    /// The mean gap in nats.
    pub fn gap_mean(&self) -> f64 {
        self.branches.iter().map(|branch| branch.gap).sum::<f64>() / self.branches.len() as f64
    }

    /// The median relative effective size.
    pub fn ess_median(&self) -> f64 {
        self.median_of(|branch| branch.relative_ess)
    }

    /// The share of branches of which this holds.
    pub fn share(&self, holds: impl Fn(&BranchWeights) -> bool) -> f64 {
        let count = self.branches.iter().filter(|branch| holds(branch)).count();
        count as f64 / self.branches.len() as f64
    }

    /// Draws that were not finite, over all branches.
    pub fn non_finite(&self) -> usize {
        self.branches.iter().map(|branch| branch.non_finite).sum()
    }
}

/// Weighs `count` draws of zᵢ at each particle, for each of the branches.
pub fn weigh<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    branches: &[usize],
    particles: &[Particle],
    shared_mean: &[f64],
    noise: Noise,
    count: usize,
) -> LocalWeights {
    let parts = shards.map(branches, |target, shard| {
        let mut worker = LocalWorker::within(&guide.local, &guide.global, target);
        let mut epsilon = vec![0.0; target.n_local()];
        let mut one = |&branch: &usize| {
            let open = worker.open(target, branch, shared_mean, None);
            let mut by_theta = Vec::with_capacity(particles.len());
            for (p, particle) in particles.iter().enumerate() {
                if !(open && worker.at(target, particle)) {
                    by_theta.push(vec![f64::NAN; count]);
                    continue;
                }
                let mut weight = |k: usize| {
                    noise.local(branch, p * count + k, &mut epsilon);
                    worker.value(target, &particle.shared, &epsilon)
                };
                by_theta.push((0..count).map(&mut weight).collect());
            }
            summarise(&by_theta)
        };
        shard.iter().map(&mut one).collect::<Vec<_>>()
    });
    LocalWeights { branches: parts.into_iter().flatten().collect() }
}

fn summarise(by_theta: &[Vec<f64>]) -> BranchWeights {
    let mut all = vec![];
    let (mut gap, mut relative_ess, mut non_finite) = (0.0, 0.0, 0);
    for log_weights in by_theta {
        let normalised = normalise(log_weights);
        let finite: Vec<f64> = log_weights.iter().copied().filter(|x| x.is_finite()).collect();
        non_finite += log_weights.len() - finite.len();
        gap += normalised.log_mean - finite.iter().sum::<f64>() / finite.len() as f64;
        relative_ess += 1.0 / (normalised.squares * log_weights.len() as f64);
        all.extend(log_weights.iter().map(|x| x - normalised.log_mean));
    }
    let n = by_theta.len() as f64;
    BranchWeights {
        // Rounding may leave equal weights a hair below zero.
        gap: (gap / n).max(0.0),
        relative_ess: relative_ess / n,
        khat: pareto::khat(&all),
        non_finite,
    }
}
