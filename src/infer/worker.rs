//! Work on q(zᵢ | θ) of every family, behind one set of calls, one branch at a time.
//!
//! `open` settles what is held fixed for the branch, `at` goes to a draw of θ, `sample` draws z,
//! and `gradient` carries derivatives back.

use super::conditional::{Conditional, PriorAdjoint};
use super::encoded::EncodedGuide;
use super::encoder::{Block, Real};
use super::expanded::{Expansion, SharedJacobian};
use super::global::GlobalGuide;
use super::importance::{log_mean_exp, normalise};
use super::linalg::{axpy, solve_lower_transposed};
use super::linear::{LinearForm, Whitening};
use super::local::LocalGuide;
use super::network::{Activation, Network};
use super::site::{Site, SiteSolver};
use super::site_guide::SiteAdjoint;
use super::stretch::Stretch;
use crate::target::Target;

/// Length of differences about a site, in its standard deviations.
const SITE_STEP: f64 = 0.3;
/// Outputs of a network for each local where q has no tails of its own: ν and t.
const PLAIN: usize = 2;

/// A draw of θ and what goes with it.
#[derive(Clone, Debug)]
pub struct Particle {
    /// ε₀.
    pub noise: Vec<f64>,
    /// θ.
    pub theta: Vec<f64>,
    /// u, θ in the coordinates of the start.
    pub whitened: Vec<f64>,
    /// What branches see of θ.
    pub shared: Vec<f64>,
    /// log p(θ).
    pub log_prior: f64,
    /// log q(θ).
    pub log_q: f64,
}

/// Work on one branch at a time; one per thread.
pub struct LocalWorker<'a, F = f32> {
    guide: &'a LocalGuide,
    n: usize,
    solver: SiteSolver,
    conditional: Conditional,
    activation: Activation,
    /// Whether the network has a say in the open branch.
    is_moved: bool,
    site: Option<Site>,
    site_adjoint: SiteAdjoint,
    expansion: Expansion,
    jacobian: SharedJacobian,
    branch: usize,
    /// z of the last sample.
    pub z: Vec<f64>,
    dz: Vec<f64>,
    /// Of the network's outputs.
    output_adjoint: Vec<f64>,
    own: Vec<f64>,
    free_mean: Vec<f64>,
    /// Branches that will be opened, in this order.
    expected: Vec<usize>,
    /// Those that the encoder has read.
    block: Block<F>,
    block_gradient: Vec<f64>,
}

impl<'a> LocalWorker<'a> {
    /// Work space.
    pub fn new<T: Target>(guide: &'a LocalGuide, target: &T) -> Self {
        Self::in_real(guide, target)
    }

    /// Work space for a guide that may need to know q(θ).
    pub fn within<T: Target>(guide: &'a LocalGuide, global: &GlobalGuide, target: &mut T) -> Self {
        let mut worker = Self::new(guide, target);
        if matches!(guide, LocalGuide::Expanded(_)) && guide.follows_theta() {
            worker.jacobian = SharedJacobian::of(target, global);
        }
        worker
    }
}

impl<'a, F: Real> LocalWorker<'a, F> {
    /// Work space with encoders that work in `F`.
    pub fn in_real<T: Target>(guide: &'a LocalGuide, target: &T) -> Self {
        let n = target.n_local();
        let n_kinds = guide.network().map_or(PLAIN, Network::n_kinds);
        Self {
            guide,
            n,
            solver: SiteSolver::new(n),
            conditional: Conditional::new(n),
            activation: Activation::default(),
            is_moved: false,
            site: None,
            site_adjoint: SiteAdjoint::new(n),
            expansion: Expansion::default(),
            jacobian: SharedJacobian::default(),
            branch: 0,
            z: vec![0.0; n],
            dz: vec![0.0; n],
            output_adjoint: vec![0.0; n * n_kinds],
            own: vec![0.0; guide.linear_form().map_or(0, |form| form.n_parameters())],
            free_mean: vec![0.0; n],
            expected: vec![],
            block: Block::default(),
            block_gradient: vec![],
        }
    }

    /// Announces the branches that will be opened, so that an encoder reads many at a time.
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
        self.output_adjoint.fill(0.0);
        self.own.fill(0.0);
        let network = self.guide.network();
        match self.guide {
            LocalGuide::Amortized(_) | LocalGuide::Expanded(_) => {}
            LocalGuide::Branch(_) => return true,
            LocalGuide::Sites(free) => {
                self.activation.clear(self.n, PLAIN);
                self.site_adjoint.clear();
                self.site = Some(free.site(branch));
                return true;
            }
            LocalGuide::Encoded(guide) => return self.open_encoded(target, guide, shared),
        }
        self.site = self.solver.solve(target, branch, shared, warm);
        let Some(site) = &self.site else { return false };
        match network {
            Some(network) => {
                // A branch without rows keeps its prior, which Newton has exactly if Gaussian.
                self.is_moved = site.has_rows || !target.prior_is_gaussian();
                network.forward(&site.inputs, self.is_moved, &mut self.activation);
            }
            None => self.activation.clear(self.n, PLAIN),
        }
        let LocalGuide::Expanded(guide) = self.guide else { return true };
        self.conditional.expand(target, branch, shared, site)
            && self.expansion.set(
                guide,
                target,
                branch,
                shared,
                site,
                &mut self.conditional,
                &self.jacobian,
                &self.activation,
            )
    }

    /// Encodes a branch. Without rows to read, and beside the prior, its site is the prior's.
    fn open_encoded<T: Target>(
        &mut self,
        target: &mut T,
        guide: &EncodedGuide,
        shared: &[f64],
    ) -> bool {
        self.activation.clear(self.n, PLAIN);
        self.site_adjoint.clear();
        if guide.linear.is_none() && target.n_rows(self.branch) == 0 {
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
        let outputs = self.block.of(self.branch);
        self.site = guide.linear.is_none().then(|| guide.site(outputs));
        outputs.iter().all(|x| x.is_finite())
    }

    /// The linear form of the open branch, with its parameters and coordinates.
    fn linear(&self) -> Option<(LinearForm, &[f64], Whitening<'_>)> {
        match self.guide {
            LocalGuide::Branch(free) => {
                Some((free.form, free.of(self.branch), free.whitening(self.branch)))
            }
            LocalGuide::Encoded(guide) => {
                Some((guide.linear?, self.block.of(self.branch), guide.whitening()))
            }
            LocalGuide::Expanded(guide) => {
                Some((guide.form(), &self.expansion.parameters, self.expansion.whitening()))
            }
            LocalGuide::Amortized(_) | LocalGuide::Sites(_) => None,
        }
    }

    /// Where the gradient in the linear form's parameters is collected.
    fn own_mut(&mut self) -> &mut Vec<f64> {
        match self.guide {
            LocalGuide::Expanded(_) => &mut self.expansion.gradient,
            _ => &mut self.own,
        }
    }

    /// How q(z|θ) at this θ differs from a Gaussian.
    pub fn stretch(&self) -> Stretch {
        match self.linear() {
            Some(_) => Stretch::default(),
            None => self.conditional.stretched().clone(),
        }
    }

    /// The site of the open branch.
    pub fn site(&self) -> Option<&Site> {
        self.site.as_ref()
    }

    /// Goes to a draw of θ. False where q(z|θ) is not finite there.
    #[must_use]
    pub fn at<T: Target>(&mut self, target: &mut T, particle: &Particle) -> bool {
        let mut mean = std::mem::take(&mut self.free_mean);
        let linear = self.linear().map(|(form, own, _)| form.mean(own, particle, &mut mean));
        self.free_mean = mean;
        if linear.is_some() {
            return true;
        }
        let Some(site) = &self.site else { return false };
        self.conditional.begin_adjoint();
        let usable = self.conditional.expand(target, self.branch, &particle.shared, site);
        if usable {
            self.conditional.stretch(&self.activation, site);
        }
        usable
    }

    /// Draws z (see [`Self::z`]) for noise ε; returns log q(z|θ).
    pub fn sample(&mut self, noise: &[f64]) -> f64 {
        let mut z = std::mem::take(&mut self.z);
        let log_q = match self.linear() {
            Some((form, own, whitening)) => {
                form.sample(own, &self.free_mean, noise, &mut z) + whitening.unwhiten(&mut z)
            }
            None => self.conditional.sample(&self.activation, noise, &mut z),
        };
        self.z = z;
        log_q
    }

    /// `log p(z, y|θ) − log q(z|θ)` of one draw.
    pub fn value<T: Target>(&mut self, target: &mut T, shared: &[f64], noise: &[f64]) -> f64 {
        let log_q = self.sample(noise);
        target.density(self.branch, shared, &self.z).total() - log_q
    }

    /// The same, and its derivative along the path: in `shared` added to `dshared`, in ε₀ through
    /// log q added to `dnoise` (in u where the guide follows that, see
    /// [`LocalGuide::follows_theta`]), times the first of `weights`; in the parameters of q(z|θ)
    /// times the second. `finish` completes it.
    pub fn gradient<T: Target>(
        &mut self,
        target: &mut T,
        particle: &Particle,
        noise: &[f64],
        weights: (f64, f64),
        dshared: &mut [f64],
        dnoise: &mut [f64],
    ) -> f64 {
        let log_q = self.sample(noise);
        let (branch, shared) = (self.branch, &particle.shared);
        let density = target.gradient(branch, shared, &self.z, weights.0, &mut self.dz, dshared);
        let mut own = std::mem::take(self.own_mut());
        match self.linear() {
            Some((form, parameters, whitening)) => {
                let mut path = self.dz.clone();
                whitening.pull(&mut path);
                form.add_gradient(parameters, particle, noise, &path, weights, &mut own, dnoise);
            }
            None => {
                let adjoint = &mut self.output_adjoint;
                self.conditional.add_adjoint(&self.activation, noise, &self.dz, weights, adjoint);
                if self.guide.learns_sites() {
                    self.site_adjoint.add(&self.conditional, noise, &self.dz, weights.1);
                }
            }
        }
        *self.own_mut() = own;
        density.total() - log_q
    }

    /// log (1/K) Σ_k p(z_k, y|θ)/q(z_k|θ) over K draws of z, one row of noise each: the
    /// importance-weighted bound (Burda et al. 2016), [`Self::value`] for one.
    pub fn bound<T: Target>(&mut self, target: &mut T, shared: &[f64], noise: &[f64]) -> f64 {
        let rows = noise.chunks_exact(self.n.max(1));
        match rows.len() {
            0 | 1 => self.value(target, shared, noise),
            _ => log_mean_exp(&rows.map(|row| self.value(target, shared, row)).collect::<Vec<_>>()),
        }
    }

    /// The same and its derivatives, as [`Self::gradient`] has them for one draw. With normalised
    /// weights w_k, θ gains Σ w_k of each draw's derivative, log q's included, and the parameters of
    /// q(z|θ) gain Σ w_k² of it with those of log q held: doubly reparameterised (Tucker et al. 2019),
    /// since sticking the landing with weights w_k would be biased.
    pub fn bound_gradient<T: Target>(
        &mut self,
        target: &mut T,
        particle: &Particle,
        noise: &[f64],
        dshared: &mut [f64],
        dnoise: &mut [f64],
    ) -> f64 {
        let rows = noise.chunks_exact(self.n.max(1));
        if rows.len() < 2 {
            return self.gradient(target, particle, noise, (1.0, 1.0), dshared, dnoise);
        }
        let value = |row| self.value(target, &particle.shared, row);
        let log_weights: Vec<f64> = rows.clone().map(value).collect();
        let normalised = normalise(&log_weights);
        for (row, weight) in rows.zip(normalised.weights) {
            self.gradient(target, particle, row, (weight, weight * weight), dshared, dnoise);
        }
        log_mean_exp(&log_weights)
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
        let (None, Some(site)) = (self.guide.linear_form(), &self.site) else { return };
        if self.guide.learns_sites() {
            // It reads what the next call spoils.
            self.site_adjoint.finish(&self.conditional);
        }
        let (branch, shared) = (self.branch, &particle.shared);
        self.conditional.finish_adjoint(target, branch, shared, site, dshared, prior);
    }

    /// Ends a branch: adds `scale` times the gradient in the network's weights to `gradient`, an
    /// encoder's not before [`Self::close_all`]. A branch sits out where a draw was not finite
    /// and would spoil the network for all.
    pub fn close(&mut self, scale: f64, gradient: &mut [f64]) {
        match self.guide {
            LocalGuide::Expanded(guide) => {
                let adjoint = self.expansion.network_adjoint(&guide.form());
                self.output_adjoint.copy_from_slice(&adjoint);
            }
            LocalGuide::Encoded(guide) => self.close_encoded(guide, scale),
            LocalGuide::Amortized(_) | LocalGuide::Branch(_) | LocalGuide::Sites(_) => {}
        }
        let Some(network) = self.guide.network().filter(|_| self.is_moved) else { return };
        let adjoint = &mut self.output_adjoint;
        if adjoint.iter().all(|x| x.is_finite()) {
            adjoint.iter_mut().for_each(|x| *x *= scale);
            network.backward(&self.activation, adjoint, gradient);
        }
    }

    fn close_encoded(&mut self, guide: &EncodedGuide, scale: f64) {
        let Some(position) = self.block.position(self.branch) else { return };
        let own = match guide.linear {
            Some(_) => self.own.clone(),
            None => guide.pull(&self.site_adjoint),
        };
        if own.iter().all(|x| x.is_finite()) {
            axpy(scale, &own, self.block.adjoint_of(position));
        }
    }

    /// Carries the adjoints of the encoded block back to the weights.
    fn close_block(&mut self) {
        let LocalGuide::Encoded(guide) = self.guide else { return };
        if self.block.has_adjoint() {
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
        match self.guide {
            LocalGuide::Sites(free) => free.pull(self.branch, &self.site_adjoint),
            LocalGuide::Branch(_) => self.own.clone(),
            LocalGuide::Amortized(_) | LocalGuide::Encoded(_) | LocalGuide::Expanded(_) => vec![],
        }
    }
}
