//! Rows made up from a schema alone, so that code can be made and timed before there are data.

use std::collections::BTreeSet;

use super::bound::BoundData;
use super::dataset::{Column, Dataset};
use super::error::DataError;
use super::names::matches;
use crate::schema::{Bound, Datum, Factor, Numbered, Origin, Schema};
use crate::ty::{Element, Level};

const N_BRANCHES: usize = 2;
/// Rows of a table.
const N_KEYS: usize = 2;
/// Rows per branch where the model counts rows and does not say how many.
const N_ROWS: usize = 3;
/// Bounds may name data whose bounds name data; longer chains are not followed.
const MAX_BOUND_DEPTH: usize = 16;

impl Schema {
    /// The same without what is read per branch or row: to learn whole data first, on which
    /// the number of columns may depend.
    pub(crate) fn without_columns(&self) -> Schema {
        let mut schema = self.clone();
        for datum in &mut schema.data {
            let is_whole =
                matches!(datum.origin, Origin::Set | Origin::Derived | Origin::Levels(_));
            if !is_whole {
                datum.origin = Origin::Derived;
            }
            datum.may_be_missing = false;
        }
        schema.missing_reads.clear();
        schema
    }
}

impl Dataset {
    /// Two branches of a few rows with the columns that `schema` reads and values within the
    /// declared bounds. `whole` gives the whole data, bound to [`Schema::without_columns`];
    /// that schema itself needs none.
    pub(crate) fn synthetic(
        schema: &Schema,
        whole: Option<&BoundData>,
    ) -> Result<Dataset, DataError> {
        let declared = schema.rows.as_ref().map(|rows| rows.count.map_or(N_ROWS, |n| n as usize));
        let n_rows = if schema.key.is_empty() { 1 } else { declared.unwrap_or(1) };
        let rows: Vec<(usize, usize)> =
            (0..N_BRANCHES).flat_map(|branch| (0..n_rows).map(move |row| (branch, row))).collect();
        let mut columns: Vec<(String, Column)> = Vec::new();
        for name in &schema.key {
            let keys = rows.iter().map(|(branch, _)| (branch + 1).to_string()).collect();
            columns.push((name.clone(), Column::Texts(keys)));
        }
        for name in schema.rows.iter().flat_map(|rows| &rows.by) {
            let places = rows.iter().map(|(_, row)| *row as f64).collect();
            columns.push((name.clone(), Column::Numbers(places)));
        }
        let mut made = Made::default();
        columns.into_iter().for_each(|(name, column)| made.push(name, column));
        made.factors(schema, &rows);
        let Some(whole) = whole else {
            return tables(schema, None).try_fold(made.dataset()?, |data, (name, table)| {
                Ok(data.table(name, table?.dataset()?))
            });
        };
        for (datum, name) in column_names(schema, whole, None)? {
            let datum = &schema.data[datum];
            let cell = |&(branch, row): &(usize, usize)| {
                cell(datum, if datum.per_row { row } else { branch }, schema, whole)
            };
            made.push(name, column_of(rows.iter().map(cell)));
        }
        tables(schema, Some(whole)).try_fold(made.dataset()?, |data, (name, table)| {
            Ok(data.table(name, table?.dataset()?))
        })
    }
}

/// The columns of a file; the first of a name stays.
#[derive(Default)]
struct Made {
    taken: BTreeSet<String>,
    columns: Vec<(String, Column)>,
}

impl Made {
    fn push(&mut self, name: String, column: Column) {
        if self.taken.insert(name.clone()) {
            self.columns.push((name, column));
        }
    }

    /// Levels in turn, for every factor.
    fn factors(&mut self, schema: &Schema, rows: &[(usize, usize)]) {
        for (k, factor) in schema.factors.iter().enumerate() {
            let is_of_branch = |datum: &Datum| {
                let is_own = datum.numbered == Some(Numbered::Factor(k));
                is_own && datum.level == Level::Branch && !datum.per_row
            };
            let by_branch = schema.data.iter().any(is_of_branch);
            for name in &factor.columns {
                let step = |&(branch, row): &(usize, usize)| if by_branch { branch } else { row };
                let texts = rows.iter().map(step).map(|step| level(factor, step)).collect();
                self.push(name.clone(), Column::Texts(texts));
            }
        }
    }

    fn dataset(self) -> Result<Dataset, DataError> {
        Dataset::from_columns(self.columns)
    }
}

/// A level of a factor: one that is written, or one of two.
fn level(factor: &Factor, step: usize) -> String {
    match factor.levels.as_deref() {
        Some(levels @ [_, ..]) => levels[step % levels.len()].clone(),
        _ => (step % 2 + 1).to_string(),
    }
}

/// A file of two keys for each table; with their columns once sizes are known.
fn tables<'a>(
    schema: &'a Schema,
    whole: Option<&'a BoundData>,
) -> impl Iterator<Item = (String, Result<Made, DataError>)> + 'a {
    schema.tables.iter().enumerate().map(move |(k, table)| {
        let mut made = Made::default();
        let keys = (1..=N_KEYS).map(|key| key.to_string()).collect();
        made.push(table.key.clone(), Column::Texts(keys));
        let filled = match whole {
            Some(whole) => fill_table(&mut made, schema, whole, k),
            None => Ok(()),
        };
        (table.name.clone(), filled.map(|()| made))
    })
}

fn fill_table(
    made: &mut Made,
    schema: &Schema,
    whole: &BoundData,
    table: usize,
) -> Result<(), DataError> {
    for (datum, name) in column_names(schema, whole, Some(table))? {
        let datum = &schema.data[datum];
        made.push(name, column_of((0..N_KEYS).map(|row| cell(datum, row, schema, whole))));
    }
    Ok(())
}

/// What a cell holds.
enum Cell {
    Number(f64),
    Text(String),
}

fn column_of(cells: impl Iterator<Item = Cell>) -> Column {
    let mut numbers = Vec::new();
    let mut texts = Vec::new();
    for cell in cells {
        match cell {
            Cell::Number(number) => numbers.push(number),
            Cell::Text(text) => texts.push(text),
        }
    }
    if texts.is_empty() { Column::Numbers(numbers) } else { Column::Texts(texts) }
}

fn cell(datum: &Datum, step: usize, schema: &Schema, whole: &BoundData) -> Cell {
    match (&datum.origin, datum.numbered) {
        (Origin::Equals { value, .. }, _) if step.is_multiple_of(2) => Cell::Text(value.clone()),
        (Origin::Equals { value, .. }, _) => Cell::Text(format!("not {value}")),
        (_, Some(Numbered::Factor(k))) => Cell::Text(level(&schema.factors[k], step)),
        (_, Some(Numbered::Table(_))) => Cell::Text((step % N_KEYS + 1).to_string()),
        _ => Cell::Number(value_within_bounds(datum, step, schema, whole, MAX_BOUND_DEPTH)),
    }
}

/// Every column that data of a table, or of none, are read from, with the datum: names as they
/// are, then as many columns for each pattern as the declared sizes leave room for.
fn column_names(
    schema: &Schema,
    whole: &BoundData,
    table: Option<usize>,
) -> Result<Vec<(usize, String)>, DataError> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let is_pattern = |name: &&String| name.contains('*');
    let data = || schema.data.iter().enumerate().filter(|(_, datum)| datum.table == table);
    for (position, datum) in data() {
        let names = patterns(datum).iter().filter(|name| !is_pattern(name));
        found.extend(names.map(|name| (position, name.clone())));
    }
    for (position, datum) in data() {
        let all = patterns(datum);
        let Some(last) = all.iter().rfind(is_pattern) else {
            continue;
        };
        let mut wanted = 1;
        let n_outer = usize::from(datum.per_row || table.is_some());
        for size in datum.dims.iter().skip(n_outer) {
            wanted *= whole.size(size, 0)?;
        }
        let is_own = |name: &str| all.iter().any(|pattern| matches(pattern, name));
        for pattern in all.iter().filter(is_pattern) {
            let n_own = found.iter().filter(|(_, name)| is_own(name)).count();
            let n_new = if pattern == last { wanted.saturating_sub(n_own) } else { 1 };
            // A mark that no declared name has keeps the columns of patterns apart.
            let name = |k: usize| pattern.replace('*', &format!("~{k}"));
            found.extend((1..=n_new).map(|k| (position, name(k))));
        }
    }
    Ok(found)
}

fn patterns(datum: &Datum) -> &[String] {
    match &datum.origin {
        Origin::Column(name) => std::slice::from_ref(name),
        Origin::Equals { column, .. } => std::slice::from_ref(column),
        Origin::Columns(patterns) | Origin::Combination(patterns) => patterns,
        _ => &[],
    }
}

/// A value that the declaration allows: 1 above the lower bound where there is room, so that
/// scales are not zero; 0 or 1 without a lower bound, and 1 for an `int`, which may be an index.
fn value_within_bounds(
    datum: &Datum,
    step: usize,
    schema: &Schema,
    whole: &BoundData,
    depth: usize,
) -> f64 {
    let number = |bound: &Option<Bound>| match bound.as_ref()? {
        Bound::Number(number) => Some(*number),
        Bound::Datum(position) => {
            let other = &schema.data[*position];
            match (other.level, &other.origin) {
                (Level::Whole, _) => whole.values(*position).first().copied(),
                (_, Origin::Derived) => None,
                _ if depth == 0 => None,
                _ => Some(value_within_bounds(other, step, schema, whole, depth - 1)),
            }
        }
    };
    let (lower, upper) = (number(&datum.lower), number(&datum.upper));
    let parity = (step % 2) as f64;
    // What is standardised must not be constant.
    let is_standardised = |other: &Datum| match other.origin {
        Origin::Standardized(k) => schema.data[k].name == datum.name,
        _ => false,
    };
    let step = if schema.data.iter().any(is_standardised) { parity } else { 0.0 };
    let wanted = match (lower, datum.element) {
        (Some(lower), _) => lower + 1.0 + step,
        (None, Element::Int) => 1.0 + step,
        (None, Element::Real) => parity,
    };
    match (lower, upper) {
        (Some(lower), Some(upper)) if wanted > upper => match datum.element {
            Element::Int => lower,
            Element::Real => lower + (upper - lower) * (2.0 - step) / 4.0,
        },
        (_, Some(upper)) => wanted.min(upper),
        _ => wanted,
    }
}
