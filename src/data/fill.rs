//! Lays out the values of all data that are read from columns.

use std::sync::Arc;

use super::bind::Read;
use super::bound::BoundData;
use super::error::{DataError, DataErrorKind, Places, show_number, show_text};
use super::keys::Interner;
use super::levels::{Levels, Numbers};
use super::lines::Lines;
use super::load::{Labels, Table};
use super::names::nearest;
use super::plan::{File, Plans, Slot};
use crate::schema::{Datum, Numbered, Origin};

/// Messages list no more texts of a column than this.
const MAX_TEXTS: usize = 8;

/// The columns of one file that are still wanted.
struct Columns {
    numbers: Vec<Vec<f64>>,
    /// How many data are still to be read from each of `numbers`.
    uses: Vec<usize>,
    /// The distinct texts of those columns that are compared with a text.
    compared: Vec<Interner>,
    labels: Vec<Labels>,
}

impl Columns {
    fn of(table: Table, data: &[Vec<Slot>]) -> Columns {
        let mut uses = vec![0; table.numbers.len()];
        for slot in data.iter().flatten() {
            if let Slot::Number(k) = slot {
                uses[*k] += 1;
            }
        }
        Columns { numbers: table.numbers, uses, compared: table.compared, labels: table.labels }
    }

    /// A column as read; the last use of a column takes its memory.
    fn number(&mut self, slot: usize) -> Vec<f64> {
        self.uses[slot] -= 1;
        match self.uses[slot] {
            0 => std::mem::take(&mut self.numbers[slot]),
            _ => self.numbers[slot].clone(),
        }
    }
}

/// Lays out the values of all data that are read from columns. Of a few rows for a fit, `few`, none
/// need read as a text that they are compared with.
pub(super) fn fill(
    bound: &mut BoundData,
    plans: &Plans,
    read: Read,
    few: bool,
) -> Result<(), DataError> {
    let mut rows = Columns::of(read.rows, &plans.rows.data);
    let mut branches = read
        .branches
        .zip(plans.branches.as_ref())
        .map(|(table, plan)| Columns::of(table, &plan.data));
    let tables = read.tables.into_iter().zip(&plans.tables);
    let mut tables: Vec<Columns> =
        tables.map(|(table, plan)| Columns::of(table, &plan.data)).collect();
    for position in 0..bound.schema.data.len() {
        let Some(file) = plans.homes[position] else { continue };
        let columns = match file {
            File::Rows => &mut rows,
            File::Branches => branches.as_mut().expect("no datum lies in a file not given"),
            File::Table(k) => &mut tables[k],
        };
        let mut read = Vec::new();
        let mut compared = None;
        for slot in plans.slots(position) {
            let column = match *slot {
                Slot::Number(slot) => {
                    let column = columns.number(slot);
                    if matches!(bound.schema.data[position].origin, Origin::Equals { .. }) {
                        if !few {
                            let texts = &columns.compared[slot];
                            bound.check_compared(position, file, &column, texts)?;
                        }
                        compared = Some(slot);
                    }
                    column
                }
                Slot::Label(slot) => bound.numbered(position, file, &columns.labels[slot])?,
            };
            read.push(arrange(column, bound.order(file)));
        }
        let texts = compared.map(|slot| &columns.compared[slot]);
        let datum = &bound.schema.data[position];
        let values = match (file, datum.per_row) {
            (File::Rows, false) => per_branch(bound, position, &read, texts)?,
            _ => side_by_side(read),
        };
        let values = match texts {
            Some(_) => values.into_iter().map(is_wanted).collect(),
            None => values,
        };
        bound.values[position] = Some(Arc::new(values));
    }
    Ok(())
}

impl BoundData {
    /// The row as read behind each row, branch or key of a file; none where they are in order.
    fn order(&self, file: File) -> Option<&[u32]> {
        match file {
            File::Rows => self.grouping.order.as_deref(),
            File::Branches => self.grouping.listed.as_ref().map(|listed| listed.rows.as_slice()),
            File::Table(k) => Some(&self.tables[k].rows),
        }
    }

    fn lines(&self, file: File) -> &Lines {
        match (file, &self.grouping.listed) {
            (File::Branches, Some(listed)) => &listed.lines,
            (File::Table(k), _) => &self.tables[k].lines,
            _ => &self.grouping.lines,
        }
    }

    /// Reports a text that no cell of the column has with which it is compared.
    fn check_compared(
        &self,
        datum: usize,
        file: File,
        column: &[f64],
        texts: &Interner,
    ) -> Result<(), DataError> {
        // What all cells of other data read is no matter of these.
        if column.is_empty() || column.contains(&0.0) || self.basis.is_some() {
            return Ok(());
        }
        let shown = |id: u32| show_text(texts.get(id));
        let others: Vec<String> = (1..texts.len() as u32).take(MAX_TEXTS).map(shown).collect();
        let near = nearest(&shown(0), others.iter().map(String::as_str));
        let first = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
        let listed: Vec<String> = others.iter().map(|text| format!("`{text}`")).collect();
        let dots = if texts.len() - 1 > MAX_TEXTS { ", …" } else { "" };
        let (name, source) = (&self.columns[datum][0], self.lines(file).source());
        let message = format!("no cell of column `{name}` of {source} reads `{}`", shown(0));
        let help = format!("{first}Its cells read {}{dots}", listed.join(", "));
        let span = self.schema.data[datum].span;
        Err(DataError::new(DataErrorKind::UnknownLevel, message).help(help).at(span))
    }

    /// The numbers, in order of reading, that a column of texts stands for.
    fn numbered(&self, datum: usize, file: File, labels: &Labels) -> Result<Vec<f64>, DataError> {
        let datum = &self.schema.data[datum];
        let (levels, of): (&Levels, Numbers) = match datum.numbered {
            Some(Numbered::Factor(k)) => {
                (&self.factors[k], Numbers::Factor(&self.schema.factors[k]))
            }
            Some(Numbered::Table(k)) => {
                let table = &self.tables[k];
                (&table.keys, Numbers::Table(&self.schema.tables[k], &table.source))
            }
            None => unreachable!("texts are read for what is numbered"),
        };
        levels.numbers(labels, self.lines(file), of, datum.span)
    }
}

/// 1 for the number of the text wanted, else 0; NaN where a cell is empty.
fn is_wanted(text: f64) -> f64 {
    if text.is_nan() { text } else { f64::from(text == 0.0) }
}

fn arrange(column: Vec<f64>, order: Option<&[u32]>) -> Vec<f64> {
    match order {
        Some(order) => order.iter().map(|&row| column[row as usize]).collect(),
        None => column,
    }
}

/// Columns side by side, row after row.
fn side_by_side(mut columns: Vec<Vec<f64>>) -> Vec<f64> {
    if columns.len() == 1 {
        return columns.remove(0);
    }
    let n_rows = columns.first().map_or(0, Vec::len);
    let mut values = Vec::with_capacity(n_rows * columns.len());
    for row in 0..n_rows {
        values.extend(columns.iter().map(|column| column[row]));
    }
    values
}

/// The value of each branch; its rows must agree.
fn per_branch(
    bound: &BoundData,
    position: usize,
    columns: &[Vec<f64>],
    texts: Option<&Interner>,
) -> Result<Vec<f64>, DataError> {
    let datum = &bound.schema.data[position];
    let grouping = &bound.grouping;
    let mut values = Vec::with_capacity(grouping.n_branches() * columns.len());
    let mut places = Places::default();
    for branch in 0..grouping.n_branches() {
        let rows = grouping.rows(branch);
        for (column, name) in columns.iter().zip(&bound.columns[position]) {
            let column = &column[rows.clone()];
            let Some(&first) = column.first() else {
                if !datum.may_be_missing {
                    let help = Some(rowless_help(bound, datum));
                    places.add_with_help(DataErrorKind::MissingValue, help, || {
                        rowless_text(bound, branch, name)
                    });
                }
                values.push(f64::NAN);
                continue;
            };
            values.push(first);
            let is_other = |value: &f64| match texts {
                Some(_) => differs(is_wanted(*value), is_wanted(first)),
                None => differs(*value, first),
            };
            if let Some(other) = column.iter().position(is_other) {
                let pair = [rows.start, rows.start + other];
                let help = Some(varies_help(datum));
                places.add_with_help(DataErrorKind::VariesInBranch, help, || {
                    let shown = [first, column[other]].map(|value| show_value(value, texts));
                    varies_text(bound, branch, name, pair, shown)
                });
            }
        }
    }
    places.into_error().map_or(Ok(values), |error| Err(error.at(datum.span)))
}

/// Whether two cells say different things; empty ones say the same.
fn differs(a: f64, b: f64) -> bool {
    a != b && !(a.is_nan() && b.is_nan())
}

fn rowless_text(bound: &BoundData, branch: usize, column: &str) -> String {
    let grouping = &bound.grouping;
    let (place, label) = (grouping.place_of(branch), grouping.label(branch));
    let file = grouping.lines.source();
    format!("{place}: branch {label} has no rows in {file}, and so no value of column `{column}`")
}

fn rowless_help(bound: &BoundData, datum: &Datum) -> String {
    let file = bound.grouping.listed.as_ref().map_or("", |listed| listed.lines.source());
    format!("`{}` is one value per branch: give its column in {file}", datum.name)
}

/// A value as the file has it.
fn show_value(value: f64, texts: Option<&Interner>) -> String {
    match texts {
        _ if value.is_nan() => "empty".to_string(),
        Some(texts) => format!("`{}`", show_text(texts.get(value as u32))),
        None => show_number(value),
    }
}

fn varies_text(
    bound: &BoundData,
    branch: usize,
    name: &str,
    pair: [usize; 2],
    [a, b]: [String; 2],
) -> String {
    let grouping = &bound.grouping;
    let [first, second] = pair.map(|row| grouping.as_read(row));
    format!(
        "{}: column `{name}` varies within branch {}: it is {a} here and {b} in {}",
        grouping.lines.place(first),
        grouping.label(branch),
        grouping.lines.short(second)
    )
}

fn varies_help(datum: &Datum) -> String {
    let name = &datum.name;
    format!(
        "`{} {name}` is one value per branch: declare `vector[N] {name}` for one per row, \
         or take its `mean` or `sum` per branch",
        datum.type_text
    )
}
