//! The functions of a model as they are for the data at hand.

use super::derivatives::Derivatives;
use super::statistics::{Statistics, Summarised, summarise};
use super::{CompiledModel, debug_verify};
use crate::data::{BoundData, DataError};
use crate::ir::build::extract;
use crate::ir::op::Function;
use crate::lower::Program;

/// What the functions of a branch read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Its data.
    Data,
    /// Statistics of them where that is quicker.
    Statistics,
}

/// The functions of a model, with the statistics that they read in place of rows.
pub struct Functions {
    pub program: Program,
    pub derivatives: Derivatives,
    pub statistics: Statistics,
    /// Whether the functions are for these data alone.
    pub is_summarised: bool,
    /// The densities of a branch, of its rows.
    pub by_row: Function,
}

impl Functions {
    /// Of a model for these data; with `is_masked`, each row has its weight, and functions read
    /// rows.
    ///
    /// # Errors
    /// When arrays of these sizes do not fit in memory.
    pub fn of(
        model: &CompiledModel,
        data: &BoundData,
        is_masked: bool,
        reading: Reading,
    ) -> Result<Functions, DataError> {
        let program = model.program_for(is_masked);
        let by_row = extract(&program.local, &[0, 1, 2], "density");
        let summarised = match (is_masked, reading) {
            (false, Reading::Statistics) => summarise(model, &program.local, data)?,
            _ => None,
        };
        let is_summarised = summarised.is_some();
        let (program, derivatives, statistics) = match summarised {
            None if !is_masked => (program, model.derivatives().clone(), Statistics::default()),
            None => {
                let derivatives = differentiated(&program);
                (program, derivatives, Statistics::default())
            }
            Some(Summarised { local, statistics }) => {
                let program = Program { local, ..program };
                let derivatives = differentiated(&program);
                (program, derivatives, statistics)
            }
        };
        Ok(Functions { program, derivatives, statistics, is_summarised, by_row })
    }
}

/// The derivatives of a program; in debug builds it is seen that they obey the rules of the ops.
pub fn differentiated(program: &Program) -> Derivatives {
    let derivatives = Derivatives::of(program);
    debug_verify(program, &derivatives);
    derivatives
}
