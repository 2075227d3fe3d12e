//! The ELBO and its gradient, summed over branches; or, with several draws of each branch's locals, the
//! bound in which these are importance-weighted.

use serde::{Deserialize, Serialize};

use super::conditional::PriorAdjoint;
use super::global::GlobalGuide;
use super::linalg::axpy;
use super::local::LocalGuide;
use super::shards::{Shards, Stop};
use super::worker::{LocalWorker, Particle};
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// The whole approximation q(θ) ∏ q(zᵢ|θ): all that a fit saves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guide {
    /// q(θ).
    pub global: GlobalGuide,
    /// q(zᵢ|θ).
    pub local: LocalGuide,
    /// How many draws of q(zᵢ|θ) one of zᵢ is picked from by importance weight: above one where the
    /// bound of so many was climbed, of which that is the approximation.
    pub samples: usize,
}

/// The address of the noise of an evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    /// Of the fit.
    pub seed: u64,
    /// Purpose of ε₀.
    pub global: Purpose,
    /// Purpose of εᵢ.
    pub local: Purpose,
    /// Step, or chunk of draws.
    pub step: usize,
}

impl Noise {
    /// Standard normal noise; odd particles mirror the even ones before them.
    fn fill(self, purpose: Purpose, branch: usize, particle: usize, out: &mut [f64]) {
        Stream::new(self.seed, purpose, self.step, branch, particle / 2).normals(out);
        if particle % 2 == 1 {
            out.iter_mut().for_each(|x| *x = -*x);
        }
    }

    /// ε₀ of a particle.
    pub fn global(self, particle: usize, out: &mut [f64]) {
        self.fill(self.global, 0, particle, out);
    }

    /// εᵢ of a particle.
    pub fn local(self, branch: usize, particle: usize, out: &mut [f64]) {
        self.fill(self.local, branch, particle, out);
    }
}

/// What an evaluation is made on.
#[derive(Clone, Copy, Debug)]
pub struct Draws<'a> {
    /// Draws of θ.
    pub particles: &'a [Particle],
    /// Draws of each branch's locals for one of θ: K of the importance-weighted bound, one for the
    /// ELBO.
    pub samples: usize,
    /// Where the noise of the locals comes from.
    pub noise: Noise,
    /// Whether all particles share the noise of the locals, so that what differs between them
    /// comes from θ alone.
    pub is_common: bool,
}

impl Draws<'_> {
    /// Noise of a branch's locals at a particle, one row for each sample.
    fn local(&self, branch: usize, particle: usize, n_local: usize, out: &mut Vec<f64>) {
        out.resize(n_local * self.samples, 0.0);
        let particle = if self.is_common { 0 } else { particle };
        for k in 0..self.samples {
            let row = &mut out[k * n_local..(k + 1) * n_local];
            // A particle and its mirror have mirrored locals as well.
            let index = 2 * (particle / 2 * self.samples + k) + particle % 2;
            self.noise.local(branch, index, row);
        }
    }
}

/// Draws θ for each particle.
pub fn draw_particles<T: Target>(
    target: &mut T,
    guide: &GlobalGuide,
    noise: Noise,
    count: usize,
) -> Vec<Particle> {
    let draw = |particle| {
        let mut epsilon = vec![0.0; guide.n()];
        noise.global(particle, &mut epsilon);
        particle_at(target, guide, epsilon)
    };
    (0..count).map(draw).collect()
}

/// The particle of noise ε₀.
pub fn particle_at<T: Target>(target: &mut T, guide: &GlobalGuide, noise: Vec<f64>) -> Particle {
    let theta = guide.theta(&noise);
    let log_q = guide.log_density(&noise);
    let whitened = guide.whitened(&theta);
    let (shared, log_prior) = shared_at(target, &theta);
    Particle { noise, theta, whitened, shared, log_prior, log_q }
}

/// `shared` and log p(θ) at θ.
pub fn shared_at<T: Target>(target: &mut T, theta: &[f64]) -> (Vec<f64>, f64) {
    let mut shared = vec![0.0; target.n_shared()];
    let log_prior = target.shared(theta, &mut shared);
    (shared, log_prior)
}

/// Centres of branches found in earlier steps, to start Newton from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Centres {
    n_local: usize,
    values: Vec<f64>,
}

impl Centres {
    /// None known.
    pub fn new<T: Target>(target: &T) -> Self {
        let n_local = target.n_local();
        Self { n_local, values: vec![f64::NAN; n_local * target.n_branches()] }
    }

    /// The centre of a branch, if known.
    pub fn get(&self, branch: usize) -> Option<&[f64]> {
        let centre = &self.values[branch * self.n_local..(branch + 1) * self.n_local];
        centre.iter().all(|x| x.is_finite()).then_some(centre)
    }

    /// Remembers what the shards found.
    pub fn store(&mut self, found: &[(usize, Vec<f64>)]) {
        for (branch, centre) in found {
            self.values[branch * self.n_local..(branch + 1) * self.n_local].copy_from_slice(centre);
        }
    }
}

/// Values alone: for each particle `log p(θ) − log q(θ) + scale · Σ ℓᵢ`, NaN where anything in
/// it is not finite. Sites are found from scratch. Of no use once [`Shards::stop`] is set.
pub fn values<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    branches: &[usize],
    scale: f64,
    draws: Draws,
) -> Vec<f64> {
    let particles = draws.particles;
    let (shared_mean, _) = shared_at(shards.target(), &guide.global.mean());
    let stop = shards.stop();
    let sums = shards.map(branches, |target, shard| {
        let mut worker = LocalWorker::within(&guide.local, &guide.global, target);
        worker.expect(shard);
        let mut epsilon = vec![];
        let mut sums = vec![0.0; particles.len()];
        for &branch in shard.iter().take_while(|_| !stop.is_set()) {
            let open = worker.open(target, branch, &shared_mean, None);
            for (p, particle) in particles.iter().enumerate() {
                if !(open && worker.at(target, particle)) {
                    sums[p] = f64::NAN;
                    continue;
                }
                draws.local(branch, p, target.n_local(), &mut epsilon);
                sums[p] += worker.bound(target, &particle.shared, &epsilon);
            }
        }
        sums
    });
    let total = |(p, particle): (usize, &Particle)| {
        let local: f64 = sums.iter().map(|sums| sums[p]).sum();
        let value = particle.log_prior - particle.log_q + scale * local;
        if value.is_finite() { value } else { f64::NAN }
    };
    particles.iter().enumerate().map(total).collect()
}

/// A gradient of the ELBO on a minibatch.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// For each particle, as [`values`] gives it.
    pub values: Vec<f64>,
    /// In the parameters of q(θ), averaged over finite particles.
    pub global: Vec<f64>,
    /// In the network's weights.
    pub network: Vec<f64>,
    /// In each branch's own parameters, not scaled up.
    pub own: Vec<(usize, Vec<f64>)>,
    /// Centres of the sites.
    pub centres: Vec<(usize, Vec<f64>)>,
    /// The largest summand of the gradient in u.
    pub largest_summand: f64,
}

struct ShardGradient {
    values: Vec<f64>,
    dshared: Vec<Vec<f64>>,
    dnoise: Vec<Vec<f64>>,
    network: Vec<f64>,
    own: Vec<(usize, Vec<f64>)>,
    centres: Vec<(usize, Vec<f64>)>,
}

/// The gradient, sticking the landing; `scale` is N / |branches|. Of no use once
/// [`Shards::stop`] is set.
pub fn gradient<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    branches: &[usize],
    scale: f64,
    draws: Draws,
    warm: &Centres,
) -> Gradient {
    let sums = sums_over(shards, guide, branches, draws, warm);
    collect(shards.target(), guide, scale, draws.particles, sums)
}

/// What each draw of θ tells of q(θ).
#[derive(Clone, Debug)]
pub struct Slopes {
    /// For each particle the derivative of log p − log q in u, sticking the landing; none where
    /// it is not finite. Their mean is the gradient in μ.
    pub of_particles: Vec<Option<Vec<f64>>>,
    /// Centres of the sites.
    pub centres: Vec<(usize, Vec<f64>)>,
}

/// The gradient in u, draw by draw, in place of that in parameters; see [`gradient`].
pub fn slopes<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    branches: &[usize],
    scale: f64,
    draws: Draws,
    warm: &Centres,
) -> Slopes {
    let sums = sums_over(shards, guide, branches, draws, warm);
    let target = shards.target();
    let of_particle = |(p, particle): (usize, &Particle)| {
        let (_, adjoints) = adjoints(target, guide, scale, p, particle, &sums);
        adjoints.map(|[dtheta, dnoise]| guide.global.slope(&particle.noise, &dtheta, &dnoise))
    };
    let of_particles = draws.particles.iter().enumerate().map(of_particle).collect();
    Slopes { of_particles, centres: sums.into_iter().flat_map(|shard| shard.centres).collect() }
}

fn sums_over<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    branches: &[usize],
    draws: Draws,
    warm: &Centres,
) -> Vec<ShardGradient> {
    let (shared_mean, _) = shared_at(shards.target(), &guide.global.mean());
    let stop = shards.stop();
    shards.map(branches, |target, shard| {
        shard_gradient(target, guide, shard, &stop, draws, warm, &shared_mean)
    })
}

#[allow(clippy::too_many_arguments)]
fn shard_gradient<T: Target>(
    target: &mut T,
    guide: &Guide,
    shard: &[usize],
    stop: &Stop,
    draws: Draws,
    warm: &Centres,
    shared_mean: &[f64],
) -> ShardGradient {
    let particles = draws.particles;
    let weight = 1.0 / particles.len() as f64;
    let mut worker = LocalWorker::within(&guide.local, &guide.global, target);
    worker.expect(shard);
    let mut epsilon = vec![];
    let mut sums = ShardGradient {
        values: vec![0.0; particles.len()],
        dshared: vec![vec![0.0; target.n_shared()]; particles.len()],
        dnoise: vec![vec![0.0; guide.global.n()]; particles.len()],
        network: vec![0.0; guide.local.n_shared_parameters()],
        own: vec![],
        centres: vec![],
    };
    let mut priors = vec![PriorAdjoint::new(target.n_local()); particles.len()];
    for &branch in shard.iter().take_while(|_| !stop.is_set()) {
        let open = worker.open(target, branch, shared_mean, warm.get(branch));
        for (p, particle) in particles.iter().enumerate() {
            if !(open && worker.at(target, particle)) {
                sums.values[p] = f64::NAN;
                continue;
            }
            draws.local(branch, p, target.n_local(), &mut epsilon);
            let (dshared, dnoise) = (&mut sums.dshared[p], &mut sums.dnoise[p]);
            sums.values[p] += worker.bound_gradient(target, particle, &epsilon, dshared, dnoise);
            worker.finish(target, particle, dshared, &mut priors[p]);
        }
        worker.close(weight, &mut sums.network);
        let mut own = worker.own_gradient();
        if !own.is_empty() && own.iter().all(|x| x.is_finite()) {
            own.iter_mut().for_each(|x| *x *= weight);
            sums.own.push((branch, own));
        }
        if let Some(site) = worker.site() {
            sums.centres.push((branch, site.centre.clone()));
        }
    }
    worker.close_all(&mut sums.network);
    for ((prior, particle), dshared) in priors.iter().zip(particles).zip(&mut sums.dshared) {
        prior.finish(target, &particle.shared, dshared);
    }
    sums
}

/// The value of a particle, and its adjoints of θ and of ε₀; none where one is not finite.
fn adjoints<T: Target>(
    target: &mut T,
    guide: &Guide,
    scale: f64,
    p: usize,
    particle: &Particle,
    sums: &[ShardGradient],
) -> (f64, Option<[Vec<f64>; 2]>) {
    let n = guide.global.n();
    let mut local = 0.0;
    let mut dshared = vec![0.0; target.n_shared()];
    let mut dnoise = vec![0.0; n];
    for shard in sums {
        local += shard.values[p];
        axpy(scale, &shard.dshared[p], &mut dshared);
        axpy(scale, &shard.dnoise[p], &mut dnoise);
    }
    let value = particle.log_prior - particle.log_q + scale * local;
    let mut dtheta = vec![0.0; n];
    target.shared_vjp(&particle.theta, &dshared, &mut dtheta);
    if guide.local.follows_theta() {
        axpy(1.0, &guide.global.theta_adjoint(&dnoise), &mut dtheta);
        dnoise.fill(0.0);
    }
    let is_finite = value.is_finite() && dtheta.iter().chain(&dnoise).all(|x| x.is_finite());
    (value, is_finite.then_some([dtheta, dnoise]))
}

fn collect<T: Target>(
    target: &mut T,
    guide: &Guide,
    scale: f64,
    particles: &[Particle],
    sums: Vec<ShardGradient>,
) -> Gradient {
    let mut out = Gradient {
        values: vec![],
        global: vec![0.0; guide.global.n_parameters()],
        network: vec![0.0; guide.local.n_shared_parameters()],
        own: vec![],
        centres: vec![],
        largest_summand: 0.0,
    };
    let mut finite = 0;
    for (p, particle) in particles.iter().enumerate() {
        let (value, adjoints) = adjoints(target, guide, scale, p, particle, &sums);
        let Some([dtheta, dnoise]) = adjoints else {
            out.values.push(f64::NAN);
            continue;
        };
        out.values.push(value);
        finite += 1;
        let global = &mut out.global;
        let largest = guide.global.add_gradient(&particle.noise, &dtheta, &dnoise, 1.0, global);
        out.largest_summand = out.largest_summand.max(largest);
    }
    out.global.iter_mut().for_each(|x| *x /= f64::from(finite.max(1)));
    for shard in sums {
        axpy(scale, &shard.network, &mut out.network);
        out.own.extend(shard.own);
        out.centres.extend(shard.centres);
    }
    out
}
