//! Posterior predictive check: whether the model's likelihood could have made the data.
//!
//! Outcomes of a sample of branches are drawn anew at draws of θ and zᵢ from the fit, and simple
//! quantities T of the data are held against those of the replicates (Gelman, Meng and Stern
//! 1996). An approximation can be perfect and the model wrong: this is what looks for that.

use rayon::prelude::*;

use super::Fit;
use super::quantities::{self, Cells, Finding};
use crate::data::BoundData;
use crate::infer::posterior;
use crate::model::{CompiledModel, Evaluator, ParamLayout};
use crate::random::{Purpose, Stream};
use crate::simulate::Outcomes;
use crate::target::Target;

/// Replicated data sets.
const REPLICATES: usize = 400;
/// They are drawn in this many parts, whatever the number of threads.
const PARTS: usize = 8;
/// Branches and rows that are drawn at most; a single branch may have more rows.
const MOST_BRANCHES: usize = 100;
const MOST_ROWS: usize = 1000;

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictive {
    /// Every quantity that was looked at.
    pub findings: Vec<Finding>,
    /// Outcomes that could not be looked at, by name.
    pub skipped: Vec<String>,
    /// Whether there was any outcome to look at.
    pub is_made: bool,
}

impl Predictive {
    /// What could not be checked, if anything.
    pub(super) fn note(&self) -> Option<String> {
        match (self.is_made, self.skipped.as_slice()) {
            (true, []) => None,
            (false, []) => Some(
                "the likelihood was not checked against replicated data: outcomes in `target +=` \
                 cannot be drawn"
                    .to_string(),
            ),
            (_, skipped) => Some(format!(
                "the likelihood of `{}` was not checked against replicated data: the model reads \
                 its values in another way too",
                skipped.join("`, `")
            )),
        }
    }
}

/// Draws replicates of a fit and compares. Nothing is found where nothing can be drawn.
pub(super) fn check(model: &CompiledModel, fit: &Fit) -> Predictive {
    let data = fit.evaluator.data();
    let outcomes = Outcomes::of(model);
    let name = |&datum: &usize| data.schema().data[datum].name.clone();
    let skipped = outcomes.given.iter().map(name).collect();
    if outcomes.drawn.is_empty() {
        return Predictive { skipped, ..Predictive::default() };
    }
    let branches = sample(data, fit.config.seed_of());
    let Some(replicates) = replicates(model, fit, &outcomes, &branches) else {
        let skipped = outcomes.drawn.iter().chain(&outcomes.given).map(name).collect();
        return Predictive { skipped, ..Predictive::default() };
    };
    let of_datum = |(k, &datum): (usize, &usize)| {
        let declared = &data.schema().data[datum];
        let drawn: Vec<&Vec<f64>> = replicates.iter().map(|r| &r[k]).collect();
        let observed = cells(data, datum, &branches);
        let is_there = |at: &usize| {
            let place = observed[*at];
            !data.is_empty_cell(datum, place) && drawn.iter().all(|values| values[*at].is_finite())
        };
        let kept: Vec<usize> = (0..observed.len()).filter(is_there).collect();
        let cells = Cells {
            name: declared.name.clone(),
            observed: kept.iter().map(|&at| data.values(datum)[observed[at]]).collect(),
            replicated: drawn.iter().map(|v| kept.iter().map(|&at| v[at]).collect()).collect(),
        };
        quantities::compare(&cells)
    };
    let findings = outcomes.drawn.iter().enumerate().flat_map(of_datum).collect();
    Predictive { findings, skipped, is_made: true }
}

/// Some branches with rows, in order.
fn sample(data: &BoundData, seed: u64) -> Vec<usize> {
    let has_rows = |&branch: &usize| !data.rows(branch).is_empty();
    let mut branches: Vec<usize> = (0..data.n_branches()).filter(has_rows).collect();
    Stream::new(seed, Purpose::Shuffle, usize::MAX - 2, 0, 0).shuffle(&mut branches);
    let (mut n_rows, mut count) = (0, 0);
    for &branch in branches.iter().take(MOST_BRANCHES) {
        n_rows += data.rows(branch).len();
        if count > 0 && n_rows > MOST_ROWS {
            break;
        }
        count += 1;
    }
    branches.truncate(count);
    branches.sort_unstable();
    branches
}

/// The places of a datum's values in these branches.
fn cells(data: &BoundData, datum: usize, branches: &[usize]) -> Vec<usize> {
    let declared = &data.schema().data[datum];
    let inner = data.inner(datum);
    if data.values(datum).len() == inner && data.n_branches() > 1 {
        return (0..inner).collect();
    }
    let range = |&branch: &usize| match declared.per_row {
        true => data.rows(branch).start * inner..data.rows(branch).end * inner,
        false => branch * inner..(branch + 1) * inner,
    };
    branches.iter().flat_map(range).collect()
}

/// For each replicate and each outcome its values in these branches; `None` where some could
/// not be drawn.
fn replicates(
    model: &CompiledModel,
    fit: &Fit,
    outcomes: &Outcomes,
    branches: &[usize],
) -> Option<Vec<Vec<Vec<f64>>>> {
    let mut evaluator = fit.evaluator.clone();
    let seed = fit.config.seed_of();
    let theta = fit.result.theta_draws(REPLICATES, seed);
    let guide = &fit.result.guide;
    let particles = posterior::particles(&mut evaluator, guide, &theta, REPLICATES);
    let n_local = evaluator.n_local();
    let unknown_locals = unknowns(evaluator.reported_local_layout());
    let locals: Vec<Option<Vec<Vec<f64>>>> = posterior::for_each_branch(
        &mut fit.shards(),
        guide,
        &particles,
        branches,
        seed,
        1,
        |branch, draws| {
            let draws = draws?;
            let mut evaluator = evaluator.clone();
            let constrained = |(p, particle): (usize, &_)| {
                let particle: &crate::infer::local::Particle = particle;
                let z = &draws[p * n_local..(p + 1) * n_local];
                let reported = evaluator.reported_local(branch, &particle.shared, z);
                unknown_locals.iter().map(|&at| reported[at]).collect()
            };
            Some(particles.iter().enumerate().map(constrained).collect())
        },
    );
    let locals: Vec<Vec<Vec<f64>>> = locals.into_iter().collect::<Option<_>>()?;
    let globals = constrained_globals(&mut evaluator, &theta);
    let data = fit.evaluator.data();
    let part = |part: usize| -> Option<Vec<Vec<Vec<f64>>>> {
        let size = REPLICATES / PARTS;
        let unknowns = (part * size..(part + 1) * size).map(|r| {
            let own = branches.iter().zip(&locals).map(|(&b, draws)| (b, draws[r].clone()));
            (r, globals[r].clone(), own.collect())
        });
        let mut all = Vec::with_capacity(size);
        let take = |_: usize, drawn: &std::collections::BTreeMap<usize, Vec<f64>>| {
            let of = |(&datum, values): (&usize, &Vec<f64>)| {
                cells(data, datum, branches).into_iter().map(|place| values[place]).collect()
            };
            all.push(drawn.iter().map(of).collect());
        };
        outcomes.replicate(model, data, seed, unknowns, take).ok()?;
        Some(all)
    };
    let run = || (0..PARTS).into_par_iter().map(part).collect::<Option<Vec<_>>>();
    let pool = fit
        .config
        .engine
        .threads
        .and_then(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().ok());
    let parts = match pool {
        Some(pool) => pool.install(run),
        None => run(),
    };
    Some(parts?.into_iter().flatten().collect())
}

/// Where the elements of unknowns lie among what is reported.
fn unknowns(layout: &ParamLayout) -> Vec<usize> {
    let variables = layout.variables().iter().filter(|variable| variable.is_unknown);
    variables.flat_map(|variable| variable.range.clone()).collect()
}

fn constrained_globals(evaluator: &mut Evaluator, theta: &[f64]) -> Vec<Vec<f64>> {
    let places = unknowns(evaluator.reported_layout());
    let n = evaluator.n_global();
    (0..REPLICATES)
        .map(|r| {
            let reported = evaluator.reported(&theta[r * n..(r + 1) * n]);
            places.iter().map(|&at| reported[at]).collect()
        })
        .collect()
}
