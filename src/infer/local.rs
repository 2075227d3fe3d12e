//! q(zᵢ | θ) of every family: what a fit learns and saves of it. [`super::worker`] works with it.

use serde::{Deserialize, Serialize};

use super::config::Coupling;
use super::encoded::EncodedGuide;
use super::expanded::ExpandedGuide;
use super::free::FreeGuide;
use super::linear::LinearForm;
use super::network::Network;
use super::site_guide::FreeSites;

/// How q(zᵢ | θ) is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LocalGuide {
    /// The prior times Newton's site, moved by a network; without one, as Newton leaves it.
    Amortized(Option<Network>),
    /// Newton's site to first order in θ, moved by a network.
    Expanded(ExpandedGuide),
    /// A free Gaussian for each branch, its mean linear in θ.
    Branch(FreeGuide),
    /// The prior times a free site for each branch.
    Sites(FreeSites),
    /// Either of these, with what a network computes from the rows in place of free parameters.
    Encoded(EncodedGuide),
}

impl LocalGuide {
    /// The residual network, where there is one.
    pub fn network(&self) -> Option<&Network> {
        match self {
            Self::Amortized(network) => network.as_ref(),
            Self::Expanded(guide) => Some(&guide.network),
            Self::Encoded(_) | Self::Branch(_) | Self::Sites(_) => None,
        }
    }

    /// Length of one gradient in shared parameters.
    pub fn n_shared_parameters(&self) -> usize {
        self.shared_parameters().len()
    }

    /// Parameters that all branches share: a network's weights.
    pub fn shared_parameters(&self) -> &[f64] {
        match self {
            Self::Encoded(guide) => &guide.encoder.weights,
            _ => self.network().map_or(&[], |network| &network.weights),
        }
    }

    /// The same, to be moved.
    pub fn shared_parameters_mut(&mut self) -> &mut [f64] {
        match self {
            Self::Amortized(Some(network)) => &mut network.weights,
            Self::Expanded(guide) => &mut guide.network.weights,
            Self::Encoded(guide) => &mut guide.encoder.weights,
            Self::Amortized(None) | Self::Branch(_) | Self::Sites(_) => &mut [],
        }
    }

    /// What draws the locals of branches that were not fitted. Parameters of single branches say
    /// nothing of others, whose posterior given θ is Newton's expansion.
    pub fn for_new_branches(&self) -> Self {
        match self {
            Self::Amortized(_) | Self::Expanded(_) | Self::Encoded(_) => self.clone(),
            Self::Branch(_) | Self::Sites(_) => Self::Amortized(None),
        }
    }

    /// Length of the gradient in one branch's own parameters.
    pub fn n_own_parameters(&self) -> usize {
        match self {
            Self::Amortized(_) | Self::Encoded(_) | Self::Expanded(_) => 0,
            Self::Branch(free) => free.n_parameters(),
            Self::Sites(free) => free.n_parameters(),
        }
    }

    /// Parameters of all branches, one block each; none where branches have none of their own.
    pub fn own_parameters(&self) -> &[f64] {
        match self {
            Self::Amortized(_) | Self::Encoded(_) | Self::Expanded(_) => &[],
            Self::Branch(free) => &free.parameters,
            Self::Sites(free) => &free.parameters,
        }
    }

    /// The same, to be averaged over steps.
    pub fn own_parameters_mut(&mut self) -> &mut [f64] {
        match self {
            Self::Amortized(_) | Self::Encoded(_) | Self::Expanded(_) => &mut [],
            Self::Branch(free) => &mut free.parameters,
            Self::Sites(free) => &mut free.parameters,
        }
    }

    /// Moves one branch's own parameters along `delta`, ordered as their gradient.
    pub fn advance_own(&mut self, branch: usize, delta: &[f64]) {
        match self {
            Self::Amortized(_) | Self::Encoded(_) | Self::Expanded(_) => {}
            Self::Branch(free) => free.advance(branch, delta),
            Self::Sites(free) => free.advance(branch, delta),
        }
    }

    /// Whether q(zᵢ|θ) follows θ by a linear form in the whitened θ.
    pub fn follows_theta(&self) -> bool {
        self.linear_form().is_some_and(|form| form.coupling == Some(Coupling::Theta))
    }

    /// The linear form of q(zᵢ|θ); none for the prior times a site.
    pub fn linear_form(&self) -> Option<LinearForm> {
        match self {
            Self::Branch(free) => Some(free.form),
            Self::Expanded(guide) => Some(guide.form()),
            Self::Encoded(guide) => guide.linear,
            Self::Amortized(_) | Self::Sites(_) => None,
        }
    }

    /// Whether it is the prior times a site whose parameters are learned.
    pub fn learns_sites(&self) -> bool {
        match self {
            Self::Sites(_) => true,
            Self::Encoded(guide) => guide.linear.is_none(),
            Self::Amortized(_) | Self::Branch(_) | Self::Expanded(_) => false,
        }
    }
}
