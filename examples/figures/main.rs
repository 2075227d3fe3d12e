//! The figures of `docs/inference.md`: fits of models whose answers are known.
//!
//!     cargo run --release --example figures -- references
//!     cargo run --release --example figures -- few_rows      in a folder with what tests/oracle/few_rows.py writes
//!     cargo run --release --example figures -- conjugate [PART...] [--max-seconds T] [--threads N]
//!
//! PART picks lines of the conjugate model by what they begin with, as "(10, 5, 10)" or
//! "(1000, 100, 10) Branch Dense". The pooled encoder is stopped at the seconds of the default and
//! at ten times these, at T if that is less.

#[path = "../common/mod.rs"]
mod common;
mod conjugate;
mod exact;
mod few_rows;
mod references;
#[path = "../../tests/support/mod.rs"]
#[allow(dead_code)]
mod support;

use std::error::Error;

use hbdc::{Fit, FitConfig};

const USAGE: &str = "figures conjugate [PART...] [--max-seconds T] [--threads N], figures references, or figures few_rows";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let (mut config, mut limit, mut parts) = (FitConfig::default(), None, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--threads" => config = config.threads(arguments.next().ok_or(USAGE)?.parse()?),
            "--max-seconds" => limit = Some(arguments.next().ok_or(USAGE)?.parse()?),
            _ => parts.push(argument),
        }
    }
    match what.as_str() {
        "conjugate" => conjugate::print(&parts, &config, limit),
        "references" => references::print(),
        "few_rows" => few_rows::print(&config)?,
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

/// What the verdict holds against a fit.
fn flag(fit: &Fit) -> String {
    match fit.verdict().reasons.as_slice() {
        [] => String::new(),
        reasons => format!(" [not believable: {}]", reasons.join("; ")),
    }
}
