//! Checkpoints: the state of a fit under way, in a folder beside the place of the fit.
//!
//! The last two are kept. Each is a frame whose body holds the settings and the state, so a fit
//! goes on only with the model, the data and the settings that it began with, and with the same
//! bits. A checkpoint that is not whole is passed over for the one before.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::OutputError;
use crate::data::BoundData;
use crate::fit::{FitConfig, OptimiserState};
use crate::frame::{self, FrameError, Header};
use crate::model::CompiledModel;
use crate::tensors;

const KIND: [u8; 8] = *b"checkpt ";
const VERSION: u64 = 2;
const PREFIX: &str = "checkpoint-";
/// What is written by this program goes on with the same bits in this program alone.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");
/// Where no interval is asked for, saving takes at most one part in so many of the time.
const COST: u32 = 50;
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// The checkpoints of one fit.
#[derive(Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    interval: Option<Duration>,
    model_hash: u64,
    data_hash: u64,
    identity: Identity,
    last_saved: Instant,
    last_cost: Duration,
}

/// What a fit has to have in common with the one that it goes on with, beside model and data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    program: String,
    /// Names and values.
    settings: Vec<(String, String)>,
}

#[derive(Serialize)]
struct BodyToWrite<'a> {
    identity: &'a Identity,
    state: &'a OptimiserState,
}

#[derive(Deserialize)]
struct Body {
    state: OptimiserState,
}

/// The part of a body that every version of this program can read.
#[derive(Deserialize)]
struct BodyHead {
    identity: Identity,
}

/// A checkpoint to go on from.
#[derive(Debug)]
pub struct Checkpoint {
    /// The state of the fit.
    pub state: OptimiserState,
    /// Steps that were taken.
    pub step: usize,
    /// Newer ones that are not whole, and why.
    pub passed_over: Vec<String>,
}

/// Why a fit cannot go on from a checkpoint.
#[derive(Debug)]
pub enum CheckpointError {
    /// Its folder or none of its files can be read: each file and why.
    Unreadable(PathBuf, Vec<String>),
    /// It belongs to another fit: what differs.
    Other(PathBuf, Vec<String>),
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, what, why) = match self {
            Self::Unreadable(path, why) => (path, "holds no checkpoint that is whole", why),
            Self::Other(path, why) => (path, "is of another fit", why),
        };
        write!(f, "{} {what}: {}", path.display(), why.join("; "))
    }
}

impl std::error::Error for CheckpointError {}

impl Checkpoints {
    /// The checkpoints of a fit that goes to `fit_folder`, saved every so often, by default once
    /// a minute.
    pub fn new(
        fit_folder: &Path,
        model: &CompiledModel,
        data: &BoundData,
        config: &FitConfig,
        interval: Option<Duration>,
    ) -> Self {
        let identity = Identity { program: PROGRAM.to_owned(), settings: config.settings() };
        Self {
            folder: Self::folder(fit_folder),
            interval,
            model_hash: model.fingerprint(),
            data_hash: data.fingerprint(),
            identity,
            last_saved: Instant::now(),
            last_cost: Duration::ZERO,
        }
    }

    /// Where checkpoints of a fit are that goes to `fit_folder`: `FIT.checkpoint`.
    pub fn folder(fit_folder: &Path) -> PathBuf {
        let mut name = fit_folder.file_name().unwrap_or("fit".as_ref()).to_owned();
        name.push(".checkpoint");
        fit_folder.with_file_name(name)
    }

    /// Whether it is time for one.
    pub fn is_due(&self) -> bool {
        let interval = self.interval.unwrap_or(DEFAULT_INTERVAL.max(self.last_cost * COST));
        self.last_saved.elapsed() >= interval
    }

    /// Saves a state and drops all but the last two.
    ///
    /// # Errors
    /// When it cannot be written; the ones before are as they were.
    pub fn save(&mut self, state: &OptimiserState) -> Result<(), OutputError> {
        let began = Instant::now();
        let saved = self.try_save(state);
        self.last_saved = Instant::now();
        self.last_cost = began.elapsed();
        saved.map_err(|fault| OutputError::Io(self.folder.clone(), fault))
    }

    fn try_save(&self, state: &OptimiserState) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        self.drop_unfinished()?;
        let body = BodyToWrite { identity: &self.identity, state };
        let body = tensors::encode(&body).map_err(io::Error::other)?;
        let header = Header {
            kind: KIND,
            version: VERSION,
            model_hash: self.model_hash,
            data_hash: self.data_hash,
            step: state.steps() as u64,
        };
        let old = self.numbers()?;
        let number = old.last().map_or(1, |last| last + 1);
        frame::write(&self.path(number), &header, &body)?;
        // One that cannot be removed does no harm.
        old.iter().rev().skip(1).for_each(|old| drop(fs::remove_file(self.path(*old))));
        Ok(())
    }

    /// The last checkpoint that is whole; none where there are none at all.
    ///
    /// # Errors
    /// When none is whole, or it is of another fit.
    pub fn latest(&self) -> Result<Option<Checkpoint>, CheckpointError> {
        let unreadable = |why| CheckpointError::Unreadable(self.folder.clone(), why);
        let numbers = match self.numbers() {
            Ok(numbers) if numbers.is_empty() => return Ok(None),
            Ok(numbers) => numbers,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(unreadable(vec![fault.to_string()])),
        };
        let mut passed_over = vec![];
        for number in numbers.into_iter().rev() {
            let path = self.path(number);
            match self.read(&path)? {
                Ok(state) => {
                    return Ok(Some(Checkpoint { step: state.steps(), state, passed_over }));
                }
                Err(why) => passed_over.push(format!("{PREFIX}{number}: {why}")),
            }
        }
        Err(unreadable(passed_over))
    }

    /// The state in a file, or why it has none. An error if it is of another fit.
    fn read(&self, path: &Path) -> Result<Result<OptimiserState, String>, CheckpointError> {
        let (header, body) = match frame::read(path, KIND, VERSION) {
            Ok(read) => read,
            Err(FrameError::Io(fault)) => return Ok(Err(fault.to_string())),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let head: BodyHead = match tensors::decode(&body) {
            Ok(head) => head,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let differences = self.differences(&header, &head.identity);
        if !differences.is_empty() {
            return Err(CheckpointError::Other(path.to_path_buf(), differences));
        }
        let body: Result<Body, _> = tensors::decode(&body);
        Ok(body.map(|body| body.state).map_err(|error| error.to_string()))
    }

    fn differences(&self, header: &Header, found: &Identity) -> Vec<String> {
        let mut differences = vec![];
        if header.model_hash != self.model_hash {
            differences.push("the model has changed".to_owned());
        }
        if header.data_hash != self.data_hash {
            differences.push("the data have changed".to_owned());
        }
        if found.program != PROGRAM {
            differences.push(format!("hbdc {} wrote it, this is {PROGRAM}", found.program));
        } else {
            let pairs = found.settings.iter().zip(&self.identity.settings);
            for ((name, then), (_, now)) in pairs.filter(|(then, now)| then != now) {
                differences.push(format!("{name} was {then}, now it is {now}"));
            }
        }
        differences
    }

    /// Removes them all.
    ///
    /// # Errors
    /// When their folder cannot be removed.
    pub fn remove(&self) -> Result<(), OutputError> {
        match fs::remove_dir_all(&self.folder) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => {
                Err(OutputError::Io(self.folder.clone(), fault))
            }
            _ => Ok(()),
        }
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{PREFIX}{number}"))
    }

    /// Drops what a process that was killed left of a file.
    fn drop_unfinished(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let hidden = format!(".{PREFIX}");
            if entry.file_name().to_string_lossy().starts_with(&hidden) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Those that are there, oldest first.
    fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut numbers = vec![];
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
            numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}
