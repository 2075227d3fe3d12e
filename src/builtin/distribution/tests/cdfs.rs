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
    function_of_unknowns(distribution, write, n, 1, &|_| true)
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

/// Every choice of unknown arguments gives the slopes that all of them together have.
#[test]
fn any_arguments_of_distribution_functions_may_be_unknown() {
    for distribution in ALL {
        let Some(cdfs) = &distribution.cdfs else { continue };
        let name = format!("{}_lcdf", distribution.name);
        let entries: Vec<Entry> =
            CDFS.lines().skip(1).map(entry).filter(|entry| entry.name == name).collect();
        let n_arguments = distribution.params.len() + 1;
        let points: Vec<&Entry> = entries.iter().step_by(entries.len() / 12).collect();
        let inputs: Vec<Vec<f64>> = (0..n_arguments)
            .map(|k| points.iter().map(|point| point.arguments[k]).collect())
            .collect();
        for write in [cdfs.lower, cdfs.upper] {
            let of = |is_unknown: &dyn Fn(usize) -> bool| {
                function_of_unknowns(distribution, write, points.len(), 1, is_unknown)
            };
            let whole = of(&|_| true);
            let real: Vec<usize> = (0..n_arguments).filter(|k| !whole.whole[*k]).collect();
            let expected = whole.both(&inputs);
            for pattern in 0..1_u32 << n_arguments {
                let is_unknown = |k: usize| pattern >> k & 1 == 1;
                for (part, whole) in of(&is_unknown).both(&inputs).iter().zip(&expected) {
                    assert_same(&part.0, &whole.0, &name);
                    let wanted = real.iter().zip(&whole.1).filter(|(k, _)| is_unknown(**k));
                    let wanted: Vec<&Vec<f64>> = wanted.map(|(_, slopes)| slopes).collect();
                    assert_eq!(part.1.len(), wanted.len(), "{name}");
                    for (actual, expected) in part.1.iter().zip(wanted) {
                        assert_same(actual, expected, &name);
                    }
                }
            }
        }
    }
}

fn assert_same(actual: &[f64], expected: &[f64], name: &str) {
    for (actual, expected) in actual.iter().zip(expected) {
        let is_same = actual == expected
            || actual.is_nan() && expected.is_nan()
            || (actual - expected).abs() <= 1e-13 * expected.abs();
        assert!(is_same, "{name}: {actual:e}, not {expected:e}");
    }
}
