//! Rows made up from a schema alone, so that code can be made and timed before there are data.

use std::collections::BTreeSet;

use super::bound::BoundData;
use super::dataset::{Column, Dataset};
use super::error::DataError;
use super::names::matches;
use crate::schema::{Bound, Datum, Origin, Schema};
use crate::ty::{Element, Level};

const N_BRANCHES: usize = 2;
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
            if matches!(datum.origin, Origin::Column(_) | Origin::Columns(_)) {
                datum.origin = Origin::Derived;
            }
        }
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
        let mut taken: BTreeSet<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        let Some(whole) = whole else {
            return Dataset::from_columns(columns);
        };
        for (datum, name) in column_names(schema, whole)? {
            if taken.insert(name.clone()) {
                let datum = &schema.data[datum];
                let value = |&(branch, row): &(usize, usize)| {
                    let step = if datum.per_row { row } else { branch };
                    value_within_bounds(datum, step, schema, whole, MAX_BOUND_DEPTH)
                };
                columns.push((name, Column::Numbers(rows.iter().map(value).collect())));
            }
        }
        Dataset::from_columns(columns)
    }
}

/// Every column that data are read from, with the datum: names as they are, then as many
/// columns for each pattern as the declared sizes leave room for.
fn column_names(schema: &Schema, whole: &BoundData) -> Result<Vec<(usize, String)>, DataError> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let is_pattern = |name: &&String| name.contains('*');
    for (position, datum) in schema.data.iter().enumerate() {
        let names = patterns(datum).iter().filter(|name| !is_pattern(name));
        found.extend(names.map(|name| (position, name.clone())));
    }
    for (position, datum) in schema.data.iter().enumerate() {
        let all = patterns(datum);
        let Some(last) = all.iter().rfind(is_pattern) else {
            continue;
        };
        let mut wanted = 1;
        for size in datum.dims.iter().skip(usize::from(datum.per_row)) {
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
        Origin::Columns(patterns) => patterns,
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
    let wanted = match (lower, datum.element) {
        (Some(lower), _) => lower + 1.0,
        (None, Element::Int) => 1.0,
        (None, Element::Real) => (step % 2) as f64,
    };
    match (lower, upper) {
        (Some(lower), Some(upper)) if wanted > upper => match datum.element {
            Element::Int => lower,
            Element::Real => f64::midpoint(lower, upper),
        },
        (_, Some(upper)) => wanted.min(upper),
        _ => wanted,
    }
}
