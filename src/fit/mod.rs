//! Fits a compiled model to data: inference over the model's evaluator, and the posterior in
//! the author's variables.

mod branches;
mod checks;
mod config;
mod draws;
mod memory;
mod predictive;
mod quantities;
mod saved;
mod scores;
mod summary;

use std::fmt;
use std::ops::ControlFlow;

pub use branches::{BranchSummaries, LocalSummary};
pub(crate) use branches::{Summariser, draws_per_branch};
pub use checks::{Checks, GlobalChecks, LocalChecks, PredictiveChecks, QuantityCheck, Shift};
pub use config::FitConfig;
pub use draws::Draws;
pub use memory::{MemoryError, memory_need};
use predictive::Predictive;
pub(crate) use saved::{CHAINS, LogLikelihood, Observations};
pub use scores::{BranchScore, Score, Scores};
pub use summary::{Summary, SummaryRow};

use ndarray::{Array2, ArrayView1};

use crate::data::{BoundData, DataError};
pub use crate::infer::config::{Coupling, Covariance, Encoder, Family};
use crate::infer::fit as engine;
pub use crate::infer::optimise::{Stage, StepInfo, Watcher};
pub use crate::infer::optimiser_state::OptimiserState;
use crate::infer::posterior::{self, Spread};
use crate::infer::shards::Shards;
pub use crate::infer::verdict::Verdict;
use crate::model::{CompiledModel, Evaluator, Variable};
use crate::target::Target;
use scores::Split;

/// A fit that ended, well or not: look at its [`Fit::verdict`].
pub struct Fit {
    evaluator: Evaluator,
    result: engine::FitResult,
    config: FitConfig,
    scores: Option<Scores>,
    predictive: Predictive,
    /// The global that importance weights would move most.
    shift: Option<Shift>,
}

/// Why no fit could begin.
#[derive(Clone, Debug)]
pub enum FitError {
    /// The data do not allow what was asked.
    Data(DataError),
    /// The model cannot be fitted.
    Inference(engine::FitError),
    /// It would hold more memory than it may ([`FitConfig::max_memory`]).
    Memory(MemoryError),
    /// The caller asked to stop ([`FitConfig::stop`]).
    Interrupted,
}

impl FitError {
    /// Whether the approximation that was asked for does not go with this model or its size.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, FitError::Inference(engine::FitError::Unsupported(_)))
    }

    /// Whether other data of the same shape might be fitted.
    pub(crate) fn is_of_data(&self) -> bool {
        matches!(self, FitError::Inference(engine::FitError::NoStart))
    }
}

impl From<engine::FitError> for FitError {
    fn from(error: engine::FitError) -> FitError {
        match error {
            engine::FitError::Interrupted => FitError::Interrupted,
            error => FitError::Inference(error),
        }
    }
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FitError::Data(error) => error.fmt(f),
            FitError::Inference(error) => error.fmt(f),
            FitError::Memory(error) => error.fmt(f),
            FitError::Interrupted => engine::FitError::Interrupted.fmt(f),
        }
    }
}

impl std::error::Error for FitError {}

/// Fits `model` to `data`.
///
/// # Errors
/// When the model cannot be compiled for these data, or no values of the globals with a finite
/// density are found. A fit that ends badly is not an error: its verdict says so.
pub fn fit(model: &CompiledModel, data: &BoundData, config: &FitConfig) -> Result<Fit, FitError> {
    fit_with_progress(model, data, config, &mut |_| ControlFlow::Continue(()))
}

/// As [`fit()`]; `progress` sees the watched ELBO now and then, and may end the fit early.
///
/// # Errors
/// As [`fit()`].
pub fn fit_with_progress(
    model: &CompiledModel,
    data: &BoundData,
    config: &FitConfig,
    mut progress: &mut dyn FnMut(&StepInfo) -> ControlFlow<()>,
) -> Result<Fit, FitError> {
    fit_from(model, data, config, None, &mut progress)
}

/// As [`fit()`]; `watcher` sees the states that it wants, and the fit goes on from the one of an
/// earlier fit, if given. That must have had the same model, data and settings, but for limits
/// and threads, and then the result has the same bits as if there had been one fit. Seconds
/// count over both; a fit that a limit of seconds ends has other bits on each run.
///
/// # Errors
/// As [`fit()`].
pub fn fit_from(
    model: &CompiledModel,
    data: &BoundData,
    config: &FitConfig,
    from: Option<OptimiserState>,
    watcher: &mut dyn Watcher,
) -> Result<Fit, FitError> {
    if let Some(limit) = config.max_memory {
        let need = memory_need(model, data, config).map_err(FitError::Data)?;
        if need.total() > limit {
            return Err(FitError::Memory(MemoryError { need, limit }));
        }
    }
    let split = Split::of(model, data, config).map_err(FitError::Data)?;
    let data = &split.fitted;
    let mask = match config.holdout {
        Some(fraction) => {
            if let Some(span) = model.term_of_all_rows() {
                return Err(FitError::Data(data.refuse_hold_out(span)));
            }
            let has_order = data.schema().rows.as_ref().is_some_and(|rows| !rows.by.is_empty());
            let mask = data.hold_out(fraction, config.engine.seed, has_order);
            Some(mask.map_err(FitError::Data)?)
        }
        None => None,
    };
    let evaluator = model.evaluator_with_held_out(data, mask).map_err(FitError::Data)?;
    if config.log_likelihood {
        saved::check_size(model, &evaluator)?;
    }
    let result = engine::fit_from(&evaluator, &config.engine, from, watcher)?;
    let mut fit = Fit::new(evaluator, result, config);
    fit.scores = split.score(model, &fit).map_err(FitError::Data)?;
    if !fit.is_interrupted() {
        fit.check_predictions(model);
    }
    Ok(fit)
}

/// Fits what an evaluator evaluates, with nothing kept out.
pub(crate) fn fit_evaluator(evaluator: Evaluator, config: &FitConfig) -> Result<Fit, FitError> {
    let result = engine::fit(&evaluator, &config.engine, &mut |_| ControlFlow::Continue(()))?;
    Ok(Fit::new(evaluator, result, config))
}

impl Fit {
    fn new(evaluator: Evaluator, result: engine::FitResult, config: &FitConfig) -> Fit {
        let (config, predictive) = (config.clone(), Predictive::default());
        let mut fit = Fit { evaluator, result, config, scores: None, predictive, shift: None };
        fit.check_globals();
        fit
    }

    /// Independent draws of each reported global, and of each reported local of some branches:
    /// one column for each element, in the order of the layouts. None where draws of locals are
    /// not finite.
    pub(crate) fn independent_draws(
        &self,
        count: usize,
        branches: &[usize],
    ) -> (Array2<f64>, Vec<Option<Array2<f64>>>) {
        let mut evaluator = self.evaluator.clone();
        let (guide, seed) = (&self.result.guide, self.config.seed_of());
        let theta = self.result.independent_theta_draws(count, seed);
        let particles = posterior::particles(&mut evaluator, guide, &theta, count);
        let mut globals = Array2::zeros((count, evaluator.reported_layout().len()));
        for (particle, mut row) in particles.iter().zip(globals.rows_mut()) {
            row.assign(&ArrayView1::from(&evaluator.reported(&particle.theta)));
        }
        let (n_local, n_reported) = (evaluator.n_local(), evaluator.reported_local_layout().len());
        let of_branch = |branch: usize, draws: Option<&[f64]>| {
            let mut evaluator = evaluator.clone();
            let mut locals = Array2::zeros((count, n_reported));
            for (p, (particle, mut row)) in particles.iter().zip(locals.rows_mut()).enumerate() {
                let z = &draws?[p * n_local..(p + 1) * n_local];
                let reported = evaluator.reported_local(branch, &particle.shared, z);
                row.assign(&ArrayView1::from(reported));
            }
            Some(locals)
        };
        let mut shards = self.shards();
        let locals = posterior::for_each_branch(
            &mut shards,
            guide,
            &particles,
            branches,
            seed,
            Spread::Independent,
            of_branch,
        );
        (globals, locals)
    }

    /// The approximate posterior.
    pub fn posterior(&self) -> Posterior<'_> {
        Posterior { fit: self }
    }

    /// Whether to believe it, and if not, why.
    pub fn verdict(&self) -> &Verdict {
        &self.result.verdict
    }

    /// The evidence lower bound in nats, and its Monte Carlo standard error.
    pub fn elbo(&self) -> (f64, f64) {
        (self.result.elbo.value, self.result.elbo.se)
    }

    /// The importance-weighted bound in nats, its Monte Carlo standard error, and how many draws of each
    /// branch's locals it takes, where [`FitConfig::importance_samples`] had it climbed.
    pub fn importance_weighted_bound(&self) -> Option<(f64, f64, usize)> {
        let bound = self.result.bound?;
        Some((bound.value, bound.se, self.result.guide.samples))
    }

    /// The log evidence from importance weights of θ, its standard error and the relative
    /// effective number of draws, where they could be afforded.
    pub fn log_evidence(&self) -> Option<(f64, f64, f64)> {
        let weights = self.result.importance.as_ref()?;
        Some((weights.log_evidence, weights.log_evidence_se, weights.relative_ess))
    }

    /// How many independent draws of θ the weighted ones are worth, where there are weights.
    pub fn effective_draws(&self) -> Option<f64> {
        self.result.importance.as_ref().map(|weights| weights.effective_draws)
    }

    /// Whether draws of θ are corrected by importance weights.
    pub fn is_corrected(&self) -> bool {
        self.result.corrected
    }

    /// The watched ELBO over time.
    pub fn trace(&self) -> &[StepInfo] {
        &self.result.trace
    }

    /// Optimisation steps taken.
    pub fn steps(&self) -> usize {
        self.result.steps
    }

    /// Seconds that the fit took, measurements included.
    pub fn seconds(&self) -> f64 {
        self.result.seconds
    }

    /// Whether it was stopped before it was done.
    pub fn is_interrupted(&self) -> bool {
        self.result.interrupted
    }

    /// The log likelihood of rows that were not fitted, its Monte Carlo error, and how many rows
    /// there are.
    pub fn held_out(&self) -> Option<(f64, f64, usize)> {
        let total = self.scores.as_ref()?.total();
        Some((total.log_likelihood, total.se, total.n_rows))
    }

    /// The scores of data that were not fitted, where there are such.
    pub fn scores(&self) -> Option<&Scores> {
        self.scores.as_ref()
    }

    /// The settings.
    pub fn config(&self) -> &FitConfig {
        &self.config
    }

    /// The model with its data.
    pub fn evaluator(&self) -> &Evaluator {
        &self.evaluator
    }

    /// Lets the verdict object where importance weights say that summaries are wrong.
    fn check_globals(&mut self) {
        self.shift = checks::worst_shift(self);
        if let Some(reason) = checks::shift_reason(self) {
            self.result.verdict.object(reason);
        }
    }

    /// Draws outcomes anew and lets the verdict object where the data are out of their reach.
    fn check_predictions(&mut self, model: &CompiledModel) {
        self.predictive = predictive::check(model, self);
        let verdict = &mut self.result.verdict;
        for finding in self.predictive.findings.iter().filter(|finding| finding.is_extreme) {
            match finding.is_cautious() {
                true => verdict.notes.push(finding.sentence()),
                false => verdict.object(finding.sentence()),
            }
        }
        verdict.notes.extend(self.predictive.note());
    }

    /// What was found.
    pub(crate) fn result(&self) -> &engine::FitResult {
        &self.result
    }

    fn shards(&self) -> Shards<Evaluator> {
        Shards::new(&self.evaluator, self.config.engine.threads)
    }
}

/// The approximate posterior of a fit.
#[derive(Clone, Copy)]
pub struct Posterior<'a> {
    fit: &'a Fit,
}

impl Posterior<'_> {
    /// Mean, standard deviation and quantiles of every global and derived global.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.draws(self.fit.config.draws))
    }

    /// The same of q(θ) itself, without the correction by importance weights.
    pub fn guide_summary(&self) -> Summary {
        let config = &self.fit.config;
        let (guide, count) = (&self.fit.result.guide, config.draws);
        let theta = posterior::global_draws(guide, config.engine.seed, count);
        Summary::of(&Draws::of_globals(&mut self.fit.evaluator.clone(), &theta, count))
    }

    /// `count` draws of the globals on the constrained scale.
    pub fn draws(&self, count: usize) -> Draws {
        let seed = self.fit.config.engine.seed;
        let theta = self.fit.result.theta_draws(count, seed);
        Draws::of_globals(&mut self.fit.evaluator.clone(), &theta, count)
    }

    /// Mean, standard deviation and quantiles of the locals of every branch.
    pub fn branches(&self) -> BranchSummaries {
        branches::summarise(self.fit)
    }

    /// Shows `visit` the branches in the order of their keys, each with what [`Self::branches`]
    /// has of it, without holding that of all.
    ///
    /// # Errors
    /// The first of `visit`, after which no more are shown.
    pub fn for_each_branch<E>(
        &self,
        visit: impl FnMut(usize, Option<&LocalSummary>) -> Result<(), E>,
    ) -> Result<(), E> {
        branches::for_each(self.fit, visit)
    }

    /// The elements of locals and derived locals, which are the rows of each [`LocalSummary`].
    pub fn local_names(&self) -> Vec<String> {
        let variables = self.fit.evaluator.reported_local_layout().variables();
        variables.iter().flat_map(Variable::elements).map(|(name, _)| name).collect()
    }
}
