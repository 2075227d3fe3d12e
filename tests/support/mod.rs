//! Models with known answers, for tests of fits and for `examples/figures.rs`.

pub mod conjugate;

use std::fs;
use std::path::Path;

use conjugate::Conjugate;
use hbdc::{BoundData, Column, CompiledModel, Dataset, Fit, Source, compile};

/// The conjugate model in the language; `D` is set.
pub const CONJUGATE: &str = "\
data {
  int<lower=1> D;
  branch group {
    rows N;
    matrix[N, D] x from cols(\"x*\");
    vector[N] y;
  }
}
global {
  vector[D] theta ~ std_normal();
}
local {
  vector[D] z ~ normal(theta, 1);
  y ~ normal(x * z, 1);
}
";

/// The conjugate model bound to generated data.
pub fn conjugate(data: &Conjugate) -> (CompiledModel, BoundData) {
    let model = compile(&Source::new("conjugate.hbd", CONJUGATE)).expect("the model compiles");
    let d = data.n_local;
    let mut columns = vec![Vec::new(); d];
    let (mut group, mut y) = (Vec::new(), Vec::new());
    for (branch, (xs, ys)) in data.x.iter().zip(&data.y).enumerate() {
        for (x, &outcome) in xs.chunks_exact(d).zip(ys) {
            group.push(branch as f64);
            y.push(outcome);
            columns.iter_mut().zip(x).for_each(|(column, &x)| column.push(x));
        }
    }
    let mut named =
        vec![("group".to_string(), Column::Numbers(group)), ("y".to_string(), Column::Numbers(y))];
    named.extend(
        columns.into_iter().enumerate().map(|(k, c)| (format!("x{k}"), Column::Numbers(c))),
    );
    let dataset = Dataset::from_columns(named).expect("columns are of one length");
    let bound = dataset.set("D", d as f64).bind(model.schema()).expect("the data fit");
    (model, bound)
}

/// A model of `models/` bound to a file.
pub fn shipped(name: &str, data: &Path) -> (CompiledModel, BoundData) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("models").join(format!("{name}.hbd"));
    let text = fs::read_to_string(&path).expect("the model is there");
    let model = compile(&Source::new(name, text)).expect("the model compiles");
    let bound = Dataset::read_csv(data).expect("the data are there").bind(model.schema());
    (model, bound.expect("the data fit"))
}

/// A model of `models/` with its data beside it.
pub fn shipped_with_data(name: &str) -> (CompiledModel, BoundData) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    shipped(name, &root.join("models").join(format!("{name}.csv")))
}

/// The rows of a data file beside the models, whose cells are all numbers.
pub fn shipped_rows(name: &str) -> Vec<Vec<f64>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(format!("{name}.csv"));
    let text = fs::read_to_string(path).expect("the data are there");
    let cells = |line: &str| line.split(',').map(|c| c.parse().expect("a number")).collect();
    text.lines().skip(1).map(cells).collect()
}

/// A model text bound to a data file beside the models.
pub fn bound(text: &str, data: &str) -> (CompiledModel, BoundData) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(format!("{data}.csv"));
    let model = compile(&Source::new("inline.hbd", text)).expect("the model compiles");
    let bound = Dataset::read_csv(path).expect("the data are there").bind(model.schema());
    (model, bound.expect("the data fit"))
}

/// How a global of a fit compares with its reference posterior.
pub struct Comparison {
    /// The global.
    pub name: String,
    /// (mean − reference mean) / reference sd.
    pub z: f64,
    /// sd / reference sd.
    pub sd_ratio: f64,
}

/// Every global of the reference posterior of `tests/reference/NAME`. `corrected` chooses the
/// reported summaries, otherwise those of the guide itself are compared.
pub fn compare(name: &str, fit: &Fit, corrected: bool) -> Vec<Comparison> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("tests/reference").join(name).join("reference.json");
    let text = fs::read_to_string(path).expect("the reference is there");
    let reference: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let posterior = fit.posterior();
    let summary = if corrected { posterior.summary() } else { posterior.guide_summary() };
    let globals = reference["globals"].as_object().expect("it has globals");
    let one = |(name, expected): (&String, &serde_json::Value)| {
        let row = summary.get(name).expect("every global is reported");
        let number = |key: &str| expected[key].as_f64().expect("a number");
        let (mean, sd) = (number("mean"), number("sd"));
        Comparison { name: name.clone(), z: (row.mean - mean) / sd, sd_ratio: row.sd / sd }
    };
    globals.iter().map(one).collect()
}
