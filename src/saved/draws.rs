//! Draws of the globals, and of the locals of one branch of the fit.

use std::path::Path;

use super::{SavedError, SavedFit, key};
use crate::data::{BoundData, Dataset};
use crate::fit::Draws;
use crate::infer::posterior::{self, BranchSampler, Spread};
use crate::model::Evaluator;

impl SavedFit {
    /// As [`SavedFit::draws`], with a seed of one's own.
    pub fn draws_with(&self, count: usize, seed: u64) -> Draws {
        let theta = self.contents.theta_draws(count, seed);
        let mut evaluator = self.without_branches().expect("it was made when the fit was opened");
        Draws::of_globals(&mut evaluator, &theta, count)
    }

    /// The model without any branch, which is enough for the globals.
    pub(super) fn without_branches(&self) -> Result<Evaluator, SavedError> {
        let schema = self.model.schema().columns();
        Ok(self.model.evaluator(&self.contents.facts.fixed.without_branches(schema))?)
    }

    /// `count` draws of the locals and derived locals of a branch of the fit, named by its key:
    /// `a=1,b=2`, or the plain value where the key is one column. The rows of the fit are read
    /// again.
    ///
    /// # Errors
    /// When the data are gone or have changed, or there is no such branch.
    pub fn branch_draws(&self, key: &str, count: usize, seed: u64) -> Result<Draws, SavedError> {
        self.branch_draws_from(&self.reopen(None, None)?, key, count, seed)
    }

    /// The same, with the data of the fit given.
    ///
    /// # Errors
    /// As [`SavedFit::branch_draws`].
    pub fn branch_draws_from(
        &self,
        data: &Dataset,
        key: &str,
        count: usize,
        seed: u64,
    ) -> Result<Draws, SavedError> {
        let bound = self.bind_own(data)?;
        let branch = key::find(&bound, key)?;
        let mut evaluator = self.model.evaluator_with_held_out(&bound, self.mask())?;
        let guide = &self.contents.facts.guide;
        let theta = self.contents.theta_draws(count, seed);
        let particles = posterior::particles(&mut evaluator, guide, &theta, count);
        let mut sampler =
            BranchSampler::new(&mut evaluator, guide, seed).spread(Spread::Stratified);
        let draws = sampler.draws(&mut evaluator, branch, &particles).ok_or_else(|| {
            let label = bound.branch_label(branch);
            SavedError::refused(
                format!("draws of branch {label} are not finite"),
                "the fit does not hold for this branch: see its verdict, and the branch's data",
            )
        })?;
        Ok(Draws::of_branch(&mut evaluator, branch, &particles, &draws))
    }

    /// The data of the fit, read again; `rows` and `branches` are taken in place of the files
    /// known.
    ///
    /// # Errors
    /// When a file is not there.
    pub fn reopen(
        &self,
        rows: Option<&Path>,
        branches: Option<&Path>,
    ) -> Result<Dataset, SavedError> {
        let known = &self.contents.facts.provenance;
        let Some(path) = rows.or(known.rows.as_deref()) else {
            return Err(SavedError::refused(
                "the fit read its rows from no file, so they cannot be read again",
                "give them with `--data FILE`",
            ));
        };
        Dataset::reopen(known, path, branches).map_err(|error| {
            let help = "a fit does not keep its rows: where the files were moved, give them with \
                        `--data FILE` and `--branches FILE`";
            SavedError::Data(error.help(help))
        })
    }

    /// Binds the data of the fit, which must not have changed.
    pub(super) fn bind_own(&self, data: &Dataset) -> Result<BoundData, SavedError> {
        let mut bound = data.bind(self.model.schema())?;
        if let Some(share) = self.contents.facts.holdout_branches {
            let (kept, _) = bound.hold_out_branches(share, self.seed())?;
            bound = self.model.schema().part(&bound, &kept, None)?;
        }
        if bound.fingerprint() != self.data_hash {
            let facts = &self.contents.facts;
            return Err(SavedError::refused(
                format!(
                    "{} is not what the fit saw: it has {} branches and {} rows, the data of the \
                     fit had {} and {}, or values differ",
                    data.source_name(),
                    bound.n_branches(),
                    bound.n_rows_total(),
                    facts.n_branches,
                    facts.n_rows
                ),
                "give the data of the fit with `--data FILE`; for other rows use `hbdc predict`",
            ));
        }
        Ok(bound)
    }

    /// The weights of bound rows, if some were held out.
    fn mask(&self) -> Option<Vec<f64>> {
        let facts = &self.contents.facts;
        if facts.held_out.is_empty() {
            return None;
        }
        let mut mask = vec![1.0; facts.n_rows];
        for &row in &facts.held_out {
            if let Some(weight) = mask.get_mut(row) {
                *weight = 0.0;
            }
        }
        Some(mask)
    }
}
