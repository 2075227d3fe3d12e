//! A data set before any model has looked at it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::csv::CsvSource;
use super::error::{DataError, DataErrorKind};
use super::load::Cell;
use super::set::SetValue;
use super::source::Source;

/// One column that is given directly.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; NaN is a missing value.
    Numbers(Vec<f64>),
    /// Text, read as the cells of a CSV file are.
    Texts(Vec<String>),
}

impl Column {
    pub(super) fn len(&self) -> usize {
        match self {
            Column::Numbers(values) => values.len(),
            Column::Texts(texts) => texts.len(),
        }
    }

    pub(super) fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Column::Numbers(values) => Cell::Number(values[row]),
            Column::Texts(texts) => Cell::Text(texts[row].as_bytes()),
        }
    }
}

/// Rows in long form, tables beside them, and whole data set by name. [`Dataset::bind`] fits it
/// to a model.
#[derive(Clone, Debug)]
pub struct Dataset {
    pub(super) rows: Source,
    /// One row per branch.
    pub(super) branches: Option<Source>,
    /// One row per key, by the name of the table.
    pub(super) tables: BTreeMap<String, Source>,
    pub(super) settings: BTreeMap<String, SetValue>,
    pub(super) na_drop: bool,
    /// Bytes that reading may hold.
    pub(super) max_memory: Option<u64>,
}

impl Dataset {
    /// Opens a file by its ending: one of `.parquet` as [`Dataset::read_parquet`] does, any other
    /// as [`Dataset::read_csv`] does.
    pub fn read_file(path: impl AsRef<Path>) -> Result<Dataset, DataError> {
        Source::open(path.as_ref()).map(Dataset::of)
    }

    /// Opens a Parquet file and reads which columns it has; the rows are read when a model is
    /// bound, and of these the columns that it wants. A null is an empty cell, a text is read as
    /// the cells of a CSV file are.
    ///
    /// An error if the file cannot be read or is no Parquet file, if two columns have one name,
    /// or if the library was built without the feature `parquet`.
    pub fn read_parquet(path: impl AsRef<Path>) -> Result<Dataset, DataError> {
        Source::open_parquet(path.as_ref()).map(Dataset::of)
    }

    /// Opens a CSV file and reads its header; the rows are read when a model is bound.
    ///
    /// An error if the file cannot be read, is empty, or its first line does not name each
    /// column once.
    pub fn read_csv(path: impl AsRef<Path>) -> Result<Dataset, DataError> {
        CsvSource::open(path.as_ref()).map(|source| Dataset::of(Source::Csv(source)))
    }

    /// The same for the bytes of a CSV file, which messages call `name`.
    pub fn from_csv_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Dataset, DataError> {
        CsvSource::from_bytes(name.into(), bytes).map(|source| Dataset::of(Source::Csv(source)))
    }

    /// Columns by name. An error if they differ in length or two have one name.
    pub fn from_columns(named: Vec<(String, Column)>) -> Result<Dataset, DataError> {
        let (header, columns): (Vec<String>, Vec<Column>) = named.into_iter().unzip();
        let mut seen = BTreeSet::new();
        if let Some(twice) = header.iter().find(|name| !seen.insert(*name)) {
            let message = format!("two columns are named `{twice}`");
            return Err(DataError::new(DataErrorKind::Header, message).help("rename one of them"));
        }
        let length = columns.first().map_or(0, Column::len);
        match columns.iter().position(|column| column.len() != length) {
            Some(other) => {
                let message = format!(
                    "column `{}` has {} rows, column `{}` has {length}",
                    header[other],
                    columns[other].len(),
                    header[0]
                );
                Err(DataError::new(DataErrorKind::ColumnLength, message)
                    .help("columns hold one value per row and are equally long"))
            }
            None => Ok(Dataset::of(Source::Columns { header, columns })),
        }
    }

    fn of(rows: Source) -> Dataset {
        Dataset {
            rows,
            branches: None,
            tables: BTreeMap::new(),
            settings: BTreeMap::new(),
            na_drop: false,
            max_memory: None,
        }
    }

    /// Adds a file with one row per branch, of which the rows of `branches` are taken: what is
    /// one value per branch may stand there, and a branch that has no other rows counts.
    pub fn branches(mut self, branches: Dataset) -> Dataset {
        self.branches = Some(branches.rows);
        self
    }

    /// Adds the file of the model's table `name`, of which the rows of `table` are taken; the
    /// last one of a name counts.
    pub fn table(mut self, name: impl Into<String>, table: Dataset) -> Dataset {
        self.tables.insert(name.into(), table.rows);
        self
    }

    /// Sets whole data by name; the last setting of a name counts.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<SetValue>) -> Dataset {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// Drops rows in which a value that the model reads is missing (empty, `NA` or `NaN`) and
    /// must not be, instead of refusing them. [`super::BoundData::n_dropped`] counts them. Of
    /// tables and the file of branches nothing is dropped.
    pub fn na_drop(mut self) -> Dataset {
        self.na_drop = true;
        self
    }

    /// Refuses to read rows where that would hold more than so many bytes, judged by the sizes of
    /// the files before any row is read.
    pub fn max_memory(mut self, bytes: u64) -> Dataset {
        self.max_memory = Some(bytes);
        self
    }

    /// The names of the columns, in order.
    pub fn column_names(&self) -> &[String] {
        self.rows.header()
    }

    /// The names of the columns of the file of branches, in order; none without one.
    pub(crate) fn branch_column_names(&self) -> &[String] {
        self.branches.as_ref().map_or(&[], |source| source.header())
    }

    /// What messages call the data: the file's name.
    pub fn source_name(&self) -> &str {
        self.rows.name()
    }
}
