//! Opening fit folders, with errors that say where.

use std::path::Path;

use hbdc::{SavedError, SavedFit, SimulateError};

use super::args::MessageFormat;
use super::{Failure, input};

/// Opens a fit folder.
pub fn open(folder: &Path) -> Result<SavedFit, Failure> {
    SavedFit::open(folder).map_err(|error| Failure::coded("fit-folder", error))
}

/// What is wrong with what was asked of a fit.
pub fn failure(error: SavedError, fit: &SavedFit, format: MessageFormat) -> Failure {
    let source = fit.model().source();
    match error {
        SavedError::Data(error) => input::data_failure(&error, Some(source), format),
        SavedError::Simulate(SimulateError::Statement { message, span }) => {
            let (line, column) = source.line_column(span.start);
            Failure::coded("simulate", format!("{}:{line}:{column}: {message}", source.name()))
        }
        error => Failure::coded("fit-folder", error),
    }
}
