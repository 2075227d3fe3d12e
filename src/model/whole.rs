//! Log density and gradient of the whole model, over all branches.
//!
//! Branches are cut into shards whose borders depend on their number alone, and what shards give
//! is added in their order: threads change no bit.

use ndarray::Array1;
use rayon::prelude::*;

use super::evaluator::{EvaluateError, Evaluator, add_adjoints};
use super::kernel::Arguments;
use crate::target::Target;

const MAX_SHARDS: usize = 128;
/// Rows and branches below which threads cost more than they save.
const WORTH_THREADS: usize = 20_000;

/// What a shard of branches adds.
struct Sums {
    log_density: f64,
    of_shared: Vec<f64>,
}

impl Evaluator {
    /// log p(θ, z, y | x) in unconstrained space, log-Jacobians included, and its gradient.
    /// `position` holds θ, then the locals of each branch in the order of their keys.
    ///
    /// Runs on the threads of the rayon pool it is called in where that pays, and gives the same
    /// bits for any number of them.
    ///
    /// # Errors
    /// When `position` does not have [`Evaluator::dimension`] elements.
    pub fn log_density_gradient(
        &mut self,
        position: &[f64],
    ) -> Result<(f64, Array1<f64>), EvaluateError> {
        let (n_global, n_local) = (self.n_global(), self.n_local());
        let (expected, found) = (self.dimension(), position.len());
        if expected != found {
            return Err(EvaluateError::Length { expected, found });
        }
        let (theta, z) = position.split_at(n_global);
        let mut shared = vec![0.0; self.n_shared()];
        let mut log_density = self.shared(theta, &mut shared);
        let mut gradient = vec![0.0; expected];
        let (of_theta, mut of_z) = gradient.split_at_mut(n_global);
        let per_shard = self.n_branches().div_ceil(MAX_SHARDS).max(1);
        let mut shards = Vec::new();
        for start in (0..self.n_branches()).step_by(per_shard) {
            let branches = start..(start + per_shard).min(self.n_branches());
            let (own, rest) = of_z.split_at_mut(branches.len() * n_local);
            of_z = rest;
            shards.push((branches, own));
        }
        let work = self.n_branches() + self.data().n_rows_total();
        let sums: Vec<Sums> = if work < WORTH_THREADS || rayon::current_num_threads() == 1 {
            let each = shards.into_iter();
            each.map(|(branches, dz)| self.shard_gradient(branches, &shared, z, dz)).collect()
        } else {
            let worker = || self.with_own_work_space();
            let each = shards.into_par_iter().map_init(worker, |worker, (branches, dz)| {
                worker.shard_gradient(branches, &shared, z, dz)
            });
            each.collect()
        };
        let mut of_shared = vec![0.0; shared.len()];
        for shard in sums {
            log_density += shard.log_density;
            of_shared.iter_mut().zip(&shard.of_shared).for_each(|(sum, part)| *sum += part);
        }
        self.shared_vjp(theta, &of_shared, of_theta);
        Ok((log_density, Array1::from(gradient)))
    }

    /// The gradient in the locals of these branches to `of_z`, and what they add to the rest.
    fn shard_gradient(
        &mut self,
        branches: std::ops::Range<usize>,
        shared: &[f64],
        z: &[f64],
        of_z: &mut [f64],
    ) -> Sums {
        let (n_local, first) = (self.n_local(), branches.start);
        let mut sums = Sums { log_density: 0.0, of_shared: vec![0.0; shared.len()] };
        let kernels = &*self.kernels;
        let (mask, statistics) = (&kernels.mask, &kernels.statistics);
        let arguments = Arguments { z, shared, mask, statistics, ..Arguments::default() };
        let work_space = (&mut self.out, &mut self.scratch);
        let each = |branch: usize, out: &[f64]| {
            let place = branch - first;
            let dz = &mut of_z[place * n_local..(place + 1) * n_local];
            let density = add_adjoints(&kernels.adjoints, out, 1.0, dz, &mut sums.of_shared);
            sums.log_density += density.total();
        };
        let data = &kernels.data;
        kernels.gradient.call_each(branches, n_local, &arguments, data, work_space, each);
        sums
    }
}
