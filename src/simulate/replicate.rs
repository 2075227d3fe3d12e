//! Replicated outcomes: drawn anew at given unknowns, as often as is asked, with the data's
//! covariates.

use std::collections::BTreeMap;

use super::drawn;
use super::walk::Walk;
use super::{SimulateConfig, SimulateError};
use crate::data::BoundData;
use crate::model::{CompiledModel, Point};

/// What replicates of a model's outcomes hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    /// Data that are drawn, by their places in the schema.
    pub drawn: Vec<usize>,
    /// Data left of `~` that are used in another way too, and keep their values.
    pub given: Vec<usize>,
}

impl Outcomes {
    /// Those of a model.
    pub fn of(model: &CompiledModel) -> Self {
        let columns = drawn::columns(model.typed());
        Self { drawn: columns.drawn, given: columns.given }
    }

    /// Hands each replicate to `take`: for each datum that is drawn all its values, NaN where
    /// none was drawn. `unknowns` are, for each replicate, constrained globals, and the branches
    /// with their constrained locals.
    ///
    /// # Errors
    /// When a distribution's arguments are outside its domain.
    pub fn replicate(
        &self,
        model: &CompiledModel,
        data: &BoundData,
        seed: u64,
        unknowns: impl Iterator<Item = (usize, Vec<f64>, Vec<(usize, Vec<f64>)>)>,
        mut take: impl FnMut(usize, &BTreeMap<usize, Vec<f64>>),
    ) -> Result<(), SimulateError> {
        let config = SimulateConfig { seed, point: Some(Point::default()) };
        let mut walk = Walk::new(model, data, &config, &self.drawn);
        for (replicate, globals, branches) in unknowns {
            take(replicate, walk.replicate(replicate, &globals, &branches)?);
        }
        Ok(())
    }
}
