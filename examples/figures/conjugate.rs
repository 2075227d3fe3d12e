//! The conjugate model: each approximation beside what is exact.

use hbdc::{
    BoundData, CompiledModel, Covariance, Encoder, Family, Fit, FitConfig, SummaryRow, fit,
};

use crate::common::Approximation;
use crate::exact::Moments;
use crate::support::conjugate::{Conjugate, Exact};
use crate::{flag, support};

/// Branches, rows each and dimensions of a data set; how far the best ELBO of block and of
/// diagonal lies below the evidence.
const SIZES: [([usize; 3], f64, f64); 5] = [
    ([2, 3, 2], 0.368622, 0.57535013),
    ([10, 100, 10], 0.05018, 2.3733899),
    ([10, 5, 10], 3.91742, 36.248267),
    ([1000, 5, 10], 4.27856, 3256.4986),
    ([1000, 100, 10], 0.055017, 229.00753),
];

/// Branches whose locals are compared, of data sets that have more.
const SAMPLE: usize = 10;

/// Prints a row of a Markdown table for each fit whose line begins with one of `parts`, with `limit`
/// seconds at most. *ELBO* is less the best of its family, in nats. The others are mean and largest of
/// |mean − exact mean|/exact sd and of |sd/exact sd − 1|, over the elements of θ of the guide, and
/// over those of the locals of a sample of branches.
pub fn print(parts: &[String], config: &FitConfig, limit: Option<f64>) {
    let is_wanted =
        |line: &str| parts.is_empty() || parts.iter().any(|part| line.starts_with(part));
    println!(
        "| | ELBO | θ: means | θ: sds | locals: means | locals: sds | steps | seconds | |\n\
         |---|---|---|---|---|---|---|---|---|"
    );
    for ([n, rows, d], block, diagonal) in SIZES {
        let line = |one: &Approximation| format!("({n}, {rows}, {d}) {one}");
        let mut wanted = Approximation::all();
        wanted.retain(|one| is_wanted(&line(one)));
        // First the default, whose seconds are the measure of the pooled encoder.
        wanted.sort_by_key(|one| !is_default(one));
        if wanted.is_empty() {
            continue;
        }
        let size = Size::new(n, rows, d, config);
        let mut seconds = None;
        for one in &wanted {
            let best = match one.covariance {
                Covariance::Prior | Covariance::Dense => 0.0,
                Covariance::Block => block,
                Covariance::Diagonal => diagonal,
            };
            for stop in stops(one, seconds, limit) {
                let label = line(one);
                let label = stop.map_or(label.clone(), |s| format!("{label}, {s:.0} s at most"));
                match size.fit(one, stop) {
                    Err(why) => println!("| {label} | {why} | | | | | | | |"),
                    Ok(fit) => {
                        if is_default(one) {
                            seconds = Some(fit.seconds());
                        }
                        println!("| {label} | {} |", size.cells(&fit, best));
                    }
                }
            }
        }
    }
}

/// After how many seconds fits of this approximation are stopped: the pooled encoder after those of
/// the default, and after ten times these.
fn stops(one: &Approximation, default: Option<f64>, limit: Option<f64>) -> Vec<Option<f64>> {
    let of_own = match (one.family, one.encoder, default) {
        (Family::Amortized, Encoder::Pooled, Some(own)) => vec![Some(own), Some(10.0 * own)],
        _ => vec![None],
    };
    let least = |stop: Option<f64>| [stop, limit].into_iter().flatten().reduce(f64::min);
    let mut stops: Vec<Option<f64>> = of_own.into_iter().map(least).collect();
    stops.dedup();
    stops
}

fn is_default(one: &Approximation) -> bool {
    let Approximation { family, covariance, encoder, .. } = *one;
    (family, covariance, encoder) == (Family::Amortized, Covariance::Prior, Encoder::Newton)
}

/// One data set and what is exact of it.
struct Size<'c> {
    data: Conjugate,
    exact: Exact,
    model: CompiledModel,
    bound: BoundData,
    config: &'c FitConfig,
}

impl Size<'_> {
    fn new(n: usize, rows: usize, d: usize, config: &FitConfig) -> Size<'_> {
        let data = Conjugate::generate(n, rows, d);
        let (model, bound) = support::conjugate(&data);
        Size { exact: data.exact(), data, model, bound, config }
    }

    fn fit(&self, approximation: &Approximation, stop: Option<f64>) -> Result<Fit, String> {
        let config = approximation.config(self.config.clone());
        let config = stop.map_or(config.clone(), |seconds| config.max_seconds(seconds));
        fit(&self.model, &self.bound, &config).map_err(|error| error.to_string())
    }

    fn cells(&self, fit: &Fit, best: f64) -> String {
        let (elbo, se) = fit.elbo();
        let mut globals = Errors::default();
        let summary = fit.posterior().guide_summary();
        globals.add(&summary.rows().iter().collect::<Vec<_>>(), &Moments::theta(&self.exact));
        format!(
            "{:+.5} ± {se:.5} | {} | {} | {} | {:.1} |{}",
            elbo - self.exact.log_evidence + best,
            globals.cells(),
            self.locals(fit).cells(),
            fit.steps(),
            fit.seconds(),
            flag(fit),
        )
    }

    /// Errors of every (N/10)-th branch. Keys are in the order of the text.
    fn locals(&self, fit: &Fit) -> Errors {
        let summaries = fit.posterior().branches();
        let n = self.data.x.len();
        let mut errors = Errors::default();
        for place in (0..n).step_by((n / SAMPLE).max(1)) {
            let branch: usize = self.bound.key(place)[0].parse().expect("keys are numbers");
            let Some(summary) = &summaries.branches()[place] else { continue };
            let rows: Vec<&SummaryRow> = summary.rows.iter().collect();
            errors.add(&rows, &Moments::local(&self.data, &self.exact, branch));
        }
        errors
    }
}

/// |mean − exact|/exact sd and |sd/exact sd − 1| of elements.
#[derive(Default)]
struct Errors {
    means: Vec<f64>,
    sds: Vec<f64>,
}

impl Errors {
    fn add(&mut self, rows: &[&SummaryRow], exact: &Moments) {
        for (row, (mean, sd)) in rows.iter().zip(exact.mean.iter().zip(&exact.sd)) {
            self.means.push((row.mean - mean).abs() / sd);
            self.sds.push((row.sd / sd - 1.0).abs());
        }
    }

    fn cells(&self) -> String {
        let cell = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            format!("{mean:.4}, {:.4}", values.iter().copied().fold(0.0, f64::max))
        };
        format!("{} | {}", cell(&self.means), cell(&self.sds))
    }
}
