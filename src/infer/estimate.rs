//! The final ELBO: fresh noise, all branches, sites from scratch.

use serde::{Deserialize, Serialize};

use super::elbo::{self, Draws, Guide, Noise};
use super::shards::Shards;
use crate::random::Purpose;
use crate::target::Target;

/// Draws evaluated at a time.
const CHUNK: usize = 256;
/// Elements of `shared` held at a time.
const CHUNK_ELEMENTS: usize = 4_000_000;
/// Standard error at which enough was drawn, in nats.
const ENOUGH: f64 = 0.005;

/// A Monte Carlo mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean over finite draws.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// Draws.
    pub draws: usize,
    /// How many of them were not finite.
    pub non_finite: usize,
}

/// How many draws of θ fit in one pass over the branches.
pub fn chunk_size<T: Target>(target: &T) -> usize {
    (CHUNK_ELEMENTS / target.n_shared().max(1)).clamp(16, CHUNK) & !1
}

/// The ELBO from at most `max_draws` draws, or the bound with `samples` draws of each branch's locals;
/// fewer where the error is small before, or the time
/// is over.
pub fn elbo<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    seed: u64,
    samples: usize,
    max_draws: usize,
    is_over: &dyn Fn() -> bool,
) -> Estimate {
    let branches: Vec<usize> = (0..shards.target().n_branches()).collect();
    let chunk = chunk_size(shards.target());
    let mut draws = vec![];
    let mut step = 0;
    loop {
        let (global, local) = (Purpose::ElboGlobal, Purpose::ElboLocal);
        let noise = Noise { seed, global, local, step };
        let count = chunk.min(max_draws - draws.len());
        let particles = elbo::draw_particles(shards.target(), &guide.global, noise, count);
        let these = Draws { particles: &particles, samples, noise, is_common: false };
        draws.extend(elbo::values(shards, guide, &branches, 1.0, these));
        step += 1;
        let finite: Vec<f64> = pair_means(&draws);
        let (value, se) = mean_and_se(&finite);
        if draws.len() + 2 > max_draws || se < ENOUGH || is_over() {
            let non_finite = draws.iter().filter(|x| !x.is_finite()).count();
            return Estimate { value, se, draws: draws.len(), non_finite };
        }
    }
}

/// Mean and standard error of draws that come in mirrored pairs; NaN if any is not finite.
pub fn antithetic_mean(draws: &[f64]) -> (f64, f64) {
    if draws.iter().any(|x| !x.is_finite()) {
        return (f64::NAN, f64::NAN);
    }
    mean_and_se(&pair_means(draws))
}

fn pair_means(draws: &[f64]) -> Vec<f64> {
    let mean = |pair: &[f64]| pair.iter().sum::<f64>() / pair.len() as f64;
    draws.chunks(2).map(mean).filter(|x| x.is_finite()).collect()
}

fn mean_and_se(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0) / n).sqrt())
}
