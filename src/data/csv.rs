//! Reading CSV: a header, then records of as many fields. Comma-separated, quoted with `"`.
//!
//! Line ends of any kind, a byte order mark and blank lines are taken as they come. Spaces
//! around column names, keys and numbers do not count. Only the columns that a model reads are
//! looked at; the others may hold any bytes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::csv::{ByteRecord, Reader, ReaderBuilder};

use super::error::{DataError, DataErrorKind, Places, show_text};
use super::lines::Lines;
use super::load::{Cell, Loaded, Loader, MAX_ROWS, Pushed, Table, load_in_turns, too_large};
use super::newlines::Newlines;
use super::number::parse;
use super::plan::Plan;
use super::source::VisitRow;

#[derive(Clone, Debug)]
enum Input {
    File(PathBuf),
    Bytes(Arc<[u8]>),
}

/// A CSV file whose header was read. Its rows are read when it is bound.
#[derive(Clone, Debug)]
pub(super) struct CsvSource {
    name: String,
    input: Input,
    header: Vec<String>,
}

type Source = Reader<Newlines<Box<dyn Read>>>;

impl CsvSource {
    /// Opens a file. Pipes and the like, which can be read only once, are read whole.
    pub(super) fn open(path: &Path) -> Result<CsvSource, DataError> {
        let name = path.display().to_string();
        let unreadable = |error: io::Error| cannot_read(&name, &error);
        let mut file = File::open(path).map_err(unreadable)?;
        let input = if file.metadata().map_err(unreadable)?.is_file() {
            Input::File(path.to_path_buf())
        } else {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(unreadable)?;
            Input::Bytes(bytes.into())
        };
        CsvSource::new(name, input)
    }

    /// The file, if it is one that can be read again.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.input {
            Input::File(path) => Some(path),
            Input::Bytes(_) => None,
        }
    }

    /// What is held of a file that cannot be read again.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match &self.input {
            Input::File(_) => None,
            Input::Bytes(bytes) => Some(bytes),
        }
    }

    /// The bytes of a CSV file that messages call `name`.
    pub(super) fn from_bytes(name: String, bytes: Vec<u8>) -> Result<CsvSource, DataError> {
        CsvSource::new(name, Input::Bytes(bytes.into()))
    }

    fn new(name: String, input: Input) -> Result<CsvSource, DataError> {
        let mut source = CsvSource { name, input, header: Vec::new() };
        let mut record = ByteRecord::new();
        source.read_record(&mut source.reader()?, &mut record)?;
        source.header = read_header(&source.name, &record)?;
        Ok(source)
    }

    /// What messages call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The names of its columns.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    fn reader(&self) -> Result<Source, DataError> {
        let input: Box<dyn Read> = match &self.input {
            Input::File(path) => {
                Box::new(File::open(path).map_err(|error| cannot_read(&self.name, &error))?)
            }
            Input::Bytes(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        };
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).buffer_capacity(1 << 17);
        Ok(builder.from_reader(Newlines::new(input)))
    }

    /// Reads the next record; `false` at the end.
    fn read_record(&self, reader: &mut Source, record: &mut ByteRecord) -> Result<bool, DataError> {
        reader.read_byte_record(record).map_err(|error| cannot_read(&self.name, &error))
    }

    /// Reads all rows into a table, again where an ordering column turns out to be text.
    pub(super) fn load(&self, plan: &Plan, na_drop: bool) -> Result<Table, DataError> {
        load_in_turns(plan, |by_as_text| {
            let lines = Lines::of_file(&self.name);
            self.read_into(Loader::new(plan, &self.header, lines, na_drop, by_as_text))
        })
    }

    fn read_into(&self, mut loader: Loader<'_>) -> Result<Loaded, DataError> {
        let mut reader = self.reader()?;
        let mut record = ByteRecord::new();
        self.read_record(&mut reader, &mut record)?;
        if read_header(&self.name, &record)? != self.header {
            return Err(changed(&self.name));
        }
        let mut wrong_lengths = Places::default();
        let mut last = Last::default();
        while self.read_record(&mut reader, &mut record)? {
            let line = first_line(reader.position().line(), &record);
            last = Last { line, ends_in_newline: record.as_slice().ends_with(b"\n") };
            if record.len() != self.header.len() {
                self.note_length(&mut wrong_lengths, line, record.len());
                continue;
            }
            let cell = |column: usize| Cell::Text(&record[column]);
            if let Pushed::ReadByAsText(column) = loader.push(line, cell) {
                return Ok(Loaded::ByIsText(column));
            }
            if loader.n_rows() > MAX_ROWS {
                return Err(too_large(&self.name));
            }
        }
        if last.ends_in_newline && reader.get_ref().last_in_line() != Some(b'"') {
            return Err(unclosed(&self.name, last.line + 1));
        }
        match wrong_lengths.into_error() {
            Some(error) => Err(error),
            None => Ok(Loaded::Table(Box::new(loader.finish()?))),
        }
    }

    /// Shows `visit` every row with the line on which it begins.
    pub(super) fn for_each_row(&self, visit: &mut VisitRow<'_>) -> Result<(), DataError> {
        let mut reader = self.reader()?;
        let mut record = ByteRecord::new();
        self.read_record(&mut reader, &mut record)?;
        while self.read_record(&mut reader, &mut record)? {
            if record.len() != self.header.len() {
                return Err(changed(&self.name));
            }
            let line = first_line(reader.position().line(), &record);
            visit(line, &|column| Cell::Text(&record[column]));
        }
        Ok(())
    }

    fn note_length(&self, places: &mut Places, line: u64, n_fields: usize) {
        let help = "a cell that holds a comma must stand in quotes: `\"a, b\"`".to_string();
        places.add_with_help(DataErrorKind::Record, Some(help), || {
            let fields = if n_fields == 1 { "field" } else { "fields" };
            let n_columns = self.header.len();
            format!("{}:{line} has {n_fields} {fields}, the header has {n_columns}", self.name)
        });
    }
}

/// What is remembered of the last record.
#[derive(Default)]
struct Last {
    line: u64,
    ends_in_newline: bool,
}

/// The line on which a record began, from the line after it. Blank lines may precede it, so the
/// line after the record before does not tell.
fn first_line(line_after: u64, record: &ByteRecord) -> u64 {
    let bytes = record.as_slice();
    let n_quoted = match bytes.contains(&b'\n') {
        true => bytes.iter().filter(|byte| **byte == b'\n').count() as u64,
        false => 0,
    };
    line_after.saturating_sub(n_quoted + 1)
}

fn read_header(name: &str, record: &ByteRecord) -> Result<Vec<String>, DataError> {
    let error = |message: String| DataError::new(DataErrorKind::Header, message);
    if record.as_slice().starts_with(b"PAR1") && record.as_slice().contains(&0x15) {
        return Err(DataError::new(
            DataErrorKind::File,
            format!("{name} is Parquet, and its name does not say so"),
        )
        .help("let it end in `.parquet`; all else is read as CSV"));
    }
    if record.is_empty() {
        return Err(error(format!("{name} is empty"))
            .help("its first line must name the columns, separated by commas"));
    }
    let mut header = Vec::new();
    for (position, field) in record.iter().enumerate() {
        match std::str::from_utf8(field) {
            Ok(column) => header.push(column.trim().to_string()),
            Err(_) => {
                let shown = show_text(field);
                let message = format!(
                    "the name of column {} of {name}, `{shown}`, is not UTF-8",
                    position + 1
                );
                return Err(error(message).help("save the file as UTF-8"));
            }
        }
    }
    if record.iter().all(|field| parse(field).is_ok()) {
        let first = show_text(&record[0]);
        return Err(error(format!(
            "{name} has no header: its first line is numbers (`{first}`, …)"
        ))
        .help("add a first line that names the columns"));
    }
    let mut seen = BTreeSet::new();
    match header.iter().find(|column| !column.is_empty() && !seen.insert(*column)) {
        Some(twice) => {
            Err(error(format!("{name} has two columns named `{twice}`")).help("rename one of them"))
        }
        None => Ok(header),
    }
}

fn cannot_read(name: &str, error: &dyn std::fmt::Display) -> DataError {
    DataError::new(DataErrorKind::File, format!("cannot read {name}: {error}"))
        .help("check the path, and that it is a CSV file you may read")
}

fn changed(name: &str) -> DataError {
    DataError::new(DataErrorKind::File, format!("{name} was changed while it was being read"))
        .help("run again once nothing writes to it")
}

fn unclosed(name: &str, line: u64) -> DataError {
    let message = format!("{name}:{line} opens a quote that is never closed");
    DataError::new(DataErrorKind::Record, message)
        .help("close it; a quote inside a quoted cell is written twice: `\"\"`")
}
