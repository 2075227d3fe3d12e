//! Logarithms of distribution functions and their gradients, against values computed with 50
//! digits by mpmath (`tests/oracle/cdfs.py`), through both evaluators.

use super::*;

const CDFS: &str = include_str!("../../../../tests/oracle/cdfs.csv");

/// The function called `normal_lcdf` or `normal_lccdf`.
fn function(name: &str, n: usize) -> Density {
    let (base, tail) = name.rsplit_once('_').expect("a name and its suffix");
    let distribution = distribution(base).expect("a distribution of the table");
    let cdfs = distribution.cdfs.as_ref().expect("it has distribution functions");
    let write = if tail == "lcdf" { cdfs.lower } else { cdfs.upper };
    function_of(distribution, write, n, &|_| true)
}

#[test]
fn distribution_functions_and_gradients() {
    let mut tables: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in CDFS.lines().skip(1).map(entry) {
        tables.entry(entry.name.clone()).or_default().push(entry);
    }
    for distribution in ALL {
        if distribution.cdfs.is_some() {
            for tail in ["lcdf", "lccdf"] {
                let name = format!("{}_{tail}", distribution.name);
                let count = tables.get(&name).map_or(0, Vec::len);
                assert!(count >= 200, "{name}: {count} points");
            }
        }
    }
    let mut worst = Worst::default();
    for (name, entries) in tables {
        let function = function(&name, entries.len());
        let inputs: Vec<Vec<f64>> = (0..function.lengths.len())
            .map(|k| entries.iter().map(|entry| entry.arguments[k]).collect())
            .collect();
        for (values, gradients) in function.both(&inputs) {
            for (row, entry) in entries.iter().enumerate() {
                let at = &entry.arguments;
                worst.compare(&name, at, values[row], (entry.value, entry.scale), VALUE);
                let real = (0..at.len()).filter(|k| !function.whole[*k]);
                for (k, gradient) in real.zip(&gradients) {
                    if let Some(expected) = entry.gradient[k] {
                        let what = format!("{name} d{k}");
                        worst.compare(&what, at, gradient[row], expected, GRADIENT);
                    }
                }
            }
        }
    }
    worst.finish();
}
