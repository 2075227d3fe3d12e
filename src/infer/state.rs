//! What a step of the optimisation starts from, and the step.

use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::elbo::{self, Centres, Draws, Guide, Noise};
use super::linalg::{axpy, dot};
use super::newton::{self, Ascent, Newton};
use super::plan::{NewtonPlan, Plan};
use super::shards::Shards;
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// Size of a whitened gradient, in nats, below which Adam's steps shrink with it.
pub const GRADIENT_FLOOR: f64 = 0.1;
/// The network's step size; it falls as that of q(θ) does.
const NETWORK_STEP: f64 = 0.01;
/// Batches an epoch beyond which the gradient in the shape of q(θ), at most about one nat, drowns in the
/// noise of batches, which grows as the root of their number. With so many branches q(θ) is nearly
/// Gaussian.
const MOST_BATCHES_FOR_SHAPE: usize = 8;

/// What the next step needs. Noise and minibatches follow from `step`, so this is all of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FitState {
    /// The approximation.
    pub guide: Guide,
    /// Steps taken.
    pub step: usize,
    /// Of the last gradient in q(θ).
    pub grad_norm: f64,
    /// Where Newton starts decides its last bits, so these belong to the state.
    centres: Centres,
    global: Adam,
    network: Adam,
    /// One block for each branch.
    own: Adam,
    /// The order of branches in `epoch`, made again where it is missing.
    #[serde(skip)]
    order: Vec<usize>,
    #[serde(skip)]
    epoch: Option<usize>,
}

impl FitState {
    /// Before the first step.
    pub fn new<T: Target>(guide: &Guide, target: &T) -> Self {
        let n_branches = target.n_branches();
        Self {
            guide: guide.clone(),
            step: 0,
            grad_norm: f64::NAN,
            centres: Centres::new(target),
            global: Adam::new(guide.global.n_parameters()),
            network: Adam::new(guide.local.n_shared_parameters()),
            own: Adam::of_blocks(n_branches, guide.local.n_own_parameters()),
            order: vec![],
            epoch: None,
        }
    }

    /// One Newton step of q(θ); see [`newton::advance`].
    pub fn newton<T: Target>(
        &mut self,
        shards: &mut Shards<T>,
        plan: &NewtonPlan,
        seed: u64,
        ascent: &mut Ascent,
    ) -> Newton {
        newton::advance(shards, plan, seed, &mut self.guide, &mut self.centres, ascent)
    }

    /// Back to a guide known to be good; moments are forgotten.
    pub fn return_to(&mut self, guide: &Guide) {
        self.guide.clone_from(guide);
        self.global.reset();
        self.network.reset();
        self.own.reset();
    }

    /// The minibatch of a step: random reshuffling, sizes that differ by one at most.
    fn batch(&mut self, plan: &Plan, seed: u64) -> Vec<usize> {
        let n = plan.n_branches;
        if plan.n_batches == 1 {
            return (0..n).collect();
        }
        let (epoch, position) = (self.step / plan.n_batches, self.step % plan.n_batches);
        if self.epoch != Some(epoch) {
            self.order = (0..n).collect();
            Stream::new(seed, Purpose::Shuffle, epoch, 0, 0).shuffle(&mut self.order);
            self.epoch = Some(epoch);
        }
        let border = |k: usize| k * n / plan.n_batches;
        self.order[border(position)..border(position + 1)].to_vec()
    }
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The guide has moved.
    Taken,
    /// It has not: the gradient is not finite, or half of the particles were not.
    NotFinite,
    /// Nothing has changed: the caller asked to stop.
    Stopped,
}

/// One step of Adam. Where Newton steps care for μ and L, these are held; so is the shape of q(θ)
/// where a batch is a small part of the branches, since noise would move it more than data do.
pub fn step<T: Target>(
    shards: &mut Shards<T>,
    plan: &Plan,
    seed: u64,
    state: &mut FitState,
    step_size: f64,
    holds_gaussian: bool,
) -> Step {
    let batch = state.batch(plan, seed);
    let (global, local) = (Purpose::GlobalNoise, Purpose::LocalNoise);
    let noise = Noise { seed, global, local, step: state.step };
    let count = plan.particles;
    let particles = elbo::draw_particles(shards.target(), &state.guide.global, noise, count);
    let scale = plan.n_branches as f64 / batch.len() as f64;
    let guide = &state.guide;
    let draws =
        Draws { particles: &particles, samples: plan.importance_samples, noise, is_common: false };
    let mut gradient = elbo::gradient(shards, guide, &batch, scale, draws, &state.centres);
    if shards.stop().is_set() {
        return Step::Stopped;
    }
    state.step += 1;
    let finite = gradient.values.iter().filter(|x| x.is_finite()).count();
    let all_finite = gradient.global.iter().chain(&gradient.network).all(|x| x.is_finite());
    if 2 * finite <= count || !all_finite {
        return Step::NotFinite;
    }
    state.centres.store(&gradient.centres);
    state.grad_norm = dot(&gradient.global, &gradient.global).sqrt();
    state.global.step(&mut gradient.global, step_size, GRADIENT_FLOOR);
    if holds_gaussian {
        let held = match plan.n_batches {
            0..=MOST_BATCHES_FOR_SHAPE => state.guide.global.n_gaussian(),
            _ => gradient.global.len(),
        };
        gradient.global[..held].fill(0.0);
    }
    state.guide.global.advance(&gradient.global);
    advance_local(state, plan, gradient.network, gradient.own, step_size);
    Step::Taken
}

fn advance_local(
    state: &mut FitState,
    plan: &Plan,
    mut network_gradient: Vec<f64>,
    own: Vec<(usize, Vec<f64>)>,
    step_size: f64,
) {
    let weights = state.guide.local.shared_parameters_mut();
    if !weights.is_empty() {
        let floor = GRADIENT_FLOOR * (plan.n_branches as f64).sqrt();
        let size = NETWORK_STEP * (step_size / plan.step_size).min(1.0);
        state.network.step(&mut network_gradient, size, floor);
        axpy(1.0, &network_gradient, weights);
    }
    for (branch, mut gradient) in own {
        state.own.step_block(branch, &mut gradient, step_size, GRADIENT_FLOOR);
        state.guide.local.advance_own(branch, &gradient);
    }
}

/// The running average of iterates.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Average {
    count: f64,
    sum: Option<Guide>,
}

impl Average {
    /// Takes one more iterate in.
    pub fn add(&mut self, guide: &Guide) {
        self.count += 1.0;
        let weight = 1.0 / self.count;
        let Some(mean) = &mut self.sum else {
            self.sum = Some(guide.clone());
            return;
        };
        let blend = |mean: &mut [f64], new: &[f64]| {
            for (m, x) in mean.iter_mut().zip(new) {
                *m += weight * (x - *m);
            }
        };
        mean.global.blend(&guide.global, weight);
        blend(mean.local.shared_parameters_mut(), guide.local.shared_parameters());
        blend(mean.local.own_parameters_mut(), guide.local.own_parameters());
    }

    /// Replaces the guide by the average, if there is one, and starts over.
    pub fn finish(&mut self, guide: &mut Guide) {
        if let Some(mean) = std::mem::take(self).sum {
            *guide = mean;
        }
    }
}
