//! Fits on disk, and what is done with them: draws, predictions, simulation.
//!
//! A fit folder holds all that this needs but the rows of the data. [`SavedFit::open`] reads it;
//! what is asked of branches takes rows, either new ones or those of the fit read again.

mod contents;
mod draws;
mod empty;
mod error;
mod key;
mod predict;
mod simulate;

use std::path::{Path, PathBuf};

pub use error::SavedError;
pub use predict::{PredictConfig, PredictedCell, Prediction};

use crate::fit::{Draws, Fit};
use crate::frame::{self, FrameError};
use crate::model::{CompiledModel, compile};
use crate::source::Source;
use crate::target::Target;
use contents::{Contents, KIND, VERSION};

/// The file of the posterior within a fit folder.
const FILE: &str = "posterior/posterior.bin";

/// A fit that was written by [`write_fit`](crate::write_fit).
///
/// ```
/// use hbdc::{Column, Dataset, FitConfig, PredictConfig, SavedFit, Source};
///
/// let text = "
/// data { branch pupil { rows N; vector[N] score; } }
/// global { real mu ~ normal(0, 5); }
/// local { real a ~ normal(mu, 1); score ~ normal(a, 1); }";
/// let model = hbdc::compile(&Source::new("scores.hbd", text))?;
/// let rows = |pupils: &[&str], scores: &[f64]| {
///     Dataset::from_columns(vec![
///         ("pupil".into(), Column::Texts(pupils.iter().map(|p| p.to_string()).collect())),
///         ("score".into(), Column::Numbers(scores.to_vec())),
///     ])
/// };
/// let data = rows(&["a", "a", "b", "b"], &[1.0, 2.0, 3.0, 4.0])?.bind(model.schema())?;
/// let fit = hbdc::fit(&model, &data, &FitConfig::default().max_steps(200))?;
/// let folder = std::env::temp_dir().join(format!("scores-{}.fit", std::process::id()));
/// hbdc::write_fit(&folder, &model, &fit, true)?;
///
/// let saved = SavedFit::open(&folder)?;
/// assert_eq!(saved.draws(100).column("mu").unwrap().len(), 100);
/// // A new pupil with one score, and a score that is still to come.
/// let new = rows(&["c", "c"], &[0.5, f64::NAN])?;
/// let prediction = saved.predict(&new, &PredictConfig::default())?;
/// assert_eq!(prediction.branches().names(), ["a"]);
/// assert_eq!(prediction.cells().len(), 1);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SavedFit {
    model: CompiledModel,
    contents: Contents,
    data_hash: u64,
}

/// Writes the posterior of a fit into its folder, which is there.
pub(crate) fn write(folder: &Path, model: &CompiledModel, fit: &Fit) -> std::io::Result<()> {
    let body = Contents::of(model, fit).encode();
    frame::write(&folder.join(FILE), &contents::header(model, fit), &body)
}

/// The file of the posterior within a fit folder.
pub(crate) fn path_in(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

impl SavedFit {
    /// Opens a fit folder.
    ///
    /// # Errors
    /// When there is none, or its posterior is damaged in any way.
    pub fn open(folder: impl AsRef<Path>) -> Result<SavedFit, SavedError> {
        let path = path_in(folder.as_ref());
        let read = frame::read(&path, KIND, VERSION);
        let (header, body) =
            read.map_err(|error: FrameError| SavedError::of_frame(path.clone(), error))?;
        let damaged = |why: String| SavedError::Damaged(path.clone(), why);
        let contents = Contents::decode(&body).map_err(damaged)?;
        let facts = &contents.facts;
        let source = Source::new(facts.model_name.clone(), facts.model_text.clone());
        let model = compile(&source).map_err(SavedError::Model)?;
        let saved = SavedFit { data_hash: header.data_hash, model, contents };
        match saved.is_consistent(header.model_hash)? {
            true => Ok(saved),
            false => Err(damaged("its parts do not belong together".to_string())),
        }
    }

    /// Whether what was read is of one fit. Checksums find damage; this finds files that were put
    /// together from several.
    fn is_consistent(&self, model_hash: u64) -> Result<bool, SavedError> {
        let facts = &self.contents.facts;
        if self.model.fingerprint() != model_hash
            || !facts.fixed.fits(self.model.schema().columns())
        {
            return Ok(false);
        }
        let n = self.without_branches()?.n_global();
        Ok(facts.guide.global.n() == n)
    }

    /// The model.
    pub fn model(&self) -> &CompiledModel {
        &self.model
    }

    /// The seed of the fit, which draws have unless another is asked for.
    pub fn seed(&self) -> u64 {
        self.contents.facts.seed
    }

    /// The columns of the data that are the key of a branch.
    pub fn key_columns(&self) -> Vec<String> {
        let facts = &self.contents.facts;
        facts.fixed.without_branches(self.model.schema().columns()).key_columns().to_vec()
    }

    /// `count` draws of the globals and derived globals, those behind the summary of the fit.
    pub fn draws(&self, count: usize) -> Draws {
        self.draws_with(count, self.seed())
    }

    /// Number of draws behind the summary of the fit.
    pub fn n_draws(&self) -> usize {
        self.contents.facts.draws
    }
}
