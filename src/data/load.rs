//! Collects rows as they are read: numbers as `f64`, keys as small integers, nothing as text.

use std::borrow::Cow;

use super::error::{DataError, DataErrorKind, Places, show_number, show_text};
use super::keys::{
    Interner, KeyTexts, Numeric, components, is_canonical_integer, push_component, rank,
};
use super::lines::Lines;
use super::number::{Fault, MAX_WHOLE, check_finite, check_whole, parse, trim};
use super::plan::{LabelColumn, NumberColumn, Plan, Read};
use crate::schema::level_text;

/// The number of a text where a cell has none.
pub(super) const NO_LABEL: u32 = u32::MAX;

/// Row numbers are kept in 32 bits.
pub(super) const MAX_ROWS: usize = u32::MAX as usize - 1;

/// One cell of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell<'a> {
    /// As a file has it.
    Text(&'a [u8]),
    /// Given as a number.
    Number(f64),
}

impl Cell<'_> {
    fn number(self) -> Result<f64, Fault> {
        match self {
            Cell::Text(text) => parse(text),
            Cell::Number(value) => check_finite(value),
        }
    }

    /// Its text as it stands; of a missing number none.
    pub(super) fn raw(&self) -> Cow<'_, [u8]> {
        match self {
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::Number(value) if value.is_nan() => Cow::Borrowed(b""),
            Cell::Number(_) => self.text(),
        }
    }

    /// Its text without surrounding spaces; of a number as short as it can be written.
    pub(super) fn text(&self) -> Cow<'_, [u8]> {
        match self {
            Cell::Text(text) => Cow::Borrowed(trim(text)),
            Cell::Number(value) => Cow::Owned(format!("{}", value + 0.0).into_bytes()),
        }
    }

    /// Whether it has no text: empty or, unless that is a text as any other, `NA`.
    pub(super) fn is_empty(&self, na_is_text: bool) -> bool {
        match self {
            Cell::Text(text) => match trim(text) {
                b"" => true,
                text => text == b"NA" && !na_is_text,
            },
            Cell::Number(value) => value.is_nan(),
        }
    }

    fn show(self) -> String {
        match self {
            Cell::Text(text) => show_text(text),
            Cell::Number(value) => show_number(value),
        }
    }
}

/// Whether reading can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It can.
    Taken,
    /// The k-th ordering column turns out not to be numbers: read all again, with it as text.
    ReadByAsText(usize),
}

/// The key of each row.
#[derive(Debug)]
pub(super) enum RowKeys {
    /// Each row is a branch: its number in the file.
    EachRow(KeyTexts),
    /// The number of the row's key among the distinct ones, and these.
    Columns(Vec<u32>, Interner),
}

/// Texts of each row, numbered.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// The number of each row's text among the distinct ones, or [`NO_LABEL`].
    pub(super) ids: Vec<u32>,
    /// These, each the components of one label.
    pub(super) texts: Interner,
}

/// The rows of a file, in file order: the columns that the plan asks for.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) n_rows: usize,
    pub(super) lines: Lines,
    pub(super) keys: RowKeys,
    /// For each ordering column a number per row, in the order wanted.
    pub(super) by: Vec<Vec<f64>>,
    /// One column for each of the plan's; of one that is compared with a text the number of each
    /// row's text among the distinct ones, 0 where it is the text wanted.
    pub(super) numbers: Vec<Vec<f64>>,
    /// The distinct texts of each of these columns, of those that are compared.
    pub(super) compared: Vec<Interner>,
    /// One column for each of the plan's.
    pub(super) labels: Vec<Labels>,
    /// Rows left out because of a missing value.
    pub(super) n_dropped: usize,
}

impl Table {
    /// Where its rows stood; they are given away.
    pub(super) fn take_lines(&mut self) -> Lines {
        std::mem::replace(&mut self.lines, Lines::of_file(""))
    }

    /// The keys of its rows; they are given away.
    pub(super) fn take_keys(&mut self) -> RowKeys {
        std::mem::replace(&mut self.keys, RowKeys::EachRow(KeyTexts::default()))
    }
}

/// What came of reading all rows once.
pub(super) enum Loaded {
    /// The rows.
    Table(Box<Table>),
    /// The k-th ordering column is not all numbers.
    ByIsText(usize),
}

/// Reads with `read` until it is known which ordering columns are not all numbers: it is told
/// which of them to take as text.
pub(super) fn load_in_turns(
    plan: &Plan,
    mut read: impl FnMut(&[bool]) -> Result<Loaded, DataError>,
) -> Result<Table, DataError> {
    let mut by_as_text = vec![false; plan.by.len()];
    loop {
        match read(&by_as_text)? {
            Loaded::Table(table) => return Ok(*table),
            Loaded::ByIsText(column) => by_as_text[column] = true,
        }
    }
}

/// The error for more rows than are counted.
pub(super) fn too_large(name: &str) -> DataError {
    DataError::new(DataErrorKind::TooLarge, format!("{name} has more than {MAX_ROWS} rows"))
        .help("this version counts rows in 32 bits: take a part of the data")
}

#[derive(Debug)]
enum ByColumn {
    Numbers(Vec<f64>),
    Texts(Vec<u32>, Interner),
}

/// Takes rows one by one and keeps what the plan asks for.
pub(super) struct Loader<'a> {
    plan: &'a Plan,
    header: &'a [String],
    na_drop: bool,
    lines: Lines,
    n_rows: usize,
    n_seen: u64,
    n_dropped: usize,
    keys: RowKeys,
    by: Vec<ByColumn>,
    numbers: Vec<Vec<f64>>,
    compared: Vec<Interner>,
    labels: Vec<Labels>,
    /// The row at hand, before it is known to be whole.
    row: Vec<f64>,
    key: Vec<u8>,
    faults: Places,
}

impl<'a> Loader<'a> {
    /// `by_as_text` says which ordering columns are known not to be numbers.
    pub(super) fn new(
        plan: &'a Plan,
        header: &'a [String],
        lines: Lines,
        na_drop: bool,
        by_as_text: &[bool],
    ) -> Loader<'a> {
        let by = by_as_text.iter().map(|text| match text {
            true => ByColumn::Texts(Vec::new(), Interner::default()),
            false => ByColumn::Numbers(Vec::new()),
        });
        let keys = match plan.key.is_empty() {
            true => RowKeys::EachRow(KeyTexts::new(1)),
            false => RowKeys::Columns(Vec::new(), Interner::default()),
        };
        Loader {
            plan,
            header,
            na_drop,
            lines,
            n_rows: 0,
            n_seen: 0,
            n_dropped: 0,
            keys,
            by: by.collect(),
            numbers: vec![Vec::new(); plan.numbers.len()],
            compared: plan.numbers.iter().map(wanted_alone).collect(),
            labels: plan.labels.iter().map(|_| Labels::default()).collect(),
            row: vec![0.0; plan.numbers.len() + plan.by.len()],
            key: Vec::new(),
            faults: Places::default(),
        }
    }

    /// The number of rows taken.
    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Takes the row on line `number`, whose cells `cell` gives by column.
    pub(super) fn push<'c>(&mut self, number: u64, cell: impl Fn(usize) -> Cell<'c>) -> Pushed {
        self.n_seen += 1;
        let mut missing = self.read_key(number, &cell);
        missing |= self.read_numbers(number, &cell);
        missing |= self.check_labels(number, &cell);
        match self.read_by(number, &cell) {
            Ok(by_missing) => missing |= by_missing,
            Err(column) => return Pushed::ReadByAsText(column),
        }
        if missing {
            self.n_dropped += 1;
        } else if self.faults.is_empty() {
            // Once there is a fault, the rest is read only to find the others.
            self.keep(number, &cell);
        }
        Pushed::Taken
    }

    /// Sets `self.key`; returns whether the row is to be dropped.
    fn read_key<'c>(&mut self, number: u64, cell: &impl Fn(usize) -> Cell<'c>) -> bool {
        self.key.clear();
        let plan = self.plan;
        let mut missing = false;
        for &column in &plan.key {
            push_component(&mut self.key, &cell(column).text());
            if cell(column).is_empty(true) {
                missing |= self.fault(number, column, Fault::Missing, cell);
            }
        }
        missing
    }

    /// Sets the first part of `self.row`; returns whether the row is to be dropped.
    fn read_numbers<'c>(&mut self, number: u64, cell: &impl Fn(usize) -> Cell<'c>) -> bool {
        let plan = self.plan;
        let mut missing = false;
        for (slot, column) in plan.numbers.iter().enumerate() {
            let read = match &column.read {
                Read::Equals(_) => compare(&mut self.compared[slot], cell(column.column)),
                Read::EqualsOrEmpty(_) => {
                    match compare(&mut self.compared[slot], cell(column.column)) {
                        Err(Fault::Missing) => Ok(f64::NAN),
                        compared => compared,
                    }
                }
                _ => read_number(column, cell(column.column)),
            };
            match read {
                Ok(value) => self.row[slot] = value,
                Err(fault) => missing |= self.fault(number, column.column, fault, cell),
            }
        }
        missing
    }

    /// Whether the row is to be dropped because a text is missing that must be there.
    fn check_labels<'c>(&mut self, number: u64, cell: &impl Fn(usize) -> Cell<'c>) -> bool {
        let plan = self.plan;
        let mut missing = false;
        for LabelColumn { columns, na_is_text, .. } in plan.labels.iter().filter(|l| l.is_required)
        {
            for &column in columns.iter().filter(|&&column| cell(column).is_empty(*na_is_text)) {
                missing |= self.fault(number, column, Fault::Missing, cell);
            }
        }
        missing
    }

    /// Sets the second part of `self.row`; returns whether the row is to be dropped, or the
    /// ordering column that is not all numbers.
    fn read_by<'c>(
        &mut self,
        number: u64,
        cell: &impl Fn(usize) -> Cell<'c>,
    ) -> Result<bool, usize> {
        let plan = self.plan;
        let mut missing = false;
        for (k, &column) in plan.by.iter().enumerate() {
            let cell_at = cell(column);
            let as_text = matches!(self.by[k], ByColumn::Texts(..));
            match cell_at.number() {
                Ok(value) if as_text || !is_inexact(cell_at, value) => {
                    self.row[plan.numbers.len() + k] = value;
                }
                Ok(_) => return Err(k),
                Err(Fault::Missing) => missing |= self.fault(number, column, Fault::Missing, cell),
                Err(_) if as_text => {}
                Err(Fault::Text | Fault::Separators) => return Err(k),
                Err(fault) => missing |= self.fault(number, column, fault, cell),
            }
        }
        Ok(missing)
    }

    /// Notes a fault, unless it is a missing value of a row that is dropped: then `true`.
    fn fault<'c>(
        &mut self,
        number: u64,
        column: usize,
        fault: Fault,
        cell: &impl Fn(usize) -> Cell<'c>,
    ) -> bool {
        if fault == Fault::Missing && self.na_drop {
            return true;
        }
        let (plan, header, lines) = (self.plan, self.header, &self.lines);
        let help = match (fault, plan.table_key) {
            (Fault::Missing, Some(_)) => "every cell of a table has a value: fill it in",
            _ => fault.help(),
        };
        let help = Some(help.to_string());
        self.faults.add_with_help(fault.kind(), help, || {
            let others = plan.key.iter().filter(|key| **key != column);
            let key: Vec<String> =
                others.map(|&key| format!("{} = {}", header[key], cell(key).show())).collect();
            let branch = match key.is_empty() {
                true => String::new(),
                false => format!(", branch {}", key.join(", ")),
            };
            let place = lines.place_number(number);
            let (name, shown) = (&header[column], cell(column).show());
            match shown.trim().is_empty() {
                true => format!("{place}, column `{name}`{branch}: the cell is empty"),
                false => format!("{place}, column `{name}`{branch}: `{shown}` {}", fault.reason()),
            }
        });
        false
    }

    fn keep<'c>(&mut self, number: u64, cell: &impl Fn(usize) -> Cell<'c>) {
        match &mut self.keys {
            RowKeys::EachRow(keys) => keys.push(self.n_seen.to_string().as_bytes()),
            RowKeys::Columns(ids, interner) => ids.push(interner.intern(&self.key)),
        }
        for (column, &value) in self.numbers.iter_mut().zip(&self.row) {
            column.push(value);
        }
        for (labels, column) in self.labels.iter_mut().zip(&self.plan.labels) {
            labels.ids.push(match label_of(&mut self.key, column, cell) {
                true => labels.texts.intern(&self.key),
                false => NO_LABEL,
            });
        }
        for (k, by) in self.by.iter_mut().enumerate() {
            match by {
                ByColumn::Numbers(values) => values.push(self.row[self.numbers.len() + k]),
                ByColumn::Texts(ids, interner) => {
                    ids.push(interner.intern(&cell(self.plan.by[k]).text()));
                }
            }
        }
        self.lines.push(number);
        self.n_rows += 1;
    }

    /// The table of the rows taken, or what is wrong with their cells.
    pub(super) fn finish(mut self) -> Result<Table, DataError> {
        if let Some(error) = std::mem::take(&mut self.faults).into_error() {
            return Err(error);
        }
        let by = self.by.into_iter().map(|by| match by {
            ByColumn::Numbers(values) => values,
            ByColumn::Texts(ids, interner) => text_ranks(&ids, &interner),
        });
        Ok(Table {
            n_rows: self.n_rows,
            lines: self.lines,
            keys: self.keys,
            by: by.collect(),
            numbers: self.numbers,
            compared: self.compared,
            labels: self.labels,
            n_dropped: self.n_dropped,
        })
    }
}

/// The number that a cell gives to a column.
fn read_number(column: &NumberColumn, cell: Cell<'_>) -> Result<f64, Fault> {
    let NumberColumn { whole, read, .. } = column;
    let value = cell.number();
    match if *whole { value.and_then(check_whole) } else { value } {
        Err(Fault::Missing) if *read == Read::NumberOrEmpty => Ok(f64::NAN),
        value => value,
    }
}

/// The texts of a column before any row: the one wanted, if it is compared.
fn wanted_alone(column: &NumberColumn) -> Interner {
    let mut texts = Interner::default();
    if let Read::Equals(wanted) | Read::EqualsOrEmpty(wanted) = &column.read {
        texts.intern(level_text(wanted.as_bytes()));
    }
    texts
}

/// The number of a cell's text; 0 is the text wanted.
fn compare(texts: &mut Interner, cell: Cell<'_>) -> Result<f64, Fault> {
    let text = cell.text();
    let text = level_text(&text);
    match texts.get(0) == text {
        true => Ok(0.0),
        false if cell.is_empty(false) => Err(Fault::Missing),
        false => Ok(f64::from(texts.intern(text))),
    }
}

/// Writes the components of a row's label to `text`; `false` where a cell has no text.
fn label_of<'c>(
    text: &mut Vec<u8>,
    column: &LabelColumn,
    cell: &impl Fn(usize) -> Cell<'c>,
) -> bool {
    text.clear();
    for &at in &column.columns {
        if cell(at).is_empty(column.na_is_text) {
            return false;
        }
        push_component(text, level_text(&cell(at).text()));
    }
    true
}

/// Whole numbers so long that different ones read as the same `f64`.
fn is_inexact(cell: Cell<'_>, value: f64) -> bool {
    let integer = |text| is_canonical_integer(trim(text));
    value.abs() >= MAX_WHOLE && matches!(cell, Cell::Text(text) if integer(text))
}

fn text_ranks(ids: &[u32], interner: &Interner) -> Vec<f64> {
    let texts: Vec<&[u8]> = (0..interner.len() as u32).map(|id| interner.get(id)).collect();
    let (ranks, _) = rank(&texts, 1, Numeric::Integers);
    ids.iter().map(|&id| f64::from(ranks[id as usize])).collect()
}

/// The distinct keys, `n_components` texts each.
pub(super) fn key_texts(interner: &Interner) -> Vec<&[u8]> {
    (0..interner.len() as u32).flat_map(|id| components(interner.get(id))).collect()
}
