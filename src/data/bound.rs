//! Data that fit a model: rows grouped by branch, every value checked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::basis::Basis;
use super::error::{DataError, DataErrorKind};
use super::group::Grouping;
use super::levels::Levels;
use super::lines::Lines;
use super::plan::File;
use super::provenance::Provenance;
use super::set::SetValue;
use crate::schema::{Datum, Numbered, Origin, Schema};
use crate::ty::{Element, Level, Size, SizeAtom};

/// A data set bound to a model.
///
/// Branches are in the order of their keys. Bound rows are numbered through: those of the first
/// branch, then those of the second, and so on; within a branch in file order, or as
/// `rows … by` says. Clones share the columns.
#[derive(Clone, Debug)]
pub struct BoundData {
    pub(super) schema: Schema,
    pub(super) grouping: Arc<Grouping>,
    /// For each datum its values, once they are known.
    pub(super) values: Vec<Option<Arc<Vec<f64>>>>,
    /// For each datum whose cells may be empty 1 for each value that is there, else 0.
    pub(super) present: Vec<Option<Arc<Vec<f64>>>>,
    /// For each datum how many numbers there are in each of its units (whole, branch or row).
    pub(super) inner: Vec<usize>,
    /// For each datum the columns it was read from.
    pub(super) columns: Vec<Vec<String>>,
    /// For each datum the file it was read from.
    pub(super) homes: Vec<Option<File>>,
    pub(super) factors: Vec<Arc<Levels>>,
    pub(super) tables: Vec<Arc<BoundTable>>,
    pub(super) settings: BTreeMap<String, SetValue>,
    /// Of data of branches a value that a fit saw, by name: it stands in empty cells if all are.
    pub(super) usual: Arc<BTreeMap<String, f64>>,
    /// Where they were read.
    pub(super) provenance: Arc<Provenance>,
    /// For each branch how many rows say something of it, where that is not all.
    pub(super) informed: Option<Arc<Vec<usize>>>,
    pub(super) n_dropped: usize,
    /// What whole data are made of, where that is other data.
    pub(super) basis: Option<Arc<Basis>>,
}

/// A table, its rows in the order of its keys.
#[derive(Debug)]
pub(super) struct BoundTable {
    pub(super) keys: Levels,
    /// The row as read of each key.
    pub(super) rows: Vec<u32>,
    pub(super) lines: Lines,
    /// The file, as messages name it.
    pub(super) source: String,
}

/// What `hbdc data` shows of a factor or a table.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelsSummary {
    /// Its name.
    pub name: String,
    /// The columns that are numbered, of a table its key.
    pub columns: Vec<String>,
    /// The file of a table; none for a factor.
    pub table: Option<String>,
    /// Each level in order, and how many cells hold it.
    pub levels: Vec<(String, usize)>,
}

/// What `hbdc data` shows of a datum.
#[derive(Clone, Debug, PartialEq)]
pub struct DatumSummary {
    /// Its name.
    pub name: String,
    /// The declared type in the author's words.
    pub type_text: String,
    /// One for the whole data set, or one per branch or row.
    pub level: Level,
    /// Whether there is one per row.
    pub per_row: bool,
    /// The columns it was read from; none if it was set or computed.
    pub columns: Vec<String>,
    /// The file it was read from, if it was.
    pub file: Option<String>,
    /// How many of its cells are empty.
    pub n_missing: usize,
    /// How many numbers it has in all.
    pub n_values: usize,
    /// The smallest and the largest, if it has any.
    pub range: Option<(f64, f64)>,
}

impl DatumSummary {
    /// Whether it has one value (or row of values) for each branch.
    pub fn is_per_branch(&self) -> bool {
        self.level == Level::Branch
    }
}

impl BoundData {
    /// Nothing is known yet but the schema.
    pub(super) fn before_reading(schema: &Schema, source: &str) -> BoundData {
        let n = schema.data.len();
        BoundData {
            schema: schema.clone(),
            grouping: Arc::new(Grouping::empty(source)),
            values: vec![None; n],
            present: vec![None; n],
            inner: vec![0; n],
            columns: vec![Vec::new(); n],
            homes: vec![None; n],
            factors: Vec::new(),
            tables: Vec::new(),
            settings: BTreeMap::new(),
            usual: Arc::default(),
            basis: None,
            provenance: Arc::default(),
            informed: None,
            n_dropped: 0,
        }
    }

    /// The files that the data were read from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The number of rows of a branch of which an outcome is known.
    pub fn n_informed_rows(&self, branch: usize) -> usize {
        match &self.informed {
            Some(informed) => informed[branch],
            None => self.rows(branch).len(),
        }
    }

    /// Says how many rows of each branch have an outcome that is known.
    pub(crate) fn set_informed_rows(&mut self, informed: Vec<usize>) {
        self.informed = Some(Arc::new(informed));
    }

    /// Number of branches.
    pub fn n_branches(&self) -> usize {
        self.grouping.n_branches()
    }

    /// Number of rows of all branches.
    pub fn n_rows_total(&self) -> usize {
        self.grouping.n_rows()
    }

    /// The bound rows of a branch.
    pub fn rows(&self, branch: usize) -> Range<usize> {
        self.grouping.rows(branch)
    }

    /// The number of rows of the branch that has most.
    pub fn max_rows(&self) -> usize {
        self.grouping.offsets.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }

    /// The names of the components of a branch's key; `row` where each row is a branch.
    pub fn key_columns(&self) -> &[String] {
        &self.grouping.key_columns
    }

    /// The components of a branch's key, as text.
    pub fn key(&self, branch: usize) -> Vec<&str> {
        self.grouping.keys.get(branch)
    }

    /// A branch as messages name it: `school = B`.
    pub fn branch_label(&self, branch: usize) -> String {
        self.grouping.label(branch)
    }

    /// The line of the file on which a bound row begins, the header being line 1; of a file that
    /// has no lines the number of the row, from 1.
    pub fn line(&self, row: usize) -> Option<u64> {
        self.grouping.lines.line(self.grouping.as_read(row))
    }

    /// A bound row as messages name it: `obs.csv:7`.
    pub fn place(&self, row: usize) -> String {
        self.grouping.lines.place(self.grouping.as_read(row))
    }

    /// The file, as messages name it.
    pub fn source_name(&self) -> &str {
        self.grouping.lines.source()
    }

    /// How many rows were dropped because a value was missing.
    pub fn n_dropped(&self) -> usize {
        self.n_dropped
    }

    /// The schema that the data were bound to.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The position of the datum of this name in the schema.
    pub fn schema_position(&self, name: &str) -> Option<usize> {
        self.schema.data.iter().position(|datum| datum.name == name)
    }

    /// The numbers of a datum, by its position in the schema: one unit after another, each
    /// row-major. Units are bound rows if it is per row, else branches, rows of its table in the
    /// order of the keys, or the one whole.
    /// Empty for derived data that were not computed yet.
    pub fn values(&self, datum: usize) -> &[f64] {
        self.values[datum].as_ref().map_or(&[], |values| values.as_slice())
    }

    /// How many numbers each unit of a datum has: the product of its dimensions but the rows of
    /// the branch or table.
    pub fn inner(&self, datum: usize) -> usize {
        self.inner[datum]
    }

    /// Where the values of a branch lie among those of a datum of rows or branches.
    pub(crate) fn places(&self, datum: usize, branch: usize) -> Range<usize> {
        let units = match self.schema().data[datum].per_row {
            true => self.rows(branch),
            false => branch..branch + 1,
        };
        units.start * self.inner[datum]..units.end * self.inner[datum]
    }

    /// The columns that a datum was read from.
    pub fn columns(&self, datum: usize) -> &[String] {
        &self.columns[datum]
    }

    /// The levels of a factor, or the keys of a table, in the order of their numbers. Empty if
    /// there is no such.
    pub fn levels(&self, name: &str) -> &[String] {
        self.find_levels(name).map_or(&[], Levels::names)
    }

    /// Gives the data that are numbers of levels their values.
    pub(super) fn count_levels(&mut self) {
        for (position, datum) in self.schema.data.iter().enumerate() {
            let n_levels = match datum.origin {
                Origin::Levels(Numbered::Factor(k)) => self.factors[k].len(),
                Origin::Levels(Numbered::Table(k)) => self.tables[k].keys.len(),
                _ => continue,
            };
            self.inner[position] = 1;
            self.values[position] = Some(Arc::new(vec![n_levels as f64]));
        }
    }

    fn find_levels(&self, name: &str) -> Option<&Levels> {
        let factor = self.schema.factors.iter().position(|factor| factor.name == name);
        if let Some(levels) = factor.and_then(|k| self.factors.get(k)) {
            return Some(levels);
        }
        let table = self.schema.tables.iter().position(|table| table.name == name);
        table.and_then(|k| self.tables.get(k)).map(|table| &table.keys)
    }

    /// The value of a whole-data `int`, and of `size(f)` of a factor or table by that name; none
    /// if there is no such, or it is still to be computed.
    pub fn whole_int(&self, name: &str) -> Option<i64> {
        let is_it = |datum: &Datum| {
            let scalar = datum.dims.is_empty() && datum.element == Element::Int;
            datum.name == name && datum.level == Level::Whole && scalar
        };
        let datum = self.schema.data.iter().position(is_it)?;
        self.values(datum).first().map(|&value| value as i64)
    }

    /// The value of `size` for a branch of `n_rows` rows. An error if it is negative, beyond
    /// what can be counted, or depends on what is not known yet.
    pub fn size(&self, size: &Size, n_rows: usize) -> Result<usize, DataError> {
        self.known_size(size, Some(n_rows))?.ok_or_else(|| {
            let message = format!("the size `{size}` depends on data that are not known yet");
            DataError::new(DataErrorKind::Size, message)
        })
    }

    /// The same; none if it depends on what is not known.
    pub(super) fn known_size(
        &self,
        size: &Size,
        n_rows: Option<usize>,
    ) -> Result<Option<usize>, DataError> {
        let mut known = true;
        let value = size.evaluate(&mut |atom| {
            let value = match atom {
                SizeAtom::Rows(_) => n_rows.and_then(|n| i64::try_from(n).ok()),
                SizeAtom::Datum(name) => self.whole_int(name),
                SizeAtom::AllRows => i64::try_from(self.n_rows_of_whole()).ok(),
                SizeAtom::Branches => i64::try_from(self.n_branches_of_whole()).ok(),
                SizeAtom::StrictTriangle(_) => unreachable!("sizes evaluate their parts"),
            };
            known &= value.is_some();
            value.unwrap_or(0)
        });
        if !known {
            return Ok(None);
        }
        match value.map(usize::try_from) {
            Some(Ok(size)) => Ok(Some(size)),
            Some(Err(_)) => Err(bad_size(size, "negative", value)),
            None => Err(bad_size(size, "too large to count", None)),
        }
    }

    /// How many units a datum has: rows, branches, rows of its table, or the one whole.
    pub(super) fn n_units(&self, datum: usize) -> usize {
        let datum = &self.schema.data[datum];
        match (datum.per_row, datum.level, datum.table) {
            (true, ..) => self.n_rows_total(),
            (false, Level::Branch, _) => self.n_branches(),
            (false, Level::Whole, Some(k)) => self.tables[k].keys.len(),
            (false, Level::Whole, None) => 1,
        }
    }

    /// What `hbdc data` shows of each factor and table, in order of declaration.
    pub fn levels_summary(&self) -> Vec<LevelsSummary> {
        let levels = |levels: &Levels| -> Vec<(String, usize)> {
            levels.names().iter().cloned().zip(levels.counts().iter().copied()).collect()
        };
        let factors = self.schema.factors.iter().zip(&self.factors).map(|(factor, own)| {
            let (name, columns) = (factor.name.clone(), factor.columns.clone());
            LevelsSummary { name, columns, table: None, levels: levels(own) }
        });
        let tables = self.schema.tables.iter().zip(&self.tables).map(|(table, own)| {
            let (name, columns) = (table.name.clone(), vec![table.key.clone()]);
            LevelsSummary {
                name,
                columns,
                table: Some(own.source.clone()),
                levels: levels(&own.keys),
            }
        });
        factors.chain(tables).collect()
    }

    /// The file that lists the branches, if there is one.
    pub fn branches_source_name(&self) -> Option<&str> {
        self.grouping.listed.as_ref().map(|listed| listed.lines.source())
    }

    fn file_name(&self, file: File) -> String {
        match file {
            File::Rows => self.source_name().to_string(),
            File::Branches => self.branches_source_name().unwrap_or_default().to_string(),
            File::Table(k) => self.tables[k].source.clone(),
        }
    }

    /// What `hbdc data` shows of each datum, in order of declaration.
    pub fn summary(&self) -> Vec<DatumSummary> {
        let is_hidden = |k: &usize| {
            let origin = &self.schema.data[*k].origin;
            matches!(origin, Origin::Observed(_) | Origin::Standardized(_) | Origin::Levels(_))
        };
        let shown = (0..self.schema.data.len()).filter(|datum| !is_hidden(datum));
        shown.map(|datum| self.summarize(datum)).collect()
    }

    fn summarize(&self, datum: usize) -> DatumSummary {
        let declared = &self.schema.data[datum];
        let values = self.values(datum);
        let extremes = |(low, high): (f64, f64), &value: &f64| (low.min(value), high.max(value));
        let range = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), extremes);
        DatumSummary {
            name: declared.name.clone(),
            type_text: declared.type_text.clone(),
            level: declared.level,
            per_row: declared.per_row,
            columns: self.columns[datum].clone(),
            file: self.homes[datum].map(|file| self.file_name(file)),
            n_missing: self.n_missing(datum),
            n_values: values.len(),
            range: (!values.is_empty()).then_some(range),
        }
    }

    /// A hash of the content: keys, rows per branch and all values. The same on every machine,
    /// and for any order of branches in the file.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Fnv::default();
        self.key_columns().iter().for_each(|name| hash.text(name));
        for branch in 0..self.n_branches() {
            hash.word(self.rows(branch).len() as u64);
            self.key(branch).into_iter().for_each(|text| hash.text(text));
        }
        for (_, levels) in self.levels_summary().into_iter().map(|s| (s.name, s.levels)) {
            hash.word(levels.len() as u64);
            levels.iter().for_each(|(level, _)| hash.text(level));
        }
        for (position, datum) in self.schema.data.iter().enumerate() {
            hash.text(&datum.name);
            let values = self.values(position);
            hash.word(values.len() as u64);
            values.iter().for_each(|value| hash.word(value.to_bits()));
        }
        hash.0
    }
}

fn bad_size(size: &Size, what: &str, value: Option<i64>) -> DataError {
    let shown = value.map_or_else(String::new, |value| format!(" ({value})"));
    DataError::new(DataErrorKind::Size, format!("the size `{size}` is {what}{shown}"))
        .help("check the whole data it is made of")
}

/// FNV-1a (Fowler, Noll and Vo) over 64-bit words, with the high half folded into the low one
/// after each product: the words of round numbers differ in their high bits only, and a
/// product carries nothing downwards.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn word(&mut self, word: u64) {
        let product = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        self.0 = product ^ (product >> 32);
    }

    fn text(&mut self, text: &str) {
        self.word(text.len() as u64);
        text.bytes().for_each(|byte| self.word(u64::from(byte)));
    }
}
