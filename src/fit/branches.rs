//! The locals of every branch, summarised without keeping draws, which are stratified.

use super::Fit;
use super::summary::SummaryRow;
use crate::infer::elbo::Guide;
use crate::infer::posterior::{self, Spread};
use crate::infer::shards::Shards;
use crate::model::{Evaluator, Variable};
use crate::target::Target;

/// Draws per branch for small problems, and at least for large ones.
const MAX_DRAWS: usize = 2000;
const MIN_DRAWS: usize = 200;
/// Draws of all branches together that are thought affordable.
const BUDGET: usize = 300_000;

/// Summaries of the locals of all branches.
#[derive(Clone, Debug)]
pub struct BranchSummaries {
    names: Vec<String>,
    branches: Vec<Option<LocalSummary>>,
    draws: usize,
}

/// The locals of one branch.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalSummary {
    /// One row for each element, in the order of [`BranchSummaries::names`].
    pub rows: Vec<SummaryRow>,
}

impl BranchSummaries {
    /// The elements of locals and derived locals: `b[1]`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// One for each branch in the order of the keys; none where draws were not finite.
    pub fn branches(&self) -> &[Option<LocalSummary>] {
        &self.branches
    }

    /// How many draws each rests on.
    pub fn draws(&self) -> usize {
        self.draws
    }
}

/// How many draws each of so many branches is summarised by.
pub fn draws_per_branch(n_branches: usize) -> usize {
    (BUDGET / n_branches.max(1)).clamp(MIN_DRAWS, MAX_DRAWS)
}

/// Draws the locals of each branch of a fit in turn and summarises them.
pub fn summarise(fit: &Fit) -> BranchSummaries {
    let count = draws_per_branch(fit.evaluator.n_branches());
    let seed = fit.config.seed_of();
    let theta = fit.result.theta_draws(count, seed);
    let (guide, shards) = (&fit.result.guide, &mut fit.shards());
    summarise_with(&fit.evaluator, shards, guide, &theta, count, seed, |_, _| ()).0
}

/// The same for any evaluator, given `count` draws of θ. `observe` sees what is reported of a
/// branch at each draw, and gives something besides.
pub fn summarise_with<A: Send>(
    evaluator: &Evaluator,
    shards: &mut Shards<Evaluator>,
    guide: &Guide,
    theta: &[f64],
    count: usize,
    seed: u64,
    observe: impl Fn(usize, &[Vec<f64>]) -> A + Sync,
) -> (BranchSummaries, Vec<Option<A>>) {
    let particles = posterior::particles(&mut evaluator.clone(), guide, theta, count);
    let variables = evaluator.reported_local_layout().variables();
    let elements: Vec<(String, usize)> = variables.iter().flat_map(Variable::elements).collect();
    let n_local = evaluator.n_local();
    let all: Vec<usize> = (0..evaluator.n_branches()).collect();
    let found = posterior::for_each_branch(
        shards,
        guide,
        &particles,
        &all,
        seed,
        Spread::Stratified,
        |branch, draws| {
            let draws = draws?;
            let mut evaluator = evaluator.clone();
            let mut reported = Vec::with_capacity(count);
            for (p, particle) in particles.iter().enumerate() {
                let z = &draws[p * n_local..(p + 1) * n_local];
                reported.push(evaluator.reported_local(branch, &particle.shared, z).to_vec());
            }
            let row = |(name, position): &(String, usize)| {
                let mut column: Vec<f64> = reported.iter().map(|draw| draw[*position]).collect();
                SummaryRow::of(name.clone(), &mut column)
            };
            let summary = LocalSummary { rows: elements.iter().map(row).collect() };
            Some((summary, observe(branch, &reported)))
        },
    );
    let (branches, observed) = found.into_iter().map(Option::unzip).unzip();
    let names = elements.into_iter().map(|(name, _)| name).collect();
    (BranchSummaries { names, branches, draws: count }, observed)
}
