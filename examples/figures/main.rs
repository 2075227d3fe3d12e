//! The figures of `docs/inference.md`: fits of models whose answers are known.
//!
//!     cargo run --release --example figures                all of them, which takes hours
//!     cargo run --release --example figures -- references
//!     cargo run --release --example figures -- conjugate [PART...] [--max-seconds T] [--threads N]
//!
//! PART picks lines of the conjugate model by what they begin with, as "(10, 5, 10)" or
//! "(1000, 100, 10) Branch Dense". The pooled encoder is stopped at the seconds of the default and
//! at ten times these, at T if that is less.

#[path = "../common/mod.rs"]
mod common;
mod conjugate;
mod exact;
mod references;
#[path = "../../tests/support/mod.rs"]
#[allow(dead_code)]
mod support;

use hbdc::{Fit, FitConfig};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let (mut config, mut limit, mut parts) = (FitConfig::default(), None, Vec::new());
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse::<f64>().ok());
        match argument.as_str() {
            "--threads" => config = config.threads(number().map_or(1, |n| n as usize)),
            "--max-seconds" => limit = number(),
            _ => parts.push(argument),
        }
    }
    match what.as_str() {
        "conjugate" => conjugate::print(&parts, &config, limit),
        "references" => references::print(),
        "" => {
            conjugate::print(&parts, &config, limit);
            references::print();
        }
        _ => {
            eprintln!("figures conjugate [PART...] [--max-seconds T] [--threads N], or references")
        }
    }
}

/// What the verdict holds against a fit.
fn flag(fit: &Fit) -> String {
    match fit.verdict().reasons.as_slice() {
        [] => String::new(),
        reasons => format!(" [not believable: {}]", reasons.join("; ")),
    }
}
