//! Fits a data set to a model's schema.

use std::sync::Arc;

use super::bound::BoundData;
use super::dataset::Dataset;
use super::error::{DataError, DataErrorKind, Places, show_number};
use super::group::{Grouping, group};
use super::load::Table;
use super::plan::{Plan, plan};
use super::set;
use crate::schema::{Datum, Origin, Schema};
use crate::ty::Level;

impl Dataset {
    /// Reads the columns that a schema wants, groups the rows by branch and checks every value.
    ///
    /// The result does not depend on the order of branches in the file. Derived data are left
    /// for [`BoundData::set_derived`].
    pub(crate) fn bind_columns(&self, schema: &Schema) -> Result<BoundData, DataError> {
        set::check_names(schema, &self.settings)?;
        let plan = plan(schema, self.column_names(), self.source_name())?;
        let mut bound = self.before_reading(schema, &plan)?;
        let mut table = self.load(&plan)?;
        bound.n_dropped = table.n_dropped;
        bound.grouping = Arc::new(group(&mut table, &schema.key, schema.rows.as_ref())?);
        if let Some(rows) = &schema.rows {
            bound.grouping.check_count(rows)?;
        }
        fill(&mut bound, &plan, table)?;
        (0..schema.data.len()).try_for_each(|datum| bound.check_bounds(datum))?;
        Ok(bound)
    }

    /// What is known before any row is read: settings, and which columns there are.
    fn before_reading(&self, schema: &Schema, plan: &Plan) -> Result<BoundData, DataError> {
        let name = |slot: &usize| plan.numbers[*slot].name.clone();
        let mut bound = BoundData {
            schema: schema.clone(),
            grouping: Arc::new(Grouping::empty(self.source_name())),
            values: vec![None; schema.data.len()],
            inner: plan.data.iter().map(Vec::len).collect(),
            columns: plan.data.iter().map(|slots| slots.iter().map(name).collect()).collect(),
            settings: self.settings.clone(),
            n_dropped: 0,
        };
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
}

/// Lays out the values of all data that are read from columns.
fn fill(bound: &mut BoundData, plan: &Plan, table: Table) -> Result<(), DataError> {
    let mut uses = vec![0_usize; plan.numbers.len()];
    plan.data.iter().flatten().for_each(|&slot| uses[slot] += 1);
    // One column at a time is arranged and the one as read given back.
    let mut numbers = Vec::with_capacity(table.numbers.len());
    for column in table.numbers {
        numbers.push(bound.grouping.arrange(column));
    }
    for (position, slots) in plan.data.iter().enumerate().filter(|(_, slots)| !slots.is_empty()) {
        slots.iter().for_each(|&slot| uses[slot] -= 1);
        let datum = &bound.schema.data[position];
        let values = match (datum.per_row, slots.as_slice()) {
            // The last use of a column takes its memory.
            (true, &[slot]) if uses[slot] == 0 => std::mem::take(&mut numbers[slot]),
            (true, slots) => side_by_side(slots, &numbers),
            (false, slots) => per_branch(datum, &bound.grouping, slots, &numbers, plan)?,
        };
        bound.values[position] = Some(Arc::new(values));
        for &slot in slots.iter().filter(|slot| uses[**slot] == 0) {
            numbers[slot] = Vec::new();
        }
    }
    Ok(())
}

/// Columns side by side, row after row.
fn side_by_side(slots: &[usize], numbers: &[Vec<f64>]) -> Vec<f64> {
    let columns: Vec<&[f64]> = slots.iter().map(|&slot| numbers[slot].as_slice()).collect();
    let n_rows = columns[0].len();
    let mut values = Vec::with_capacity(n_rows * columns.len());
    for row in 0..n_rows {
        values.extend(columns.iter().map(|column| column[row]));
    }
    values
}

/// The value of each branch; its rows must agree.
fn per_branch(
    datum: &Datum,
    grouping: &Grouping,
    slots: &[usize],
    numbers: &[Vec<f64>],
    plan: &Plan,
) -> Result<Vec<f64>, DataError> {
    let mut values = Vec::with_capacity(grouping.n_branches() * slots.len());
    let mut places = Places::default();
    for branch in 0..grouping.n_branches() {
        let rows = grouping.rows(branch);
        for &slot in slots {
            let column = &numbers[slot][rows.clone()];
            values.push(column[0]);
            if let Some(other) = column.iter().position(|value| *value != column[0]) {
                let name = &plan.numbers[slot].name;
                let pair = [rows.start, rows.start + other];
                places.add_with_help(
                    DataErrorKind::VariesInBranch,
                    Some(varies_help(datum)),
                    || varies_text(grouping, branch, name, pair, &numbers[slot]),
                );
            }
        }
    }
    debug_assert_eq!(datum.level, Level::Branch, "the plan refuses columns for whole data");
    places.into_error().map_or(Ok(values), |error| Err(error.at(datum.span)))
}

fn varies_text(
    grouping: &Grouping,
    branch: usize,
    name: &str,
    pair: [usize; 2],
    values: &[f64],
) -> String {
    let [first, second] = pair.map(|row| grouping.as_read(row));
    let [a, b] = pair.map(|row| show_number(values[row]));
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
