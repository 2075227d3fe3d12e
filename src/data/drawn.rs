//! Data that are drawn by simulation instead of read.

use std::sync::Arc;

use super::bound::BoundData;
use super::error::DataError;
use crate::schema::{Numbered, Origin, Schema};

/// A schema whose data at these places need no columns, as they will be drawn.
pub fn without_drawn(schema: &Schema, drawn: &[usize]) -> Schema {
    let mut schema = schema.clone();
    for datum in all_drawn(&schema, drawn) {
        schema.data[datum].origin = Origin::Derived;
        schema.data[datum].may_be_missing = false;
    }
    schema
}

/// Places of data that are drawn, and of what tells which of their cells are there.
fn all_drawn(schema: &Schema, drawn: &[usize]) -> Vec<usize> {
    let observed = schema.data.iter().enumerate().filter_map(|(position, datum)| {
        matches!(datum.origin, Origin::Observed(of) if drawn.contains(&of)).then_some(position)
    });
    drawn.iter().copied().chain(observed).collect()
}

impl BoundData {
    /// Gives data that will be drawn the value one everywhere, which may be an index, and the
    /// origins that they have in `schema`. They were bound as `without_drawn` says.
    ///
    /// # Errors
    /// When a size is too large.
    pub fn prepare_drawn(&mut self, schema: &Schema, drawn: &[usize]) -> Result<(), DataError> {
        for datum in all_drawn(schema, drawn) {
            let declared = &schema.data[datum];
            let has_outer = declared.per_row || declared.table.is_some();
            let own = declared.dims.iter().skip(usize::from(has_outer));
            let sizes = own.map(|size| self.size(size, 0)).collect::<Result<Vec<_>, _>>()?;
            self.inner[datum] = sizes.iter().product();
            let n = self.n_units(datum) * self.inner[datum];
            self.values[datum] = Some(Arc::new(vec![1.0; n]));
            self.schema.data[datum] = declared.clone();
        }
        Ok(())
    }

    /// Replaces the values of a datum by drawn ones, as many as there were.
    pub fn set_drawn(&mut self, datum: usize, values: Vec<f64>) {
        assert_eq!(values.len(), self.values(datum).len(), "one draw for each value");
        self.values[datum] = Some(Arc::new(values));
    }

    /// The text of the level that a number of a datum stands for; none where its numbers are
    /// numbers.
    pub fn level_name(&self, datum: usize, number: f64) -> Option<&str> {
        let schema = &self.schema;
        let name = match schema.data[datum].numbered? {
            Numbered::Factor(k) => &schema.factors[k].name,
            Numbered::Table(k) => &schema.tables[k].name,
        };
        self.levels(name).get((number as usize).checked_sub(1)?).map(String::as_str)
    }
}
