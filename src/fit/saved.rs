//! Draws as they are saved for other tools: how many, and what goes with each.

use super::{Fit, FitError, Posterior};
use crate::data::{BoundData, DataError, DataErrorKind};
use crate::infer::elbo;
use crate::infer::posterior::{self, Spread};
use crate::model::{CompiledModel, Evaluator};
use crate::simulate::outcomes;
use crate::target::Target;

/// Draws are independent; they are shown as so many chains because tools that compare chains
/// want several.
pub const CHAINS: usize = 4;
/// Draws that are saved at most, and at least where they are many numbers each.
const MOST: usize = 4000;
const LEAST: usize = 400;
/// Numbers of all draws together, 8 bytes each, that are thought affordable.
const BUDGET: usize = 50_000_000;

/// What is known of each saved draw of θ.
pub struct DrawStatistics {
    /// log q(θ) on the unconstrained scale.
    pub log_q: Vec<f64>,
    /// log p(θ) on the same scale, log-Jacobian included.
    pub log_prior: Vec<f64>,
}

/// What an observation is: what leave-one-out estimates leave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observations {
    /// These bound rows.
    Rows(Vec<usize>),
    /// These branches: the likelihood is not a sum over rows.
    Branches(Vec<usize>),
}

/// The log likelihood of each observation at each saved draw.
pub struct LogLikelihood {
    /// What they are.
    pub observations: Observations,
    /// Draw by draw, one number an observation; NaN where a branch's draws were not finite.
    pub values: Vec<f64>,
    /// The log joint density of θ, all zᵢ and the data at each draw, on the unconstrained scale.
    pub log_joint: Vec<f64>,
}

/// For each row whether it has a term: not where all its outcomes are empty.
pub(super) fn rows_with_outcome(model: &CompiledModel, data: &BoundData) -> Vec<bool> {
    let of_rows = |datum: &usize| data.schema().data[*datum].per_row;
    let own: Vec<usize> = outcomes(model).into_iter().filter(of_rows).collect();
    let is_seen = |datum: usize, row: usize| {
        let inner = data.inner(datum);
        (row * inner..(row + 1) * inner).any(|at| !data.is_empty_cell(datum, at))
    };
    let has_outcome = |row: usize| own.is_empty() || own.iter().any(|&datum| is_seen(datum, row));
    (0..data.n_rows_total()).map(has_outcome).collect()
}

impl Observations {
    /// Those of a fit: rows that are held out, and those without an outcome, are none.
    pub fn of(model: &CompiledModel, evaluator: &Evaluator) -> Observations {
        let data = evaluator.data();
        match model.likelihood_is_by_rows() {
            true => {
                let has_outcome = rows_with_outcome(model, data);
                let is_one = |row: &usize| evaluator.is_fitted(*row) && has_outcome[*row];
                Observations::Rows((0..data.n_rows_total()).filter(is_one).collect())
            }
            false => Observations::Branches((0..data.n_branches()).collect()),
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Observations::Rows(list) | Observations::Branches(list) => list.len(),
        }
    }
}

/// Refuses the log likelihood of so many observations that few draws would be left.
pub(super) fn check_size(model: &CompiledModel, evaluator: &Evaluator) -> Result<(), FitError> {
    let n = Observations::of(model, evaluator).len();
    let most = BUDGET / LEAST;
    if n <= most {
        return Ok(());
    }
    let message = format!(
        "the log likelihood of {n} observations at {LEAST} draws or more is too large to be written"
    );
    let error = DataError::new(DataErrorKind::Size, message);
    Err(FitError::Data(error.help(format!(
        "up to {most} observations can be written; fit without `--log-likelihood`, and compare \
         models by `--holdout`"
    ))))
}

/// How many of `wanted` draws of so many numbers are saved.
pub(super) fn affordable(wanted: usize, n_numbers: usize) -> usize {
    let affordable = (BUDGET / n_numbers.max(1)).max(LEAST);
    let count = wanted.min(MOST).min(affordable);
    (count / CHAINS).max(1) * CHAINS
}

impl Fit {
    /// How many draws are saved: at most 4000 and as many as the summary rests on, fewer where
    /// each has many numbers; always four chains of one length.
    pub(crate) fn saved_draws(&self, n_observations: usize) -> usize {
        let n_numbers = self.evaluator.reported_layout().len() + n_observations;
        affordable(self.config.draws, n_numbers)
    }

    /// The log likelihood of each observation at the first `count` draws of θ, each with a draw
    /// of the locals from q(zᵢ|θ).
    ///
    /// # Errors
    /// When machine code for it does not fit in memory.
    pub(crate) fn log_likelihood(
        &self,
        model: &CompiledModel,
        count: usize,
    ) -> Result<LogLikelihood, DataError> {
        let mut evaluator = self.evaluator.clone();
        let observations = Observations::of(model, &evaluator);
        let pointwise = model.pointwise(evaluator.data())?;
        let (guide, seed) = (&self.result.guide, self.config.engine.seed);
        let theta = self.result.theta_draws(count, seed);
        let particles = posterior::particles(&mut evaluator, guide, &theta, count);
        let all: Vec<usize> = (0..evaluator.n_branches()).collect();
        let (n_local, wanted) = (evaluator.n_local(), observations.by_branch(evaluator.data()));
        let of_branch = |branch: usize, draws: Option<&[f64]>| {
            let (mut evaluator, mut pointwise) = (evaluator.clone(), pointwise.clone());
            let mut values = Vec::with_capacity(count * wanted[branch].len());
            let mut joint = Vec::with_capacity(count);
            let Some(draws) = draws else {
                values.resize(count * wanted[branch].len(), f64::NAN);
                return (values, vec![f64::NAN; count]);
            };
            for (p, particle) in particles.iter().enumerate() {
                let z = &draws[p * n_local..(p + 1) * n_local];
                let density = evaluator.density(branch, &particle.shared, z);
                joint.push(density.total());
                match &mut pointwise {
                    Some(pointwise) => {
                        let rows = pointwise.rows(branch, &particle.shared, z);
                        values.extend(wanted[branch].iter().map(|&row| rows[row]));
                    }
                    None => values.extend(wanted[branch].iter().map(|_| density.likelihood)),
                }
            }
            (values, joint)
        };
        let shards = &mut self.shards();
        let parts = posterior::for_each_branch(
            shards,
            guide,
            &particles,
            &all,
            seed,
            Spread::Independent,
            of_branch,
        );
        let mut log_joint: Vec<f64> = particles.iter().map(|particle| particle.log_prior).collect();
        let n = observations.len();
        let mut values = vec![0.0; count * n];
        let mut start = 0;
        for (branch, (own, joint)) in parts.into_iter().enumerate() {
            log_joint.iter_mut().zip(joint).for_each(|(sum, term)| *sum += term);
            let width = wanted[branch].len();
            for (draw, row) in own.chunks_exact(width.max(1)).enumerate() {
                values[draw * n + start..draw * n + start + width].copy_from_slice(row);
            }
            start += width;
        }
        Ok(LogLikelihood { observations, values, log_joint })
    }
}

impl Observations {
    /// For each branch which of its rows, counted within it, are observations; of branches as a
    /// whole one entry for those that are.
    fn by_branch(&self, data: &BoundData) -> Vec<Vec<usize>> {
        let mut wanted = vec![Vec::new(); data.n_branches()];
        match self {
            Observations::Branches(branches) => branches.iter().for_each(|&i| wanted[i].push(0)),
            Observations::Rows(rows) => {
                let mut branch = 0;
                for &row in rows {
                    while data.rows(branch).end <= row {
                        branch += 1;
                    }
                    wanted[branch].push(row - data.rows(branch).start);
                }
            }
        }
        wanted
    }
}

impl Posterior<'_> {
    /// What is known of the first `count` draws beside their values.
    pub(crate) fn statistics(&self, count: usize) -> DrawStatistics {
        let (result, seed) = (&self.fit.result, self.fit.config.engine.seed);
        let mut evaluator = self.fit.evaluator.clone();
        let theta = result.theta_draws(count, seed);
        let n = evaluator.n_global();
        let (mut log_q, mut log_prior) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for draw in 0..count {
            let theta = &theta[draw * n..(draw + 1) * n];
            let global = &result.guide.global;
            log_q.push(global.log_density(&global.noise_of(theta)));
            log_prior.push(elbo::shared_at(&mut evaluator, theta).1);
        }
        DrawStatistics { log_q, log_prior }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_draws_are_saved_as_are_affordable() {
        for (wanted, n_numbers, expected) in [
            (20_000, 0, 4000),
            (20_000, 12_500, 4000),
            (20_000, 12_501, 3996),
            (103, 10, 100),
            (3, 10, 4),
            (20_000, 10_000_000, 400),
        ] {
            assert_eq!(affordable(wanted, n_numbers), expected, "{wanted} {n_numbers}");
        }
    }
}
