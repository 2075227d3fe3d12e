//! The joint family: one dense Gaussian of θ and all locals, without subsampling.
//!
//! It is fitted to a [`JointTarget`], which takes all locals for globals. Its start is that of the
//! branch family: θ's Laplace approximation, every branch at its site, independent.
//!
//! What is kept of the fit is the branch-dense guide with the same q(θ, zᵢ) for every i. Given θ the
//! posterior's branches are independent, so the ELBO of that guide is no less: E log p is the same,
//! as each of its terms sees θ and one branch, and the entropy of q(z|θ) is at most the sum of those
//! of its q(zᵢ|θ). Where the joint guide is at its optimum both are the same distribution.

use super::config::Coupling;
use super::elbo::Guide;
use super::fit::FitError;
use super::free::FreeGuide;
use super::global::GlobalGuide;
use super::linalg::{axpy, cholesky, dot, identity, solve_lower_transposed, transpose};
use super::linear::LinearForm;
use super::local::LocalGuide;
use super::triangular::Triangular;
use crate::target::{BranchDensity, Part, Target};

/// Unknowns beyond which a joint Gaussian is refused.
const MAX_UNKNOWNS: usize = 3000;

/// A target whose globals are θ, z₁, …, z_N of another, and which has no locals. Its `shared` is the
/// other's, then all z.
#[derive(Clone)]
pub struct JointTarget<T> {
    inner: T,
    of_theta: Vec<f64>,
}

impl<T: Target> JointTarget<T> {
    /// All unknowns of `inner`.
    ///
    /// # Errors
    /// Where they are more than a dense Gaussian can hold.
    pub fn new(inner: T) -> Result<Self, FitError> {
        let n = inner.n_global() + inner.n_branches() * inner.n_local();
        if n > MAX_UNKNOWNS {
            return Err(FitError::Unsupported(format!(
                "a joint Gaussian of all {n} unknowns is too large: it may have {MAX_UNKNOWNS}; \
                 family branch has the same optimum, and family amortized grows best"
            )));
        }
        Ok(Self { of_theta: vec![0.0; inner.n_global()], inner })
    }

    fn z_of<'a>(&self, branch: usize, shared: &'a [f64]) -> (&'a [f64], &'a [f64]) {
        let (of_theta, z) = shared.split_at(self.inner.n_shared());
        let n = self.inner.n_local();
        (of_theta, &z[branch * n..(branch + 1) * n])
    }
}

impl<T: Target> Target for JointTarget<T> {
    fn n_branches(&self) -> usize {
        self.inner.n_branches()
    }

    fn n_global(&self) -> usize {
        self.inner.n_global() + self.inner.n_branches() * self.inner.n_local()
    }

    fn n_local(&self) -> usize {
        0
    }

    fn n_shared(&self) -> usize {
        self.inner.n_shared() + self.inner.n_branches() * self.inner.n_local()
    }

    fn n_rows(&self, branch: usize) -> usize {
        self.inner.n_rows(branch)
    }

    fn branch_features(&self, _branch: usize) -> Vec<f64> {
        vec![]
    }

    fn likelihood_reads_shared(&self) -> bool {
        true
    }

    fn prior_is_gaussian(&self) -> bool {
        true
    }

    fn prior_is_common(&self) -> bool {
        false
    }

    fn shared(&mut self, theta: &[f64], shared: &mut [f64]) -> f64 {
        let (theta, z) = theta.split_at(self.inner.n_global());
        let (of_theta, rest) = shared.split_at_mut(self.inner.n_shared());
        rest.copy_from_slice(z);
        self.inner.shared(theta, of_theta)
    }

    fn shared_vjp(&mut self, theta: &[f64], adjoint: &[f64], gradient: &mut [f64]) {
        let (theta, _) = theta.split_at(self.inner.n_global());
        let (of_theta, of_z) = adjoint.split_at(self.inner.n_shared());
        self.inner.shared_vjp(theta, of_theta, &mut self.of_theta);
        let (own, z) = gradient.split_at_mut(theta.len());
        own.copy_from_slice(&self.of_theta);
        z.copy_from_slice(of_z);
    }

    fn density(&mut self, branch: usize, shared: &[f64], _z: &[f64]) -> BranchDensity {
        let (shared, z) = self.z_of(branch, shared);
        self.inner.density(branch, shared, z)
    }

    fn gradient(
        &mut self,
        branch: usize,
        shared: &[f64],
        _z: &[f64],
        weight: f64,
        _dz: &mut [f64],
        dshared: &mut [f64],
    ) -> BranchDensity {
        let n = self.inner.n_local();
        let mut dz = vec![0.0; n];
        let (shared, z) = self.z_of(branch, shared);
        let (of_theta, of_z) = dshared.split_at_mut(self.inner.n_shared());
        let density = self.inner.gradient(branch, shared, z, weight, &mut dz, of_theta);
        axpy(weight, &dz, &mut of_z[branch * n..(branch + 1) * n]);
        density
    }

    /// There is nothing to expand in.
    fn expansion(
        &mut self,
        _part: Part,
        _branch: usize,
        _shared: &[f64],
        _z: &[f64],
        _gradient: &mut [f64],
        _curvature: &mut [f64],
    ) {
    }

    fn expansion_vjp(
        &mut self,
        _part: Part,
        _branch: usize,
        _shared: &[f64],
        _z: &[f64],
        _gradient_adjoint: &[f64],
        _curvature_adjoint: &[f64],
        _dshared: &mut [f64],
    ) {
    }

    fn held_out(&mut self, branch: usize, shared: &[f64], _z: &[f64]) -> f64 {
        let (shared, z) = self.z_of(branch, shared);
        self.inner.held_out(branch, shared, z)
    }

    fn n_held_out(&self, branch: usize) -> usize {
        self.inner.n_held_out(branch)
    }
}

/// The joint guide that stands where a branch guide starts: coordinates of θ as there, of zᵢ its
/// site's, all independent.
///
/// # Panics
/// Where the guide is of another family.
pub fn joined(start: &Guide) -> Guide {
    let LocalGuide::Branch(free) = &start.local else { unreachable!("the joint start is free") };
    let global = &start.global;
    let (g, d) = (global.n(), free.form.n_local);
    let n_branches = free.parameters.len() / free.n_parameters().max(1);
    let n = g + n_branches * d;
    let mut centre = global.centre.clone();
    let mut scale = vec![0.0; n * n];
    for (i, row) in global.scale.to_square().chunks_exact(g.max(1)).enumerate() {
        scale[i * n..i * n + g].copy_from_slice(row);
    }
    for branch in 0..n_branches {
        let whitening = free.whitening(branch);
        centre.extend_from_slice(whitening.centre);
        let own = covariance_factor(whitening.factor, d);
        let first = g + branch * d;
        for j in 0..d {
            let row = (first + j) * n + first;
            scale[row..row + d].copy_from_slice(&own[j * d..(j + 1) * d]);
        }
    }
    let form = LinearForm { n_local: 0, n_global: n, coupling: None, diagonal: true };
    let local = LocalGuide::Branch(FreeGuide::new(form, &vec![None; n_branches]));
    let mut order = global.order.clone();
    order.extend(g..n);
    Guide {
        global: GlobalGuide::new(centre, order, Triangular::dense(&scale, n)),
        local,
        samples: 1,
    }
}

/// The branch-dense guide with the same Gaussian of θ and zᵢ for every branch, for a model of
/// `n_global` globals and `n_local` locals.
pub fn parted(joint: &GlobalGuide, n_global: usize, n_local: usize) -> Guide {
    let (n, g, d) = (joint.n(), n_global, n_local);
    let (scale, factor) = (joint.scale.to_square(), joint.factor.to_square());
    let corner = |a: &[f64]| {
        let square: Vec<f64> = (0..g).flat_map(|i| a[i * n..i * n + g].to_vec()).collect();
        Triangular::dense(&square, g)
    };
    let (centre, order) = (joint.centre[..g].to_vec(), joint.order[..g].to_vec());
    let mut global = GlobalGuide::new(centre, order, corner(&scale));
    global.loc.copy_from_slice(&joint.loc[..g]);
    global.factor = corner(&factor);
    let form =
        LinearForm { n_local: d, n_global: g, coupling: Some(Coupling::Noise), diagonal: false };
    let mut free = FreeGuide::new(form, &[]);
    for first in (g..n).step_by(d.max(1)) {
        // z = c + K(μ + L[ε₀, ε…]): its mean, its rows in ε₀, and the covariance of the rest.
        let mut parts = vec![vec![0.0; n + 1]; d];
        for (j, part) in parts.iter_mut().enumerate() {
            for k in 0..=j {
                let weight = scale[(first + j) * n + first + k];
                axpy(weight, &factor[(first + k) * n..(first + k + 1) * n], &mut part[..n]);
                part[n] += weight * joint.loc[first + k];
            }
        }
        let rest = |j: usize| &parts[j][g..n];
        let mut own: Vec<f64> = (0..d * d).map(|jk| dot(rest(jk / d), rest(jk % d))).collect();
        let definite = cholesky(&mut own, d);
        debug_assert!(definite, "the rows of a factor with a positive diagonal are independent");
        let centre: Vec<f64> = (0..d).map(|j| joint.centre[first + j] + parts[j][n]).collect();
        let coupling = parts.iter().flat_map(|part| part[..g].to_vec());
        free.push_unwhitened(&centre, coupling, &own);
    }
    Guide { global, local: LocalGuide::Branch(free), samples: 1 }
}

/// The lower factor of (R Rᵀ)⁻¹.
fn covariance_factor(r: &[f64], n: usize) -> Vec<f64> {
    // Rows R⁻ᵀe_j are columns of R⁻ᵀ: with E its transpose, (RRᵀ)⁻¹ = EᵀE.
    let mut columns = identity(n);
    columns.chunks_exact_mut(n.max(1)).for_each(|e| solve_lower_transposed(r, n, e));
    transpose(&mut columns, n);
    let row = |j: usize| &columns[j * n..(j + 1) * n];
    let mut covariance: Vec<f64> = (0..n * n).map(|jk| dot(row(jk / n), row(jk % n))).collect();
    match cholesky(&mut covariance, n) {
        true => covariance,
        false => identity(n),
    }
}
