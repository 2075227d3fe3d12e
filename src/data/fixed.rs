//! What new data take from the data of a fit: levels of factors, tables, settings, the means and
//! deviations of `standardize`, the columns of patterns, and whole data computed of all rows.
//!
//! New rows bound with these mean what they would have meant in the fit. They have branches and
//! rows of their own; a level that the fit did not know is an error.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::bound::{BoundData, BoundTable};
use super::dataset::Dataset;
use super::error::{DataError, DataErrorKind};
use super::group::Grouping;
use super::levels::{Levels, SavedLevels};
use super::lines::Lines;
use crate::schema::{Origin, Schema};
use crate::ty::Level;

/// What stays as it was in a fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fixed {
    /// Of each factor, in order of declaration.
    factors: Vec<SavedLevels>,
    /// Keys of each table, and the file that it was read from.
    tables: Vec<(SavedLevels, String)>,
    /// Whole data by name: settings, tables, counts of levels and what was computed of these or
    /// of all rows.
    whole: BTreeMap<String, Whole>,
    /// The columns of each datum that was read from some, by name.
    columns: BTreeMap<String, Vec<String>>,
    /// Mean and standard deviation of each column of a standardised datum, by name.
    scales: BTreeMap<String, Vec<(f64, f64)>>,
    /// Rows and branches that whole data are made of.
    n_rows: usize,
    n_branches: usize,
    /// A value of each datum of branches, by name.
    usual: BTreeMap<String, f64>,
    key_columns: Vec<String>,
}

/// One datum of the whole data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Whole {
    inner: usize,
    #[serde(with = "numbers")]
    values: Vec<f64>,
}

impl Fixed {
    /// What the data of a fit fix.
    pub fn of(data: &BoundData) -> Fixed {
        let basis = data.own_basis().expect("bound data were standardised before");
        let name = |k: usize| data.schema.data[k].name.clone();
        let named = || data.schema.data.iter().enumerate();
        let is_whole = |(_, datum): &(usize, &crate::schema::Datum)| datum.level == Level::Whole;
        let whole = named().filter(is_whole).map(|(k, datum)| {
            let values = data.values(k).to_vec();
            (datum.name.clone(), Whole { inner: data.inner(k), values })
        });
        let columns = named().filter(|(k, _)| !data.columns(*k).is_empty());
        let first = |k: usize| data.values(k).first().copied().filter(|x| x.is_finite());
        let table = |table: &Arc<BoundTable>| (table.keys.saved(), table.source.clone());
        Fixed {
            factors: data.factors.iter().map(|levels| levels.saved()).collect(),
            tables: data.tables.iter().map(table).collect(),
            whole: whole.collect(),
            columns: columns.map(|(k, d)| (d.name.clone(), data.columns(k).to_vec())).collect(),
            scales: basis.scales.iter().map(|(&k, s)| (name(k), s.clone())).collect(),
            n_rows: basis.n_rows,
            n_branches: basis.n_branches,
            usual: named().filter_map(|(k, d)| Some((d.name.clone(), first(k)?))).collect(),
            key_columns: data.key_columns().to_vec(),
        }
    }

    /// Data of no branches, which are enough for what depends on the globals alone.
    pub fn without_branches(&self, schema: &Schema) -> BoundData {
        let mut bound = BoundData::before_reading(schema, "no data");
        self.give(&mut bound);
        let grouping = Grouping { key_columns: self.key_columns.clone(), ..Grouping::empty("") };
        bound.grouping = Arc::new(grouping);
        bound
    }

    /// The schema as far as it is read from new data: what is fixed has no columns, and patterns
    /// are the columns that they were.
    pub(super) fn still_read(&self, schema: &Schema) -> Schema {
        let mut schema = schema.clone();
        for datum in &mut schema.data {
            if datum.level == Level::Whole {
                datum.origin = Origin::Derived;
                datum.may_be_missing = false;
            } else if let (Origin::Columns(names), Some(columns)) =
                (&mut datum.origin, self.columns.get(&datum.name))
            {
                names.clone_from(columns);
            }
        }
        schema
    }

    /// Gives bound data what is fixed.
    pub(super) fn give(&self, bound: &mut BoundData) {
        bound.factors = self.factors.iter().map(|levels| Arc::new(Levels::of(levels))).collect();
        let table = |(keys, source): &(SavedLevels, String)| {
            let keys = Levels::of(keys);
            let mut lines = Lines::of_columns(source);
            (1..=keys.len() as u64).for_each(|number| lines.push(number));
            let rows = (0..keys.len() as u32).collect();
            Arc::new(BoundTable { keys, rows, lines, source: source.clone() })
        };
        bound.tables = self.tables.iter().map(table).collect();
        let scales = |(position, datum): (usize, &crate::schema::Datum)| {
            Some((position, self.scales.get(&datum.name)?.clone()))
        };
        let scales = bound.schema.data.iter().enumerate().filter_map(scales).collect();
        let (n_rows, n_branches) = (self.n_rows, self.n_branches);
        bound.basis = Some(Arc::new(Basis { n_rows, n_branches, scales }));
        bound.usual = Arc::new(self.usual.clone());
        for (position, datum) in bound.schema.data.iter().enumerate() {
            if let (Level::Whole, Some(whole)) = (datum.level, self.whole.get(&datum.name)) {
                bound.inner[position] = whole.inner;
                bound.values[position] = Some(Arc::new(whole.values.clone()));
            }
        }
    }

    /// Tables and settings given beside new data are refused: those of the fit hold.
    pub(super) fn refuse_others(&self, dataset: &Dataset) -> Result<(), DataError> {
        let given = match (dataset.tables.keys().next(), dataset.settings.keys().next()) {
            (Some(table), _) => format!("the table `{table}`"),
            (None, Some(setting)) => format!("a setting of `{setting}`"),
            (None, None) => return Ok(()),
        };
        let message = format!("{given} is given, and the fit has its own");
        Err(DataError::new(DataErrorKind::OtherData, message)
            .help("leave it out; to change it, fit again with it"))
    }

    /// Whether this belongs to data of such a schema; else a saved file was put together wrongly.
    pub fn fits(&self, schema: &Schema) -> bool {
        let is_known = |datum: &crate::schema::Datum| match (datum.level, &datum.origin) {
            (Level::Whole, _) => self.whole.contains_key(&datum.name),
            (_, Origin::Standardized(_)) => self.scales.contains_key(&datum.name),
            _ => true,
        };
        self.factors.len() == schema.factors.len()
            && self.tables.len() == schema.tables.len()
            && schema.data.iter().all(is_known)
    }
}

/// Numbers of which some may be infinite, which JSON has no numbers for.
mod numbers {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Number {
        Finite(f64),
        Other(String),
    }

    pub fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        let number = |&x: &f64| match x.is_finite() {
            true => Number::Finite(x),
            false => Number::Other(x.to_string()),
        };
        values.iter().map(number).collect::<Vec<Number>>().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let number = |number: Number| match number {
            Number::Finite(x) => Ok(x),
            Number::Other(text) => text.parse().map_err(serde::de::Error::custom),
        };
        Vec::<Number>::deserialize(deserializer)?.into_iter().map(number).collect()
    }
}
