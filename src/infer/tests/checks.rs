//! Checks of branches, against guides that are off by a known amount.

use std::ops::ControlFlow;

use crate::infer::config::FitConfig;
use crate::infer::conjugate::Conjugate;
use crate::infer::elbo::{self, Guide};
use crate::infer::fit::fit;
use crate::infer::global::GlobalGuide;
use crate::infer::linalg::identity;
use crate::infer::local::LocalGuide;
use crate::infer::measure;
use crate::infer::network::Network;
use crate::infer::plan::Plan;
use crate::infer::posterior::{BranchSampler, Spread};
use crate::infer::shards::Shards;
use crate::infer::site::n_inputs;
use crate::infer::triangular::Triangular;

use crate::target::Target;

use super::glmm::Glmm;
use super::models;

const N: usize = 24;
const D: usize = 2;

/// Given θ, Newton's guide of the conjugate model is exact; here each zᵢ is moved by `shift`
/// standard deviations in its first whitened coordinate.
fn moved_guide(shift: f64) -> Guide {
    let target = models::conjugate(N, 4, D);
    let exact = Conjugate::generate(N, 4, D).exact();
    let mut scale = identity(D);
    scale.iter_mut().for_each(|x| *x *= 0.2);
    let global = GlobalGuide::new(exact.mean, (0..D).collect(), Triangular::dense(&scale, D));
    let mut network = Network::new(n_inputs(&target), D, true, &[], 1);
    let bias = network.weights.len() - 4 * D;
    // The network bounds ν: ν = 3 tanh(o/3).
    network.weights[bias] = 3.0 * (shift / 3.0).atanh();
    Guide { global, local: LocalGuide::Amortized(Some(network)), samples: 1 }
}

#[test]
fn a_shift_of_every_branch_is_its_gap_in_nats() {
    let mut shards = Shards::new(&models::conjugate(N, 4, D), None);
    for shift in [0.0, 0.5, 1.0] {
        let checks = measure::check_branches(&mut shards, &moved_guide(shift), 1).expect("locals");
        // Kullback and Leibler's divergence of two Gaussians that differ by a shift.
        let exact = 0.5 * shift * shift;
        let gap = checks.gap.expect("a gap");
        assert_eq!(gap.n_branches, N);
        assert!((gap.per_branch - exact).abs() < 4.0 * gap.se + 1e-6, "{shift}: {gap:?}");
        assert!(gap.se < 0.05, "{gap:?}");
        let mean = checks.weights.gap_mean();
        assert!((mean - exact).abs() < 0.05 * (1.0 + exact), "{shift}: {mean}");
        assert!(checks.modes.largest() < 1e-9, "a Gaussian has one mode");
        // For log-normal weights of variance s² the effective size is exp(−s²).
        let ess = checks.weights.ess_median();
        assert!((ess / (-shift * shift).exp() - 1.0).abs() < 0.2, "{shift}: {ess}");
    }
}

/// Picked by weight from many draws of a guide that is off, a draw is nearly one of the posterior.
#[test]
fn draws_that_are_picked_by_weight_come_near_the_posterior() {
    let mut target = models::conjugate(N, 4, D);
    let mean_of = |target: &mut Glmm, shift: f64, samples: usize| {
        let guide = Guide { samples, ..moved_guide(shift) };
        let at_mean = elbo::particle_at(target, &guide.global, vec![0.0; D]);
        let particles = vec![at_mean; 4000];
        let mut sampler = BranchSampler::new(target, &guide, 1);
        let draws = sampler.draws(target, 0, &particles).expect("finite");
        draws.chunks_exact(D).map(|z| z[0]).sum::<f64>() / 4000.0
    };
    let exact = mean_of(&mut target, 0.0, 1);
    let off = (mean_of(&mut target, 1.0, 1) - exact).abs();
    let picked = (mean_of(&mut target, 1.0, 64) - exact).abs();
    assert!(picked < 0.15 * off, "{picked} of {off}");
}

/// Means of few stratified draws hardly scatter, and are means of the same distribution.
#[test]
fn stratified_draws_have_the_same_mean_with_less_noise() {
    let mut target = models::conjugate(N, 4, D);
    let guide = moved_guide(0.0);
    let at_mean = elbo::particle_at(&mut target, &guide.global, vec![0.0; D]);
    let particles = vec![at_mean; 200];
    let mut moments = |spread: Spread| {
        let mut mean_of = |seed: u64| {
            let mut sampler = BranchSampler::new(&mut target, &guide, seed).spread(spread);
            let draws = sampler.draws(&mut target, 0, &particles).expect("finite");
            draws.chunks_exact(D).map(|z| z[D - 1]).sum::<f64>() / 200.0
        };
        let means: Vec<f64> = (1..=50).map(&mut mean_of).collect();
        let mean = means.iter().sum::<f64>() / 50.0;
        let scatter = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / 49.0;
        (mean, scatter.sqrt())
    };
    let (expected, noise) = moments(Spread::Independent);
    let (mean, scatter) = moments(Spread::Stratified);
    assert!(scatter < 0.15 * noise, "{scatter} of {noise}");
    assert!((mean - expected).abs() < 4.0 * noise / 50.0_f64.sqrt(), "{mean} {expected}");
}

/// What does not matter grows with the rows, unless the author says what matters.
#[test]
fn a_tolerance_that_is_asked_for_is_kept() {
    let target = models::conjugate(500, 4, D);
    let of =
        |tolerance| Plan::new(&target, &FitConfig { tolerance, ..FitConfig::default() }).tolerance;
    assert!((of(None) - 0.04).abs() < 1e-12);
    assert_eq!(of(Some(0.001)), 0.001);
}

/// However many rows there are, all globals must not be off by 0.3 of their standard deviations.
#[test]
fn what_many_rows_tolerate_hides_no_shift_of_the_globals() {
    let target = models::conjugate(500, 200, D);
    let tolerance = Plan::new(&target, &FitConfig::default()).tolerance;
    assert!((tolerance - 0.5 * target.n_global() as f64 * 0.3 * 0.3).abs() < 1e-12);
}

/// A cycle may gain nearly what is tolerated, and what q(θ) lacks by that are shifts of θ.
#[test]
fn ends_that_may_hide_a_shift_of_the_globals_are_not_believed_without_weights() {
    let of = |tolerance| {
        // Fewer draws than weights need.
        let config = FitConfig { tolerance, draws: 100, ..FitConfig::default() };
        let target = models::conjugate(20, 10, D);
        let result = fit(&target, &config, &mut |_| ControlFlow::Continue(())).expect("a fit");
        let is_coarse = |reason: &String| reason.contains("globals may be off by");
        result.verdict.reasons.iter().any(is_coarse)
    };
    assert!(of(Some(1000.0)) && !of(None));
}
