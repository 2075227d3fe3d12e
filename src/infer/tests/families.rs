//! Gradients of every free form of q(zᵢ|θ) against central differences, and at the exact posterior.

use std::ops::ControlFlow;

use super::glmm::Glmm;
use super::models;
use crate::infer::conditional::PriorAdjoint;
use crate::infer::config::{Coupling, Covariance, Encoder, Family, FitConfig};
use crate::infer::conjugate::{Conjugate, invert};
use crate::infer::elbo::{self, Centres, Draws, Guide, Noise};
use crate::infer::encoder::Real;
use crate::infer::expanded::ExpandedGuide;
use crate::infer::fit::{FitError, FitResult, fit};
use crate::infer::free::FreeGuide;
use crate::infer::global::GlobalGuide;
use crate::infer::joint::{self, JointTarget};
use crate::infer::linalg::{cholesky, dot, identity, solve_lower};
use crate::infer::linear::LinearForm;
use crate::infer::local::LocalGuide;
use crate::infer::network::Network;
use crate::infer::new_branches::fit_new_branches;
use crate::infer::shards::Shards;
use crate::infer::site::{Site, SiteSolver, n_inputs};
use crate::infer::site_guide::FreeSites;
use crate::infer::triangular::Triangular;
use crate::infer::worker::{LocalWorker, Particle};
use crate::random::Purpose;
use crate::target::Target;

const NOISE: Noise =
    Noise { seed: 3, global: Purpose::GlobalNoise, local: Purpose::LocalNoise, step: 0 };

/// Every linear form.
pub fn forms(n_local: usize, n_global: usize) -> Vec<LinearForm> {
    let form = |coupling, diagonal| LinearForm { n_local, n_global, coupling, diagonal };
    vec![
        form(Some(Coupling::Noise), false),
        form(Some(Coupling::Theta), false),
        form(None, false),
        form(None, true),
    ]
}

fn sites(target: &mut Glmm, shared: &[f64]) -> Vec<Option<Site>> {
    let mut solver = SiteSolver::new(target.n_local());
    (0..target.n_branches()).map(|i| solver.solve(target, i, shared, None)).collect()
}

fn free_sites(target: &mut Glmm, shared: &[f64]) -> FreeSites {
    let mut free = FreeSites::new(target.n_local());
    for (branch, site) in sites(target, shared).iter().enumerate() {
        free.push(target, branch, shared, site.as_ref());
    }
    free
}

/// Free guides of every kind, away from their start.
fn guides(target: &mut Glmm, shared: &[f64], n_global: usize) -> Vec<LocalGuide> {
    let mut guides = vec![LocalGuide::Sites(free_sites(target, shared))];
    let sites = sites(target, shared);
    for form in forms(target.n_local(), n_global) {
        guides.push(LocalGuide::Branch(FreeGuide::new(form, &sites)));
    }
    for guide in &mut guides {
        let p = guide.n_own_parameters();
        for branch in 0..target.n_branches() {
            let delta: Vec<f64> = (0..p).map(|k| 0.2 * (0.7 * (k + branch) as f64).sin()).collect();
            guide.advance_own(branch, &delta);
        }
    }
    guides
}

fn slope(f: &mut dyn FnMut(f64) -> f64, h: f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

fn assert_near(a: f64, b: f64, what: &str) {
    assert!((a - b).abs() <= 1e-6 * (1.0 + a.abs().max(b.abs())), "{what}: {a} {b}");
}

/// z is affine in ε for every guide: z = a + Mε. −log q(z|θ) is then ½|M⁻¹(z − a)|² and a constant.
pub struct Affine {
    mean: Vec<f64>,
    inverse: Vec<f64>,
}

impl Affine {
    fn of(guide: &LocalGuide, target: &mut Glmm, shared: &[f64], particle: &Particle) -> Self {
        let mut worker = LocalWorker::new(guide, target);
        assert!(worker.open(target, 1, shared, None) && worker.at(target, particle));
        Self::of_worker(&mut worker, target.n_local())
    }

    pub fn of_worker<F: Real>(worker: &mut LocalWorker<F>, n: usize) -> Self {
        let mut sample = |noise: &[f64]| {
            worker.sample(noise);
            worker.z.clone()
        };
        let mean = sample(&vec![0.0; n]);
        let mut map = vec![0.0; n * n];
        for k in 0..n {
            let z = sample(&identity(n)[k * n..(k + 1) * n]);
            (0..n).for_each(|j| map[j * n + k] = z[j] - mean[j]);
        }
        // (MᵀM)⁻¹Mᵀ, since the inverse at hand is of definite matrices.
        let entry = |j: usize, k: usize| (0..n).map(|i| map[i * n + j] * map[i * n + k]).sum();
        let gram: Vec<f64> = (0..n * n).map(|jk| entry(jk / n, jk % n)).collect();
        let (gram, _) = invert(&gram, n);
        let inverse = (0..n * n)
            .map(|jk| (0..n).map(|i| gram[jk / n * n + i] * map[jk % n * n + i]).sum())
            .collect();
        Self { mean, inverse }
    }

    pub fn minus_log_density(&self, z: &[f64]) -> f64 {
        let n = z.len();
        let off: Vec<f64> = z.iter().zip(&self.mean).map(|(z, m)| z - m).collect();
        let e = self.inverse.chunks_exact(n).map(|row| dot(row, &off));
        e.map(|e| 0.5 * e * e).sum()
    }
}

fn sample(
    guide: &LocalGuide,
    target: &mut Glmm,
    shared: &[f64],
    particle: &Particle,
    noise: &[f64],
) -> Vec<f64> {
    let mut worker = LocalWorker::new(guide, target);
    assert!(worker.open(target, 1, shared, None) && worker.at(target, particle));
    worker.sample(noise);
    worker.z.clone()
}

#[test]
fn gradients_of_free_forms_are_central_differences_with_log_q_held() {
    let all = [
        (models::eight_schools(), vec![4.0, 1.0]),
        (models::rats(1.0), vec![242.0, 6.2, 2.7, -0.6, 1.8]),
        (models::logistic(4, 9, 4), vec![0.1; 8]),
    ];
    for (mut target, theta) in all {
        let (n, g) = (target.n_local(), theta.len());
        let scale = Triangular::diagonal(&vec![0.1; g], g);
        let global = GlobalGuide::new(theta.clone(), (0..g).collect(), scale);
        let (shared, _) = elbo::shared_at(&mut target, &theta);
        let particle = &elbo::draw_particles(&mut target, &global, NOISE, 1)[0];
        let noise: Vec<f64> = (0..n).map(|j| 0.8 - 0.5 * j as f64).collect();
        for guide in guides(&mut target, &shared, g) {
            let mut worker = LocalWorker::new(&guide, &target);
            assert!(worker.open(&mut target, 1, &shared, None) && worker.at(&mut target, particle));
            let (mut dshared, mut followed) = (vec![0.0; shared.len()], vec![0.0; g]);
            worker.gradient(&mut target, particle, &noise, (1.0, 1.0), &mut dshared, &mut followed);
            worker.finish(&mut target, particle, &mut dshared, &mut PriorAdjoint::new(n));
            let own = worker.own_gradient();
            let held = Affine::of(&guide, &mut target, &shared, particle);
            for (k, ours) in own.iter().enumerate() {
                let mut moved = |h: f64| {
                    let mut guide = guide.clone();
                    let mut delta = vec![0.0; own.len()];
                    delta[k] = h;
                    guide.advance_own(1, &delta);
                    let z = sample(&guide, &mut target, &shared, particle, &noise);
                    let density = target.density(1, &particle.shared, &z);
                    density.total() + held.minus_log_density(&z)
                };
                // The upper triangle of a factor is no parameter, and stays where it is.
                if *ours != 0.0 {
                    assert_near(slope(&mut moved, 1e-3), *ours, "a parameter");
                }
            }
            let LocalGuide::Branch(free) = &guide else { continue };
            let z = sample(&guide, &mut target, &shared, particle, &noise);
            for (k, ours) in followed.iter().enumerate() {
                let mut moved = |h: f64| {
                    let mut at = particle.clone();
                    at.noise[k] += h;
                    at.whitened[k] += h;
                    if guide.follows_theta() {
                        let z = sample(&guide, &mut target, &shared, &at, &noise);
                        return target.density(1, &particle.shared, &z).total();
                    }
                    Affine::of(&guide, &mut target, &shared, &at).minus_log_density(&z)
                };
                assert_near(slope(&mut moved, 1e-3), *ours, "ε₀ or u");
                assert_eq!(*ours == 0.0, free.form.coupling.is_none());
            }
        }
    }
}

/// The network's weights, and u, of Newton's linear forms.
#[test]
fn gradients_of_the_expanded_forms_are_central_differences_with_log_q_held() {
    let mut target = models::rats(1.0);
    let theta = vec![242.0, 6.2, 2.7, -0.6, 1.8];
    let scale = Triangular::diagonal(&[0.1; 5], 5);
    let global = GlobalGuide::new(theta.clone(), (0..5).collect(), scale);
    let (shared, _) = elbo::shared_at(&mut target, &theta);
    let sites = sites(&mut target, &shared);
    let inputs: Vec<_> = sites.iter().flatten().map(|site| site.inputs.clone()).collect();
    let particle = &elbo::draw_particles(&mut target, &global, NOISE, 1)[0];
    let noise = [0.8, -0.5];
    for form in forms(2, 5).into_iter().skip(1) {
        let mut network = Network::new(n_inputs(&target), 2, false, &inputs, 1);
        network.weights.iter_mut().enumerate().for_each(|(k, w)| *w += 0.2 * (k as f64).sin());
        let guide = LocalGuide::Expanded(ExpandedGuide::new(form, network));
        let draw = |guide: &LocalGuide, target: &mut Glmm, particle: &Particle| {
            let mut worker = LocalWorker::within(guide, &global, target);
            assert!(worker.open(target, 1, &shared, None) && worker.at(target, particle));
            worker.sample(&noise);
            worker.z.clone()
        };
        let mut worker = LocalWorker::within(&guide, &global, &mut target);
        assert!(worker.open(&mut target, 1, &shared, None) && worker.at(&mut target, particle));
        let (mut dshared, mut followed) = (vec![0.0; shared.len()], vec![0.0; 5]);
        worker.gradient(&mut target, particle, &noise, (1.0, 1.0), &mut dshared, &mut followed);
        let mut gradient = vec![0.0; guide.n_shared_parameters()];
        worker.close(1.0, &mut gradient);
        let held = Affine::of_worker(&mut worker, 2);
        for k in (0..gradient.len()).rev().step_by(9) {
            let mut moved = |h: f64| {
                let mut guide = guide.clone();
                guide.shared_parameters_mut()[k] += h;
                let z = draw(&guide, &mut target, particle);
                target.density(1, &particle.shared, &z).total() + held.minus_log_density(&z)
            };
            assert_near(slope(&mut moved, 1e-3), gradient[k], "a weight");
        }
        for (k, ours) in followed.iter().enumerate() {
            let mut moved = |h: f64| {
                let mut at = particle.clone();
                at.whitened[k] += h;
                let z = draw(&guide, &mut target, &at);
                target.density(1, &particle.shared, &z).total()
            };
            assert_near(slope(&mut moved, 1e-3), *ours, "u");
        }
    }
}

/// The exact posterior of the conjugate model in a dense form, or prior times site.
pub fn exact_guides(data: &Conjugate, target: &mut Glmm) -> Vec<Guide> {
    let d = data.n_local;
    let exact = data.exact();
    let (mut scale, _) = invert(&exact.precision, d);
    assert!(cholesky(&mut scale, d));
    let global =
        GlobalGuide::new(exact.mean.clone(), (0..d).collect(), Triangular::dense(&scale, d));
    let (shared, _) = elbo::shared_at(target, &exact.mean);
    let mut guides = vec![LocalGuide::Sites(free_sites(target, &shared))];
    let sites = sites(target, &shared);
    for form in forms(d, d).into_iter().filter(|form| form.coupling.is_some()) {
        let mut free = FreeGuide::new(form, &sites);
        // E[z|θ] = … + Sᵢθ, so A and B are R*ᵀSᵢS with Sᵢ = (R*R*ᵀ)⁻¹, which is R*⁻¹S.
        let p = free.n_parameters();
        for (i, site) in sites.iter().enumerate() {
            let factor = &site.as_ref().expect("a site").factor;
            for k in 0..d {
                let mut column: Vec<f64> = (0..d).map(|j| scale[j * d + k]).collect();
                solve_lower(factor, d, &mut column);
                (0..d).for_each(|j| free.parameters[i * p + d + j * d + k] = column[j]);
            }
        }
        guides.push(LocalGuide::Branch(free));
    }
    let form = forms(d, d)[1];
    let inputs: Vec<_> = sites.iter().flatten().map(|site| site.inputs.clone()).collect();
    let network = Network::new(n_inputs(target), d, false, &inputs, 1);
    guides.push(LocalGuide::Expanded(ExpandedGuide::new(form, network)));
    guides.into_iter().map(|local| Guide { global: global.clone(), local, samples: 1 }).collect()
}

#[test]
fn at_the_exact_posterior_every_dense_gradient_vanishes_draw_by_draw() {
    let data = Conjugate::generate(10, 12, 5);
    let mut target = models::conjugate(10, 12, 5);
    let evidence = data.exact().log_evidence;
    for guide in exact_guides(&data, &mut target) {
        let mut shards = Shards::new(&target, None);
        let branches: Vec<usize> = (0..10).collect();
        for particle in elbo::draw_particles(&mut target, &guide.global, NOISE, 3) {
            let one = std::slice::from_ref(&particle);
            let warm = Centres::new(&target);
            let draws = Draws { particles: one, samples: 1, noise: NOISE, is_common: false };
            let g = elbo::gradient(&mut shards, &guide, &branches, 1.0, draws, &warm);
            assert!((g.values[0] - evidence).abs() < 1e-4, "{} {evidence}", g.values[0]);
            let mut all = g.global.clone();
            g.own.iter().for_each(|(_, own)| all.extend(own));
            all.extend(&g.network);
            let largest = all.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            // A free site starts a millionth away from Newton's, to be able to leave zero.
            let bound = if matches!(guide.local, LocalGuide::Sites(_)) { 1e-3 } else { 1e-12 };
            assert!(largest < bound * g.largest_summand.max(1.0), "{largest}");
        }
    }
}

/// Every approximation, at its own optimum, on the conjugate model.
#[test]
fn block_and_diagonal_fits_lose_what_their_forms_must() {
    let cases = [
        ((2, 3, 2), Covariance::Block, 0.368622),
        ((2, 3, 2), Covariance::Diagonal, 0.57535013),
        ((10, 5, 10), Covariance::Block, 3.91742),
        ((10, 5, 10), Covariance::Diagonal, 36.248267),
    ];
    for ((n, rows, d), covariance, deficit) in cases {
        let data = Conjugate::generate(n, rows, d);
        let target = models::conjugate(n, rows, d);
        let exact = data.exact();
        for family in [Family::Branch, Family::Amortized] {
            let result = fitted(&target, family, covariance);
            let lost = exact.log_evidence - result.elbo.value;
            let noise = 3.0 * result.elbo.se + 0.01;
            assert!((lost - deficit).abs() < noise, "{family:?} {covariance:?}: {lost} {deficit}");
            if covariance == Covariance::Block && n == 10 {
                variances_are_too_small(&data, &result.guide.global);
            }
        }
    }
}

/// Without coupling, a variance of θ is that given all z: 1/(1 + N) for every element.
/// Relative to 1/P_jj that is f = P_jj/(1 + N), on average 0.477.
fn variances_are_too_small(data: &Conjugate, global: &GlobalGuide) {
    let (d, n) = (data.n_local, data.x.len() as f64);
    let precision = data.exact().precision;
    let mut ratio = 0.0;
    for j in 0..d {
        // Var θ_j = |(S L)ᵀ e_j|², column by column of the map from ε₀.
        let mut variance = 0.0;
        for k in 0..d {
            let moved = global.theta(&identity(d)[k * d..(k + 1) * d]);
            variance += (moved[j] - global.mean()[j]).powi(2);
        }
        assert!((variance * (1.0 + n) - 1.0).abs() < 0.04, "{variance}");
        ratio += variance * precision[j * d + j] / d as f64;
    }
    assert!((ratio - 0.477).abs() < 0.01, "{ratio}");
}

#[test]
fn dense_and_site_fits_reach_the_evidence() {
    let cases = [
        (Family::Branch, Covariance::Prior, None),
        (Family::Branch, Covariance::Dense, Some(Coupling::Theta)),
        (Family::Amortized, Covariance::Dense, None),
        (Family::Joint, Covariance::Dense, None),
    ];
    let data = Conjugate::generate(2, 3, 2);
    let target = models::conjugate(2, 3, 2);
    for (family, covariance, coupling) in cases {
        let covariance = Some(covariance);
        let config = FitConfig { family, covariance, coupling, ..FitConfig::default() };
        let result = fit(&target, &config, &mut |_| ControlFlow::Continue(())).expect("a fit");
        let gap = data.exact().log_evidence - result.elbo.value;
        let noise = 3.0 * result.elbo.se + 1e-9;
        assert!(gap < 0.01 && gap > -noise, "{family:?} {covariance:?}: {gap}");
        assert!(result.verdict.believable, "{family:?} {covariance:?}: {:?}", result.verdict);
    }
}

fn fitted(target: &Glmm, family: Family, covariance: Covariance) -> FitResult {
    let config = FitConfig { family, covariance: Some(covariance), ..FitConfig::default() };
    fit(target, &config, &mut |_| ControlFlow::Continue(())).expect("a fit")
}

/// The gradient of the joint density, and the Gaussians of θ and one branch in what is kept.
#[test]
fn the_joint_target_has_the_density_of_all_unknowns_and_parts_into_branches() {
    let mut inner = models::rats(1.0);
    let theta = vec![242.0, 6.2, 2.7, -0.6, 1.8];
    let (shared, _) = elbo::shared_at(&mut inner, &theta);
    let sites = sites(&mut inner, &shared);
    let form = LinearForm { coupling: Some(Coupling::Noise), ..forms(2, 5)[2] };
    let scale = Triangular::diagonal(&[0.1; 5], 5);
    let start = Guide {
        global: GlobalGuide::new(theta, (0..5).collect(), scale),
        local: LocalGuide::Branch(FreeGuide::new(form, &sites)),
        samples: 1,
    };
    let mut guide = joint::joined(&start);
    let mut target = JointTarget::new(inner).expect("65 unknowns");
    let n = target.n_global();
    let delta: Vec<f64> =
        (0..guide.global.n_parameters()).map(|k| 0.1 * (k as f64).sin()).collect();
    // Above the diagonal there are no parameters.
    let lower = |k: usize| k < n || (k - n) % n <= (k - n) / n;
    let delta: Vec<f64> =
        delta.iter().enumerate().map(|(k, x)| if lower(k) { *x } else { 0.0 }).collect();
    guide.global.advance(&delta);
    let at = elbo::draw_particles(&mut target, &guide.global, NOISE, 1)[0].theta.clone();
    let value = |target: &mut JointTarget<Glmm>, at: &[f64]| {
        let (shared, log_prior) = elbo::shared_at(target, at);
        log_prior + (0..30).map(|i| target.density(i, &shared, &[]).total()).sum::<f64>()
    };
    let (shared, _) = elbo::shared_at(&mut target, &at);
    let mut dshared = vec![0.0; shared.len()];
    (0..30).for_each(|i| {
        target.gradient(i, &shared, &[], 1.0, &mut [], &mut dshared);
    });
    let mut ours = vec![0.0; n];
    target.shared_vjp(&at, &dshared, &mut ours);
    for k in (0..n).step_by(7) {
        let mut moved = |h: f64| {
            let mut at = at.clone();
            at[k] += h;
            value(&mut target, &at)
        };
        assert_near(slope(&mut moved, 1e-4), ours[k], "an unknown");
    }
    let parted = joint::parted(&guide.global, 5, 2);
    for i in [0, 17] {
        let member = |k: usize| if k < 5 { k } else { 5 + 2 * i + k - 5 };
        let whole = moments(n, n, &|e| guide.global.theta(e));
        let own = moments(7, 7, &|e| {
            let mut theta = parted.global.theta(&e[..5]);
            let LocalGuide::Branch(free) = &parted.local else { unreachable!("as is made") };
            let particle = Particle {
                noise: e[..5].to_vec(),
                theta: vec![],
                whitened: vec![],
                shared: vec![],
                log_prior: 0.0,
                log_q: 0.0,
            };
            let (mut mean, mut z) = (vec![0.0; 2], vec![0.0; 2]);
            let own = free.of(i);
            free.form.mean(own, &particle, &mut mean);
            free.form.sample(own, &mean, &e[5..], &mut z);
            free.whitening(i).unwhiten(&mut z);
            theta.extend(z);
            theta
        });
        for j in 0..7 {
            assert_near(whole.0[member(j)], own.0[j], "a mean");
            for k in 0..7 {
                let ours = own.1[j * 7 + k];
                assert_near(whole.1[member(j) * n + member(k)], ours, "a covariance");
            }
        }
    }
}

/// Mean and covariance of an affine map of standard normal noise.
fn moments(n: usize, n_noise: usize, map: &dyn Fn(&[f64]) -> Vec<f64>) -> (Vec<f64>, Vec<f64>) {
    let mean = map(&vec![0.0; n_noise]);
    let mut covariance = vec![0.0; n * n];
    for e in identity(n_noise).chunks_exact(n_noise) {
        let moved: Vec<f64> = map(e).iter().zip(&mean).map(|(x, m)| x - m).collect();
        for j in 0..n {
            (0..n).for_each(|k| covariance[j * n + k] += moved[j] * moved[k]);
        }
    }
    (mean, covariance)
}

#[test]
fn new_branches_get_what_a_fit_with_them_would_have_found() {
    let data = Conjugate::generate(6, 4, 2);
    let mut target = models::conjugate(6, 4, 2);
    for guide in exact_guides(&data, &mut target) {
        let mut shards = Shards::new(&target, None);
        // With q(θ) exact, the best of each branch is exact again.
        let fitted = fit_new_branches(&mut shards, &guide, 3);
        let branches: Vec<usize> = (0..6).collect();
        let particles = elbo::draw_particles(&mut target, &guide.global, NOISE, 200);
        let draws = Draws { particles: &particles, samples: 1, noise: NOISE, is_common: false };
        let values = elbo::values(&mut shards, &fitted, &branches, 1.0, draws);
        let mean = values.iter().sum::<f64>() / 200.0;
        assert!((mean - data.exact().log_evidence).abs() < 0.02, "{mean}");
    }
}

#[test]
fn what_is_not_there_is_refused_with_what_to_use_instead() {
    let refused = |target: &Glmm, config: FitConfig| match fit(target, &config, &mut |_| {
        ControlFlow::Continue(())
    }) {
        Err(FitError::Unsupported(why)) => why,
        _ => panic!("it was not refused"),
    };
    let small = models::conjugate(2, 3, 2);
    let joint = FitConfig { family: Family::Joint, ..FitConfig::default() };
    let why = refused(&models::conjugate(400, 1, 10), joint.clone());
    assert!(why.contains("4010 unknowns") && why.contains("family branch"), "{why}");
    let prior = FitConfig { covariance: Some(Covariance::Prior), ..joint.clone() };
    assert!(refused(&small, prior).contains("family branch"));
    let coupled = FitConfig { coupling: Some(Coupling::Theta), ..joint };
    for family in [Family::Branch, Family::Joint] {
        let pooled = FitConfig { family, encoder: Encoder::Pooled, ..FitConfig::default() };
        assert!(refused(&small, pooled).contains("family amortized"));
    }
    assert!(refused(&small, coupled).contains("no coupling"));
    let noise = FitConfig { coupling: Some(Coupling::Noise), ..FitConfig::default() };
    assert!(refused(&small, noise.clone()).contains("dense covariance"));
    let computed = FitConfig { covariance: Some(Covariance::Dense), ..noise };
    assert!(refused(&small, computed).contains("family branch"));
}
