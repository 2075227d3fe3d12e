//! The locals of every branch, summarised without keeping draws, which are stratified.

use super::Fit;
use super::summary::SummaryRow;
use crate::infer::elbo::Guide;
use crate::infer::posterior::{self, Spread};
use crate::infer::shards::Shards;
use crate::infer::worker::Particle;
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

/// Branches that are summarised before any is shown, by the numbers of their summaries.
const BLOCK: usize = 100_000;

/// Draws the locals of each branch of a fit in turn and summarises them.
pub fn summarise(fit: &Fit) -> BranchSummaries {
    let summariser = Summariser::of_fit(fit);
    let all: Vec<usize> = (0..fit.evaluator.n_branches()).collect();
    summariser.summarise(&mut fit.shards(), &all, |_, _| ()).0
}

/// Shows `visit` the summary of each branch of a fit, none where draws are not finite, and keeps few
/// of them.
///
/// # Errors
/// The first of `visit`.
pub fn for_each<E>(
    fit: &Fit,
    mut visit: impl FnMut(usize, Option<&LocalSummary>) -> Result<(), E>,
) -> Result<(), E> {
    let (summariser, shards) = (Summariser::of_fit(fit), &mut fit.shards());
    let all: Vec<usize> = (0..fit.evaluator.n_branches()).collect();
    for block in all.chunks((BLOCK / summariser.elements.len().max(1)).max(1)) {
        let (summaries, _) = summariser.summarise(shards, block, |_, _| ());
        for (&branch, summary) in block.iter().zip(summaries.branches()) {
            visit(branch, summary.as_ref())?;
        }
    }
    Ok(())
}

/// Draws of θ, and what of the locals of a branch is summarised at them.
pub struct Summariser<'a> {
    evaluator: &'a Evaluator,
    guide: &'a Guide,
    particles: Vec<Particle>,
    /// Name and position of each element.
    elements: Vec<(String, usize)>,
    seed: u64,
}

impl<'a> Summariser<'a> {
    /// For any evaluator, given `count` draws of θ, one row each.
    pub fn new(
        evaluator: &'a Evaluator,
        guide: &'a Guide,
        theta: &[f64],
        count: usize,
        seed: u64,
    ) -> Self {
        let particles = posterior::particles(&mut evaluator.clone(), guide, theta, count);
        let variables = evaluator.reported_local_layout().variables();
        let elements = variables.iter().flat_map(Variable::elements).collect();
        Summariser { evaluator, guide, particles, elements, seed }
    }

    fn of_fit(fit: &'a Fit) -> Self {
        let count = draws_per_branch(fit.evaluator.n_branches());
        let seed = fit.config.seed_of();
        let theta = fit.result.theta_draws(count, seed);
        Summariser::new(&fit.evaluator, &fit.result.guide, &theta, count, seed)
    }

    /// Summaries of these branches. `observe` sees what is reported of a branch at each draw, and
    /// gives something besides.
    pub fn summarise<A: Send>(
        &self,
        shards: &mut Shards<Evaluator>,
        branches: &[usize],
        observe: impl Fn(usize, &[Vec<f64>]) -> A + Sync,
    ) -> (BranchSummaries, Vec<Option<A>>) {
        let Summariser { evaluator, guide, particles, elements, seed } = self;
        let n_local = evaluator.n_local();
        let of_branch = |branch: usize, draws: Option<&[f64]>| {
            let draws = draws?;
            let mut evaluator = (*evaluator).clone();
            let mut reported = Vec::with_capacity(particles.len());
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
        };
        let found = posterior::for_each_branch(
            shards,
            guide,
            particles,
            branches,
            *seed,
            Spread::Stratified,
            of_branch,
        );
        let (branches, observed) = found.into_iter().map(Option::unzip).unzip();
        let names = elements.iter().map(|(name, _)| name.clone()).collect();
        (BranchSummaries { names, branches, draws: particles.len() }, observed)
    }
}
