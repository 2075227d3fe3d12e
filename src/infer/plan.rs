//! What a fit of this size does: particles, minibatch, step size, and how much it measures.

use super::config::{Covariance, Encoder, Family, FitConfig};
use super::importance::{CANDIDATES, LEAST_DRAWS};
use super::pattern::Pattern;
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// Branches and rows up to which every step sees all of them.
const FULL_BATCH_BRANCHES: usize = 1000;
const FULL_BATCH_ROWS: usize = 200_000;
/// Rows (a branch counts as 16 more) that a minibatch holds about.
const BATCH_WORK: usize = 40_000;
/// The same times particles, which small problems fill with more particles.
const STEP_WORK: usize = 30_000;
/// Branches of the start phase.
const START_BRANCHES: usize = 1000;
const START_WORK: usize = 200_000;
/// The same where θ is too large to be dense.
const LARGE_START_WORK: usize = 2_000_000;
/// Work of its first, coarse search.
const COARSE_WORK: usize = 12_000;
const WATCH_WORK: usize = 150_000;
/// Work of the final measurements, in rows (a branch counts as 16 more).
const MEASURE_WORK: usize = 20_000_000;
const WEIGHT_WORK: usize = 600_000_000;
/// Work of a step beyond which a decay is kept short.
const COSTLY_STEP: usize = 100_000;
/// Nats that do not matter.
const TOLERANCE: f64 = 0.02;
/// Nats per row that do not matter: a fiftieth of the yardstick of one nat per 1 000 rows.
const TOLERANCE_PER_ROW: f64 = 2e-5;
/// Work of the estimate of curvature of a Newton step of q(θ), in rows times draws, and the fewest
/// branches that it rests on.
const CURVATURE_WORK: usize = 20_000_000;
const CURVATURE_BRANCHES: usize = 1000;
/// The same for each global: with fewer the curvature of some directions is mostly chance.
const CURVATURE_BRANCHES_PER_GLOBAL: usize = 4;
/// Growth of the number of branches from one level of Newton steps to the next.
const LEVEL_GROWTH: usize = 10;
/// A shift of all globals, in standard deviations, that what rows allow must not hide.
const HIDDEN_SHIFT: f64 = 0.3;

/// Settings of one fit, derived from its sizes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Branches of the target.
    pub n_branches: usize,
    /// Draws of θ a step.
    pub particles: usize,
    /// Draws of each branch's locals for one of θ.
    pub importance_samples: usize,
    /// Minibatches an epoch.
    pub n_batches: usize,
    /// Adam's step size.
    pub step_size: f64,
    /// Steps between two looks at the ELBO.
    pub watch_every: usize,
    /// Draws of the watched ELBO.
    pub watch_draws: usize,
    /// Its branches; others than those of the start phase as far as there are so many.
    pub watch_branches: Vec<usize>,
    /// Which elements of θ are dense.
    pub pattern: Pattern,
    /// Branches of the start phase.
    pub start_branches: Vec<usize>,
    /// Those of its first search, fewer.
    pub coarse_branches: Vec<usize>,
    /// Shortest first decay.
    pub min_decay: usize,
    /// Gain of a cycle, in nats, below which the fit has converged: what was asked for, or what
    /// does not matter for so many rows and globals.
    pub tolerance: f64,
    /// Rise of the watched ELBO, in nats, that is none while steps are of constant size.
    pub rest: f64,
    /// Most draws of the final ELBO.
    pub measure_draws: usize,
    /// Whether importance weights can be afforded and would tell something.
    pub weigh: bool,
    /// Draws of θ for them.
    pub weight_draws: usize,
    /// Newton steps of q(θ), where they are what ends the fit.
    pub newton: Option<NewtonPlan>,
}

/// What Newton steps of q(θ) look at.
#[derive(Clone, Debug)]
pub struct NewtonPlan {
    /// All branches, in random order.
    pub shuffled: Vec<usize>,
    /// How many of the first of them are looked at, level by level; all at last.
    pub levels: Vec<usize>,
    /// How many tell the curvature.
    pub n_sample: usize,
}

impl NewtonPlan {
    /// The branches of a level.
    pub fn level(&self, level: usize) -> Vec<usize> {
        sorted(&self.shuffled[..self.levels[level]])
    }

    /// How many branches tell the curvature at a level.
    pub fn sample_size(&self, level: usize) -> usize {
        self.n_sample.min(self.levels[level])
    }

    /// Branches for the curvature at a level, others in each turn.
    pub fn sample(&self, turn: usize, level: usize) -> Vec<usize> {
        let (among, count) = (self.levels[level], self.sample_size(level));
        let place = |k: usize| self.shuffled[(turn * count + k) % among];
        sorted(&(0..count).map(place).collect::<Vec<_>>())
    }

    /// The standard deviation of what a level tells, in those of what all branches tell.
    pub fn unit(&self, level: usize) -> f64 {
        (self.shuffled.len() as f64 / self.levels[level] as f64).sqrt()
    }
}

fn sorted(sample: &[usize]) -> Vec<usize> {
    let mut sample = sample.to_vec();
    sample.sort_unstable();
    sample
}

impl Plan {
    /// The plan for that target.
    pub fn new<T: Target>(target: &T, config: &FitConfig) -> Self {
        let n = target.n_branches();
        let n_rows: usize = (0..n).map(|branch| target.n_rows(branch)).sum();
        let work = n_rows + 16 * n;
        let per_branch = work / n;
        let full = n <= FULL_BATCH_BRANCHES && n_rows <= FULL_BATCH_ROWS;
        let by_work = if full { n } else { (BATCH_WORK / per_branch).clamp(32, 2048) };
        let batch = config.batch.unwrap_or(by_work).clamp(1, n);
        let samples = config.importance_samples.max(1);
        let particles = (STEP_WORK / (per_branch * batch * samples)).clamp(4, 16) & !1;
        let pattern = Pattern::new(target.n_global(), &target.global_variables());
        let is_dense = pattern.is_dense();
        // A row of L shares its noise with the core alone, so that is what a safe step goes by.
        let n_shared_noise = pattern.core.max(1) as f64;
        let (start_branches, start_work) = match pattern.is_dense() {
            true => (START_BRANCHES, START_WORK),
            // Effects of many levels are each told by few rows: a sample would lack them.
            false => (n, LARGE_START_WORK),
        };
        let widest = if config.family == Family::Amortized { 0.05 } else { 0.03 };
        let step_size = (0.3 / n_shared_noise).clamp(0.002, widest);
        let is_costly = per_branch * batch * particles * samples > COSTLY_STEP;
        let mut shuffled: Vec<usize> = (0..n).collect();
        Stream::new(config.seed, Purpose::Shuffle, usize::MAX, 0, 0).shuffle(&mut shuffled);
        let count = |work: usize, most: usize| (work / per_branch).clamp(64, most.max(64)).min(n);
        let first = |work: usize, most: usize| sorted(&shuffled[..count(work, most)]);
        // From the other end: where θ started from is the best for just those branches.
        let last = |work: usize, most: usize| sorted(&shuffled[n - count(work, most)..]);
        let affordable = WEIGHT_WORK / (work * CANDIDATES);
        let weight_draws = config.draws.min(affordable) & !3;
        let start_branches = first(start_work, start_branches);
        // Newton steps end the fit where no weights could tell whether globals are right.
        let is_newton = batch < n
            && weight_draws < LEAST_DRAWS
            && is_dense
            && target.n_global() > 0
            && samples == 1
            && config.family == Family::Amortized
            && config.encoder == Encoder::Newton
            && config.covariance() == Covariance::Prior;
        let newton = is_newton.then(|| {
            let mut levels = vec![];
            let mut count = start_branches.len().min(n);
            while count < n {
                levels.push(count);
                count *= LEVEL_GROWTH;
            }
            levels.push(n);
            let wanted = CURVATURE_WORK / (2 * target.n_global() * per_branch);
            let least = CURVATURE_BRANCHES.max(CURVATURE_BRANCHES_PER_GLOBAL * target.n_global());
            let n_sample = wanted.max(least);
            NewtonPlan { shuffled: shuffled.clone(), levels, n_sample }
        });
        let tolerance =
            config.tolerance.unwrap_or_else(|| default_tolerance(n_rows, target.n_global()));
        // What the globals gain cannot hide where Newton steps bring them.
        let rest = match (&newton, config.tolerance) {
            (Some(_), None) => tolerance.max(TOLERANCE_PER_ROW * n_rows as f64),
            _ => tolerance,
        };
        Self {
            n_branches: n,
            particles: config.particles.unwrap_or(particles).max(1),
            importance_samples: samples,
            n_batches: n.div_ceil(batch),
            step_size: config.step_size.unwrap_or(step_size),
            watch_every: if is_costly { 10 } else { 25 },
            watch_draws: if is_costly { 16 } else { 32 },
            watch_branches: last(WATCH_WORK, FULL_BATCH_BRANCHES),
            start_branches,
            newton,
            pattern,
            coarse_branches: first(COARSE_WORK, START_BRANCHES),
            min_decay: match is_costly {
                true => 120,
                false => ((20.0 / step_size) as usize).clamp(400, 1500),
            },
            tolerance,
            rest,
            measure_draws: (MEASURE_WORK / work).clamp(16, 16_384) & !1,
            // Weights of a θ of thousands of elements are those of a single draw, and say nothing.
            weigh: is_dense && weight_draws >= LEAST_DRAWS,
            weight_draws,
        }
    }
}

/// The gain of a cycle, in nats, that does not matter: little for each row, but no more than what
/// q(θ) loses when every one of its `n_global` means, if it has any, is off by [`HIDDEN_SHIFT`],
/// n s² / 2.
fn default_tolerance(n_rows: usize, n_global: usize) -> f64 {
    let of_rows = TOLERANCE_PER_ROW * n_rows as f64;
    let of_shift = match n_global {
        0 => f64::INFINITY,
        n => 0.5 * n as f64 * HIDDEN_SHIFT * HIDDEN_SHIFT,
    };
    of_rows.min(of_shift).max(TOLERANCE)
}
