//! A whole fit: start, optimise, measure, judge.

use std::fmt;
use std::ops::ControlFlow;

use super::config::FitConfig;
use super::elbo::Guide;
use super::estimate::Estimate;
use super::importance::Importance;
use super::initial;
use super::measure::{self, BranchChecks, Limits, Measured};
use super::optimise::{Optimiser, StepInfo};
use super::plan::Plan;
use super::posterior;
use super::shards::Shards;
use super::state::FitState;
use super::verdict::{Findings, Verdict};
use crate::target::Target;

/// θ beyond this is refused: L and S are stored in full.
pub const MAX_GLOBALS: usize = 3000;
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
    /// Importance weights of θ, where they could be afforded.
    pub importance: Option<Importance>,
    /// Figures of a sample of branches, where there was time for them.
    pub branches: Option<BranchChecks>,
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
            Self::TooManyGlobals(n, limit) => {
                write!(f, "{n} unconstrained globals are more than the {limit} a fit can hold")
            }
            Self::Unsupported(why) => f.write_str(why),
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
    let mut run = Optimiser::new(config, &plan, progress);
    let guide = initial::guide(&mut shards, &plan, config, &run)?;
    let mut state = FitState::new(&guide, target);
    let ended = run.cycles(&mut shards, &mut state);
    // A limit of time leaves these measurements a share of their own.
    let share = |share: f64| config.max_seconds.map(|limit| run.seconds() + share * limit);
    let (of_elbo, of_weights) = (share(ELBO_SHARE), share(ELBO_SHARE + WEIGHT_SHARE));
    let is_over = |limit: Option<f64>| limit.is_some_and(|limit| run.seconds() > limit);
    let limits = Limits { elbo: &|| is_over(of_elbo), all: &|| is_over(of_weights) };
    let measured = measure::measure(&mut shards, &state.guide, &plan, config.seed, &limits);
    let findings = Findings {
        ended,
        interrupted: run.is_interrupted(),
        has_diverged: run.has_diverged(),
        n_global: target.n_global(),
        measured: &measured,
    };
    let verdict = findings.judge();
    let Measured { elbo, importance, branches } = measured;
    let corrected = importance.as_ref().is_some_and(Importance::is_usable);
    Ok(FitResult {
        guide: state.guide,
        steps: state.step,
        seconds: run.seconds(),
        interrupted: run.is_interrupted(),
        trace: run.into_trace(),
        elbo,
        importance,
        branches,
        corrected,
        verdict,
    })
}
