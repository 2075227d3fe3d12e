//! `hbdc dump`

use hbdc::{CompileOptions, DumpStage};

use super::args::{DumpArgs, MessageFormat, Stage};
use super::{Outcome, input, print};

/// Prints a stage of the compiler, or how long each took.
pub fn run(args: &DumpArgs, format: MessageFormat) -> Outcome {
    let model = input::model(&args.model, &CompileOptions::default(), format)?;
    if args.timings {
        let timings = model.timings().clone();
        let lines: Vec<String> = timings
            .stages()
            .iter()
            .map(|(stage, duration)| line(stage, duration.as_secs_f64()))
            .collect();
        let total = line("total", timings.total().as_secs_f64());
        return print(&format!("{}\n{total}\n", lines.join("\n")));
    }
    let stage = match args.stage {
        Stage::Ast => DumpStage::Ast,
        Stage::Ir => DumpStage::Ir,
        Stage::Gradient => DumpStage::Gradient,
    };
    print(&model.dump(stage))
}

fn line(stage: &str, seconds: f64) -> String {
    format!("{stage:<14}{:>9.3} ms", seconds * 1e3)
}
