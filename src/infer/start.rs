//! Where θ starts: a deterministic search that does not depend on the units of the data.
//!
//! The objective is log p(θ) plus each branch's ELBO under the default guide, on a fixed
//! symmetric set of ε (a Laplace marginal when that set is {0}). Signs of the gradient find the
//! region whatever the scale of each θ; L-BFGS in scaled, then in whitened coordinates finishes.
//! The result is the mode c and S, a factor of the inverse of the negative Hessian there.
//!
//! A joint mode of effects and their scale may lie at the bottom of a funnel, at no use. Where it
//! does, θ is taken as independent Gaussians, whose entropy keeps them out of it, for the search.

use super::arrow;
use super::ascent::{climb, first_finite, follow_signs};
use super::curvature::DENSE_EIGEN;
use super::linalg::axpy;
use super::objective::Objective;
use super::pattern::Pattern;
use super::shards::Shards;
use super::triangular::Triangular;
use super::whiten::{coordinate_scales, diagonal, whiten};
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// Standard deviation, of θ as large, at which a search has run down a funnel.
const COLLAPSED: f64 = 1e-4;
/// Their standard deviations at first, the first one of finite density.
const FIRST_SPREADS: [f64; 3] = [1.0, 0.3, 0.1];
/// Longest step of the logarithm of one.
const LONGEST_LOG_STEP: f64 = 0.3;
/// Gradient in whitened coordinates, in nats, at which the climb ends.
const NEAR: f64 = 1e-4;
/// The same on a part of the branches, whose mode is about one away from that of all, and for a rough
/// search, both where a branch stands for itself alone.
const NEAR_OF_PART: f64 = 0.02;
const ROUGHLY: f64 = 0.2;
/// Draws by which two starts are compared.
const ELBO_DRAWS: usize = 16;

/// What the search found.
#[derive(Clone, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "tests watch how the search went"))]
pub struct Start {
    /// The mode c.
    pub centre: Vec<f64>,
    /// S, its rows in the order of the pattern.
    pub scale: Triangular,
    /// Evaluations used.
    pub evaluations: usize,
    /// Whether the negative Hessian was positive definite as it came.
    pub definite: bool,
}

/// Searches for the mode and, where that has collapsed, for the centre of a Gaussian with
/// independent elements instead; of both the one with the higher ELBO is kept. On the `coarse`
/// branches, then on all of `branches`; the log density of
/// either stands for `n_branches`. A θ too large for a dense S has the second search alone, since
/// effects of many levels and their scale lead the first one astray. A `rough` search ends near the mode
/// of its branches, with S from the coarse ones if there are more branches than these, which is enough
/// where Newton steps of q(θ) follow. `None` where nothing finite was found at or near zero.
pub fn search<T: Target>(
    shards: &mut Shards<T>,
    coarse: &[usize],
    branches: &[usize],
    n_branches: usize,
    pattern: &Pattern,
    rough: bool,
    stop: &mut dyn FnMut() -> bool,
) -> Option<Start> {
    let parts = Parts { coarse, branches, n_branches, rough };
    if !pattern.is_dense() {
        return find_large(shards, &parts, pattern, stop);
    }
    let mode = find(shards, &parts, false, stop)?;
    if !has_collapsed(&mode) || stop() {
        return Some(mode);
    }
    let Some(spread) = find(shards, &parts, true, stop) else { return Some(mode) };
    let mut objective = Objective::new(shards, branches, parts.weight(branches));
    let gain = elbo_of(&mut objective, &spread) - elbo_of(&mut objective, &mode);
    let evaluations = mode.evaluations + spread.evaluations + objective.evaluations;
    Some(Start { evaluations, ..if gain < 0.0 { mode } else { spread } })
}

/// The branches that a search is made on.
struct Parts<'a> {
    coarse: &'a [usize],
    branches: &'a [usize],
    n_branches: usize,
    rough: bool,
}

impl Parts<'_> {
    /// How many branches each of a part stands for.
    fn weight(&self, part: &[usize]) -> f64 {
        self.n_branches as f64 / part.len() as f64
    }

    /// The gradient at which a climb on a part ends.
    fn near(&self, part: &[usize]) -> f64 {
        let weight = self.weight(part);
        match (self.rough, weight > 1.0) {
            (true, _) => ROUGHLY * weight.sqrt(),
            (false, true) => NEAR_OF_PART * weight.sqrt(),
            (false, false) => NEAR,
        }
    }
}

/// Whether the search ran down a funnel. Where the effects of a factor and their scale s are both
/// among the globals and the data say little of them, the density grows without bound as all of
/// them go to zero, while the volume there vanishes.
fn has_collapsed(start: &Start) -> bool {
    let n = start.centre.len();
    (0..n).any(|j| start.scale.diagonal_at(j) < COLLAPSED * start.centre[j].abs().max(1.0))
}

/// E log p + Σ log S_jj under the Gaussian of a start: its ELBO less a constant.
fn elbo_of<T: Target>(objective: &mut Objective<T>, start: &Start) -> f64 {
    let n = start.centre.len();
    let log_scale = start.scale.log_diagonal_sum();
    let mut sum = 0.0;
    for draw in 0..ELBO_DRAWS {
        let mut stream = Stream::new(0, Purpose::Start, draw, 0, 0);
        let noise: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let mut theta = start.scale.times(&noise);
        axpy(1.0, &start.centre, &mut theta);
        sum += objective.at(&theta).map_or(f64::NEG_INFINITY, |(value, _)| value);
    }
    sum / ELBO_DRAWS as f64 + log_scale
}

/// One search: for the mode, or with `spread` for the centre of independent Gaussians.
fn find<T: Target>(
    shards: &mut Shards<T>,
    parts: &Parts<'_>,
    spread: bool,
    stop: &mut dyn FnMut() -> bool,
) -> Option<Start> {
    let Parts { coarse, branches, .. } = *parts;
    let mut objective = Objective::new(shards, coarse, parts.weight(coarse));
    let n = objective.n;
    if n == 0 {
        objective.at(&[])?;
        let (centre, scale) = (vec![], Triangular::dense(&[], 0));
        return Some(Start { centre, scale, evaluations: 1, definite: true });
    }
    let first = first_finite(&mut objective)?;
    let (mut theta, scales) = match spread {
        false => {
            let (theta, steps) =
                follow_signs(first, &|_| f64::INFINITY, &mut |theta| objective.at(theta), stop)?;
            let scales = coordinate_scales(&mut objective, &theta, &steps);
            (theta, scales)
        }
        true => {
            let (theta, scales) = independent(&mut objective, &first, stop)?;
            objective.spread = Some(scales.clone());
            (theta, scales)
        }
    };
    let spread = objective.spread.clone();
    let mut scale = diagonal(&scales, n);
    let mut definite = false;
    let small = n <= DENSE_EIGEN;
    for round in 0..if small { 2 } else { 1 } {
        if round == 0 || !stop() {
            climb(&mut objective, &mut theta, &scale, parts.near(coarse), stop);
            (scale, definite) = whiten(&mut objective, &theta, &scale);
        }
    }
    let coarse_evaluations = objective.evaluations;
    let mut all = Objective::new(shards, branches, parts.weight(branches));
    all.spread = spread;
    if (small || coarse.len() < branches.len()) && !stop() {
        climb(&mut all, &mut theta, &scale, parts.near(branches), stop);
        if !(parts.rough && parts.weight(branches) > 1.0) {
            (scale, definite) = whiten(&mut all, &theta, &scale);
        }
    }
    all.at(&theta)?;
    let evaluations = coarse_evaluations + all.evaluations;
    let scale = Triangular::dense(&scale, n);
    Some(Start { centre: theta, scale, evaluations, definite })
}

/// Centre and standard deviations of the best Gaussian of independent elements, by signs.
fn independent<T: Target>(
    objective: &mut Objective<T>,
    first: &[f64],
    stop: &mut dyn FnMut() -> bool,
) -> Option<(Vec<f64>, Vec<f64>)> {
    let n = first.len();
    // Wide at first: then scales have no reason to shrink before effects are found.
    let spread = FIRST_SPREADS.iter().map(|&spread| {
        let log_scales = std::iter::repeat_n(f64::ln(spread), n);
        first.iter().copied().chain(log_scales).collect::<Vec<_>>()
    });
    let first = spread.into_iter().find(|at| objective.spread_at(at).is_some())?;
    let longest = |j: usize| if j < n { f64::INFINITY } else { LONGEST_LOG_STEP };
    let (found, _) = follow_signs(first, &longest, &mut |at| objective.spread_at(at), stop)?;
    let scales = found[n..].iter().map(|log_scale| log_scale.exp()).collect();
    Some((found[..n].to_vec(), scales))
}

/// The search for a large θ.
fn find_large<T: Target>(
    shards: &mut Shards<T>,
    parts: &Parts<'_>,
    pattern: &Pattern,
    stop: &mut dyn FnMut() -> bool,
) -> Option<Start> {
    let mut objective = Objective::new(shards, parts.branches, parts.weight(parts.branches));
    let first = first_finite(&mut objective)?;
    let (theta, sds) = independent(&mut objective, &first, stop)?;
    let scale = match stop() {
        true => None,
        false => arrow::scale(&mut objective, &theta, &sds, pattern),
    };
    let definite = scale.is_some();
    let ordered = || pattern.order.iter().map(|&j| sds[j]).collect::<Vec<_>>();
    let scale = scale.unwrap_or_else(|| Triangular::diagonal(&ordered(), pattern.core));
    Some(Start { centre: theta, scale, evaluations: objective.evaluations, definite })
}
