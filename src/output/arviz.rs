//! A fit as groups of named arrays in the way of ArviZ (`InferenceData`): `posterior`,
//! `sample_stats`, `observed_data` and, where asked for, `log_likelihood`.
//!
//! Draws are independent and of equal weight. They go to chains in turn, so that the mirrored
//! pairs of which they may consist are in different chains and those within a chain are
//! independent.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Value, json};

use super::zarr::{Array, Elements, Group, Values};
use crate::data::BoundData;
use crate::fit::{CHAINS, Fit, LogLikelihood, Observations};
use crate::model::{CompiledModel, Evaluator, Variable};
use crate::schema::Datum;
use crate::simulate::outcomes;
use crate::ty::{Element, Level, Size};

/// The dimension of rows.
const ROW: &str = "row";

/// The groups of a fit; with `log_likelihood`, where it was asked for.
pub fn groups<'a>(
    model: &CompiledModel,
    fit: &'a Fit,
    n_draws: usize,
    log_likelihood: Option<&'a LogLikelihood>,
) -> Vec<Group<'a>> {
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

fn group<'a>(name: &str, arrays: Vec<Array<'a>>) -> Group<'a> {
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
fn of_draws(
    name: &str,
    n_draws: usize,
    dims: Vec<(String, usize)>,
    values: Vec<f64>,
) -> Array<'static> {
    let chains = ("chain".to_string(), CHAINS);
    let draws = ("draw".to_string(), n_draws / CHAINS);
    Array {
        name: name.to_string(),
        dims: [chains, draws].into_iter().chain(dims).collect(),
        values: Values::reals(values),
        attributes: json!({}),
    }
}

/// The values of a dimension.
fn coordinate<'a>(name: &str, values: Values<'a>) -> Array<'a> {
    let dims = vec![(name.to_string(), values.len())];
    Array { name: name.to_string(), dims, values, attributes: json!({}) }
}

/// Numbers from `first` on along a dimension.
fn count(name: &str, first: i64, size: usize) -> Array<'static> {
    let numbers = (0..size).map(move |k| first + k as i64);
    coordinate(name, Values::Ints(Elements::new(size, numbers)))
}

/// Adds coordinates that are not there yet.
fn add_coordinates<'a>(arrays: &mut Vec<Array<'a>>, coordinates: Vec<Array<'a>>) {
    for coordinate in coordinates {
        if !arrays.iter().any(|array| array.name == coordinate.name) {
            arrays.push(coordinate);
        }
    }
}

/// Coordinates of chain and draw.
fn draw_coordinates(n_draws: usize) -> Vec<Array<'static>> {
    vec![count("chain", 0, CHAINS), count("draw", 0, n_draws / CHAINS)]
}

/// Every global and derived global.
fn posterior(fit: &Fit, n_draws: usize) -> Group<'_> {
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
fn dimensions<'a>(
    variable: &Variable,
    data: &'a BoundData,
    taken: &BTreeSet<&str>,
) -> Vec<Array<'a>> {
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
                coordinate(&name, Values::texts(data.levels(along)))
            }
            None => count(&format!("{}_dim_{k}", variable.name), 1, size),
        });
    }
    coordinates
}

fn sample_stats(fit: &Fit, n_draws: usize) -> Group<'static> {
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

/// The rows or branches that an array runs along.
#[derive(Clone, Copy)]
enum Units<'a> {
    /// These.
    Listed(&'a Observations),
    /// All rows that are not held out.
    FittedRows(&'a Evaluator),
    /// All branches.
    Branches(&'a BoundData),
}

impl<'a> Units<'a> {
    fn are_rows(self) -> bool {
        match self {
            Units::Listed(observations) => matches!(observations, Observations::Rows(_)),
            Units::FittedRows(_) => true,
            Units::Branches(_) => false,
        }
    }

    /// The number of each, in order.
    fn numbers(self) -> Box<dyn Iterator<Item = usize> + 'a> {
        match self {
            Units::Listed(Observations::Rows(list) | Observations::Branches(list)) => {
                Box::new(list.iter().copied())
            }
            Units::FittedRows(evaluator) => {
                let rows = 0..evaluator.data().n_rows_total();
                Box::new(rows.filter(|&row| evaluator.is_fitted(row)))
            }
            Units::Branches(data) => Box::new(0..data.n_branches()),
        }
    }

    fn len(self) -> usize {
        match self {
            Units::Listed(observations) => observations.len(),
            Units::FittedRows(_) => self.numbers().count(),
            Units::Branches(data) => data.n_branches(),
        }
    }
}

/// The key of a branch.
fn label(data: &BoundData, branch: usize) -> Rc<str> {
    Rc::from(data.key(branch).join(","))
}

/// Rows by their lines in the file, where they have some of their own, else by their numbers.
fn row_coordinate<'a>(data: &'a BoundData, rows: Units<'a>) -> Array<'a> {
    let number = |row: usize| data.line(row).map_or(row as i64 + 1, |line| line as i64);
    coordinate(ROW, Values::Ints(Elements::new(rows.len(), rows.numbers().map(number))))
}

/// The branch of each row, as a coordinate of theirs.
fn branches_of_rows<'a>(data: &'a BoundData, rows: Units<'a>) -> Array<'a> {
    let (mut branch, mut text) = (0, None);
    let of_row = move |row: usize| {
        while data.rows(branch).end <= row {
            (branch, text) = (branch + 1, None);
        }
        text.get_or_insert_with(|| label(data, branch)).clone()
    };
    let labels = Elements::new(rows.len(), rows.numbers().map(of_row));
    let mut array = coordinate(&branch_dimension(data), Values::Texts(labels));
    array.dims[0].0 = ROW.to_string();
    array
}

/// The coordinates of rows or branches, and the attributes of an array along them.
fn unit_coordinates<'a>(
    data: &'a BoundData,
    units: Units<'a>,
    taken: &BTreeSet<&str>,
) -> (Vec<Array<'a>>, Value) {
    if units.are_rows() {
        let mut coordinates = vec![row_coordinate(data, units)];
        let branches = branches_of_rows(data, units);
        let is_free = branches.name != ROW && !taken.contains(branches.name.as_str());
        let attributes = match is_free {
            true => json!({"coordinates": branches.name}),
            false => json!({}),
        };
        coordinates.extend(is_free.then_some(branches));
        return (coordinates, attributes);
    }
    let labels = units.numbers().map(|branch| label(data, branch));
    let mut name = branch_dimension(data);
    if taken.contains(name.as_str()) {
        name.push_str("_key");
    }
    (vec![coordinate(&name, Values::Texts(Elements::new(units.len(), labels)))], json!({}))
}

/// The outcomes, by name.
fn outcome_names<'d>(model: &CompiledModel, data: &'d BoundData) -> Vec<(usize, &'d Datum)> {
    outcomes(model).into_iter().map(|k| (k, &data.schema().data[k])).collect()
}

fn pointwise<'a>(
    model: &CompiledModel,
    fit: &'a Fit,
    n_draws: usize,
    found: &'a LogLikelihood,
) -> Group<'a> {
    let data = fit.evaluator().data();
    // Where there is one outcome these are its likelihoods, and have its name.
    let name = match outcome_names(model, data).as_slice() {
        [(_, only)] => plain(&only.name),
        _ => "outcomes".to_string(),
    };
    let taken = BTreeSet::from([name.as_str()]);
    let (mut arrays, attributes) =
        unit_coordinates(data, Units::Listed(&found.observations), &taken);
    let n = found.observations.len();
    let along = (arrays[0].name.clone(), n);
    let mut values = of_draws(&name, n_draws, vec![along], by_chain(&found.values, n));
    values.attributes = attributes;
    add_coordinates(&mut arrays, draw_coordinates(n_draws));
    arrays.push(values);
    group("log_likelihood", arrays)
}

/// Every datum left of `~`; empty cells are NaN, and rows that are held out are left out.
fn observed_data<'a>(model: &CompiledModel, fit: &'a Fit) -> Group<'a> {
    let data = fit.evaluator().data();
    let names: Vec<(String, usize, &Datum)> =
        outcome_names(model, data).into_iter().map(|(k, d)| (plain(&d.name), k, d)).collect();
    let taken: BTreeSet<&str> = names.iter().map(|(name, ..)| name.as_str()).collect();
    let mut arrays = Vec::new();
    for (name, datum, declared) in &names {
        let units = match (declared.per_row, declared.level) {
            (true, _) => Some(Units::FittedRows(fit.evaluator())),
            (false, Level::Branch) => Some(Units::Branches(data)),
            (false, Level::Whole) => None,
        };
        let mut dims = Vec::new();
        let mut attributes = json!({});
        if let Some(units) = units {
            let (coordinates, of_units) = unit_coordinates(data, units, &taken);
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

fn cells<'a>(
    data: &'a BoundData,
    datum: usize,
    declared: &Datum,
    units: Option<Units<'a>>,
) -> Values<'a> {
    let (inner, all) = (data.inner(datum), data.values(datum));
    let places = || -> Box<dyn Iterator<Item = usize>> {
        let of_unit = move |unit: usize| unit * inner..(unit + 1) * inner;
        match units {
            Some(units) => Box::new(units.numbers().flat_map(of_unit)),
            None => Box::new(0..all.len()),
        }
    };
    let count = units.map_or(all.len(), |units| units.len() * inner);
    let is_empty = move |at: usize| data.is_empty_cell(datum, at);
    if declared.element == Element::Int && !places().any(is_empty) {
        return Values::Ints(Elements::new(count, places().map(|at| all[at] as i64)));
    }
    let value = move |at: usize| if is_empty(at) { f64::NAN } else { all[at] };
    Values::Reals(Elements::new(count, places().map(value)))
}
