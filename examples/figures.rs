//! The figures of `docs/inference.md`: fits of models whose answers are known.
//!
//!     cargo run --release --example figures

#[path = "../tests/support/mod.rs"]
#[allow(dead_code)]
mod support;

use hbdc::{BoundData, CompiledModel, Family, Fit, FitConfig, fit};
use support::conjugate::Conjugate;

fn main() {
    println!("conjugate model: ELBO less the exact log p(y|x), in nats");
    for (n, rows, d) in [(10, 100, 10), (10, 5, 10), (1000, 5, 10)] {
        let data = Conjugate::generate(n, rows, d);
        let exact = data.exact().log_evidence;
        let (model, bound) = support::conjugate(&data);
        for family in [Family::Branch, Family::Amortized] {
            let fit = fitted(&model, &bound, family);
            let (elbo, se) = fit.elbo();
            println!(
                "  ({n}, {rows}, {d}) {family:?}: {:+.5} ± {se:.5}, {} steps, {:.1} s{}",
                elbo - exact,
                fit.steps(),
                fit.seconds(),
                flag(&fit)
            );
        }
    }
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
