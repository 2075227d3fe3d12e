//! How much memory a fit will hold at its peak, from the sizes of model and data.
//!
//! The terms follow what the modules hold, copy by copy; a test beside the program holds their
//! sum to what runs really held. Small things are left out: the program's own constant has room
//! for them.

use super::branches::draws_per_branch;
use super::config::FitConfig;
use super::predictive::REPLICATES;
use super::saved::Observations;
use crate::data::{BoundData, DataError};
use crate::infer::config::{Covariance, Encoder, Family};
use crate::infer::estimate::chunk_size;
use crate::infer::pattern::Pattern;
use crate::infer::plan::Plan;
use crate::infer::shards::MAX_SHARDS;
use crate::memory::{MemoryNeed, show_size};
use crate::model::{CompiledModel, Evaluator};
use crate::target::Target;

/// What the program holds of the smallest fit: its own pages, the compiler's, stacks of threads.
const PROGRAM: usize = 40 << 20;
const NUMBER: usize = size_of::<f64>();
/// Guides that are alive at once: the one under way, two to fall back to, an average and what is measured.
const GUIDES: usize = 5;
/// Of each parameter Adam's two moments and a gradient.
const MOMENTS: usize = 3;
/// A checkpoint, or a saved posterior, is made in memory: as numbers or their texts, with a header, under a checksum.
const SAVED_COPIES: usize = 4;

/// Why a fit was not begun: what it would hold, and what it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryError {
    /// What it would hold.
    pub need: MemoryNeed,
    /// What it may, in bytes.
    pub limit: u64,
}

impl std::fmt::Display for MemoryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (total, limit) = (show_size(self.need.total()), show_size(self.limit));
        write!(f, "the fit would hold about {total}, and {limit} are allowed")?;
        for line in self.need.lines() {
            write!(f, "\n  {line}")?;
        }
        write!(f, "\n  help: {}", self.need.remedy())
    }
}

/// What fitting `model` to `data` with these settings, and writing the fit, will hold.
///
/// # Errors
/// When the model cannot be compiled for the data.
pub fn memory_need(
    model: &CompiledModel,
    data: &BoundData,
    config: &FitConfig,
) -> Result<MemoryNeed, DataError> {
    let evaluator = model.evaluator(data)?;
    let mut need = MemoryNeed::default();
    need.add("of the program itself", PROGRAM, 1, "");
    of_data(&mut need, data, config);
    let remedy = "fit fewer branches";
    need.add("of sums of data for each branch", evaluator.statistics_bytes(), 1, remedy);
    let remedy = "split branches with very many rows, which set the size of the work space";
    let what = format!("of work space, for up to {} rows at a time", data.max_rows());
    need.add(what, MAX_SHARDS + 2, evaluator.work_space_bytes(), remedy);
    of_guides(&mut need, &evaluator, config);
    of_draws(&mut need, &evaluator, config);
    if config.log_likelihood {
        of_log_likelihood(&mut need, model, &evaluator, config);
    }
    Ok(need)
}

fn of_data(need: &mut MemoryNeed, data: &BoundData, config: &FitConfig) {
    let remedy = "fit fewer rows, or keep covariates of items in a table and those of branches in \
                  a file of branches";
    let n_rows = data.n_rows_total();
    let what = format!("of data: {n_rows} rows of {} branches", data.n_branches());
    need.add(what, data.held_bytes(), 1, remedy);
    if config.holdout_branches.is_some() {
        let what = "of data once more, parted into branches to fit and to score";
        need.add(what, data.held_bytes(), 1, "score rows with --test instead of branches");
    }
    if config.holdout.is_some() {
        let what = "of weights that tell rows to fit from rows to score";
        need.add(what, n_rows, 3 * NUMBER, "score fewer rows with --test");
    }
    if let Some(test) = &config.test {
        need.add("of data to score", test.held_bytes(), 1, "score fewer rows");
    }
}

/// The approximation, in all its copies, and what moves it.
fn of_guides(need: &mut MemoryNeed, evaluator: &Evaluator, config: &FitConfig) {
    let (n_branches, n_local) = (evaluator.n_branches(), evaluator.n_local());
    let is_joint = config.engine.family == Family::Joint;
    let (n, core) = match is_joint && config.engine.covariance() == Covariance::Dense {
        true => {
            let n = evaluator.n_global() + n_branches * n_local;
            (n, n)
        }
        false => {
            let n = evaluator.n_global();
            (n, Pattern::new(n, &evaluator.global_variables()).core)
        }
    };
    // Two triangles, dense in their first columns.
    let triangle = n * (core + 1) - core * core / 2;
    let numbers = GUIDES * 2 * triangle + (MOMENTS + SAVED_COPIES) * triangle;
    let what = format!("of the approximation of {n} globals");
    need.add(
        what,
        numbers,
        NUMBER,
        "give fewer effects to the globals: make the grouping with most levels the branch",
    );
    let centres = n_branches * n_local * (1 + SAVED_COPIES);
    need.add("of where each branch has its mode", centres, NUMBER, "fit fewer branches");
    let own = match (config.engine.family, config.engine.encoder) {
        (Family::Amortized, Encoder::Newton | Encoder::Sites | Encoder::Pooled) => 0,
        _ => n_local * (1 + n_local + evaluator.n_global()) + n_local * (1 + n_local),
    };
    let what = "of an approximation for each branch by itself";
    let copies = GUIDES + MOMENTS + SAVED_COPIES;
    need.add(what, n_branches * own, copies * NUMBER, "fit with --family amortized");
}

/// Draws of θ, and what is made of them.
fn of_draws(need: &mut MemoryNeed, evaluator: &Evaluator, config: &FitConfig) {
    let (n, n_reported) = (evaluator.n_global(), evaluator.reported_layout().len());
    let what = format!("of {} draws of the globals", config.draws);
    // Unconstrained, and on the scale that is reported.
    need.add(what, config.draws, (n + n_reported) * NUMBER, "ask for fewer --draws");
    let plan = Plan::new(evaluator, &config.engine);
    let weighted = if plan.weigh { plan.weight_draws } else { 0 };
    need.add("of draws that are weighed", weighted, n * NUMBER, "ask for fewer --draws");
    // A draw with its noise, once more whitened, and what branches read of it.
    let particle = 3 * n + evaluator.n_shared();
    let n_branches = evaluator.n_branches();
    let at_once = draws_per_branch(n_branches)
        .max(chunk_size(evaluator))
        .max(REPLICATES)
        .max(config.engine.particles.unwrap_or(0));
    let remedy = "give fewer effects to the globals: branches read all of them at each draw";
    need.add("of draws at which branches are summarised", at_once, particle * NUMBER, remedy);
    // Adjoints of what branches read, of each shard and particle.
    let particles = config.engine.particles.unwrap_or(16);
    let adjoints = MAX_SHARDS * particles * evaluator.n_shared();
    need.add("of gradients in the globals", adjoints, NUMBER, "ask for fewer --particles");
}

fn of_log_likelihood(
    need: &mut MemoryNeed,
    model: &CompiledModel,
    evaluator: &Evaluator,
    config: &FitConfig,
) {
    let n = Observations::of(model, evaluator).len();
    let draws = super::saved::affordable(config.draws, evaluator.reported_layout().len() + n);
    let what = format!("of the log likelihood of {n} observations at {draws} draws");
    // Branch by branch, draw by draw, and chain by chain.
    need.add(what, draws * n, 3 * NUMBER, "fit without --log-likelihood, or ask for fewer --draws");
}
