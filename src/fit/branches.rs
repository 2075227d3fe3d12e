//! The locals of every branch, summarised without keeping draws.

use super::Fit;
use super::summary::SummaryRow;
use crate::infer::posterior;
use crate::model::Variable;
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

/// Draws the locals of each branch in turn and summarises them.
pub fn summarise(fit: &Fit) -> BranchSummaries {
    let mut evaluator = fit.evaluator.clone();
    let n_branches = evaluator.n_branches();
    let count = (BUDGET / n_branches.max(1)).clamp(MIN_DRAWS, MAX_DRAWS);
    let seed = fit.config.seed_of();
    let guide = &fit.result.guide;
    let theta = fit.result.theta_draws(count, seed);
    let particles = posterior::particles(&mut evaluator, guide, &theta, count);
    let variables = evaluator.reported_local_layout().variables();
    let elements: Vec<(String, usize)> = variables.iter().flat_map(Variable::elements).collect();
    let n_local = evaluator.n_local();
    let all: Vec<usize> = (0..n_branches).collect();
    let branches = posterior::for_each_branch(
        &mut fit.shards(),
        guide,
        &particles,
        &all,
        seed,
        1,
        |branch, draws| {
            let draws = draws?;
            let mut evaluator = evaluator.clone();
            let mut columns = vec![Vec::with_capacity(count); elements.len()];
            for (p, particle) in particles.iter().enumerate() {
                let z = &draws[p * n_local..(p + 1) * n_local];
                let reported = evaluator.reported_local(branch, &particle.shared, z);
                for (column, (_, position)) in columns.iter_mut().zip(&elements) {
                    column.push(reported[*position]);
                }
            }
            let row = |((name, _), column): (&(String, usize), &mut Vec<f64>)| {
                SummaryRow::of(name.clone(), column)
            };
            Some(LocalSummary { rows: elements.iter().zip(&mut columns).map(row).collect() })
        },
    );
    let names = elements.into_iter().map(|(name, _)| name).collect();
    BranchSummaries { names, branches, draws: count }
}
