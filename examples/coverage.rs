//! How often intervals hold the truth: 90 % intervals of fits to simulated data.
//!
//!     cargo run --release --example coverage                    locals of 2000 branches
//!     cargo run --release --example coverage -- --repeats 100   globals, too
//!
//! Outcomes are drawn by the model's own statements (`simulate`). Locals are counted over the
//! branches of a data set at known globals whose population scales 2000 branches fix well: an
//! error of a scale shifts all branches at once, and where scales are weakly known even the exact
//! posterior covers far more or less than 90 % in one set. Globals are counted over repeats in
//! which all unknowns are drawn from their priors, where the exact posterior covers 90 %.
//! `--sets K`, `--branches N`, `--repeat-branches N` and `--first-seed S` set numbers, sizes and draws.

use std::error::Error;

use hbdc::{
    Column, CompiledModel, Dataset, Fit, FitConfig, Point, SimulateConfig, Simulated, Source,
    SummaryRow, compile, fit, simulate,
};

/// Rows of each branch.
const ROWS: usize = 10;

/// Name, text, and known globals: both means, both scales, then the rest.
const MODELS: [(&str, &str, &[f64]); 2] = [
    (
        "normal: intercept and slope",
        "data { branch group { rows N; vector[N] x; vector[N] y; } }
         global {
           vector[2] mu ~ normal(0, 1);
           vector<lower=0>[2] tau ~ normal(0, 1);
           real<lower=0> sigma ~ normal(0, 1);
         }
         local {
           vector[2] b ~ normal(mu, tau);
           y ~ normal(b[1] + b[2] * x, sigma);
         }",
        &[0.5, -0.3, 0.8, 0.5, 0.7],
    ),
    ("logistic: intercept and slope", include_str!("common/logistic.hbd"), &[0.5, -0.3, 1.0, 0.8]),
];

struct Options {
    branches: usize,
    sets: u64,
    repeats: u64,
    repeat_branches: usize,
    first_seed: u64,
}

/// Truths that were within their intervals, of all.
#[derive(Clone, Debug, Default)]
struct Count {
    covered: usize,
    all: usize,
}

impl Count {
    fn add(&mut self, truth: f64, row: &SummaryRow) {
        self.covered += usize::from((row.q5..=row.q95).contains(&truth));
        self.all += 1;
    }

    /// In percent, with the standard error of independent truths.
    fn text(&self) -> String {
        let (n, share) = (self.all as f64, self.covered as f64 / self.all as f64);
        let se = (share * (1.0 - share) / n).sqrt();
        format!("{:.1} ± {:.1} % of {}", 100.0 * share, 100.0 * se, self.all)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    for (name, text, known) in MODELS {
        println!("{name}");
        let model = compile(&Source::new(name, text))?;
        locals(&model, known, &options)?;
        if options.repeats > 0 {
            globals(&model, &options);
        }
    }
    Ok(())
}

fn options() -> Result<Options, String> {
    let mut options =
        Options { branches: 2000, sets: 1, repeats: 0, repeat_branches: 50, first_seed: 1 };
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().and_then(|text| text.parse::<u64>().ok());
        let value = value.ok_or(format!("{flag} wants a number"))?;
        match flag.as_str() {
            "--branches" => options.branches = value as usize,
            "--sets" => options.sets = value,
            "--repeats" => options.repeats = value,
            "--repeat-branches" => options.repeat_branches = value as usize,
            "--first-seed" => options.first_seed = value,
            _ => return Err(format!("there is no {flag}")),
        }
    }
    Ok(options)
}

/// Truth, data and fit. Covariates are the same in every branch, from −1 to 1. Globals are drawn
/// from their priors unless they are known.
fn fitted(
    model: &CompiledModel,
    n_branches: usize,
    seed: u64,
    known: Option<&[f64]>,
) -> Result<(Simulated, Fit), Box<dyn Error>> {
    let rows = || {
        let group = (0..n_branches * ROWS).map(|row| (row / ROWS) as f64).collect();
        let x = |row: usize| 2.0 * (row % ROWS) as f64 / (ROWS - 1) as f64 - 1.0;
        let x = (0..n_branches * ROWS).map(x).collect();
        Dataset::from_columns(vec![
            ("group".to_string(), Column::Numbers(group)),
            ("x".to_string(), Column::Numbers(x)),
        ])
    };
    let mut simulated = simulate(model, rows()?, &SimulateConfig { seed, point: None })?;
    if let Some(known) = known {
        let point = Some(moved(&simulated.point, known));
        // Noise of its own: the same seed would give outcomes the noise of the locals.
        let config = SimulateConfig { seed: seed + (1 << 32), point };
        simulated = simulate(model, rows()?, &config)?;
    }
    let fit = fit(model, &simulated.data, &FitConfig::default().seed(seed))?;
    Ok((simulated, fit))
}

/// The point with other globals, and its locals at the same place of their population.
fn moved(drawn: &Point, known: &[f64]) -> Point {
    let place = |(k, z): (usize, &f64)| {
        let standard = (z - drawn.globals[k]) / drawn.globals[k + 2];
        known[k] + known[k + 2] * standard
    };
    let locals = drawn.locals.iter().map(|z| z.iter().enumerate().map(place).collect());
    Point { globals: known.to_vec(), locals: locals.collect() }
}

/// Over the branches of large data sets.
fn locals(model: &CompiledModel, known: &[f64], options: &Options) -> Result<(), Box<dyn Error>> {
    let mut total = Count::default();
    for seed in options.first_seed..options.first_seed + options.sets {
        let (truth, fit) = fitted(model, options.branches, seed, Some(known))?;
        let truth = fit.evaluator().clone().reported_at(&truth.point);
        let verdict = fit.verdict();
        println!("  seed {seed}, {:.1} s, believable: {}", fit.seconds(), verdict.believable);
        verdict.reasons.iter().for_each(|reason| println!("    {reason}"));
        for (row, truth) in fit.posterior().summary().rows().iter().zip(&truth.globals) {
            println!("    {} = {truth:.3}, fitted {:.3} ± {:.3}", row.name, row.mean, row.sd);
        }
        let summaries = fit.posterior().branches();
        let mut counts = vec![Count::default(); summaries.names().len()];
        for (truth, summary) in truth.locals.iter().zip(summaries.branches()) {
            let summary = summary.as_ref().ok_or("draws of a branch were not finite")?;
            for ((count, row), &truth) in counts.iter_mut().zip(&summary.rows).zip(truth) {
                count.add(truth, row);
            }
        }
        for (name, count) in summaries.names().iter().zip(&counts) {
            println!("    intervals of {name}: {}", count.text());
            total.covered += count.covered;
            total.all += count.all;
        }
    }
    println!("  all locals: {}", total.text());
    Ok(())
}

/// Over data sets, each with globals of its own.
fn globals(model: &CompiledModel, options: &Options) {
    let mut counts: Vec<(String, Count)> = Vec::new();
    let (mut believed, mut failed) = (0, Vec::new());
    for seed in options.first_seed..options.first_seed + options.repeats {
        let (truth, fit) = match fitted(model, options.repeat_branches, seed, None) {
            Ok(fitted) => fitted,
            Err(error) => {
                failed.push(format!("seed {seed}: {error}"));
                continue;
            }
        };
        believed += usize::from(fit.verdict().believable);
        let truth = fit.evaluator().clone().reported_at(&truth.point).globals;
        let summary = fit.posterior().summary();
        if counts.is_empty() {
            let names = summary.rows().iter().map(|row| (row.name.clone(), Count::default()));
            counts = names.collect();
        }
        for (((_, count), row), truth) in counts.iter_mut().zip(summary.rows()).zip(truth) {
            count.add(truth, row);
        }
    }
    let mut all = Count::default();
    for (name, count) in &counts {
        println!("  {name}: {}", count.text());
        all.covered += count.covered;
        all.all += count.all;
    }
    println!(
        "  all globals: {}; {believed} of {} fits believable, {} failed",
        all.text(),
        options.repeats,
        failed.len()
    );
    failed.iter().for_each(|failure| println!("    {failure}"));
}
