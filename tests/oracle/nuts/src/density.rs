//! The log density as the sampler wants it.

use std::collections::HashMap;

use hbdc::Evaluator;
use nuts_rs::{CpuLogpFunc, CpuMathError, HasDims, LogpError, rand};

use crate::scale::Scale;

/// The posterior of a model with data, up to a constant.
#[derive(Clone)]
pub struct LogDensity {
    evaluator: Evaluator,
    scales: Vec<Scale>,
    n_global: usize,
    n_local: usize,
}

/// The density is not finite there; the trajectory diverges.
#[derive(Debug, thiserror::Error)]
#[error("the density is not finite")]
pub struct NotFinite;

impl LogpError for NotFinite {
    fn is_recoverable(&self) -> bool {
        true
    }
}

impl LogDensity {
    pub fn new(evaluator: Evaluator, scales: Vec<Scale>) -> LogDensity {
        let n_global = evaluator.global_layout().len();
        let n_local = evaluator.local_layout().len();
        LogDensity { evaluator, scales, n_global, n_local }
    }

    pub fn dimension(&self) -> usize {
        self.evaluator.dimension()
    }

    /// The model's own unconstrained position.
    pub fn to_model(&self, position: &[f64]) -> Vec<f64> {
        let mut own = position.to_vec();
        let (theta, z) = own.split_at_mut(self.n_global);
        if self.n_local > 0 {
            for z in z.chunks_exact_mut(self.n_local) {
                self.scales.iter().for_each(|scale| scale.apply(theta, z));
            }
        }
        own
    }

    /// Log density at a position of the sampler; sets its gradient.
    pub fn value(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let own = self.to_model(position);
        let evaluated = self.evaluator.log_density_gradient(&own);
        let (mut value, slopes) = evaluated.expect("a position has the model's dimension");
        gradient.copy_from_slice(slopes.as_slice().expect("a vector is contiguous"));
        let (of_theta, of_z) = gradient.split_at_mut(self.n_global);
        let (theta, epsilon) = position.split_at(self.n_global);
        if self.n_local > 0 {
            let branches = epsilon.chunks_exact(self.n_local);
            for (epsilon, of_z) in branches.zip(of_z.chunks_exact_mut(self.n_local)) {
                for scale in &self.scales {
                    value += scale.pull_back(theta, epsilon, of_z, of_theta);
                }
            }
        }
        value
    }
}

impl HasDims for LogDensity {
    fn dim_sizes(&self) -> HashMap<String, u64> {
        HashMap::from([("unconstrained_parameter".to_string(), self.dimension() as u64)])
    }
}

impl CpuLogpFunc for LogDensity {
    type LogpError = NotFinite;
    type FlowParameters = ();
    type ExpandedVector = Vec<f64>;

    fn dim(&self) -> usize {
        self.dimension()
    }

    fn logp(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64, NotFinite> {
        let value = self.value(position, gradient);
        match value.is_finite() && gradient.iter().all(|slope| slope.is_finite()) {
            true => Ok(value),
            false => Err(NotFinite),
        }
    }

    fn expand_vector<R: rand::Rng + ?Sized>(
        &mut self,
        _random: &mut R,
        position: &[f64],
    ) -> Result<Vec<f64>, CpuMathError> {
        Ok(position.to_vec())
    }
}
