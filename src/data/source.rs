//! One file of a data set, or columns given in its place.

use std::path::Path;

use super::csv::CsvSource;
use super::dataset::Column;
use super::error::{DataError, DataErrorKind};
use super::lines::Lines;
use super::load::{Cell, Loader, Pushed, Table};
use super::plan::Plan;

/// What messages call columns that were given directly.
const COLUMNS_NAME: &str = "the data";

/// What is shown each row: its number, and its cells by column.
pub(super) type VisitRow<'v> = dyn for<'r> FnMut(u64, &dyn Fn(usize) -> Cell<'r>) + 'v;

/// A header, and rows that are read when a model is bound.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Csv(CsvSource),
    Columns { header: Vec<String>, columns: Vec<Column> },
}

impl Source {
    /// The names of the columns, in order.
    pub(super) fn header(&self) -> &[String] {
        match self {
            Source::Csv(source) => source.header(),
            Source::Columns { header, .. } => header,
        }
    }

    /// What messages call it: the file's name.
    pub(super) fn name(&self) -> &str {
        match self {
            Source::Csv(source) => source.name(),
            Source::Columns { .. } => COLUMNS_NAME,
        }
    }

    /// The file, if it is one that can be read again.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Source::Csv(source) => source.path(),
            Source::Columns { .. } => None,
        }
    }

    /// Reads what `plan` asks for. An error where cells are not what it asks for.
    pub(super) fn load(&self, plan: &Plan, na_drop: bool) -> Result<Table, DataError> {
        match self {
            Source::Csv(source) => source.load(plan, na_drop),
            Source::Columns { header, columns } => load_columns(header, columns, plan, na_drop),
        }
    }

    /// Shows `visit` the number of every row, as in [`Lines`], and its cells, by column. Rows
    /// were loaded before, so each has all its cells.
    pub(super) fn for_each_row(&self, visit: &mut VisitRow<'_>) -> Result<(), DataError> {
        match self {
            Source::Csv(source) => source.for_each_row(visit),
            Source::Columns { columns, .. } => {
                for row in 0..columns.first().map_or(0, Column::len) {
                    visit(row as u64 + 1, &|column| columns[column].cell(row));
                }
                Ok(())
            }
        }
    }

    /// The error for a file without rows, `n_dropped` of which were dropped.
    pub(super) fn no_rows(&self, n_dropped: usize) -> DataError {
        let source = self.name();
        let error = |message: String| DataError::new(DataErrorKind::NoRows, message);
        match n_dropped {
            0 => error(format!("{source} has no rows"))
                .help("below the line that names the columns, give one line per row"),
            n => error(format!("{source} has no rows left: {n} were dropped for missing values"))
                .help("fill in the column that is empty, or take it out of the model"),
        }
    }
}

fn load_columns(
    header: &[String],
    columns: &[Column],
    plan: &Plan,
    na_drop: bool,
) -> Result<Table, DataError> {
    let mut by_as_text = vec![false; plan.by.len()];
    'attempt: loop {
        let lines = Lines::of_columns(COLUMNS_NAME);
        let mut loader = Loader::new(plan, header, lines, na_drop, &by_as_text);
        for row in 0..columns.first().map_or(0, Column::len) {
            let cell = |column: usize| columns[column].cell(row);
            if let Pushed::ReadByAsText(column) = loader.push(row as u64 + 1, cell) {
                by_as_text[column] = true;
                continue 'attempt;
            }
        }
        return loader.finish();
    }
}
