//! The table: a row for each fit, the spread over seeds, and what missed.

use serde_json::{Value, json};

use super::reference::{Error, Errors, Reference};
use super::truth::Recovered;

/// Misses that are named in a row.
const NAMED: usize = 6;

/// One fit.
pub enum Row {
    Fitted(Box<Fitted>),
    /// There is no fit, and why.
    Failed(String),
    /// The approximation is not one for this model, and why.
    Unsupported(String),
}

/// What a fit says of itself, and how far it is from the reference.
pub struct Fitted {
    /// Nats, and the standard error.
    pub elbo: (f64, f64),
    /// Nats, the standard error, and the relative effective size.
    pub evidence: Option<(f64, f64, f64)>,
    pub is_corrected: bool,
    pub reasons: Vec<String>,
    pub believable: bool,
    pub steps: usize,
    pub seconds: f64,
    pub guide: Errors,
    pub reported: Errors,
    pub locals: Errors,
    /// True globals, where they are known.
    pub truths: Vec<Recovered>,
}

/// The head of the table.
pub fn header() -> String {
    format!(
        "{:<13} {:>4} {:>11} ± {:<5} {:>10} {:>5} {:<7} {:>5} {:>6} | {:^23} | {:^23} | {:^10}\n\
         {:<13} {:>4} {:>11}   {:<5} {:>10} {:>5} {:<7} {:>5} {:>6} | {:>5} {:>5} {:>5} {:>5} | \
         {:>5} {:>5} {:>5} {:>5} | {:>5} {:>5}",
        "model",
        "seed",
        "ELBO",
        "se",
        "evidence",
        "ess",
        "verdict",
        "steps",
        "s",
        "guide: |z|, sd x",
        "reported: |z|, sd x",
        "locals",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "max",
        "mean",
        "min",
        "max",
        "max",
        "mean",
        "min",
        "max",
        "|z|",
        "sd x",
    )
}

impl Row {
    /// The row as text, with misses and reasons of the verdict below.
    pub fn line(&self, name: &str, seed: u64, trusted: bool) -> String {
        let name = if trusted { name.to_string() } else { format!("{name}?") };
        let fitted = match self {
            Row::Fitted(fitted) => fitted,
            Row::Failed(reason) => return format!("{name:<13} {seed:>4} FAILED: {reason}"),
            Row::Unsupported(reason) => {
                return format!("{name:<13} {seed:>4} cannot run: {reason}");
            }
        };
        let (elbo, se) = fitted.elbo;
        let evidence = match fitted.evidence {
            Some((value, _, ess)) => format!("{value:>10.3} {ess:>5.2}"),
            None => format!("{:>10} {:>5}", "-", "-"),
        };
        let verdict = if fitted.believable { "good" } else { "poor" };
        let weights = if fitted.is_corrected { "+w" } else { "" };
        let (steps, seconds) = (fitted.steps, fitted.seconds);
        let mut text = format!(
            "{name:<13} {seed:>4} {elbo:>11.3} ± {se:<5.3} {evidence} {:<7} {steps:>5} \
             {seconds:>6.1} | {} | {} | {:>5.2} {:>5.2}",
            format!("{verdict}{weights}"),
            cells(&fitted.guide),
            cells(&fitted.reported),
            fitted.locals.mean_z(),
            fitted.locals.mean_ratio(),
        );
        let misses = named(fitted.misses());
        if !misses.is_empty() {
            text.push_str(&format!("\n    misses: {misses}"));
        }
        if let Some(farthest) = farthest(&fitted.truths) {
            text.push_str(&format!(
                "\n    truth: {} of {} in their intervals, farthest {} z {:+.2}",
                fitted.truths.iter().filter(|truth| truth.is_covered).count(),
                fitted.truths.len(),
                farthest.name,
                farthest.z,
            ));
        }
        for reason in &fitted.reasons {
            text.push_str(&format!("\n    verdict: {reason}"));
        }
        text
    }

    /// The row as one JSON object.
    pub fn json(&self, name: &str, seed: u64, approximation: &str) -> Value {
        let mut value = self.contents();
        value["model"] = name.into();
        value["seed"] = seed.into();
        value["approximation"] = approximation.into();
        value
    }

    fn contents(&self) -> Value {
        let errors = |errors: &Errors| -> Value {
            let one = |e: &Error| json!({ "name": e.name, "z": e.z, "ratio": e.ratio });
            errors.0.iter().map(one).collect()
        };
        match self {
            Row::Failed(reason) => json!({ "failed": reason }),
            Row::Unsupported(reason) => json!({ "unsupported": reason }),
            Row::Fitted(fitted) => json!({
                "elbo": fitted.elbo.0,
                "elbo_se": fitted.elbo.1,
                "log_evidence": fitted.evidence.map(|e| e.0),
                "relative_ess": fitted.evidence.map(|e| e.2),
                "is_corrected": fitted.is_corrected,
                "believable": fitted.believable,
                "reasons": fitted.reasons,
                "steps": fitted.steps,
                "seconds": fitted.seconds,
                "guide": errors(&fitted.guide),
                "reported": errors(&fitted.reported),
                "truths": fitted.truths.iter().map(|t| json!({ "name": t.name, "z": t.z }))
                    .collect::<Value>(),
                "locals": { "z": fitted.locals.mean_z(), "ratio": fitted.locals.mean_ratio() },
            }),
        }
    }

    fn fitted(&self) -> Option<&Fitted> {
        match self {
            Row::Fitted(fitted) => Some(fitted),
            Row::Failed(_) | Row::Unsupported(_) => None,
        }
    }
}

impl Fitted {
    /// Reported globals that miss, and the locals if they do on average.
    fn misses(&self) -> Vec<Error> {
        let own = |e: &Error| Error { name: e.name.clone(), z: e.z, ratio: e.ratio };
        let mut misses: Vec<Error> =
            self.reported.0.iter().filter(|error| error.is_miss()).map(own).collect();
        if !self.locals.0.is_empty() {
            let (z, ratio) = (self.locals.mean_z(), self.locals.mean_ratio());
            let locals = Error { name: "locals on average".to_string(), z, ratio };
            misses.extend(locals.is_miss().then_some(locals));
        }
        misses.sort_by(|a, b| b.badness().total_cmp(&a.badness()));
        misses
    }
}

fn farthest(truths: &[Recovered]) -> Option<&Recovered> {
    truths.iter().max_by(|a, b| a.z.abs().total_cmp(&b.z.abs()))
}

fn cells(errors: &Errors) -> String {
    let (low, high) = errors.ratios();
    format!("{:>5.2} {:>5.2} {low:>5.2} {high:>5.2}", errors.max_z(), errors.mean_z())
}

fn named(misses: Vec<Error>) -> String {
    let one = |e: &Error| format!("{} z {:+.2} x {:.2}", e.name, e.z, e.ratio);
    let mut text: Vec<String> = misses.iter().take(NAMED).map(one).collect();
    if misses.len() > NAMED {
        text.push(format!("and {} more", misses.len() - NAMED));
    }
    text.join(", ")
}

/// The fits of one model.
pub struct Seeds {
    name: String,
    trusted: bool,
    remark: Option<String>,
    rows: Vec<Row>,
}

impl Seeds {
    pub fn new(name: &str, reference: &Reference) -> Seeds {
        let (trusted, remark) = (reference.trusted, reference.remark.clone());
        Seeds { name: name.to_string(), trusted, remark, rows: Vec::new() }
    }

    pub fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    fn fits(&self) -> impl Iterator<Item = &Fitted> {
        self.rows.iter().filter_map(Row::fitted)
    }

    /// Largest less smallest over seeds: of the ELBO, and of means and sds of globals in
    /// reference sds, each at its worst element.
    pub fn spread(&self) -> String {
        let fits: Vec<&Fitted> = self.fits().collect();
        let Some(first) = fits.first() else { return format!("{:<13} no fit", self.name) };
        let range = |values: &mut dyn Iterator<Item = f64>| {
            let start = (f64::INFINITY, f64::NEG_INFINITY);
            let (low, high) = values.fold(start, |(l, h), x| (l.min(x), h.max(x)));
            high - low
        };
        let worst = |of: fn(&Fitted) -> &Errors, part: fn(&Error) -> f64| {
            let n = of(first).0.len();
            let spread = |k: usize| range(&mut fits.iter().map(|fit| part(&of(fit).0[k])));
            (0..n).map(spread).fold(0.0, f64::max)
        };
        let seconds: f64 = fits.iter().map(|fit| fit.seconds).sum();
        format!(
            "    over {} seeds: ELBO {:.3}; guide: means {:.3} sd, sds {:.3}; reported: means \
             {:.3} sd, sds {:.3}; {} failed, {} poor; {:.1} s each",
            self.rows.len(),
            range(&mut fits.iter().map(|fit| fit.elbo.0)),
            worst(|fit| &fit.guide, |error| error.z),
            worst(|fit| &fit.guide, |error| error.ratio),
            worst(|fit| &fit.reported, |error| error.z),
            worst(|fit| &fit.reported, |error| error.ratio),
            self.rows.len() - fits.len(),
            fits.iter().filter(|fit| !fit.believable).count(),
            seconds / fits.len() as f64,
        )
    }
}

/// Hits and misses over all.
pub fn conclusion(all: &[Seeds]) -> String {
    let judged: Vec<&Seeds> = all.iter().filter(|seeds| seeds.trusted).collect();
    let fits = judged.iter().flat_map(|seeds| seeds.fits());
    let (mut hits, mut good, mut poor_hits, mut good_misses) = (0, 0, 0, 0);
    for fit in fits {
        let is_hit = fit.misses().is_empty();
        hits += usize::from(is_hit);
        good += usize::from(fit.believable);
        poor_hits += usize::from(is_hit && !fit.believable);
        good_misses += usize::from(!is_hit && fit.believable);
    }
    let rows: usize = judged.iter().map(|seeds| seeds.rows.len()).sum();
    let seconds: f64 = all.iter().flat_map(Seeds::fits).map(|fit| fit.seconds).sum();
    let mut text = format!(
        "\n{rows} fits with a trusted reference: {hits} have every reported global, and locals on \
         average, within |z| 0.1 and x 0.9 to 1.1; {good} are believed by their verdict \
         ({good_misses} of these miss; {poor_hits} hits are not believed); {seconds:.0} s in all",
    );
    // Seeds share their data, so one of them stands for all.
    let firsts = all.iter().filter_map(|seeds| seeds.fits().next());
    let truths: Vec<&Recovered> = firsts.flat_map(|fit| &fit.truths).collect();
    let covered = truths.iter().filter(|truth| truth.is_covered).count();
    let n = truths.len();
    text.push_str(&format!("\n{covered} of {n} true globals in their 90 % intervals"));
    for seeds in all {
        if let Some(remark) = &seeds.remark {
            let mark = if seeds.trusted { "" } else { "? not trusted" };
            text.push_str(&format!("\n{}{mark}: {remark}", seeds.name));
        }
    }
    text
}
