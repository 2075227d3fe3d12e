//! The globals that the data of `models/` were drawn with.

use std::path::Path;

use hbdc::Summary;
use serde_json::Value;

/// Where a true value lies in the posterior of a fit.
pub struct Recovered {
    pub name: String,
    /// (truth − mean) / sd.
    pub z: f64,
    /// Whether it is within the 5 % and the 95 % quantile.
    pub is_covered: bool,
}

/// The true globals of a model, element by element; none where its data were not simulated.
pub fn read(model: &str) -> Vec<(String, f64)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/truths.json");
    let text = std::fs::read_to_string(path).expect("the file is part of the project");
    let file: Value = serde_json::from_str(&text).expect("a script wrote it as JSON");
    let mut elements = Vec::new();
    for (name, value) in file[model].as_object().into_iter().flatten() {
        flatten(name, &[], value, &mut elements);
    }
    elements
}

fn flatten(name: &str, index: &[String], value: &Value, elements: &mut Vec<(String, f64)>) {
    match (value, index) {
        (Value::Array(parts), _) => {
            for (k, part) in parts.iter().enumerate() {
                let longer = [index, &[(k + 1).to_string()]].concat();
                flatten(name, &longer, part, elements);
            }
        }
        (_, []) => elements.extend(value.as_f64().map(|x| (name.to_string(), x))),
        (_, _) => {
            let element = format!("{name}[{}]", index.join(","));
            elements.extend(value.as_f64().map(|x| (element, x)));
        }
    }
}

/// Where truths lie; constants and elements that are not reported are left out.
pub fn recovered(truths: &[(String, f64)], summary: &Summary) -> Vec<Recovered> {
    let one = |(name, truth): &(String, f64)| {
        let row = summary.get(name).filter(|row| row.sd > 0.0)?;
        Some(Recovered {
            name: name.clone(),
            z: (truth - row.mean) / row.sd,
            is_covered: (row.q5..=row.q95).contains(truth),
        })
    };
    truths.iter().filter_map(one).collect()
}
