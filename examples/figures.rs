//! The figures of `docs/inference.md`: fits of models whose answers are known.
//!
//!     cargo run --release --example figures -- [conjugate|references] [START]
//!
//! START picks lines of the conjugate model, as in "(1000, 5, 10) Amortized Prior".

mod common;
#[path = "../tests/support/mod.rs"]
#[allow(dead_code)]
mod support;

use common::Approximation;
use hbdc::{BoundData, CompiledModel, Covariance, Family, Fit, FitConfig, fit};
use support::conjugate::Conjugate;

fn main() {
    let what = std::env::args().nth(1);
    let wanted = |part: &str| what.as_deref().is_none_or(|what| what == part);
    if wanted("conjugate") {
        conjugate(std::env::args().nth(2).as_deref().unwrap_or_default());
    }
    if wanted("references") {
        references();
    }
}

/// Branches, rows each and dimensions of a conjugate data set; how far the best ELBO of block and
/// of diagonal lies below the evidence.
const CONJUGATE: [([usize; 3], f64, f64); 5] = [
    ([2, 3, 2], 0.368622, 0.57535013),
    ([10, 100, 10], 0.05018, 2.3733899),
    ([10, 5, 10], 3.91742, 36.248267),
    ([1000, 100, 10], 0.055017, 229.00753),
    ([1000, 5, 10], 4.27856, 3256.4986),
];

fn conjugate(start: &str) {
    println!("conjugate model: ELBO less the best of its family, in nats");
    for ([n, rows, d], block, diagonal) in CONJUGATE {
        let data = Conjugate::generate(n, rows, d);
        let evidence = data.exact().log_evidence;
        let (model, bound) = support::conjugate(&data);
        for approximation in Approximation::all() {
            if approximation.family == Family::Joint && n > 10 {
                continue;
            }
            let best = match approximation.covariance {
                Covariance::Prior | Covariance::Dense => evidence,
                Covariance::Block => evidence - block,
                Covariance::Diagonal => evidence - diagonal,
            };
            let label = format!("({n}, {rows}, {d}) {approximation}");
            if !label.starts_with(start) {
                continue;
            }
            match fit(&model, &bound, &approximation.config(FitConfig::default())) {
                Err(why) => println!("  {label}: {why}"),
                Ok(fit) => {
                    let (elbo, se) = fit.elbo();
                    let (steps, seconds, flag) = (fit.steps(), fit.seconds(), flag(&fit));
                    let gap = elbo - best;
                    println!("  {label}: {gap:+.5} ± {se:.5}, {steps} steps, {seconds:.1} s{flag}");
                }
            }
        }
    }
}

fn references() {
    for name in ["rats", "seeds", "eight_schools"] {
        let (model, bound) = support::shipped_with_data(name);
        for family in [Family::Branch, Family::Amortized] {
            let fit = fitted(&model, &bound, family);
            let (elbo, se) = fit.elbo();
            println!("{name}, {family:?}: ELBO {elbo:.3} ± {se:.3}{}", flag(&fit));
            let guide = support::compare(name, &fit, false);
            let reported = support::compare(name, &fit, true);
            for (guide, reported) in guide.iter().zip(&reported) {
                println!(
                    "  {:<12} guide: z {:+.3}, sd × {:.3}   reported: z {:+.3}, sd × {:.3}",
                    guide.name, guide.z, guide.sd_ratio, reported.z, reported.sd_ratio
                );
            }
        }
    }
}

fn fitted(model: &CompiledModel, data: &BoundData, family: Family) -> Fit {
    fit(model, data, &FitConfig::default().family(family)).expect("the fit starts")
}

fn flag(fit: &Fit) -> String {
    match fit.verdict().reasons.as_slice() {
        [] => String::new(),
        reasons => format!(" [not believable: {}]", reasons.join("; ")),
    }
}
