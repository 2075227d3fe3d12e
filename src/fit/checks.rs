//! The figures behind a verdict, as they are saved and shown.

use serde::Serialize;

use super::Fit;
use super::predictive::Predictive;
use super::quantities::Finding;
use crate::infer::importance::Importance;
use crate::infer::measure::BranchChecks;

/// Everything that was measured of a fit beside its ELBO. `docs/verdict.md` says how to read it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checks {
    /// Importance weights of the globals, where they could be afforded.
    pub global: Option<GlobalChecks>,
    /// A sample of branches; none where there are no locals, or no time.
    pub branches: Option<LocalChecks>,
    /// Outcomes drawn anew and held against the data.
    pub predictive: PredictiveChecks,
}

/// Importance weights of the globals, locals integrated out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GlobalChecks {
    /// Draws of q(θ) that were weighed.
    pub n_draws: usize,
    /// Their effective number over their number.
    pub relative_ess: f64,
    /// log mean w − mean log w, in nats.
    pub gap: f64,
    /// The shape of the tail of the weights.
    pub khat: f64,
    /// The variance of log w that comes from the draws of locals alone.
    pub local_noise: f64,
    /// Mean of log w: a bound on the log evidence, tighter than the ELBO.
    pub bound: f64,
}

/// Weights of locals given θ, free optimisation and a search for modes, on a sample of branches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LocalChecks {
    /// Branches of the sample.
    pub n_branches: usize,
    /// Median and mean over branches of log mean w − mean log w, in nats.
    pub gap_median: f64,
    /// The mean.
    pub gap_mean: f64,
    /// The median relative effective size.
    pub relative_ess_median: f64,
    /// Median k̂.
    pub khat_median: f64,
    /// Largest k̂.
    pub khat_max: f64,
    /// Share of branches with k̂ above 0.7.
    pub khat_above: f64,
    /// What free optimisation of a branch gains in nats of ELBO, its standard error, and the most
    /// that one branch gained.
    pub amortization_gap: Option<[f64; 3]>,
    /// Mean over branches, and the largest, of the share of the posterior in modes not covered.
    pub missed_modes: [f64; 2],
}

/// Replicated outcomes against the data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PredictiveChecks {
    /// One for each quantity of each outcome.
    pub quantities: Vec<QuantityCheck>,
    /// Outcomes that cannot be drawn: they are used in another way too.
    pub skipped: Vec<String>,
}

/// One quantity of one outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuantityCheck {
    /// The outcome.
    pub outcome: String,
    /// What was computed of it.
    pub quantity: &'static str,
    /// For the data.
    pub observed: f64,
    /// Smallest, median and largest for replicated data.
    pub replicated: [f64; 3],
    /// The two-sided posterior predictive p-value.
    pub p_value: f64,
    /// Whether the verdict objects.
    pub is_extreme: bool,
}

impl Fit {
    /// The figures behind the verdict.
    pub fn checks(&self) -> Checks {
        Checks {
            global: self.result.importance.as_ref().map(of_weights),
            branches: self.result.branches.as_ref().map(of_branches),
            predictive: of_predictive(&self.predictive),
        }
    }
}

fn of_weights(weights: &Importance) -> GlobalChecks {
    GlobalChecks {
        n_draws: weights.n_draws,
        relative_ess: weights.relative_ess,
        gap: weights.gap,
        khat: weights.khat,
        local_noise: weights.local_noise,
        bound: weights.bound,
    }
}

fn of_branches(checks: &BranchChecks) -> LocalChecks {
    let weights = &checks.weights;
    LocalChecks {
        n_branches: weights.branches.len(),
        gap_median: weights.gap_median(),
        gap_mean: weights.gap_mean(),
        relative_ess_median: weights.ess_median(),
        khat_median: weights.khat_median(),
        khat_max: weights.khat_max(),
        khat_above: weights.khat_above(),
        amortization_gap: checks.gap.map(|gap| [gap.per_branch, gap.se, gap.largest]),
        missed_modes: [checks.modes.mean(), checks.modes.largest()],
    }
}

fn of_predictive(predictive: &Predictive) -> PredictiveChecks {
    let one = |finding: &Finding| QuantityCheck {
        outcome: finding.outcome.clone(),
        quantity: finding.quantity.name(),
        observed: finding.observed,
        replicated: finding.replicated,
        p_value: finding.p_value,
        is_extreme: finding.is_extreme,
    };
    PredictiveChecks {
        quantities: predictive.findings.iter().map(one).collect(),
        skipped: predictive.skipped.clone(),
    }
}
