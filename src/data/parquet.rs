//! Reading Parquet: the columns that a model reads, row group by row group.
//!
//! A cell is what the same data would be in a CSV file: null is the empty cell, texts are read as
//! the cells of a CSV are, a boolean is `TRUE` or `FALSE`, and a number that is a key or a level
//! has the text that is its shortest. Besides what a model keeps, a few thousand rows are held and
//! of each column the page at hand with its dictionary.

mod cells;
mod kind;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ::parquet::basic::Compression;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ParquetMetaData;
use ::parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use self::cells::ColumnCells;
use self::kind::{Field, Kind, Unread};
use super::error::{DataError, DataErrorKind, show_text};
use super::lines::Lines;
use super::load::{Cell, Loaded, Loader, MAX_ROWS, Pushed, Table, load_in_turns, too_large};
use super::plan::{Plan, Read};
use super::source::VisitRow;

/// Rows that are held at a time, beside what is kept of them.
const BATCH: usize = 1 << 13;

/// A Parquet file whose description was read. Its rows are read when it is bound.
#[derive(Clone, Debug)]
pub(super) struct ParquetSource {
    name: String,
    path: PathBuf,
    header: Vec<String>,
    fields: Vec<Field>,
    n_rows: usize,
    /// For each column the bytes that one row group of it has at most, packed and unpacked.
    chunk_bytes: Vec<usize>,
}

impl ParquetSource {
    /// Opens a file and reads which columns it has.
    ///
    /// # Errors
    /// When it cannot be read, is no Parquet file, or two columns have one name.
    pub(super) fn open(path: &Path) -> Result<ParquetSource, DataError> {
        let name = path.display().to_string();
        let reader = open(&name, path)?;
        let metadata = reader.metadata();
        let fields = kind::fields(metadata.file_metadata().schema_descr());
        let header: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        let mut seen = BTreeSet::new();
        if let Some(twice) = header.iter().find(|column| !seen.insert(*column)) {
            let message = format!("{name} has two columns named `{twice}`");
            return Err(DataError::new(DataErrorKind::Header, message).help("rename one of them"));
        }
        let rows = metadata.row_groups().iter().map(|group| rows_of(group.num_rows()));
        let n_rows = rows.fold(0, usize::saturating_add);
        let chunk_bytes = fields.iter().map(|field| chunk_bytes(metadata, field)).collect();
        Ok(ParquetSource { name, path: path.to_path_buf(), header, fields, n_rows, chunk_bytes })
    }

    /// What messages call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The names of its columns.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many rows there are.
    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Bytes that the pages at hand of what `plan` reads take at most: those of a row group, as
    /// a group may be one page.
    pub(super) fn page_bytes(&self, plan: &Plan) -> usize {
        let bytes = columns_read(plan).into_iter().map(|column| self.chunk_bytes[column]);
        bytes.fold(0, usize::saturating_add)
    }

    /// Reads all rows into a table, again where an ordering column turns out to be text.
    pub(super) fn load(&self, plan: &Plan, na_drop: bool) -> Result<Table, DataError> {
        load_in_turns(plan, |by_as_text| {
            let lines = Lines::of_rows(&self.name);
            self.read_into(Loader::new(plan, &self.header, lines, na_drop, by_as_text), plan)
        })
    }

    fn read_into(&self, mut loader: Loader<'_>, plan: &Plan) -> Result<Loaded, DataError> {
        let mut by_is_text = None;
        self.for_each_batch(&self.columns_as(plan), |first, batch| {
            for row in 0..batch.n_rows {
                let cell = |column: usize| batch.cell(column, row);
                if let Pushed::ReadByAsText(column) = loader.push(first + row as u64, cell) {
                    by_is_text = Some(column);
                    return Ok(ControlFlow::Break(()));
                }
            }
            match loader.n_rows() > MAX_ROWS {
                true => Err(too_large(&self.name)),
                false => Ok(ControlFlow::Continue(())),
            }
        })?;
        match by_is_text {
            Some(column) => Ok(Loaded::ByIsText(column)),
            None => Ok(Loaded::Table(Box::new(loader.finish()?))),
        }
    }

    /// The columns that are read, and whether as texts. Whole numbers of 64 bits that order rows
    /// are, since `f64` does not tell all of them apart.
    fn columns_as(&self, plan: &Plan) -> Vec<(usize, bool)> {
        let texts = columns_of_text(plan);
        let is_wide = |column: &usize| {
            let kind = self.fields[*column].leaf.map(|(_, kind)| kind);
            plan.by.contains(column) && matches!(kind, Ok(Kind::Int64 | Kind::Uint64))
        };
        let read = columns_read(plan).into_iter();
        read.map(|column| (column, texts.contains(&column) || is_wide(&column))).collect()
    }

    /// Shows `visit` every row with its number, from 1, and all its cells.
    ///
    /// # Errors
    /// When the file cannot be read, or has a column that is not read.
    pub(super) fn for_each_row(&self, visit: &mut VisitRow<'_>) -> Result<(), DataError> {
        let columns: Vec<(usize, bool)> = (0..self.header.len()).map(|k| (k, true)).collect();
        self.for_each_batch(&columns, |first, batch| {
            for row in 0..batch.n_rows {
                visit(first + row as u64, &|column| batch.cell(column, row));
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Shows `visit` some rows after others, with the number of the first, until it has enough.
    fn for_each_batch(
        &self,
        columns: &[(usize, bool)],
        mut visit: impl FnMut(u64, &Batch) -> Result<ControlFlow<()>, DataError>,
    ) -> Result<(), DataError> {
        let reader = open(&self.name, &self.path)?;
        if kind::fields(reader.metadata().file_metadata().schema_descr()) != self.fields {
            return Err(changed(&self.name));
        }
        let mut number = 1;
        for group in 0..reader.num_row_groups() {
            let group = guarded(|| reader.get_row_group(group))
                .map_err(|error| broken(&self.name, &error))?;
            let mut batch = Batch::new(self.header.len());
            for &(column, as_text) in columns {
                batch.slots[column] = batch.columns.len();
                let cells = self.column(&*group, column, as_text);
                let cells = cells.map_err(|fault| self.refusal(column, number, &fault))?;
                batch.columns.push(cells);
            }
            let n_rows = rows_of(group.metadata().num_rows());
            for start in (0..n_rows).step_by(BATCH) {
                batch.n_rows = BATCH.min(n_rows - start);
                for &(column, _) in columns {
                    let cells = &mut batch.columns[batch.slots[column]];
                    guarded(|| cells.advance(batch.n_rows))
                        .map_err(|error| self.refusal(column, number, &Fault::Broken(error)))?;
                }
                if visit(number, &batch)?.is_break() {
                    return Ok(());
                }
                number += batch.n_rows as u64;
            }
        }
        Ok(())
    }

    /// A column of a row group, before its first row.
    fn column(
        &self,
        group: &dyn RowGroupReader,
        column: usize,
        as_text: bool,
    ) -> Result<ColumnCells, Fault> {
        let (leaf, kind) = self.fields[column].leaf.map_err(Fault::Unread)?;
        let described = group.metadata().column(leaf);
        match described.compression() {
            Compression::BROTLI(_) => return Err(Fault::Codec("Brotli")),
            Compression::LZO => return Err(Fault::Codec("LZO")),
            _ => {}
        }
        if described.num_values() != group.metadata().num_rows() {
            let what = "it has not one value for each row".to_string();
            return Err(Fault::Broken(ParquetError::General(what)));
        }
        let is_nullable = described.column_descr().max_def_level() > 0;
        let reader = guarded(|| group.get_column_reader(leaf)).map_err(Fault::Broken)?;
        Ok(ColumnCells::new(kind, reader, is_nullable, as_text))
    }

    /// The error for a column that cannot be read from row `number` on.
    fn refusal(&self, column: usize, number: u64, fault: &Fault) -> DataError {
        let (name, column) = (&self.name, &self.header[column]);
        let error = |kind, message: String, help| DataError::new(kind, message).help(help);
        match fault {
            Fault::Unread(what) => error(
                DataErrorKind::ColumnType,
                format!("column `{column}` of {name} holds {what}, which are not read"),
                instead_of(what),
            ),
            Fault::Codec(codec) => error(
                DataErrorKind::ColumnType,
                format!("column `{column}` of {name} is packed with {codec}, which is not read"),
                "write the file with snappy, zstd, gzip, lz4 or without compression",
            ),
            Fault::Broken(fault) => error(
                DataErrorKind::File,
                format!(
                    "{name}, column `{column}`, row {number} or after: it cannot be read: {}",
                    show_text(fault.to_string().as_bytes())
                ),
                "the file is damaged, or written in a way that is not known here: write it again",
            ),
        }
    }
}

/// Why a column cannot be read.
enum Fault {
    Unread(Unread),
    Codec(&'static str),
    Broken(ParquetError),
}

/// What to write in place of a column that is not read.
fn instead_of(what: Unread) -> &'static str {
    match what {
        kind::DATES | kind::TIMES => {
            "write it as a number, such as days since a date, or as text where it is a key, a \
             level, or orders rows: `2020-01-31` sorts as it should"
        }
        kind::NESTED => "give each of its values a column of its own",
        _ => "write it as numbers or as text",
    }
}

/// Rows that are at hand together.
struct Batch {
    n_rows: usize,
    /// For each column of the file its place among those that are read.
    slots: Vec<usize>,
    columns: Vec<ColumnCells>,
}

impl Batch {
    fn new(n_columns: usize) -> Batch {
        Batch { n_rows: 0, slots: vec![usize::MAX; n_columns], columns: Vec::new() }
    }

    fn cell(&self, column: usize, row: usize) -> Cell<'_> {
        self.columns[self.slots[column]].cell(row)
    }
}

fn columns_read(plan: &Plan) -> BTreeSet<usize> {
    let numbers = plan.numbers.iter().map(|number| number.column);
    columns_of_text(plan).into_iter().chain(plan.by.iter().copied()).chain(numbers).collect()
}

/// The columns whose cells are keys, levels or compared with a text.
fn columns_of_text(plan: &Plan) -> BTreeSet<usize> {
    let labels = plan.labels.iter().flat_map(|label| label.columns.iter().copied());
    let compared = plan
        .numbers
        .iter()
        .filter(|number| matches!(number.read, Read::Equals(_) | Read::EqualsOrEmpty(_)));
    let compared = compared.map(|number| number.column);
    plan.key.iter().copied().chain(labels).chain(compared).collect()
}

/// Does what reads a file by the crate, which panics where some parts of a damaged file do not go
/// together. What was being read is thrown away then, so nothing is seen half changed.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    let panicked = || ParquetError::General("its parts do not go together".to_string());
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(panicked()))
}

fn open(name: &str, path: &Path) -> Result<SerializedFileReader<File>, DataError> {
    let unreadable = |error: io::Error| {
        DataError::new(DataErrorKind::File, format!("cannot read {name}: {error}"))
            .help("check the path, and that it is a Parquet file you may read")
    };
    let file = File::open(path).map_err(unreadable)?;
    let of_file = file.metadata().map_err(unreadable)?;
    if !of_file.is_file() {
        let (what, help) = match of_file.is_dir() {
            true => ("a folder", "write its parts to one file"),
            false => ("no file on disk", "Parquet is read from its end: give it as a file"),
        };
        let message = format!("cannot read {name}: it is {what}");
        return Err(DataError::new(DataErrorKind::File, message).help(help));
    }
    guarded(|| SerializedFileReader::new(file)).map_err(|error| broken(name, &error))
}

/// A count that a file gives; where it is negative there is none.
fn rows_of(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}

fn chunk_bytes(metadata: &ParquetMetaData, field: &Field) -> usize {
    let Ok((leaf, _)) = field.leaf else { return 0 };
    let chunks = metadata.row_groups().iter().map(|group| group.column(leaf));
    let bytes = |sizes: [i64; 2]| sizes.into_iter().map(rows_of).fold(0, usize::saturating_add);
    chunks.map(|c| bytes([c.compressed_size(), c.uncompressed_size()])).max().unwrap_or(0)
}

fn broken(name: &str, error: &ParquetError) -> DataError {
    let what = show_text(error.to_string().as_bytes());
    DataError::new(DataErrorKind::File, format!("{name} is no whole Parquet file: {what}"))
        .help("write it again; a file that ends in `.parquet` is read as Parquet, all else as CSV")
}

fn changed(name: &str) -> DataError {
    DataError::new(DataErrorKind::File, format!("{name} was changed while it was being read"))
        .help("run again once nothing writes to it")
}
