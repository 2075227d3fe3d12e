//! The files of a data set again, with drawn values in the columns they belong to.
//!
//! Every other cell keeps its text and rows keep their order, so that what is written binds
//! wherever the files did. Rows that were dropped are left out; a drawn column that a file does
//! not have comes last.

use super::bound::BoundData;
use super::dataset::Dataset;
use super::error::DataError;
use super::lines::Lines;
use super::names::matches;
use super::plan::File;
use super::source::Source;
use crate::schema::Origin;
use crate::ty::Element;

/// A column with what its cells now say, one for each row as read.
struct Rewritten {
    name: String,
    cells: Vec<Says>,
}

/// What a new cell says.
enum Says {
    This(String),
    /// Anything but the text with which a datum `from "column" == "text"` compares its cells.
    NotThis(String),
}

impl Dataset {
    /// The file of rows as CSV, with the values that `bound` has for the data at the places
    /// `drawn` of its schema.
    ///
    /// # Errors
    /// When the file cannot be read again.
    pub(crate) fn rewrite_rows(
        &self,
        bound: &BoundData,
        drawn: &[usize],
    ) -> Result<Vec<u8>, DataError> {
        let grouping = &bound.grouping;
        let rows = in_order_of_reading(bound.n_rows_total(), |row| grouping.as_read(row));
        let branches: Vec<usize> = rows.iter().map(|&row| grouping.branch_of(row)).collect();
        let mut columns = Vec::new();
        for &datum in drawn.iter().filter(|&&datum| self.home(bound, datum) == File::Rows) {
            let units = if bound.schema.data[datum].per_row { &rows } else { &branches };
            columns.extend(self.rewritten(bound, datum, units));
        }
        rewrite(&self.rows, &grouping.lines, columns)
    }

    /// The same of the file of branches; none if nothing that was drawn belongs there.
    ///
    /// # Errors
    /// When the file cannot be read again.
    pub(crate) fn rewrite_branches(
        &self,
        bound: &BoundData,
        drawn: &[usize],
    ) -> Result<Option<Vec<u8>>, DataError> {
        let (Some(source), Some(listed)) = (&self.branches, &bound.grouping.listed) else {
            return Ok(None);
        };
        let branches = in_order_of_reading(bound.n_branches(), |at| listed.rows[at] as usize);
        let own = drawn.iter().filter(|&&datum| self.home(bound, datum) == File::Branches);
        let columns: Vec<Rewritten> =
            own.flat_map(|&datum| self.rewritten(bound, datum, &branches)).collect();
        if columns.is_empty() {
            return Ok(None);
        }
        rewrite(source, &listed.lines, columns).map(Some)
    }

    /// The file that a drawn datum belongs to: one value per branch stands in that of branches,
    /// unless there is none or that of rows has the column.
    fn home(&self, bound: &BoundData, datum: usize) -> File {
        if bound.schema.data[datum].per_row || self.branches.is_none() {
            return File::Rows;
        }
        let in_rows =
            |pattern: &String| self.rows.header().iter().any(|name| matches(pattern, name));
        match patterns(bound, datum).iter().any(in_rows) {
            true => File::Rows,
            false => File::Branches,
        }
    }

    /// The columns of a drawn datum; `units` are the rows or branches behind the rows as read.
    fn rewritten(&self, bound: &BoundData, datum: usize, units: &[usize]) -> Vec<Rewritten> {
        let inner = bound.inner(datum);
        let says = |unit: usize, position: usize| {
            says(bound, datum, bound.values(datum)[unit * inner + position])
        };
        let names = self.column_names_of(bound, datum).into_iter().enumerate();
        let column = |(position, name)| {
            let cells = units.iter().map(|&unit| says(unit, position)).collect();
            Rewritten { name, cells }
        };
        names.map(column).collect()
    }

    /// The columns a drawn datum would be read from. A pattern that the file has no, or not
    /// enough columns for gives names with a number in its place.
    fn column_names_of(&self, bound: &BoundData, datum: usize) -> Vec<String> {
        let source = match (self.home(bound, datum), &self.branches) {
            (File::Branches, Some(branches)) => branches,
            _ => &self.rows,
        };
        let n = bound.inner(datum);
        let mut names: Vec<String> = Vec::new();
        let patterns = patterns(bound, datum);
        for pattern in patterns {
            let is_pattern = pattern.contains('*');
            let found = source.header().iter().filter(|name| matches(pattern, name));
            let found: Vec<String> = found.cloned().collect();
            names.extend(match is_pattern && (found.is_empty() || patterns.len() == 1) {
                true if found.len() != n => {
                    (1..=n).map(|k| pattern.replacen('*', &k.to_string(), 1)).collect()
                }
                _ if found.is_empty() => vec![pattern.clone()],
                _ => found,
            });
        }
        names.truncate(n);
        names
    }
}

/// The columns by name or pattern that a datum is declared to be read from.
fn patterns(bound: &BoundData, datum: usize) -> &[String] {
    match &bound.schema.data[datum].origin {
        Origin::Column(name) | Origin::Equals { column: name, .. } => std::slice::from_ref(name),
        Origin::Columns(names) => names,
        _ => &[],
    }
}

/// The units in the order in which their rows were read.
fn in_order_of_reading(n: usize, as_read: impl Fn(usize) -> usize) -> Vec<usize> {
    let mut units = vec![0; n];
    (0..n).for_each(|unit| units[as_read(unit)] = unit);
    units
}

fn says(bound: &BoundData, datum: usize, value: f64) -> Says {
    let declared = &bound.schema.data[datum];
    if let Origin::Equals { value: wanted, .. } = &declared.origin {
        let wanted = wanted.clone();
        return if value == 1.0 { Says::This(wanted) } else { Says::NotThis(wanted) };
    }
    let level = bound.level_name(datum, value).map(str::to_string);
    Says::This(level.unwrap_or_else(|| match declared.element {
        Element::Int => format!("{}", value as i64),
        Element::Real => format!("{value}"),
    }))
}

fn rewrite(source: &Source, lines: &Lines, columns: Vec<Rewritten>) -> Result<Vec<u8>, DataError> {
    let header = source.header();
    let place = |column: &Rewritten| header.iter().position(|name| *name == column.name);
    let places: Vec<Option<usize>> = columns.iter().map(place).collect();
    let others = other_texts(source, &columns, &places)?;
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let written = "writing to memory succeeds";
    let is_new = |place: &Option<usize>| place.is_none();
    let new = columns.iter().zip(&places).filter(|(_, place)| is_new(place));
    let names =
        header.iter().map(String::as_str).chain(new.map(|(column, _)| column.name.as_str()));
    writer.write_record(names).expect(written);
    let mut row = 0;
    source.for_each_row(&mut |number, cell| {
        // Rows that were dropped were not counted.
        if row >= lines.n_rows() || lines.number(row) != number {
            return;
        }
        let mut record: Vec<Vec<u8>> = (0..header.len()).map(|k| cell(k).raw().into()).collect();
        for ((column, place), other) in columns.iter().zip(&places).zip(&others) {
            let old = place.map(|place| cell(place).text().into_owned());
            let new = match (&column.cells[row], old) {
                (Says::This(text), _) => text.clone().into_bytes(),
                (Says::NotThis(text), Some(old)) if old != text.as_bytes() => old,
                (Says::NotThis(_), _) => other.clone(),
            };
            match place {
                Some(place) => record[*place] = new,
                None => record.push(new),
            }
        }
        writer.write_record(&record).expect(written);
        row += 1;
    })?;
    Ok(writer.into_inner().expect(written))
}

/// For each column that is compared with a text what its cells say otherwise: the first other
/// text that the file has, or `not` before the text.
fn other_texts(
    source: &Source,
    columns: &[Rewritten],
    places: &[Option<usize>],
) -> Result<Vec<Vec<u8>>, DataError> {
    let compared = |column: &Rewritten| {
        column.cells.iter().find_map(|cell| match cell {
            Says::NotThis(text) => Some(text.clone()),
            Says::This(_) => None,
        })
    };
    let compared: Vec<Option<String>> = columns.iter().map(compared).collect();
    let mut found: Vec<Option<Vec<u8>>> = vec![None; columns.len()];
    if compared.iter().any(Option::is_some) {
        source.for_each_row(&mut |_, cell| {
            for ((text, place), found) in compared.iter().zip(places).zip(&mut found) {
                let (Some(text), Some(place), None) = (text, place, &found) else { continue };
                let cell = cell(*place);
                if !cell.is_empty(false) && *cell.text() != *text.as_bytes() {
                    *found = Some(cell.text().into_owned());
                }
            }
        })?;
    }
    let or_not = |(found, text): (Option<Vec<u8>>, Option<String>)| {
        found.unwrap_or_else(|| format!("not {}", text.unwrap_or_default()).into_bytes())
    };
    Ok(found.into_iter().zip(compared).map(or_not).collect())
}
