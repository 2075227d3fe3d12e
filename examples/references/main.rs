//! Fits the models of `models/` and holds them against reference posteriors, so that rules of
//! inference can be judged over all of them.
//!
//!     cargo run --release --example references                      all models, seed 1
//!     cargo run --release --example references -- rats trials --seeds 10 --family branch
//!
//! References are `tests/reference/NAME/posterior.json` (tests/oracle/posteriors.sh). |z| is the
//! error of a mean in reference standard deviations, × the ratio of standard deviations; *guide* is
//! q itself, *reported* what `summary.csv` holds, with importance weights where these are good.
//! Locals are averaged over branches and elements. Monte Carlo alone gives |z| about 0.01 for
//! globals and 0.02 for locals, which rest on 2000 draws; × errs by half of that.
//!
//! Where the data were simulated, a line says how many true globals are within their reported 90 %
//! intervals, and which is farthest from its mean, in posterior standard deviations.
//!
//! `--approximations` fits every approximation to each model, and ends with one table of them; a long
//! run may be cut into several with `--json FILE`, which appends, and summarised with `--summarise`.
//!
//! A model whose reference is not trusted is marked `?` and counts as neither hit nor miss. A fit
//! that fails, or panics, is a row as well.

#[path = "../common/mod.rs"]
mod common;
mod options;
mod reference;
mod summary;
mod table;
mod truth;

use std::fs::OpenOptions;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use common::Approximation;
use hbdc::{BoundData, CompiledModel, Fit, FitConfig, fit};
use options::Options;
use reference::{Errors, Reference};
use serde_json::Value;
use table::{Row, Seeds};

fn main() {
    let options = Options::parse(std::env::args().skip(1)).unwrap_or_else(|fault| {
        eprintln!("{fault}");
        std::process::exit(2);
    });
    let records = match options.summarise.as_slice() {
        [] => run(&options),
        files => files.iter().flat_map(|path| summary::read(path)).collect(),
    };
    if !options.approximations.is_empty() || !options.summarise.is_empty() {
        println!("\n{}", summary::table(&records));
    }
}

/// Fits what was asked for and prints it; each fit as JSON.
fn run(options: &Options) -> Vec<Value> {
    let open = |path| OpenOptions::new().create(true).append(true).open(path);
    let mut file = options.json.as_ref().map(|path| open(path).expect("it can be written"));
    println!("{}", options.describe());
    println!("{}", table::header());
    let (mut all, mut records) = (Vec::new(), Vec::new());
    for name in &options.models {
        let (model, data, reference) = match prepared(name, options) {
            Ok(prepared) => prepared,
            Err(fault) => {
                println!("{name:<13} not run: {fault}");
                continue;
            }
        };
        let truths = if reference.has_labels() { Vec::new() } else { truth::read(name) };
        for (label, config) in configs(options) {
            if !label.is_empty() {
                println!("{label}:");
            }
            let mut seeds = Seeds::new(name, &reference);
            for &seed in &options.seeds {
                let row = fitted(&model, &data, &reference, &truths, &config.clone().seed(seed));
                println!("{}", row.line(name, seed, reference.trusted));
                let record = row.json(name, seed, &label);
                if let Some(file) = &mut file {
                    writeln!(file, "{record}").expect("it can be written");
                }
                records.push(record);
                seeds.push(row);
            }
            if options.seeds.len() > 1 {
                println!("{}", seeds.spread());
            }
            all.push(seeds);
        }
    }
    println!("{}", table::conclusion(&all));
    records
}

/// The settings of each approximation by its name; one without a name where none were asked for.
fn configs(options: &Options) -> Vec<(String, FitConfig)> {
    if options.approximations.is_empty() {
        return vec![(String::new(), options.config.clone())];
    }
    let one = |own: &Approximation| (own.to_string(), own.config(options.config.clone()));
    options.approximations.iter().map(one).collect()
}

/// A model, its data and its reference.
fn prepared(
    name: &str,
    options: &Options,
) -> Result<(CompiledModel, BoundData, Reference), String> {
    let reference = Reference::read(name)?;
    let (model, data) = reference::bound(name, options.data_of(name))?;
    Ok((model, data, reference))
}

/// One fit, well or not.
fn fitted(
    model: &CompiledModel,
    data: &BoundData,
    reference: &Reference,
    truths: &[(String, f64)],
    config: &FitConfig,
) -> Row {
    let judged = catch_unwind(AssertUnwindSafe(|| match fit(model, data, config) {
        Ok(fit) => judged(&fit, reference, truths),
        Err(error) if error.is_unsupported() => Row::Unsupported(error.to_string()),
        Err(error) => Row::Failed(error.to_string()),
    }));
    judged.unwrap_or_else(|_| Row::Failed("panicked".to_string()))
}

fn judged(fit: &Fit, reference: &Reference, truths: &[(String, f64)]) -> Row {
    let posterior = fit.posterior();
    let (guide, reported) = (posterior.guide_summary(), posterior.summary());
    let branches = posterior.branches();
    let labels = reference.labels(&guide);
    let of = |summary| Errors::of_globals(reference, &labels, summary);
    Row::Fitted(Box::new(table::Fitted {
        elbo: fit.elbo(),
        evidence: fit.log_evidence(),
        is_corrected: fit.is_corrected(),
        reasons: fit.verdict().reasons.clone(),
        believable: fit.verdict().believable,
        steps: fit.steps(),
        seconds: fit.seconds(),
        guide: of(&guide),
        reported: of(&reported),
        locals: Errors::of_locals(reference, &labels, &branches),
        truths: truth::recovered(truths, &reported),
    }))
}
