//! The figures of `docs/verdict.md`: what is measured of fits of the models in `models/`, good and
//! bad, and how well each figure tells them apart.
//!
//!     cargo run --release --example verdicts -- [--seeds N] [--bad] [MODEL …]
//!
//! `--bad` also fits each model in ways that should go wrong, with seed 1. What is off is decided by
//! reference posteriors, not by the way a fit was made: some bad ways end well.

#[path = "references/reference.rs"]
#[allow(dead_code)]
mod reference;

use hbdc::{BranchSummaries, Checks, Covariance, Family, Fit, FitConfig, Summary, fit};
use reference::{Errors, Reference};

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

/// A way to fit.
type Way = (&'static str, fn(FitConfig) -> FitConfig);

/// Ways that should go wrong.
const BAD: [Way; 5] = [
    ("ten steps", |config| config.max_steps(10)),
    ("giant steps", |config| config.step_size(5.0).max_steps(3000)),
    ("linear", |config| config.family(Family::Branch)),
    ("block", |config| config.covariance(Covariance::Block)),
    ("diagonal", |config| config.covariance(Covariance::Diagonal)),
];

/// Globals whose standard deviation is that of a few draws: an indicator near zero or one.
const NOT_JUDGED: [(&str, &str); 1] = [("trials", "harmful")];

/// How far globals are from the reference.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    /// |z| up to 0.1 and × 0.9 to 1.1.
    Near,
    Between,
    /// |z| above 0.3, or a factor above 1.35.
    Off,
}

/// One fit of a model that has a trusted reference.
struct Record {
    name: String,
    believed: bool,
    guide: Class,
    reported: Class,
    /// One for each of [`FIGURES`].
    figures: Vec<Option<f64>>,
}

/// A figure of the verdict: its name, what it is, and whether large is bad.
type Figure = (&'static str, fn(&Fit, &Checks) -> Option<f64>, bool);

const FIGURES: [Figure; 10] = [
    ("ELBO ±", |fit, _| Some(fit.elbo().1), true),
    ("relative_ess", |_, checks| Some(checks.global.as_ref()?.relative_ess), false),
    ("effective_draws", |_, checks| Some(checks.global.as_ref()?.effective_draws), false),
    ("gap", |_, checks| Some(checks.global.as_ref()?.gap), true),
    ("worst: |z|", |_, checks| Some(checks.global.as_ref()?.worst.as_ref()?.z.abs()), true),
    (
        "worst: factor of sd",
        |_, checks| Some(checks.global.as_ref()?.worst.as_ref()?.sd_ratio.ln().abs().exp()),
        true,
    ),
    ("k̂ of θ", |_, checks| Some(checks.global.as_ref()?.khat), true),
    ("branches.gap_mean", |_, checks| Some(checks.branches.as_ref()?.gap_mean), true),
    ("amortization gap", |_, checks| Some(checks.branches.as_ref()?.amortization_gap?[0]), true),
    ("missed_modes", |_, checks| Some(checks.branches.as_ref()?.missed_modes[0]), true),
];

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let mut n_seeds = 1;
    if words.first().is_some_and(|word| word == "--seeds") {
        n_seeds = words.get(1).and_then(|n| n.parse().ok()).expect("a number of seeds");
        words.drain(..2);
    }
    let bad = words.first().is_some_and(|word| word == "--bad");
    words.retain(|word| word != "--bad");
    let names = match words.is_empty() {
        true => ALL.map(String::from).to_vec(),
        false => words,
    };
    println!(
        "model way seed believable seconds ess gap khat noise draws effective | n gap_med gap_mean \
         ess khat_med khat_max above | amortization ± largest | missed mean max | extreme"
    );
    let mut records = Vec::new();
    for name in names {
        let (model, data) = reference::bound(&name, None).expect("a shipped model");
        let reference = Reference::read(&name).ok();
        let good = (1..=n_seeds).map(|seed| ("good", FitConfig::default().seed(seed), seed));
        let bad = BAD.iter().filter(|_| bad).map(|(way, of)| (*way, of(FitConfig::default()), 1));
        for (way, config, seed) in good.chain(bad) {
            let label = format!("{name} {way} {seed}");
            match fit(&model, &data, &config) {
                Ok(result) => {
                    print(&label, &result, reference.as_ref());
                    let trusted = reference.as_ref().filter(|reference| reference.trusted);
                    records.extend(trusted.map(|known| Record::of(&name, label, &result, known)));
                }
                Err(error) => println!("{label}: {error}"),
            }
        }
    }
    separation(&records);
}

fn print(label: &str, fit: &Fit, reference: Option<&Reference>) {
    let verdict = fit.verdict();
    let head = format!("{label:<24} {:<5} {:6.1}", verdict.believable, fit.seconds());
    println!("{head} {}", figures(&fit.checks()));
    if let Some(reference) = reference {
        println!("    {}", errors(fit, reference));
    }
    verdict.reasons.iter().for_each(|reason| println!("    - {reason}"));
    verdict.notes.iter().for_each(|note| println!("    ({note})"));
}

impl Record {
    fn of(model: &str, name: String, fit: &Fit, reference: &Reference) -> Record {
        let posterior = fit.posterior();
        let (guide, reported) = (posterior.guide_summary(), posterior.summary());
        let labels = reference.labels(&guide);
        let class = |summary: &Summary| {
            let mut errors = Errors::of_globals(reference, &labels, summary);
            errors.0.retain(|error| !NOT_JUDGED.contains(&(model, error.name.as_str())));
            Class::of(&errors)
        };
        let (guide, reported) = (class(&guide), class(&reported));
        let checks = fit.checks();
        let figures = FIGURES.iter().map(|(_, of, _)| of(fit, &checks)).collect();
        Record { name, believed: fit.verdict().believable, guide, reported, figures }
    }
}

impl Class {
    fn of(errors: &Errors) -> Class {
        let (low, high) = errors.ratios();
        let (z, factor) = (errors.max_z(), high.max(1.0 / low));
        match () {
            () if z <= 0.1 && low >= 0.9 && high <= 1.1 => Class::Near,
            () if z > 0.3 || factor > 1.35 => Class::Off,
            () => Class::Between,
        }
    }
}

/// Whether fits are believed by how far they are off, and for each figure how it differs between
/// guides that are near and guides that are off.
fn separation(records: &[Record]) {
    println!("\n| as reported | believed | rejected |\n|---|---|---|");
    for (what, class) in [("near", Class::Near), ("between", Class::Between), ("off", Class::Off)] {
        let count = |believed: bool| {
            let is_one = |r: &&Record| r.reported == class && r.believed == believed;
            let names: Vec<&str> =
                records.iter().filter(is_one).map(|record| record.name.as_str()).collect();
            match names.len() {
                n if n == 0 || (class == Class::Near && believed) => n.to_string(),
                n => format!("{n}: {}", names.join(", ")),
            }
        };
        println!("| {what} | {} | {} |", count(true), count(false));
    }
    println!("\n| figure of guides | near: worst | off: best | off and beyond the worst near |");
    println!("|---|---|---|---|");
    for (k, (name, _, large_is_bad)) in FIGURES.iter().enumerate() {
        let badness = |value: f64| if *large_is_bad { value } else { -value };
        let of = |class: Class| {
            let own = records.iter().filter(move |record| record.guide == class);
            let mut all: Vec<(f64, &str)> =
                own.filter_map(|r| Some((r.figures[k]?, r.name.as_str()))).collect();
            all.sort_by(|a, b| badness(a.0).total_cmp(&badness(b.0)));
            all
        };
        let (near, off) = (of(Class::Near), of(Class::Off));
        let text = |found: Option<&(f64, &str)>| {
            found.map_or("–".to_string(), |(value, name)| format!("{value:.4} ({name})"))
        };
        let beyond = off
            .iter()
            .filter(|one| near.last().is_none_or(|worst| badness(one.0) > badness(worst.0)));
        let (beyond, all) = (beyond.count(), off.len());
        println!("| {name} | {} | {} | {beyond} of {all} |", text(near.last()), text(off.first()));
    }
}

/// The largest errors of globals, of the guide and as reported, and the mean error of locals.
fn errors(fit: &Fit, reference: &Reference) -> String {
    let posterior = fit.posterior();
    let (guide, reported) = (posterior.guide_summary(), posterior.summary());
    let labels = reference.labels(&guide);
    let largest = |errors: &Errors| {
        let (low, high) = errors.ratios();
        format!("|z| {:.2} sd × {low:.2} to {high:.2}", errors.max_z())
    };
    let of = |summary| largest(&Errors::of_globals(reference, &labels, summary));
    let branches: BranchSummaries = posterior.branches();
    let locals = Errors::of_locals(reference, &labels, &branches);
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
