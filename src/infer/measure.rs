//! What is measured of a guide once it is found: everything that a verdict rests on.

use super::amortization::{self, AmortizationGap};
use super::elbo::{self, Guide, Noise};
use super::estimate::{self, Estimate};
use super::importance::{self, Importance};
use super::local_weights::{self, LocalWeights};
use super::modes::{self, OtherModes};
use super::plan::Plan;
use super::shards::Shards;
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// Work of the checks of branches, in rows times evaluations (a branch counts as 16 more).
const WORK: usize = 40_000_000;
/// Evaluations of one branch that they take about.
const PER_BRANCH: usize = 6000;
/// Branches they look at, where there are so many.
const FEWEST: usize = 16;
const MOST: usize = 200;
/// Draws of θ for weights of locals, and draws of the locals at each.
const WEIGHT_THETAS: usize = 4;
const WEIGHT_DRAWS: usize = 250;
/// Draws that free optimisation is made on, and that measure it.
const TRAINING_DRAWS: usize = 64;
const FRESH_DRAWS: usize = 128;
/// Steps of noise that no chunk of draws reaches.
const NOISE_STEP: usize = u32::MAX as usize - 8;

/// Figures of a sample of branches.
#[derive(Clone, Debug)]
pub struct BranchChecks {
    /// Weights of the locals given θ.
    pub weights: LocalWeights,
    /// What free optimisation of a branch would gain.
    pub gap: Option<AmortizationGap>,
    /// Modes that are not covered.
    pub modes: OtherModes,
}

/// All that is measured at the end of a fit.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The ELBO.
    pub elbo: Estimate,
    /// The importance-weighted bound, where that was climbed.
    pub bound: Option<Estimate>,
    /// Weights of θ, where they could be afforded.
    pub importance: Option<Importance>,
    /// Figures of branches; none where there are no locals, or no time.
    pub branches: Option<BranchChecks>,
}

/// Limits of time: whether that of the ELBO and that of all the rest is over.
pub struct Limits<'a> {
    /// Of the ELBO.
    pub elbo: &'a dyn Fn() -> bool,
    /// Of all.
    pub all: &'a dyn Fn() -> bool,
}

/// Measures a guide.
pub fn measure<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    plan: &Plan,
    seed: u64,
    limits: &Limits,
) -> Measured {
    let elbo = estimate::elbo(shards, guide, seed, 1, plan.measure_draws, limits.elbo);
    let samples = plan.importance_samples;
    let bound = (samples > 1).then(|| {
        let count = (plan.measure_draws / samples).max(16) & !1;
        estimate::elbo(shards, guide, seed, samples, count, limits.elbo)
    });
    let branches = match limits.all() {
        true => None,
        false => check_branches(shards, guide, seed),
    };
    let importance = match plan.weigh {
        true => importance::weigh(shards, guide, seed, plan.weight_draws, limits.all),
        false => None,
    };
    Measured { elbo, bound, importance, branches }
}

impl Limits<'_> {
    fn all(&self) -> bool {
        (self.all)()
    }
}

/// Looks at a random sample of the branches, at all where these are few.
pub fn check_branches<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    seed: u64,
) -> Option<BranchChecks> {
    if shards.target().n_local() == 0 {
        return None;
    }
    let sample = sample(shards.target(), seed);
    let noise = |k: usize| Noise {
        seed,
        global: Purpose::GlobalDraws,
        local: Purpose::WeightLocal,
        step: NOISE_STEP + k,
    };
    let target = shards.target();
    let mut draw = |k: usize, count| elbo::draw_particles(target, &guide.global, noise(k), count);
    let few = draw(0, WEIGHT_THETAS);
    let training = draw(1, TRAINING_DRAWS);
    let fresh = draw(2, FRESH_DRAWS);
    let at_mean = elbo::particle_at(shards.target(), &guide.global, vec![0.0; guide.global.n()]);
    let mean = &at_mean.shared;
    let weights = local_weights::weigh(shards, guide, &sample, &few, mean, noise(0), WEIGHT_DRAWS);
    let gap = amortization::measure(shards, guide, &sample, &training, &fresh, mean, noise(1));
    let modes = modes::search(shards, guide, &sample, &at_mean, noise(3));
    Some(BranchChecks { weights, gap, modes })
}

/// Branches with rows, in order.
fn sample<T: Target>(target: &T, seed: u64) -> Vec<usize> {
    let n = target.n_branches();
    let n_rows: usize = (0..n).map(|branch| target.n_rows(branch)).sum();
    let per_branch = (n_rows / n + 16) * PER_BRANCH;
    let count = (WORK / per_branch).clamp(FEWEST, MOST);
    let mut branches: Vec<usize> = (0..n).filter(|&branch| target.n_rows(branch) > 0).collect();
    if branches.is_empty() {
        branches = (0..n).collect();
    }
    Stream::new(seed, Purpose::Shuffle, usize::MAX - 1, 0, 0).shuffle(&mut branches);
    branches.truncate(count);
    branches.sort_unstable();
    branches
}
