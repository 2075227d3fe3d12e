//! The score of data that are kept out of a fit: rows, whole branches, or a file of their own.

use std::collections::HashMap;

use super::saved::rows_with_outcome;
use super::{Fit, FitConfig};
use crate::data::{BoundData, DataError};
use crate::infer::elbo::Guide;
use crate::infer::posterior;
use crate::infer::score::{self, ScoreDraws};
use crate::infer::shards::Shards;
use crate::model::{CompiledModel, Evaluator};
use crate::target::Target;

/// The log likelihood of data that were not fitted, branch by branch.
#[derive(Clone, Debug)]
pub struct Scores {
    branches: Vec<BranchScore>,
    total: Score,
    seen: Option<Score>,
    new: Option<Score>,
}

/// A log likelihood of several branches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The sum over branches, in nats.
    pub log_likelihood: f64,
    /// Its Monte Carlo error.
    pub se: f64,
    /// Rows that were scored: those with an outcome.
    pub n_rows: usize,
    /// Branches that have them.
    pub n_branches: usize,
}

/// The log likelihood of what was not fitted of a branch.
#[derive(Clone, Debug, PartialEq)]
pub struct BranchScore {
    /// The components of its key.
    pub key: Vec<String>,
    /// Whether no part of it was fitted.
    pub is_new: bool,
    /// Rows that were scored.
    pub n_rows: usize,
    /// In nats, given the branch's rows that were fitted; minus infinity where no draw from the
    /// posterior allows the data.
    pub log_likelihood: f64,
    /// Its Monte Carlo error.
    pub se: f64,
}

impl Scores {
    /// One for each branch with rows to score: those that were fitted, then new ones.
    pub fn branches(&self) -> &[BranchScore] {
        &self.branches
    }

    /// All of them.
    pub fn total(&self) -> Score {
        self.total
    }

    /// Rows of branches that were fitted.
    pub fn seen(&self) -> Option<Score> {
        self.seen
    }

    /// Branches that were not.
    pub fn new_ones(&self) -> Option<Score> {
        self.new
    }
}

/// What is fitted of the data, and what is scored besides held-out rows.
pub(super) struct Split {
    pub(super) fitted: BoundData,
    /// Whole new branches.
    new: Option<BoundData>,
    /// Other rows of branches that are fitted, and which of their branches is which of ours.
    others: Option<(BoundData, Vec<(usize, usize)>)>,
}

impl Split {
    /// As the settings say.
    ///
    /// # Errors
    /// When no branch can be left out, what is left does not fit the model, or other rows of
    /// fitted branches cannot be scored.
    pub(super) fn of(
        model: &CompiledModel,
        data: &BoundData,
        config: &FitConfig,
    ) -> Result<Split, DataError> {
        let mut split = Split { fitted: data.clone(), new: None, others: None };
        if let Some(fraction) = config.holdout_branches {
            let (kept, out) = data.hold_out_branches(fraction, config.seed_of())?;
            split.fitted = model.schema().part(data, &kept, None)?;
            split.new = Some(model.schema().part(data, &out, Some(&split.fitted))?);
        }
        if let Some(test) = &config.test {
            split.add_test(model, test)?;
        }
        Ok(split)
    }

    fn add_test(&mut self, model: &CompiledModel, test: &BoundData) -> Result<(), DataError> {
        if model.likelihood_is_by_rows() && !rows_with_outcome(model, test).contains(&true) {
            return Err(test.refuse_nothing_to_score());
        }
        let fitted = &self.fitted;
        // Without a key each row is a branch of its own, and row 1 here is not row 1 there.
        let known: HashMap<Vec<&str>, usize> = match fitted.schema().key.is_empty() {
            true => HashMap::new(),
            false => (0..fitted.n_branches()).map(|branch| (fitted.key(branch), branch)).collect(),
        };
        let with_rows = (0..test.n_branches()).filter(|&branch| !test.rows(branch).is_empty());
        let (mut pairs, mut new) = (Vec::new(), Vec::new());
        for branch in with_rows {
            match known.get(&test.key(branch)) {
                Some(&own) => pairs.push((own, branch)),
                None => new.push(branch),
            }
        }
        if let (Some(span), false) = (model.term_of_all_rows(), pairs.is_empty()) {
            return Err(test.refuse_seen(span));
        }
        if !new.is_empty() {
            self.new = Some(model.schema().part(test, &new, Some(fitted))?);
        }
        if !pairs.is_empty() {
            self.others = Some((test.clone(), pairs));
        }
        Ok(())
    }

    /// Scores what was kept out of `fit`; nothing if that is nothing.
    ///
    /// # Errors
    /// When arrays of these sizes do not fit in memory.
    pub(super) fn score(
        &self,
        model: &CompiledModel,
        fit: &Fit,
    ) -> Result<Option<Scores>, DataError> {
        let evaluator = &fit.evaluator;
        let is_cut = (0..evaluator.n_branches()).any(|branch| evaluator.n_held_out(branch) > 0);
        if !is_cut && self.new.is_none() && self.others.is_none() {
            return Ok(None);
        }
        let new = self.new.as_ref().map(|data| model.evaluator(data)).transpose()?;
        let others = match &self.others {
            Some((data, pairs)) => {
                let nothing_fitted = Some(vec![0.0; data.n_rows_total()]);
                Some((model.evaluator_with_held_out(data, nothing_fitted)?, pairs))
            }
            None => None,
        };
        let scorer = Scorer::new(fit, new.as_ref());
        let all = |evaluator: &Evaluator| n_scored(model, evaluator, |_| true);
        let seen = match &others {
            Some((evaluator, pairs)) => scorer.others(evaluator, pairs, &all(evaluator)),
            None => scorer.held_out(&n_scored(model, evaluator, |row| !evaluator.is_fitted(row))),
        };
        let new = new.as_ref().map(|evaluator| scorer.new_ones(evaluator, &all(evaluator)));
        Ok(Some(scorer.gather(seen, new)))
    }
}

/// For each branch how many of its rows `is_scored` and have an outcome, as far as terms are of rows.
fn n_scored(
    model: &CompiledModel,
    evaluator: &Evaluator,
    is_scored: impl Fn(usize) -> bool,
) -> Vec<usize> {
    let data = evaluator.data();
    let by_rows = model.likelihood_is_by_rows();
    let has_outcome = by_rows.then(|| rows_with_outcome(model, data));
    let counts = |row: &usize| {
        is_scored(*row) && has_outcome.as_ref().is_none_or(|has_outcome| has_outcome[*row])
    };
    (0..data.n_branches()).map(|branch| data.rows(branch).filter(counts).count()).collect()
}

/// Scores of the engine, and what is known of the branches: key, whether new, rows.
type Part = (score::Scores, Vec<(Vec<String>, usize)>);

/// Draws of θ, and all that is scored on them.
struct Scorer<'a> {
    fit: &'a Fit,
    draws: ScoreDraws,
    seed: u64,
}

impl<'a> Scorer<'a> {
    fn new(fit: &'a Fit, new: Option<&Evaluator>) -> Self {
        let seed = fit.config.seed_of();
        let data = [Some(&fit.evaluator), new].into_iter().flatten().map(Evaluator::data);
        let (n_rows, n_branches) = data.fold((0, 0), |(rows, branches), data| {
            (rows + data.n_rows_total(), branches + data.n_branches())
        });
        let count = score::n_draws(n_rows, n_branches);
        let (theta, units) = fit.result.theta_draws_with_units(count, seed);
        let (guide, mut evaluator) = (&fit.result.guide, fit.evaluator.clone());
        let particles = posterior::particles(&mut evaluator, guide, &theta, count);
        Scorer { fit, draws: ScoreDraws { particles, units }, seed }
    }

    /// Rows that the evaluator of the fit holds out, so many in each branch.
    fn held_out(&self, n_rows: &[usize]) -> Part {
        let evaluator = &self.fit.evaluator;
        let (guide, mut shards) = (&self.fit.result.guide, self.fit.shards());
        let branches: Vec<usize> = (0..n_rows.len()).filter(|&b| n_rows[b] > 0).collect();
        let rows = || {
            let mut evaluator = evaluator.clone();
            move |branch: usize, shared: &[f64], z: &[f64]| evaluator.held_out(branch, shared, z)
        };
        let scores = score::held_out(&mut shards, guide, &self.draws, &branches, self.seed, rows);
        (scores, about(evaluator.data(), &branches, n_rows))
    }

    /// Rows of other data, so many in each branch, given those of the same branches that were
    /// fitted.
    fn others(&self, others: &Evaluator, pairs: &[(usize, usize)], n_rows: &[usize]) -> Part {
        let (guide, mut shards) = (&self.fit.result.guide, self.fit.shards());
        let with_rows = pairs.iter().copied().filter(|&(_, other)| n_rows[other] > 0);
        let (own, of_others): (Vec<usize>, Vec<usize>) = with_rows.unzip();
        let other_of: HashMap<usize, usize> = pairs.iter().copied().collect();
        let rows = || {
            let mut others = others.clone();
            let other_of = &other_of;
            move |own: usize, shared: &[f64], z: &[f64]| others.held_out(other_of[&own], shared, z)
        };
        let scores = score::held_out(&mut shards, guide, &self.draws, &own, self.seed, rows);
        (scores, about(others.data(), &of_others, n_rows))
    }

    /// Whole branches that were not fitted, with so many rows.
    fn new_ones(&self, evaluator: &Evaluator, n_rows: &[usize]) -> Part {
        let fitted = &self.fit.result.guide;
        let guide = Guide {
            global: fitted.global.clone(),
            local: fitted.local.for_new_branches(),
            samples: fitted.samples,
        };
        let mut shards = Shards::new(evaluator, self.fit.config.engine.threads);
        let data = evaluator.data();
        // Without rows a branch may still have an outcome of its own.
        let is_scored = |&branch: &usize| n_rows[branch] > 0 || data.rows(branch).is_empty();
        let branches: Vec<usize> = (0..n_rows.len()).filter(is_scored).collect();
        let scores = score::new_branches(&mut shards, &guide, &self.draws, &branches, self.seed);
        (scores, about(data, &branches, n_rows))
    }

    fn gather(&self, seen: Part, new: Option<Part>) -> Scores {
        let sum = |(scores, about): &Part| {
            let (log_likelihood, se) = scores.total(&self.draws);
            let n_rows = about.iter().map(|(_, n_rows)| n_rows).sum();
            Score { log_likelihood, se, n_rows, n_branches: about.len() }
        };
        let of_seen = Some(sum(&seen)).filter(|score| score.n_branches > 0);
        let of_new = new.as_ref().map(sum);
        let mut branches = Vec::new();
        let mut all = seen.clone();
        add(&mut branches, seen, false);
        if let Some(new) = new {
            all.0.join(&new.0);
            all.1.extend(new.1.iter().cloned());
            add(&mut branches, new, true);
        }
        Scores { branches, total: sum(&all), seen: of_seen, new: of_new }
    }
}

fn add(branches: &mut Vec<BranchScore>, (scores, about): Part, is_new: bool) {
    for (score, (key, n_rows)) in scores.branches.iter().zip(about) {
        let (log_likelihood, se) = (score.log_likelihood, score.se);
        branches.push(BranchScore { key, is_new, n_rows, log_likelihood, se });
    }
}

/// Key and scored rows of these branches.
fn about(data: &BoundData, branches: &[usize], n_rows: &[usize]) -> Vec<(Vec<String>, usize)> {
    let key = |branch: usize| data.key(branch).into_iter().map(String::from).collect();
    branches.iter().map(|&branch| (key(branch), n_rows[branch])).collect()
}
