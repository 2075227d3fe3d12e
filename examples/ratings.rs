//! The ratings model with a tenth of each user's rows held out, against two baselines scored
//! on the same rows: a constant, and each user's own rate under a beta prior.
//!
//!     cargo run --release --example ratings -- ratings_genres.csv
//!
//! `--family`, `--covariance` and `--encoder` choose another approximation than the default,
//! `--seeds` how many seeds, `--seconds` a limit of each fit.

use std::error::Error;
use std::path::Path;

use hbdc::{BoundData, Dataset, FitConfig, Source, compile, fit};
use serde::de::DeserializeOwned;

const HELD_OUT: f64 = 0.1;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("the path of ratings_genres.csv is wanted")?;
    let mut config = FitConfig::default().holdout(HELD_OUT);
    let mut n_seeds = 3;
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        config = match name.as_str() {
            "--family" => config.family(named(&value)?),
            "--covariance" => config.covariance(named(&value)?),
            "--encoder" => config.encoder(named(&value)?),
            "--seconds" => config.max_seconds(value.parse()?),
            "--seeds" => {
                n_seeds = value.parse()?;
                config
            }
            _ => return Err(format!("there is no argument {name}").into()),
        };
    }
    let model_path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/ratings.hbd");
    let text = std::fs::read_to_string(model_path)?;
    let model = compile(&Source::new("ratings.hbd", text))?;
    let data = Dataset::read_csv(&path)?.bind(model.schema())?;
    for seed in 1..=n_seeds {
        let mask = data.hold_out(HELD_OUT, seed, false)?;
        let fit = fit(&model, &data, &config.clone().seed(seed))?;
        let (elbo, elbo_se) = fit.elbo();
        let (score, se, n_rows) = fit.held_out().ok_or("rows are held out")?;
        let per_row = |total: f64| total / n_rows as f64;
        println!(
            "seed {seed}: {:.0} s, {} steps, ELBO {elbo:.2} ± {elbo_se:.2}, held out {:.4} ± {:.4} \
             per row of {n_rows}; constant {:.4}, own rate {:.4}; believable: {}",
            fit.seconds(),
            fit.steps(),
            per_row(score),
            per_row(se),
            0.5_f64.ln(),
            per_row(own_rates(&data, &mask)?),
            fit.verdict().believable,
        );
    }
    Ok(())
}

/// A setting by its name.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, Box<dyn Error>> {
    Ok(serde_json::from_value(serde_json::Value::from(name))?)
}

/// The log likelihood of held-out rows where each user likes at a rate of his own, whose prior
/// is the beta distribution that fits the users' kept rows best on a grid.
fn own_rates(data: &BoundData, mask: &[f64]) -> Result<f64, Box<dyn Error>> {
    let position = data.schema_position("like").ok_or("the model has no `like`")?;
    let like = data.values(position);
    // For each user: kept likes and dislikes, held-out likes and dislikes.
    let counts: Vec<[f64; 4]> = (0..data.n_branches())
        .map(|user| {
            let mut count = [0.0; 4];
            for row in data.rows(user) {
                let kind = usize::from(like[row] == 0.0) + if mask[row] == 0.0 { 2 } else { 0 };
                count[kind] += 1.0;
            }
            count
        })
        .collect();
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
    Ok(counts.iter().map(score).sum())
}

fn log_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}
