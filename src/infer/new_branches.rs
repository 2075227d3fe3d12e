//! A fit of the branch family, applied to branches that were not fitted: each finds its own
//! parameters, with q(θ) held.
//!
//! The amortized family needs none of this. Nor do scores and draws by importance weights, which
//! take Newton's expansion (`LocalGuide::for_new_branches`) for a proposal: this is for q(zᵢ|θ)
//! itself, in the form that the fitted branches have.

use super::adam::Adam;
use super::elbo::{self, Centres, Draws, Guide, Noise};
use super::free::FreeGuide;
use super::initial;
use super::local::LocalGuide;
use super::shards::Shards;
use super::site_guide::FreeSites;
use super::state::{Average, GRADIENT_FLOOR};
use crate::random::Purpose;
use crate::target::Target;

const STEPS: usize = 600;
const PARTICLES: usize = 8;
const STEP_SIZE: f64 = 0.03;

/// The guide of the branches in `shards`, a target with the globals of the fitted one. A guide
/// without parameters of single branches is returned as it is.
pub fn fit_new_branches<T: Target>(shards: &mut Shards<T>, fitted: &Guide, seed: u64) -> Guide {
    let branches: Vec<usize> = (0..shards.target().n_branches()).collect();
    let (shared, _) = elbo::shared_at(shards.target(), &fitted.global.mean());
    let mut guide = fitted.clone();
    match &fitted.local {
        LocalGuide::Branch(free) => {
            let sites = initial::sites(shards, &branches, &shared);
            guide.local = LocalGuide::Branch(FreeGuide::new(free.form, &sites));
        }
        LocalGuide::Sites(_) => {
            let sites = initial::sites(shards, &branches, &shared);
            let mut free = FreeSites::new(shards.target().n_local());
            for (branch, site) in sites.iter().enumerate() {
                free.push(shards.target(), branch, &shared, site.as_ref());
            }
            guide.local = LocalGuide::Sites(free);
        }
        _ => return guide,
    }
    climb(shards, &branches, &mut guide, seed);
    guide
}

/// Adam over every branch's own parameters, with the step size falling to zero and the last
/// quarter averaged.
fn climb<T: Target>(shards: &mut Shards<T>, branches: &[usize], guide: &mut Guide, seed: u64) {
    let mut adam = Adam::of_blocks(branches.len(), guide.local.n_own_parameters());
    let mut average = Average::default();
    let warm = Centres::new(shards.target());
    let widest = (0.3 / guide.global.n().max(1) as f64).clamp(0.002, STEP_SIZE);
    for step in 0..STEPS {
        let (global, local) = (Purpose::GlobalNoise, Purpose::LocalNoise);
        let noise = Noise { seed, global, local, step };
        let particles = elbo::draw_particles(shards.target(), &guide.global, noise, PARTICLES);
        let draws = Draws { particles: &particles, samples: 1, noise, is_common: false };
        let gradient = elbo::gradient(shards, guide, branches, 1.0, draws, &warm);
        let step_size = widest * (1.0 - 0.98 * step as f64 / STEPS as f64);
        for (branch, mut own) in gradient.own {
            adam.step_block(branch, &mut own, step_size, GRADIENT_FLOOR);
            guide.local.advance_own(branch, &own);
        }
        if step >= STEPS * 3 / 4 {
            average.add(guide);
        }
    }
    average.finish(guide);
}
