//! Settings of a fit: which approximation, and how it is found.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use super::linear::LinearForm;

/// Where the parameters of q come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// q(θ) ∏ q(zᵢ|θ), whose second factor an encoder computes from each branch's own data.
    #[default]
    Amortized,
    /// The same with free parameters for each branch.
    Branch,
    /// One Gaussian of θ and all zᵢ, without subsampling.
    Joint,
}

/// How q(zᵢ|θ) and q(θ) vary together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Covariance {
    /// q(zᵢ|θ) is the model's own prior times a Gaussian site.
    Prior,
    /// q(zᵢ|θ) is Gaussian with a mean linear in θ.
    Dense,
    /// zᵢ and θ are independent.
    Block,
    /// All elements are independent.
    Diagonal,
}

/// How a linear form of q(zᵢ|θ) writes its mean, which decides what a gradient step holds; the
/// distributions are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coupling {
    /// mᵢ + Bᵢ ε₀, linear in the noise behind θ.
    Noise,
    /// μᵢ + Aᵢ θ, as published.
    Theta,
}

/// What computes the parameters of q(zᵢ|θ) from a branch's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoder {
    /// Newton's expansion of the branch's density, moved by a small network.
    #[default]
    Newton,
    /// A sum over rows of learned Gaussian factors.
    Sites,
    /// A network over the mean of learned features of the rows, as published.
    Pooled,
}

/// Settings; `None` lets the fit choose by the sizes of the problem.
#[derive(Clone, Debug)]
pub struct FitConfig {
    /// Where the parameters of q come from.
    pub family: Family,
    /// How they vary together; the family's own default if `None`.
    pub covariance: Option<Covariance>,
    /// How a dense covariance is written; by what gives it if `None`.
    pub coupling: Option<Coupling>,
    /// For the amortized family.
    pub encoder: Encoder,
    /// The same seed gives the same fit.
    pub seed: u64,
    /// Draws of θ a step.
    pub particles: Option<usize>,
    /// Draws of each branch's locals for one of θ: above one, the bound in which they are
    /// importance-weighted is climbed in place of the ELBO.
    pub importance_samples: usize,
    /// Branches a step.
    pub batch: Option<usize>,
    /// Adam's step size in whitened coordinates.
    pub step_size: Option<f64>,
    /// Limit of optimisation steps.
    pub max_steps: usize,
    /// Limit of wall-clock seconds, for all but the final measurements.
    pub max_seconds: Option<f64>,
    /// Gain of a cycle, in nats, below which the fit has converged; by the numbers of rows
    /// and globals if `None`.
    pub tolerance: Option<f64>,
    /// Draws of θ for importance weights.
    pub draws: usize,
    /// Threads; the caller's pool if `None`.
    pub threads: Option<usize>,
    /// Once true, the fit ends within a moment, without a result; its watcher has its state.
    pub stop: Option<Arc<AtomicBool>>,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            family: Family::Amortized,
            covariance: None,
            coupling: None,
            encoder: Encoder::Newton,
            seed: 1,
            particles: None,
            importance_samples: 1,
            batch: None,
            step_size: None,
            max_steps: 20_000,
            max_seconds: None,
            tolerance: None,
            draws: 20_000,
            threads: None,
            stop: None,
        }
    }
}

impl FitConfig {
    /// The covariance asked for, or the family's default.
    pub fn covariance(&self) -> Covariance {
        self.covariance.unwrap_or(match self.family {
            Family::Amortized => Covariance::Prior,
            Family::Branch | Family::Joint => Covariance::Dense,
        })
    }
    /// The linear form of q(zᵢ|θ) asked for; `None` for the prior times a site.
    pub fn linear_form(&self, n_local: usize, n_global: usize) -> Option<LinearForm> {
        let covariance = self.covariance();
        let computed = self.family == Family::Amortized && self.encoder == Encoder::Newton;
        let by_default = if computed { Coupling::Theta } else { Coupling::Noise };
        let coupling = self.coupling.unwrap_or(by_default);
        (covariance != Covariance::Prior).then_some(LinearForm {
            n_local,
            n_global,
            coupling: (covariance == Covariance::Dense).then_some(coupling),
            diagonal: covariance == Covariance::Diagonal,
        })
    }
}
