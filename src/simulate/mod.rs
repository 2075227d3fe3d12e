//! Drawing unknowns and outcomes by the statements of a model, so that nobody has to describe
//! the model twice.
//!
//! Statements run in order, first those of `global`, then those of `local` for each branch. At
//! `x ~ distribution(…)` the left side is drawn: an unknown from its prior (unless a point gives
//! it), a column from its distribution. Later statements see what was drawn before. A column
//! used in any other way, in `target +=` or for derived data, is given: it keeps its values.

mod draw;
mod drawn;
mod generative;
mod predictive;
#[cfg(test)]
mod tests;
mod walk;

use std::fmt;

use crate::data::{BoundData, DataError, Dataset, Terms};
use crate::model::{CompiledModel, Evaluator, Point};
use crate::source::Span;
pub(crate) use predictive::{Outcomes, Predictive, ToDraw};

/// What a simulation is made from.
#[derive(Clone, Debug, Default)]
pub struct SimulateConfig {
    /// The same seed gives the same draws.
    pub seed: u64,
    /// Values of the unknowns; none: they are drawn from their priors.
    pub point: Option<Point>,
}

/// What was drawn.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The unknowns: drawn, or as given.
    pub point: Point,
    /// The data, with what could be drawn replaced.
    pub data: BoundData,
    /// Names of the data that were drawn.
    pub drawn: Vec<String>,
    /// Names of the data left of `~` that are used in another way too, and so were given.
    pub given: Vec<String>,
    dataset: Dataset,
    /// The places of the data that were drawn.
    places: Vec<usize>,
}

impl Simulated {
    /// The file of rows as CSV, with what was drawn in its columns. All other cells are as they
    /// were, and rows in their order; a drawn column that was not there comes last.
    ///
    /// # Errors
    /// When the file cannot be read again.
    pub fn rows_csv(&self) -> Result<Vec<u8>, DataError> {
        self.dataset.rewrite_rows(&self.data, &self.places)
    }

    /// Why what was drawn cannot be bound to `model`, if it cannot: a distribution may reach
    /// beyond what its column is declared to be, and a level that was never drawn is no level of
    /// a factor any more.
    ///
    /// # Errors
    /// When a file cannot be read again.
    pub fn misfit(&self, model: &CompiledModel) -> Result<Option<String>, DataError> {
        let written = self.dataset.with_files(self.rows_csv()?, self.branches_csv()?)?;
        let again = match written.bind(model.schema()) {
            Ok(again) => again,
            Err(error) => return Ok(Some(error.message().to_string())),
        };
        let factors = &self.data.schema().factors;
        let lost = factors.iter().find_map(|factor| {
            let left = again.levels(&factor.name);
            let lost = self.data.levels(&factor.name).iter().find(|level| !left.contains(level))?;
            let name = &factor.name;
            Some(format!(
                "`{lost}` was not drawn and so is no level of `{name}`; `levels(…)` keeps it"
            ))
        });
        Ok(lost)
    }

    /// The same of the file of branches; none if there is none, or nothing drawn belongs there.
    ///
    /// # Errors
    /// When the file cannot be read again.
    pub fn branches_csv(&self) -> Result<Option<Vec<u8>>, DataError> {
        self.dataset.rewrite_branches(&self.data, &self.places)
    }
}

/// Why nothing could be drawn.
#[derive(Debug)]
pub enum SimulateError {
    /// The data do not fit the model.
    Data(DataError),
    /// A statement cannot be drawn.
    Statement {
        /// What is wrong and what to do.
        message: String,
        /// Where it stands.
        span: Span,
    },
}

impl fmt::Display for SimulateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SimulateError::Data(error) => error.fmt(f),
            SimulateError::Statement { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for SimulateError {}

impl From<DataError> for SimulateError {
    fn from(error: DataError) -> Self {
        SimulateError::Data(error)
    }
}

/// An evaluator for data whose drawn columns need not be there: it knows the shape of points.
///
/// # Errors
/// When the data do not fit.
pub fn simulated_layout(model: &CompiledModel, data: Dataset) -> Result<Evaluator, DataError> {
    let columns = drawn::columns(model.typed());
    let mut bound = data.bind_without(model.schema(), &columns.drawn)?;
    for datum in columns.drawn {
        let declared = &bound.schema().data[datum];
        let units = if declared.per_row { bound.n_rows_total() } else { bound.n_branches() };
        let n = units * bound.inner(datum);
        bound.set_drawn(datum, vec![0.0; n]);
    }
    model.evaluator(&bound)
}

/// The data that stand left of `~`, by their places in the schema, in order.
pub(crate) fn outcomes(model: &CompiledModel) -> Vec<usize> {
    let drawn::Columns { drawn, given } = drawn::columns(model.typed());
    let mut outcomes = [drawn, given].concat();
    outcomes.sort_unstable();
    outcomes
}

/// Draws the columns that stand left of `~`, and the unknowns unless they are given. The columns
/// that are drawn need not be in the data.
///
/// # Errors
/// When the data do not fit, or an unknown has no distribution to be drawn from and is not
/// given, or a distribution's arguments are outside its domain.
pub fn simulate(
    model: &CompiledModel,
    data: Dataset,
    config: &SimulateConfig,
) -> Result<Simulated, SimulateError> {
    simulate_in(model, data, config, Terms::Own)
}

/// The same, of data in the terms of others.
pub(crate) fn simulate_in(
    model: &CompiledModel,
    data: Dataset,
    config: &SimulateConfig,
    terms: Terms<'_>,
) -> Result<Simulated, SimulateError> {
    let simulator = Simulator::new(model, &data, terms)?;
    let (point, simulated) = simulator.draw(config)?;
    let Simulator { bound, columns, .. } = simulator;
    let name = |datum: &usize| bound.schema().data[*datum].name.clone();
    let drawn = columns.drawn.iter().map(name).collect();
    let given = columns.given.iter().map(name).collect();
    let places = columns.drawn;
    Ok(Simulated { point, data: simulated, drawn, given, dataset: data, places })
}

/// Checks that all unknowns and outcomes are drawn, and have the law of the model's density.
///
/// # Errors
/// The first statement where that is not so.
pub(crate) fn check_generative(model: &CompiledModel) -> Result<(), SimulateError> {
    generative::check(model.typed(), &drawn::columns(model.typed()))
}

/// A model with bound data, to draw from more than once.
pub(crate) struct Simulator<'m> {
    model: &'m CompiledModel,
    bound: BoundData,
    columns: drawn::Columns,
}

impl<'m> Simulator<'m> {
    /// Binds the data; columns that are drawn need not be there.
    ///
    /// # Errors
    /// When they do not fit.
    pub(crate) fn new(
        model: &'m CompiledModel,
        data: &Dataset,
        terms: Terms<'_>,
    ) -> Result<Self, DataError> {
        let columns = drawn::columns(model.typed());
        let bound = data.bind_in(model.schema(), &columns.drawn, terms)?;
        Ok(Simulator { model, bound, columns })
    }

    /// The data, with ones in place of what is drawn.
    pub(crate) fn data(&self) -> &BoundData {
        &self.bound
    }

    /// The unknowns, and the data with new outcomes.
    ///
    /// # Errors
    /// When an unknown cannot be drawn and is not given, or the arguments of a distribution are
    /// outside its domain.
    pub(crate) fn draw(
        &self,
        config: &SimulateConfig,
    ) -> Result<(Point, BoundData), SimulateError> {
        let mut walk = walk::Walk::new(self.model, &self.bound, config.seed, &self.columns.drawn);
        let (point, values) = walk.run(config.point.as_ref())?;
        let mut simulated = self.bound.clone();
        for (datum, values) in values {
            simulated.set_drawn(datum, values);
        }
        Ok((point, simulated))
    }
}
