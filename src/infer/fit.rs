//! A whole fit: start, optimise, measure, judge.

use std::fmt;

use super::config::{Covariance, Family, FitConfig};
use super::elbo::Guide;
use super::estimate::Estimate;
use super::importance::Importance;
use super::initial;
use super::joint::{self, JointTarget};
use super::measure::{self, BranchChecks, Limits, Measured};
use super::optimise::{Optimiser, Stage, StepInfo, Watcher};
use super::optimiser_state::OptimiserState;
use super::plan::Plan;
use super::posterior;
use super::shards::{Shards, Stop};
use super::verdict::{Findings, Verdict};
use crate::target::Target;

/// Elements of S, and as many of L, beyond which a fit is refused.
pub const MAX_ELEMENTS: usize = 20_000_000;
/// Shares of the limit of seconds that the final ELBO and the importance weights may take
/// beyond it.
const ELBO_SHARE: f64 = 0.1;
const WEIGHT_SHARE: f64 = 0.2;

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
    /// The importance-weighted bound, where that was climbed.
    pub bound: Option<Estimate>,
    /// Importance weights of θ, where they could be afforded.
    pub importance: Option<Importance>,
    /// Figures of a sample of branches, where there was time for them.
    pub branches: Option<BranchChecks>,
    /// Whether the corrected draws of `importance` should be the reported ones.
    pub corrected: bool,
    /// Whether to believe it.
    pub verdict: Verdict,
    /// Whether its watcher ended it early.
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

    /// The same without mirrored pairs, so that the draws are independent, or nearly so.
    pub fn independent_theta_draws(&self, count: usize, seed: u64) -> Vec<f64> {
        if self.corrected {
            return self.theta_draws(count, seed);
        }
        let n = self.guide.global.n();
        let pairs = self.theta_draws(2 * count, seed);
        pairs.chunks_exact(2 * n).flat_map(|pair| &pair[..n]).copied().collect()
    }

    /// The same draws, and for each the independent unit that it comes from: mirrored draws and
    /// copies of one draw are not independent.
    pub fn theta_draws_with_units(&self, count: usize, seed: u64) -> (Vec<f64>, Vec<usize>) {
        match self.importance.as_ref().filter(|_| self.corrected) {
            Some(weights) => {
                let draws = weights.resampled(count, seed);
                (weights.rows(&draws), draws.iter().map(|draw| draw / 2).collect())
            }
            None => {
                let theta = posterior::global_draws(&self.guide, seed, count);
                (theta, (0..count).map(|draw| draw / 2).collect())
            }
        }
    }
}

/// Why no fit could begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FitError {
    /// No θ of finite density was found.
    NoStart,
    /// θ is too large: its elements, and how many of them depend on each other.
    TooManyGlobals(usize, usize),
    /// There are no branches.
    NoBranches,
    /// The caller asked to stop.
    Interrupted,
    /// This family does not go with that covariance, encoder or size: why.
    Unsupported(String),
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStart => f.write_str(
                "no values of the globals with a finite log density were found near zero \
                 (unconstrained); does the model allow the data?",
            ),
            Self::TooManyGlobals(n, core) => write!(
                f,
                "{n} unconstrained globals, {core} of which vary together, are more than a fit can \
                 hold; make the grouping with the most levels the branch"
            ),
            Self::Unsupported(why) => f.write_str(why),
            Self::Interrupted => f.write_str("the fit was interrupted"),
            Self::NoBranches => f.write_str("the data hold no branches"),
        }
    }
}

impl std::error::Error for FitError {}

/// Fits `target` from the start.
pub fn fit<T: Target>(
    target: &T,
    config: &FitConfig,
    mut progress: &mut dyn FnMut(&StepInfo) -> std::ops::ControlFlow<()>,
) -> Result<FitResult, FitError> {
    fit_from(target, config, None, &mut progress)
}

/// Fits `target`, from the start or from where an earlier fit of the same target with the same
/// settings stood; only its limits may differ. What `watcher` ends early is measured and judged
/// as it is; what the caller stops is an error, and `watcher` has the state.
pub fn fit_from<T: Target>(
    target: &T,
    config: &FitConfig,
    from: Option<OptimiserState>,
    watcher: &mut dyn Watcher,
) -> Result<FitResult, FitError> {
    if target.n_branches() == 0 {
        return Err(FitError::NoBranches);
    }
    let stop = Stop::new(config.stop.clone());
    let mut shards = Shards::new(target, config.threads).stopping_at(stop.clone());
    let plan = Plan::new(target, config);
    let (n, core) = (target.n_global(), plan.pattern.core);
    if n * (core + 1) > MAX_ELEMENTS {
        return Err(FitError::TooManyGlobals(n, core));
    }
    let earlier = from.as_ref().map_or(0.0, |state| state.seconds);
    let mut joint = joint_problem(target, config, &stop)?;
    let mut run = Optimiser::new(config, &plan, watcher, earlier);
    let mut state = match from {
        Some(state) => state,
        None => {
            run.announce(Stage::Start);
            // A search that is stopped may have found nothing yet.
            let of_search = |error| if stop.is_set() { FitError::Interrupted } else { error };
            let guide = initial::guide(&mut shards, &plan, config, &run).map_err(of_search)?;
            let seconds = run.seconds();
            match &mut joint {
                Some(JointProblem { shards, plan }) => {
                    OptimiserState::new(shards, plan, config, joint::joined(&guide), seconds)
                }
                None => OptimiserState::new(&mut shards, &plan, config, guide, seconds),
            }
        }
    };
    if stop.is_set() {
        return Err(FitError::Interrupted);
    }
    let is_joint = joint.is_some();
    let ended = match &mut joint {
        Some(JointProblem { shards: joint, plan }) => {
            run.replan(plan);
            run.run(joint, &mut state)
        }
        None => run.run(&mut shards, &mut state),
    };
    let ended = ended.ok_or(FitError::Interrupted)?;
    run.show_end(&mut state);
    // The state keeps its own guide, which is what a fit goes on from.
    let part = || joint::parted(&state.fit.guide.global, target.n_global(), target.n_local());
    let parted = is_joint.then(part);
    let guide = parted.as_ref().unwrap_or(&state.fit.guide);
    run.announce(Stage::Measure);
    // A limit of time leaves these measurements a share of their own.
    let share = |share: f64| config.max_seconds.map(|limit| run.seconds() + share * limit);
    let (of_elbo, of_weights) = (share(ELBO_SHARE), share(ELBO_SHARE + WEIGHT_SHARE));
    let is_over =
        |limit: Option<f64>| stop.is_set() || limit.is_some_and(|limit| run.seconds() > limit);
    let limits = Limits { elbo: &|| is_over(of_elbo), all: &|| is_over(of_weights) };
    let measured = measure::measure(&mut shards, guide, &plan, config.seed, &limits);
    if stop.is_set() {
        run.keep(&mut state);
        return Err(FitError::Interrupted);
    }
    let findings = Findings {
        ended,
        interrupted: run.is_ended(),
        has_diverged: state.has_diverged(),
        n_global: target.n_global(),
        resolved: state.resolved,
        measured: &measured,
    };
    let verdict = findings.judge();
    let Measured { elbo, bound, importance, branches } = measured;
    let corrected = importance.as_ref().is_some_and(Importance::is_usable);
    Ok(FitResult {
        guide: parted.unwrap_or(state.fit.guide),
        steps: state.fit.step,
        seconds: run.seconds(),
        interrupted: run.is_ended(),
        trace: state.trace,
        elbo,
        bound,
        importance,
        branches,
        corrected,
        verdict,
    })
}

/// What the joint family optimises instead.
struct JointProblem<T> {
    shards: Shards<JointTarget<T>>,
    plan: Plan,
}

/// That of a configuration, if it asks for the joint family: all unknowns as globals, all branches in every step.
fn joint_problem<T: Target>(
    target: &T,
    config: &FitConfig,
    stop: &Stop,
) -> Result<Option<JointProblem<T>>, FitError> {
    if !(config.family == Family::Joint && config.covariance() == Covariance::Dense) {
        return Ok(None);
    }
    let joint = JointTarget::new(target.clone())?;
    let full = FitConfig { batch: Some(target.n_branches()), ..config.clone() };
    let plan = Plan::new(&joint, &full);
    let shards = Shards::new(&joint, config.threads).stopping_at(stop.clone());
    Ok(Some(JointProblem { shards, plan }))
}
