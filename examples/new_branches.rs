//! Branches that a fit has not seen, against a fit that has, and their score against its exact value.
//!
//!     cargo run --release --example new_branches -- [CASE …]
//!
//! Every fifth branch is left out. The means of its locals, as `predict` gives them, are compared
//! with those of a fit to all branches. Its score is compared with its exact value for the same
//! posterior of θ, log E_θ ∫ p(y, z | θ) dz, the integral by importance weights of a Student t
//! about the predicted locals, which knows nothing of q: what no q of a branch can exceed, however
//! it is optimised.
//!
//! Part of what means differ by is no error: the branches left out say something of θ. The same
//! integrals weigh the draws of θ by the branches left out, which gives exact means given all data.

#[path = "support/table.rs"]
#[allow(dead_code)]
mod table;

use std::error::Error;
use std::path::{Path, PathBuf};

use hbdc::{
    CompiledModel, Dataset, Evaluator, Fit, FitConfig, LocalSummary, Point, PredictConfig,
    Prediction, SavedFit, SimulateConfig, Source, SummaryRow, compile, fit, simulate, write_fit,
};
use table::Table;

/// Draws of θ behind an exact score, of z for all branches together, and for each.
const THETAS: usize = 500;
const LOCALS: usize = 50_000;
const LOCALS_EACH: [usize; 2] = [500, 5000];
/// Draws of each branch behind its means.
const DRAWS: usize = 20_000;

const LOGISTIC: &str = "
    data { branch group { rows N; vector[N] x; array[N] int<lower=0, upper=1> y; } }
    global {
      vector[2] mu ~ normal(0, 1);
      vector<lower=0>[2] tau ~ normal(0, 1);
    }
    local {
      vector[2] b ~ normal(mu, tau);
      y ~ bernoulli_logit(b[1] + b[2] * x);
    }";

/// Data and the model that they are fitted by.
struct Case {
    name: &'static str,
    text: String,
    rows: Table,
    branches: Option<Table>,
    table: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    println!(
        "| | branches, left out | means: mean, largest \\|z\\| | × | exact given all: mean \\|z\\| | score per branch | exact | \
         score less exact | s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for name in ["rats", "seeds", "radon", "films", "logistic", "many films"] {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            run(&case(name)?)?;
        }
    }
    Ok(())
}

fn case(name: &'static str) -> Result<Case, Box<dyn Error>> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let file = |name: &str| models.join(name);
    let text = |name: &str| std::fs::read_to_string(file(&format!("{name}.hbd")));
    let shipped = |name: &'static str| -> Result<Case, Box<dyn Error>> {
        let rows = Table::read(&file(&format!("{name}.csv")))?;
        Ok(Case { name, text: text(name)?, rows, branches: None, table: None })
    };
    match name {
        "radon" => {
            let branches = Table::read(&file("radon.branches.csv"))?;
            let mut case = Case { branches: Some(branches), ..shipped(name)? };
            // The mean of all counties in either fit, or locals would mean something else.
            case.text = replaced(&case.text, "mean(column(log_uranium))", "0");
            Ok(case)
        }
        "films" => Ok(Case { table: Some(file("films.movies.csv")), ..shipped(name)? }),
        "logistic" => {
            let narrow = replaced(LOGISTIC, "mu ~ normal(0, 1)", "mu ~ normal(0.5, 0.01)");
            let narrow = replaced(&narrow, "tau ~ normal(0, 1)", "tau ~ normal(0.9, 0.01)");
            let x = |row: usize| 2.0 * row as f64 / 9.0 - 1.0;
            let rows = grid("group", "x", 500, 10, |_, row| format!("{:?}", x(row)));
            let rows = simulated(&narrow, rows, None)?;
            Ok(Case { name, text: LOGISTIC.to_string(), rows, branches: None, table: None })
        }
        "many films" => {
            let (text, movies) = (text("films")?, file("films.movies.csv"));
            let narrow = replaced(&text, "mu ~ normal(0, 1)", "mu ~ normal(0.3, 0.01)");
            let narrow = replaced(&narrow, "tau ~ normal(0, 1)", "tau ~ normal(0.9, 0.01)");
            let known = Table::read(&movies)?;
            let movie = |user: usize, row: usize| {
                known.rows[(7 * user + 3 * row) % known.rows.len()][0].clone()
            };
            let rows = grid("user_id", "movie_id", 500, 12, movie);
            let rows = simulated(&narrow, rows, Some(&movies))?;
            Ok(Case { name, text, rows, branches: None, table: Some(movies) })
        }
        _ => shipped(name),
    }
}

fn replaced(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "the text of the model has {old}");
    text.replace(old, new)
}

/// Rows of branches and one covariate.
fn grid(
    key: &str,
    covariate: &str,
    branches: usize,
    rows: usize,
    value: impl Fn(usize, usize) -> String,
) -> Table {
    let all = (0..branches).flat_map(|branch| (0..rows).map(move |row| (branch, row)));
    let rows = all.map(|(branch, row)| vec![(branch + 1).to_string(), value(branch, row)]);
    Table { names: vec![key.to_string(), covariate.to_string()], rows: rows.collect() }
}

/// Outcomes drawn by a model's own statements.
fn simulated(text: &str, rows: Table, table: Option<&Path>) -> Result<Table, Box<dyn Error>> {
    let model = compile(&Source::new("simulated", text))?;
    let mut data = rows.dataset()?;
    if let Some(path) = table {
        data = data.table("movies", Dataset::read_csv(path)?);
    }
    let simulated = simulate(&model, data, &SimulateConfig { seed: 1, point: None })?;
    Table::from_reader(csv::Reader::from_reader(simulated.rows_csv()?.as_slice()))
}

fn run(case: &Case) -> Result<(), Box<dyn Error>> {
    let model = compile(&Source::new(case.name, case.text.as_str()))?;
    let keys = case.rows.keys();
    let is_out = |key: &str| keys.iter().position(|known| known == key).is_some_and(|k| k % 5 == 4);
    let kept = case.part(&|key| !is_out(key))?;
    let (out, test) = (case.rows_of(&is_out)?, case.part(&is_out)?);
    let config = FitConfig::default();
    let of_kept = kept.bind(model.schema())?;
    let test = test.bind_like(model.schema(), &of_kept)?;
    let without = fit(&model, &of_kept, &config.clone().test(test))?;
    let with = fit(&model, &case.part(&|_| true)?.bind(model.schema())?, &config)?;
    let (new, seen) = (predicted(&model, &without, &out)?, predicted(&model, &with, &out)?);
    let errors = compared(&new, &seen)?;
    let scores = without.scores().ok_or("nothing was scored")?;
    let n = scores.branches().len();
    let mut exact = Exact::new(&without, n);
    for (branch, score) in scores.branches().iter().enumerate() {
        assert_eq!(score.key, new.data().key(branch), "scores are in the order of the keys");
        let one = case.part(&|key| score.key == [key])?;
        let evaluator = model.evaluator(&one.bind_like(model.schema(), &of_kept)?)?;
        exact.add(evaluator, new.branches().branches()[branch].as_ref(), branch)?;
    }
    let mean =
        |of: &dyn Fn(&(f64, f64)) -> f64| errors.iter().map(of).sum::<f64>() / errors.len() as f64;
    let largest = errors.iter().map(|(z, _)| z.abs()).fold(0.0, f64::max);
    let (by_exact, noise) = exact.per_branch();
    let (total, n_out) = (scores.total(), n as f64);
    let score = total.log_likelihood / n_out;
    println!(
        "| {} | {}, {} | {:.3}, {largest:.2} | {:.3} | {:.3} | {score:.4} ± {:.4} | {by_exact:.4} ± \
         {noise:.4} | {:+.2} % | {:.0}, {:.0} | {}",
        case.name,
        keys.len(),
        n,
        mean(&|(z, _)| z.abs()),
        mean(&|(_, ratio)| *ratio),
        exact.z_given_all(&seen),
        total.se / n_out,
        100.0 * (score - by_exact) / by_exact.abs(),
        without.seconds(),
        with.seconds(),
        if without.verdict().believable && with.verdict().believable { "" } else { "not believed" }
    );
    Ok(())
}

/// What a saved fit says of these branches.
fn predicted(
    model: &CompiledModel,
    fit: &Fit,
    data: &Dataset,
) -> Result<Prediction, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let place = folder.path().join("fit");
    write_fit(&place, model, fit, false)?;
    Ok(SavedFit::open(&place)?.predict(data, &PredictConfig::default().draws(DRAWS))?)
}

/// Difference of means in standard deviations and ratio of these, of each local of each branch.
fn compared(new: &Prediction, seen: &Prediction) -> Result<Vec<(f64, f64)>, Box<dyn Error>> {
    let mut errors = Vec::new();
    for (one, other) in new.branches().branches().iter().zip(seen.branches().branches()) {
        let (one, other) = one.as_ref().zip(other.as_ref()).ok_or("draws were not finite")?;
        for (row, known) in one.rows.iter().zip(&other.rows) {
            errors.push(((row.mean - known.mean) / known.sd, row.sd / known.sd));
        }
    }
    Ok(errors)
}

/// log (1/S) Σ_s ∫ p(y, z | θ_s) dz over branches.
struct Exact {
    thetas: Vec<Vec<f64>>,
    n_locals: usize,
    sum: f64,
    /// Of the draws of z, and for each draw of θ what it adds relative to the mean.
    variance: f64,
    influence: Vec<f64>,
    /// For each draw of θ log p(y | θ) of all branches, and for each branch the means of its locals.
    log_weights: Vec<f64>,
    means: Vec<Vec<Vec<f64>>>,
}

impl Exact {
    fn new(fit: &Fit, n_branches: usize) -> Exact {
        let thetas = globals(fit);
        let (influence, log_weights) = (vec![0.0; thetas.len()], vec![0.0; thetas.len()]);
        let [least, most] = LOCALS_EACH;
        let n_locals = (LOCALS / n_branches).clamp(least, most);
        let (sum, variance, means) = (0.0, 0.0, Vec::new());
        Exact { thetas, n_locals, sum, variance, influence, log_weights, means }
    }

    /// Adds the one branch of `evaluator`.
    fn add(
        &mut self,
        mut evaluator: Evaluator,
        summary: Option<&LocalSummary>,
        seed: usize,
    ) -> Result<(), Box<dyn Error>> {
        let summary = summary.ok_or("draws were not finite")?;
        let mut noise = Noise(seed as u64);
        let mut by_theta = vec![Vec::with_capacity(self.n_locals); self.thetas.len()];
        let (mut weights, mut draws) = (Vec::with_capacity(self.n_locals), Vec::new());
        for _ in 0..self.n_locals {
            let (mut z, mut log_proposal) = (Vec::new(), 0.0);
            for row in &summary.rows {
                let (t, log_density) = noise.student();
                let scale = 1.2 * row.sd;
                z.push(row.mean + scale * t);
                log_proposal += log_density - scale.ln();
            }
            let mut point = Point { globals: Vec::new(), locals: vec![z] };
            let mut values = Vec::with_capacity(self.thetas.len());
            for (theta, all) in self.thetas.iter().zip(&mut by_theta) {
                point.globals.clone_from(theta);
                values.push(evaluator.density_at(&point).log_local - log_proposal);
                all.push(values[values.len() - 1]);
            }
            weights.push(log_mean_exp(&values));
            draws.extend(point.locals);
        }
        let value = log_mean_exp(&weights);
        let n = weights.len() as f64;
        let spread = weights.iter().map(|w| ((w - value).exp() - 1.0).powi(2)).sum::<f64>() / n;
        self.sum += value;
        self.variance += spread / n;
        for (s, own) in by_theta.iter().enumerate() {
            let log_likelihood = log_mean_exp(own);
            self.influence[s] += (log_likelihood - value).exp() - 1.0;
            self.log_weights[s] += log_likelihood;
        }
        self.means.push(by_theta.iter().map(|own| weighted_mean(own, &draws)).collect());
        Ok(())
    }

    /// Mean |z| of the exact means of locals given all data against those of a fit to all.
    fn z_given_all(&self, seen: &Prediction) -> f64 {
        let mut errors = Vec::new();
        for (means, summary) in self.means.iter().zip(seen.branches().branches().iter().flatten()) {
            let exact = weighted_mean(&self.log_weights, means);
            let one = |(mean, row): (f64, &SummaryRow)| ((mean - row.mean) / row.sd).abs();
            errors.extend(exact.into_iter().zip(&summary.rows).map(one));
        }
        errors.iter().sum::<f64>() / errors.len() as f64
    }

    /// The mean over branches and its Monte Carlo error.
    fn per_branch(&self) -> (f64, f64) {
        let s = self.thetas.len() as f64;
        let of_theta = self.influence.iter().map(|a| a * a).sum::<f64>() / (s * s);
        let n = self.means.len() as f64;
        (self.sum / n, (self.variance + of_theta).sqrt() / n)
    }
}

/// The unknown globals at draws from the posterior.
fn globals(fit: &Fit) -> Vec<Vec<f64>> {
    let draws = fit.posterior().draws(THETAS);
    let layout = fit.evaluator().reported_layout();
    let unknown = layout.variables().iter().filter(|variable| variable.is_unknown);
    let ranges: Vec<_> = unknown.map(|variable| variable.range.clone()).collect();
    let elements: Vec<usize> = layout
        .variables()
        .iter()
        .flat_map(|variable| variable.elements().into_iter().map(|(_, position)| position))
        .collect();
    let of_draw = |row: ndarray::ArrayView1<f64>| {
        // What is left out of the draws is the upper triangle of a factor.
        let mut all = vec![0.0; layout.len()];
        elements.iter().zip(row).for_each(|(&position, &value)| all[position] = value);
        ranges.iter().flat_map(|range| all[range.clone()].to_vec()).collect()
    };
    draws.values().rows().into_iter().map(of_draw).collect()
}

/// The mean of rows by the exponentials of these weights.
fn weighted_mean(log_weights: &[f64], rows: &[Vec<f64>]) -> Vec<f64> {
    let log_mean = log_mean_exp(log_weights);
    let mut mean = vec![0.0; rows[0].len()];
    for (log_weight, row) in log_weights.iter().zip(rows) {
        let weight = (log_weight - log_mean).exp() / rows.len() as f64;
        mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight * x);
    }
    mean
}

fn log_mean_exp(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = values.iter().map(|x| (x - largest).exp()).sum();
    largest + (sum / values.len() as f64).ln()
}

/// SplitMix64.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((x ^ (x >> 31)) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let angle = std::f64::consts::TAU * self.uniform();
        (-2.0 * self.uniform().ln()).sqrt() * angle.cos()
    }

    /// Student's t with five degrees of freedom, and its log density.
    fn student(&mut self) -> (f64, f64) {
        let squares: f64 = (0..5).map(|_| self.normal().powi(2)).sum();
        let t = self.normal() / (squares / 5.0).sqrt();
        // Γ(3) / (√(5π) Γ(5/2)), with Γ(5/2) = ¾√π.
        let constant = 2.0 / (0.75 * std::f64::consts::PI * 5.0f64.sqrt());
        (t, constant.ln() - 3.0 * (1.0 + t * t / 5.0).ln())
    }
}

impl Case {
    /// The data of some branches.
    fn part(&self, is_wanted: &dyn Fn(&str) -> bool) -> Result<Dataset, Box<dyn Error>> {
        let data = self.rows_of(is_wanted)?;
        Ok(match &self.table {
            Some(path) => data.table("movies", Dataset::read_csv(path)?),
            None => data,
        })
    }

    /// The same without the table, which a saved fit has of its own.
    fn rows_of(&self, is_wanted: &dyn Fn(&str) -> bool) -> Result<Dataset, Box<dyn Error>> {
        let data = self.rows.part(is_wanted).dataset()?;
        Ok(match &self.branches {
            Some(branches) => data.branches(branches.part(is_wanted).dataset()?),
            None => data,
        })
    }
}
