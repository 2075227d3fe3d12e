//! The figures of `docs/verdict.md`: what is measured of fits of the models in `models/`.
//!
//!     cargo run --release --example verdicts -- [--seeds N] [MODEL …]

#[path = "references/reference.rs"]
#[allow(dead_code)]
mod reference;

use hbdc::{Checks, Fit, FitConfig, fit};

const ALL: [&str; 19] = [
    "accidents",
    "capture",
    "eight_schools",
    "exam",
    "films",
    "litters",
    "moods",
    "radon",
    "rats",
    "seeds",
    "studies",
    "survey",
    "survival",
    "tasting",
    "ticks",
    "topics",
    "tracking",
    "trees",
    "trials",
];

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let mut n_seeds = 1;
    if words.first().is_some_and(|word| word == "--seeds") {
        n_seeds = words.get(1).and_then(|n| n.parse().ok()).expect("a number of seeds");
        words.drain(..2);
    }
    let names = match words.is_empty() {
        true => ALL.map(String::from).to_vec(),
        false => words,
    };
    println!(
        "model seed believable seconds ess gap khat noise draws | n gap_med gap_mean ess khat_med \
         khat_max above | amortization ± largest | missed mean max | extreme"
    );
    for name in names {
        let (model, data) = reference::bound(&name, None).expect("a shipped model");
        let reference = reference::Reference::read(&name).ok();
        for seed in 1..=n_seeds {
            let result = fit(&model, &data, &FitConfig::default().seed(seed)).expect("a fit");
            let believable = result.verdict().believable;
            let head = format!("{name:<14} {seed} {believable:<5} {:6.1}", result.seconds());
            println!("{head} {}", figures(&result.checks()));
            if let Some(reference) = &reference {
                println!("    {}", errors(&result, reference));
            }
            let verdict = result.verdict();
            verdict.reasons.iter().for_each(|reason| println!("    - {reason}"));
            verdict.notes.iter().for_each(|note| println!("    ({note})"));
        }
    }
}

/// The largest errors of globals, of the guide and as reported, and the mean error of locals.
fn errors(fit: &Fit, reference: &reference::Reference) -> String {
    let posterior = fit.posterior();
    let (guide, reported) = (posterior.guide_summary(), posterior.summary());
    let labels = reference.labels(&guide);
    let largest = |errors: &reference::Errors| {
        let (low, high) = errors.ratios();
        format!("|z| {:.2} sd × {low:.2} to {high:.2}", errors.max_z())
    };
    let of = |summary| largest(&reference::Errors::of_globals(reference, &labels, summary));
    let locals = reference::Errors::of_locals(reference, &labels, &posterior.branches());
    format!(
        "errors: guide {}, {} {}, locals |z| {:.2} sd × {:.2}, {}",
        of(&guide),
        if fit.is_corrected() { "corrected" } else { "reported" },
        of(&reported),
        locals.mean_z(),
        locals.mean_ratio(),
        if reference.trusted { "trusted" } else { "reference not trusted" }
    )
}

fn figures(checks: &Checks) -> String {
    let mut text = String::new();
    if let Some(g) = &checks.global {
        text.push_str(&format!(
            "{:6.3} {:6.3} {:5.2} {:6.3} {:5} {:5.0}",
            g.relative_ess, g.gap, g.khat, g.local_noise, g.n_draws, g.effective_draws
        ));
        if let Some(worst) = &g.worst {
            let (name, z, ratio) = (&worst.name, worst.z, worst.sd_ratio);
            text.push_str(&format!(" {name} z {z:+.2} × {ratio:.2}"));
        }
    }
    text.push_str(" | ");
    if let Some(b) = checks.branches {
        text.push_str(&format!(
            "{:3} {:.4} {:.4} {:.2} {:5.2} {:5.2} {:.2} | ",
            b.n_branches,
            b.gap_median,
            b.gap_mean,
            b.relative_ess_median,
            b.khat_median,
            b.khat_max,
            b.khat_above
        ));
        if let Some([gap, se, largest]) = b.amortization_gap {
            text.push_str(&format!("{gap:.4} ± {se:.4} {largest:.3} | "));
        }
        let [mean, max] = b.missed_modes;
        text.push_str(&format!("{mean:.3} {max:.3} | "));
    }
    let extreme = checks.predictive.quantities.iter().filter(|q| q.is_extreme);
    let names: Vec<String> = extreme.map(|q| format!("{} {}", q.outcome, q.quantity)).collect();
    let least = checks.predictive.quantities.iter().map(|q| q.p_value).fold(1.0, f64::min);
    format!("{text} {} least p {least:.3}", names.join(", "))
}
