//! Binding new data to a fit, in which cells of outcomes may be empty.
//!
//! What is empty has no term in the density, as where a column is declared `missing`: the model
//! is compiled once more as if it were. A column of outcomes that is not there is empty.

use std::collections::BTreeMap;

use super::{SavedError, SavedFit};
use crate::data::{BoundData, DataError, DataErrorKind, Dataset, Terms, matches};
use crate::fit::Family;
use crate::infer::elbo::Guide;
use crate::infer::new_branches::fit_new_branches;
use crate::infer::shards::Shards;
use crate::model::{CompiledModel, Evaluator};
use crate::schema::{Datum, Origin};
use crate::simulate::Outcomes;
use crate::target::Target;

/// Unconstrained locals at which it is seen what the terms of a branch read.
const PROBES: [f64; 2] = [0.3, -0.7];

/// New data, with the model that they are bound to.
pub(super) struct NewData {
    pub(super) model: CompiledModel,
    pub(super) data: BoundData,
    /// Places in the schema of outcomes that can be drawn.
    pub(super) drawn: Vec<usize>,
    /// Those of them with empty cells that the model reads too: they are drawn in turn.
    pub(super) in_turn: Vec<usize>,
    /// Names of outcomes that the data have no column of.
    pub(super) absent: Vec<String>,
}

/// Outcomes by name, and what can be done about their empty cells.
struct Empty {
    /// Those of which cells may be empty, though the model does not say so.
    allowed: Vec<String>,
    /// Those that can be drawn, whatever else.
    drawn: Vec<String>,
    /// Those of which none may, with the reason.
    refused: BTreeMap<String, String>,
    /// Whether these are all that the likelihood is of.
    is_all: bool,
}

impl SavedFit {
    /// Binds new data, by the levels, tables and settings of the fit.
    pub(super) fn bind_new(&self, data: &Dataset) -> Result<NewData, SavedError> {
        let new = self.bind_with_empty(data).map_err(|error| self.explain(error))?;
        let is_joint = self.contents.facts.family == Family::Joint;
        if is_joint && new.data.fingerprint() != self.data_hash {
            return Err(SavedError::refused(
                "a joint fit has one Gaussian for all branches of its own data, and so says \
                 nothing of other branches or rows",
                "fit with `--family amortized`; `hbdc draws --branch KEY` gives draws of a branch \
                 of the fit",
            ));
        }
        Ok(new)
    }

    /// What draws the locals of the branches of these data. Where a guide has parameters for each
    /// branch of the fit, these are of use for just these branches with just these rows; others
    /// find their own, with q(θ) held.
    pub(super) fn guide_of(&self, shards: &mut Shards<Evaluator>, data: &BoundData) -> Guide {
        let guide = &self.contents.facts.guide;
        match data.fingerprint() == self.data_hash {
            true => guide.clone(),
            false => fit_new_branches(shards, guide, self.seed()),
        }
    }

    /// The terms in which new data are read.
    pub(super) fn terms(&self) -> Terms<'_> {
        Terms::Fixed(&self.contents.facts.fixed)
    }

    fn bind_with_empty(&self, data: &Dataset) -> Result<NewData, SavedError> {
        let empty = self.empty();
        let with_missing = self.model.with_missing(&empty.allowed, &empty.drawn);
        let with_missing = with_missing.map_err(SavedError::Model)?;
        let schema = with_missing.schema().columns();
        let is_absent = |k: &usize| {
            let datum = &schema.data[*k];
            datum.may_be_missing && is_absent(datum, data)
        };
        let outcomes = Outcomes::of(&with_missing);
        let drawn = outcomes.drawn;
        let absent: Vec<usize> = drawn.iter().copied().filter(is_absent).collect();
        let mut bound = data
            .bind_in(with_missing.schema(), &absent, self.terms())
            .map_err(|error| empty.explain(error, schema))?;
        for &datum in &absent {
            bound.note_absent(datum);
        }
        bound.check_missing_reads().map_err(|error| empty.explain(error, schema))?;
        let name = |&k: &usize| schema.data[k].name.clone();
        let absent: Vec<String> = absent.iter().map(name).collect();
        let is_whole = drawn.iter().all(|&datum| {
            bound.n_missing(datum) == 0 || !empty.allowed.contains(&schema.data[datum].name)
        });
        if is_whole {
            // The very functions of the fit.
            let model = self.model.clone();
            let data = data.bind_in(model.schema(), &[], self.terms())?;
            let drawn = Outcomes::of(&model).drawn;
            return Ok(NewData { model, data, drawn, in_turn: vec![], absent });
        }
        if empty.is_all {
            let informed = informed_rows(&bound, &drawn);
            bound.set_informed_rows(informed);
        }
        // What is read keeps the values that it has; where it has all, nothing of it is drawn.
        let is_read = |datum: &usize| schema.missing_reads.iter().any(|(read, _)| read == datum);
        let is_drawn = |datum: &usize| bound.n_missing(*datum) > 0 || !is_read(datum);
        let drawn: Vec<usize> = drawn.into_iter().filter(is_drawn).collect();
        let in_turn = drawn.iter().copied().filter(is_read).collect();
        Ok(NewData { model: with_missing, data: bound, drawn, in_turn, absent })
    }

    fn empty(&self) -> Empty {
        let outcomes = Outcomes::of(&self.model);
        let schema = self.model.schema().columns();
        let mut allowed = Vec::new();
        let mut refused: BTreeMap<String, String> = outcomes
            .undrawn
            .iter()
            .map(|(&datum, reason)| (schema.data[datum].name.clone(), reason.to_string()))
            .collect();
        let drawn: Vec<String> =
            outcomes.drawn.iter().map(|&datum| schema.data[datum].name.clone()).collect();
        let mut has_own = false;
        for (&datum, name) in outcomes.drawn.iter().zip(&drawn) {
            if schema.data[datum].may_be_missing {
                has_own = true;
                continue;
            }
            match self.model.with_missing(std::slice::from_ref(name), &[]) {
                Ok(_) => allowed.push(name.clone()),
                Err(error) => {
                    let first = error.diagnostics().first().map(|d| d.message.clone());
                    refused.insert(name.clone(), first.unwrap_or_default());
                }
            }
        }
        let is_all = !has_own && !outcomes.has_other_terms && refused.is_empty();
        Empty { allowed, drawn, refused, is_all }
    }

    /// Says of levels that they are those of the fit.
    fn explain(&self, error: SavedError) -> SavedError {
        match error {
            SavedError::Data(error)
                if matches!(
                    error.kind(),
                    DataErrorKind::UnknownLevel | DataErrorKind::UnknownKey
                ) =>
            {
                let help = error.help_text().unwrap_or_default().trim_end_matches('.');
                let help = format!(
                    "{help}. A fit knows no others: leave these rows out, or fit again with them"
                );
                SavedError::Data(error.help(help.trim_start_matches(". ").to_string()))
            }
            error => error,
        }
    }
}

impl NewData {
    /// Refuses data where a term of a value that is there, or what is reported, reads an empty
    /// cell: what is said of the branch would depend on a value that nobody has. It changes with
    /// what stands in the cell; the term of the cell itself is left out.
    pub(super) fn check_reads(
        &self,
        evaluator: &Evaluator,
        shared: &[f64],
    ) -> Result<(), SavedError> {
        let mut before = evaluator.row_by_row();
        for &datum in &self.in_turn {
            for filler in self.data.fillers(datum) {
                let mut data = self.data.clone();
                data.refill(datum, filler);
                let mut after = before.with_data(data);
                let is_empty = |branch: &usize| {
                    self.data.places(datum, *branch).any(|at| self.data.is_empty_cell(datum, at))
                };
                for branch in (0..self.data.n_branches()).filter(is_empty) {
                    let mut changes = |at: f64| {
                        let z: Vec<f64> =
                            (0..before.n_local()).map(|k| at * (1.0 + 0.1 * k as f64)).collect();
                        let of = |evaluator: &mut Evaluator| {
                            let likelihood = evaluator.density(branch, shared, &z).likelihood;
                            let reported = evaluator.reported_local(branch, shared, &z);
                            let all = std::iter::once(&likelihood).chain(reported);
                            all.map(|x| x.to_bits()).collect::<Vec<_>>()
                        };
                        of(&mut before) != of(&mut after)
                    };
                    if PROBES.iter().any(|&at| changes(at)) {
                        return Err(self.read_of_empty(datum, branch));
                    }
                }
            }
        }
        Ok(())
    }

    fn read_of_empty(&self, datum: usize, branch: usize) -> SavedError {
        let (name, label) = (&self.data.schema().data[datum].name, self.data.branch_label(branch));
        SavedError::refused(
            format!(
                "branch {label}: an empty cell of `{name}` is read by a term that is not its own, \
                 or by what is reported"
            ),
            "that needs the value of the cell: fill it in, or empty the cells of all that is drawn \
             from it; left out is the term of `~` with a built-in distribution alone",
        )
    }
}

impl Empty {
    /// Says why cells of an outcome may not be empty.
    fn explain(&self, error: DataError, schema: &crate::schema::Schema) -> DataError {
        let is_of_cells = matches!(
            error.kind(),
            DataErrorKind::MissingValue | DataErrorKind::MissingColumn | DataErrorKind::MissingRead
        );
        if !is_of_cells {
            return error;
        }
        let is_named = |name: &str| {
            let datum = schema.data.iter().find(|datum| datum.name == name);
            let columns = datum.map_or(&[][..], patterns);
            let message = error.message();
            columns.iter().any(|column| message.contains(&format!("`{column}`")))
        };
        let Some((name, reason)) = self.refused.iter().find(|(name, _)| is_named(name)) else {
            return error;
        };
        let help = format!("`{name}` cannot be predicted: {reason}");
        error.help(help)
    }
}

/// The columns, by name or pattern, of a datum.
fn patterns(datum: &Datum) -> &[String] {
    match &datum.origin {
        Origin::Column(name) | Origin::Equals { column: name, .. } => std::slice::from_ref(name),
        Origin::Columns(names) => names,
        _ => &[],
    }
}

/// Whether the data have no column of a datum at all.
fn is_absent(datum: &Datum, data: &Dataset) -> bool {
    let patterns = patterns(datum);
    let header = data.column_names().iter().chain(data.branch_column_names());
    let mut columns = header.filter(|column| patterns.iter().any(|p| matches(p, column)));
    !patterns.is_empty() && columns.next().is_none()
}

/// For each branch how many of its rows have an outcome.
fn informed_rows(data: &BoundData, outcomes: &[usize]) -> Vec<usize> {
    let is_there = |datum: usize, unit: usize| {
        let inner = data.inner(datum);
        (unit * inner..(unit + 1) * inner).any(|at| !data.is_empty_cell(datum, at))
    };
    let (of_rows, of_branches): (Vec<usize>, Vec<usize>) =
        outcomes.iter().partition(|&&datum| data.schema().data[datum].per_row);
    let of_branch = |branch: usize| {
        let rows = data.rows(branch);
        let is_known = |row: &usize| of_rows.iter().any(|&datum| is_there(datum, *row));
        let of_itself = of_branches.iter().any(|&datum| is_there(datum, branch));
        match (of_rows.is_empty(), of_itself) {
            (true, true) => rows.len(),
            (_, of_itself) => rows.filter(is_known).count().max(usize::from(of_itself)),
        }
    };
    (0..data.n_branches()).map(of_branch).collect()
}
