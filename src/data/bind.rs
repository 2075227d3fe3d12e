//! Fits a data set to a model's schema.

use std::sync::Arc;

use super::bound::{BoundData, BoundTable};
use super::dataset::Dataset;
use super::error::DataError;
use super::fill::fill;
use super::fixed::Fixed;
use super::group::group;
use super::levels::Levels;
use super::lines::Lines;
use super::load::{Labels, Table};
use super::plan::{File, Plans, plan, plan_rows};
use super::set;
use super::source::Source;
use crate::schema::{self, Origin, Schema};

/// In whose terms rows are read: the levels of factors, the means and deviations of
/// `standardize`, and whole data.
#[derive(Clone, Copy)]
pub enum Terms<'a> {
    /// Their own.
    Own,
    /// Those of data bound to the same schema.
    Of(&'a BoundData),
    /// Those that a fit saved, tables and settings included.
    Fixed(&'a Fixed),
}

impl Terms<'_> {
    pub fn is_fixed(self) -> bool {
        matches!(self, Terms::Fixed(_))
    }
}

impl Dataset {
    /// Reads the columns that a schema wants, groups the rows by branch and checks every value.
    ///
    /// The result does not depend on the order of branches in the file. Derived data are left
    /// for [`BoundData::set_derived`].
    #[cfg(test)]
    pub(crate) fn bind_columns(&self, schema: &Schema) -> Result<BoundData, DataError> {
        self.bind_columns_in(schema, Terms::Own)
    }

    /// The same, in the terms of other data.
    pub(crate) fn bind_columns_in(
        &self,
        declared: &Schema,
        terms: Terms<'_>,
    ) -> Result<BoundData, DataError> {
        let still_read = match terms {
            Terms::Fixed(fixed) => Some(fixed.still_read(declared)),
            _ => None,
        };
        let schema = still_read.as_ref().unwrap_or(declared);
        let plans = match terms {
            Terms::Fixed(fixed) => {
                fixed.refuse_others(self)?;
                plan_rows(schema, self)?
            }
            _ => {
                set::check_names(schema, &self.settings)?;
                plan(schema, self)?
            }
        };
        self.check_memory(schema, &plans)?;
        let mut bound = self.before_reading(schema, &plans, terms)?;
        let mut read = self.read(schema, &plans)?;
        bound.n_dropped = read.rows.n_dropped;
        match terms {
            Terms::Own => bound.factors = factors(schema, &plans, &read)?,
            Terms::Of(basis) => {
                bound.basis = Some(basis.own_basis()?);
                bound.factors.clone_from(&basis.factors);
            }
            Terms::Fixed(_) => {}
        }
        if !terms.is_fixed() {
            bound.tables = tables(schema, self, &plans, &read)?;
            bound.count_levels();
        }
        let branches = read.branches.as_mut();
        let grouping = group(&mut read.rows, branches, &schema.key, schema.rows.as_ref())?;
        if let Some(rows) = &schema.rows {
            grouping.check_count(rows)?;
        }
        bound.grouping = Arc::new(grouping);
        // Now that levels are counted, sizes made of them are known.
        (0..schema.data.len()).try_for_each(|datum| bound.check_size(datum))?;
        fill(&mut bound, &plans, read, terms.is_fixed())?;
        bound.after_reading()?;
        bound.schema.clone_from(declared);
        Ok(bound)
    }

    /// What is known before any row is read: settings, and which columns there are.
    fn before_reading(
        &self,
        schema: &Schema,
        plans: &Plans,
        terms: Terms<'_>,
    ) -> Result<BoundData, DataError> {
        let mut bound = BoundData {
            inner: (0..schema.data.len()).map(|datum| plans.slots(datum).len()).collect(),
            columns: plans.columns.clone(),
            homes: plans.homes.clone(),
            settings: self.settings.clone(),
            provenance: Arc::new(self.provenance()),
            ..BoundData::before_reading(schema, self.source_name())
        };
        if let Terms::Fixed(fixed) = terms {
            fixed.give(&mut bound);
        }
        for (position, datum) in schema.data.iter().enumerate() {
            let setting = self.settings.get(&datum.name).filter(|_| datum.origin == Origin::Set);
            if let Some(setting) = setting {
                let numbers = set::numbers(datum, setting)?;
                bound.inner[position] = numbers.len();
                bound.values[position] = Some(Arc::new(numbers));
            }
        }
        // Sizes may name whole data declared later, so all of these come first.
        (0..schema.data.len()).try_for_each(|datum| bound.check_size(datum))?;
        Ok(bound)
    }

    fn read(&self, schema: &Schema, plans: &Plans) -> Result<Read, DataError> {
        let mut tables = Vec::with_capacity(schema.tables.len());
        for (table, plan) in schema.tables.iter().zip(&plans.tables) {
            let source = &self.tables[&table.name];
            let read = source.load(plan, false)?;
            if read.n_rows == 0 {
                return Err(source.no_rows(0));
            }
            tables.push(read);
        }
        let branches = match (&self.branches, &plans.branches) {
            (Some(source), Some(plan)) => Some(source.load(plan, false)?),
            _ => None,
        };
        let rows = self.rows.load(&plans.rows, self.na_drop)?;
        // Branches that are listed may all be without rows; columns given directly may be none
        // where nothing is read of them.
        let is_listed = branches.as_ref().is_some_and(|branches| branches.n_rows > 0);
        let is_unread = matches!(self.rows, Source::Columns { .. }) && plans.rows.is_empty();
        if rows.n_rows == 0 && !is_listed && !is_unread {
            return Err(self.rows.no_rows(rows.n_dropped));
        }
        Ok(Read { rows, branches, tables })
    }
}

/// All files, read.
pub(super) struct Read {
    pub(super) rows: Table,
    pub(super) branches: Option<Table>,
    pub(super) tables: Vec<Table>,
}

impl Read {
    /// Every file there is.
    fn files(&self) -> impl Iterator<Item = (File, &Table)> {
        let branches = self.branches.as_ref().map(|table| (File::Branches, table));
        let tables = self.tables.iter().enumerate().map(|(k, table)| (File::Table(k), table));
        std::iter::once((File::Rows, &self.rows)).chain(branches).chain(tables)
    }
}

/// The levels of every factor, from all files that have its columns.
fn factors(schema: &Schema, plans: &Plans, read: &Read) -> Result<Vec<Arc<Levels>>, DataError> {
    let of_factor = |(k, factor): (usize, &schema::Factor)| {
        let mut columns: Vec<(&Labels, &Lines)> = Vec::new();
        for (file, table) in read.files() {
            if let Some(slot) = plans.of(file).factors[k] {
                columns.push((&table.labels[slot], &table.lines));
            }
        }
        Levels::of_factor(factor, &columns).map(Arc::new)
    };
    schema.factors.iter().enumerate().map(of_factor).collect()
}

/// The keys of every table, and where their rows stand.
fn tables(
    schema: &Schema,
    dataset: &Dataset,
    plans: &Plans,
    read: &Read,
) -> Result<Vec<Arc<BoundTable>>, DataError> {
    let of_table = |(k, table): (usize, &schema::Table)| {
        let slot = plans.tables[k].table_key.expect("a table without its key is an error");
        let (own, lines) = (&read.tables[k].labels[slot], &read.tables[k].lines);
        let (keys, rows) = Levels::of_table(table, own, lines)?;
        let source = dataset.tables[&table.name].name().to_string();
        Ok(Arc::new(BoundTable { keys, rows, lines: lines.clone(), source }))
    };
    schema.tables.iter().enumerate().map(of_table).collect()
}
