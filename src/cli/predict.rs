//! `hbdc predict`

use std::path::PathBuf;

use hbdc::{PredictConfig, Prediction, write_prediction};

use super::args::{MessageFormat, PredictArgs};
use super::{Failure, Outcome, counted, input, print, resume, saved};

/// Writes the posterior of branches, and of cells that are empty.
pub fn run(args: &PredictArgs, format: MessageFormat) -> Outcome {
    let fit = saved::open(&args.fit)?;
    let dataset = input::dataset(&args.input, format)?;
    let folder = folder(args);
    if folder.symlink_metadata().is_ok() {
        return Err(exists(hbdc::OutputError::Exists(folder)));
    }
    let _lock = resume::lock(&folder, format)?;
    let mut config = PredictConfig::default();
    if let Some(draws) = args.draws {
        config = config.draws(draws as usize);
    }
    if let Some(seed) = args.seed {
        config = config.seed(seed);
    }
    if let Some(threads) = args.threads {
        config = config.threads(threads as usize);
    }
    let prediction = fit.predict(&dataset, &config);
    let prediction = prediction.map_err(|error| saved::failure(error, &fit, format))?;
    notes(&prediction, format);
    write_prediction(&folder, &prediction).map_err(exists)?;
    let (n_branches, n_cells) = (prediction.data().n_branches(), prediction.cells().len());
    let mut text = format!("the posterior of {}", counted(n_branches, "branch", "branches"));
    if n_cells > 0 {
        text.push_str(&format!(" and {}", counted(n_cells, "empty cell", "empty cells")));
    }
    print(&format!("{text}; written to {}\n", folder.display()))
}

fn exists(error: hbdc::OutputError) -> Failure {
    Failure::usage(error).help("choose another --out, in a folder that you may write to")
}

/// What one may not have meant.
fn notes(prediction: &Prediction, format: MessageFormat) {
    let data = prediction.data();
    if data.n_dropped() > 0 {
        input::note(&format!("{} rows with missing values dropped", data.n_dropped()), format);
    }
    for name in prediction.absent() {
        let source = data.source_name();
        let message = format!("{source} has no column of `{name}`, so all of it is predicted");
        input::note(&message, format);
    }
    let lost = prediction.branches().branches().iter().filter(|branch| branch.is_none()).count();
    if lost > 0 {
        let message = format!("draws of {lost} branches are not finite: their figures are empty");
        input::note(&message, format);
    }
    let lost = prediction.cells().iter().filter(|cell| cell.summary.is_none()).count();
    if lost > 0 {
        let message = format!("draws of {lost} cells are not finite: their figures are empty");
        input::note(&message, format);
    }
}

/// Where predictions go: by default beside nothing that is there, named for the data.
fn folder(args: &PredictArgs) -> PathBuf {
    if let Some(folder) = &args.out {
        return folder.clone();
    }
    let data = args.input.data.as_deref().unwrap_or(&args.fit);
    let stem = match data.file_stem().map(|stem| stem.to_string_lossy()) {
        Some(stem) if stem != "-" => stem.into_owned(),
        _ => "stdin".to_string(),
    };
    super::unused(&format!("{stem}.predicted"))
}
