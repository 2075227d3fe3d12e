//! Which columns a model reads, and for what.

use super::error::{DataError, DataErrorKind, MAX_PLACES};
use super::names::{matches, missing_column};
use crate::schema::{Datum, Origin, Schema};
use crate::ty::{Element, Level};

/// A column that is read as numbers, once, however many data it gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NumberColumn {
    /// Its position in the file.
    pub(super) column: usize,
    /// Its name in the header.
    pub(super) name: String,
    /// Whether some datum wants whole numbers of it.
    pub(super) whole: bool,
}

/// The columns that binding reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Positions of the columns of the branch key.
    pub(super) key: Vec<usize>,
    /// Positions of the columns that order the rows.
    pub(super) by: Vec<usize>,
    /// The columns of numbers.
    pub(super) numbers: Vec<NumberColumn>,
    /// For each datum, its columns as positions in `numbers`.
    pub(super) data: Vec<Vec<usize>>,
}

impl Plan {
    /// Whether nothing is read.
    pub(super) fn is_empty(&self) -> bool {
        self.key.is_empty() && self.by.is_empty() && self.numbers.is_empty()
    }
}

/// Finds the columns of `schema` in `header`; names every column that is missing.
pub(super) fn plan(schema: &Schema, header: &[String], source: &str) -> Result<Plan, DataError> {
    let mut planner = Planner { header, source, plan: Plan::default(), errors: Vec::new() };
    planner.plan.key = planner.named(&schema.key, "which is part of the branch key");
    if let Some(rows) = &schema.rows {
        let role = format!("which `rows {}` sorts by", rows.name);
        planner.plan.by = planner.named(&rows.by, &role);
    }
    for datum in &schema.data {
        let slots = planner.datum(datum);
        planner.plan.data.push(slots);
    }
    match planner.errors.into_iter().reduce(DataError::also) {
        Some(error) => Err(error),
        None => Ok(planner.plan),
    }
}

struct Planner<'a> {
    header: &'a [String],
    source: &'a str,
    plan: Plan,
    errors: Vec<DataError>,
}

impl Planner<'_> {
    fn find(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    fn named(&mut self, names: &[String], role: &str) -> Vec<usize> {
        let mut found = Vec::new();
        for name in names {
            match self.find(name) {
                Some(column) => found.push(column),
                None => self.errors.push(missing_column(name, role, self.source, self.header)),
            }
        }
        found
    }

    fn datum(&mut self, datum: &Datum) -> Vec<usize> {
        let columns = match &datum.origin {
            Origin::Column(name) => self.columns(datum, std::slice::from_ref(name)),
            Origin::Columns(patterns) => self.columns(datum, patterns),
            _ => return Vec::new(),
        };
        if datum.level == Level::Whole {
            self.errors.push(whole_column(datum));
        }
        columns.into_iter().map(|column| self.slot(column, datum.element)).collect()
    }

    /// The columns of each name or pattern, in this order; those of a pattern in file order.
    fn columns(&mut self, datum: &Datum, patterns: &[String]) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        for pattern in patterns {
            let by_pattern = |column: &usize| matches(pattern, &self.header[*column]);
            let matched: Vec<usize> = (0..self.header.len()).filter(by_pattern).collect();
            if matched.is_empty() {
                let role = format!("which the model reads as `{}`", datum.name);
                let error = missing_column(pattern, &role, self.source, self.header);
                self.errors.push(error.at(datum.span));
            }
            let new: Vec<usize> = matched.into_iter().filter(|c| !found.contains(c)).collect();
            found.extend(new);
        }
        found
    }

    fn slot(&mut self, column: usize, element: Element) -> usize {
        let whole = element == Element::Int;
        if let Some(slot) = self.plan.numbers.iter().position(|known| known.column == column) {
            self.plan.numbers[slot].whole |= whole;
            return slot;
        }
        let name = self.header[column].clone();
        self.plan.numbers.push(NumberColumn { column, name, whole });
        self.plan.numbers.len() - 1
    }
}

fn whole_column(datum: &Datum) -> DataError {
    let message = format!("`{}` is one for the whole data set and has no column", datum.name);
    DataError::new(DataErrorKind::Setting, message)
        .help("declare it in `branch`, or give it with `--set`")
        .at(datum.span)
}

/// The error for data that have `wanted` places for their columns.
pub(super) fn wrong_count(datum: &Datum, columns: &[String], wanted: usize) -> DataError {
    let shown: Vec<String> =
        columns.iter().take(2 * MAX_PLACES).map(|name| format!("`{name}`")).collect();
    let dots = if columns.len() > shown.len() { ", …" } else { "" };
    let message = format!(
        "`{}` is declared `{}`, with room for {wanted} columns, and its columns are {}: {}{dots}",
        datum.name,
        datum.type_text,
        columns.len(),
        shown.join(", ")
    );
    DataError::new(DataErrorKind::ColumnCount, message)
        .help("change the declared size, or name the columns: `cols(\"a\", \"b\")`")
        .at(datum.span)
}
