//! Simulation-based calibration (Talts, Betancourt, Simpson, Vehtari and Gelman 2018): unknowns
//! are drawn from their priors, outcomes given these, and the model is fitted to the outcomes.
//! Where posteriors are right, the rank of each true value among draws from its posterior is
//! uniform.
//!
//! Every fit counts, whatever its verdict: those that a verdict rejects are not a random share of
//! all data sets, and without them ranks would not be uniform even for the exact posterior.

#[cfg(test)]
mod tests;
mod uniform;

use std::fmt;
use std::ops::ControlFlow;

use rayon::prelude::*;

use crate::data::{DataError, Dataset, Terms};
use crate::fit::{Fit, FitConfig, FitError, fit_evaluator};
use crate::model::{CompiledModel, Evaluator, ParamLayout, Variable};
use crate::random::{Purpose, Stream};
use crate::simulate::{SimulateConfig, SimulateError, Simulator, check_generative};
use crate::target::Target;
use uniform::UniformTest;

/// Draws from each posterior that a true value is ranked among: with 100 possible ranks the
/// central 50 and 90 of them are intervals of just these percents.
const N_DRAWS: usize = 99;
/// Branches whose locals are ranked: the first, the last, and the one in the middle.
const MOST_BRANCHES: usize = 3;
/// Elements of locals of each.
const MOST_LOCALS: usize = 5;
/// Probability, over all tests together, of finding fault with exact posteriors.
const FALSE_ALARM: f64 = 0.01;
/// Share of fits that may fail.
const MOST_FAILED: f64 = 0.1;

/// What a calibration is made from.
#[derive(Clone, Debug)]
pub struct CalibrateConfig {
    /// Data sets that are drawn and fitted.
    pub simulations: usize,
    /// The same seed gives the same ranks.
    pub seed: u64,
    /// How each is fitted; its seed is one made of `seed`. Simulations run side by side on all
    /// threads, each fit on one.
    pub fit: FitConfig,
}

impl Default for CalibrateConfig {
    fn default() -> Self {
        CalibrateConfig { simulations: 100, seed: 1, fit: FitConfig::default() }
    }
}

/// How far a calibration is.
#[derive(Clone, Copy, Debug)]
pub struct CalibrateStep {
    /// Simulations that are done.
    pub done: usize,
    /// All of them.
    pub simulations: usize,
    /// Fits so far that their own verdict rejects.
    pub rejected: usize,
}

/// The outcome of a calibration.
#[derive(Clone, Debug)]
pub struct Calibration {
    quantities: Vec<Quantity>,
    believable: Vec<bool>,
    n_failed: usize,
    is_interrupted: bool,
}

/// The ranks of one unknown.
#[derive(Clone, Debug)]
pub struct Quantity {
    /// As in summaries: `mu[2]`; of a local with its branch: `theta (school = A)`.
    pub name: String,
    /// How many of 99 posterior draws are below the true value, for each simulation.
    pub ranks: Vec<usize>,
    /// Pearson's test of uniform ranks; none where there are too few simulations for it.
    pub p_chi_square: Option<f64>,
    /// The test by the empirical distribution of the ranks.
    pub p_ecdf: f64,
    /// The mean of ranks on a scale from 0 to 1; 0.5 where all is well.
    pub mean_rank: f64,
    /// The share of true values in central 50 % intervals.
    pub coverage_50: f64,
    /// The same of 90 %.
    pub coverage_90: f64,
    /// Whether either test rejects, at a level that allows for all of them.
    pub is_rejected: bool,
}

/// Why there is no calibration.
#[derive(Debug)]
pub enum CalibrateError {
    /// Something cannot be drawn, or the data do not fit.
    Simulate(SimulateError),
    /// A fit could not begin for a reason that is not one of its data.
    Fit(FitError),
    /// No fit was done.
    NoFits,
}

impl fmt::Display for CalibrateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CalibrateError::Simulate(error) => error.fmt(f),
            CalibrateError::Fit(error) => error.fmt(f),
            CalibrateError::NoFits => f.write_str("no simulated data set was fitted"),
        }
    }
}

impl std::error::Error for CalibrateError {}

impl From<SimulateError> for CalibrateError {
    fn from(error: SimulateError) -> Self {
        CalibrateError::Simulate(error)
    }
}

impl From<DataError> for CalibrateError {
    fn from(error: DataError) -> Self {
        CalibrateError::Simulate(SimulateError::Data(error))
    }
}

impl Calibration {
    /// Every unknown global, and unknown locals of a few branches.
    pub fn quantities(&self) -> &[Quantity] {
        &self.quantities
    }

    /// For each simulation whether its fit's own verdict is good.
    pub fn believable(&self) -> &[bool] {
        &self.believable
    }

    /// Simulations that have no ranks, as their fit could not begin or its draws were not finite.
    pub fn n_failed(&self) -> usize {
        self.n_failed
    }

    /// Whether it was stopped before all simulations were done.
    pub fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    /// What is wrong, in sentences; nothing if no test finds fault.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<String> =
            self.quantities.iter().filter(|q| q.is_rejected).map(Quantity::reason).collect();
        let n = self.believable.len() + self.n_failed;
        if self.n_failed as f64 > MOST_FAILED * n as f64 {
            reasons
                .push(format!("{} of {n} simulated data sets could not be fitted", self.n_failed));
        }
        reasons
    }

    /// All ranks as CSV: one row a simulation.
    pub fn ranks_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let names = self.quantities.iter().map(|q| q.name.clone());
        let header = ["simulation", "believable"].map(String::from).into_iter().chain(names);
        writer.write_record(header).expect("memory takes a row");
        for (k, believable) in self.believable.iter().enumerate() {
            let first = [(k + 1).to_string(), u8::from(*believable).to_string()];
            let ranks = self.quantities.iter().map(|q| q.ranks[k].to_string());
            writer.write_record(first.into_iter().chain(ranks)).expect("rows of one width");
        }
        let bytes = writer.into_inner().expect("memory can be flushed");
        String::from_utf8(bytes).expect("names are text")
    }
}

impl Quantity {
    fn of(name: String, ranks: Vec<usize>, test: &UniformTest, level: f64) -> Quantity {
        let n = ranks.len() as f64;
        let within = |low: usize| {
            let inside = ranks.iter().filter(|&&rank| rank >= low && rank + low <= N_DRAWS);
            inside.count() as f64 / n
        };
        let (p_chi_square, p_ecdf) = (test.chi_square(&ranks), test.ecdf(&ranks));
        let sum: f64 = ranks.iter().map(|&rank| rank as f64 + 0.5).sum();
        Quantity {
            name,
            mean_rank: sum / n / (N_DRAWS + 1) as f64,
            coverage_50: within((N_DRAWS + 1) / 4),
            coverage_90: within((N_DRAWS + 1) / 20),
            is_rejected: p_ecdf < level || p_chi_square.is_some_and(|p| p < level),
            p_chi_square,
            p_ecdf,
            ranks,
        }
    }

    /// How the ranks differ from uniform ones, as far as mean and coverage tell.
    fn reason(&self) -> String {
        let n = self.ranks.len() as f64;
        let shift = (self.mean_rank - 0.5) * (12.0 * n).sqrt();
        let spread = (self.coverage_50 - 0.5) / (0.25 / n).sqrt();
        let tails = (self.coverage_90 - 0.9) / (0.09 / n).sqrt();
        let width = if spread.abs() > tails.abs() { spread } else { tails };
        let how = match (shift.abs() > width.abs(), shift > 0.0, width > 0.0) {
            (true, true, _) => "its posteriors lie too low",
            (true, false, _) => "its posteriors lie too high",
            (false, _, true) => "its posteriors are too wide",
            (false, _, false) => "its posteriors are too narrow",
        };
        format!("the ranks of `{}` are not uniform: {how}", self.name)
    }
}

/// Draws data sets from `model` with the keys and covariates of `data`, fits each and ranks what
/// was drawn. `progress` may end it early; what was done by then counts.
///
/// # Errors
/// When a part of the model cannot be drawn, the data do not fit, or nothing was fitted.
pub fn calibrate(
    model: &CompiledModel,
    data: &Dataset,
    config: &CalibrateConfig,
    progress: &mut dyn FnMut(CalibrateStep) -> ControlFlow<()>,
) -> Result<Calibration, CalibrateError> {
    calibrate_with(model, data, config, progress, &|_| {})
}

/// The same, where `alter` may change the draws of each quantity.
fn calibrate_with(
    model: &CompiledModel,
    data: &Dataset,
    config: &CalibrateConfig,
    progress: &mut dyn FnMut(CalibrateStep) -> ControlFlow<()>,
    alter: &(dyn Fn(&mut [f64]) + Sync),
) -> Result<Calibration, CalibrateError> {
    check_generative(model)?;
    let simulator = Simulator::new(model, data, Terms::Own)?;
    let evaluator = model.evaluator(simulator.data())?;
    let ranked = Ranked::of(&evaluator);
    let one = |k: usize| simulation(&simulator, &evaluator, &ranked, config, alter, k);
    let width = config.fit.threads_of().unwrap_or_else(rayon::current_num_threads).max(1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(width).build().ok();
    let mut found = Found::default();
    for first in (0..config.simulations).step_by(width) {
        let batch = first..config.simulations.min(first + width);
        let run = || batch.into_par_iter().map(one).collect::<Vec<_>>();
        let outcomes = match &pool {
            Some(pool) => pool.install(run),
            None => run(),
        };
        for outcome in outcomes {
            found.take(outcome?);
        }
        let (rejected, simulations) = (found.rejected(), config.simulations);
        let done = first + width.min(simulations - first);
        let step = CalibrateStep { done, simulations, rejected };
        if found.is_interrupted || progress(step).is_break() {
            found.is_interrupted |= done < simulations;
            break;
        }
    }
    found.judge(ranked.names)
}

/// What one simulation came to.
enum Outcome {
    /// Its ranks, and whether the fit is believable.
    Ranks(Vec<usize>, bool),
    Failed,
    Interrupted,
}

#[derive(Default)]
struct Found {
    ranks: Vec<Vec<usize>>,
    believable: Vec<bool>,
    n_failed: usize,
    is_interrupted: bool,
}

impl Found {
    fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Ranks(ranks, believable) => {
                self.ranks.push(ranks);
                self.believable.push(believable);
            }
            Outcome::Failed => self.n_failed += 1,
            Outcome::Interrupted => self.is_interrupted = true,
        }
    }

    fn rejected(&self) -> usize {
        self.believable.iter().filter(|believable| !**believable).count()
    }

    fn judge(self, names: Vec<String>) -> Result<Calibration, CalibrateError> {
        let Found { ranks, believable, n_failed, is_interrupted } = self;
        if ranks.is_empty() {
            return Err(CalibrateError::NoFits);
        }
        let test = UniformTest::new(ranks.len(), N_DRAWS);
        // Bonferroni, over two tests of each quantity.
        let level = FALSE_ALARM / (2 * names.len().max(1)) as f64;
        let quantity = |(at, name): (usize, String)| {
            Quantity::of(name, ranks.iter().map(|ranks| ranks[at]).collect(), &test, level)
        };
        let quantities = names.into_iter().enumerate().map(quantity).collect();
        Ok(Calibration { quantities, believable, n_failed, is_interrupted })
    }
}

/// What is ranked, and where it lies among what is reported.
struct Ranked {
    names: Vec<String>,
    globals: Vec<usize>,
    branches: Vec<usize>,
    locals: Vec<usize>,
}

impl Ranked {
    fn of(evaluator: &Evaluator) -> Ranked {
        let unknowns = |layout: &ParamLayout| -> Vec<(String, usize)> {
            let unknowns = layout.variables().iter().filter(|variable| variable.is_unknown);
            unknowns.flat_map(Variable::elements).collect()
        };
        let globals = unknowns(evaluator.reported_layout());
        let mut locals = unknowns(evaluator.reported_local_layout());
        locals.truncate(MOST_LOCALS);
        let n = evaluator.n_branches();
        let mut branches = vec![0, n / 2, n.saturating_sub(1)];
        branches.dedup();
        branches.truncate(MOST_BRANCHES.min(n));
        let mut names: Vec<String> = globals.iter().map(|(name, _)| name.clone()).collect();
        for &branch in &branches {
            let label = evaluator.data().branch_label(branch);
            names.extend(locals.iter().map(|(name, _)| format!("{name} ({label})")));
        }
        let places = |elements: Vec<(String, usize)>| elements.into_iter().map(|e| e.1).collect();
        Ranked { names, globals: places(globals), branches, locals: places(locals) }
    }

    /// True values in the order of the names.
    fn values(&self, globals: &[f64], locals: &[Vec<f64>]) -> Vec<f64> {
        let globals = self.globals.iter().map(|&at| globals[at]);
        let of_branch = |&branch: &usize| self.locals.iter().map(move |&at| locals[branch][at]);
        globals.chain(self.branches.iter().flat_map(of_branch)).collect()
    }

    /// Posterior draws in the order of the names; none where they are not finite.
    fn draws(&self, fit: &Fit) -> Option<Vec<Vec<f64>>> {
        let (globals, locals) = fit.independent_draws(N_DRAWS, &self.branches);
        let mut columns: Vec<Vec<f64>> =
            self.globals.iter().map(|&at| globals.column(at).to_vec()).collect();
        for locals in locals {
            let locals = locals?;
            columns.extend(self.locals.iter().map(|&at| locals.column(at).to_vec()));
        }
        columns.iter().flatten().all(|x| !x.is_nan()).then_some(columns)
    }
}

fn simulation(
    simulator: &Simulator,
    evaluator: &Evaluator,
    ranked: &Ranked,
    config: &CalibrateConfig,
    alter: &(dyn Fn(&mut [f64]) + Sync),
    k: usize,
) -> Result<Outcome, CalibrateError> {
    let mut stream = Stream::new(config.seed, Purpose::Calibrate, k, 0, 1);
    let seed = stream.bits();
    let (point, data) = simulator.draw(&SimulateConfig { seed, point: None })?;
    let mut evaluator = evaluator.with_data(data);
    let truth = evaluator.reported_at(&point);
    let truth = ranked.values(&truth.globals, &truth.locals);
    let fit = match fit_evaluator(evaluator, &config.fit.on_callers_threads(seed)) {
        Ok(fit) if fit.is_interrupted() => return Ok(Outcome::Interrupted),
        Ok(fit) => fit,
        Err(FitError::Interrupted) => return Ok(Outcome::Interrupted),
        Err(error) if error.is_of_data() => return Ok(Outcome::Failed),
        Err(error) => return Err(CalibrateError::Fit(error)),
    };
    let Some(mut draws) = ranked.draws(&fit) else { return Ok(Outcome::Failed) };
    let mut rank = |(truth, draws): (f64, &mut Vec<f64>)| {
        alter(draws);
        let below = draws.iter().filter(|draw| **draw < truth).count();
        let ties = draws.iter().filter(|draw| **draw == truth).count();
        below + stream.below(ties + 1)
    };
    let ranks = truth.into_iter().zip(&mut draws).map(&mut rank).collect();
    Ok(Outcome::Ranks(ranks, fit.verdict().believable))
}
