//! Reference posteriors, and how far a fit is from them.

use std::fs;
use std::path::{Path, PathBuf};

use hbdc::{BoundData, BranchSummaries, CompiledModel, Dataset, Source, Summary, compile};
use serde_json::Value;

/// A posterior drawn by NUTS: means and standard deviations.
pub struct Reference {
    pub trusted: bool,
    /// Why not, or another remark.
    pub remark: Option<String>,
    globals: Vec<(String, Moments)>,
    /// For each element of the locals, one for each branch in the order of the keys.
    locals: Vec<(String, Vec<Moments>)>,
    /// Variables whose first indices may be renamed, all at once, without changing the model.
    exchangeable: Vec<String>,
}

/// Where a scalar lies and how wide it is: mean and standard deviation. Where the posterior has no
/// standard deviation, median and distance of the 5 % and 95 % quantiles, as a normal's.
#[derive(Clone, Copy)]
struct Moments {
    mean: f64,
    sd: f64,
    is_robust: bool,
}

impl Moments {
    fn robust(q5: f64, q50: f64, q95: f64) -> Moments {
        Moments { mean: q50, sd: (q95 - q5) / (2.0 * 1.6448536269514722), is_robust: true }
    }
}

/// Which label of the fit each label of the reference is, from zero; empty where there are none.
pub struct Labels(Vec<usize>);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: PathBuf) -> Result<String, String> {
    fs::read_to_string(&path).map_err(|fault| format!("{}: {fault}", path.display()))
}

fn json(path: PathBuf) -> Result<Value, String> {
    serde_json::from_str(&text(path.clone())?).map_err(|e| format!("{}: {e}", path.display()))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// A model of `models/` bound to the files of its densities, or to other rows.
///
/// # Errors
/// When a file is missing or does not fit.
pub fn bound(name: &str, data: Option<&Path>) -> Result<(CompiledModel, BoundData), String> {
    let source = Source::new(name, text(root().join("models").join(format!("{name}.hbd")))?);
    let model = compile(&source).map_err(|error| error.render(false))?;
    let points = json(root().join("tests/reference").join(name).join("points.json"))?;
    let files = points["files"].as_object().ok_or("points.json names no files")?;
    let read = |path: &Path| Dataset::read_csv(path).map_err(|error| error.to_string());
    let file = |value: &Value| root().join(value.as_str().unwrap_or_default());
    let rows = match data {
        Some(path) => path.to_path_buf(),
        None if name == "sleepstudy" => {
            return Err("its data are not shipped: --data sleepstudy=FILE".to_string());
        }
        None => file(&files["data"]),
    };
    let mut dataset = read(&rows)?;
    for (role, path) in files {
        dataset = match role.as_str() {
            "data" => dataset,
            "branches" => dataset.branches(read(&file(path))?),
            table => dataset.table(table, read(&file(path))?),
        };
    }
    let bound = dataset.bind(model.schema()).map_err(|error| error.to_string())?;
    Ok((model, bound))
}

impl Reference {
    /// # Errors
    /// When there is none.
    pub fn read(name: &str) -> Result<Reference, String> {
        let path = root().join("tests/reference").join(name).join("posterior.json");
        if !path.exists() {
            return Err("there is no posterior.json".to_string());
        }
        let file = json(path)?;
        let moments = |value: &Value| {
            let number = |key: &str| value[key].as_f64().unwrap_or(f64::NAN);
            match value["sd"].is_null() {
                true => Moments::robust(number("q5"), number("q50"), number("q95")),
                false => Moments { mean: number("mean"), sd: number("sd"), is_robust: false },
            }
        };
        let of_branches = |value: &Value| {
            let pairs = numbers(&value["mean"]).into_iter().zip(numbers(&value["sd"]));
            pairs.map(|(mean, sd)| Moments { mean, sd, is_robust: false }).collect()
        };
        let empty = serde_json::Map::new();
        let globals = file["globals"].as_object().unwrap_or(&empty).iter();
        let locals = file["locals"].as_object().unwrap_or(&empty).iter();
        let names = file["exchangeable"].as_array().into_iter().flatten();
        let remarks: Vec<&str> =
            ["reason", "note"].iter().filter_map(|key| file[*key].as_str()).collect();
        Ok(Reference {
            trusted: file["trusted"].as_bool().unwrap_or(false),
            remark: (!remarks.is_empty()).then(|| remarks.join("; ")),
            globals: globals.map(|(name, value)| (name.clone(), moments(value))).collect(),
            locals: locals.map(|(name, value)| (name.clone(), of_branches(value))).collect(),
            exchangeable: names.filter_map(Value::as_str).map(str::to_string).collect(),
        })
    }

    /// Whether labels may be renamed, so that they mean nothing.
    pub fn has_labels(&self) -> bool {
        !self.exchangeable.is_empty()
    }

    /// The renaming of labels that brings the globals nearest to those of a fit.
    pub fn labels(&self, summary: &Summary) -> Labels {
        let highest = self.globals.iter().filter_map(|(name, _)| Some(self.label(name)?.1 + 1));
        let Some(n) = highest.max() else { return Labels(Vec::new()) };
        let distance = |labels: &Labels| -> f64 {
            let errors = Errors::of_globals(self, labels, summary);
            errors.0.iter().map(|error| error.z.powi(2)).sum()
        };
        let all = permutations(n).into_iter().map(Labels);
        all.min_by(|a, b| distance(a).total_cmp(&distance(b))).expect("there is a permutation")
    }

    /// The variable and the label of an element that has one, and what follows the label.
    fn label<'n>(&self, element: &'n str) -> Option<(&'n str, usize, &'n str)> {
        let (variable, index) = element.split_once('[')?;
        if !self.exchangeable.iter().any(|name| name == variable) {
            return None;
        }
        let end = index.find([',', ']'])?;
        let label: usize = index[..end].parse().ok()?;
        Some((variable, label.checked_sub(1)?, &index[end..]))
    }

    /// The name in the fit of an element of the reference.
    fn renamed(&self, element: &str, labels: &Labels) -> String {
        match self.label(element) {
            Some((variable, label, rest)) => format!("{variable}[{}{rest}", labels.0[label] + 1),
            None => element.to_string(),
        }
    }
}

/// All orders of 0..n.
fn permutations(n: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..n {
        let longer = |begun: &Vec<usize>| -> Vec<Vec<usize>> {
            let free = (0..n).filter(|k| !begun.contains(k));
            free.map(|k| begun.iter().copied().chain([k]).collect()).collect()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// How elements differ from the reference; constants are left out.
pub struct Errors(pub Vec<Error>);

/// How one element differs from the reference.
pub struct Error {
    pub name: String,
    /// (mean − reference mean) / reference sd; infinite where there is no mean.
    pub z: f64,
    /// sd / reference sd.
    pub ratio: f64,
}

impl Error {
    fn of(name: String, found: Option<(f64, f64)>, expected: Moments) -> Option<Error> {
        let (mean, sd) = found.unwrap_or((f64::NAN, f64::NAN));
        let (z, ratio) = ((mean - expected.mean) / expected.sd, sd / expected.sd);
        let finite = |x: f64| if x.is_finite() { x } else { f64::INFINITY };
        (expected.sd > 0.0).then(|| Error { name, z: finite(z), ratio: finite(ratio) })
    }

    /// Whether it is beyond |z| ≤ 0.1 and × 0.9 to 1.1.
    pub fn is_miss(&self) -> bool {
        self.z.abs() > 0.1 || !(0.9..=1.1).contains(&self.ratio)
    }

    /// How many times the allowance it takes.
    pub fn badness(&self) -> f64 {
        (self.z.abs() / 0.1).max((self.ratio - 1.0).abs() / 0.1)
    }
}

impl Errors {
    pub fn of_globals(reference: &Reference, labels: &Labels, summary: &Summary) -> Errors {
        let one = |(name, expected): &(String, Moments)| {
            let row =
                summary.get(&reference.renamed(name, labels)).map(|row| match expected.is_robust {
                    true => Moments::robust(row.q5, row.q50, row.q95),
                    false => Moments { mean: row.mean, sd: row.sd, is_robust: false },
                });
            Error::of(name.clone(), row.map(|row| (row.mean, row.sd)), *expected)
        };
        Errors(reference.globals.iter().filter_map(one).collect())
    }

    pub fn of_locals(
        reference: &Reference,
        labels: &Labels,
        summaries: &BranchSummaries,
    ) -> Errors {
        let mut errors = Vec::new();
        for (name, branches) in &reference.locals {
            let own = reference.renamed(name, labels);
            let place = summaries.names().iter().position(|known| *known == own);
            for (branch, expected) in branches.iter().enumerate() {
                let summary = summaries.branches().get(branch).and_then(Option::as_ref);
                let row = summary.zip(place).map(|(summary, place)| &summary.rows[place]);
                let found = row.map(|row| (row.mean, row.sd));
                errors.extend(Error::of(format!("{name} of branch {branch}"), found, *expected));
            }
        }
        Errors(errors)
    }

    pub fn max_z(&self) -> f64 {
        self.0.iter().map(|error| error.z.abs()).fold(0.0, f64::max)
    }

    pub fn mean_z(&self) -> f64 {
        self.mean(|error| error.z.abs())
    }

    pub fn mean_ratio(&self) -> f64 {
        self.mean(|error| error.ratio)
    }

    /// The smallest and the largest ratio.
    pub fn ratios(&self) -> (f64, f64) {
        let wider =
            |(low, high): (f64, f64), error: &Error| (low.min(error.ratio), high.max(error.ratio));
        self.0.iter().fold((f64::INFINITY, 0.0), wider)
    }

    fn mean(&self, of: fn(&Error) -> f64) -> f64 {
        self.0.iter().map(of).sum::<f64>() / self.0.len() as f64
    }
}
