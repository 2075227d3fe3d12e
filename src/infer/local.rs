//! q(zᵢ | θ) of either family, behind one set of calls, one branch at a time.
//!
//! `open` settles what is held fixed for the branch, `at` goes to a draw of θ, `sample` draws z,
//! and `add_gradient` carries derivatives back.

use serde::{Deserialize, Serialize};

use super::conditional::{Conditional, PriorAdjoint};
use super::encoded::{EncodedGuide, SiteAdjoint};
use super::encoder::Block;
use super::free::FreeGuide;
use super::linalg::{axpy, solve_lower_transposed};
use super::network::{Activation, Network};
use super::site::{Site, SiteSolver};
use crate::target::Target;

/// Length of differences about a site, in its standard deviations.
const SITE_STEP: f64 = 0.3;

/// How q(zᵢ | θ) is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LocalGuide {
    /// The prior times Newton's site, moved by a network; without one, as Newton leaves it.
    Amortized(Option<Network>),
    /// A free Gaussian for each branch.
    Branch(FreeGuide),
    /// The prior times a site that an encoder computes from the rows.
    Encoded(EncodedGuide),
}

impl LocalGuide {
    /// Length of one gradient in shared parameters: those of the network.
    pub fn n_shared_parameters(&self) -> usize {
        match self {
            Self::Amortized(Some(network)) => network.weights.len(),
            Self::Encoded(encoded) => encoded.encoder.weights.len(),
            Self::Amortized(None) | Self::Branch(_) => 0,
        }
    }

    /// Parameters that all branches share: the network's.
    pub fn shared_parameters_mut(&mut self) -> Option<&mut [f64]> {
        match self {
            Self::Amortized(Some(network)) => Some(&mut network.weights),
            Self::Encoded(encoded) => Some(&mut encoded.encoder.weights),
            Self::Amortized(None) | Self::Branch(_) => None,
        }
    }

    /// The same.
    pub fn shared_parameters(&self) -> &[f64] {
        match self {
            Self::Amortized(Some(network)) => &network.weights,
            Self::Encoded(encoded) => &encoded.encoder.weights,
            Self::Amortized(None) | Self::Branch(_) => &[],
        }
    }

    /// Length of the gradient in one branch's own parameters.
    pub fn n_own_parameters(&self) -> usize {
        match self {
            Self::Amortized(_) | Self::Encoded(_) => 0,
            Self::Branch(free) => free.n_parameters(),
        }
    }
}

/// A draw of θ and what goes with it.
#[derive(Clone, Debug)]
pub struct Particle {
    /// ε₀.
    pub noise: Vec<f64>,
    /// θ.
    pub theta: Vec<f64>,
    /// What branches see of θ.
    pub shared: Vec<f64>,
    /// log p(θ).
    pub log_prior: f64,
    /// log q(θ).
    pub log_q: f64,
}

/// Work on one branch at a time; one per thread.
pub struct LocalWorker<'a> {
    guide: &'a LocalGuide,
    n: usize,
    solver: SiteSolver,
    conditional: Conditional,
    activation: Activation,
    site: Option<Site>,
    branch: usize,
    /// z of the last sample.
    pub z: Vec<f64>,
    dz: Vec<f64>,
    nu_adjoint: Vec<f64>,
    log_t_adjoint: Vec<f64>,
    own: Vec<f64>,
    free_mean: Vec<f64>,
    /// Branches that will be opened, in this order.
    expected: Vec<usize>,
    block: Block,
    site_adjoint: SiteAdjoint,
    block_gradient: Vec<f64>,
}

impl<'a> LocalWorker<'a> {
    /// Work space.
    pub fn new<T: Target>(guide: &'a LocalGuide, target: &T) -> Self {
        let n = target.n_local();
        Self {
            guide,
            n,
            solver: SiteSolver::new(n),
            conditional: Conditional::new(n),
            activation: Activation::default(),
            site: None,
            branch: 0,
            z: vec![0.0; n],
            dz: vec![0.0; n],
            nu_adjoint: vec![0.0; n],
            log_t_adjoint: vec![0.0; n],
            own: vec![0.0; guide.n_own_parameters()],
            free_mean: vec![0.0; n],
            expected: vec![],
            block: Block::default(),
            site_adjoint: SiteAdjoint::new(n),
            block_gradient: vec![],
        }
    }

    /// Announces the branches that will be opened, so that an encoder takes many at a time.
    pub fn expect(&mut self, branches: &[usize]) {
        if matches!(self.guide, LocalGuide::Encoded(_)) {
            self.expected = branches.to_vec();
        }
    }

    /// Starts on a branch: `shared` belongs to the mean of q(θ), `warm` is a centre near by.
    /// False where no usable q(z|θ) was found.
    #[must_use]
    pub fn open<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        warm: Option<&[f64]>,
    ) -> bool {
        self.branch = branch;
        self.nu_adjoint.fill(0.0);
        self.log_t_adjoint.fill(0.0);
        self.own.fill(0.0);
        if let LocalGuide::Encoded(guide) = self.guide {
            return self.open_encoded(target, guide, shared);
        }
        let LocalGuide::Amortized(network) = self.guide else { return true };
        self.site = self.solver.solve(target, branch, shared, warm);
        let Some(site) = &self.site else { return false };
        match network {
            Some(network) => {
                // A branch without rows keeps its prior, which Newton has exactly if Gaussian.
                let active = site.has_rows || !target.prior_is_gaussian();
                network.forward(&site.inputs, active, &mut self.activation);
            }
            None => self.activation.clear(self.n),
        }
        true
    }

    /// The site that the encoder gives; that of the prior where there are no rows to read.
    fn open_encoded<T: Target>(
        &mut self,
        target: &mut T,
        guide: &EncodedGuide,
        shared: &[f64],
    ) -> bool {
        self.activation.clear(self.n);
        self.site_adjoint.clear();
        if target.n_rows(self.branch) == 0 {
            self.site = self.solver.solve(target, self.branch, shared, None);
            return self.site.is_some();
        }
        if self.block.position(self.branch).is_none() {
            self.close_block();
            let start = self.expected.iter().position(|&branch| branch == self.branch);
            let own = [self.branch];
            let ahead = start.map_or(&own[..], |start| &self.expected[start..]);
            guide.encoder.encode(target, ahead, &mut self.block);
        }
        let position = self.block.position(self.branch).expect("the block starts at the branch");
        let site = guide.site(self.block.outputs(position));
        let (gradient, curvature) = site.likelihood.as_ref().expect("made of both");
        let finite = gradient.iter().chain(curvature).all(|x| x.is_finite());
        self.site = finite.then_some(site);
        finite
    }

    /// The site of the open branch.
    pub fn site(&self) -> Option<&Site> {
        self.site.as_ref()
    }

    /// Goes to a draw of θ. False where q(z|θ) is not finite there.
    #[must_use]
    pub fn at<T: Target>(&mut self, target: &mut T, particle: &Particle) -> bool {
        match self.guide {
            LocalGuide::Amortized(_) | LocalGuide::Encoded(_) => {
                let Some(site) = &self.site else { return false };
                self.conditional.begin_adjoint();
                self.conditional.expand(target, self.branch, &particle.shared, site)
            }
            LocalGuide::Branch(free) => {
                free.mean(self.branch, &particle.noise, &mut self.free_mean);
                true
            }
        }
    }

    /// Draws z (see [`Self::z`]) for noise ε; returns log q(z|θ).
    pub fn sample(&mut self, noise: &[f64]) -> f64 {
        match self.guide {
            LocalGuide::Amortized(_) | LocalGuide::Encoded(_) => {
                let Activation { nu, log_t, .. } = &self.activation;
                self.conditional.sample(nu, log_t, noise, &mut self.z)
            }
            LocalGuide::Branch(free) => {
                free.sample(self.branch, &self.free_mean, noise, &mut self.z)
            }
        }
    }

    /// `log p(z, y|θ) − log q(z|θ)` of one draw.
    pub fn value<T: Target>(&mut self, target: &mut T, shared: &[f64], noise: &[f64]) -> f64 {
        let log_q = self.sample(noise);
        target.density(self.branch, shared, &self.z).total() - log_q
    }

    /// The same, and its derivative along the path, times `weight`: in `shared` added to
    /// `dshared`, in ε₀ through log q added to `dnoise`. `finish` completes it.
    pub fn gradient<T: Target>(
        &mut self,
        target: &mut T,
        particle: &Particle,
        noise: &[f64],
        weight: f64,
        dshared: &mut [f64],
        dnoise: &mut [f64],
    ) -> f64 {
        let log_q = self.sample(noise);
        let (branch, shared) = (self.branch, &particle.shared);
        let density = target.gradient(branch, shared, &self.z, weight, &mut self.dz, dshared);
        match self.guide {
            LocalGuide::Amortized(_) | LocalGuide::Encoded(_) => {
                self.conditional.add_adjoint(
                    &self.activation.nu,
                    &self.activation.log_t,
                    noise,
                    &self.dz,
                    weight,
                    &mut self.nu_adjoint,
                    &mut self.log_t_adjoint,
                );
                if matches!(self.guide, LocalGuide::Encoded(_)) {
                    self.site_adjoint.add(&self.conditional, noise, &self.dz, weight);
                }
            }
            LocalGuide::Branch(free) => free.add_gradient(
                branch,
                &particle.noise,
                noise,
                &self.dz,
                weight,
                &mut self.own,
                dnoise,
            ),
        }
        density.total() - log_q
    }

    /// For a Laplace marginal, whose site follows θ: adds the derivative that reaches it through
    /// its curvature, −½ ∇_z log|Λ(z*)| carried on by dz*/dθ = Λ⁻¹ ∂g/∂θ. Where ∇ℓ(z*) = 0 that
    /// gradient is ½ Σ_j (∇ℓ(z* + hR⁻ᵀe_j) + ∇ℓ(z* − hR⁻ᵀe_j))/h² for small h. The sum is taken
    /// over `n_axes` axes, which ones by turns over branches, and scaled up.
    pub fn follow_site<T: Target>(&mut self, target: &mut T, particle: &Particle, n_axes: usize) {
        let (n, Some(site)) = (self.n, &self.site) else { return };
        let mut unused = vec![0.0; target.n_shared()];
        let mut mean = vec![0.0; n];
        let weight = 0.5 * n as f64 / n_axes as f64 / (SITE_STEP * SITE_STEP);
        for k in 0..n_axes {
            let axis = (self.branch + k * n / n_axes) % n;
            for sign in [1.0, -1.0] {
                self.z.fill(0.0);
                self.z[axis] = sign * SITE_STEP;
                solve_lower_transposed(&site.factor, n, &mut self.z);
                axpy(1.0, &site.centre, &mut self.z);
                let (branch, shared) = (self.branch, &particle.shared);
                target.gradient(branch, shared, &self.z, 0.0, &mut self.dz, &mut unused);
                axpy(weight, &self.dz, &mut mean);
            }
        }
        if mean.iter().all(|x| x.is_finite()) {
            self.conditional.add_mean_adjoint(&mean);
        }
    }

    /// Ends a draw of θ: adds what reaches `shared` through q(z|θ). What does so through a
    /// prior common to all branches is gathered in `prior` and left for its `finish`.
    pub fn finish<T: Target>(
        &mut self,
        target: &mut T,
        particle: &Particle,
        dshared: &mut [f64],
        prior: &mut PriorAdjoint,
    ) {
        let (false, Some(site)) = (matches!(self.guide, LocalGuide::Branch(_)), &self.site) else {
            return;
        };
        if matches!(self.guide, LocalGuide::Encoded(_)) {
            // It reads what the next call spoils.
            self.site_adjoint.finish(&self.conditional);
        }
        let (branch, shared) = (self.branch, &particle.shared);
        self.conditional.finish_adjoint(target, branch, shared, site, dshared, prior);
    }

    /// Ends a branch: adds `scale` times the gradient in the network's weights to `gradient`,
    /// an encoder's at the latest when [`Self::close_all`] is called. Where a draw was not
    /// finite, and would spoil the network for all, the branch sits out.
    pub fn close(&mut self, scale: f64, gradient: &mut [f64]) {
        if !self.site.as_ref().is_some_and(|site| site.has_rows) {
            return;
        }
        match self.guide {
            LocalGuide::Amortized(Some(network)) => {
                let (nu, log_t) = (&mut self.nu_adjoint, &mut self.log_t_adjoint);
                if nu.iter().chain(&*log_t).all(|x| x.is_finite()) {
                    nu.iter_mut().chain(&mut *log_t).for_each(|x| *x *= scale);
                    network.backward(&self.activation, nu, log_t, gradient);
                }
            }
            LocalGuide::Encoded(guide) => {
                let SiteAdjoint { gradient, curvature, .. } = &mut self.site_adjoint;
                let Some(position) = self.block.position(self.branch) else { return };
                if gradient.iter().chain(&*curvature).all(|x| x.is_finite()) {
                    gradient.iter_mut().chain(&mut *curvature).for_each(|x| *x *= scale);
                    guide.pull(gradient, curvature, self.block.adjoint(position));
                }
            }
            LocalGuide::Amortized(None) | LocalGuide::Branch(_) => {}
        }
    }

    fn close_block(&mut self) {
        let LocalGuide::Encoded(guide) = self.guide else { return };
        if self.block.adjoint.iter().any(|&x| x != 0.0) {
            self.block_gradient.resize(guide.encoder.weights.len(), 0.0);
            guide.encoder.backward(&self.block, &mut self.block_gradient);
        }
    }

    /// Ends the work on many branches: adds what [`Self::close`] kept back.
    pub fn close_all(&mut self, gradient: &mut [f64]) {
        self.close_block();
        axpy(1.0, &self.block_gradient, gradient);
        self.block_gradient.clear();
        self.block = Block::default();
    }

    /// Gradient in the branch's own parameters.
    pub fn own_gradient(&self) -> Vec<f64> {
        self.own.clone()
    }
}
