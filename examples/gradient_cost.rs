//! What a gradient costs beside the log density, for the models of `models/` on the data that come with them.
//!
//!     cargo run --release --example gradient_cost -- [NAME=FILE.csv ...]
//!
//! Data of further models are given by name. Prints a markdown table: microseconds of one pass over all branches on one thread,
//! the least of many, and the ratio.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use hbdc::{Dataset, Evaluator, Source, compile};

/// Passes go on for so long, and there are so many at least.
const SECONDS: f64 = 0.5;
const LEAST_PASSES: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "hbd") {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_string));
        }
    }
    names.sort();
    let given: Vec<String> = std::env::args().skip(1).collect();
    println!("| model | rows | density, µs | with gradient, µs | ratio |\n|---|---|---|---|---|");
    for name in names {
        let file = given.iter().filter_map(|argument| argument.split_once('='));
        let file = file.filter(|(known, _)| *known == name).map(|(_, file)| file.into()).next();
        let data = file.unwrap_or_else(|| folder.join(format!("{name}.csv")));
        if !data.exists() {
            continue;
        }
        let (mut evaluator, n_rows) = evaluator(&folder, &name, &data)?;
        let (density, gradient) = seconds(&mut evaluator);
        println!(
            "| {name} | {n_rows} | {:.1} | {:.1} | {:.2} |",
            density * 1e6,
            gradient * 1e6,
            gradient / density
        );
    }
    Ok(())
}

/// Of a model on its data, and how many rows these have.
fn evaluator(folder: &Path, name: &str, data: &Path) -> Result<(Evaluator, usize), Box<dyn Error>> {
    let text = std::fs::read_to_string(folder.join(format!("{name}.hbd")))?;
    let model = compile(&Source::new(format!("{name}.hbd"), text))?;
    let mut data = Dataset::read_csv(data)?;
    let branches = folder.join(format!("{name}.branches.csv"));
    if branches.exists() {
        data = data.branches(Dataset::read_csv(branches)?);
    }
    let movies = folder.join(format!("{name}.movies.csv"));
    if movies.exists() {
        data = data.table("movies", Dataset::read_csv(movies)?);
    }
    let data = data.bind(model.schema())?;
    Ok((model.evaluator(&data)?, data.n_rows_total()))
}

/// The least seconds of a pass: of the log density, and of this with its gradient.
fn seconds(evaluator: &mut Evaluator) -> (f64, f64) {
    let position: Vec<f64> =
        (0..evaluator.dimension()).map(|k| 0.1 * ((k * 7919) as f64).sin()).collect();
    let (mut density, mut gradient) = (f64::INFINITY, f64::INFINITY);
    let start = Instant::now();
    let mut passes = 0;
    while passes < LEAST_PASSES || start.elapsed().as_secs_f64() < SECONDS {
        for (pass, seconds) in evaluator.pass_seconds(&position) {
            match pass {
                "density" => density = density.min(seconds),
                "gradient" => gradient = gradient.min(seconds),
                _ => {}
            }
        }
        passes += 1;
    }
    (density, gradient)
}
