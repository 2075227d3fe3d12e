//! Posterior predictive check: whether the model's likelihood could have made the data.
//!
//! Outcomes of a sample of branches are drawn anew at draws of θ and zᵢ from the fit, and simple
//! quantities T of the data are held against those of the replicates (Gelman, Meng and Stern
//! 1996). An approximation can be perfect and the model wrong: this is what looks for that.

use super::Fit;
use super::quantities::{self, Cells, Finding};
use crate::data::BoundData;
use crate::infer::posterior::{self, Spread};
use crate::model::CompiledModel;
use crate::random::{Purpose, Stream};
use crate::simulate::{self, Outcomes, ToDraw};
use crate::target::Target;
use crate::ty::Level;

/// Replicated data sets.
pub(super) const REPLICATES: usize = 400;
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
    let is_of_branches = |&datum: &usize| {
        let declared = &data.schema().data[datum];
        declared.per_row || declared.level == Level::Branch
    };
    let drawn: Vec<usize> = outcomes.drawn.iter().copied().filter(is_of_branches).collect();
    let name = |&datum: &usize| data.schema().data[datum].name.clone();
    let mut skipped: Vec<String> = outcomes.undrawn.keys().map(name).collect();
    if drawn.is_empty() {
        return Predictive { skipped, ..Predictive::default() };
    }
    let branches = sample(data, fit.config.seed_of());
    let Some(replicated) = replicated(model, fit, &drawn, &branches) else {
        skipped.extend(drawn.iter().map(name));
        return Predictive { skipped, ..Predictive::default() };
    };
    let of_datum = |(k, datum): (usize, &usize)| {
        let (mut observed, mut cells) = (vec![], vec![]);
        for (branch, draws) in branches.iter().zip(&replicated) {
            let start = data.places(*datum, *branch).start;
            for (place, draws) in draws[k].iter().enumerate() {
                let place = start + place;
                if !data.is_empty_cell(*datum, place) && draws.iter().all(|x| x.is_finite()) {
                    observed.push(data.values(*datum)[place]);
                    cells.push(draws);
                }
            }
        }
        let replicate = |r: usize| cells.iter().map(|draws| draws[r]).collect();
        let replicated = (0..REPLICATES).map(replicate).collect();
        quantities::compare(&Cells { name: name(datum), observed, replicated })
    };
    let findings = drawn.iter().enumerate().flat_map(of_datum).collect();
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

/// For each branch and each outcome the draws of each of its values; `None` where some could not
/// be drawn.
fn replicated(
    model: &CompiledModel,
    fit: &Fit,
    drawn: &[usize],
    branches: &[usize],
) -> Option<Vec<Vec<Vec<Vec<f64>>>>> {
    let mut evaluator = fit.evaluator.clone();
    let data = fit.evaluator.data();
    let seed = fit.config.seed_of();
    let theta = fit.result.theta_draws(REPLICATES, seed);
    let guide = &fit.result.guide;
    let particles = posterior::particles(&mut evaluator, guide, &theta, REPLICATES);
    let globals = evaluator.unknown_globals(&theta, REPLICATES);
    let to_draw = ToDraw { drawn, kept: &[] };
    let outcomes = simulate::Predictive::new(model, data, to_draw, seed, &globals).ok()?;
    let n_local = evaluator.n_local();
    let layout = evaluator.reported_local_layout().clone();
    let of_branch = |branch: usize, draws: Option<&[f64]>| {
        let draws = draws?;
        let mut evaluator = evaluator.clone();
        let mut locals = Vec::with_capacity(REPLICATES);
        for (p, particle) in particles.iter().enumerate() {
            let z = &draws[p * n_local..(p + 1) * n_local];
            let reported = evaluator.reported_local(branch, &particle.shared, z);
            locals.push(layout.unknowns(reported));
        }
        let all = |&datum: &usize| (datum, (0..data.places(datum, branch).len()).collect());
        let wanted: Vec<(usize, Vec<usize>)> = drawn.iter().map(all).collect();
        outcomes.draws(branch, &locals, &wanted).ok()
    };
    let shards = &mut fit.shards();
    let parts = posterior::for_each_branch(
        shards,
        guide,
        &particles,
        branches,
        seed,
        Spread::Independent,
        of_branch,
    );
    parts.into_iter().collect()
}
