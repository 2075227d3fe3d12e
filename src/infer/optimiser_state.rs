//! Where an optimisation stands, between any two of its steps.

use serde::{Deserialize, Serialize};

use super::config::FitConfig;
use super::elbo::Guide;
use super::newton::Ascent;
use super::optimise::{Stage, StepInfo};
use super::plan::Plan;
use super::shards::Shards;
use super::state::{Average, FitState};
use super::verdict::Ended;
use super::watch::{Seen, Watched};
use crate::target::Target;

const MAX_ROLLBACKS: usize = 12;

/// All that decides what an optimisation does next, and what it recorded. A saved state goes on
/// with the same bits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OptimiserState {
    /// What the next step needs.
    pub(super) fit: FitState,
    /// Seconds that all runs up to here took.
    pub(super) seconds: f64,
    /// What is under way.
    pub(super) phase: Phase,
    /// Cycles completed.
    pub(super) cycle: usize,
    /// Of the phase of constant step size.
    pub(super) step_size: f64,
    /// Steps since the last look at the ELBO.
    pub(super) since_look: usize,
    /// Whether the last of them was finite.
    pub(super) finite: bool,
    /// The step at which this phase began.
    pub(super) first: usize,
    /// The share of the limits at which the phase of constant step size has to end.
    pub(super) flat_limit: f64,
    /// Its looks since it last fell back.
    pub(super) window: Vec<f64>,
    /// What this cycle falls back to.
    pub(super) good: Seen,
    /// Whether the phase of constant step size ended at rest.
    pub(super) was_stationary: bool,
    /// Steps of the decay.
    pub(super) decay_length: usize,
    /// Of the iterates of its last quarter.
    pub(super) average: Average,
    /// The best end of a cycle so far, the start at first; looked at on all branches.
    pub(super) best: Seen,
    /// The gain, in nats, that the last cycle was judged by: less could not be told from none.
    #[serde(default)]
    pub(super) resolved: f64,
    /// How often it fell back.
    pub(super) rollbacks: usize,
    /// Newton steps of q(θ), where the plan has them.
    #[serde(default)]
    pub(super) ascent: Ascent,
    /// The watched ELBO over time.
    pub(super) trace: Vec<StepInfo>,
}

/// What an optimisation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    /// About to begin a cycle.
    Begin,
    /// Newton steps of q(θ): before the first cycle, and at the end of each.
    Newton,
    /// Steps of constant size.
    Flat,
    /// Steps of falling size.
    Decay,
    /// About to judge a cycle.
    Judge,
    /// Nothing more: the optimisation is over.
    Over(Ended),
}

impl OptimiserState {
    /// What to tell of the phase, where it has steps.
    pub fn stage(&self) -> Option<Stage> {
        let cycle = self.cycle + 1;
        match self.phase {
            Phase::Newton => {
                Some(Stage::Newton { cycle: self.cycle + usize::from(self.is_under_way()) })
            }
            Phase::Flat => Some(Stage::Flat { cycle }),
            Phase::Decay => {
                Some(Stage::Decay { cycle, from: self.first, steps: self.decay_length })
            }
            _ => None,
        }
    }

    /// Before the first step from `guide`; `seconds` were spent to find it.
    pub(super) fn new<T: Target>(
        shards: &mut Shards<T>,
        plan: &Plan,
        config: &FitConfig,
        guide: Guide,
        seconds: f64,
    ) -> Self {
        let fit = FitState::new(&guide, shards.target());
        let watched = match plan.newton {
            // The first cycle looks, once q(θ) is where it belongs.
            Some(_) => Watched::unseen(),
            None => Watched::of_all(shards, plan, config.seed, &guide),
        };
        let best = Seen { guide, watched };
        Self {
            fit,
            seconds,
            phase: if plan.newton.is_some() { Phase::Newton } else { Phase::Begin },
            cycle: 0,
            step_size: plan.step_size,
            since_look: 0,
            finite: true,
            first: 0,
            flat_limit: 0.0,
            window: vec![],
            good: best.clone(),
            was_stationary: false,
            decay_length: 0,
            average: Average::default(),
            best,
            rollbacks: 0,
            resolved: 0.0,
            ascent: Ascent::default(),
            trace: vec![],
        }
    }

    /// Optimisation steps taken.
    pub fn steps(&self) -> usize {
        self.fit.step
    }

    /// Whether a cycle has begun.
    pub(super) fn is_under_way(&self) -> bool {
        self.flat_limit > 0.0
    }

    /// Whether it fell back more often than allowed.
    pub(super) fn has_diverged(&self) -> bool {
        self.rollbacks > MAX_ROLLBACKS
    }

    /// The size of a step of this phase.
    pub(super) fn size_of(&self, step: usize) -> f64 {
        let done = (step - self.first) as f64;
        match self.phase {
            Phase::Decay => self.step_size * (1.0 - 0.98 * done / self.decay_length as f64),
            _ => self.step_size,
        }
    }

    /// Back to the last good guide of this cycle.
    pub(super) fn fall_back(&mut self) {
        self.fit.return_to(&self.good.guide);
        self.average = Average::default();
        self.rollbacks += 1;
    }
}
