//! The posterior of branches, seen or new, from their rows, without a new fit; and the predictive
//! distribution of outcomes whose cells are empty.

use super::empty::NewData;
use super::{SavedError, SavedFit};
use crate::data::{BoundData, Dataset};
use crate::fit::{BranchSummaries, Summariser, SummaryRow, draws_per_branch};
use crate::infer::elbo;
use crate::infer::shards::Shards;
use crate::simulate::{Predictive, SimulateError, ToDraw};
use crate::target::Target;

/// How predictions are made.
#[derive(Clone, Debug, Default)]
pub struct PredictConfig {
    draws: Option<usize>,
    seed: Option<u64>,
    threads: Option<usize>,
}

impl PredictConfig {
    /// Draws for each branch; by default from 200 to 2000, fewer for more branches.
    pub fn draws(mut self, draws: usize) -> Self {
        self.draws = Some(draws);
        self
    }

    /// The same seed gives the same draws; that of the fit by default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Threads; all by default. They do not change the result.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }
}

/// What a fit says of branches and of cells that are empty.
#[derive(Clone, Debug)]
pub struct Prediction {
    data: BoundData,
    branches: BranchSummaries,
    cells: Vec<PredictedCell>,
    absent: Vec<String>,
}

/// The predictive distribution of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedCell {
    /// The branch, in the order of the keys.
    pub branch: usize,
    /// The line of the file on which the cell's row begins, or its number among rows given
    /// directly; none for a cell of a branch.
    pub line: Option<u64>,
    /// Its column.
    pub column: String,
    /// Its distribution, of whole numbers too; none where draws were not finite.
    pub summary: Option<SummaryRow>,
}

impl Prediction {
    /// The data, bound to the model.
    pub fn data(&self) -> &BoundData {
        &self.data
    }

    /// The posterior of the locals of each branch.
    pub fn branches(&self) -> &BranchSummaries {
        &self.branches
    }

    /// The number of rows behind the posterior of a branch: those with an outcome.
    pub fn n_rows(&self, branch: usize) -> usize {
        self.data.n_informed_rows(branch)
    }

    /// The empty cells of outcomes, branch by branch.
    pub fn cells(&self) -> &[PredictedCell] {
        &self.cells
    }

    /// Names of outcomes that the data have no column of, so that every cell was predicted.
    pub fn absent(&self) -> &[String] {
        &self.absent
    }
}

/// A cell that is to be drawn: its datum, and its place among the branch's values of it.
type Wanted = Vec<(usize, Vec<usize>)>;

impl SavedFit {
    /// The posterior of each branch of `data` given its rows, and the predictive distribution of
    /// outcomes whose cells are empty. Levels, tables, settings and standardisation are those of
    /// the fit; keys may be new. A branch without rows has its prior given θ.
    ///
    /// # Errors
    /// When the data do not go with the fit, or outcomes that are empty cannot be drawn.
    pub fn predict(
        &self,
        data: &Dataset,
        config: &PredictConfig,
    ) -> Result<Prediction, SavedError> {
        let new = self.bind_new(data)?;
        let evaluator = new.model.evaluator(&new.data)?;
        let seed = config.seed.unwrap_or(self.seed());
        let count = config.draws.unwrap_or(draws_per_branch(evaluator.n_branches()));
        let theta = self.contents.theta_draws(count, seed);
        let mean = self.contents.facts.guide.global.mean();
        new.check_reads(&evaluator, &elbo::shared_at(&mut evaluator.clone(), &mean).0)?;
        let wanted: Vec<Wanted> = (0..evaluator.n_branches()).map(|b| wanted(&new, b)).collect();
        let globals = match wanted.iter().all(Vec::is_empty) {
            true => Vec::new(),
            false => evaluator.clone().unknown_globals(&theta, count),
        };
        let to_draw = ToDraw { drawn: &new.drawn, kept: &new.in_turn };
        let predictive = Predictive::new(&new.model, &new.data, to_draw, seed, &globals)?;
        let shards = &mut Shards::new(&evaluator, config.threads);
        let locals = evaluator.reported_local_layout();
        let guide = &self.guide_of(shards, &new.data);
        let draw = |branch: usize, reported: &[Vec<f64>]| match wanted[branch].is_empty() {
            true => Ok(Vec::new()),
            false => {
                let locals: Vec<Vec<f64>> = reported.iter().map(|r| locals.unknowns(r)).collect();
                let draws = predictive.draws(branch, &locals, &wanted[branch])?;
                Ok(cells(&new.data, branch, &wanted[branch], draws))
            }
        };
        let summariser = Summariser::new(&evaluator, guide, &theta, count, seed);
        let all: Vec<usize> = (0..evaluator.n_branches()).collect();
        let (branches, found) = summariser.summarise(shards, &all, draw);
        let mut cells = Vec::new();
        for (branch, found) in found.into_iter().enumerate() {
            match found {
                Some(own) => cells.extend(own.map_err(|error: SimulateError| error)?),
                None => cells.extend(without_draws(&new.data, branch, &wanted[branch])),
            }
        }
        Ok(Prediction { data: new.data, branches, cells, absent: new.absent })
    }
}

/// The empty cells of a branch.
fn wanted(new: &NewData, branch: usize) -> Wanted {
    let data = &new.data;
    let of_datum = |&datum: &usize| {
        let range = data.places(datum, branch);
        let is_empty = |place: &usize| data.is_empty_cell(datum, range.start + place);
        let places: Vec<usize> = (0..range.len()).filter(is_empty).collect();
        (!places.is_empty()).then_some((datum, places))
    };
    new.drawn.iter().filter_map(of_datum).collect()
}

fn cells(
    data: &BoundData,
    branch: usize,
    wanted: &Wanted,
    draws: Vec<Vec<Vec<f64>>>,
) -> Vec<PredictedCell> {
    let mut cells = without_draws(data, branch, wanted);
    for (cell, mut draws) in cells.iter_mut().zip(draws.into_iter().flatten()) {
        if draws.iter().all(|x| x.is_finite()) {
            cell.summary = Some(SummaryRow::of(cell.column.clone(), &mut draws));
        }
    }
    cells
}

fn without_draws(data: &BoundData, branch: usize, wanted: &Wanted) -> Vec<PredictedCell> {
    let mut cells = Vec::new();
    for (datum, places) in wanted {
        let declared = &data.schema().data[*datum];
        let (inner, start) = (data.inner(*datum).max(1), data.places(*datum, branch).start);
        for place in places {
            let row = (start + place) / inner;
            let column = match data.columns(*datum).get(place % inner) {
                Some(column) => column.clone(),
                None if inner == 1 => declared.name.clone(),
                None => format!("{}[{}]", declared.name, place % inner + 1),
            };
            let line = declared.per_row.then(|| data.line(row).unwrap_or(row as u64 + 1));
            cells.push(PredictedCell { branch, line, column, summary: None });
        }
    }
    cells
}
