//! How much memory machine code works in.

use super::evaluator::Evaluator;
use super::kernel::Kernel;
use super::program::Kernels;

impl Kernels {
    /// Every function that is called on branches or globals again and again.
    fn repeated(&self) -> [&Kernel; 10] {
        let Kernels { shared, shared_vjp, reported, density, gradient, reported_local, .. } = self;
        let (prior, likelihood) = (&self.prior, &self.likelihood);
        [
            shared,
            shared_vjp,
            reported,
            density,
            gradient,
            reported_local,
            &prior.expansion,
            &prior.vjp,
            &likelihood.expansion,
            &likelihood.vjp,
        ]
    }
}

impl Evaluator {
    /// The bytes of one clone's work space once it has called every function on the branch with
    /// most rows: each has its own, so that clones may be called on several threads.
    pub(crate) fn work_space_bytes(&self) -> usize {
        let kernels = self.kernels.repeated();
        let most = |of: fn(&Kernel) -> usize| kernels.iter().map(|k| of(k)).max().unwrap_or(0);
        most(Kernel::scratch_bytes)
            + size_of::<f64>() * most(|kernel| kernel.output_lengths().iter().sum())
    }

    /// The bytes of what is known of each branch beside its data.
    pub(crate) fn statistics_bytes(&self) -> usize {
        size_of_val(self.kernels.statistics.as_slice())
    }
}
