//! Log densities and their gradients against values computed with 50 digits by mpmath
//! (`tests/oracle/{distributions,continuous,discrete,multivariate}.py`), through both evaluators.

mod cdfs;
mod continuous_samplers;
mod draw_cells;
mod support;
mod unknowns;

use std::collections::BTreeMap;

use super::*;
use crate::autodiff::reverse::{Seed, gradient};
use crate::codegen::tests::{call, interpret, size, sizes};
use crate::codegen::{CompiledFunction, compile};
use crate::ir::op::{Function, InputKind, ValueType};
use crate::ir::verify::verify;
use crate::ty::Size;

const TABLES: [&str; 4] = [
    include_str!("../../../tests/oracle/continuous.csv"),
    include_str!("../../../tests/oracle/discrete.csv"),
    include_str!("../../../tests/oracle/distributions.csv"),
    include_str!("../../../tests/oracle/multivariate.csv"),
];

/// Tolerance of values and of gradients, relative to the largest term, the value, or one.
const VALUE: f64 = 1e-13;
const GRADIENT: f64 = 1e-10;

/// A line of the table.
struct Entry {
    name: String,
    /// Length of the outcome, where it is a container; of the vector that each outcome has.
    n: usize,
    arguments: Vec<f64>,
    value: f64,
    scale: f64,
    /// In each argument, with its scale; `None` for whole ones and outside the support.
    gradient: Vec<Option<(f64, f64)>>,
}

fn table() -> Vec<Entry> {
    TABLES.iter().flat_map(|table| table.lines().skip(1)).map(entry).collect()
}

fn entry(line: &str) -> Entry {
    let fields: Vec<&str> = line.split(',').collect();
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let slopes = fields[5].split_whitespace().zip(fields[6].split_whitespace());
    let arguments: Vec<f64> = fields[2].split_whitespace().map(number).collect();
    let mut gradient: Vec<Option<(f64, f64)>> = slopes
        .map(|(slope, scale)| (slope != "-").then(|| (number(slope), number(scale))))
        .collect();
    gradient.resize(arguments.len(), None);
    Entry {
        name: fields[0].to_string(),
        n: number(fields[1]) as usize,
        value: number(fields[3]),
        scale: number(fields[4]),
        arguments,
        gradient,
    }
}

/// The density of a distribution as a function of its outcome and arguments, and the gradient
/// of its sum in those that are real.
struct Density {
    value: Function,
    gradient: Function,
    /// Elements of each input.
    lengths: Vec<usize>,
    /// Whether input k is whole.
    whole: Vec<bool>,
    codes: Vec<CompiledFunction>,
}

/// `n` is the length of the outcome: the number of outcomes where they are single numbers;
/// `width` is that of the vector that each outcome has. All real inputs are unknown.
fn density(name: &str, n: usize, width: usize) -> Density {
    density_of_unknowns(name, n, width, &|_| true)
}

/// As [`density`], where of the real inputs those are unknown that `is_unknown` says.
fn density_of_unknowns(
    name: &str,
    n: usize,
    width: usize,
    is_unknown: &dyn Fn(usize) -> bool,
) -> Density {
    let distribution = distribution(name).expect("a distribution of the table");
    function_of_unknowns(distribution, distribution.log_density, n, width, is_unknown)
}

/// The same of a density or distribution function that `write` writes.
fn function_of_unknowns(
    distribution: &Distribution,
    write: fn(&mut Builder, ValueId, &[ValueId]) -> ValueId,
    n: usize,
    width: usize,
    is_unknown: &dyn Fn(usize) -> bool,
) -> Density {
    let mut b = Builder::new(distribution.name);
    let types = input_types(distribution, n as i64, width as i64);
    let inputs: Vec<ValueId> = types
        .iter()
        .enumerate()
        .map(|(k, ty)| {
            let kind = match ty.element {
                Element::Real if is_unknown(k) => InputKind::Local(k),
                _ => InputKind::Datum(k),
            };
            b.input(kind, &format!("x{k}"), ty.clone())
        })
        .collect();
    let value = write(&mut b, inputs[0], &inputs[1..]);
    b.output("value", value);
    let value = b.into_function();
    let seed = [(0, Seed::Given)];
    let gradient = gradient(&value, &[], &seed, |kind| matches!(kind, InputKind::Local(_)));
    verify(&value).unwrap();
    verify(&gradient).unwrap();
    let codes = compile(&[&value, &gradient], &sizes(1)).unwrap();
    let extent = |ty: &ValueType| {
        ty.dims.iter().map(|n| n.as_constant().unwrap() as usize).product::<usize>()
    };
    Density {
        lengths: types.iter().map(extent).collect(),
        whole: types.iter().map(|ty| ty.element == Element::Int).collect(),
        value,
        gradient,
        codes,
    }
}

/// Of the outcome and the arguments.
fn input_types(distribution: &Distribution, n: i64, width: i64) -> Vec<ValueType> {
    let dims = |sizes: &[i64]| sizes.iter().map(|n| Size::constant(*n)).collect::<Vec<_>>();
    let (outcome, element) = match distribution.outcome {
        Outcome::Univariate(element, _) => (dims(&[n]), element),
        Outcome::Vector(_) => (dims(&[n]), Element::Real),
        Outcome::CholeskyFactorCorr => (dims(&[n, n]), Element::Real),
    };
    let mut types = vec![ValueType { element, dims: outcome }];
    for param in distribution.params {
        types.push(match param.kind {
            ParamKind::Count => ValueType { element: Element::Int, dims: dims(&[n]) },
            ParamKind::LowerTriangle | ParamKind::Covariance => ValueType::reals(dims(&[n, n])),
            ParamKind::PositiveScalar => ValueType::real(),
            kind if is_per_outcome(kind) => ValueType::reals(dims(&[n, width])),
            _ => ValueType::reals(dims(&[n])),
        });
    }
    types
}

/// Whether each outcome has a vector of its own.
fn is_per_outcome(kind: ParamKind) -> bool {
    matches!(
        kind,
        ParamKind::VectorPerOutcome | ParamKind::SimplexPerOutcome | ParamKind::OrderedPerOutcome
    )
}

/// Where the inputs of one outcome lie in a line of the table.
fn spans(distribution: &Distribution, width: usize) -> Vec<std::ops::Range<usize>> {
    let widths = distribution.params.iter().map(|param| match param.kind {
        kind if is_per_outcome(kind) => width,
        _ => 1,
    });
    let mut end = 0;
    std::iter::once(1)
        .chain(widths)
        .map(|width| {
            end += width;
            end - width..end
        })
        .collect()
}

impl Density {
    /// Values and gradients by interpreter and by machine code. A gradient has one array for
    /// each real argument.
    fn both(&self, inputs: &[Vec<f64>]) -> [(Vec<f64>, Vec<Vec<f64>>); 2] {
        let of_gradient: Vec<Vec<f64>> = self
            .gradient
            .inputs
            .iter()
            .map(|input| match input.kind {
                InputKind::Cotangent(_) => vec![1.0; self.n_values()],
                InputKind::Local(k) | InputKind::Datum(k) => inputs[k].clone(),
                _ => unreachable!("no other inputs"),
            })
            .collect();
        let inputs: Vec<Vec<f64>> = self
            .value
            .inputs
            .iter()
            .map(|input| match input.kind {
                InputKind::Local(k) | InputKind::Datum(k) => inputs[k].clone(),
                _ => unreachable!("no other inputs"),
            })
            .collect();
        [
            (
                interpret(&self.value, &inputs, 1).remove(0),
                interpret(&self.gradient, &of_gradient, 1),
            ),
            (
                call(&self.value, &self.codes[0], &inputs, 1).remove(0),
                call(&self.gradient, &self.codes[1], &of_gradient, 1),
            ),
        ]
    }

    fn n_values(&self) -> usize {
        let output = self.value.outputs[0].value;
        let dims = &self.value.values[output].ty.dims;
        dims.iter().map(|n| n.as_constant().unwrap() as usize).product()
    }
}

/// Worst errors seen, to be shown with `--nocapture`.
#[derive(Default)]
struct Worst {
    errors: BTreeMap<String, (f64, String)>,
    faults: Vec<String>,
}

impl Worst {
    fn compare(
        &mut self,
        what: &str,
        at: &[f64],
        actual: f64,
        (expected, scale): (f64, f64),
        tolerance: f64,
    ) {
        let allowed = tolerance * scale.max(expected.abs()).max(1.0);
        let error = (actual - expected).abs() / scale.max(expected.abs()).max(1.0);
        if expected.is_infinite() || scale.is_infinite() {
            // Overflow: infinities of that sign, or NaN of two infinite terms in a gradient.
            if tolerance == VALUE && actual != expected {
                self.faults.push(format!("{what} at {at:?}: {actual:e}, not {expected:e}"));
            }
            return;
        }
        let difference = (actual - expected).abs();
        if difference.is_nan() || difference > allowed {
            self.faults.push(format!(
                "{what} at {at:?}: {actual:e}, not {expected:e}, off by {error:.1e}"
            ));
        }
        let worst = self.errors.entry(what.to_string()).or_default();
        if error.is_nan() || error > worst.0 {
            *worst = (error, format!("{at:?}"));
        }
    }

    /// Where the density is zero its gradient counts for nothing, but it is a number.
    fn refuse_nan(&mut self, name: &str, at: &[f64], value: f64, slope: f64) {
        if value == f64::NEG_INFINITY && slope.is_nan() {
            self.faults.push(format!("{name} d at {at:?}: NaN beside minus infinity"));
        }
    }

    fn finish(self) {
        for (what, (error, at)) in &self.errors {
            println!("{what}: {error:.1e} at {at}");
        }
        assert!(
            self.faults.is_empty(),
            "{} faults:\n{}",
            self.faults.len(),
            self.faults.join("\n")
        );
    }
}

#[test]
fn every_distribution_has_points_enough() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    table().into_iter().for_each(|entry| *counts.entry(entry.name).or_default() += 1);
    for distribution in ALL {
        let count = counts.get(distribution.name).copied().unwrap_or(0);
        assert!(count >= 200, "{}: {count} points", distribution.name);
    }
}

/// All points of a distribution over single numbers at once: arguments are vectors.
#[test]
fn univariate_densities_and_gradients() {
    let mut worst = Worst::default();
    let mut groups: BTreeMap<(String, usize), Vec<Entry>> = BTreeMap::new();
    for entry in table() {
        let found = distribution(&entry.name).expect("known");
        if matches!(found.outcome, Outcome::Univariate(..)) {
            groups.entry((entry.name.clone(), entry.n)).or_default().push(entry);
        }
    }
    for ((name, width), entries) in groups {
        let density = density(&name, entries.len(), width);
        let spans = spans(distribution(&name).expect("known"), width);
        let inputs: Vec<Vec<f64>> = spans
            .iter()
            .map(|span| {
                entries.iter().flat_map(|entry| entry.arguments[span.clone()].to_vec()).collect()
            })
            .collect();
        for (values, gradients) in density.both(&inputs) {
            for (row, entry) in entries.iter().enumerate() {
                let at = &entry.arguments;
                worst.compare(&name, at, values[row], (entry.value, entry.scale), VALUE);
                let real = (0..spans.len()).filter(|k| !density.whole[*k]);
                for (k, gradient) in real.zip(&gradients) {
                    let of_row = &gradient[row * spans[k].len()..][..spans[k].len()];
                    for (position, &actual) in spans[k].clone().zip(of_row) {
                        if let Some(expected) = entry.gradient[position] {
                            let what = format!("{name} d{k}");
                            worst.compare(&what, at, actual, expected, GRADIENT);
                        }
                        worst.refuse_nan(&name, at, values[row], actual);
                    }
                }
            }
        }
    }
    worst.finish();
}

#[test]
fn container_densities_and_gradients() {
    let mut worst = Worst::default();
    let mut densities: BTreeMap<(String, usize), Density> = BTreeMap::new();
    let is_whole = |entry: &Entry| {
        let found = distribution(&entry.name).expect("known");
        !matches!(found.outcome, Outcome::Univariate(..))
    };
    for entry in table().into_iter().filter(is_whole) {
        let key = (entry.name.clone(), entry.n);
        let density = densities.entry(key).or_insert_with(|| density(&entry.name, entry.n, 1));
        let mut rest = entry.arguments.as_slice();
        let mut inputs = Vec::new();
        for &length in &density.lengths {
            let (own, others) = rest.split_at(length);
            inputs.push(own.to_vec());
            rest = others;
        }
        for (values, gradients) in density.both(&inputs) {
            let at = &entry.arguments;
            worst.compare(&entry.name, at, values[0], (entry.value, entry.scale), VALUE);
            for (k, actual) in gradients.concat().into_iter().enumerate() {
                if let Some(expected) = entry.gradient[k] {
                    let what = format!("{} d", entry.name);
                    worst.compare(&what, at, actual, expected, GRADIENT);
                }
                worst.refuse_nan(&entry.name, at, values[0], actual);
            }
        }
    }
    worst.finish();
}

/// Scalar arguments with a container of outcomes give what equal containers give.
#[test]
fn scalar_arguments_are_repeated() {
    for distribution in ALL {
        let Outcome::Univariate(element, _) = distribution.outcome else { continue };
        if distribution.params.iter().any(|param| is_per_outcome(param.kind)) {
            continue;
        }
        let outcomes: Vec<f64> = vec![0.0, 1.0, 1.0];
        let arguments: Vec<f64> =
            distribution.params.iter().enumerate().map(|(k, _)| 1.5 + k as f64).collect();
        let arguments: Vec<f64> = distribution
            .params
            .iter()
            .zip(arguments)
            .map(|(param, x)| match param.kind {
                ParamKind::Count => 2.0,
                ParamKind::Probability => 0.4,
                _ => x,
            })
            .collect();
        let mut results = Vec::new();
        for repeated in [false, true] {
            let mut b = Builder::new(distribution.name);
            let ty = ValueType { element, dims: vec![size(3)] };
            let x = b.input(InputKind::Datum(0), "x", ty);
            let mut inputs = vec![outcomes.clone()];
            let args: Vec<ValueId> = distribution
                .params
                .iter()
                .zip(&arguments)
                .enumerate()
                .map(|(k, (param, &value))| {
                    let whole = param.kind == ParamKind::Count;
                    let element = if whole { Element::Int } else { Element::Real };
                    let dims = if repeated { vec![size(3)] } else { Vec::new() };
                    inputs.push(vec![value; if repeated { 3 } else { 1 }]);
                    b.input(InputKind::Datum(k + 1), "a", ValueType { element, dims })
                })
                .collect();
            let value = (distribution.log_density)(&mut b, x, &args);
            let value = match b.rank(value) {
                0 => b.broadcast(value, &[], &[size(3)]),
                _ => value,
            };
            b.output("value", value);
            results.push(interpret(&b.into_function(), &inputs, 1).remove(0));
        }
        assert_eq!(results[0], results[1], "{}", distribution.name);
    }
}

/// Whatever finite arguments inside the domain: never NaN, never plus infinity but at poles.
#[test]
fn never_nan_inside_the_domain() {
    let extreme = [-1e300, -1e10, -700.0, -1.0, -1e-300, 0.0, 1e-300, 0.5, 1.0, 30.0, 1e10, 1e300];
    let mut faults = Vec::new();
    for distribution in ALL {
        let Outcome::Univariate(element, _) = distribution.outcome else { continue };
        let mut points: Vec<Vec<f64>> = match element {
            Element::Int => [-3.0, 0.0, 1.0, 7.0, 1e9].iter().map(|x| vec![*x]).collect(),
            Element::Real => extreme.iter().map(|x| vec![*x]).collect(),
        };
        for param in distribution.params {
            let values: Vec<f64> = match param.kind {
                ParamKind::Positive => extreme.iter().copied().filter(|x| *x > 0.0).collect(),
                ParamKind::Count => vec![0.0, 1.0, 20.0, 1e9],
                ParamKind::Probability => vec![0.0, 1e-300, 0.3, 1.0],
                ParamKind::SimplexPerOutcome => vec![1.0],
                _ => extreme.to_vec(),
            };
            points = points
                .iter()
                .flat_map(|point| values.iter().map(|v| [point.as_slice(), &[*v]].concat()))
                .collect();
        }
        if distribution.name == "uniform" {
            points.retain(|point| point[1] < point[2]);
        }
        // Slopes in x whose terms, `shape / x` and `scale / x²`, are numbers.
        if distribution.name.contains("inv_") {
            let terms = |point: &Vec<f64>| {
                let scale = point.get(2).map_or(1.0, |scale| scale * scale.max(1.0));
                (point[1] / point[0]).is_finite()
                    && (point[1] * scale / point[0] / point[0]).is_finite()
            };
            points.retain(|point| point[0] <= 0.0 || terms(point));
        }
        // The slope of the tilt in z is skew² z.
        if distribution.name == "skew_normal" {
            points.retain(|point| point[3].abs() < 1e100);
        }
        let density = density(distribution.name, points.len(), 1);
        let inputs: Vec<Vec<f64>> = (0..density.lengths.len())
            .map(|k| points.iter().map(|point| point[k]).collect())
            .collect();
        for (values, gradients) in density.both(&inputs) {
            for (row, point) in points.iter().enumerate() {
                // Densities may have poles at the ends of their supports.
                let at_pole = values[row] == f64::INFINITY && [0.0, 1.0].contains(&point[0]);
                if values[row].is_nan() || (values[row] == f64::INFINITY && !at_pole) {
                    faults.push(format!("{} at {point:?}: {}", distribution.name, values[row]));
                }
                let of_row: Vec<f64> = gradients.iter().map(|g| g[row]).collect();
                if (values[row].is_finite() || distribution.is_discrete())
                    && of_row.iter().any(|g| g.is_nan())
                {
                    faults.push(format!("{} d at {point:?}: {of_row:?}", distribution.name));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
