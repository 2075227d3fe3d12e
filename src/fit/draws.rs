//! Draws on the constrained scale.

use ndarray::{Array2, ArrayView1};

use crate::infer::worker::Particle;
use crate::model::{Evaluator, Variable};
use crate::target::Target;

/// Draws of the reported globals, one row a draw.
#[derive(Clone, Debug)]
pub struct Draws {
    variables: Vec<Variable>,
    names: Vec<String>,
    levels: Vec<String>,
    values: Array2<f64>,
}

impl Draws {
    /// Maps unconstrained draws, one row each, to what is reported.
    pub(crate) fn of_globals(evaluator: &mut Evaluator, theta: &[f64], count: usize) -> Draws {
        let variables = evaluator.reported_layout().variables().to_vec();
        let elements: Vec<(String, usize)> =
            variables.iter().flat_map(Variable::elements).collect();
        let n = evaluator.n_global();
        let mut values = Array2::zeros((count, elements.len()));
        for (draw, mut row) in values.rows_mut().into_iter().enumerate() {
            let reported = evaluator.reported(&theta[draw * n..(draw + 1) * n]);
            for (value, (_, position)) in row.iter_mut().zip(&elements) {
                *value = reported[*position];
            }
        }
        let names = elements.into_iter().map(|(name, _)| name).collect();
        let levels = variables.iter().flat_map(|v| v.levels(evaluator.data())).collect();
        Draws { variables, names, levels, values }
    }

    /// Draws of the locals of a branch, which are draws of z at as many draws of θ, one row each.
    pub(crate) fn of_branch(
        evaluator: &mut Evaluator,
        branch: usize,
        particles: &[Particle],
        z: &[f64],
    ) -> Draws {
        let variables = evaluator.reported_local_layout().variables().to_vec();
        let elements: Vec<(String, usize)> =
            variables.iter().flat_map(Variable::elements).collect();
        let n = evaluator.n_local();
        let mut values = Array2::zeros((particles.len(), elements.len()));
        for (draw, mut row) in values.rows_mut().into_iter().enumerate() {
            let (shared, z) = (&particles[draw].shared, &z[draw * n..(draw + 1) * n]);
            let reported = evaluator.reported_local(branch, shared, z);
            for (value, (_, position)) in row.iter_mut().zip(&elements) {
                *value = reported[*position];
            }
        }
        let names = elements.into_iter().map(|(name, _)| name).collect();
        let levels = variables.iter().flat_map(|v| v.levels(evaluator.data())).collect();
        Draws { variables, names, levels, values }
    }

    /// For each column the level behind its element, as in [`SummaryRow::level`].
    ///
    /// [`SummaryRow::level`]: super::SummaryRow::level
    pub fn levels(&self) -> &[String] {
        &self.levels
    }

    /// The names of the columns, as Stan writes elements: `mu[2]`, `L[2,1]`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The variables whose elements the columns are.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// All draws: one row a draw, one column an element.
    pub fn values(&self) -> &Array2<f64> {
        &self.values
    }

    /// The draws of one element.
    pub fn column(&self, name: &str) -> Option<ArrayView1<'_, f64>> {
        let position = self.names.iter().position(|known| known == name)?;
        Some(self.values.column(position))
    }
}
