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
//! A model whose reference is not trusted is marked `?` and counts as neither hit nor miss. A fit
//! that fails, or panics, is a row as well.

mod options;
mod reference;
mod table;
mod truth;

use std::fs::File;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hbdc::{BoundData, CompiledModel, Fit, fit};
use options::Options;
use reference::{Errors, Reference};
use table::{Row, Seeds};

fn main() {
    let options = Options::parse(std::env::args().skip(1)).unwrap_or_else(|fault| {
        eprintln!("{fault}");
        std::process::exit(2);
    });
    let mut file = options.json.as_ref().map(|path| File::create(path).expect("it can be written"));
    println!("{}", options.describe());
    println!("{}", table::header());
    let mut all = Vec::new();
    for name in &options.models {
        let (model, data, reference) = match prepared(name, &options) {
            Ok(prepared) => prepared,
            Err(fault) => {
                println!("{name:<13} not run: {fault}");
                continue;
            }
        };
        let truths = if reference.has_labels() { Vec::new() } else { truth::read(name) };
        let mut seeds = Seeds::new(name, &reference);
        for &seed in &options.seeds {
            let row = fitted(&model, &data, &reference, &truths, &options, seed);
            println!("{}", row.line(name, seed, reference.trusted));
            if let Some(file) = &mut file {
                writeln!(file, "{}", row.json(name, seed)).expect("it can be written");
            }
            seeds.push(row);
        }
        if options.seeds.len() > 1 {
            println!("{}", seeds.spread());
        }
        all.push(seeds);
    }
    println!("{}", table::conclusion(&all));
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
    options: &Options,
    seed: u64,
) -> Row {
    let config = options.config.clone().seed(seed);
    let judged = catch_unwind(AssertUnwindSafe(|| match fit(model, data, &config) {
        Ok(fit) => judged(&fit, reference, truths),
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
