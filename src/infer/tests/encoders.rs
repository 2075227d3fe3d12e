//! Guides from encoders: their gradients, and what they reach.

use std::ops::ControlFlow;

use super::families::Affine;
use super::glmm::Glmm;
use super::models;
use crate::infer::conditional::PriorAdjoint;
use crate::infer::config::{Coupling, Covariance, Encoder, FitConfig};
use crate::infer::conjugate::Conjugate;
use crate::infer::elbo;
use crate::infer::encoded::{EncodedGuide, Network};
use crate::infer::fit::{FitResult, fit};
use crate::infer::linalg::dot;
use crate::infer::linear::LinearForm;
use crate::infer::local::LocalGuide;
use crate::infer::site::{Site, SiteSolver};
use crate::infer::worker::{LocalWorker, Particle};
use crate::target::Target;

fn guide(
    target: &mut Glmm,
    shared: &[f64],
    network: Network,
    form: Option<LinearForm>,
) -> LocalGuide {
    let mut solver = SiteSolver::new(target.n_local());
    let branches: Vec<usize> = (0..target.n_branches()).collect();
    let site = |&i: &usize| solver.solve(target, i, shared, None).expect("a site");
    let sites: Vec<Site> = branches.iter().map(site).collect();
    let guide = EncodedGuide::new(target, network, form, &branches, &sites, 1);
    LocalGuide::Encoded(guide.expect("rows to read"))
}

fn particle(target: &mut Glmm, theta: &[f64]) -> Particle {
    let (shared, log_prior) = elbo::shared_at(target, theta);
    let noise: Vec<f64> = (0..theta.len()).map(|k| 0.4 - 0.3 * k as f64).collect();
    let (whitened, theta) = (noise.clone(), theta.to_vec());
    Particle { noise, theta, whitened, shared, log_prior, log_q: 0.0 }
}

/// Every network in every form that it has.
fn forms(n_local: usize, n_global: usize) -> Vec<(Network, Option<LinearForm>)> {
    let form = |coupling, diagonal| Some(LinearForm { n_local, n_global, coupling, diagonal });
    vec![
        (Network::Sites, None),
        (Network::Pooled, None),
        (Network::Pooled, form(Some(Coupling::Noise), false)),
        (Network::Pooled, form(Some(Coupling::Theta), false)),
        (Network::Pooled, form(None, false)),
        (Network::Pooled, form(None, true)),
    ]
}

/// The slope along weights of log p(z, y|θ) − log q(z|θ) on the path of one draw, the
/// parameters of log q held.
#[test]
fn the_gradient_sticks_the_landing() {
    let models = [
        (models::logistic(4, 9, 3), vec![0.1; 6]),
        (models::rats(1.0), vec![242.0, 6.2, 2.7, -0.6, 1.8]),
    ];
    for (mut target, theta) in models {
        let n = target.n_local();
        for (network, form) in forms(n, theta.len()) {
            let (shared, _) = elbo::shared_at(&mut target, &theta);
            let guide = guide(&mut target, &shared, network, form);
            let at = particle(&mut target, &theta);
            let noise: Vec<f64> = (0..n).map(|j| 0.8 - 0.5 * j as f64).collect();
            let mut worker = LocalWorker::<f64>::in_real(&guide, &target);
            worker.expect(&[1, 2]);
            let mut gradient = vec![0.0; guide.n_shared_parameters()];
            let mut held = vec![];
            for branch in [1, 2] {
                assert!(worker.open(&mut target, branch, &shared, None));
                assert!(worker.at(&mut target, &at));
                let (mut dshared, mut dnoise) = (vec![0.0; shared.len()], vec![0.0; theta.len()]);
                worker.gradient(&mut target, &at, &noise, (1.0, 1.0), &mut dshared, &mut dnoise);
                worker.finish(&mut target, &at, &mut dshared, &mut PriorAdjoint::new(n));
                worker.close(1.0, &mut gradient);
                held.push((branch, Affine::of_worker(&mut worker, n)));
            }
            worker.close_all(&mut gradient);
            let value = |weights: &[f64], target: &mut Glmm| {
                let mut guide = guide.clone();
                guide.shared_parameters_mut().copy_from_slice(weights);
                let mut worker = LocalWorker::<f64>::in_real(&guide, target);
                let mut sum = 0.0;
                for (branch, held) in &held {
                    assert!(worker.open(target, *branch, &shared, None));
                    assert!(worker.at(target, &at));
                    worker.sample(&noise);
                    sum += held.minus_log_density(&worker.z);
                    sum += target.density(*branch, &shared, &worker.z).total();
                }
                sum
            };
            let weights = guide.shared_parameters().to_vec();
            let largest = dot(&gradient, &gradient).sqrt();
            for k in (0..weights.len()).step_by(weights.len() / 60) {
                let mut moved = |h: f64| {
                    let mut weights = weights.clone();
                    weights[k] += h;
                    value(&weights, &mut target)
                };
                let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                let near = (slope - gradient[k]).abs() < 1e-6 * (1.0 + largest);
                assert!(near, "{network:?} {form:?} {k}: {slope} {}", gradient[k]);
            }
        }
    }
}

#[test]
fn a_branch_without_rows_has_its_prior() {
    let mut target = models::logistic(4, 9, 2);
    std::sync::Arc::make_mut(&mut target.0).branches[1].clear();
    let theta = [0.3, -0.7, 0.2, -0.4];
    let (shared, _) = elbo::shared_at(&mut target, &theta);
    let at = particle(&mut target, &theta);
    for network in [Network::Sites, Network::Pooled] {
        let guide = guide(&mut target, &shared, network, None);
        let mut worker = LocalWorker::new(&guide, &target);
        assert!(worker.open(&mut target, 1, &shared, None) && worker.at(&mut target, &at));
        for noise in [[0.0, 0.0], [1.3, -0.2]] {
            let log_q = worker.sample(&noise);
            let log_p = target.density(1, &shared, &worker.z).total();
            assert!((log_q - log_p).abs() < 1e-10, "{network:?}: {log_q} {log_p}");
        }
    }
}

fn run(target: &Glmm, config: &FitConfig) -> FitResult {
    fit(target, config, &mut |_| ControlFlow::Continue(())).expect("a fit")
}

/// Their best guide is the posterior itself: linear Gaussian rows are sites.
#[test]
fn sites_find_the_conjugate_posterior_from_random_weights() {
    let target = models::conjugate(10, 8, 2);
    let exact = Conjugate::generate(10, 8, 2).exact().log_evidence;
    let config =
        FitConfig { encoder: Encoder::Sites, max_steps: 2500, draws: 0, ..FitConfig::default() };
    let result = run(&target, &config);
    let gap = exact - result.elbo.value;
    eprintln!("sites: {gap} ± {}, {} steps, {:.1} s", result.elbo.se, result.steps, result.seconds);
    assert!(gap < 0.1 && gap > -3.0 * result.elbo.se - 1e-9, "{gap}");
}

#[test]
fn the_pooled_network_learns_and_never_passes_the_evidence() {
    let target = models::conjugate(10, 8, 2);
    let exact = Conjugate::generate(10, 8, 2).exact().log_evidence;
    for covariance in [Covariance::Prior, Covariance::Dense, Covariance::Diagonal] {
        let config = FitConfig {
            encoder: Encoder::Pooled,
            covariance: Some(covariance),
            max_steps: 600,
            draws: 0,
            ..FitConfig::default()
        };
        let result = run(&target, &config);
        let rise = result.elbo.value - result.trace[0].elbo;
        let gap = exact - result.elbo.value;
        eprintln!("pooled {covariance:?}: gap {gap}, rise {rise}, {:.1} s", result.seconds);
        assert!(rise > 1.0 && gap > -3.0 * result.elbo.se - 1e-9, "{covariance:?} {rise} {gap}");
    }
}

#[test]
fn sites_are_refused_where_there_is_no_prior_beside_them() {
    let target = models::conjugate(3, 4, 2);
    let covariance = Some(Covariance::Dense);
    let config = FitConfig { encoder: Encoder::Sites, covariance, ..FitConfig::default() };
    assert!(fit(&target, &config, &mut |_| ControlFlow::Continue(())).is_err());
}
