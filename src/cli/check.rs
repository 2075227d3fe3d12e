//! `hbdc check`

use hbdc::CompileOptions;

use super::args::{CheckArgs, MessageFormat};
use super::{Outcome, input};

/// Compiles the model, binds the data if there are any, and says nothing if all is well.
pub fn run(args: &CheckArgs, format: MessageFormat) -> Outcome {
    let model = input::model(&args.model, &CompileOptions::default(), format)?;
    let input = &args.input;
    if input.data.is_some() || input.branches.is_some() || !input.table.is_empty() {
        input::bind(&model, &args.input, format)?;
    }
    Ok(())
}
