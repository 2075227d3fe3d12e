//! The ratings model with a tenth of the users and a tenth of the other users' rows held out,
//! against two baselines scored on the same rows: a constant, and each user's own rate under a
//! beta prior. Prints rows of a markdown table as they come.
//!
//!     cargo run --release --example ratings -- ratings_genres.csv
//!
//! `--family`, `--covariance` and `--encoder` choose another approximation than the default,
//! `--all` runs every one, `--only` those whose name contains this, as in "Amortized Dense";
//! `--seeds` says how many seeds, `--max-seconds` a limit of each fit, `--threads` how many threads.

mod common;

use std::error::Error;
use std::io::Write;
use std::path::Path;

use common::Approximation;
use hbdc::{BoundData, CompiledModel, Dataset, FitConfig, Source, compile, fit};
use serde::de::DeserializeOwned;

const HELD_OUT: f64 = 0.1;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("the path of ratings_genres.csv is wanted")?;
    let mut config = FitConfig::default().holdout(HELD_OUT).holdout_branches(HELD_OUT);
    let (mut n_seeds, mut only) = (3, None);
    while let Some(name) = arguments.next() {
        if name == "--all" {
            only.get_or_insert_with(String::new);
            continue;
        }
        let value = arguments.next().ok_or(format!("{name} wants a value"))?;
        config = match name.as_str() {
            "--family" => config.family(named(&value)?),
            "--covariance" => config.covariance(named(&value)?),
            "--encoder" => config.encoder(named(&value)?),
            "--max-seconds" => config.max_seconds(value.parse()?),
            "--threads" => config.threads(value.parse()?),
            "--seeds" => {
                n_seeds = value.parse()?;
                config
            }
            "--only" => {
                only = Some(value);
                config
            }
            _ => return Err(format!("there is no argument {name}").into()),
        };
    }
    let model_path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/ratings.hbd");
    let text = std::fs::read_to_string(model_path)?;
    let model = compile(&Source::new("ratings.hbd", text))?;
    let data = Dataset::read_csv(&path)?.bind(model.schema())?;
    let runs: Vec<(String, FitConfig)> = match only {
        None => vec![("as given".to_string(), config)],
        Some(part) => Approximation::all()
            .into_iter()
            .map(|one| (one.to_string(), one.config(config.clone())))
            .filter(|(name, _)| name.contains(&part))
            .collect(),
    };
    println!(
        "| approximation | seed | seconds | steps | ELBO | held-out rows, each | rows of new users, \
         each | believable |\n|---|---|---|---|---|---|---|---|"
    );
    for seed in 1..=n_seeds {
        baselines(&model, &data, seed)?;
        for (name, config) in &runs {
            let row = row(&model, &data, &config.clone().seed(seed));
            println!("| {name} | {seed} | {} |", row.unwrap_or_else(|why| why.to_string()));
            std::io::stdout().flush()?;
        }
    }
    Ok(())
}

/// Cells of one fit.
fn row(
    model: &CompiledModel,
    data: &BoundData,
    config: &FitConfig,
) -> Result<String, Box<dyn Error>> {
    let fit = fit(model, data, config)?;
    let (elbo, se) = fit.elbo();
    let scores = fit.scores().ok_or("rows are held out")?;
    let seen = scores.seen().ok_or("rows of fitted users are held out")?;
    let new = scores.new_ones().ok_or("users are held out")?;
    let per_row = |score: hbdc::Score| {
        let n = score.n_rows as f64;
        format!("{:.4} ± {:.4}", score.log_likelihood / n, score.se / n)
    };
    Ok(format!(
        "{:.0} | {} | {elbo:.2} ± {se:.2} | {} | {} | {}",
        fit.seconds(),
        fit.steps(),
        per_row(seen),
        per_row(new),
        fit.verdict().believable,
    ))
}

/// Rows of the two baselines, on what a fit of this seed keeps out.
fn baselines(model: &CompiledModel, data: &BoundData, seed: u64) -> Result<(), Box<dyn Error>> {
    let (kept, out) = data.hold_out_branches(HELD_OUT, seed)?;
    let fitted = model.schema().part(data, &kept, None)?;
    let new = model.schema().part(data, &out, Some(&fitted))?;
    let mask = fitted.hold_out(HELD_OUT, seed, false)?;
    let n_seen = mask.iter().filter(|&&kept| kept == 0.0).count() as f64;
    let (seen_score, new_score) = own_rates(&fitted, &mask, &new)?;
    let constant = 0.5_f64.ln();
    println!("| constant | {seed} | | | | {constant:.4} | {constant:.4} | |");
    let (seen, new) = (seen_score / n_seen, new_score / new.n_rows_total() as f64);
    println!("| own rate | {seed} | | | | {seen:.4} | {new:.4} | |");
    Ok(())
}

/// A setting by its name.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, Box<dyn Error>> {
    Ok(serde_json::from_value(serde_json::Value::from(name))?)
}

/// The log likelihood of held-out rows where each user likes at a rate of his own, whose prior
/// is the beta distribution that fits the users' kept rows best on a grid; and that of all rows
/// of new users.
fn own_rates(
    data: &BoundData,
    mask: &[f64],
    new: &BoundData,
) -> Result<(f64, f64), Box<dyn Error>> {
    let counts = counts(data, mask)?;
    let mut best = (f64::NEG_INFINITY, 1.0, 1.0);
    for mean in (1..40).map(|k| f64::from(k) / 40.0) {
        for strength in [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0] {
            let (a, b) = (mean * strength, (1.0 - mean) * strength);
            let marginal = |c: &[f64; 4]| log_beta(a + c[0], b + c[1]) - log_beta(a, b);
            let total = counts.iter().map(marginal).sum::<f64>();
            if total > best.0 {
                best = (total, a, b);
            }
        }
    }
    let (_, a, b) = best;
    let score = |c: &[f64; 4]| {
        let rate = (a + c[0]) / (a + b + c[0] + c[1]);
        c[2] * rate.ln() + c[3] * (1.0 - rate).ln()
    };
    let all_kept = vec![1.0; new.n_rows_total()];
    let of_new = |c: &[f64; 4]| log_beta(a + c[0], b + c[1]) - log_beta(a, b);
    let new_score = self::counts(new, &all_kept)?.iter().map(of_new).sum();
    Ok((counts.iter().map(score).sum(), new_score))
}

/// For each user: kept likes and dislikes, held-out likes and dislikes.
fn counts(data: &BoundData, mask: &[f64]) -> Result<Vec<[f64; 4]>, Box<dyn Error>> {
    let position = data.schema_position("like").ok_or("the model has no `like`")?;
    let like = data.values(position);
    let of_user = |user| {
        let mut count = [0.0; 4];
        for row in data.rows(user) {
            let kind = usize::from(like[row] == 0.0) + if mask[row] == 0.0 { 2 } else { 0 };
            count[kind] += 1.0;
        }
        count
    };
    Ok((0..data.n_branches()).map(of_user).collect())
}

fn log_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}
