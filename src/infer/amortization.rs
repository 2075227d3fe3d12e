//! The amortization gap: how much ELBO a branch gains when its own Gaussian is optimised freely,
//! with q(θ) held.
//!
//! Whatever the family, q(zᵢ|θ) carries noise to z = m(θ) + J(θ) v(ε), with v the identity where q is
//! a Gaussian. A branch's own is that of ν + L ε in place of ε: ν and a lower triangular L (diagonal where there are many
//! locals) are found by ascent on fixed draws of θ and ε, and what they gain is measured on
//! fresh ones. So the gain is one that was found: a lower bound of the gap, without bias of its
//! own.

use super::affine::Affine;
use super::elbo::{Guide, Noise};
use super::linalg::{axpy, cholesky, dot, solve_lower};
use super::shards::Shards;
use super::worker::{LocalWorker, Particle};
use crate::target::Target;

/// Steps of the ascent at most.
const MAX_STEPS: usize = 30;
/// Gain of a step, in nats, that ends it.
const ENOUGH: f64 = 1e-5;
/// Locals up to which L is triangular.
const MOST_TRIANGULAR: usize = 5;

/// What free optimisation gains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AmortizationGap {
    /// Nats of ELBO per branch: the mean over the sample.
    pub per_branch: f64,
    /// Its standard error: Monte Carlo, and over branches that are not in the sample.
    pub se: f64,
    /// The largest of any branch of the sample.
    pub largest: f64,
    /// Branches of the sample.
    pub n_branches: usize,
}

/// Measures the gap on `branches`: `training` draws of θ are optimised on, `fresh` ones measure.
#[allow(clippy::too_many_arguments)]
pub fn measure<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    branches: &[usize],
    training: &[Particle],
    fresh: &[Particle],
    shared_mean: &[f64],
    noise: Noise,
) -> Option<AmortizationGap> {
    let total = shards.target().n_branches();
    let parts = shards.map(branches, |target, shard| {
        let mut worker = LocalWorker::within(&guide.local, &guide.global, target);
        let one = |&branch: &usize| {
            if !worker.open(target, branch, shared_mean, None) {
                return None;
            }
            let maps = maps_at(&mut worker, target, training)?;
            let epsilon = whitened_noise(noise, branch, training.len(), target.n_local());
            let mut problem = Problem { branch, particles: training, maps: &maps, epsilon };
            let change = problem.ascend(target);
            let maps = maps_at(&mut worker, target, fresh)?;
            problem = Problem { branch, particles: fresh, maps: &maps, epsilon: vec![] };
            let offset = training.len();
            problem.epsilon = fresh_noise(noise, branch, offset, fresh.len(), target.n_local());
            Some(problem.gain(target, &change))
        };
        shard.iter().map(one).collect::<Vec<_>>()
    });
    let gains: Vec<(f64, f64)> = parts.into_iter().flatten().flatten().collect();
    let finite: Vec<(f64, f64)> = gains.into_iter().filter(|g| g.0.is_finite()).collect();
    let n = finite.len() as f64;
    let mean = finite.iter().map(|g| g.0).sum::<f64>() / n;
    let monte_carlo = finite.iter().map(|g| g.1 * g.1).sum::<f64>() / n;
    let spread = finite.iter().map(|g| (g.0 - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let unseen = 1.0 - branches.len() as f64 / total as f64;
    (!finite.is_empty()).then(|| AmortizationGap {
        per_branch: mean,
        se: ((monte_carlo + unseen * spread) / n).sqrt(),
        largest: finite.iter().map(|g| g.0).fold(f64::NEG_INFINITY, f64::max),
        n_branches: finite.len(),
    })
}

fn maps_at<T: Target>(
    worker: &mut LocalWorker,
    target: &mut T,
    particles: &[Particle],
) -> Option<Vec<Affine>> {
    let map = |particle| worker.at(target, particle).then(|| Affine::of(worker));
    particles.iter().map(map).collect()
}

/// Noise of which one row belongs to each particle.
fn fresh_noise(noise: Noise, branch: usize, offset: usize, count: usize, n: usize) -> Vec<f64> {
    let mut all = vec![0.0; count * n];
    for (p, row) in all.chunks_exact_mut(n.max(1)).enumerate() {
        noise.local(branch, offset + p, row);
    }
    all
}

/// The same with zero mean (rows are mirrored) and unit covariance, so that a Gaussian posterior
/// is optimised without error.
fn whitened_noise(noise: Noise, branch: usize, count: usize, n: usize) -> Vec<f64> {
    let mut all = fresh_noise(noise, branch, 0, count, n);
    let mut covariance = vec![0.0; n * n];
    for row in all.chunks_exact(n.max(1)) {
        for i in 0..n {
            axpy(row[i] / count as f64, row, &mut covariance[i * n..i * n + n]);
        }
    }
    if cholesky(&mut covariance, n) {
        all.chunks_exact_mut(n.max(1)).for_each(|row| solve_lower(&covariance, n, row));
    }
    all
}

/// ν, and L with its diagonal.
#[derive(Clone, Debug)]
struct Change {
    nu: Vec<f64>,
    factor: Vec<f64>,
}

impl Change {
    fn none(n: usize) -> Self {
        Self { nu: vec![0.0; n], factor: super::linalg::identity(n) }
    }

    fn apply(&self, epsilon: &[f64], out: &mut [f64]) {
        let n = epsilon.len();
        for i in 0..n {
            out[i] = self.nu[i] + dot(&self.factor[i * n..i * n + i + 1], &epsilon[..i + 1]);
        }
    }

    fn log_scale(&self) -> f64 {
        let n = self.nu.len();
        (0..n).map(|i| self.factor[i * n + i].ln()).sum()
    }

    /// A step of that length: elements below the diagonal by their gradient, the diagonal in
    /// logarithms by half of it, which are Newton's steps where q is right.
    fn moved(&self, gradient: &Change, length: f64) -> Self {
        let n = self.nu.len();
        let mut next = self.clone();
        axpy(length, &gradient.nu, &mut next.nu);
        for i in 0..n {
            let row = i * n..i * n + i;
            if n <= MOST_TRIANGULAR {
                axpy(length, &gradient.factor[row.clone()], &mut next.factor[row]);
            }
            let slope = 0.5 * length * gradient.factor[i * n + i];
            next.factor[i * n + i] *= slope.clamp(-0.5, 0.5).exp();
        }
        next
    }
}

struct Problem<'a> {
    branch: usize,
    particles: &'a [Particle],
    maps: &'a [Affine],
    epsilon: Vec<f64>,
}

impl Problem<'_> {
    /// The ELBO of the changed Gaussian but for constants, and its gradient (that of the
    /// diagonal in its logarithm).
    fn value_and_gradient<T: Target>(&self, target: &mut T, change: &Change) -> (f64, Change) {
        let n = change.nu.len();
        let (mut eta, mut z, mut dz) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let mut unused = vec![0.0; target.n_shared()];
        let mut pulled = vec![0.0; n];
        let mut sum = 0.0;
        let mut gradient = Change { nu: vec![0.0; n], factor: vec![0.0; n * n] };
        let weight = 1.0 / self.particles.len() as f64;
        for (p, (particle, map)) in self.particles.iter().zip(self.maps).enumerate() {
            let epsilon = &self.epsilon[p * n..p * n + n];
            change.apply(epsilon, &mut eta);
            let log_slope = map.position(&eta, &mut z);
            let density =
                target.gradient(self.branch, &particle.shared, &z, 0.0, &mut dz, &mut unused);
            sum += weight * (density.total() + log_slope);
            map.pull(&eta, &dz, &mut pulled);
            for i in 0..n {
                let slope = weight * pulled[i];
                gradient.nu[i] += slope;
                axpy(slope, &epsilon[..i + 1], &mut gradient.factor[i * n..i * n + i + 1]);
            }
        }
        for i in 0..n {
            let diagonal = &mut gradient.factor[i * n + i];
            *diagonal = *diagonal * change.factor[i * n + i] + 1.0;
        }
        (sum + change.log_scale(), gradient)
    }

    fn ascend<T: Target>(&self, target: &mut T) -> Change {
        let mut change = Change::none(target.n_local());
        let (mut here, mut gradient) = self.value_and_gradient(target, &change);
        let mut length = 1.0;
        for _ in 0..MAX_STEPS {
            let next = change.moved(&gradient, length);
            let (there, next_gradient) = self.value_and_gradient(target, &next);
            let gained = there - here;
            if gained.is_nan() || gained < 0.0 {
                length *= 0.4;
                continue;
            }
            (change, here, gradient) = (next, there, next_gradient);
            length = (length * 1.3).min(1.0);
            if gained < ENOUGH {
                break;
            }
        }
        change
    }

    /// What the change gains on these draws, and the standard error of that; draws are mirrored.
    fn gain<T: Target>(&self, target: &mut T, change: &Change) -> (f64, f64) {
        let n = change.nu.len();
        let (mut eta, mut z) = (vec![0.0; n], vec![0.0; n]);
        let mut gains = Vec::with_capacity(self.particles.len());
        for (p, (particle, map)) in self.particles.iter().zip(self.maps).enumerate() {
            let epsilon = &self.epsilon[p * n..p * n + n];
            let mut log_slope = map.position(epsilon, &mut z);
            let before = target.density(self.branch, &particle.shared, &z).total() + log_slope;
            change.apply(epsilon, &mut eta);
            log_slope = map.position(&eta, &mut z);
            let after = target.density(self.branch, &particle.shared, &z).total() + log_slope;
            gains.push(after - before + change.log_scale());
        }
        super::estimate::antithetic_mean(&gains)
    }
}
