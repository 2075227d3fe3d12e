//! Where a branch's log density is expanded: its own posterior at the mean of q(θ), by Newton.
//!
//! Nothing here is learned, and no gradient flows through it: a site is part of what is held
//! fixed during a step. At a drawn θ, [`super::conditional`] expands the density at its points.

use super::higher::Higher;
use super::linalg::{axpy, cholesky, dot, solve_lower, solve_lower_transposed};
use crate::target::{Part, Target};

const MAX_NEWTON_STEPS: usize = 60;
/// Newton's decrement, in nats, below which a last full step ends the search.
const DECREMENT_AT_END: f64 = 1e-9;
/// The same where a centre was found before for a θ near by. The mean of q(z|θ) is a Newton
/// step away from the centre anyway, so that what is left of it does not matter to a step.
const DECREMENT_WHEN_WARM: f64 = 1e-4;

/// Fixed nodes ξ_k in whitened coordinates and their weights, which sum to one.
#[derive(Clone, Debug)]
pub struct Quadrature {
    /// Nodes, one row each.
    pub nodes: Vec<f64>,
    /// Weights.
    pub weights: Vec<f64>,
}

impl Quadrature {
    /// Five Gauss–Hermite nodes in one dimension, the 2D cubature nodes up to four, else one.
    pub fn for_locals(n_local: usize) -> Self {
        match n_local {
            1 => Self {
                nodes: vec![
                    0.0,
                    1.355_626_179_974_266,
                    -1.355_626_179_974_266,
                    2.856_970_013_872_805_8,
                    -2.856_970_013_872_805_8,
                ],
                weights: vec![
                    0.533_333_333_333_333_3,
                    0.222_075_922_005_612_64,
                    0.222_075_922_005_612_64,
                    0.011_257_411_327_720_69,
                    0.011_257_411_327_720_69,
                ],
            },
            2..=4 => Self::cubature(n_local),
            _ => Self { nodes: vec![0.0; n_local], weights: vec![1.0] },
        }
    }

    /// The 2n nodes ±√n e_j, exact for cubics.
    pub fn cubature(n: usize) -> Self {
        let mut nodes = vec![0.0; 2 * n * n];
        for j in 0..n {
            nodes[2 * j * n + j] = (n as f64).sqrt();
            nodes[(2 * j + 1) * n + j] = -(n as f64).sqrt();
        }
        Self { nodes, weights: vec![0.5 / n as f64; 2 * n] }
    }
}

/// The expansion points of one branch, and what the network may know of it.
#[derive(Clone, Debug)]
pub struct Site {
    /// The centre z*.
    pub centre: Vec<f64>,
    /// Lower factor R* of the precision at the centre.
    pub factor: Vec<f64>,
    /// The precision R* R*ᵀ.
    pub precision: Vec<f64>,
    /// Points z_k, one row each.
    pub points: Vec<f64>,
    /// Their weights.
    pub weights: Vec<f64>,
    /// The nodes that they stand on, in coordinates whitened by the factor.
    pub nodes: Vec<f64>,
    /// Averages of the log likelihood, where it does not read θ.
    pub likelihood: Option<Averages>,
    /// Inputs of the network, raw.
    pub inputs: Vec<f64>,
    /// Whether the branch has rows; without them q is the prior.
    pub has_rows: bool,
}

impl Site {
    /// Expansion points with their nodes and weights.
    pub fn nodes(&self) -> impl Iterator<Item = (&[f64], &[f64], f64)> {
        let n = self.centre.len().max(1);
        let points = self.points.chunks_exact(n).zip(self.nodes.chunks_exact(n));
        points.zip(&self.weights).map(|((point, node), weight)| (point, node, *weight))
    }
}

/// Weighted averages over a site's points.
#[derive(Clone, Debug)]
pub struct Averages {
    /// Gradient.
    pub gradient: Vec<f64>,
    /// Curvature.
    pub curvature: Vec<f64>,
    /// Sums behind third and fourth derivatives ([`Higher`]).
    pub higher: Vec<f64>,
}

/// Finds sites; holds the work space for it.
#[derive(Clone, Debug)]
pub struct SiteSolver {
    n: usize,
    quadrature: Quadrature,
    gradient: Vec<f64>,
    curvature: Vec<f64>,
    part_gradient: Vec<f64>,
    part_curvature: Vec<f64>,
    trial: Vec<f64>,
    /// Where `part_gradient` and `part_curvature` hold those of the likelihood.
    expanded_at: Vec<f64>,
    decrement_at_end: f64,
}

impl SiteSolver {
    /// Work space for branches of `n_local` locals.
    pub fn new(n_local: usize) -> Self {
        Self {
            n: n_local,
            quadrature: Quadrature::for_locals(n_local),
            gradient: vec![0.0; n_local],
            curvature: vec![0.0; n_local * n_local],
            part_gradient: vec![0.0; n_local],
            part_curvature: vec![0.0; n_local * n_local],
            trial: vec![0.0; n_local],
            expanded_at: vec![],
            decrement_at_end: DECREMENT_AT_END,
        }
    }

    /// The site of a branch at `shared`; `warm` is a centre found before, for a θ near by.
    /// `None` where no point of positive definite curvature was found.
    pub fn solve<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        warm: Option<&[f64]>,
    ) -> Option<Site> {
        self.expanded_at.clear();
        let has_rows = target.n_rows(branch) > 0;
        let prior_mode = |solver: &mut Self, target: &mut T| {
            let mut mode = vec![0.0; solver.n];
            solver.newton(target, branch, shared, &mut mode, false);
            mode
        };
        let mut centre = match warm {
            Some(warm) => warm.to_vec(),
            None => prior_mode(self, target),
        };
        self.decrement_at_end = if warm.is_some() { DECREMENT_WHEN_WARM } else { DECREMENT_AT_END };
        let mut factor = self.newton(target, branch, shared, &mut centre, has_rows);
        if factor.is_none() && warm.is_some() {
            centre = prior_mode(self, target);
            factor = self.newton(target, branch, shared, &mut centre, has_rows);
        }
        let (mut factor, mut precision) = match factor {
            Some(found) => found,
            None => self.stand_in(target, branch, shared, &mut centre, has_rows)?,
        };
        let single = !has_rows && target.prior_is_gaussian();
        if !single && self.quadrature.weights.len() > 1 {
            self.average(target, branch, shared, &mut centre, &mut factor, &mut precision);
        }
        Some(self.place(target, branch, shared, centre, factor, precision, single))
    }

    /// Damped Newton to the mode of the branch's density (of its prior without `likelihood`).
    /// Returns the factor of the precision there and the precision.
    fn newton<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        z: &mut [f64],
        likelihood: bool,
    ) -> Option<(Vec<f64>, Vec<f64>)> {
        let n = self.n;
        let value = |target: &mut T, z: &[f64]| {
            let density = target.density(branch, shared, z);
            if likelihood { density.total() } else { density.prior }
        };
        let mut here = value(target, z);
        if !here.is_finite() {
            return None;
        }
        let mut at_end = false;
        for _ in 0..MAX_NEWTON_STEPS {
            self.expand(target, branch, shared, z, likelihood);
            let mut factor = self.curvature.clone();
            let definite = cholesky(&mut factor, n);
            if at_end && definite {
                return Some((factor, self.curvature.clone()));
            }
            if !definite {
                factor = damped_factor(&self.curvature, n)?;
            }
            let mut direction = self.gradient.clone();
            solve_lower(&factor, n, &mut direction);
            solve_lower_transposed(&factor, n, &mut direction);
            let decrement = dot(&direction, &self.gradient);
            if !decrement.is_finite() {
                return None;
            }
            if definite && decrement < self.decrement_at_end * (1.0 + here.abs() * 1e-4) {
                axpy(1.0, &direction, z);
                at_end = true;
                continue;
            }
            let slack = 1e-13 * here.abs();
            let mut length = 1.0;
            loop {
                self.trial.copy_from_slice(z);
                axpy(length, &direction, &mut self.trial);
                let there = value(target, &self.trial);
                if there.is_finite() && there >= here + 1e-4 * length * decrement - slack {
                    z.copy_from_slice(&self.trial);
                    here = there;
                    break;
                }
                length *= 0.5;
                if length < 1e-10 {
                    return definite.then(|| (factor, self.curvature.clone()));
                }
            }
        }
        self.expand(target, branch, shared, z, likelihood);
        let mut factor = self.curvature.clone();
        cholesky(&mut factor, n).then(|| (factor, self.curvature.clone()))
    }

    /// Where Newton finds no mode: the point it reached (or zero), with a damped curvature.
    fn stand_in<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        z: &mut [f64],
        likelihood: bool,
    ) -> Option<(Vec<f64>, Vec<f64>)> {
        for attempt in 0..2 {
            if attempt == 1 || z.iter().any(|x| !x.is_finite()) {
                z.fill(0.0);
            }
            self.expand(target, branch, shared, z, likelihood);
            if let Some(factor) = damped_factor(&self.curvature, self.n) {
                let n = self.n;
                let row = |i: usize| &factor[i * n..i * n + n];
                let product = (0..n * n).map(|ij| dot(row(ij / n), row(ij % n))).collect();
                return Some((factor, product));
            }
        }
        None
    }

    /// Sets gradient and curvature of prior (and likelihood) at z.
    fn expand<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        likelihood: bool,
    ) {
        let (gradient, curvature) = (&mut self.gradient, &mut self.curvature);
        target.expansion(Part::Prior, branch, shared, z, gradient, curvature);
        self.expanded_at.clear();
        if likelihood {
            self.expanded_at.extend_from_slice(z);
            let (gradient, curvature) = (&mut self.part_gradient, &mut self.part_curvature);
            target.expansion(Part::Likelihood, branch, shared, z, gradient, curvature);
            axpy(1.0, &self.part_gradient, &mut self.gradient);
            axpy(1.0, &self.part_curvature, &mut self.curvature);
        }
    }

    /// Two passes towards the best Gaussian: gradient and curvature averaged over the current
    /// one. A pass that leads nowhere sensible is not taken.
    fn average<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        centre: &mut [f64],
        factor: &mut Vec<f64>,
        precision: &mut Vec<f64>,
    ) {
        let n = self.n;
        for _ in 0..2 {
            let points = self.spread(centre, factor);
            let mut gradient = vec![0.0; n];
            let mut curvature = vec![0.0; n * n];
            for (k, point) in points.chunks_exact(n.max(1)).enumerate() {
                let weight = self.quadrature.weights[k];
                self.expand(target, branch, shared, point, true);
                axpy(weight, &self.gradient, &mut gradient);
                axpy(weight, &self.curvature, &mut curvature);
            }
            let mut next = curvature.clone();
            if !cholesky(&mut next, n) {
                return;
            }
            solve_lower(&next, n, &mut gradient);
            let squared_shift = dot(&gradient, &gradient);
            if squared_shift.is_nan() || squared_shift > 4.0 {
                return;
            }
            solve_lower_transposed(&next, n, &mut gradient);
            axpy(1.0, &gradient, centre);
            *factor = next;
            *precision = curvature;
        }
    }

    /// The quadrature's nodes around a centre: z* + R*⁻ᵀ ξ_k.
    fn spread(&self, centre: &[f64], factor: &[f64]) -> Vec<f64> {
        let mut points = self.quadrature.nodes.clone();
        for point in points.chunks_exact_mut(self.n.max(1)) {
            solve_lower_transposed(factor, self.n, point);
            axpy(1.0, centre, point);
        }
        points
    }

    #[allow(clippy::too_many_arguments)]
    fn place<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        centre: Vec<f64>,
        factor: Vec<f64>,
        precision: Vec<f64>,
        single: bool,
    ) -> Site {
        let n = self.n;
        let has_rows = target.n_rows(branch) > 0;
        let (points, weights, nodes) = if single {
            (centre.clone(), vec![1.0], vec![0.0; n])
        } else {
            let Quadrature { nodes, weights } = &self.quadrature;
            (self.spread(&centre, &factor), weights.clone(), nodes.clone())
        };
        let inputs = self.inputs(target, branch, shared, &centre, &factor);
        let likelihood = None;
        let mut site = Site {
            centre,
            factor,
            precision,
            points,
            weights,
            nodes,
            likelihood,
            inputs,
            has_rows,
        };
        if has_rows && !target.likelihood_reads_shared() {
            site.likelihood = Some(self.likelihood_averages(target, branch, shared, &site));
        }
        site
    }

    /// Averages of the likelihood over the site's points.
    fn likelihood_averages<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        site: &Site,
    ) -> Averages {
        let n = self.n;
        // With the centre as the only point, Newton's last expansion was just there.
        if site.weights.len() == 1 && self.expanded_at == site.centre {
            let (gradient, curvature) = (self.part_gradient.clone(), self.part_curvature.clone());
            return Averages { gradient, curvature, higher: vec![] };
        }
        let (mut sum, mut curvatures) = (vec![0.0; n], vec![0.0; n * n]);
        let mut higher = Higher::default();
        higher.begin(n, site.weights.len(), None);
        for (point, node, weight) in site.nodes() {
            let (gradient, curvature) = (&mut self.part_gradient, &mut self.part_curvature);
            target.expansion(Part::Likelihood, branch, shared, point, gradient, curvature);
            axpy(weight, gradient, &mut sum);
            axpy(weight, curvature, &mut curvatures);
            higher.add(node, weight, curvature);
        }
        Averages { gradient: sum, curvature: curvatures, higher: higher.sums().to_vec() }
    }

    /// What the network reads: the shift from the prior mean in prior standard deviations, the
    /// log diagonal of the factor, that of the factor relative to the prior's, log(rows + 1),
    /// and the branch's own data.
    fn inputs<T: Target>(
        &mut self,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        centre: &[f64],
        factor: &[f64],
    ) -> Vec<f64> {
        let n = self.n;
        let mut inputs = vec![0.0; 3 * n];
        let (gradient, curvature) = (&mut self.gradient, &mut self.curvature);
        target.expansion(Part::Prior, branch, shared, centre, gradient, curvature);
        let usable = cholesky(curvature, n);
        if usable {
            solve_lower(curvature, n, gradient);
        }
        for j in 0..n {
            let diagonal = factor[j * n + j].ln();
            inputs[n + j] = diagonal;
            if usable {
                inputs[j] = -gradient[j];
                inputs[2 * n + j] = diagonal - curvature[j * n + j].ln();
            }
        }
        inputs.push((target.n_rows(branch) as f64 + 1.0).ln());
        inputs.extend(target.branch_features(branch));
        inputs
    }
}

/// Length of [`Site::inputs`].
pub fn n_inputs<T: Target>(target: &T) -> usize {
    let n_features = if target.n_branches() > 0 { target.branch_features(0).len() } else { 0 };
    3 * target.n_local() + 1 + n_features
}

/// A positive definite stand-in for an indefinite curvature: its diagonal's size is added until
/// it has a factor.
fn damped_factor(curvature: &[f64], n: usize) -> Option<Vec<f64>> {
    if curvature.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let largest = (0..n).map(|j| curvature[j * n + j].abs()).fold(1e-300, f64::max);
    let mut damping = 1e-3;
    for _ in 0..12 {
        let mut factor = curvature.to_vec();
        for j in 0..n {
            let own = curvature[j * n + j].abs().max(1e-8 * largest);
            factor[j * n + j] += damping * own;
        }
        if cholesky(&mut factor, n) {
            return Some(factor);
        }
        damping *= 4.0;
    }
    None
}
