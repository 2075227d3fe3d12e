//! `hbdc simulate`

use std::path::Path;

use hbdc::{
    CompileOptions, CompiledModel, Dataset, Point, SimulateConfig, SimulateError, Simulated,
    simulate,
};
use serde_json::json;

use super::args::{MessageFormat, SimulateArgs};
use super::{Failure, Outcome, input, print_bytes, saved, write_new};

/// Draws the outcomes of a model and writes them as CSV.
pub fn run(args: &SimulateArgs, format: MessageFormat) -> Outcome {
    let model = input::model(&args.model, &CompileOptions::default(), format)?;
    let dataset = input::dataset(&args.input, format)?;
    let point = match &args.at {
        Some(path) => Some(read_point(&model, args, path, format)?),
        None => None,
    };
    let config = SimulateConfig { seed: args.seed, point };
    let failure = |error| simulate_failure(&error, &model, format);
    let simulated = match &args.from {
        Some(folder) => from_fit(folder, &model, dataset, args.seed, format)?,
        None => simulate(&model, dataset, &config).map_err(failure)?,
    };
    for name in &simulated.given {
        let message = format!(
            "`{name}` keeps its values: it, or its column, is used elsewhere than left of `~`"
        );
        input::note(&message, format);
    }
    if simulated.drawn.is_empty() {
        let message = "no column stands left of `~` alone, so none was drawn";
        input::note(message, format);
    }
    if let Some(path) = &args.truth {
        let evaluator = model.evaluator(&simulated.data);
        let evaluator =
            evaluator.map_err(|error| input::data_failure(&error, Some(model.source()), format))?;
        let points = json!({ "points": [evaluator.point_json(&simulated.point)] });
        write_new(path, format!("{points:#}\n").as_bytes())?;
    }
    let misfit = simulated.misfit(&model);
    let misfit = misfit.map_err(|error| input::data_failure(&error, None, format))?;
    if let Some(why) = misfit {
        input::note(&format!("what was drawn does not fit the model: {why}"), format);
    }
    write_rows(&simulated, args, format)
}

/// Draws outcomes at a draw of the unknowns from a fit of the same model.
fn from_fit(
    folder: &Path,
    model: &CompiledModel,
    dataset: Dataset,
    seed: u64,
    format: MessageFormat,
) -> Result<Simulated, Failure> {
    let fit = saved::open(folder)?;
    if fit.model().source().text() != model.source().text() {
        let (folder, name) = (folder.display(), model.source().name());
        return Err(Failure::coded("fit-folder", format!("{folder} is not a fit of {name}"))
            .help("name the model that was fitted, as it was then, or fit it again"));
    }
    fit.simulate(dataset, seed).map_err(|error| saved::failure(error, &fit, format))
}

/// Writes the rows, and the branches where something drawn belongs there.
fn write_rows(simulated: &Simulated, args: &SimulateArgs, format: MessageFormat) -> Outcome {
    let failure = |error| input::data_failure(&error, None, format);
    let rows = simulated.rows_csv().map_err(failure)?;
    match (simulated.branches_csv().map_err(failure)?, &args.out_branches) {
        (Some(branches), Some(path)) => write_new(path, &branches)?,
        (Some(_), None) => {
            return Err(Failure::usage("what is drawn belongs in the file of branches, too")
                .help("name a new one with `--out-branches FILE`"));
        }
        (None, Some(_)) => {
            return Err(Failure::usage(
                "--out-branches: nothing drawn belongs in a file of branches",
            )
            .help("leave it out"));
        }
        (None, None) => {}
    }
    match &args.out {
        Some(path) => write_new(path, &rows),
        None => print_bytes(&rows),
    }
}

/// The first point of a file.
fn read_point(
    model: &CompiledModel,
    args: &SimulateArgs,
    path: &Path,
    format: MessageFormat,
) -> Result<Point, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|fault| Failure::usage(format!("cannot read the points {shown}: {fault}")))?;
    let dataset = input::dataset(&args.input, format)?;
    let layout = hbdc::simulated_layout(model, dataset);
    let evaluator =
        layout.map_err(|error| input::data_failure(&error, Some(model.source()), format))?;
    let points = evaluator.read_points(&text);
    let points = points.map_err(|error| Failure::coded("points", format!("{shown}: {error}")))?;
    let first = points.points.into_iter().next();
    first.ok_or_else(|| Failure::coded("points", format!("{shown}: there is no point")))
}

pub fn simulate_failure(
    error: &SimulateError,
    model: &CompiledModel,
    format: MessageFormat,
) -> Failure {
    match error {
        SimulateError::Data(error) => input::data_failure(error, Some(model.source()), format),
        SimulateError::Statement { message, span } => {
            let source = model.source();
            let (line, column) = source.line_column(span.start);
            Failure::coded("simulate", format!("{}:{line}:{column}: {message}", source.name()))
        }
    }
}
