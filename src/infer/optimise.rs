//! Optimises a guide in cycles.
//!
//! A cycle is a phase of constant step size until the watched ELBO is stationary, then a decay
//! to zero whose last quarter of iterates is averaged. The fit ends when a whole cycle gains
//! less than the tolerance; that, and no number of steps, is what "converged" means here.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::config::FitConfig;
use super::elbo::{self, Guide, Noise};
use super::estimate;
use super::plan::Plan;
use super::shards::Shards;
use super::state::{self, FitState};
use super::verdict::Ended;
use crate::random::Purpose;
use crate::target::Target;

/// Cycles at most.
pub const MAX_CYCLES: usize = 8;
const MAX_ROLLBACKS: usize = 12;
/// Watched values in one of the two windows that stationarity compares.
const WINDOW: usize = 6;

/// One row of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepInfo {
    /// Steps taken.
    pub step: usize,
    /// Since the fit began.
    pub seconds: f64,
    /// On the watched branches and noise, scaled to all branches.
    pub elbo: f64,
    /// Its Monte Carlo standard error over the watched noise.
    pub elbo_se: f64,
    /// Of the last step.
    pub step_size: f64,
    /// Euclidean norm of the gradient in q(θ), whitened.
    pub grad_norm: f64,
}

/// An optimisation under way.
pub struct Optimiser<'a> {
    began: Instant,
    config: &'a FitConfig,
    plan: &'a Plan,
    progress: &'a mut dyn FnMut(&StepInfo) -> ControlFlow<()>,
    trace: Vec<StepInfo>,
    interrupted: bool,
    rollbacks: usize,
}

/// The watched ELBO of one guide, draw by draw.
#[derive(Clone)]
struct Watched {
    draws: Vec<f64>,
    mean: f64,
    se: f64,
}

impl<'a> Optimiser<'a> {
    /// Before the first step; its clock starts now.
    pub fn new(
        config: &'a FitConfig,
        plan: &'a Plan,
        progress: &'a mut dyn FnMut(&StepInfo) -> ControlFlow<()>,
    ) -> Self {
        let (trace, interrupted, rollbacks) = (vec![], false, 0);
        Self { began: Instant::now(), config, plan, progress, trace, interrupted, rollbacks }
    }

    /// Whether the caller stopped it.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Whether it fell back more often than allowed.
    pub fn has_diverged(&self) -> bool {
        self.rollbacks > MAX_ROLLBACKS
    }

    /// The watched ELBO over time.
    pub fn into_trace(self) -> Vec<StepInfo> {
        self.trace
    }

    /// Since it was made.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Whether the caller asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.config.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// The share of the limits of steps and seconds that is used up.
    fn used(&self, state: &FitState) -> f64 {
        let steps = state.step as f64 / self.config.max_steps.max(1) as f64;
        let seconds = self.config.max_seconds.map_or(0.0, |limit| self.seconds() / limit);
        steps.max(seconds)
    }

    fn watch<T: Target>(&self, shards: &mut Shards<T>, guide: &Guide) -> Watched {
        let noise = Noise {
            seed: self.config.seed,
            global: Purpose::WatchGlobal,
            local: Purpose::WatchLocal,
            step: 0,
        };
        let plan = self.plan;
        let count = plan.watch_draws;
        let particles = elbo::draw_particles(shards.target(), &guide.global, noise, count);
        let scale = plan.n_branches as f64 / plan.watch_branches.len() as f64;
        let draws = elbo::values(shards, guide, &plan.watch_branches, scale, &particles, noise);
        let (mean, se) = estimate::antithetic_mean(&draws);
        Watched { draws, mean, se }
    }

    /// Cycles until one gains nothing.
    pub fn cycles<T: Target>(&mut self, shards: &mut Shards<T>, state: &mut FitState) -> Ended {
        let mut best = self.watch(shards, &state.guide);
        let mut best_guide = state.guide.clone();
        let mut step_size = self.plan.step_size;
        let mut converged = false;
        for cycle in 0..MAX_CYCLES {
            let stationary = self.cycle(shards, state, &mut step_size, cycle);
            let now = self.watch(shards, &state.guide);
            let gain: Vec<f64> = now.draws.iter().zip(&best.draws).map(|(a, b)| a - b).collect();
            let (gain, gain_se) = estimate::antithetic_mean(&gain);
            let finite = now.draws.iter().all(|x| x.is_finite());
            let noise = self.plan.tolerance.max(2.0 * gain_se);
            if finite && (gain > -noise || !best.mean.is_finite()) {
                (best, best_guide) = (now, state.guide.clone());
            } else {
                state.return_to(&best_guide);
                step_size *= 0.5;
            }
            // The first cycle may gain nothing because it was poor, so two are needed.
            converged = stationary && cycle > 0 && gain.abs() < noise;
            if converged || self.interrupted || self.used(state) >= 1.0 {
                break;
            }
            step_size *= 0.7;
        }
        let ended = match (converged, self.used(state) >= 1.0) {
            (true, _) => Ended::Converged,
            (false, true) if state.step >= self.config.max_steps => Ended::Limit("steps"),
            (false, true) => Ended::Limit("seconds"),
            (false, false) => Ended::Cycles,
        };
        state.return_to(&best_guide);
        ended
    }

    /// One cycle. Returns whether it was stationary before its decay.
    fn cycle<T: Target>(
        &mut self,
        shards: &mut Shards<T>,
        state: &mut FitState,
        step_size: &mut f64,
        cycle: usize,
    ) -> bool {
        let first = state.step;
        let used_before = self.used(state);
        // A limit must leave time for the decay.
        let limit = used_before + 0.6 * (1.0 - used_before);
        let mut good = (self.watch(shards, &state.guide), state.guide.clone());
        let mut window = vec![];
        let mut stationary = false;
        while !stationary && self.used(state) < limit && !self.interrupted {
            let finite = self.steps(shards, state, |_| *step_size, self.plan.watch_every);
            let now = self.watch(shards, &state.guide);
            self.record(state, &now, *step_size);
            let fallen = good.0.mean - now.mean;
            let bound = (8.0 * now.se.max(good.0.se)).max(2.0 + 1e-5 * now.mean.abs());
            if !finite || !now.mean.is_finite() || fallen > bound {
                state.return_to(&good.1);
                *step_size *= 0.5;
                self.rollbacks += 1;
                window.clear();
                if self.has_diverged() {
                    return false;
                }
                continue;
            }
            window.push(now.mean);
            good = (now, state.guide.clone());
            stationary = is_stationary(&window, self.plan.tolerance);
        }
        let flat = state.step - first;
        let least = if cycle == 0 { self.plan.min_decay } else { self.plan.min_decay / 2 };
        let left = self.config.max_steps.saturating_sub(state.step).max(1);
        self.decay(shards, state, *step_size, flat.max(least).min(left));
        stationary
    }

    /// Lets the step size fall to zero over `length` steps and averages the last quarter.
    fn decay<T: Target>(
        &mut self,
        shards: &mut Shards<T>,
        state: &mut FitState,
        step_size: f64,
        length: usize,
    ) {
        let first = state.step;
        let good = state.guide.clone();
        let mut average = state::Average::default();
        while state.step < first + length && !self.interrupted {
            let count = self.plan.watch_every.min(first + length - state.step);
            let size =
                |step: usize| step_size * (1.0 - 0.98 * (step - first) as f64 / length as f64);
            let averaging = state.step - first >= length * 3 / 4;
            let mut finite = true;
            if averaging {
                for _ in 0..count {
                    finite &= self.steps(shards, state, size, 1);
                    average.add(&state.guide);
                }
            } else {
                finite = self.steps(shards, state, size, count);
            }
            if !finite {
                state.return_to(&good);
                self.rollbacks += 1;
                return;
            }
            let now = self.watch(shards, &state.guide);
            self.record(state, &now, size(state.step.max(first + 1) - 1));
            if self.used(state) >= 1.0 {
                break;
            }
        }
        average.finish(&mut state.guide);
    }

    /// Takes steps; false where one was not finite, or half of its particles were not.
    fn steps<T: Target>(
        &self,
        shards: &mut Shards<T>,
        state: &mut FitState,
        step_size: impl Fn(usize) -> f64,
        count: usize,
    ) -> bool {
        for _ in 0..count {
            if self.is_stopped() || self.used(state) >= 1.0 {
                break;
            }
            let size = step_size(state.step);
            if !state::step(shards, self.plan, self.config.seed, state, size) {
                return false;
            }
        }
        true
    }

    fn record(&mut self, state: &FitState, now: &Watched, step_size: f64) {
        let row = StepInfo {
            step: state.step,
            seconds: self.seconds(),
            elbo: now.mean,
            elbo_se: now.se,
            step_size,
            grad_norm: state.grad_norm,
        };
        self.trace.push(row);
        self.interrupted |= (self.progress)(&row).is_break() || self.is_stopped();
    }
}

/// Whether the mean of the last window is no higher than that of the one before, up to the
/// tolerance and the scatter within them.
fn is_stationary(values: &[f64], tolerance: f64) -> bool {
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
