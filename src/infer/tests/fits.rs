//! Whole fits against exact answers and reference posteriors.

use std::ops::ControlFlow;

use super::glmm::Glmm;
use super::models;
use crate::infer::config::{Family, FitConfig};
use crate::infer::conjugate::Conjugate;
use crate::infer::fit::{FitResult, fit};
use crate::infer::posterior;
use crate::infer::score::{self, ScoreDraws};
use crate::infer::shards::Shards;
use crate::target::Target;

fn run(target: &Glmm, config: &FitConfig) -> FitResult {
    let result = fit(target, config, &mut |_| ControlFlow::Continue(())).expect("a fit");
    eprintln!(
        "{} steps {:.2} s, {:?}, {:?}, weights {:?}",
        result.steps,
        result.seconds,
        result.elbo,
        result.verdict,
        result.importance.as_ref().map(|w| (w.log_evidence, w.log_evidence_se, w.relative_ess)),
    );
    result
}

/// Mean and sd of a function of θ under plain draws and under weighted ones.
fn moments(result: &FitResult, n: usize, f: impl Fn(&[f64]) -> f64) -> [(f64, f64); 2] {
    let weighted = |theta: &[f64], weights: &[f64]| {
        let values: Vec<f64> = theta.chunks_exact(n).map(&f).collect();
        let mean: f64 = values.iter().zip(weights).map(|(x, w)| x * w).sum();
        let var: f64 = values.iter().zip(weights).map(|(x, w)| w * (x - mean).powi(2)).sum();
        (mean, var.sqrt())
    };
    let draws = posterior::global_draws(&result.guide, 1, 20_000);
    let plain = weighted(&draws, &vec![1.0 / 20_000.0; 20_000]);
    let weights = result.importance.as_ref().expect("weights of a small problem");
    [plain, weighted(&weights.theta, &weights.weights)]
}

/// Name, index, whether on the log scale, reference mean and sd, range of sd uncorrected.
type Reference = (&'static str, usize, bool, f64, f64, [f64; 2]);

fn compare(result: &FitResult, n: usize, references: &[Reference], unit: impl Fn(usize) -> f64) {
    for &(name, k, log, mean, sd, [low, high]) in references {
        let f = |theta: &[f64]| (if log { theta[k].exp() } else { theta[k] }) / unit(k);
        let [plain, corrected] = moments(result, n, f);
        let judge = |(m, s): (f64, f64)| ((m - mean) / sd, s / sd);
        let (plain, corrected) = (judge(plain), judge(corrected));
        eprintln!("{name}: plain {plain:.3?}, corrected {corrected:.3?}");
        assert!(plain.0.abs() <= 0.1 && plain.1 >= low && plain.1 <= high, "{name} {plain:?}");
        let near = corrected.0.abs() <= 0.05 && (corrected.1 - 1.0).abs() < 0.08;
        assert!(near, "{name} {corrected:?}");
    }
}

const PLAIN: [f64; 2] = [0.9, 1.1];

#[test]
fn conjugate_models_reach_their_evidence_and_never_pass_it() {
    for (n, rows, d) in [(10, 100, 10), (10, 5, 10)] {
        let exact = Conjugate::generate(n, rows, d).exact().log_evidence;
        for family in [Family::Amortized, Family::Branch] {
            let target = models::conjugate(n, rows, d);
            let result = run(&target, &FitConfig { family, ..FitConfig::default() });
            let gap = exact - result.elbo.value;
            eprintln!("{n} {rows} {d} {family:?}: gap {gap}");
            assert!(gap < 0.05 && gap > -3.0 * result.elbo.se - 1e-9, "{family:?} {gap}");
            assert!(result.verdict.believable);
        }
    }
}

#[test]
fn eight_schools_agree_with_the_reference() {
    let result = run(&models::eight_schools(), &FitConfig::default());
    let references =
        [("mu", 0, false, 4.41052, 3.3093, PLAIN), ("tau", 1, true, 3.60206, 3.19848, PLAIN)];
    compare(&result, 2, &references, |_| 1.0);
    let weights = result.importance.as_ref().expect("weights of a small problem");
    assert!((weights.log_evidence - eight_schools_evidence()).abs() < 0.02);
    assert!(result.elbo.value > -32.03 && result.verdict.believable);
    assert!(result.corrected);
}

/// log p(y) of eight schools, θ_i and mu integrated in closed form but for a grid over mu and
/// log tau.
fn eight_schools_evidence() -> f64 {
    let model = models::eight_schools();
    let normal =
        |x: f64, sd: f64| (-0.5 * (x / sd).powi(2)).exp() / (sd * std::f64::consts::TAU.sqrt());
    let (mut sum, h) = (0.0, 0.05);
    for j in -400..120 {
        let tau = (f64::from(j) * h).exp();
        let prior = tau / (std::f64::consts::PI * 5.0 * (1.0 + (tau / 5.0).powi(2)));
        for i in -160..=160 {
            let mu = f64::from(i) * 0.2;
            let rows = model.0.branches.iter().flatten();
            let likelihood = rows.map(|r| normal(r.y - mu, r.size.hypot(tau))).product::<f64>();
            sum += prior * normal(mu, 5.0) * likelihood * h * 0.2;
        }
    }
    sum.ln()
}

#[test]
fn seeds_agree_with_the_reference() {
    let result = run(&models::seeds(), &FitConfig::default());
    let references = [
        ("alpha0", 0, false, -0.462578, 0.190468, PLAIN),
        ("alpha1", 1, false, -0.0498537, 0.30329, PLAIN),
        ("alpha2", 2, false, 1.19636, 0.262104, PLAIN),
        ("alpha12", 3, false, -0.608381, 0.395532, PLAIN),
        ("sigma", 4, true, 0.331347, 0.143475, PLAIN),
    ];
    compare(&result, 5, &references, |_| 1.0);
    let weights = result.importance.as_ref().expect("weights of a small problem");
    // -63.901 ± 0.004 by tests/oracle/seeds_evidence.py.
    assert!((weights.log_evidence + 63.901).abs() < 0.02, "{}", weights.log_evidence);
    assert!(result.elbo.value > -64.00 && result.verdict.believable);
}

#[test]
fn rats_agree_with_the_reference_in_any_unit() {
    let references = [
        ("mu_alpha", 0, false, 242.458, 2.82126, PLAIN),
        ("mu_beta", 1, false, 6.18566, 0.111879, PLAIN),
        ("sigma_alpha", 2, true, 14.8959, 2.14251, PLAIN),
        ("sigma_beta", 3, true, 0.530606, 0.0939048, PLAIN),
        ("sigma_y", 4, true, 6.10569, 0.46358, PLAIN),
    ];
    let mut first: Option<f64> = None;
    for unit in [1.0, 1e-6, 1e6] {
        let result = run(&models::rats(unit), &FitConfig::default());
        compare(&result, 5, &references, |_| unit);
        assert!(result.verdict.believable);
        // log p(y) falls by log unit for each of the 150 rows; the flat priors of the three
        // standard deviations are improper and give one log unit each back.
        let invariant = result.elbo.value + 147.0 * f64::ln(unit);
        let first = *first.get_or_insert(invariant);
        assert!((invariant - first).abs() < 0.05, "{invariant} {first}");
    }
}

#[test]
fn logistic_branches_fit_with_and_without_minibatches() {
    let target = models::logistic(50, 30, 5);
    let full = run(&target, &FitConfig::default());
    let batched = run(&target, &FitConfig { batch: Some(16), ..FitConfig::default() });
    assert!(full.verdict.believable && batched.verdict.believable);
    assert!((full.elbo.value - batched.elbo.value).abs() < 0.3);
    let mut shards = Shards::new(&target, None);
    let theta = posterior::global_draws(&full.guide, 1, 400);
    let particles = posterior::particles(shards.target(), &full.guide, &theta, 400);
    let draws = ScoreDraws { particles, units: (0..400).map(|draw| draw / 2).collect() };
    let branches: Vec<usize> = (0..50).collect();
    let rows = || {
        let mut target = target.clone();
        move |branch: usize, shared: &[f64], z: &[f64]| target.held_out(branch, shared, z)
    };
    let scores = score::held_out(&mut shards, &full.guide, &draws, &branches, 1, rows);
    let (log_likelihood, se) = scores.total(&draws);
    assert!(log_likelihood > 100.0 * 0.5f64.ln() && se < 1.0, "{log_likelihood} ± {se}");
}

/// The start is found on a sample of the branches, and is the best for just these.
#[test]
fn minibatches_of_many_branches_reach_the_evidence() {
    let (n, rows, d) = (4000, 3, 2);
    let exact = Conjugate::generate(n, rows, d).exact();
    let config = FitConfig { draws: 2000, ..FitConfig::default() };
    let result = run(&models::conjugate(n, rows, d), &config);
    let gap = exact.log_evidence - result.elbo.value;
    assert!(gap.abs() < 0.1, "{gap} ± {}", result.elbo.se);
    assert!(result.verdict.believable, "{:?}", result.verdict.reasons);
}

#[test]
fn the_same_bits_come_for_any_number_of_threads() {
    let target = models::logistic(60, 20, 3);
    let config = |threads| FitConfig { max_steps: 150, threads, ..FitConfig::default() };
    let one = run(&target, &config(Some(1)));
    let three = run(&target, &config(Some(3)));
    assert_eq!(one.guide, three.guide);
    assert_eq!(one.elbo, three.elbo);
    assert!(!one.verdict.believable, "150 steps are too few to say");
}

#[test]
fn a_branch_without_rows_keeps_its_prior() {
    let mut target = models::eight_schools();
    let model = std::sync::Arc::get_mut(&mut target.0).expect("one owner");
    model.branches.push(vec![]);
    let result = run(&target, &FitConfig::default());
    let draws = posterior::global_draws(&result.guide, 1, 20_000);
    let particles = posterior::particles(
        &mut target,
        &result.guide,
        &draws,
        draws.len() / result.guide.global.n(),
    );
    let mut sampler = posterior::BranchSampler::new(&mut target, &result.guide, 1);
    let z = sampler.draws(&mut target, 8, &particles).expect("draws");
    let n = z.len() as f64;
    let scaled = |s: usize| (z[s] - draws[2 * s]) * (-draws[2 * s + 1]).exp();
    let mean = (0..z.len()).map(scaled).sum::<f64>() / n;
    let var = (0..z.len()).map(|s| scaled(s).powi(2)).sum::<f64>() / n;
    assert!(mean.abs() < 4.0 / n.sqrt() && (var - 1.0).abs() < 4.0 * (2.0 / n).sqrt());
}
