//! A whole fit: start, optimise in cycles, measure, judge.
//!
//! A cycle is a phase of constant step size until the watched ELBO is stationary, then a decay
//! to zero whose last quarter of iterates is averaged. The fit ends when a whole cycle gains
//! less than the tolerance; that, and no number of steps, is what "converged" means here.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::elbo::{self, Guide, Noise};
use super::estimate::{self, Estimate};
use super::free::FreeGuide;
use super::global::GlobalGuide;
use super::importance::{self, Importance};
use super::local::{LocalGuide, LocalWorker};
use super::network::Network;
use super::plan::Plan;
use super::posterior;
use super::shards::Shards;
use super::site::n_inputs;
use super::start;
use super::state::{self, FitState};
use crate::random::Purpose;
use crate::target::Target;

/// θ beyond this is refused: L and S are stored in full.
pub const MAX_GLOBALS: usize = 3000;
const MAX_CYCLES: usize = 8;
const MAX_ROLLBACKS: usize = 12;
/// Shares of the limit of seconds that the final ELBO and the importance weights may take
/// beyond it.
const ELBO_SHARE: f64 = 0.1;
const WEIGHT_SHARE: f64 = 0.2;
/// Watched values in one of the two windows that stationarity compares.
const WINDOW: usize = 6;

/// Which q(z|θ).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Family {
    /// The prior times Newton's site, moved by a network.
    #[default]
    Amortized,
    /// A free Gaussian for each branch.
    Branch,
}

/// Settings; `None` lets the fit choose by the sizes of the problem.
#[derive(Clone, Debug)]
pub struct FitConfig {
    /// Which q(z|θ).
    pub family: Family,
    /// The same seed gives the same fit.
    pub seed: u64,
    /// Draws of θ a step.
    pub particles: Option<usize>,
    /// Branches a step.
    pub batch: Option<usize>,
    /// Adam's step size in whitened coordinates.
    pub step_size: Option<f64>,
    /// Limit of optimisation steps.
    pub max_steps: usize,
    /// Limit of wall-clock seconds, for all but the final measurements.
    pub max_seconds: Option<f64>,
    /// Gain of a cycle, in nats, below which the fit has converged.
    pub tolerance: f64,
    /// Draws of θ for importance weights.
    pub draws: usize,
    /// Threads; the caller's pool if `None`.
    pub threads: Option<usize>,
    /// Once true, the fit ends within a step and returns what it has.
    pub stop: Option<Arc<AtomicBool>>,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            family: Family::Amortized,
            seed: 1,
            particles: None,
            batch: None,
            step_size: None,
            max_steps: 20_000,
            max_seconds: None,
            tolerance: 0.02,
            draws: 20_000,
            threads: None,
            stop: None,
        }
    }
}

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

/// Whether to believe a fit, and if not, why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// True iff there is no reason against it.
    pub believable: bool,
    /// Sentences for the user.
    pub reasons: Vec<String>,
}

/// A fit that ended.
#[derive(Clone, Debug)]
pub struct FitResult {
    /// The approximation.
    pub guide: Guide,
    /// The watched ELBO over time.
    pub trace: Vec<StepInfo>,
    /// Optimisation steps taken.
    pub steps: usize,
    /// Wall-clock, measurements included.
    pub seconds: f64,
    /// The ELBO of `guide` on fresh noise and all branches.
    pub elbo: Estimate,
    /// Importance weights of θ, where they could be afforded.
    pub importance: Option<Importance>,
    /// Whether the corrected draws of `importance` should be the reported ones.
    pub corrected: bool,
    /// Whether to believe it.
    pub verdict: Verdict,
    /// Whether the caller stopped it.
    pub interrupted: bool,
}

impl FitResult {
    /// `count` draws of θ, one row each: corrected by importance weights where
    /// [`Self::corrected`] says so, of q(θ) in mirrored pairs otherwise.
    pub fn theta_draws(&self, count: usize, seed: u64) -> Vec<f64> {
        match self.importance.as_ref().filter(|_| self.corrected) {
            Some(weights) => weights.resample(count, seed),
            None => posterior::global_draws(&self.guide, seed, count),
        }
    }
}

/// Why no fit could begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FitError {
    /// No θ of finite density was found.
    NoStart,
    /// θ is too large for a dense q(θ): its size and the limit.
    TooManyGlobals(usize, usize),
    /// There are no branches.
    NoBranches,
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStart => f.write_str(
                "no values of the globals with a finite log density were found near zero \
                 (unconstrained); does the model allow the data?",
            ),
            Self::TooManyGlobals(n, limit) => {
                write!(f, "{n} unconstrained globals are more than the {limit} a fit can hold")
            }
            Self::NoBranches => f.write_str("the data hold no branches"),
        }
    }
}

impl std::error::Error for FitError {}

/// Fits `target`. `progress` sees each row of the trace and may stop the fit early; what was
/// reached by then is returned.
pub fn fit<T: Target>(
    target: &T,
    config: &FitConfig,
    progress: &mut dyn FnMut(&StepInfo) -> ControlFlow<()>,
) -> Result<FitResult, FitError> {
    if target.n_branches() == 0 {
        return Err(FitError::NoBranches);
    }
    if target.n_global() > MAX_GLOBALS {
        return Err(FitError::TooManyGlobals(target.n_global(), MAX_GLOBALS));
    }
    let mut shards = Shards::new(target, config.threads);
    let plan = Plan::new(target, config);
    let mut run = Run {
        began: Instant::now(),
        config,
        plan: &plan,
        progress,
        trace: vec![],
        interrupted: false,
        rollbacks: 0,
    };
    let guide = init(&mut shards, &plan, config, &run)?;
    let mut state = FitState::new(&guide, target);
    let ended = run.cycles(&mut shards, &mut state);
    // A limit of time leaves these measurements a share of their own.
    let share = |share: f64| config.max_seconds.map(|limit| run.seconds() + share * limit);
    let (of_elbo, of_weights) = (share(ELBO_SHARE), share(ELBO_SHARE + WEIGHT_SHARE));
    let is_over = |limit: Option<f64>| limit.is_some_and(|limit| run.seconds() > limit);
    let (guide, seed) = (&state.guide, config.seed);
    let elbo = estimate::elbo(&mut shards, guide, seed, plan.measure_draws, &|| is_over(of_elbo));
    let importance = match plan.weigh {
        true => {
            let is_over = || is_over(of_weights);
            importance::weigh(&mut shards, guide, seed, plan.weight_draws, &is_over)
        }
        false => None,
    };
    let corrected = importance.as_ref().is_some_and(Importance::is_usable);
    let verdict = run.judge(ended, &elbo, importance.as_ref());
    Ok(FitResult {
        guide: state.guide,
        steps: state.step,
        seconds: run.began.elapsed().as_secs_f64(),
        trace: run.trace,
        elbo,
        importance,
        corrected,
        verdict,
        interrupted: run.interrupted,
    })
}

/// The guide at the end of the start phase.
fn init<T: Target>(
    shards: &mut Shards<T>,
    plan: &Plan,
    config: &FitConfig,
    run: &Run,
) -> Result<Guide, FitError> {
    let half = config.max_seconds.map(|seconds| 0.4 * seconds);
    let mut stop = || run.is_stopped() || half.is_some_and(|limit| run.seconds() > limit);
    let start = start::search(
        shards,
        &plan.coarse_branches,
        &plan.start_branches,
        plan.n_branches,
        &mut stop,
    )
    .ok_or(FitError::NoStart)?;
    let global = GlobalGuide::new(start.centre, start.scale);
    let (shared, _) = elbo::shared_at(shards.target(), &global.mean());
    let all: Vec<usize> = (0..plan.n_branches).collect();
    let branches = match config.family {
        Family::Amortized => &plan.start_branches,
        Family::Branch => &all,
    };
    let newton = LocalGuide::Amortized(None);
    let sites: Vec<_> = shards
        .map(branches, |target, shard| {
            let mut worker = LocalWorker::new(&newton, target);
            let site = |&branch: &usize| {
                let open = worker.open(target, branch, &shared, None);
                if open { worker.site().cloned() } else { None }
            };
            shard.iter().map(site).collect::<Vec<_>>()
        })
        .into_iter()
        .flatten()
        .collect();
    let (n_local, n_global) = (shards.target().n_local(), global.n());
    let local = match config.family {
        Family::Amortized => {
            let with_rows = sites.into_iter().flatten().filter(|site| site.has_rows);
            let examples: Vec<_> = with_rows.map(|site| site.inputs).collect();
            let n = n_inputs(shards.target());
            LocalGuide::Amortized(Some(Network::new(n, n_local, &examples, config.seed)))
        }
        Family::Branch => LocalGuide::Branch(FreeGuide::new(n_local, n_global, &sites)),
    };
    Ok(Guide { global, local })
}

struct Run<'a> {
    began: Instant,
    config: &'a FitConfig,
    plan: &'a Plan,
    progress: &'a mut dyn FnMut(&StepInfo) -> ControlFlow<()>,
    trace: Vec<StepInfo>,
    interrupted: bool,
    rollbacks: usize,
}

/// How the optimisation came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// A cycle gained nothing.
    Converged,
    /// A limit was reached before: of what.
    Limit(&'static str),
    /// There were as many cycles as there may be.
    Cycles,
}

/// The watched ELBO of one guide, draw by draw.
#[derive(Clone)]
struct Watched {
    draws: Vec<f64>,
    mean: f64,
    se: f64,
}

impl Run<'_> {
    fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    fn is_stopped(&self) -> bool {
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
    fn cycles<T: Target>(&mut self, shards: &mut Shards<T>, state: &mut FitState) -> Ended {
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
                if self.rollbacks > MAX_ROLLBACKS {
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

    fn judge(&self, ended: Ended, elbo: &Estimate, importance: Option<&Importance>) -> Verdict {
        let mut reasons = vec![];
        if self.interrupted {
            reasons.push("the fit was interrupted".to_owned());
        } else if self.rollbacks > MAX_ROLLBACKS {
            reasons.push("the optimisation kept diverging at ever smaller steps".to_owned());
        } else {
            match ended {
                Ended::Converged => {}
                Ended::Limit(limit) => reasons.push(format!(
                    "the limit of {limit} was reached before the ELBO was seen to have settled"
                )),
                Ended::Cycles => {
                    reasons.push(format!("the ELBO still changed after {MAX_CYCLES} cycles"));
                }
            }
        }
        if elbo.non_finite > 0 {
            let (bad, all) = (elbo.non_finite, elbo.draws);
            reasons.push(format!("{bad} of {all} final evaluations were not finite"));
        }
        let se_bound = 0.5 + 1e-4 * elbo.value.abs();
        if elbo.se.is_nan() || elbo.se >= se_bound {
            reasons.push(format!(
                "the Monte Carlo error of the ELBO is {:.2} nats: rare draws dominate it",
                elbo.se
            ));
        }
        if let Some(weights) = importance.filter(|weights| weights.is_poor()) {
            reasons.push(format!(
                "importance weights of the globals have a relative effective size of {:.3}: \
                 the approximation misses part of the posterior",
                weights.relative_ess
            ));
        }
        Verdict { believable: reasons.is_empty(), reasons }
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
