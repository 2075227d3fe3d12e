//! Whether to believe a fit. `docs/verdict.md` explains each figure and how its bound was set.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::importance::{Importance, LEAST_DRAWS};
use super::measure::{BranchChecks, Measured};
use super::optimise::MAX_CYCLES;

/// Effective draws of θ, and their share of all, below which both the guide is not to be believed.
const POOR_EFFECTIVE_DRAWS: f64 = 30.0;
const POOR_GLOBAL_ESS: f64 = 0.01;
/// Gap of a branch, in nats, above which its guide is poor, and the share of poor ones that is
/// too many.
const POOR_BRANCH_GAP: f64 = 0.5;
const POOR_BRANCHES: f64 = 0.1;
/// Standard deviations that every global may be off unseen.
const COARSE_SHIFT: f64 = 1.0;
/// Amortization gap per branch, in nats, that is too much.
const LARGE_AMORTIZATION_GAP: f64 = 0.2;
/// Share of a branch's posterior in modes not covered that matters, and the mean over branches
/// that is too much.
const MISSED: f64 = 0.05;
const MISSED_ON_AVERAGE: f64 = 0.01;

/// Whether to believe a fit, and if not, why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// True iff there is no reason against it.
    pub believable: bool,
    /// Why not: each says what was seen, what that means, and what can be done.
    pub reasons: Vec<String>,
    /// What a believable verdict does not rest on, and what else to know.
    pub notes: Vec<String>,
}

impl Verdict {
    /// Adds a reason against the fit.
    pub fn object(&mut self, reason: String) {
        self.believable = false;
        self.reasons.push(reason);
    }
}

/// How the optimisation came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// A cycle gained nothing.
    Converged,
    /// A limit was reached before.
    Limit(Limit),
    /// There were as many cycles as there may be.
    Cycles,
}

/// A limit that the caller set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limit {
    /// Of optimisation steps.
    Steps,
    /// Of wall-clock seconds.
    Seconds,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Steps => "steps",
            Self::Seconds => "seconds",
        })
    }
}

/// What is known of a fit at its end.
#[derive(Clone, Copy, Debug)]
pub struct Findings<'a> {
    /// How the optimisation ended.
    pub ended: Ended,
    /// Whether the caller stopped it.
    pub interrupted: bool,
    /// Whether it fell back more often than allowed.
    pub has_diverged: bool,
    /// Unconstrained globals.
    pub n_global: usize,
    /// Nats that a cycle may have gained and still counted as none; after Newton steps of q(θ), what
    /// is left to gain by its means and what the last cycle moved them.
    pub resolved: f64,
    /// What was measured of the guide.
    pub measured: &'a Measured,
}

impl Findings<'_> {
    /// The verdict on them.
    pub fn judge(&self) -> Verdict {
        let mut verdict = Verdict { believable: true, ..Verdict::default() };
        self.judge_end(&mut verdict);
        self.judge_elbo(&mut verdict);
        if self.n_global > 0 {
            judge_global(self.measured.importance.as_ref(), &mut verdict);
            self.judge_resolution(&mut verdict);
        }
        if let Some(checks) = &self.measured.branches {
            judge_branches(checks, &mut verdict);
        }
        verdict
    }

    /// What the last cycle could not tell from nothing may be a shift of the globals: with n of
    /// them, s standard deviations each cost n s² / 2 nats. Weights that correct see for themselves.
    fn judge_resolution(&self, verdict: &mut Verdict) {
        let shift = (2.0 * self.resolved / self.n_global as f64).sqrt();
        let is_corrected = self.measured.importance.as_ref().is_some_and(Importance::is_usable);
        if shift > COARSE_SHIFT && !is_corrected {
            verdict.object(format!(
                "the fit ended where {:.0} nats could not be told from nothing: the globals may be off by {shift:.1} of their standard \
                 deviations each, whatever those say; a smaller --tolerance helps as far as the \
                 ELBO is known that well, and larger minibatches (--batch)",
                self.resolved
            ));
        }
    }

    fn judge_end(&self, verdict: &mut Verdict) {
        if self.interrupted {
            verdict.object(
                "the fit was interrupted: its figures are those of an unfinished approximation; \
                 let it run to its end"
                    .to_owned(),
            );
        } else if self.has_diverged {
            verdict.object(
                "the optimisation kept diverging at ever smaller steps: the figures are those of \
                 the best point it passed; look for globals that the data hardly determine, and \
                 give them tighter priors, or another form (docs/verdict.md)"
                    .to_owned(),
            );
        } else {
            match self.ended {
                Ended::Converged => {}
                Ended::Limit(limit) => verdict.object(format!(
                    "the limit of {limit} was reached before the ELBO was seen to have settled: \
                     means may still be on their way and standard deviations are not settled; \
                     allow more with --max-{limit}"
                )),
                Ended::Cycles => verdict.object(format!(
                    "the fit still changed after {MAX_CYCLES} cycles: the optimisation is slow \
                     or noisy here; try another --seed, a smaller --step-size, or more --particles"
                )),
            }
        }
    }

    fn judge_elbo(&self, verdict: &mut Verdict) {
        let elbo = &self.measured.elbo;
        if elbo.non_finite > 0 {
            let (bad, all) = (elbo.non_finite, elbo.draws);
            verdict.object(format!(
                "{bad} of {all} final evaluations of the density were not finite: part of the \
                 approximation lies where the model allows nothing or overflows; look for bounds \
                 that are not declared, divisions and logarithms"
            ));
        }
        let bound = 0.5 + 1e-4 * elbo.value.abs();
        if elbo.se.is_nan() || elbo.se >= bound {
            verdict.object(format!(
                "the Monte Carlo error of the ELBO is {:.2} nats: rare draws dominate it, so the \
                 approximation reaches where the posterior does not",
                elbo.se
            ));
        }
    }
}

fn judge_global(importance: Option<&Importance>, verdict: &mut Verdict) {
    let Some(weights) = importance else {
        verdict.notes.push(format!(
            "the globals were not checked by importance weights: {LEAST_DRAWS} draws over all \
             branches were too costly, or the globals are more than a dense approximation holds; \
             that they are right rests on convergence and on the checks of branches"
        ));
        return;
    };
    if weights.is_noise() {
        verdict.notes.push(format!(
            "importance weights say nothing of the globals here: the draws of the locals leave a \
             variance of {:.1} in their logarithms; that the globals are right rests on \
             convergence and on the checks of branches",
            weights.local_noise
        ));
        return;
    }
    let is_uneven =
        weights.relative_ess <= POOR_GLOBAL_ESS && weights.effective_draws <= POOR_EFFECTIVE_DRAWS;
    if weights.relative_ess.is_nan() || is_uneven || weights.is_poor() {
        verdict.object(format!(
            "importance weights of the globals have a relative effective size of {:.3} and a gap \
             of {:.1} nats, and {} weighted draws are worth {:.0}: the approximation of the globals \
             misses part of the posterior; their standard deviations are likely too small, means \
             may be off; scale parameters that the data hardly determine are the usual cause: \
             tighter priors or non-centred locals help (docs/verdict.md)",
            weights.relative_ess,
            weights.gap,
            weights.weights.len(),
            weights.effective_draws
        ));
    }
    if weights.n_draws < 1000 {
        verdict.notes.push(format!(
            "only {} draws of the globals were weighed: the data are large",
            weights.n_draws
        ));
    }
}

fn judge_branches(checks: &BranchChecks, verdict: &mut Verdict) {
    let weights = &checks.weights;
    let n = weights.branches.len();
    let is_poor = |gap: f64| gap.is_nan() || gap > POOR_BRANCH_GAP;
    let share = weights.share(|branch| is_poor(branch.gap));
    if share > POOR_BRANCHES {
        verdict.object(format!(
            "in {:.0} % of {n} branches looked at, importance weights of the locals show an \
             approximation more than {POOR_BRANCH_GAP} nats away from the branch's posterior \
             (relative effective size {:.2} in the median): locals are off, and globals with them \
             where many branches are; try --family branch, or write the locals in another form",
            100.0 * share,
            weights.ess_median()
        ));
    }
    if weights.non_finite() > 0 {
        verdict.object(format!(
            "{} of the draws of locals in {n} branches looked at were not finite: part of the \
             approximation lies where the model allows nothing or overflows",
            weights.non_finite()
        ));
    }
    if let Some(gap) =
        checks.gap.filter(|gap| gap.per_branch - 2.0 * gap.se > LARGE_AMORTIZATION_GAP)
    {
        verdict.object(format!(
            "optimised by itself, a branch gains {:.2} ± {:.2} nats: what computes locals from \
             data is not as good as free parameters; locals are off; try --family branch, another \
             --encoder, or more steps",
            gap.per_branch, gap.se
        ));
    }
    let modes = &checks.modes;
    if modes.mean() > MISSED_ON_AVERAGE {
        verdict.object(format!(
            "{} of {n} branches looked at have modes that the approximation does not cover, up to \
             {:.0} % of a branch's posterior: their locals have one answer where the data allow \
             several; constrain the locals so that one is left, or sum the alternatives out with \
             log_sum_exp",
            modes.count_above(MISSED),
            100.0 * modes.largest()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::estimate::Estimate;
    use super::*;

    /// With n globals, s standard deviations each cost n s² / 2 nats.
    #[test]
    fn ends_too_coarse_for_the_globals_are_not_believed_where_no_weights_look() {
        let elbo = Estimate { value: -1e6, se: 1.0, draws: 16, non_finite: 0 };
        let measured = Measured { elbo, bound: None, importance: None, branches: None };
        let of = |n_global: usize, resolved: f64| {
            let ended = Ended::Converged;
            let (interrupted, has_diverged) = (false, false);
            Findings { ended, interrupted, has_diverged, n_global, resolved, measured: &measured }
                .judge()
        };
        assert!(of(75, 37.0).believable && of(1, 0.49).believable && of(0, 1e6).believable);
        for (n_global, resolved, shift) in [(75, 352.0, "3.1"), (75, 38.0, "1.0"), (1, 2.0, "2.0")]
        {
            let verdict = of(n_global, resolved);
            let expected = format!("may be off by {shift} of their standard deviations");
            assert!(verdict.reasons.iter().any(|r| r.contains(&expected)), "{verdict:?}");
        }
    }
}
