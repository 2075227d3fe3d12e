//! Settings of a fit.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::data::BoundData;
use crate::infer::config::{self as engine, Coupling, Covariance, Encoder, Family};

/// Settings of a fit. The default needs no change: what is not set follows from the sizes of
/// the problem.
#[derive(Clone, Debug)]
pub struct FitConfig {
    pub(crate) engine: engine::FitConfig,
    pub(crate) holdout: Option<f64>,
    pub(crate) holdout_branches: Option<f64>,
    pub(crate) test: Option<BoundData>,
    pub(crate) draws: usize,
    pub(crate) log_likelihood: bool,
    pub(crate) max_memory: Option<u64>,
}

impl Default for FitConfig {
    fn default() -> Self {
        FitConfig {
            engine: engine::FitConfig::default(),
            holdout: None,
            holdout_branches: None,
            test: None,
            draws: 20_000,
            log_likelihood: false,
            max_memory: None,
        }
    }
}

impl FitConfig {
    /// The same seed gives the same fit; 1 by default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.engine.seed = seed;
        self
    }

    /// The approximating family.
    pub fn family(mut self, family: Family) -> Self {
        self.engine.family = family;
        self
    }

    /// How the parts of the approximation vary together; by default what suits the family.
    pub fn covariance(mut self, covariance: Covariance) -> Self {
        self.engine.covariance = Some(covariance);
        self
    }

    /// How a dense covariance writes the means of branches; by default what suits what gives them.
    pub fn coupling(mut self, coupling: Coupling) -> Self {
        self.engine.coupling = Some(coupling);
        self
    }

    /// What computes the posterior of a branch from its data, in the amortized family.
    pub fn encoder(mut self, encoder: Encoder) -> Self {
        self.engine.encoder = encoder;
        self
    }

    /// Draws of θ a step.
    pub fn particles(mut self, particles: usize) -> Self {
        self.engine.particles = Some(particles);
        self
    }

    /// Draws of each branch's locals for one of θ. Above one, the bound in which they are importance-weighted is
    /// climbed in place of the ELBO: closer to the log evidence, at so many times the work.
    pub fn importance_samples(mut self, samples: usize) -> Self {
        self.engine.importance_samples = samples;
        self
    }

    /// Branches a step.
    pub fn batch(mut self, batch: usize) -> Self {
        self.engine.batch = Some(batch);
        self
    }

    /// Adam's step size, in units of the posterior's width.
    pub fn step_size(mut self, step_size: f64) -> Self {
        self.engine.step_size = Some(step_size);
        self
    }

    /// Limit of optimisation steps.
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        self.engine.max_steps = max_steps;
        self
    }

    /// Limit of seconds for the optimisation; final measurements come on top.
    pub fn max_seconds(mut self, max_seconds: f64) -> Self {
        self.engine.max_seconds = Some(max_seconds);
        self
    }

    /// The gain in nats below which the fit has converged: 0.02 by default, or 2·10⁻⁵ for each row
    /// where that is more, but no more than 0.045 nats for each global (what a shift of all by 0.3
    /// of their standard deviations costs), and always what can be told from noise.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.engine.tolerance = Some(tolerance);
        self
    }

    /// Threads; all by default. They do not change the result.
    pub fn threads(mut self, threads: usize) -> Self {
        self.engine.threads = Some(threads);
        self
    }

    /// Keeps this share of each branch's rows, rounded down, out of the fit and scores it.
    pub fn holdout(mut self, fraction: f64) -> Self {
        self.holdout = Some(fraction);
        self
    }

    /// Keeps this share of the branches, rounded down but at least one, out of the fit and scores
    /// them as new ones.
    pub fn holdout_branches(mut self, fraction: f64) -> Self {
        self.holdout_branches = Some(fraction);
        self
    }

    /// Scores these data, which [`Dataset::bind_like`] bound in the terms of those that are
    /// fitted: rows of branches that are fitted given their other rows, and all rows of others.
    ///
    /// [`Dataset::bind_like`]: crate::data::Dataset::bind_like
    pub fn test(mut self, data: BoundData) -> Self {
        self.test = Some(data);
        self
    }

    /// Draws of the globals behind summaries; 20 000 by default.
    pub fn draws(mut self, draws: usize) -> Self {
        self.draws = draws;
        self
    }

    /// Whether the draws that are written come with the log likelihood of each observation.
    pub fn log_likelihood(mut self, wanted: bool) -> Self {
        self.log_likelihood = wanted;
        self
    }

    /// Refuses, before it begins, a fit that would hold more than so many bytes, data included.
    /// [`memory_need`](super::memory_need) says how many it would.
    pub fn max_memory(mut self, bytes: u64) -> Self {
        self.max_memory = Some(bytes);
        self
    }

    /// Once this is true, the fit ends within a moment with [`FitError::Interrupted`].
    ///
    /// [`FitError::Interrupted`]: super::FitError::Interrupted
    pub fn stop(mut self, stop: Arc<AtomicBool>) -> Self {
        self.engine.stop = Some(stop);
        self
    }

    /// The limits of optimisation steps and, where there is one, of seconds.
    pub fn limits(&self) -> (usize, Option<f64>) {
        (self.engine.max_steps, self.engine.max_seconds)
    }

    /// The same settings on the caller's threads and with another seed.
    pub(crate) fn on_callers_threads(&self, seed: u64) -> Self {
        let mut config = self.clone().seed(seed);
        config.engine.threads = None;
        config
    }

    pub(crate) fn threads_of(&self) -> Option<usize> {
        self.engine.threads
    }

    pub(crate) fn family_of(&self) -> Family {
        self.engine.family
    }

    pub(crate) fn covariance_of(&self) -> Covariance {
        self.engine.covariance()
    }

    pub(crate) fn coupling_of(&self) -> Option<Coupling> {
        self.engine.coupling
    }

    pub(crate) fn encoder_of(&self) -> Option<Encoder> {
        (self.engine.family == Family::Amortized).then_some(self.engine.encoder)
    }

    pub(crate) fn seed_of(&self) -> u64 {
        self.engine.seed
    }

    /// What decides how a fit goes, but for its limits: names and values.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let Self {
            engine,
            holdout,
            holdout_branches,
            test,
            draws,
            log_likelihood: _,
            max_memory: _,
        } = self;
        // Threads change no bit, and a fit may go on with other limits.
        let engine::FitConfig {
            family,
            covariance: _,
            coupling,
            encoder,
            seed,
            particles,
            importance_samples,
            batch,
            step_size,
            max_steps: _,
            max_seconds: _,
            tolerance,
            draws: weighted_draws,
            threads: _,
            stop: _,
        } = engine;
        let chosen = |value: Option<String>| value.unwrap_or("automatic".to_owned());
        let or_none = |value: Option<String>| value.unwrap_or("none".to_owned());
        let settings = [
            ("family", format!("{family:?}").to_lowercase()),
            ("covariance", format!("{:?}", engine.covariance()).to_lowercase()),
            ("coupling", chosen(coupling.map(|form| format!("{form:?}").to_lowercase()))),
            ("encoder", format!("{encoder:?}").to_lowercase()),
            ("seed", seed.to_string()),
            ("particles", chosen(particles.map(|n| n.to_string()))),
            ("importance-samples", importance_samples.to_string()),
            ("batch", chosen(batch.map(|n| n.to_string()))),
            ("step-size", chosen(step_size.map(|x| x.to_string()))),
            ("tolerance", chosen(tolerance.map(|nats| nats.to_string()))),
            ("draws", draws.to_string()),
            ("weighted draws", weighted_draws.to_string()),
            ("holdout", or_none(holdout.map(|x| x.to_string()))),
            ("holdout-branches", or_none(holdout_branches.map(|x| x.to_string()))),
            ("test", or_none(test.as_ref().map(|data| format!("{:016x}", data.fingerprint())))),
        ];
        settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
