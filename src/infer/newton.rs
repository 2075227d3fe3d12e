//! Newton steps on μ and L of q(θ), for data too large for the ELBO to tell where they belong.
//!
//! With t(ε) = Lᵀ ∂(log p − log q)/∂u at u = μ + Lε, the locals drawn and the landing stuck, in units
//! of q(θ)'s own standard deviations,
//!
//! ```text
//! g = E t(ε)        R = E t(ε) εᵀ = I − Lᵀ P L        P = −E ∇²_u log p
//! μ ← μ + L (I − R)⁻¹ g        L ← L chol (I − R)⁻¹
//! ```
//!
//! is Newton's method for the ELBO of a Gaussian (Opper and Archambeau 2009; natural gradients, Khan and
//! Rue 2023), by Bonnet's and Price's theorems. (I − R)⁻¹ g is how far the means are from the optimum, in standard
//! deviations, and where q(θ) is right t vanishes draw by draw, but for what q(z|θ) misses: so a
//! few draws tell it to a few hundredths, where the ELBO is known to tens of nats.
//!
//! Draws of ε are mirrored pairs of orthogonal directions of length √n, for which both means are
//! exact where log p is a quadratic. R comes from a sample of the branches with the same noise of the
//! locals in all draws, g from all of them with noise of its own for each pair.

use serde::{Deserialize, Serialize};

use super::curvature::inverse_of_definite_part;
use super::elbo::{self, Centres, Draws, Guide, Noise};
use super::estimate::chunk_size;
use super::global::GlobalGuide;
use super::linalg::{axpy, cholesky, dot, identity};
use super::plan::NewtonPlan;
use super::shards::Shards;
use super::triangular::Triangular;
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// Pairs of draws evaluated at once for g, and at most.
const PAIRS: usize = 4;
const MOST_PAIRS: usize = 16;
/// Monte Carlo error of g, in standard deviations of an element (root mean square), that is enough,
/// and the share of the distance that is while that is long.
const ENOUGH: f64 = 0.05;
const ENOUGH_OF_DISTANCE: f64 = 0.2;
/// Distance, in standard deviations, that one more step makes nothing of.
const NEAR: f64 = 0.3;
/// The same on fewer branches than all, in standard deviations of what these tell.
const NEAR_OF_LEVEL: f64 = 0.5;
/// Share of a distance that a step leaves about, since R is known from a sample.
const LEFT: f64 = 0.2;
/// Longest step of an element, in standard deviations of what the branches before told.
const LONGEST: f64 = 4.0;
/// Distance, in standard deviations of what the branches tell, within which R hardly changes.
const CURVED: f64 = 3.0;
const MOST_STEPS: usize = 12;

/// Where the steps stand.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ascent {
    /// Looks taken so far, which address the noise.
    looks: usize,
    /// How many of the levels of growing numbers of branches were left behind.
    level: usize,
    /// How many branches told the curvature that L rests on, at θ about here.
    #[serde(default)]
    n_told: usize,
    /// Whether L has followed R here, so that R is about zero.
    knows_curvature: bool,
    /// Looks since the last that ended a level or a polish.
    tries: usize,
    /// Where the last step began, and how far from the optimum that was.
    last: Option<(GlobalGuide, f64)>,
    /// Share of steps that is taken; it shrinks where one made things worse.
    share: f64,
    /// What is left of the distance of the means, in standard deviations (root mean square), as far as
    /// it is known.
    pub left: f64,
    /// Whether steps led nowhere, so that others have to do.
    pub has_failed: bool,
}

/// What came of one look and step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newton {
    /// There is more to do.
    Going,
    /// q(θ) is where it belongs for these locals, or [`Ascent::has_failed`].
    Done,
    /// Nothing has changed: the caller asked to stop.
    Stopped,
}

/// What a look found, in units of q(θ)'s standard deviations.
struct Look {
    /// (I − R)⁻¹ g, R with its weight among earlier samples.
    shift: Vec<f64>,
    /// Monte Carlo error of an element of it (root mean square).
    error: f64,
    /// R, row-major; none where it was zero by the look before.
    residual: Option<Vec<f64>>,
}

/// Looks once, and takes one step.
pub fn advance<T: Target>(
    shards: &mut Shards<T>,
    plan: &NewtonPlan,
    seed: u64,
    guide: &mut Guide,
    centres: &mut Centres,
    ascent: &mut Ascent,
) -> Newton {
    let mut newer = centres.clone();
    let found = look(shards, plan, seed, guide, &mut newer, ascent);
    if shards.stop().is_set() {
        return Newton::Stopped;
    }
    *centres = newer;
    ascent.looks += 1;
    ascent.tries += 1;
    let distance = found.as_ref().map_or(f64::INFINITY, |look| rms(&look.shift));
    let error = found.as_ref().map_or(f64::INFINITY, |look| look.error);
    let is_worse = |before: f64| distance > before.max(3.0 * error);
    match (found, ascent.last.take()) {
        (_, Some((global, before))) if is_worse(before) => {
            guide.global = global;
            ascent.share *= 0.5;
            (ascent.knows_curvature, ascent.n_told) = (false, 0);
        }
        (Some(look), _) if distance.is_finite() => {
            if ascent.step(plan, &mut guide.global, &look, distance) {
                return Newton::Done;
            }
        }
        _ => ascent.has_failed = true,
    }
    ascent.has_failed |= ascent.tries >= MOST_STEPS;
    if ascent.has_failed { Newton::Done } else { Newton::Going }
}

impl Default for Ascent {
    /// Before the first look.
    fn default() -> Self {
        Self {
            looks: 0,
            level: 0,
            n_told: 0,
            knows_curvature: false,
            tries: 0,
            last: None,
            share: 1.0,
            left: f64::INFINITY,
            has_failed: false,
        }
    }
}

impl Ascent {
    /// Whether it looks at all branches.
    pub fn is_at_last(&self, plan: &NewtonPlan) -> bool {
        self.level + 1 == plan.levels.len()
    }

    /// The weight of one more R: each comes from other branches or noise, so L follows the mean of
    /// what they tell.
    fn weight_of_sample(&self, plan: &NewtonPlan) -> f64 {
        let count = plan.sample_size(self.level);
        count as f64 / (self.n_told + count) as f64
    }

    /// Takes the step that a look tells; whether that ended the ascent.
    fn step(
        &mut self,
        plan: &NewtonPlan,
        global: &mut GlobalGuide,
        look: &Look,
        distance: f64,
    ) -> bool {
        self.last = Some((global.clone(), distance));
        let unit = plan.unit(self.level);
        let longest = look.shift.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        let bound = LONGEST * plan.unit(self.level.saturating_sub(1));
        let share = self.share * (bound / longest).min(1.0);
        let is_last = self.is_at_last(plan);
        axpy(share, &global.factor.times(&look.shift), &mut global.loc);
        if let Some(residual) = &look.residual {
            widen(global, residual, share * self.weight_of_sample(plan));
            self.n_told += plan.sample_size(self.level);
        }
        self.knows_curvature = share == 1.0 && distance < CURVED * unit;
        if !self.knows_curvature {
            self.n_told = 0;
        }
        self.share = (2.0 * self.share).min(1.0);
        if share < 1.0 {
            return false;
        }
        if !is_last {
            if distance < NEAR_OF_LEVEL * unit {
                self.begin(self.level + 1);
                if plan.sample_size(self.level) == plan.shuffled.len() {
                    // A sample of all has nothing to learn from fewer.
                    self.n_told = 0;
                }
            }
            return false;
        }
        self.left = (look.error.powi(2) + (LEFT * distance).powi(2)).sqrt();
        let is_near = distance < NEAR.max(2.0 * look.error);
        if is_near {
            self.begin(self.level);
        }
        is_near
    }

    /// Forgets what was known at the end of a level, or before a cycle changes the locals.
    fn begin(&mut self, level: usize) {
        (self.level, self.tries, self.last) = (level, 0, None);
        self.knows_curvature = false;
    }
}

/// L chol(I − `weight` R)⁻¹.
fn widen(global: &mut GlobalGuide, residual: &[f64], weight: f64) {
    let n = global.n();
    let mut root = inverse_less(residual, weight, n);
    if !cholesky(&mut root, n) {
        return;
    }
    let old = global.factor.to_square();
    let mut new = vec![0.0; n * n];
    for i in 0..n {
        for k in 0..=i {
            axpy(old[i * n + k], &root[k * n..k * n + k + 1], &mut new[i * n..i * n + k + 1]);
        }
    }
    global.factor = Triangular::dense(&new, n);
}

/// (I − `weight` R)⁻¹, bounded where that is not positive definite.
fn inverse_less(residual: &[f64], weight: f64, n: usize) -> Vec<f64> {
    let mut precision = identity(n);
    axpy(-weight, residual, &mut precision);
    inverse_of_definite_part(&precision, n).0
}

/// Looks at the branches of the level; none where a draw was not finite.
fn look<T: Target>(
    shards: &mut Shards<T>,
    plan: &NewtonPlan,
    seed: u64,
    guide: &Guide,
    centres: &mut Centres,
    ascent: &Ascent,
) -> Option<Look> {
    let n = guide.global.n();
    let branches = plan.level(ascent.level);
    let mut view = View { shards, plan, seed, guide, centres, step: 2 * ascent.looks };
    let residual = match ascent.knows_curvature {
        true => None,
        false => Some(view.residual(&plan.sample(ascent.looks, ascent.level))?),
    };
    let inverse = match &residual {
        Some(residual) => inverse_less(residual, ascent.weight_of_sample(plan), n),
        None => identity(n),
    };
    view.step += 1;
    let directions = directions(seed, view.step, n, MOST_PAIRS);
    let mut shifts: Vec<Vec<f64>> = vec![];
    for some in directions.chunks(PAIRS) {
        for [above, below] in view.pairs(&branches, some, false)? {
            let mean: Vec<f64> = above.iter().zip(&below).map(|(a, b)| 0.5 * (a + b)).collect();
            shifts.push(inverse.chunks_exact(n).map(|row| dot(row, &mean)).collect());
        }
        let look = summary(&shifts);
        let enough = ENOUGH.max(ENOUGH_OF_DISTANCE * rms(&look.0)) * plan.unit(ascent.level).sqrt();
        if look.1 < enough || view.shards.stop().is_set() {
            break;
        }
    }
    let (shift, error) = summary(&shifts);
    Some(Look { shift, error, residual })
}

/// Mean of independent estimates, and the root mean square over elements of its error.
fn summary(shifts: &[Vec<f64>]) -> (Vec<f64>, f64) {
    let (n, count) = (shifts[0].len(), shifts.len() as f64);
    let mut mean = vec![0.0; n];
    shifts.iter().for_each(|shift| axpy(1.0 / count, shift, &mut mean));
    let apart =
        |shift: &Vec<f64>| shift.iter().zip(&mean).map(|(x, m)| (x - m).powi(2)).sum::<f64>();
    let squares: f64 = shifts.iter().map(apart).sum();
    let error = (squares / (count - 1.0).max(1.0) / count / n as f64).sqrt();
    (mean, error)
}

/// What looks are made with.
struct View<'a, T> {
    shards: &'a mut Shards<T>,
    plan: &'a NewtonPlan,
    seed: u64,
    guide: &'a Guide,
    centres: &'a mut Centres,
    step: usize,
}

impl<T: Target> View<'_, T> {
    /// R, made symmetric.
    fn residual(&mut self, branches: &[usize]) -> Option<Vec<f64>> {
        let n = self.guide.global.n();
        let directions = directions(self.seed, self.step, n, n);
        let slopes = self.pairs(branches, &directions, true)?;
        let mut residual = vec![0.0; n * n];
        for (noise, [above, below]) in directions.iter().zip(&slopes) {
            for i in 0..n {
                let odd = 0.5 * (above[i] - below[i]) / n as f64;
                for j in 0..n {
                    residual[i * n + j] += 0.5 * odd * noise[j];
                    residual[j * n + i] += 0.5 * odd * noise[j];
                }
            }
        }
        Some(residual)
    }

    /// t(ε) and t(−ε) for each of these ε; none where one is not finite.
    fn pairs(
        &mut self,
        branches: &[usize],
        directions: &[Vec<f64>],
        is_common: bool,
    ) -> Option<Vec<[Vec<f64>; 2]>> {
        let scale = self.plan.shuffled.len() as f64 / branches.len() as f64;
        let (global, local) = (Purpose::NewtonGlobal, Purpose::NewtonLocal);
        let noise = Noise { seed: self.seed, global, local, step: self.step };
        let mut pairs = vec![];
        for some in directions.chunks(chunk_size(self.shards.target()) / 2) {
            let mirrored = |noise: &Vec<f64>| [noise.clone(), noise.iter().map(|x| -x).collect()];
            let target = self.shards.target();
            let at = |noise| elbo::particle_at(target, &self.guide.global, noise);
            let particles: Vec<_> = some.iter().flat_map(mirrored).map(at).collect();
            let draws = Draws { particles: &particles, samples: 1, noise, is_common };
            let slopes =
                elbo::slopes(self.shards, self.guide, branches, scale, draws, self.centres);
            if self.shards.stop().is_set() {
                return None;
            }
            self.centres.store(&slopes.centres);
            let factor = &self.guide.global.factor;
            let in_units =
                |slope: &Option<Vec<f64>>| Some(factor.transposed_times(slope.as_ref()?));
            for pair in slopes.of_particles.chunks_exact(2) {
                pairs.push([in_units(&pair[0])?, in_units(&pair[1])?]);
            }
        }
        Some(pairs)
    }
}

/// Random directions of length √n, orthogonal as far as there are no more than n.
fn directions(seed: u64, step: usize, n: usize, count: usize) -> Vec<Vec<f64>> {
    let mut all: Vec<Vec<f64>> = vec![];
    for k in 0..count {
        let turn = all.len() / n * n;
        let mut direction = vec![0.0; n];
        Stream::new(seed, Purpose::NewtonGlobal, step, 0, k).normals(&mut direction);
        // Twice, so that rounding leaves nothing.
        for other in all[turn..].iter().chain(&all[turn..]) {
            axpy(-dot(&direction, other) / n as f64, other, &mut direction);
        }
        let length = (dot(&direction, &direction) / n as f64).sqrt();
        direction.iter_mut().for_each(|x| *x /= length);
        all.push(direction);
    }
    all
}

/// Root mean square.
pub fn rms(values: &[f64]) -> f64 {
    (dot(values, values) / values.len().max(1) as f64).sqrt()
}

/// How far two approximations of the same c, S and order lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Apart {
    /// Of their means, in standard deviations of the second (root mean square).
    pub means: f64,
    /// Of the logarithms of their widths, element by element (root mean square).
    pub widths: f64,
}

/// How far `second` lies from `first`.
pub fn apart(first: &GlobalGuide, second: &GlobalGuide) -> Apart {
    let n = first.n();
    let mut means: Vec<f64> = second.loc.iter().zip(&first.loc).map(|(a, b)| a - b).collect();
    second.factor.solve(&mut means);
    let width = |guide: &GlobalGuide, i: usize| {
        let left = guide.factor.left(i);
        0.5 * (dot(left, left) + guide.factor.diagonal_at(i).powi(2)).ln()
    };
    let widths: Vec<f64> = (0..n).map(|i| width(second, i) - width(first, i)).collect();
    Apart { means: rms(&means), widths: rms(&widths) }
}
