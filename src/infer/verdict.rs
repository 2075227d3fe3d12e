//! Whether to believe a fit.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::estimate::Estimate;
use super::importance::Importance;
use super::optimise::MAX_CYCLES;

/// Whether to believe a fit, and if not, why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// True iff there is no reason against it.
    pub believable: bool,
    /// Sentences for the user.
    pub reasons: Vec<String>,
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
    /// The final ELBO.
    pub elbo: &'a Estimate,
    /// Weights of θ, where they could be afforded.
    pub importance: Option<&'a Importance>,
}

impl Findings<'_> {
    /// The verdict on them.
    pub fn judge(&self) -> Verdict {
        let mut reasons = vec![];
        if self.interrupted {
            reasons.push("the fit was interrupted".to_owned());
        } else if self.has_diverged {
            reasons.push("the optimisation kept diverging at ever smaller steps".to_owned());
        } else {
            match self.ended {
                Ended::Converged => {}
                Ended::Limit(limit) => reasons.push(format!(
                    "the limit of {limit} was reached before the ELBO was seen to have settled"
                )),
                Ended::Cycles => {
                    reasons.push(format!("the ELBO still changed after {MAX_CYCLES} cycles"));
                }
            }
        }
        if self.elbo.non_finite > 0 {
            let (bad, all) = (self.elbo.non_finite, self.elbo.draws);
            reasons.push(format!("{bad} of {all} final evaluations were not finite"));
        }
        let se_bound = 0.5 + 1e-4 * self.elbo.value.abs();
        if self.elbo.se.is_nan() || self.elbo.se >= se_bound {
            reasons.push(format!(
                "the Monte Carlo error of the ELBO is {:.2} nats: rare draws dominate it",
                self.elbo.se
            ));
        }
        if let Some(weights) = self.importance.filter(|weights| weights.is_poor()) {
            reasons.push(format!(
                "importance weights of the globals have a relative effective size of {:.3}: \
                 the approximation misses part of the posterior",
                weights.relative_ess
            ));
        }
        Verdict { believable: reasons.is_empty(), reasons }
    }
}
