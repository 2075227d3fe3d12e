//! How long each function of a model takes for all branches: what a step of a fit is made of.

use std::time::Instant;

use super::Evaluator;
use crate::target::{Part, Target};

impl Evaluator {
    /// Seconds that one pass over all branches takes at a position, on this thread, by what is
    /// computed: the log density of a branch, its gradient in zᵢ and θ, and gradient and curvature
    /// in zᵢ of prior and likelihood (`expansion`) with their derivative in θ (`expansion_vjp`).
    ///
    /// # Panics
    /// When `position` does not have [`Evaluator::dimension`] elements.
    pub fn pass_seconds(&mut self, position: &[f64]) -> Vec<(&'static str, f64)> {
        assert_eq!(position.len(), self.dimension(), "a position has one element per unknown");
        let (n_global, n, n_shared) = (self.n_global(), self.n_local(), self.n_shared());
        let (theta, z) = position.split_at(n_global);
        let mut shared = vec![0.0; n_shared];
        self.shared(theta, &mut shared);
        let (mut dz, mut dshared) = (vec![0.0; n], vec![0.0; n_shared]);
        let mut curvature = vec![0.0; n * n];
        let mut time = |name, pass: &mut dyn FnMut(&mut Self, usize, &[f64])| {
            let start = Instant::now();
            for branch in 0..self.n_branches() {
                pass(self, branch, &z[branch * n..(branch + 1) * n]);
            }
            (name, start.elapsed().as_secs_f64())
        };
        let mut passes = vec![
            time("density", &mut |target, branch, z| {
                target.density(branch, &shared, z);
            }),
            time("gradient", &mut |target, branch, z| {
                target.gradient(branch, &shared, z, 1.0, &mut dz, &mut dshared);
            }),
        ];
        for (part, expansion, vjp) in [
            (Part::Prior, "prior_expansion", "prior_expansion_vjp"),
            (Part::Likelihood, "likelihood_expansion", "likelihood_expansion_vjp"),
        ] {
            passes.push(time(expansion, &mut |target, branch, z| {
                target.expansion(part, branch, &shared, z, &mut dz, &mut curvature);
            }));
            passes.push(time(vjp, &mut |target, branch, z| {
                let (g, h) = (&dz, &curvature);
                target.expansion_vjp(part, branch, &shared, z, g, h, &mut dshared);
            }));
        }
        passes
    }
}
