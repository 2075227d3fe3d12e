//! Draws from a fitted guide, in unconstrained space.

use super::elbo::{self, Guide, Noise, particle_at};
use super::shards::Shards;
use super::worker::{LocalWorker, Particle};
use crate::math::inv_phi;
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// `count` draws of θ from q(θ) in mirrored pairs, one row each.
pub fn global_draws(guide: &Guide, seed: u64, count: usize) -> Vec<f64> {
    let (global, local) = (Purpose::GlobalDraws, Purpose::LocalDraws);
    let noise = Noise { seed, global, local, step: u32::MAX as usize };
    let mut epsilon = vec![0.0; guide.global.n()];
    let mut draws = Vec::with_capacity(count * guide.global.n());
    for particle in 0..count {
        noise.global(particle, &mut epsilon);
        draws.extend(guide.global.theta(&epsilon));
    }
    draws
}

/// What branches need of `count` draws of θ (one row each), wherever these came from.
pub fn particles<T: Target>(
    target: &mut T,
    guide: &Guide,
    theta: &[f64],
    count: usize,
) -> Vec<Particle> {
    let n = guide.global.n();
    (0..count)
        .map(|s| {
            let theta = &theta[s * n..s * n + n];
            let mut particle = particle_at(target, &guide.global, guide.global.noise_of(theta));
            // The caller's θ to the last bit, not as it comes back from its noise.
            particle.theta.copy_from_slice(theta);
            (particle.shared, particle.log_prior) = elbo::shared_at(target, theta);
            particle
        })
        .collect()
}

/// How the draws of one branch's locals lie to each other. Either way each by itself has the
/// distribution of the guide given its θ, and branches are independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Independent given θ.
    Independent,
    /// The noise of every local is a Latin hypercube over the draws (McKay, Beckman and Conover 1979):
    /// means and quantiles of few draws come nearer to those of the distribution. Where each is
    /// picked from several by weight, draws are independent.
    Stratified,
}

/// Draws of branches' locals, one branch at a time; one sampler per thread.
pub struct BranchSampler<'a> {
    worker: LocalWorker<'a>,
    shared_mean: Vec<f64>,
    seed: u64,
    samples: usize,
    spread: Spread,
}

impl<'a> BranchSampler<'a> {
    /// Where the guide has several `samples`, each draw is picked from that many by importance weight,
    /// which brings it closer to p(z | θ, y) than q(z | θ) is.
    pub fn new<T: Target>(target: &mut T, guide: &'a Guide, seed: u64) -> Self {
        let (shared_mean, _) = elbo::shared_at(target, &guide.global.mean());
        let worker = LocalWorker::within(&guide.local, &guide.global, target);
        Self { worker, shared_mean, seed, samples: guide.samples, spread: Spread::Independent }
    }

    /// The same, with draws that lie to each other so.
    pub fn spread(self, spread: Spread) -> Self {
        Self { spread, ..self }
    }

    /// One z for each particle, one row each. `None` where q(z|θ) is not finite.
    pub fn draws<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        particles: &[Particle],
    ) -> Option<Vec<f64>> {
        let n = target.n_local();
        if !self.worker.open(target, branch, &self.shared_mean, None) {
            return None;
        }
        let mut out = Vec::with_capacity(particles.len() * n);
        let mut epsilon = vec![0.0; n];
        let strata = match self.spread {
            Spread::Stratified if self.samples == 1 => self.hypercube(branch, particles.len(), n),
            _ => Vec::new(),
        };
        for (p, particle) in particles.iter().enumerate() {
            if !self.worker.at(target, particle) {
                return None;
            }
            if let Some(epsilon) = strata.get(p * n..(p + 1) * n) {
                self.worker.sample(epsilon);
                out.extend_from_slice(&self.worker.z);
                continue;
            }
            let mut stream = Stream::new(self.seed, Purpose::LocalDraws, 0, branch, p);
            let mut chosen = vec![0.0; n];
            let mut best = f64::NEG_INFINITY;
            for k in 0..self.samples {
                stream.normals(&mut epsilon);
                if self.samples == 1 {
                    self.worker.sample(&epsilon);
                    chosen.copy_from_slice(&self.worker.z);
                    continue;
                }
                // Gumbel's trick: the largest of log weight plus Gumbel noise is a draw by weight.
                let gumbel = -(-stream.uniform().ln()).ln();
                let score = self.worker.value(target, &particle.shared, &epsilon) + gumbel;
                if score > best || k == 0 {
                    best = score;
                    chosen.copy_from_slice(&self.worker.z);
                }
            }
            out.extend(chosen);
        }
        Some(out)
    }

    /// Standard normal noise of `n` locals for each of `count` draws, one row each: every local has one
    /// number in each of as many equally probable intervals.
    fn hypercube(&self, branch: usize, count: usize, n: usize) -> Vec<f64> {
        let mut noise = vec![0.0; count * n];
        let mut order: Vec<usize> = (0..count).collect();
        for local in 0..n {
            let mut stream = Stream::new(self.seed, Purpose::LocalDraws, 1, branch, local);
            stream.shuffle(&mut order);
            for (draw, &interval) in order.iter().enumerate() {
                let probability = (interval as f64 + stream.uniform()) / count as f64;
                let probability = probability.min(1.0 - f64::EPSILON);
                noise[draw * n + local] = inv_phi(probability);
            }
        }
        noise
    }
}

/// Applies `summarise` to the draws of every branch of `branches`, on several threads, and
/// keeps only what it returns, in order. `None` draws mean that they were not finite.
pub fn for_each_branch<T: Target, A: Send>(
    shards: &mut Shards<T>,
    guide: &Guide,
    particles: &[Particle],
    branches: &[usize],
    seed: u64,
    spread: Spread,
    summarise: impl Fn(usize, Option<&[f64]>) -> A + Sync,
) -> Vec<A> {
    let parts = shards.map(branches, |target, shard| {
        let mut sampler = BranchSampler::new(target, guide, seed).spread(spread);
        let one = |&branch: &usize| {
            let draws = sampler.draws(target, branch, particles);
            summarise(branch, draws.as_deref())
        };
        shard.iter().map(one).collect::<Vec<A>>()
    });
    parts.into_iter().flatten().collect()
}
