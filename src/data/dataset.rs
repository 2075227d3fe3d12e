//! A data set before any model has looked at it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::csv::CsvSource;
use super::error::{DataError, DataErrorKind};
use super::lines::Lines;
use super::load::{Cell, Loader, Pushed, Table};
use super::plan::Plan;
use super::set::SetValue;

/// What messages call columns that were given directly.
const COLUMNS_NAME: &str = "the data";

/// One column that is given directly.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; NaN is a missing value.
    Numbers(Vec<f64>),
    /// Text, read as the cells of a CSV file are.
    Texts(Vec<String>),
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Column::Numbers(values) => values.len(),
            Column::Texts(texts) => texts.len(),
        }
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Column::Numbers(values) => Cell::Number(values[row]),
            Column::Texts(texts) => Cell::Text(texts[row].as_bytes()),
        }
    }
}

#[derive(Clone, Debug)]
enum Rows {
    Csv(CsvSource),
    Columns { header: Vec<String>, columns: Vec<Column> },
}

/// Rows in long form, and whole data set by name. [`Dataset::bind`] fits it to a model.
#[derive(Clone, Debug)]
pub struct Dataset {
    rows: Rows,
    pub(super) settings: BTreeMap<String, SetValue>,
    pub(super) na_drop: bool,
}

impl Dataset {
    /// Opens a CSV file and reads its header; the rows are read when a model is bound.
    ///
    /// An error if the file cannot be read, is empty, or its first line does not name each
    /// column once.
    pub fn read_csv(path: impl AsRef<Path>) -> Result<Dataset, DataError> {
        CsvSource::open(path.as_ref()).map(|source| Dataset::of(Rows::Csv(source)))
    }

    /// The same for the bytes of a CSV file, which messages call `name`.
    pub fn from_csv_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Dataset, DataError> {
        CsvSource::from_bytes(name.into(), bytes).map(|source| Dataset::of(Rows::Csv(source)))
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
            None => Ok(Dataset::of(Rows::Columns { header, columns })),
        }
    }

    fn of(rows: Rows) -> Dataset {
        Dataset { rows, settings: BTreeMap::new(), na_drop: false }
    }

    /// Sets whole data by name; the last setting of a name counts.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<SetValue>) -> Dataset {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// Drops rows in which a value that the model reads is missing (empty, `NA` or `NaN`),
    /// instead of refusing them. [`super::BoundData::n_dropped`] counts them.
    pub fn na_drop(mut self) -> Dataset {
        self.na_drop = true;
        self
    }

    /// The names of the columns, in order.
    pub fn column_names(&self) -> &[String] {
        match &self.rows {
            Rows::Csv(source) => source.header(),
            Rows::Columns { header, .. } => header,
        }
    }

    /// What messages call the data: the file's name.
    pub fn source_name(&self) -> &str {
        match &self.rows {
            Rows::Csv(source) => source.name(),
            Rows::Columns { .. } => COLUMNS_NAME,
        }
    }

    /// Reads what `plan` asks for. An error where cells are not what it asks for, and where
    /// there are no rows.
    pub(super) fn load(&self, plan: &Plan) -> Result<Table, DataError> {
        let (table, may_be_empty) = match &self.rows {
            Rows::Csv(source) => (source.load(plan, self.na_drop)?, false),
            Rows::Columns { header, columns } => {
                (load_columns(header, columns, plan, self.na_drop)?, plan.is_empty())
            }
        };
        if table.n_rows == 0 && !may_be_empty {
            return Err(no_rows(self.source_name(), table.n_dropped));
        }
        Ok(table)
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

fn no_rows(source: &str, n_dropped: usize) -> DataError {
    let error = |message: String| DataError::new(DataErrorKind::NoRows, message);
    match n_dropped {
        0 => error(format!("{source} has no rows"))
            .help("below the line that names the columns, give one line per row"),
        n => error(format!("{source} has no rows left: {n} were dropped for missing values"))
            .help("fill in the column that is empty, or take it out of the model"),
    }
}
