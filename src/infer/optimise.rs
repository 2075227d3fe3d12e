//! Optimises a guide in cycles.
//!
//! A cycle is a phase of constant step size until the watched ELBO is stationary, then a decay
//! to zero whose last quarter of iterates is averaged. The fit ends when a whole cycle gains
//! less than the tolerance; that, and no number of steps, is what "converged" means here.
//!
//! It is a machine that takes one step, or looks once at the ELBO, at a time. All that decides
//! what comes next is in [`OptimiserState`], so a saved state goes on with the same bits.

use std::ops::ControlFlow;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::config::FitConfig;
use super::newton::{self, Newton};
use super::optimiser_state::{OptimiserState, Phase};
use super::plan::{NewtonPlan, Plan};
use super::shards::Shards;
use super::state::{self, Average, Step};
use super::verdict::{Ended, Limit};
use super::watch::{Seen, Watched, is_stationary};
use crate::target::Target;

/// Cycles at most.
pub const MAX_CYCLES: usize = 8;
/// Distance of means, in standard deviations (root mean square over the globals), between Newton's
/// ends of two cycles that is none, as far as half of the tolerance allows; the least that can be told.
const SAME_MEANS: f64 = 0.15;
const TOLD_MEANS: f64 = 0.1;
/// The same of the logarithms of widths.
const SAME_WIDTHS: f64 = 0.05;

/// One row of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepInfo {
    /// Steps taken.
    pub step: usize,
    /// Since the fit began, over all its runs.
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

/// What a fit is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// It looks for values of the globals to start from.
    Start,
    /// It takes Newton steps of the approximation of the globals.
    Newton {
        /// The cycle that this ends; zero before the first one.
        cycle: usize,
    },
    /// It takes steps of constant size until the watched ELBO is at rest.
    Flat {
        /// Counted from one.
        cycle: usize,
    },
    /// It lets the step size fall to zero.
    Decay {
        /// Counted from one.
        cycle: usize,
        /// The step at which this began.
        from: usize,
        /// How many steps it takes.
        steps: usize,
    },
    /// The optimisation is over: what it reached is measured.
    Measure,
}

/// What follows a fit as it goes.
pub trait Watcher {
    /// Sees what begins.
    fn stage(&mut self, _stage: Stage) {}

    /// Sees each row of the trace; may end the fit early, as if a limit were reached.
    fn row(&mut self, row: &StepInfo) -> ControlFlow<()>;

    /// Asked after each step: whether to [`Self::keep`] the state now.
    fn wants_state(&mut self) -> bool {
        false
    }

    /// Sees the state, which a later fit can go on from: when it is wanted, and when the caller
    /// asked to stop.
    fn keep(&mut self, _state: &OptimiserState) {}

    /// Sees the state at the end of the optimisation: what goes on from it measures, and takes
    /// no more steps.
    fn optimised(&mut self, _state: &OptimiserState) {}
}

impl<F: FnMut(&StepInfo) -> ControlFlow<()>> Watcher for F {
    fn row(&mut self, row: &StepInfo) -> ControlFlow<()> {
        self(row)
    }
}

/// An optimisation under way.
pub struct Optimiser<'a> {
    began: Instant,
    /// Seconds of earlier runs.
    earlier: f64,
    config: &'a FitConfig,
    plan: &'a Plan,
    watcher: &'a mut dyn Watcher,
    /// Whether the watcher ended it early.
    is_ended: bool,
}

impl<'a> Optimiser<'a> {
    /// Its clock starts now, at the seconds that earlier runs took.
    pub fn new(
        config: &'a FitConfig,
        plan: &'a Plan,
        watcher: &'a mut dyn Watcher,
        earlier: f64,
    ) -> Self {
        Self { began: Instant::now(), earlier, config, plan, watcher, is_ended: false }
    }

    /// From here on by another plan.
    pub fn replan(&mut self, plan: &'a Plan) {
        self.plan = plan;
    }

    /// Whether the watcher ended it early.
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Since the fit began, over all its runs.
    pub fn seconds(&self) -> f64 {
        self.earlier + self.began.elapsed().as_secs_f64()
    }

    /// The share of the limits of steps and seconds that is used up.
    fn used(&self, state: &OptimiserState) -> f64 {
        let steps = state.fit.step as f64 / self.config.max_steps.max(1) as f64;
        let seconds = self.config.max_seconds.map_or(0.0, |limit| self.seconds() / limit);
        steps.max(seconds)
    }

    /// Tells the watcher what begins.
    pub fn announce(&mut self, stage: Stage) {
        self.watcher.stage(stage);
    }

    /// Cycles until one gains nothing, or from where `state` stands. `None` where the caller
    /// asked to stop; the watcher has the state then.
    pub fn run<T: Target>(
        &mut self,
        shards: &mut Shards<T>,
        state: &mut OptimiserState,
    ) -> Option<Ended> {
        let stop = shards.stop();
        let mut announced = None;
        let is_limited = matches!(state.phase, Phase::Over(Ended::Limit(_)));
        if is_limited && self.used(state) < 1.0 && state.cycle < MAX_CYCLES {
            // The limit that ended it was lifted.
            state.phase = Phase::Begin;
        }
        loop {
            let is_stopped = stop.is_set();
            if is_stopped || self.watcher.wants_state() {
                self.keep(state);
            }
            let stage = state.stage();
            if stage.is_some() && stage != announced {
                stage.into_iter().for_each(|stage| self.announce(stage));
                announced = stage;
            }
            match state.phase {
                _ if is_stopped => return None,
                Phase::Over(ended) => return Some(ended),
                _ => self.advance(shards, state),
            }
        }
    }

    /// Lets the watcher keep the state.
    pub fn keep(&mut self, state: &mut OptimiserState) {
        state.seconds = self.seconds();
        self.watcher.keep(state);
    }

    /// Shows the watcher the state at the end.
    pub fn show_end(&mut self, state: &mut OptimiserState) {
        state.seconds = self.seconds();
        self.watcher.optimised(state);
    }

    /// Takes one step or looks at the ELBO once. Changes nothing where the caller asked to stop
    /// meanwhile.
    fn advance<T: Target>(&mut self, shards: &mut Shards<T>, state: &mut OptimiserState) {
        match state.phase {
            Phase::Begin => return self.begin_cycle(shards, state),
            Phase::Newton => return self.newton(shards, state),
            Phase::Flat | Phase::Decay if self.wants_step(state) => {
                return self.step(shards, state);
            }
            Phase::Decay if !state.finite => {
                state.fall_back();
                state.phase = Phase::Judge;
                return;
            }
            _ => {}
        }
        let is_of_all = state.phase == Phase::Judge && !self.is_newton(state);
        let look = if is_of_all { Watched::of_all } else { Watched::of };
        let now = look(shards, self.plan, self.config.seed, &state.fit.guide);
        if shards.stop().is_set() {
            return;
        }
        match state.phase {
            Phase::Judge if is_of_all => return self.judge_cycle(state, now),
            Phase::Judge => return self.judge_settled(state, now),
            Phase::Flat => {
                self.record(state, &now);
                self.judge_flat(state, now);
            }
            _ => {
                self.record(state, &now);
                self.judge_decay(state);
            }
        }
        (state.since_look, state.finite) = (0, true);
        if self.is_ended {
            state.phase = Phase::Judge;
        }
    }

    /// Whether Newton steps care for μ and L.
    fn is_newton(&self, state: &OptimiserState) -> bool {
        self.plan.newton.is_some() && !state.ascent.has_failed
    }

    /// Takes a Newton step; goes on to the first cycle, or to the judgement of one, at their end.
    fn newton<T: Target>(&self, shards: &mut Shards<T>, state: &mut OptimiserState) {
        let is_first = !state.is_under_way();
        let after = if is_first { Phase::Begin } else { Phase::Judge };
        // The network that the first cycle trains moves what all branches tell: that comes after.
        let is_wanted = |plan: &&NewtonPlan| {
            let is_early = is_first && plan.levels.len() > 1 && state.ascent.is_at_last(plan);
            !is_early && self.used(state) < 1.0
        };
        let Some(plan) = self.plan.newton.as_ref().filter(is_wanted) else {
            state.phase = after;
            return;
        };
        if state.fit.newton(shards, plan, self.config.seed, &mut state.ascent) != Newton::Done {
            return;
        }
        if state.ascent.has_failed {
            let watched = Watched::of_all(shards, self.plan, self.config.seed, &state.best.guide);
            state.best.watched = watched;
        }
        state.phase = after;
    }

    /// Whether there is a step to take before the next look.
    fn wants_step(&self, state: &OptimiserState) -> bool {
        let is_last =
            state.phase == Phase::Decay && state.fit.step == state.first + state.decay_length;
        let is_full = state.since_look == self.plan.watch_every || is_last;
        state.finite && !is_full && self.used(state) < 1.0
    }

    fn step<T: Target>(&self, shards: &mut Shards<T>, state: &mut OptimiserState) {
        let begun = state.fit.step - state.since_look - state.first;
        let averages = state.phase == Phase::Decay && begun >= state.decay_length * 3 / 4;
        let size = state.size_of(state.fit.step);
        let holds = self.is_newton(state);
        match state::step(shards, self.plan, self.config.seed, &mut state.fit, size, holds) {
            Step::Stopped => return,
            step => state.finite = step == Step::Taken,
        }
        state.since_look += 1;
        if averages {
            state.average.add(&state.fit.guide);
        }
    }

    /// Begins the phase of constant step size of a cycle. Changes nothing where the caller asked
    /// to stop meanwhile.
    fn begin_cycle<T: Target>(&self, shards: &mut Shards<T>, state: &mut OptimiserState) {
        if self.is_newton(state) && !state.is_under_way() {
            state.best.guide.clone_from(&state.fit.guide);
        }
        let mut good = state.best.clone();
        let is_sample = self.plan.watch_branches.len() < self.plan.n_branches;
        if is_sample || !good.watched.mean.is_finite() {
            good.watched = Watched::of(shards, self.plan, self.config.seed, &good.guide);
        }
        if shards.stop().is_set() {
            return;
        }
        if self.is_newton(state) && !state.is_under_way() {
            state.best.watched.clone_from(&good.watched);
        }
        let used = self.used(state);
        // A limit must leave time for the decay.
        state.flat_limit = used + 0.6 * (1.0 - used);
        (state.phase, state.first) = (Phase::Flat, state.fit.step);
        state.good = good;
        state.window.clear();
        (state.since_look, state.finite) = (0, true);
    }

    /// Goes on with the phase of constant step size, falls back in it, or ends it.
    fn judge_flat(&self, state: &mut OptimiserState, now: Watched) {
        let mut is_at_rest = false;
        if !state.finite || !now.mean.is_finite() || now.has_fallen_from(&state.good.watched) {
            state.fall_back();
            state.step_size *= 0.5;
            state.window.clear();
            if state.has_diverged() {
                (state.phase, state.was_stationary) = (Phase::Judge, false);
                return;
            }
        } else {
            state.window.push(now.mean);
            state.good = Seen { guide: state.fit.guide.clone(), watched: now };
            is_at_rest = is_stationary(&state.window, self.plan.rest);
        }
        if is_at_rest || self.used(state) >= state.flat_limit {
            state.was_stationary = is_at_rest;
            self.begin_decay(state);
        }
    }

    fn begin_decay(&self, state: &mut OptimiserState) {
        let flat = state.fit.step - state.first;
        let least = if state.cycle == 0 { self.plan.min_decay } else { self.plan.min_decay / 2 };
        let left = self.config.max_steps.saturating_sub(state.fit.step).max(1);
        state.decay_length = flat.max(least).min(left);
        (state.phase, state.first) = (Phase::Decay, state.fit.step);
        state.average = Average::default();
    }

    /// Lets the step size fall further, or ends the cycle with the averaged guide.
    fn judge_decay(&self, state: &mut OptimiserState) {
        let is_over = state.fit.step >= state.first + state.decay_length;
        if is_over || self.used(state) >= 1.0 || self.is_ended {
            state.average.finish(&mut state.fit.guide);
            state.phase = if self.is_newton(state) { Phase::Newton } else { Phase::Judge };
        }
    }

    /// Compares q(θ) at the end of the cycle with that before it, both where Newton steps brought
    /// them; begins another cycle or ends for good. What a cycle does to the locals then no longer
    /// moves the globals.
    fn judge_settled(&self, state: &mut OptimiserState, now: Watched) {
        let has_fallen = !now.mean.is_finite() || now.has_fallen_from(&state.best.watched);
        let apart = newton::apart(&state.best.guide.global, &state.fit.guide.global);
        let shift = apart.means.hypot(state.ascent.left);
        let n = state.fit.guide.global.n() as f64;
        state.resolved = 0.5 * n * shift * shift;
        if has_fallen {
            state.fit.return_to(&state.best.guide);
            state.step_size *= 0.5;
        } else {
            state.best = Seen { guide: state.fit.guide.clone(), watched: now };
        }
        let same = 0.5 * (2.0 * self.plan.tolerance / n).sqrt();
        let same = same.clamp(TOLD_MEANS, SAME_MEANS);
        let is_same = apart.means < same && apart.widths < SAME_WIDTHS;
        self.end_cycle(state, state.was_stationary && !has_fallen && is_same);
    }

    /// Compares the cycle's end with the best so far; begins another cycle or ends for good.
    fn judge_cycle(&self, state: &mut OptimiserState, now: Watched) {
        let (gain, gain_se) = now.gain_over(&state.best.watched);
        let finite = now.draws.iter().all(|x| x.is_finite());
        let noise = self.plan.tolerance.max(2.0 * gain_se);
        state.resolved = noise;
        if finite && (gain > -noise || !state.best.watched.mean.is_finite()) {
            state.best = Seen { guide: state.fit.guide.clone(), watched: now };
        } else {
            state.fit.return_to(&state.best.guide);
            state.step_size *= 0.5;
        }
        // The first cycle may gain nothing because it was poor, so two are needed.
        let converged = state.was_stationary && state.cycle > 0 && gain.abs() < noise;
        self.end_cycle(state, converged);
    }

    fn end_cycle(&self, state: &mut OptimiserState, converged: bool) {
        state.cycle += 1;
        let is_over = converged || self.is_ended || self.used(state) >= 1.0;
        if is_over || state.cycle == MAX_CYCLES {
            state.fit.return_to(&state.best.guide);
            state.phase = Phase::Over(self.how_it_ended(state, converged));
        } else {
            state.step_size *= 0.7;
            state.phase = Phase::Begin;
        }
    }

    fn how_it_ended(&self, state: &OptimiserState, converged: bool) -> Ended {
        match (converged, self.used(state) >= 1.0) {
            (true, _) => Ended::Converged,
            (false, true) if state.fit.step >= self.config.max_steps => Ended::Limit(Limit::Steps),
            (false, true) => Ended::Limit(Limit::Seconds),
            (false, false) => Ended::Cycles,
        }
    }

    fn record(&mut self, state: &mut OptimiserState, now: &Watched) {
        let row = StepInfo {
            step: state.fit.step,
            seconds: self.seconds(),
            elbo: now.mean,
            elbo_se: now.se,
            step_size: state.size_of(state.fit.step.max(state.first + 1) - 1),
            grad_norm: state.fit.grad_norm,
        };
        state.trace.push(row);
        self.is_ended |= self.watcher.row(&row).is_break();
    }
}
