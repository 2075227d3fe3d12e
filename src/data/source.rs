//! One file of a data set, or columns given in its place.

use std::path::Path;

use super::csv::CsvSource;
use super::dataset::Column;
use super::error::{DataError, DataErrorKind};
use super::lines::Lines;
use super::load::{Cell, Loaded, Loader, Pushed, Table, load_in_turns};
#[cfg(feature = "parquet")]
use super::parquet::ParquetSource;
use super::plan::Plan;

/// What messages call columns that were given directly.
const COLUMNS_NAME: &str = "the data";

/// What is shown each row: its number, and its cells by column.
pub(super) type VisitRow<'v> = dyn for<'r> FnMut(u64, &dyn Fn(usize) -> Cell<'r>) + 'v;

/// A header, and rows that are read when a model is bound.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Csv(CsvSource),
    #[cfg(feature = "parquet")]
    Parquet(ParquetSource),
    Columns {
        header: Vec<String>,
        columns: Vec<Column>,
    },
}

impl Source {
    /// Opens a file by its ending: Parquet where that is `.parquet`, else CSV.
    pub(super) fn open(path: &Path) -> Result<Source, DataError> {
        let ending = path.extension();
        match ending.is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) {
            true => Source::open_parquet(path),
            false => CsvSource::open(path).map(Source::Csv),
        }
    }

    /// Opens a Parquet file. An error where this build does not read them.
    #[cfg(feature = "parquet")]
    pub(super) fn open_parquet(path: &Path) -> Result<Source, DataError> {
        ParquetSource::open(path).map(Source::Parquet)
    }

    /// Opens a Parquet file. An error where this build does not read them.
    #[cfg(not(feature = "parquet"))]
    pub(super) fn open_parquet(path: &Path) -> Result<Source, DataError> {
        let message = format!("{} is Parquet, which this build does not read", path.display());
        Err(DataError::new(DataErrorKind::File, message)
            .help("build hbdc with `--features parquet`, or write the data as CSV"))
    }

    /// The names of the columns, in order.
    pub(super) fn header(&self) -> &[String] {
        match self {
            Source::Csv(source) => source.header(),
            #[cfg(feature = "parquet")]
            Source::Parquet(source) => source.header(),
            Source::Columns { header, .. } => header,
        }
    }

    /// What messages call it: the file's name.
    pub(super) fn name(&self) -> &str {
        match self {
            Source::Csv(source) => source.name(),
            #[cfg(feature = "parquet")]
            Source::Parquet(source) => source.name(),
            Source::Columns { .. } => COLUMNS_NAME,
        }
    }

    /// The file, if it is one that can be read again.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Source::Csv(source) => source.path(),
            #[cfg(feature = "parquet")]
            Source::Parquet(source) => Some(source.path()),
            Source::Columns { .. } => None,
        }
    }

    /// Reads what `plan` asks for. An error where cells are not what it asks for.
    pub(super) fn load(&self, plan: &Plan, na_drop: bool) -> Result<Table, DataError> {
        match self {
            Source::Csv(source) => source.load(plan, na_drop),
            #[cfg(feature = "parquet")]
            Source::Parquet(source) => source.load(plan, na_drop),
            Source::Columns { header, columns } => load_columns(header, columns, plan, na_drop),
        }
    }

    /// Shows `visit` the number of every row, as in [`Lines`], and its cells, by column. Rows
    /// were loaded before, so each has all its cells.
    pub(super) fn for_each_row(&self, visit: &mut VisitRow<'_>) -> Result<(), DataError> {
        match self {
            Source::Csv(source) => source.for_each_row(visit),
            #[cfg(feature = "parquet")]
            Source::Parquet(source) => source.for_each_row(visit),
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
            0 => error(format!("{source} has no rows")).help(match self {
                Source::Csv(_) => "below the line that names the columns, give one line per row",
                _ => "give one row per observation",
            }),
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
    load_in_turns(plan, |by_as_text| {
        let lines = Lines::of_columns(COLUMNS_NAME);
        let mut loader = Loader::new(plan, header, lines, na_drop, by_as_text);
        for row in 0..columns.first().map_or(0, Column::len) {
            let cell = |column: usize| columns[column].cell(row);
            if let Pushed::ReadByAsText(column) = loader.push(row as u64 + 1, cell) {
                return Ok(Loaded::ByIsText(column));
            }
        }
        Ok(Loaded::Table(Box::new(loader.finish()?)))
    })
}
