//! One table of many fits: how the approximations do over models and seeds.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::reference::{Error, Reference};

/// The fits that `--json` wrote to a file.
pub fn read(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|fault| {
        eprintln!("{}: {fault}", path.display());
        std::process::exit(2);
    });
    text.lines().map(|line| serde_json::from_str(line).expect("--json wrote it")).collect()
}

/// A row for each approximation, in Markdown, the one of least shortfall first.
///
/// *Below the best*: nats from the highest mean ELBO of any approximation of that model to the mean
/// of this one, over models; *|z|* of a model is that of its worst global and seed, and stands
/// for models of trusted reference, as the range of standard deviations (×) does. *Believed misses*
/// are fits that their verdict believes with a reported global beyond |z| 0.1 or × 0.9 to 1.1.
pub fn table(records: &[Value]) -> String {
    let names: Vec<&str> = distinct(records, "approximation");
    let models = distinct(records, "model");
    let best: BTreeMap<&str, f64> =
        models.iter().map(|&model| (model, best_elbo(records, &names, model))).collect();
    let mut rows: Vec<Row> = names.iter().map(|name| Row::of(records, name, &best)).collect();
    rows.sort_by(|a, b| a.order().total_cmp(&b.order()));
    let mut text = format!(
        "{} models: {}\n\n\
         | approximation | below the best: median, mean, worst | guide: \\|z\\| median, worst | × | \
         reported: \\|z\\| median, worst | × | seconds | fits | not believed | believed misses | failed | cannot run |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|",
        models.len(),
        models.join(", "),
    );
    for row in &rows {
        text.push('\n');
        text.push_str(&row.line());
    }
    text
}

/// What an approximation comes to.
struct Row {
    name: String,
    /// Nats below the best, of each model that it could be fitted to.
    shortfalls: Vec<f64>,
    guide: Errors,
    reported: Errors,
    seconds: f64,
    fits: usize,
    not_believed: usize,
    believed_misses: usize,
    failed: usize,
    /// Fits that were not begun, since it is not one for the model.
    unsupported: usize,
}

/// How far globals are from their references.
struct Errors {
    /// The worst |z| of each model.
    z: Vec<f64>,
    low: f64,
    high: f64,
}

impl Row {
    fn of(records: &[Value], name: &str, best: &BTreeMap<&str, f64>) -> Row {
        let own: Vec<&Value> = records.iter().filter(|one| one["approximation"] == *name).collect();
        let fits: Vec<&Value> = own.iter().copied().filter(|one| is_fit(one)).collect();
        let shortfall = |(&model, &best): (&&str, &f64)| Some(best - mean_elbo(&own, model)?);
        let trusted: Vec<&str> = best.keys().copied().filter(|model| is_trusted(model)).collect();
        let count = |key: &str| own.iter().filter(|one| !one[key].is_null()).count();
        Row {
            name: name.to_string(),
            shortfalls: best.iter().filter_map(shortfall).collect(),
            guide: Errors::of(&fits, &trusted, "guide"),
            reported: Errors::of(&fits, &trusted, "reported"),
            seconds: fits.iter().filter_map(|fit| fit["seconds"].as_f64()).sum(),
            fits: fits.len(),
            not_believed: fits.iter().filter(|fit| fit["believable"] == false).count(),
            believed_misses: fits.iter().filter(|fit| is_believed_miss(fit, &trusted)).count(),
            failed: count("failed"),
            unsupported: count("unsupported"),
        }
    }

    /// Those that could not be fitted come last.
    fn order(&self) -> f64 {
        if self.shortfalls.is_empty() { f64::INFINITY } else { median(&self.shortfalls) }
    }

    fn line(&self) -> String {
        let Row { name, fits, not_believed, believed_misses, failed, unsupported, .. } = self;
        let counts = format!("{not_believed} | {believed_misses} | {failed} | {unsupported}");
        if *fits == 0 {
            return format!("| {name} | | | | | | | 0 | {counts} |");
        }
        let [median, mean, worst] =
            [median(&self.shortfalls), mean(&self.shortfalls), largest(&self.shortfalls)]
                .map(short);
        let (guide, reported) = (self.guide.cells(), self.reported.cells());
        let seconds = self.seconds;
        format!(
            "| {name} | {median}, {mean}, {worst} | {guide} | {reported} | {seconds:.0} | {fits} | \
             {counts} |"
        )
    }
}

impl Errors {
    fn of(fits: &[&Value], trusted: &[&str], part: &str) -> Errors {
        let mut errors = Errors { z: Vec::new(), low: f64::INFINITY, high: 0.0 };
        for model in trusted {
            let of_model = fits.iter().filter(|fit| fit["model"] == *model);
            let elements: Vec<&Value> =
                of_model.flat_map(|fit| fit[part].as_array().into_iter().flatten()).collect();
            let z: Vec<f64> = elements.iter().map(|element| number(&element["z"]).abs()).collect();
            if !z.is_empty() {
                errors.z.push(largest(&z));
            }
            for ratio in elements.iter().map(|element| number(&element["ratio"])) {
                errors.low = errors.low.min(ratio);
                errors.high = errors.high.max(ratio);
            }
        }
        errors
    }

    fn cells(&self) -> String {
        if self.z.is_empty() {
            return "no reference | ".to_string();
        }
        let [median, worst, low, high] =
            [median(&self.z), largest(&self.z), self.low, self.high].map(short);
        format!("{median}, {worst} | {low}–{high}")
    }
}

fn is_fit(record: &Value) -> bool {
    record["elbo"].is_number()
}

fn is_trusted(model: &str) -> bool {
    Reference::read(model).is_ok_and(|reference| reference.trusted)
}

fn is_believed_miss(fit: &Value, trusted: &[&str]) -> bool {
    let is_judged = trusted.iter().any(|model| fit["model"] == *model);
    let mut reported = fit["reported"].as_array().into_iter().flatten();
    let is_miss = |element: &Value| {
        let (z, ratio) = (number(&element["z"]), number(&element["ratio"]));
        Error { name: String::new(), z, ratio }.is_miss()
    };
    is_judged && fit["believable"] == true && reported.any(is_miss)
}

/// A number of an error; one that is not finite is null in JSON.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::INFINITY)
}

/// The highest mean over seeds of any approximation.
fn best_elbo(records: &[Value], names: &[&str], model: &str) -> f64 {
    let of = |name: &&str| {
        let own: Vec<&Value> =
            records.iter().filter(|one| one["approximation"] == **name).collect();
        mean_elbo(&own, model)
    };
    names.iter().filter_map(of).fold(f64::NEG_INFINITY, f64::max)
}

fn mean_elbo(records: &[&Value], model: &str) -> Option<f64> {
    let own = records.iter().filter(|one| one["model"] == model);
    let values: Vec<f64> = own.filter_map(|one| one["elbo"].as_f64()).collect();
    (!values.is_empty()).then(|| mean(&values))
}

/// The values of a text field, in the order in which they come.
fn distinct<'r>(records: &'r [Value], field: &str) -> Vec<&'r str> {
    let mut values = Vec::new();
    for value in records.iter().filter_map(|record| record[field].as_str()) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    0.5 * (sorted[(n - 1) / 2] + sorted[n / 2])
}

/// Two decimals, or an order of magnitude where there is nothing else to say.
fn short(x: f64) -> String {
    if x.abs() < 1e4 { format!("{x:.2}") } else { format!("{x:.0e}") }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
