//! The rows of a branch as an encoder reads them: every datum that reaches a local or an outcome,
//! outcomes included, one number a column.
//!
//! Which columns there are follows from the model alone, so that a guide that was fitted to
//! one data set reads another.

use crate::data::BoundData;
use crate::ir::op::{Function, InputKind};
use crate::schema::{Bound, Datum, Numbered, Origin};
use crate::target::RowColumn;
use crate::ty::{Element, Level};

/// Whole numbers from one to at most this many are levels; more are a quantity.
const MAX_PLAIN_LEVELS: usize = 8;

/// Where the columns lie in the data.
#[derive(Clone, Debug, Default)]
pub struct RowFeatures {
    /// What each column is.
    pub columns: Vec<RowColumn>,
    sources: Vec<Source>,
}

/// Where one column lies.
#[derive(Clone, Debug)]
enum Source {
    /// An element of a datum of rows, or of the branch.
    Own(Cell),
    /// An element of the row of a table that an index of the row names.
    Table { index: Cell, column: Cell },
    /// The row's place among those of its branch, which are in order.
    Place,
}

/// An element of each unit of a datum.
#[derive(Clone, Copy, Debug)]
struct Cell {
    datum: usize,
    at: usize,
    /// Elements of a unit.
    inner: usize,
    per_row: bool,
    /// Subtracted: one for numbers of levels.
    base: f64,
    /// The datum that says which values are there.
    observed: Option<usize>,
}

impl Cell {
    fn of_unit(&self, data: &BoundData, unit: usize) -> f64 {
        let place = unit * self.inner + self.at;
        match self.observed {
            Some(observed) if data.values(observed)[place] == 0.0 => f64::NAN,
            _ => data.values(self.datum)[place] - self.base,
        }
    }

    fn value(&self, data: &BoundData, branch: usize, row: usize) -> f64 {
        self.of_unit(data, if self.per_row { row } else { branch })
    }
}

impl RowFeatures {
    /// The columns of the data that `density` reads. Which cells of `hidden` data are there is no
    /// column of its own: the fit had none.
    pub fn new(density: &Function, data: &BoundData, hidden: &[String]) -> RowFeatures {
        let mut read: Vec<usize> = density
            .inputs
            .iter()
            .filter_map(|input| match input.kind {
                InputKind::Datum(k) => Some(k),
                _ => None,
            })
            .collect();
        read.sort_unstable();
        read.dedup();
        let schema = data.schema();
        let mut features = RowFeatures::default();
        for &k in &read {
            let datum = &schema.data[k];
            let is_of_branch = datum.per_row || datum.level == Level::Branch;
            let is_hidden = match datum.origin {
                Origin::Observed(of) => hidden.contains(&schema.data[of].name),
                _ => false,
            };
            if is_of_branch && !is_hidden && !matches!(datum.origin, Origin::Levels(_)) {
                for at in 0..data.inner(k) {
                    features.push(element(k, at, data), datum, &read, data);
                }
            }
        }
        let rows = schema.rows.as_ref();
        if rows.is_some_and(|rows| !rows.by.is_empty()) && !features.columns.is_empty() {
            features.columns.push(RowColumn::Number);
            features.sources.push(Source::Place);
        }
        features
    }

    fn push(&mut self, own: Cell, datum: &Datum, read: &[usize], data: &BoundData) {
        if let Some(Numbered::Table(table)) = datum.numbered {
            let columns: Vec<Source> = read
                .iter()
                .filter(|&&k| data.schema().data[k].table == Some(table))
                .flat_map(|&k| (0..data.inner(k)).map(move |at| element(k, at, data)))
                .map(|column| Source::Table { index: Cell { base: 1.0, ..own }, column })
                .collect();
            if !columns.is_empty() {
                for source in columns {
                    let Source::Table { column, .. } = &source else { continue };
                    self.columns.push(quantity(column, &data.schema().data[column.datum], data));
                    self.sources.push(source);
                }
                return;
            }
        }
        let n_levels = n_levels(&own, datum, data);
        let (column, base) = match n_levels {
            Some(n_levels) => (RowColumn::Level(n_levels), 1.0),
            None => (quantity(&own, datum, data), 0.0),
        };
        self.columns.push(column);
        self.sources.push(Source::Own(Cell { base, ..own }));
    }

    /// Sets `out` to the rows, one after another, for which `is_kept`; NaN where a cell is
    /// empty.
    pub fn rows(
        &self,
        data: &BoundData,
        branch: usize,
        is_kept: impl Fn(usize) -> bool,
        out: &mut Vec<f64>,
    ) {
        out.clear();
        let rows = data.rows(branch);
        let (start, n_rows) = (rows.start, rows.len() as f64);
        for row in rows.filter(|&row| is_kept(row)) {
            out.extend(self.sources.iter().map(|source| match source {
                Source::Own(own) => own.value(data, branch, row),
                Source::Table { index, column } => {
                    column.of_unit(data, index.value(data, branch, row) as usize)
                }
                Source::Place => (row - start + 1) as f64 / n_rows,
            }));
        }
    }
}

fn element(k: usize, at: usize, data: &BoundData) -> Cell {
    let schema = data.schema();
    let is_mask = |datum: &Datum| datum.origin == Origin::Observed(k);
    let observed = schema.data.iter().position(is_mask).filter(|&o| !data.values(o).is_empty());
    let per_row = schema.data[k].per_row;
    Cell { datum: k, at, inner: data.inner(k), per_row, base: 0.0, observed }
}

/// The number of levels of a column that counts them.
fn n_levels(own: &Cell, datum: &Datum, data: &BoundData) -> Option<usize> {
    let schema = data.schema();
    match datum.numbered {
        Some(Numbered::Factor(k)) => return Some(data.levels(&schema.factors[k].name).len()),
        Some(Numbered::Table(k)) => return Some(data.levels(&schema.tables[k].name).len()),
        None => {}
    }
    let from_one = datum.element == Element::Int
        && datum.lower == Some(Bound::Number(1.0))
        && datum.upper.is_some();
    let largest = match datum.upper {
        Some(Bound::Number(upper)) => upper,
        _ => column(own, data).fold(0.0, f64::max),
    };
    (from_one && largest <= MAX_PLAIN_LEVELS as f64).then_some(largest as usize)
}

/// What a column of numbers is that stand for themselves.
fn quantity(own: &Cell, datum: &Datum, data: &BoundData) -> RowColumn {
    let is_count = datum.element == Element::Int
        && matches!(datum.lower, Some(Bound::Number(lower)) if lower >= 0.0);
    if column(own, data).all(|value| value == 0.0 || value == 1.0) {
        RowColumn::Flag
    } else if is_count {
        RowColumn::Count
    } else {
        RowColumn::Number
    }
}

fn column<'a>(own: &Cell, data: &'a BoundData) -> impl Iterator<Item = f64> + 'a {
    data.values(own.datum).iter().skip(own.at).step_by(own.inner).copied()
}
