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

mod exact;
#[path = "../common/table.rs"]
#[allow(dead_code)]
mod table;

use std::error::Error;
use std::path::{Path, PathBuf};

use exact::Exact;
use hbdc::{
    CompiledModel, Dataset, Fit, FitConfig, PredictConfig, Prediction, SavedFit, SimulateConfig,
    Source, compile, fit, simulate, write_fit,
};
use table::Table;

/// Draws of each branch behind its means.
const DRAWS: usize = 20_000;

const LOGISTIC: &str = include_str!("../common/logistic.hbd");

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
