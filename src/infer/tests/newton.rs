//! Newton steps of q(θ) against exact posteriors, and against fits that do without them.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::glmm::Glmm;
use super::models;
use crate::infer::config::FitConfig;
use crate::infer::conjugate::{Conjugate, invert};
use crate::infer::elbo::{Centres, Guide};
use crate::infer::fit::{FitError, FitResult, fit, fit_from};
use crate::infer::global::GlobalGuide;
use crate::infer::local::LocalGuide;
use crate::infer::newton::{Ascent, Newton, advance, apart};
use crate::infer::optimise::{Stage, StepInfo, Watcher};
use crate::infer::optimiser_state::OptimiserState;
use crate::infer::plan::{NewtonPlan, Plan};
use crate::infer::posterior;
use crate::infer::shape::Shape;
use crate::infer::shards::Shards;
use crate::infer::triangular::Triangular;
use crate::tensors;

const N: usize = 300;
const D: usize = 3;

/// Means and standard deviations of a Gaussian q(θ) or of draws.
struct Moments {
    mean: Vec<f64>,
    sd: Vec<f64>,
}

fn exact() -> Moments {
    let exact = Conjugate::generate(N, 4, D).exact();
    let (covariance, _) = invert(&exact.precision, D);
    Moments { mean: exact.mean, sd: (0..D).map(|j| covariance[j * (D + 1)].sqrt()).collect() }
}

fn moments(result: &FitResult, n: usize) -> Moments {
    let count = 20_000;
    let draws = posterior::global_draws(&result.guide, 1, count);
    let of = |j: usize| draws.iter().skip(j).step_by(n);
    let mean: Vec<f64> = (0..n).map(|j| of(j).sum::<f64>() / count as f64).collect();
    let sd = |j: usize| (of(j).map(|x| (x - mean[j]).powi(2)).sum::<f64>() / count as f64).sqrt();
    Moments { sd: (0..n).map(sd).collect(), mean }
}

fn assert_near(ours: &Moments, theirs: &Moments, means: f64, widths: f64) {
    for j in 0..ours.mean.len() {
        let z = (ours.mean[j] - theirs.mean[j]) / theirs.sd[j];
        let ratio = ours.sd[j] / theirs.sd[j];
        eprintln!("{j}: z {z:.4}, widths {ratio:.4}");
        assert!(z.abs() < means && (ratio.ln()).abs() < widths, "{j}: {z} {ratio}");
    }
}

/// Where everything is Gaussian the gradient vanishes draw by draw at the posterior, so that steps
/// find it to rounding, from far off and from widths that are wrong both ways.
#[test]
fn the_exact_posterior_of_the_conjugate_model_is_met_from_far_off() {
    let target = models::conjugate(N, 4, D);
    let exact = exact();
    let centre: Vec<f64> = (0..D).map(|j| exact.mean[j] + 40.0 * exact.sd[j]).collect();
    let widths: Vec<f64> = (0..D).map(|j| exact.sd[j] * [0.2, 1.0, 5.0][j]).collect();
    let global = GlobalGuide::new(centre, (0..D).collect(), Triangular::diagonal(&widths, D));
    let mut guide = Guide { global, local: LocalGuide::Amortized(None), samples: 1 };
    let plan = NewtonPlan { shuffled: (0..N).collect(), levels: vec![30, N], n_sample: N };
    let mut shards = Shards::new(&target, None);
    let mut centres = Centres::new(&target);
    let mut ascent = Ascent::default();
    let mut step =
        || advance(&mut shards, &plan, 1, &mut guide, &mut centres, &mut ascent) == Newton::Going;
    let steps = (0..30).take_while(|_| step()).count();
    assert!(steps < 15 && !ascent.has_failed, "{steps} steps");
    assert!(ascent.left < 0.1, "{}", ascent.left);
    let map = |i: usize, j: usize| {
        let (scale, factor) = (guide.global.scale.to_square(), guide.global.factor.to_square());
        (0..D).map(|k| scale[i * D + k] * factor[k * D + j]).sum::<f64>()
    };
    let sd = |i: usize| (0..D).map(|j| map(i, j).powi(2)).sum::<f64>().sqrt();
    let ours = Moments { mean: guide.global.mean(), sd: (0..D).map(sd).collect() };
    assert_near(&ours, &exact, 1e-6, 1e-6);
}

fn run(target: &Glmm, config: &FitConfig) -> FitResult {
    let result = fit(target, config, &mut |_| ControlFlow::Continue(())).expect("a fit");
    eprintln!("{} steps {:.2} s, {:?}", result.steps, result.seconds, result.verdict);
    result
}

/// Minibatches, and too few draws for weights: what large data have.
fn config() -> FitConfig {
    FitConfig { batch: Some(60), draws: 100, ..FitConfig::default() }
}

#[test]
fn a_whole_fit_of_the_conjugate_model_ends_at_its_posterior() {
    let target = models::conjugate(N, 4, D);
    assert!(Plan::new(&target, &config()).newton.is_some());
    let result = run(&target, &config());
    assert!(result.verdict.believable, "{:?}", result.verdict);
    assert_near(&moments(&result, D), &exact(), 0.1, 0.05);
}

/// Against a fit of the same family by full batches and no Newton step.
#[test]
fn fits_of_logistic_branches_agree_with_those_of_full_batches() {
    let target = models::logistic(200, 12, 2);
    let full = FitConfig::default();
    assert!(Plan::new(&target, &full).newton.is_none());
    let (full, newton) = (run(&target, &full), run(&target, &config()));
    assert!(newton.verdict.believable, "{:?}", newton.verdict);
    let n = full.guide.global.n();
    assert_near(&moments(&newton, n), &moments(&full, n), 0.15, 0.08);
    assert!((newton.elbo.value - full.elbo.value).abs() < 0.3);
}

/// The noise of many small batches would move the shape of q(θ) at random.
#[test]
fn the_shape_is_learned_from_large_parts_of_the_branches_alone() {
    let target = models::logistic(200, 12, 2);
    let shape_after = |batch| {
        let config = FitConfig { batch: Some(batch), max_steps: 60, ..config() };
        assert!(Plan::new(&target, &config).newton.is_some());
        let global = run(&target, &config).guide.global;
        let start = Shape::gaussian(global.n(), global.scale.core());
        (global.shape, Some(start))
    };
    let (many_batches, gaussian) = shape_after(10);
    assert_eq!(many_batches, gaussian);
    let (four_batches, gaussian) = shape_after(50);
    assert_ne!(four_batches, gaussian);
}

#[test]
fn small_data_and_other_families_go_without() {
    use crate::infer::config::{Covariance, Encoder, Family};
    let target = models::conjugate(N, 4, D);
    let others = [
        FitConfig::default(),
        FitConfig { batch: None, ..config() },
        FitConfig { family: Family::Branch, ..config() },
        FitConfig { covariance: Some(Covariance::Dense), ..config() },
        FitConfig { encoder: Encoder::Pooled, ..config() },
        FitConfig { importance_samples: 4, ..config() },
    ];
    assert!(others.iter().all(|config| Plan::new(&target, config).newton.is_none()));
}

/// Means half a standard deviation apart, widths by a factor.
#[test]
fn distances_are_in_standard_deviations_of_the_second() {
    let scale = Triangular::diagonal(&[3.0, 0.1], 2);
    let first = GlobalGuide::new(vec![0.0; 2], vec![0, 1], scale);
    let mut second = first.clone();
    second.factor = Triangular::dense(&[2.0, 0.0, 3.0, 4.0], 2);
    // L⁻¹(2, 2) = (1, −1/4).
    second.loc = vec![2.0, 2.0];
    let apart = apart(&first, &second);
    assert!((apart.means - (0.5f64 * (1.0 + 0.0625)).sqrt()).abs() < 1e-12);
    let widths = (0.5 * (2.0f64.ln().powi(2) + 5.0f64.ln().powi(2))).sqrt();
    assert!((apart.widths - widths).abs() < 1e-12);
}

/// Stops a fit as a stage begins, and keeps its state.
struct StopAt {
    stage: Stage,
    stop: Arc<AtomicBool>,
    state: Option<OptimiserState>,
}

impl Watcher for StopAt {
    fn stage(&mut self, stage: Stage) {
        self.stop.fetch_or(stage == self.stage, Ordering::SeqCst);
    }

    fn row(&mut self, _: &StepInfo) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn keep(&mut self, state: &OptimiserState) {
        self.state = Some(state.clone());
    }
}

fn bits(result: &FitResult, n: usize) -> Vec<u64> {
    let Moments { mean, sd } = moments(result, n);
    let figures = mean.into_iter().chain(sd).chain([result.elbo.value]);
    figures.map(f64::to_bits).collect()
}

#[test]
fn neither_threads_nor_interruptions_change_a_bit() {
    let target = models::conjugate(N, 4, D);
    let whole = bits(&run(&target, &config()), D);
    for threads in [1, 2, 8] {
        let config = FitConfig { threads: Some(threads), ..config() };
        assert!(bits(&run(&target, &config), D) == whole, "{threads} threads");
    }
    for cycle in [0, 1] {
        let stop = Arc::new(AtomicBool::new(false));
        let stage = Stage::Newton { cycle };
        let mut watcher = StopAt { stage, stop: stop.clone(), state: None };
        let stopping = FitConfig { stop: Some(stop), ..config() };
        let stopped = fit_from(&target, &stopping, None, &mut watcher);
        assert!(matches!(stopped, Err(FitError::Interrupted)), "cycle {cycle}");
        let saved = tensors::encode(&watcher.state.expect("it is kept")).expect("it is written");
        let state: OptimiserState = tensors::decode(&saved).expect("it is read");
        let ignore = &mut |_: &StepInfo| ControlFlow::Continue(());
        let resumed = fit_from(&target, &config(), Some(state), ignore).expect("it goes on");
        assert!(bits(&resumed, D) == whole, "cycle {cycle}");
    }
}
