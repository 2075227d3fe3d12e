//! The fit folder. It is written beside its place and moved there when it is whole, so that
//! nothing is ever there by half.

mod arviz;
mod checkpoint;
mod lock;
mod tables;
mod zarr;

use std::fmt;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

pub use checkpoint::{Checkpoint, CheckpointError, Checkpoints};
pub use lock::PlaceLock;

use crate::data::DataError;
use crate::fit::{Checks, Draws, Fit, Observations, Score, Scores};
use crate::model::CompiledModel;
use crate::saved::Prediction;
use crate::target::Target;

/// The version of the folder's layout.
const VERSION: u32 = 1;

/// Why a folder was not written.
#[derive(Debug)]
pub enum OutputError {
    /// It exists already.
    Exists(PathBuf),
    /// Another process writes to it: which, where that is known.
    InUse(PathBuf, Option<u32>),
    /// Something that is no fit folder is there, and so it is not replaced.
    NotAFit(PathBuf),
    /// What was to be written cannot be computed.
    Data(Box<DataError>),
    /// A file could not be written.
    Io(PathBuf, io::Error),
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OutputError::Exists(path) => {
                write!(f, "{} exists already", path.display())
            }
            OutputError::InUse(path, process) => {
                write!(f, "{} is in use by another hbdc", path.display())?;
                process.map_or(Ok(()), |process| write!(f, ", process {process}"))
            }
            OutputError::NotAFit(path) => {
                write!(f, "{} exists and is not a fit folder", path.display())
            }
            OutputError::Data(error) => error.fmt(f),
            OutputError::Io(path, fault) => write!(f, "cannot write {}: {fault}", path.display()),
        }
    }
}

impl std::error::Error for OutputError {}

/// Looks whether a fit can be written to `folder`: before a long fit, not after it.
///
/// # Errors
/// When the folder exists and may not be replaced, or nothing can be written where it is to be.
/// `replace` allows to replace a fit folder or an empty folder, nothing else.
pub fn check_place(folder: &Path, replace: bool) -> Result<(), OutputError> {
    let fault = |fault| OutputError::Io(folder.to_path_buf(), fault);
    if folder.symlink_metadata().is_ok() {
        if !replace {
            return Err(OutputError::Exists(folder.to_path_buf()));
        }
        let is_empty = || fs::read_dir(folder).is_ok_and(|mut files| files.next().is_none());
        if !folder.join("fit.json").is_file() && !is_empty() {
            return Err(OutputError::NotAFit(folder.to_path_buf()));
        }
    }
    // The nearest folder above that exists has to take a new one.
    let above = folder.ancestors().skip(1).map(|path| match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    });
    let Some(parent) = above.into_iter().find(|path| path.symlink_metadata().is_ok()) else {
        return Ok(());
    };
    // A file without a name, of which nothing is left when the process is killed.
    tempfile::tempfile_in(parent).map(drop).map_err(fault)
}

/// Writes a fit to `folder`, which must not exist unless `replace`.
///
/// # Errors
/// When the folder exists, or a file cannot be written; then nothing is left behind.
pub fn write_fit(
    folder: &Path,
    model: &CompiledModel,
    fit: &Fit,
    replace: bool,
) -> Result<(), OutputError> {
    check_place(folder, replace)?;
    let unfinished = own_beside(folder, "unfinished");
    let written = write_files(&unfinished, model, fit).and_then(|()| place(&unfinished, folder));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_dir_all(&unfinished);
    }
    written
}

/// A hidden path in the same folder, so that moving is renaming.
fn beside(folder: &Path, what: &str) -> PathBuf {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| "fit".to_string());
    folder.with_file_name(format!(".{name}.{what}"))
}

/// The same for this process alone.
fn own_beside(folder: &Path, what: &str) -> PathBuf {
    beside(folder, &format!("{what}-{}", std::process::id()))
}

fn place(unfinished: &Path, folder: &Path) -> Result<(), OutputError> {
    let fault = |fault| OutputError::Io(folder.to_path_buf(), fault);
    let old = own_beside(folder, "old");
    let had_old = folder.exists();
    if had_old {
        fs::rename(folder, &old).map_err(fault)?;
    }
    if let Err(error) = fs::rename(unfinished, folder) {
        if had_old {
            // The old folder goes back; if that fails too, it is still beside.
            let _ = fs::rename(&old, folder);
        }
        return Err(fault(error));
    }
    if had_old {
        fs::remove_dir_all(&old).map_err(fault)?;
    }
    Ok(())
}

fn write_files(folder: &Path, model: &CompiledModel, fit: &Fit) -> Result<(), OutputError> {
    fs::create_dir_all(folder).map_err(|fault| OutputError::Io(folder.to_path_buf(), fault))?;
    let write = |name: &str, table: Lines| write_lines(&folder.join(name), table);
    write("summary.csv", &|file| tables::summary(&fit.posterior().summary(), file))?;
    write("branches.csv", &|file| tables::branches(fit, file))?;
    write("trace.csv", &|file| tables::trace(fit.trace(), file))?;
    let posterior = crate::saved::path_in(folder);
    let fault = |fault| OutputError::Io(posterior.clone(), fault);
    posterior.parent().map_or(Ok(()), fs::create_dir_all).map_err(fault)?;
    crate::saved::write(folder, model, fit).map_err(fault)?;
    write_draws(&folder.join("draws.zarr"), model, fit)?;
    if let Some(scores) = fit.scores() {
        let key = fit.evaluator().data().key_columns();
        write("scores.csv", &|file| tables::scores(scores, key, file))?;
    }
    write("fit.json", &|file| writeln!(file, "{:#}", metadata(model, fit)))
}

/// Writes predictions to a folder that is not there: `branches.csv`, and `predictions.csv` where
/// cells were empty.
///
/// # Errors
/// When the folder exists, or a file cannot be written; then nothing is left behind.
pub fn write_prediction(folder: &Path, prediction: &Prediction) -> Result<(), OutputError> {
    if folder.symlink_metadata().is_ok() {
        return Err(OutputError::Exists(folder.to_path_buf()));
    }
    let unfinished = own_beside(folder, "unfinished");
    let write_all = || {
        fs::create_dir_all(&unfinished)
            .map_err(|fault| OutputError::Io(unfinished.clone(), fault))?;
        let write = |name: &str, table: Lines| write_lines(&unfinished.join(name), table);
        write("branches.csv", &|file| tables::predicted_branches(prediction, file))?;
        if !prediction.cells().is_empty() {
            write("predictions.csv", &|file| tables::predicted_cells(prediction, file))?;
        }
        place(&unfinished, folder)
    };
    let written = write_all();
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_dir_all(&unfinished);
    }
    written
}

/// What writes a table, line by line: those of all branches or cells are never held as a whole.
type Lines<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

fn write_lines(path: &Path, table: Lines) -> Result<(), OutputError> {
    let written = fs::File::create(path).map(BufWriter::new).and_then(|mut file| {
        table(&mut file)?;
        file.flush()
    });
    written.map_err(|fault| OutputError::Io(path.to_path_buf(), fault))
}

/// Draws as CSV: one row a draw, one column an element.
pub fn draws_csv(draws: &Draws) -> String {
    let mut bytes = Vec::new();
    tables::draws(draws, &mut bytes).expect("memory can be written");
    String::from_utf8(bytes).expect("names are text")
}

fn write_draws(folder: &Path, model: &CompiledModel, fit: &Fit) -> Result<(), OutputError> {
    let is_wanted = fit.config().log_likelihood;
    let evaluator = fit.evaluator();
    let n_observations = if is_wanted { Observations::of(model, evaluator).len() } else { 0 };
    let n_draws = fit.saved_draws(n_observations);
    let log_likelihood = match is_wanted {
        true => {
            let failed = |error: DataError| OutputError::Data(Box::new(error));
            Some(fit.log_likelihood(model, n_draws).map_err(failed)?)
        }
        false => None,
    };
    let groups = arviz::groups(model, fit, n_draws, log_likelihood.as_ref());
    zarr::write(folder, &arviz::attributes(fit), groups)
}

fn metadata(model: &CompiledModel, fit: &Fit) -> Value {
    let evaluator = fit.evaluator();
    let data = evaluator.data();
    let (elbo, elbo_se) = fit.elbo();
    let verdict = fit.verdict();
    let checks = fit.checks();
    json!({
        "version": VERSION,
        "model_hash": format!("{:016x}", model.fingerprint()),
        "data_hash": format!("{:016x}", data.fingerprint()),
        "seed": fit.config().seed_of(),
        "threads": fit.config().engine.threads.unwrap_or_else(rayon::current_num_threads),
        "family": fit.config().family_of(),
        "covariance": fit.config().covariance_of(),
        "coupling": fit.config().coupling_of(),
        "encoder": fit.config().encoder_of(),
        "n_branches": data.n_branches(),
        "n_rows": data.n_rows_total(),
        "n_global": evaluator.n_global(),
        "n_local": evaluator.n_local(),
        "steps": fit.steps(),
        "seconds": fit.seconds(),
        "peak_rss_bytes": peak_rss_bytes(),
        "elbo": {"value": finite(elbo), "se": finite(elbo_se)},
        "importance_weighted_bound": fit.importance_weighted_bound().map(|(value, se, samples)| json!({
            "value": finite(value), "se": finite(se), "samples": samples,
        })),
        "log_evidence": fit.log_evidence().map(|(value, se, relative_ess)| json!({
            "value": finite(value), "se": finite(se), "relative_ess": finite(relative_ess),
        })),
        "corrected": fit.is_corrected(),
        "test": fit.scores().map(test),
        "khat": khat(&checks),
        "amortization_gap": checks.branches.and_then(|branches| branches.amortization_gap).map(
            |[per_branch, se, _]| json!({"per_branch": finite(per_branch), "se": finite(se)}),
        ),
        "checks": checks,
        "verdict": {
            "believable": verdict.believable,
            "reasons": verdict.reasons,
            "notes": verdict.notes,
        },
    })
}

fn khat(checks: &Checks) -> Value {
    json!({
        "global": checks.global.as_ref().map(|global| finite(global.khat)),
        "branches": checks.branches.map(|branches| json!({
            "median": finite(branches.khat_median),
            "max": finite(branches.khat_max),
            "above_threshold": finite(branches.khat_above),
        })),
    })
}

/// The score of what was not fitted: in all, of branches that were, and of new branches.
fn test(scores: &Scores) -> Value {
    let figures = |score: Score| {
        json!({
            "log_likelihood": finite(score.log_likelihood), "se": finite(score.se),
            "n_rows": score.n_rows, "n_branches": score.n_branches,
        })
    };
    let mut all = figures(scores.total());
    all["seen"] = scores.seen().map_or(Value::Null, figures);
    all["new"] = scores.new_ones().map_or(Value::Null, figures);
    all
}

fn finite(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { Value::Null }
}

/// The most memory this process ever held, where the system tells.
pub fn peak_rss_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
