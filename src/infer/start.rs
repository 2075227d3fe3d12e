//! Where θ starts: a deterministic search that does not depend on the units of the data.
//!
//! The objective is log p(θ) plus each branch's ELBO under the default guide, on a fixed
//! symmetric set of ε (a Laplace marginal when that set is {0}). Signs of the gradient find the
//! region whatever the scale of each θ; L-BFGS in scaled, then in whitened coordinates finishes.
//! The result is the mode c and S, a factor of the inverse of the negative Hessian there.
//!
//! A joint mode of effects and their scale may lie at the bottom of a funnel, at no use. Where it
//! does, θ is taken as independent Gaussians, whose entropy keeps them out of it, for the search.

use super::conditional::PriorAdjoint;
use super::curvature::{DENSE_EIGEN, inverse_of_definite_part, two_loops};
use super::elbo::{self, Centres};
use super::linalg::{axpy, cholesky, dot, lower_times, lower_transposed_times};
use super::local::{LocalGuide, LocalWorker, Particle};
use super::shards::Shards;
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// Length of difference steps, in standard deviations.
const DIFFERENCE: f64 = 0.2;
/// The same where differences are taken to one side only.
const ONE_SIDED_DIFFERENCE: f64 = 0.05;
const MAX_SIGN_STEPS: usize = 400;
/// Sign steps over which an improvement is looked for.
const SIGN_WINDOW: usize = 20;
const MAX_LBFGS_STEPS: usize = 200;
const LBFGS_MEMORY: usize = 12;
/// Axes of a site along which its motion with θ is followed.
const SITE_AXES: usize = 6;
/// Standard deviation, of θ as large, at which a search has run down a funnel.
const COLLAPSED: f64 = 1e-4;
/// Pairs of points that stand for independent Gaussians.
const SIDES: usize = 2;
/// Their standard deviations at first, the first one of finite density.
const FIRST_SPREADS: [f64; 3] = [1.0, 0.3, 0.1];
/// Longest step of the logarithm of one.
const LONGEST_LOG_STEP: f64 = 0.3;
/// Draws by which two starts are compared.
const ELBO_DRAWS: usize = 16;

/// What the search found.
#[derive(Clone, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "tests watch how the search went"))]
pub struct Start {
    /// The mode c.
    pub centre: Vec<f64>,
    /// S, lower, row-major.
    pub scale: Vec<f64>,
    /// Evaluations used.
    pub evaluations: usize,
    /// Whether the negative Hessian was positive definite as it came.
    pub definite: bool,
}

/// Searches for the mode and, where that has collapsed, for the centre of a Gaussian with
/// independent elements instead; of both the one with the higher ELBO is kept. On the `coarse`
/// branches, then on all of `branches`; the log density of
/// either stands for `n_branches`. `None` where nothing finite was found at or near zero.
pub fn search<T: Target>(
    shards: &mut Shards<T>,
    coarse: &[usize],
    branches: &[usize],
    n_branches: usize,
    stop: &mut dyn FnMut() -> bool,
) -> Option<Start> {
    let parts = Parts { coarse, branches, n_branches };
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
}

impl Parts<'_> {
    /// How many branches each of a part stands for.
    fn weight(&self, part: &[usize]) -> f64 {
        self.n_branches as f64 / part.len() as f64
    }
}

/// Whether the search ran down a funnel. Where the effects of a factor and their scale s are both
/// among the globals and the data say little of them, the density grows without bound as all of
/// them go to zero, while the volume there vanishes.
fn has_collapsed(start: &Start) -> bool {
    let n = start.centre.len();
    (0..n).any(|j| start.scale[j * n + j] < COLLAPSED * start.centre[j].abs().max(1.0))
}

/// E log p + Σ log S_jj under the Gaussian of a start: its ELBO less a constant.
fn elbo_of<T: Target>(objective: &mut Objective<T>, start: &Start) -> f64 {
    let n = start.centre.len();
    let log_scale: f64 = (0..n).map(|j| start.scale[j * n + j].ln()).sum();
    let mut sum = 0.0;
    for draw in 0..ELBO_DRAWS {
        let mut stream = Stream::new(0, Purpose::Start, draw, 0, 0);
        let noise: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let mut theta = vec![0.0; n];
        lower_times(&start.scale, n, &noise, &mut theta);
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
        let (centre, scale) = (vec![], vec![]);
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
            // Wide at first: then scales have no reason to shrink before effects are found.
            let spread = FIRST_SPREADS.iter().map(|&spread| {
                let log_scales = std::iter::repeat_n(f64::ln(spread), n);
                first.iter().copied().chain(log_scales).collect::<Vec<_>>()
            });
            let first = spread.into_iter().find(|at| objective.spread_at(at).is_some())?;
            let longest = |j: usize| if j < n { f64::INFINITY } else { LONGEST_LOG_STEP };
            let (found, _) =
                follow_signs(first, &longest, &mut |at| objective.spread_at(at), stop)?;
            let scales: Vec<f64> = found[n..].iter().map(|log_scale| log_scale.exp()).collect();
            objective.spread = Some(scales.clone());
            (found[..n].to_vec(), scales)
        }
    };
    let spread = objective.spread.clone();
    let mut scale = diagonal(&scales, n);
    let mut definite = false;
    let small = n <= DENSE_EIGEN;
    for round in 0..if small { 2 } else { 1 } {
        if round == 0 || !stop() {
            climb(&mut objective, &mut theta, &scale, stop);
            (scale, definite) = whiten(&mut objective, &theta, &scale);
        }
    }
    let coarse_evaluations = objective.evaluations;
    let mut all = Objective::new(shards, branches, parts.weight(branches));
    all.spread = spread;
    if (small || coarse.len() < branches.len()) && !stop() {
        climb(&mut all, &mut theta, &scale, stop);
        (scale, definite) = whiten(&mut all, &theta, &scale);
    }
    all.at(&theta)?;
    let evaluations = coarse_evaluations + all.evaluations;
    Some(Start { centre: theta, scale, evaluations, definite })
}

struct Objective<'a, T> {
    shards: &'a mut Shards<T>,
    branches: &'a [usize],
    weight: f64,
    n: usize,
    centres: Centres,
    /// The fixed ε, one row each.
    noise: Vec<f64>,
    /// How many rows these are; one, of no elements, where there are no locals.
    n_noise: usize,
    /// Whether gradients follow how sites move with θ, at twelve more gradients a branch;
    /// regions and scales are found without.
    follow: bool,
    /// Where given, values and gradients are means over points as far as this from θ, element
    /// by element.
    spread: Option<Vec<f64>>,
    evaluations: usize,
}

impl<'a, T: Target> Objective<'a, T> {
    fn new(shards: &'a mut Shards<T>, branches: &'a [usize], weight: f64) -> Self {
        let target = shards.target();
        let (n, d) = (target.n_global(), target.n_local());
        let centres = Centres::new(target);
        let (noise, n_noise) = match d {
            1..=4 => (super::site::Quadrature::cubature(d).nodes, 2 * d),
            _ => (vec![0.0; d], 1),
        };
        Self {
            shards,
            branches,
            weight,
            n,
            centres,
            noise,
            n_noise,
            follow: false,
            spread: None,
            evaluations: 0,
        }
    }

    /// Value and gradient; `None` where not finite.
    fn at(&mut self, theta: &[f64]) -> Option<(f64, Vec<f64>)> {
        match self.spread.clone() {
            None => self.at_point(theta),
            Some(spread) => self.mean_at(theta, &spread).map(|(value, g, _)| (value, g)),
        }
    }

    /// The ELBO, less a constant, of independent Gaussians of these means and logarithms of
    /// standard deviations, and its gradient.
    fn spread_at(&mut self, at: &[f64]) -> Option<(f64, Vec<f64>)> {
        let (theta, log_scales) = at.split_at(self.n);
        let spread: Vec<f64> = log_scales.iter().map(|log_scale| log_scale.exp()).collect();
        let (value, mut gradient, slopes) = self.mean_at(theta, &spread)?;
        gradient.extend(slopes.iter().zip(&spread).map(|(slope, scale)| slope * scale + 1.0));
        Some((value + log_scales.iter().sum::<f64>(), gradient))
    }

    /// Means of value and gradient over points one `spread` away from θ in every element, to
    /// fixed random sides and their opposites; also the derivative in the spread.
    fn mean_at(&mut self, theta: &[f64], spread: &[f64]) -> Option<(f64, Vec<f64>, Vec<f64>)> {
        let n = self.n;
        let share = 1.0 / (2 * SIDES) as f64;
        let (mut value, mut gradient, mut slopes) = (0.0, vec![0.0; n], vec![0.0; n]);
        for k in 0..SIDES {
            let mut stream = Stream::new(0, Purpose::Start, k, 1, 0);
            let sides: Vec<f64> =
                (0..n).map(|_| if stream.uniform() < 0.5 { -1.0 } else { 1.0 }).collect();
            for sign in [-1.0, 1.0] {
                let moved = |j: usize| theta[j] + sign * sides[j] * spread[j];
                let (there, g) = self.at_point(&(0..n).map(moved).collect::<Vec<_>>())?;
                value += share * there;
                axpy(share, &g, &mut gradient);
                (0..n).for_each(|j| slopes[j] += share * sign * sides[j] * g[j]);
            }
        }
        Some((value, gradient, slopes))
    }

    fn at_point(&mut self, theta: &[f64]) -> Option<(f64, Vec<f64>)> {
        self.evaluations += 1;
        let (shared, log_prior) = elbo::shared_at(self.shards.target(), theta);
        let noise = vec![0.0; self.n];
        let at = Particle {
            noise,
            theta: theta.to_vec(),
            whitened: vec![],
            shared,
            log_prior,
            log_q: 0.0,
        };
        if !log_prior.is_finite() {
            return None;
        }
        let (all_noise, n_noise) = (&self.noise, self.n_noise);
        let (centres, follow) = (&self.centres, self.follow);
        let guide = LocalGuide::Amortized(None);
        let sums = self.shards.map(self.branches, |target, shard| {
            let d = target.n_local();
            let weight = 1.0 / n_noise as f64;
            let mut worker = LocalWorker::new(&guide, target);
            let mut dshared = vec![0.0; target.n_shared()];
            let mut prior = PriorAdjoint::new(target.n_local());
            let (mut total, mut found) = (0.0, vec![]);
            for &branch in shard {
                let open = worker.open(target, branch, &at.shared, centres.get(branch));
                if !(open && worker.at(target, &at)) {
                    return (f64::NAN, dshared, found);
                }
                for k in 0..n_noise {
                    let noise = &all_noise[k * d..(k + 1) * d];
                    let value = worker.gradient(target, &at, noise, weight, &mut dshared, &mut []);
                    total += weight * value;
                }
                if follow && d > 4 {
                    worker.follow_site(target, &at, d.min(SITE_AXES));
                }
                worker.finish(target, &at, &mut dshared, &mut prior);
                found.extend(worker.site().map(|site| (branch, site.centre.clone())));
            }
            prior.finish(target, &at.shared, &mut dshared);
            (total, dshared, found)
        });
        let mut value = log_prior;
        let mut dshared = vec![0.0; at.shared.len()];
        for (total, part, _) in &sums {
            value += self.weight * total;
            axpy(self.weight, part, &mut dshared);
        }
        let mut gradient = vec![0.0; self.n];
        self.shards.target().shared_vjp(theta, &dshared, &mut gradient);
        if !value.is_finite() || gradient.iter().any(|x| !x.is_finite()) {
            return None;
        }
        for (_, _, found) in &sums {
            self.centres.store(found);
        }
        Some((value, gradient))
    }
}

/// A value and its gradient; none where either is not finite.
type Climbed = Option<(f64, Vec<f64>)>;

/// Resilient propagation (Riedmiller and Braun, 1993): each θ_j has a step of its own that grows
/// (up to `longest`) while the sign of its derivative lasts and is halved when it turns, so that
/// it reaches any scale in a few dozen steps. Returns the best θ seen and the last steps.
fn follow_signs(
    mut theta: Vec<f64>,
    longest: &dyn Fn(usize) -> f64,
    at: &mut dyn FnMut(&[f64]) -> Climbed,
    stop: &mut dyn FnMut() -> bool,
) -> Option<(Vec<f64>, Vec<f64>)> {
    let n = theta.len();
    let (mut value, mut gradient) = at(&theta)?;
    let mut steps = vec![0.1; n];
    let mut last = vec![0.0; n];
    let mut best = (value, theta.clone());
    let mut history = vec![value];
    for _ in 0..MAX_SIGN_STEPS {
        let mut next = theta.clone();
        for j in 0..n {
            let agreement = gradient[j] * last[j];
            if agreement > 0.0 {
                steps[j] = f64::min(1.6 * steps[j], longest(j));
            } else if agreement < 0.0 {
                steps[j] *= 0.4;
            }
            last[j] = if agreement < 0.0 { 0.0 } else { gradient[j] };
            if gradient[j] != 0.0 {
                next[j] += gradient[j].signum() * steps[j];
            }
        }
        match at(&next) {
            Some(found) => {
                theta = next;
                (value, gradient) = found;
            }
            None => {
                steps.iter_mut().for_each(|step| *step *= 0.2);
                last.fill(0.0);
            }
        }
        if value > best.0 {
            best = (value, theta.clone());
        }
        history.push(best.0);
        let old = history.len().checked_sub(SIGN_WINDOW).map(|k| history[k]);
        if old.is_some_and(|old| best.0 - old < 0.1 + 1e-6 * best.0.abs()) || stop() {
            break;
        }
    }
    Some((best.1, steps))
}

/// Zero, or small points near by where zero is not finite.
fn first_finite<T: Target>(objective: &mut Objective<T>) -> Option<Vec<f64>> {
    let mut theta = vec![0.0; objective.n];
    for attempt in 0..8 {
        let size = if attempt == 0 { 0.0 } else { 0.1 * 2.0f64.powi(attempt - 1) };
        for (j, t) in theta.iter_mut().enumerate() {
            *t = if (j + attempt as usize).is_multiple_of(2) { size } else { -size };
        }
        if objective.at(&theta).is_some() {
            return Some(theta);
        }
    }
    None
}

/// A standard deviation for each θ_j alone, from the difference of its derivative over a step
/// that is itself brought to a fraction of it.
fn coordinate_scales<T: Target>(
    objective: &mut Objective<T>,
    theta: &[f64],
    steps: &[f64],
) -> Vec<f64> {
    let tries = if objective.n <= 100 { 10 } else { 2 };
    (0..objective.n)
        .map(|j| {
            let floor = 1e-7 * theta[j].abs() + 1e-12;
            let mut h = steps[j].max(floor);
            for _ in 0..tries {
                let side = |objective: &mut Objective<T>, h: f64| {
                    let mut moved = theta.to_vec();
                    moved[j] += h;
                    objective.at(&moved).map(|(_, gradient)| gradient[j])
                };
                let (above, below) = (side(objective, h), side(objective, -h));
                let (Some(above), Some(below)) = (above, below) else {
                    h *= 0.1;
                    continue;
                };
                let curvature = (below - above) / (2.0 * h);
                if curvature.is_nan() || curvature <= 0.0 {
                    h *= if h < 0.3 { 3.0 } else { 0.1 };
                    continue;
                }
                let sd = curvature.sqrt().recip();
                if h > 0.02 * sd && h < sd {
                    return sd;
                }
                h = (DIFFERENCE * sd).max(floor);
            }
            // No usable curvature: a logarithm or logit moves by about one, others by their
            // last step.
            steps[j].clamp(floor, 1.0)
        })
        .collect()
}

fn diagonal(scales: &[f64], n: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; n * n];
    for j in 0..n {
        matrix[j * n + j] = scales[j];
    }
    matrix
}

/// L-BFGS in the coordinates x of θ = θ₀ + S x. The objective's gradient holds only nearly how
/// sites move with θ, so small falls are tolerated and a stall ends the climb.
fn climb<T: Target>(
    objective: &mut Objective<T>,
    theta: &mut Vec<f64>,
    scale: &[f64],
    stop: &mut dyn FnMut() -> bool,
) {
    let n = objective.n;
    let whitened = |gradient: &[f64]| {
        let mut out = vec![0.0; n];
        lower_transposed_times(scale, n, gradient, &mut out);
        out
    };
    objective.follow = true;
    climb_following(objective, theta, scale, &whitened, stop);
    objective.follow = false;
}

fn climb_following<T: Target>(
    objective: &mut Objective<T>,
    theta: &mut Vec<f64>,
    scale: &[f64],
    whitened: &dyn Fn(&[f64]) -> Vec<f64>,
    stop: &mut dyn FnMut() -> bool,
) {
    let n = objective.n;
    let Some((mut value, gradient)) = objective.at(theta) else { return };
    let mut gradient = whitened(&gradient);
    let mut memory: Vec<(Vec<f64>, Vec<f64>)> = vec![];
    for _ in 0..MAX_LBFGS_STEPS {
        let size = dot(&gradient, &gradient).sqrt();
        if size < 1e-4 * (n as f64).sqrt() || stop() {
            return;
        }
        let mut direction = two_loops(&memory, &gradient);
        let mut slope = dot(&direction, &gradient);
        if slope.is_nan() || slope <= 0.0 {
            memory.clear();
            direction = gradient.clone();
            slope = size * size;
        }
        let longest = direction.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        let mut length = (2.0 / longest).min(1.0);
        let taken = loop {
            let mut step = vec![0.0; n];
            lower_times(scale, n, &direction, &mut step);
            let mut next = theta.clone();
            axpy(length, &step, &mut next);
            if let Some((there, g)) = objective.at(&next) {
                let g = whitened(&g);
                let calmer = dot(&g, &g) < 0.8 * size * size;
                let slack = 1e-12 * value.abs() + if calmer { 1e-3 } else { 0.0 };
                if there >= value + 1e-4 * length * slope - slack {
                    break Some((next, there, g));
                }
            }
            length *= 0.4;
            if length * longest < 1e-6 {
                break None;
            }
        };
        let Some((next, there, g)) = taken else {
            if memory.is_empty() {
                return;
            }
            memory.clear();
            continue;
        };
        let s: Vec<f64> = direction.iter().map(|x| length * x).collect();
        let y: Vec<f64> = gradient.iter().zip(&g).map(|(a, b)| a - b).collect();
        if dot(&s, &y) > 1e-8 * dot(&s, &s) {
            memory.push((s, y));
            if memory.len() > LBFGS_MEMORY {
                memory.remove(0);
            }
        }
        (*theta, value, gradient) = (next, there, g);
    }
}

/// A new S at θ: differences of the gradient in the coordinates of the old one. A direction
/// without curvature keeps about the old scale. Also says whether there was none.
fn whiten<T: Target>(
    objective: &mut Objective<T>,
    theta: &[f64],
    scale: &[f64],
) -> (Vec<f64>, bool) {
    let n = objective.n;
    let mut hessian = vec![0.0; n * n];
    // One-sided differences cost half as much; the small loss is made up for by learning.
    let here = (n > DENSE_EIGEN).then(|| objective.at(theta)).flatten().map(|(_, gradient)| {
        let mut out = vec![0.0; n];
        lower_transposed_times(scale, n, &gradient, &mut out);
        out
    });
    let length = if here.is_some() { ONE_SIDED_DIFFERENCE } else { DIFFERENCE };
    for j in 0..n {
        let side = |objective: &mut Objective<T>, h: f64| {
            let moved: Vec<f64> = (0..n).map(|i| theta[i] + h * scale[i * n + j]).collect();
            objective.at(&moved).map(|(_, gradient)| {
                let mut out = vec![0.0; n];
                lower_transposed_times(scale, n, &gradient, &mut out);
                out
            })
        };
        let above = side(objective, length);
        let (below, distance) = match &here {
            Some(here) => (Some(here.clone()), length),
            None => (side(objective, -length), 2.0 * length),
        };
        let (Some(above), Some(below)) = (above, below) else { return (scale.to_vec(), false) };
        for i in 0..n {
            hessian[j * n + i] = (below[i] - above[i]) / distance;
        }
    }
    for i in 0..n {
        for j in 0..i {
            let mean = 0.5 * (hessian[i * n + j] + hessian[j * n + i]);
            hessian[i * n + j] = mean;
            hessian[j * n + i] = mean;
        }
    }
    let (covariance, definite) = inverse_of_definite_part(&hessian, n);
    // S C Sᵀ with the old S, factored anew.
    let mut product = vec![0.0; n * n];
    let mut half = vec![0.0; n];
    let mut left = vec![0.0; n * n];
    for i in 0..n {
        lower_times(scale, n, &covariance[i * n..i * n + n], &mut half);
        left[i * n..i * n + n].copy_from_slice(&half);
    }
    super::linalg::transpose(&mut left, n);
    for i in 0..n {
        lower_times(scale, n, &left[i * n..i * n + n], &mut half);
        product[i * n..i * n + n].copy_from_slice(&half);
    }
    if cholesky(&mut product, n) { (product, definite) } else { (scale.to_vec(), false) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::tests::models;

    #[test]
    fn the_gradient_follows_the_sites_as_they_move() {
        let target = models::logistic(30, 40, 6);
        let branches: Vec<usize> = (0..30).collect();
        let mut shards = Shards::new(&target, None);
        let mut objective = Objective::new(&mut shards, &branches, 1.0);
        objective.follow = true;
        let theta = [0.3, 0.2, 0.4, 0.3, 0.1, 0.3, -0.4, -0.2, -0.5, -0.3, -0.1, -0.4];
        let (_, gradient) = objective.at(&theta).expect("finite");
        for j in 0..12 {
            let mut value = |h: f64| {
                let mut moved = theta;
                moved[j] += h;
                objective.at(&moved).expect("finite").0
            };
            let slope = (value(1e-3) - value(-1e-3)) / 2e-3;
            let error = (slope - gradient[j]).abs();
            assert!(error < 0.01 + 0.01 * slope.abs(), "{j}: {slope} {}", gradient[j]);
        }
    }
}
