//! The same data in other units: the posterior has to be the same after scaling back.
//!
//!     cargo run --release --example units -- [sleepstudy.csv]
//!
//! Fits rats, which is shipped, and sleepstudy, which is not, with response and covariate scaled and
//! shifted. Constants of the priors are scaled with them. What is flat stays as it is, which changes
//! the evidence by a known factor and the posterior not at all; so do densities of responses.

#[path = "common/table.rs"]
#[allow(dead_code)]
mod table;

use std::error::Error;
use std::path::{Path, PathBuf};

use hbdc::{Fit, FitConfig, Source, compile, fit};
use table::Table;

/// response' = scale · response + shift, and the same of the covariate.
#[derive(Clone, Copy)]
struct Units {
    response: Affine,
    covariate: Affine,
    /// Whether the model takes the shift off again, so that the intercept stays what it was.
    is_centred: bool,
}

#[derive(Clone, Copy)]
struct Affine {
    scale: f64,
    shift: f64,
}

const SAME: Affine = Affine { scale: 1.0, shift: 0.0 };

impl Affine {
    fn of(self, x: f64) -> f64 {
        self.scale * x + self.shift
    }

    /// The ratio of units of response and covariate.
    fn slope(response: Affine, covariate: Affine) -> f64 {
        response.scale / covariate.scale
    }
}

/// One of the two models.
struct Study {
    name: &'static str,
    data: PathBuf,
    covariate: &'static str,
    response: &'static str,
    /// Constants of the model's text in other units.
    changes: fn(Units) -> Vec<(&'static str, String)>,
    /// Log of the volume that globals with a flat prior take in other units.
    log_flat: fn(Units) -> f64,
    /// The globals, and what they are in the old units given draws in the new ones, in the order
    /// of `globals`.
    globals: &'static [&'static str],
    back: fn(Units, &[f64]) -> Vec<f64>,
}

/// What is compared of a fit, in the old units.
struct Outcome {
    elbo: (f64, f64),
    log_evidence: Option<f64>,
    /// Mean and standard deviation of each global.
    moments: Vec<(f64, f64)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    study(&models, &rats(models.join("rats.csv")))?;
    match std::env::args().nth(1) {
        Some(path) => study(&models, &sleepstudy(path.into())),
        None => Ok(()),
    }
}

fn rats(data: PathBuf) -> Study {
    Study {
        name: "rats",
        data,
        covariate: "day",
        response: "weight",
        changes: |u| {
            let (width, slope) = (100.0 * u.response.scale, Affine::slope(u.response, u.covariate));
            vec![
                ("xbar = 22;", format!("xbar = {:?};", u.covariate.of(22.0))),
                (
                    "mu_alpha ~ normal(0, 100)",
                    format!("mu_alpha ~ normal({:?}, {width:?})", u.response.shift),
                ),
                ("mu_beta ~ normal(0, 100)", format!("mu_beta ~ normal(0, {:?})", 100.0 * slope)),
            ]
        },
        log_flat: |u| 2.0 * u.response.scale.ln() + Affine::slope(u.response, u.covariate).ln(),
        globals: &["mu_alpha", "mu_beta", "sigma_y", "sigma_alpha", "sigma_beta"],
        back: |u, x| {
            let (a, slope) = (u.response.scale, Affine::slope(u.response, u.covariate));
            vec![(x[0] - u.response.shift) / a, x[1] / slope, x[2] / a, x[3] / a, x[4] / slope]
        },
    }
}

fn sleepstudy(data: PathBuf) -> Study {
    Study {
        name: "sleepstudy",
        data,
        covariate: "Days",
        response: "Reaction",
        changes: |u| match (u.covariate.shift, u.is_centred) {
            (0.0, _) => Vec::new(),
            (d, true) => vec![("b[2] * Days", format!("b[2] * (Days - {d:?})"))],
            (d, false) => uncentred(d),
        },
        log_flat: |u| {
            3.0 * u.response.scale.ln() + 2.0 * Affine::slope(u.response, u.covariate).ln()
        },
        globals: &["mu[1]", "mu[2]", "tau[1]", "tau[2]", "rho", "sigma"],
        back: |u, x| {
            let (a, slope) = (u.response.scale, Affine::slope(u.response, u.covariate));
            let d = if u.is_centred { 0.0 } else { u.covariate.shift };
            // Of the intercept at day 0: b₁ + d b₂, with L₂₁ and L₂₂ of the correlation.
            let (tau, rho) = ([x[2], x[3]], x[4]);
            let along = [tau[0] + d * tau[1] * rho, d * tau[1] * (1.0 - rho * rho).sqrt()];
            let sd = along[0].hypot(along[1]);
            let covariance = tau[1] * (rho * along[0] + (1.0 - rho * rho).sqrt() * along[1]);
            vec![
                (x[0] + d * x[1] - u.response.shift) / a,
                x[1] / slope,
                sd / a,
                tau[1] / slope,
                covariance / (sd * tau[1]),
                x[5] / a,
            ]
        },
    }
}

/// The prior of sleepstudy for intercepts at −d, transformed. It is flat in (τ, sd of slopes) and
/// 0.75 (1 − ρ²) in ρ, all at day 0; with covariances between (by σ₁₁, σ₁₂, σ₂₂, of which a shift
/// is a map of determinant one) it is, at −d, the density of LKJ(1) times
/// 1.5 τ'₁⁴ L'₂₂² / τ₁⁴.
fn uncentred(d: f64) -> Vec<(&'static str, String)> {
    let prior = format!(
        "real rho = L[2, 1];
  real v = square(tau[1] + {d:?} * tau[2] * L[2, 1]) + square({d:?} * tau[2] * L[2, 2]);
  target += log(1.5) + 4 * log(tau[1]) + 2 * log(L[2, 2]) - 2 * log(v);"
    );
    vec![("lkj_corr_cholesky(2)", "lkj_corr_cholesky(1)".into()), ("real rho = L[2, 1];", prior)]
}

/// Fits in all units and prints how they differ from the first.
fn study(models: &Path, study: &Study) -> Result<(), Box<dyn Error>> {
    let rows = Table::read(&study.data)?;
    let thousand_sds = 1000.0 * moments(&rows.numbers(study.response)?).1;
    let scaled = |scale: f64| Affine { scale, shift: 0.0 };
    let shifted = |shift: f64| Affine { scale: 1.0, shift };
    let both = |response, covariate| Units { response, covariate, is_centred: true };
    let plain = both(SAME, SAME);
    let years = Affine { scale: 1.0, shift: 2000.0 };
    let mut all = vec![
        ("another seed", plain),
        ("response × 10⁶", both(scaled(1e6), SAME)),
        ("response × 10⁻⁶", both(scaled(1e-6), SAME)),
        ("covariate × 10⁶", both(SAME, scaled(1e6))),
        ("covariate × 10⁻⁶", both(SAME, scaled(1e-6))),
        ("both × 10⁶", both(scaled(1e6), scaled(1e6))),
        ("both × 10⁻⁶", both(scaled(1e-6), scaled(1e-6))),
        ("response × 10⁶, covariate × 10⁻⁶", both(scaled(1e6), scaled(1e-6))),
        ("response × 10⁻⁶, covariate × 10⁶", both(scaled(1e-6), scaled(1e6))),
        ("response + 273.15", both(shifted(273.15), SAME)),
        ("response + 1000 sd", both(shifted(thousand_sds), SAME)),
        ("response × 10⁶ − 10⁹", both(Affine { scale: 1e6, shift: -1e9 }, SAME)),
        ("covariate + 2000", both(SAME, years)),
        ("response + 1000 sd, covariate + 2000", both(shifted(thousand_sds), years)),
    ];
    if study.name == "sleepstudy" {
        for (name, shift) in [
            ("covariate + 20, lines from 0", 20.0),
            ("covariate + 300, lines from 0", 300.0),
            ("covariate + 2000, lines from 0", 2000.0),
        ] {
            all.push((name, Units { covariate: shifted(shift), is_centred: false, ..plain }));
        }
    }
    println!("{}, seed 1, against the fit in its own units: z, × of each global", study.name);
    println!("| | ELBO | log evidence | {} | | s |", study.globals.join(" | "));
    println!("|---|---|---|{}---|---|", "---|".repeat(study.globals.len()));
    let (found, first) = fitted(models, study, &rows, plain, 1)?;
    let reference = outcome(study, &rows, plain, &first);
    println!("| as it is | {} |", line(&reference, &reference, &first, found));
    for (name, units) in all {
        let seed = if name == "another seed" { 2 } else { 1 };
        match fitted(models, study, &rows, units, seed) {
            Ok((seconds, fit)) => {
                let outcome = outcome(study, &rows, units, &fit);
                println!("| {name} | {} |", line(&reference, &outcome, &fit, seconds));
                fit.verdict().reasons.iter().for_each(|reason| println!("    {reason}"));
            }
            Err(error) => println!("| {name} | no fit: {error} |"),
        }
    }
    Ok(())
}

fn fitted(
    models: &Path,
    study: &Study,
    rows: &Table,
    units: Units,
    seed: u64,
) -> Result<(f64, Fit), Box<dyn Error>> {
    let mut text = std::fs::read_to_string(models.join(format!("{}.hbd", study.name)))?;
    for (old, new) in (study.changes)(units) {
        assert!(text.contains(old), "the text of the model has {old}");
        text = text.replace(old, &new);
    }
    let model = compile(&Source::new(study.name, text))?;
    let mapped = |name: &'static str, map: Affine| -> Result<_, Box<dyn Error>> {
        Ok((name, rows.numbers(name)?.iter().map(|&x| map.of(x)).collect::<Vec<f64>>()))
    };
    let columns =
        [mapped(study.response, units.response)?, mapped(study.covariate, units.covariate)?];
    let data = rows.dataset_with(&columns)?.bind(model.schema())?;
    let fit = fit(&model, &data, &FitConfig::default().seed(seed))?;
    Ok((fit.seconds(), fit))
}

/// A fit in the old units. The ELBO is that of densities in the old units: of responses, and of
/// globals with a flat prior.
fn outcome(study: &Study, rows: &Table, units: Units, fit: &Fit) -> Outcome {
    let jacobian = rows.rows.len() as f64 * units.response.scale.ln() - (study.log_flat)(units);
    let draws = fit.posterior().draws(20_000);
    let columns: Vec<_> = study
        .globals
        .iter()
        .map(|name| draws.column(name).expect("the model has this global"))
        .collect();
    let n = draws.values().nrows();
    let mut values = vec![Vec::with_capacity(n); columns.len()];
    for draw in 0..n {
        let new: Vec<f64> = columns.iter().map(|column| column[draw]).collect();
        let old = (study.back)(units, &new);
        values.iter_mut().zip(old).for_each(|(all, x)| all.push(x));
    }
    let (elbo, se) = fit.elbo();
    Outcome {
        elbo: (elbo + jacobian, se),
        log_evidence: fit.log_evidence().map(|(value, _, _)| value + jacobian),
        moments: values.iter().map(|values| moments(values)).collect(),
    }
}

fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

fn line(reference: &Outcome, outcome: &Outcome, fit: &Fit, seconds: f64) -> String {
    let evidence = match (reference.log_evidence, outcome.log_evidence) {
        (Some(one), Some(other)) => format!("{:+.4}", other - one),
        _ => "–".to_string(),
    };
    let mut text = format!(
        "{:+.4} ± {:.4} | {evidence} | ",
        outcome.elbo.0 - reference.elbo.0,
        reference.elbo.1.hypot(outcome.elbo.1)
    );
    for (&(mean, sd), &(own_mean, own_sd)) in reference.moments.iter().zip(&outcome.moments) {
        text.push_str(&format!("{:+.3}, {:.3} | ", (own_mean - mean) / sd, own_sd / sd));
    }
    let verdict = if fit.verdict().believable { "believed" } else { "rejected" };
    format!("{text}{verdict} | {seconds:.1}")
}
