//! Why a saved fit does not serve.

use std::fmt;
use std::path::PathBuf;

use crate::data::DataError;
use crate::frame::FrameError;
use crate::model::CompileError;
use crate::simulate::SimulateError;

/// Why a saved fit cannot be opened, or not do what is asked of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum SavedError {
    /// There is no saved posterior in this folder.
    NotAFit(PathBuf),
    /// The file of the posterior is not what was written.
    Damaged(PathBuf, String),
    /// The saved model does not compile with this version of the program.
    Model(CompileError),
    /// Data do not go with the fit.
    Data(DataError),
    /// Outcomes cannot be drawn.
    Simulate(SimulateError),
    /// What is asked for is not there: what, and what to do.
    Refused {
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: String,
    },
}

impl SavedError {
    pub(super) fn refused(message: impl Into<String>, help: impl Into<String>) -> SavedError {
        SavedError::Refused { message: message.into(), help: help.into() }
    }

    pub(super) fn of_frame(path: PathBuf, error: FrameError) -> SavedError {
        match error {
            FrameError::Io(fault) if fault.kind() == std::io::ErrorKind::NotFound => {
                SavedError::NotAFit(path)
            }
            error => SavedError::Damaged(path, error.to_string()),
        }
    }
}

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SavedError::NotAFit(path) => write!(
                f,
                "{} is not there: it is the posterior that a fit saves\n  \
                 help: name the folder that `hbdc fit` wrote",
                path.display()
            ),
            SavedError::Damaged(path, why) => write!(
                f,
                "{} cannot be used: {why}\n  help: fit again, or take a copy of the folder",
                path.display()
            ),
            SavedError::Model(error) => {
                write!(f, "the model of the fit does not compile any more:\n{error}")
            }
            SavedError::Data(error) => error.fmt(f),
            SavedError::Simulate(error) => error.fmt(f),
            SavedError::Refused { message, help } => write!(f, "{message}\n  help: {help}"),
        }
    }
}

impl std::error::Error for SavedError {}

impl From<DataError> for SavedError {
    fn from(error: DataError) -> Self {
        SavedError::Data(error)
    }
}

impl From<SimulateError> for SavedError {
    fn from(error: SimulateError) -> Self {
        match error {
            SimulateError::Data(error) => SavedError::Data(error),
            error => SavedError::Simulate(error),
        }
    }
}
