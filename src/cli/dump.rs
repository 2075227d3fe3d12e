//! `hbdc dump`

use hbdc::{CompileOptions, DumpStage, Listing};

use super::args::{DumpArgs, MessageFormat, Stage};
use super::{Outcome, input, print};

/// Prints a stage of the compiler, or how long each took.
pub fn run(args: &DumpArgs, format: MessageFormat) -> Outcome {
    let model = input::model(&args.model, &CompileOptions::default(), format)?;
    if args.timings {
        let settings = input::settings(&args.set)?;
        let timings = model
            .time_first_gradient(&settings)
            .map_err(|error| input::data_failure(&error, Some(model.source()), format))?;
        let lines: Vec<String> = timings
            .stages()
            .iter()
            .map(|(stage, duration)| line(stage, duration.as_secs_f64()))
            .collect();
        let total = line("total", timings.total().as_secs_f64());
        return print(&format!("{}\n{total}\n", lines.join("\n")));
    }
    let listing = |listing| {
        let settings = input::settings(&args.set)?;
        model
            .dump_code(listing, &settings)
            .map_err(|error| input::data_failure(&error, Some(model.source()), format))
    };
    let text = match args.stage {
        Stage::Ast => model.dump(DumpStage::Ast),
        Stage::Ir => model.dump(DumpStage::Ir),
        Stage::Gradient => model.dump(DumpStage::Gradient),
        Stage::Work => model.dump(DumpStage::Work),
        Stage::Clif => listing(Listing::Clif)?,
        Stage::Asm => listing(Listing::Assembly)?,
    };
    print(&text)
}

fn line(stage: &str, seconds: f64) -> String {
    format!("{stage:<14}{:>9.3} ms", seconds * 1e3)
}
