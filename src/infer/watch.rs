//! Watching the ELBO: always on the same branches and noise, so that two looks compare.
//!
//! Looks within a cycle may be of a sample of the branches: they tell whether it moves. What is kept
//! is judged on all of them, since the best for a sample is not the best for all.

use serde::{Deserialize, Serialize};

use super::elbo::{self, Draws, Guide, Noise};
use super::estimate;
use super::plan::Plan;
use super::shards::Shards;
use crate::random::Purpose;
use crate::target::Target;

/// Watched values in one of the two windows that stationarity compares.
const WINDOW: usize = 6;

/// The watched ELBO of one guide, draw by draw.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Watched {
    /// For each draw of θ, scaled to all branches; NaN where not finite.
    pub draws: Vec<f64>,
    /// Their mean; NaN where one of them is.
    pub mean: f64,
    /// Its Monte Carlo standard error.
    pub se: f64,
}

impl Watched {
    /// Before the first look.
    pub fn unseen() -> Self {
        Self { draws: vec![], mean: f64::NAN, se: f64::NAN }
    }

    /// Looks at a guide on the branches that are watched. Of no use once [`Shards::stop`] is set.
    pub fn of<T: Target>(shards: &mut Shards<T>, plan: &Plan, seed: u64, guide: &Guide) -> Self {
        Self::on(&plan.watch_branches, shards, plan, seed, guide)
    }

    /// The same on all branches.
    pub fn of_all<T: Target>(
        shards: &mut Shards<T>,
        plan: &Plan,
        seed: u64,
        guide: &Guide,
    ) -> Self {
        let all: Vec<usize> = (0..plan.n_branches).collect();
        Self::on(&all, shards, plan, seed, guide)
    }

    fn on<T: Target>(
        branches: &[usize],
        shards: &mut Shards<T>,
        plan: &Plan,
        seed: u64,
        guide: &Guide,
    ) -> Self {
        let (global, local) = (Purpose::WatchGlobal, Purpose::WatchLocal);
        let noise = Noise { seed, global, local, step: 0 };
        let count = plan.watch_draws;
        let particles = elbo::draw_particles(shards.target(), &guide.global, noise, count);
        let scale = plan.n_branches as f64 / branches.len() as f64;
        let draws = Draws {
            particles: &particles,
            samples: plan.importance_samples,
            noise,
            is_common: false,
        };
        let draws = elbo::values(shards, guide, branches, scale, draws);
        let (mean, se) = estimate::antithetic_mean(&draws);
        Self { draws, mean, se }
    }

    /// By how much it exceeds another look, and the standard error of that.
    pub fn gain_over(&self, other: &Self) -> (f64, f64) {
        let gain: Vec<f64> = self.draws.iter().zip(&other.draws).map(|(a, b)| a - b).collect();
        estimate::antithetic_mean(&gain)
    }

    /// Whether it has fallen below another look by more than noise can explain.
    pub fn has_fallen_from(&self, other: &Self) -> bool {
        let bound = (8.0 * self.se.max(other.se)).max(2.0 + 1e-5 * self.mean.abs());
        other.mean - self.mean > bound
    }
}

/// A guide and how it looked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// The guide.
    pub guide: Guide,
    /// Its watched ELBO.
    pub watched: Watched,
}

/// Whether the mean of the last window is no higher than that of the one before, up to the
/// tolerance and the scatter within them.
pub fn is_stationary(values: &[f64], tolerance: f64) -> bool {
    if values.len() < 2 * WINDOW {
        return false;
    }
    let moments = |window: &[f64]| {
        let mean = window.iter().sum::<f64>() / WINDOW as f64;
        let squares: f64 = window.iter().map(|x| (x - mean).powi(2)).sum();
        (mean, squares / ((WINDOW - 1) * WINDOW) as f64)
    };
    let (last, last_var) = moments(&values[values.len() - WINDOW..]);
    let (before, before_var) = moments(&values[values.len() - 2 * WINDOW..values.len() - WINDOW]);
    last - before < tolerance.max((last_var + before_var).sqrt())
}
