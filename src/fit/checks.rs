//! The figures behind a verdict, as they are saved and shown.

use ndarray::ArrayView1;
use serde::Serialize;

use super::Fit;
use super::draws::Draws;
use super::predictive::Predictive;
use super::quantities::Finding;
use crate::infer::importance::{Importance, is_heavy};
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
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// How many draws of the posterior the weighted draws are worth.
    pub effective_draws: f64,
    /// The global that the weights would move most.
    pub worst: Option<Shift>,
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
    /// Whether the data are out of reach: a reason against the fit, or a note where they vary
    /// less than the model allows.
    pub is_extreme: bool,
}

/// How far the importance weights would move a summary of a global.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shift {
    /// The global.
    pub name: String,
    /// Mean under the approximation less mean under the weights, in standard deviations of the
    /// latter.
    pub z: f64,
    /// The standard deviation under the approximation over that under the weights.
    pub sd_ratio: f64,
}

/// Error of a mean, in posterior standard deviations, and of a standard deviation, by a factor,
/// from which a summary is not to be believed.
const WRONG_MEAN: f64 = 0.3;
const WRONG_SD: f64 = 1.35;

impl Shift {
    /// How bad it is: one where it is as bad as can be borne.
    fn badness(&self) -> f64 {
        (self.z.abs() / WRONG_MEAN).max(self.sd_ratio.ln().abs() / WRONG_SD.ln())
    }
}

/// The global that weights would move most; none where there are no weights that tell.
pub(super) fn worst_shift(fit: &Fit) -> Option<Shift> {
    let weights = fit.result.importance.as_ref().filter(|weights| weights.tells_moments())?;
    let mut evaluator = fit.evaluator.clone();
    let count = weights.weights.len();
    let draws = Draws::of_globals(&mut evaluator, &weights.theta, count);
    let of_guide: Vec<f64> =
        (0..count).map(|p| if is_heavy(p) { 0.0 } else { 1.0 / weights.n_draws as f64 }).collect();
    let shift = |(name, column): (&String, ArrayView1<f64>)| {
        let (mean, sd) = moments(column, &of_guide);
        let (weighted_mean, weighted_sd) = moments(column, &weights.weights);
        // What does not vary, but for rounding, cannot be moved.
        let varies = weighted_sd > 1e-9 * weighted_mean.abs();
        varies.then(|| Shift {
            name: name.clone(),
            z: (mean - weighted_mean) / weighted_sd,
            sd_ratio: sd / weighted_sd,
        })
    };
    let all = draws.names().iter().zip(draws.values().columns()).filter_map(shift);
    let finite = all.filter(|shift| shift.badness().is_finite());
    finite.max_by(|a, b| a.badness().total_cmp(&b.badness()))
}

fn moments(column: ArrayView1<f64>, weights: &[f64]) -> (f64, f64) {
    let total = |of: &dyn Fn(f64) -> f64| -> f64 {
        column.iter().zip(weights).map(|(&x, w)| if *w > 0.0 { w * of(x) } else { 0.0 }).sum()
    };
    let mean = total(&|x| x);
    (mean, total(&|x| (x - mean).powi(2)).sqrt())
}

/// An objection where the reported summaries are those of the approximation and the weights,
/// beyond their own noise, say that these are wrong.
pub(super) fn shift_reason(fit: &Fit) -> Option<String> {
    let weights = fit.result.importance.as_ref()?;
    let shift = fit.shift.as_ref().filter(|_| !fit.result.corrected)?;
    let noise = 1.0 / weights.effective_draws.sqrt();
    let is_wrong =
        shift.z.abs() > WRONG_MEAN + noise || shift.sd_ratio.ln().abs() > WRONG_SD.ln() + noise;
    is_wrong.then(|| {
        format!(
            "importance weights say that the mean of `{}` is off by {:+.2} posterior standard \
             deviations and its standard deviation is {:.2} times what it should be, and they are \
             worth too few draws ({:.0}) to correct it: more --draws may make up for that; \
             otherwise a tighter prior or another form of the model (docs/verdict.md)",
            shift.name, shift.z, shift.sd_ratio, weights.effective_draws
        )
    })
}

impl Fit {
    /// The figures behind the verdict.
    pub fn checks(&self) -> Checks {
        Checks {
            global: self.result.importance.as_ref().map(|w| of_weights(w, self.shift.clone())),
            branches: self.result.branches.as_ref().map(of_branches),
            predictive: of_predictive(&self.predictive),
        }
    }
}

fn of_weights(weights: &Importance, worst: Option<Shift>) -> GlobalChecks {
    GlobalChecks {
        n_draws: weights.n_draws,
        relative_ess: weights.relative_ess,
        gap: weights.gap,
        khat: weights.khat,
        local_noise: weights.local_noise,
        effective_draws: weights.effective_draws,
        worst,
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
