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

use std::collections::HashSet;
use std::error::Error;
use std::io::Write;
use std::path::Path;

use common::Approximation;
use hbdc::{BoundData, Dataset, Fit, FitConfig, Source, compile, fit};
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
        let mut has_baselines = false;
        for (name, config) in &runs {
            let row = match fit(&model, &data, &config.clone().seed(seed)) {
                Ok(fit) => {
                    if !has_baselines {
                        baselines(&data, &fit, seed)?;
                        has_baselines = true;
                    }
                    row(&fit)?
                }
                Err(why) => why.to_string(),
            };
            println!("| {name} | {seed} | {row} |");
            std::io::stdout().flush()?;
        }
    }
    Ok(())
}

/// Cells of one fit.
fn row(fit: &Fit) -> Result<String, Box<dyn Error>> {
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

/// Rows of the two baselines, on what this fit kept out; the same for every fit of this seed.
fn baselines(data: &BoundData, fit: &Fit, seed: u64) -> Result<(), Box<dyn Error>> {
    let fitted = fit.evaluator().data();
    let known: HashSet<Vec<&str>> = (0..fitted.n_branches()).map(|i| fitted.key(i)).collect();
    let is_new = |user: &usize| !known.contains(&data.key(*user));
    let seen = counts(fitted, 0..fitted.n_branches(), |row| fit.evaluator().is_fitted(row))?;
    let new = counts(data, (0..data.n_branches()).filter(is_new), |_| true)?;
    let of_seen = |c: &[f64; 4]| c[2] + c[3];
    let of_new = |c: &[f64; 4]| c[0] + c[1];
    let n_seen: f64 = seen.iter().map(of_seen).sum();
    let n_new: f64 = new.iter().map(of_new).sum();
    let (of_seen, of_new) = own_rates(&seen, &new);
    let (of_seen, of_new, constant) = (of_seen / n_seen, of_new / n_new, 0.5_f64.ln());
    println!("| constant | {seed} | | | | {constant:.4} | {constant:.4} | |");
    println!("| own rate | {seed} | | | | {of_seen:.4} | {of_new:.4} | |");
    Ok(())
}

/// A setting by its name.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, Box<dyn Error>> {
    Ok(serde_json::from_value(serde_json::Value::from(name))?)
}

/// The log likelihood of held-out rows where each user likes at a rate of his own, whose prior
/// is the beta distribution that fits the users' kept rows best on a grid; and that of all rows
/// of new users.
fn own_rates(seen: &[[f64; 4]], new: &[[f64; 4]]) -> (f64, f64) {
    let marginal = |a: f64, b: f64, c: &[f64; 4]| log_beta(a + c[0], b + c[1]) - log_beta(a, b);
    let mut best = (f64::NEG_INFINITY, 1.0, 1.0);
    for mean in (1..40).map(|k| f64::from(k) / 40.0) {
        for strength in [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0] {
            let (a, b) = (mean * strength, (1.0 - mean) * strength);
            let total = seen.iter().map(|c| marginal(a, b, c)).sum::<f64>();
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
    (seen.iter().map(score).sum(), new.iter().map(|c| marginal(a, b, c)).sum())
}

/// For each of these users: kept likes and dislikes, held-out likes and dislikes.
fn counts(
    data: &BoundData,
    users: impl IntoIterator<Item = usize>,
    is_kept: impl Fn(usize) -> bool,
) -> Result<Vec<[f64; 4]>, Box<dyn Error>> {
    let position = data.schema_position("like").ok_or("the model has no `like`")?;
    let like = data.values(position);
    let of_user = |user| {
        let mut count = [0.0; 4];
        for row in data.rows(user) {
            let kind = usize::from(like[row] == 0.0) + if is_kept(row) { 0 } else { 2 };
            count[kind] += 1.0;
        }
        count
    };
    Ok(users.into_iter().map(of_user).collect())
}

fn log_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}
