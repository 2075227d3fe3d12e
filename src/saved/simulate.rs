//! Outcomes drawn at one draw of the unknowns from the posterior.

use super::{SavedError, SavedFit};
use crate::data::Dataset;
use crate::infer::elbo;
use crate::infer::posterior::{self, BranchSampler};
use crate::infer::shards::Shards;
use crate::model::Point;
use crate::simulate::{SimulateConfig, Simulated, simulate_in};
use crate::target::Target;

impl SavedFit {
    /// Draws the outcomes of `data` anew. The unknowns are one draw, the one of this seed, from
    /// the posterior: globals as the fit has them, locals given the rows of `data` that have
    /// outcomes, or from the prior given the globals.
    ///
    /// # Errors
    /// When the data do not go with the fit, or outcomes cannot be drawn.
    pub fn simulate(&self, data: Dataset, seed: u64) -> Result<Simulated, SavedError> {
        let new = self.bind_new(&data)?;
        let mut evaluator = new.model.evaluator(&new.data)?;
        let mean = self.contents.facts.guide.global.mean();
        new.check_reads(&evaluator, &elbo::shared_at(&mut evaluator.clone(), &mean).0)?;
        let guide = &self.guide_of(&mut Shards::new(&evaluator, None), &new.data);
        let theta = self.contents.theta_draws(1, seed);
        let globals = evaluator.unknown_globals(&theta, 1).remove(0);
        let particles = posterior::particles(&mut evaluator, guide, &theta, 1);
        let mut sampler = BranchSampler::new(&mut evaluator, guide, seed);
        let layout = evaluator.reported_local_layout().clone();
        let mut locals = Vec::with_capacity(evaluator.n_branches());
        for branch in 0..evaluator.n_branches() {
            let z = sampler.draws(&mut evaluator, branch, &particles).ok_or_else(|| {
                let label = new.data.branch_label(branch);
                SavedError::refused(
                    format!("the draw of branch {label} is not finite"),
                    "take another `--seed`, or leave the branch out",
                )
            })?;
            let reported = evaluator.reported_local(branch, &particles[0].shared, &z);
            locals.push(layout.unknowns(reported));
        }
        let config = SimulateConfig { seed, point: Some(Point { globals, locals }) };
        Ok(simulate_in(&self.model, data, &config, self.terms())?)
    }
}
