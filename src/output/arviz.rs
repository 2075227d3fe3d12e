//! A fit as groups of named arrays in the way of ArviZ (`InferenceData`): `posterior`,
//! `sample_stats`, `observed_data` and, where asked for, `log_likelihood`.
//!
//! Draws are independent and of equal weight. They go to chains in turn, so that the mirrored
//! pairs of which they may consist are in different chains and those within a chain are
//! independent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::zarr::{Array, Group, Values};
use crate::data::BoundData;
use crate::fit::{CHAINS, Fit, LogLikelihood, Observations};
use crate::model::{CompiledModel, Variable};
use crate::schema::Datum;
use crate::simulate::outcomes;
use crate::ty::{Element, Level, Size};

/// The dimension of rows.
const ROW: &str = "row";

/// The groups of a fit; with `log_likelihood`, where it was asked for.
pub fn groups(
    model: &CompiledModel,
    fit: &Fit,
    n_draws: usize,
    log_likelihood: Option<LogLikelihood>,
) -> Vec<Group> {
    let mut statistics = sample_stats(fit, n_draws);
    let mut groups = vec![posterior(fit, n_draws)];
    let observed = observed_data(model, fit);
    if let Some(found) = log_likelihood {
        let chained = by_chain(&found.log_joint, 1);
        statistics.arrays.push(of_draws("lp", n_draws, vec![], chained));
        groups.push(pointwise(model, fit, n_draws, found));
    }
    groups.push(statistics);
    groups.extend((!observed.arrays.is_empty()).then_some(observed));
    groups
}

/// What is said of the whole folder.
pub fn attributes(fit: &Fit) -> Value {
    json!({
        "inference_library": "hbdc",
        "inference_library_version": env!("CARGO_PKG_VERSION"),
        "believable": fit.verdict().believable,
        "corrected": fit.is_corrected(),
        "note": "independent draws of equal weight, dealt to chains in turn: r_hat and ess say \
                 nothing about the fit, the verdict in fit.json does",
    })
}

fn group(name: &str, arrays: Vec<Array>) -> Group {
    let attributes = json!({
        "inference_library": "hbdc",
        "inference_library_version": env!("CARGO_PKG_VERSION"),
    });
    Group { name: name.to_string(), attributes, arrays }
}

/// Values of `width` numbers a draw, chain by chain.
fn by_chain(draws: &[f64], width: usize) -> Vec<f64> {
    let n_draws = draws.len().checked_div(width).unwrap_or(0);
    let in_order = (0..CHAINS).flat_map(|chain| (chain..n_draws).step_by(CHAINS));
    in_order.flat_map(|draw| &draws[draw * width..(draw + 1) * width]).copied().collect()
}

/// An array whose first dimensions are chain and draw.
fn of_draws(name: &str, n_draws: usize, dims: Vec<(String, usize)>, values: Vec<f64>) -> Array {
    let chains = ("chain".to_string(), CHAINS);
    let draws = ("draw".to_string(), n_draws / CHAINS);
    Array {
        name: name.to_string(),
        dims: [chains, draws].into_iter().chain(dims).collect(),
        values: Values::Reals(values),
        attributes: json!({}),
    }
}

/// The values of a dimension.
fn coordinate(name: &str, values: Values) -> Array {
    let size = match &values {
        Values::Reals(values) => values.len(),
        Values::Ints(values) => values.len(),
        Values::Texts(values) => values.len(),
    };
    let dims = vec![(name.to_string(), size)];
    Array { name: name.to_string(), dims, values, attributes: json!({}) }
}

/// Numbers from `first` on along a dimension.
fn count(name: &str, first: i64, size: usize) -> Array {
    coordinate(name, Values::Ints((0..size).map(|k| first + k as i64).collect()))
}

/// Adds coordinates that are not there yet.
fn add_coordinates(arrays: &mut Vec<Array>, coordinates: Vec<Array>) {
    for coordinate in coordinates {
        if !arrays.iter().any(|array| array.name == coordinate.name) {
            arrays.push(coordinate);
        }
    }
}

/// Coordinates of chain and draw.
fn draw_coordinates(n_draws: usize) -> Vec<Array> {
    vec![count("chain", 0, CHAINS), count("draw", 0, n_draws / CHAINS)]
}

/// Every global and derived global.
fn posterior(fit: &Fit, n_draws: usize) -> Group {
    let draws = fit.posterior().draws(n_draws);
    let taken: BTreeSet<&str> = draws.variables().iter().map(|v| v.name.as_str()).collect();
    let mut arrays = Vec::new();
    let mut first = 0;
    for variable in draws.variables() {
        // The upper triangle of a Cholesky factor is no element, and zero.
        let elements = variable.elements();
        let width = variable.range.len();
        let mut values = vec![0.0; n_draws * width];
        for (row, values) in draws.values().rows().into_iter().zip(values.chunks_mut(width.max(1)))
        {
            for (k, (_, position)) in elements.iter().enumerate() {
                values[position - variable.range.start] = row[first + k];
            }
        }
        first += elements.len();
        let coordinates = dimensions(variable, fit.evaluator().data(), &taken);
        let dims = coordinates.iter().map(|c| c.dims[0].clone()).collect();
        arrays.push(of_draws(&variable.name, n_draws, dims, by_chain(&values, width)));
        add_coordinates(&mut arrays, coordinates);
    }
    add_coordinates(&mut arrays, draw_coordinates(n_draws));
    group("posterior", arrays)
}

/// The coordinates of a variable's own dimensions: levels along a factor or table, else numbers
/// from one, as the language counts.
fn dimensions(variable: &Variable, data: &BoundData, taken: &BTreeSet<&str>) -> Vec<Array> {
    let mut coordinates: Vec<Array> = Vec::new();
    for (k, (&size, along)) in variable.dims.iter().zip(&variable.along).enumerate() {
        let is_free = |name: &String| {
            !taken.contains(name.as_str()) && !coordinates.iter().any(|c| c.name == *name)
        };
        coordinates.push(match along {
            Some(along) => {
                let again = format!("{along}_{}", k + 1);
                let name = [along.clone(), again].into_iter().find(is_free);
                let name = name.unwrap_or_else(|| format!("{}_dim_{k}", variable.name));
                coordinate(&name, Values::Texts(data.levels(along).to_vec()))
            }
            None => count(&format!("{}_dim_{k}", variable.name), 1, size),
        });
    }
    coordinates
}

fn sample_stats(fit: &Fit, n_draws: usize) -> Group {
    let statistics = fit.posterior().statistics(n_draws);
    let of = |name, values: &[f64]| of_draws(name, n_draws, vec![], by_chain(values, 1));
    let mut arrays = vec![of("log_q", &statistics.log_q), of("log_prior", &statistics.log_prior)];
    add_coordinates(&mut arrays, draw_coordinates(n_draws));
    group("sample_stats", arrays)
}

/// The dimension of branches: the name of the key, or of its components.
fn branch_dimension(data: &BoundData) -> String {
    plain(&data.key_columns().join("_"))
}

/// A name that can be a folder, and a word in a list of words.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    if name.is_empty() { "branch".to_string() } else { name }
}

/// The key of a branch.
fn label(data: &BoundData, branch: usize) -> String {
    data.key(branch).join(",")
}

/// Rows by their lines in the file, where they have some of their own, else by their numbers.
fn row_coordinate(data: &BoundData, rows: &[usize]) -> Array {
    let lines: Option<Vec<i64>> = rows.iter().map(|&row| Some(data.line(row)? as i64)).collect();
    let numbers = || rows.iter().map(|&row| row as i64 + 1).collect();
    coordinate(ROW, Values::Ints(lines.unwrap_or_else(numbers)))
}

/// The branch of each row, as a coordinate of theirs.
fn branches_of_rows(data: &BoundData, rows: &[usize]) -> Array {
    let mut labels = Vec::with_capacity(rows.len());
    let mut branch = 0;
    for &row in rows {
        while data.rows(branch).end <= row {
            branch += 1;
        }
        labels.push(label(data, branch));
    }
    let mut array = coordinate(&branch_dimension(data), Values::Texts(labels));
    array.dims[0].0 = ROW.to_string();
    array
}

/// The coordinates of observations, and the attributes of an array along them.
fn observation_coordinates(
    data: &BoundData,
    observations: &Observations,
    taken: &BTreeSet<&str>,
) -> (Vec<Array>, Value) {
    match observations {
        Observations::Rows(rows) => {
            let mut coordinates = vec![row_coordinate(data, rows)];
            let branches = branches_of_rows(data, rows);
            let is_free = branches.name != ROW && !taken.contains(branches.name.as_str());
            let attributes = match is_free {
                true => json!({"coordinates": branches.name}),
                false => json!({}),
            };
            coordinates.extend(is_free.then_some(branches));
            (coordinates, attributes)
        }
        Observations::Branches(branches) => {
            let labels = branches.iter().map(|&branch| label(data, branch)).collect();
            let mut name = branch_dimension(data);
            if taken.contains(name.as_str()) {
                name.push_str("_key");
            }
            (vec![coordinate(&name, Values::Texts(labels))], json!({}))
        }
    }
}

/// The outcomes, by name.
fn outcome_names<'d>(model: &CompiledModel, data: &'d BoundData) -> Vec<(usize, &'d Datum)> {
    outcomes(model).into_iter().map(|k| (k, &data.schema().data[k])).collect()
}

fn pointwise(model: &CompiledModel, fit: &Fit, n_draws: usize, found: LogLikelihood) -> Group {
    let data = fit.evaluator().data();
    // Where there is one outcome these are its likelihoods, and have its name.
    let name = match outcome_names(model, data).as_slice() {
        [(_, only)] => plain(&only.name),
        _ => "outcomes".to_string(),
    };
    let taken = BTreeSet::from([name.as_str()]);
    let (mut arrays, attributes) = observation_coordinates(data, &found.observations, &taken);
    let n = found.observations.len();
    let along = (arrays[0].name.clone(), n);
    let mut values = of_draws(&name, n_draws, vec![along], by_chain(&found.values, n));
    values.attributes = attributes;
    add_coordinates(&mut arrays, draw_coordinates(n_draws));
    arrays.push(values);
    group("log_likelihood", arrays)
}

/// Every datum left of `~`; empty cells are NaN, and rows that are held out are left out.
fn observed_data(model: &CompiledModel, fit: &Fit) -> Group {
    let data = fit.evaluator().data();
    let names: Vec<(String, usize, &Datum)> =
        outcome_names(model, data).into_iter().map(|(k, d)| (plain(&d.name), k, d)).collect();
    let taken: BTreeSet<&str> = names.iter().map(|(name, ..)| name.as_str()).collect();
    let rows = (0..data.n_rows_total()).filter(|&row| fit.evaluator().is_fitted(row)).collect();
    let (rows, branches) =
        (Observations::Rows(rows), Observations::Branches((0..data.n_branches()).collect()));
    let mut arrays = Vec::new();
    for (name, datum, declared) in &names {
        let units = match (declared.per_row, declared.level) {
            (true, _) => Some(&rows),
            (false, Level::Branch) => Some(&branches),
            (false, Level::Whole) => None,
        };
        let mut dims = Vec::new();
        let mut attributes = json!({});
        if let Some(units) = units {
            let (coordinates, of_units) = observation_coordinates(data, units, &taken);
            dims.push((coordinates[0].name.clone(), units.len()));
            attributes = of_units;
            add_coordinates(&mut arrays, coordinates);
        }
        let inner = inner_dims(declared, data);
        let coordinates: Vec<Array> = inner
            .iter()
            .enumerate()
            .map(|(k, &size)| count(&format!("{name}_dim_{k}"), 1, size))
            .collect();
        dims.extend(coordinates.iter().map(|c| c.dims[0].clone()));
        add_coordinates(&mut arrays, coordinates);
        let values = cells(data, *datum, declared, units);
        arrays.push(Array { name: name.clone(), dims, values, attributes });
    }
    group("observed_data", arrays)
}

/// The dimensions of one unit of a datum: of one row, or of one branch.
fn inner_dims(declared: &Datum, data: &BoundData) -> Vec<usize> {
    let dims = if declared.per_row { &declared.dims[1..] } else { &declared.dims[..] };
    let size = |dim: &Size| data.size(dim, 0).expect("sizes were checked when data were bound");
    dims.iter().map(size).collect()
}

fn cells(data: &BoundData, datum: usize, declared: &Datum, units: Option<&Observations>) -> Values {
    let (inner, all) = (data.inner(datum), data.values(datum));
    let places: Vec<usize> = match units {
        Some(Observations::Rows(list) | Observations::Branches(list)) => {
            list.iter().flat_map(|&unit| unit * inner..(unit + 1) * inner).collect()
        }
        None => (0..all.len()).collect(),
    };
    let is_empty = |at: usize| data.is_empty_cell(datum, at);
    if declared.element == Element::Int && !places.iter().any(|&at| is_empty(at)) {
        return Values::Ints(places.into_iter().map(|at| all[at] as i64).collect());
    }
    let value = |at: usize| if is_empty(at) { f64::NAN } else { all[at] };
    Values::Reals(places.into_iter().map(value).collect())
}
