//! Guides from encoders: their gradients, and what they reach.

use super::glmm::Glmm;
use super::models;
use crate::infer::conditional::PriorAdjoint;
use crate::infer::elbo;
use crate::infer::encoded::{EncodedGuide, Network};
use crate::infer::linalg::dot;
use crate::infer::local::{LocalGuide, LocalWorker, Particle};
use crate::infer::site::{Site, SiteSolver};
use crate::target::Target;

fn guide(target: &mut Glmm, shared: &[f64], network: Network) -> LocalGuide {
    let mut solver = SiteSolver::new(target.n_local());
    let branches: Vec<usize> = (0..target.n_branches()).collect();
    let site = |&i: &usize| solver.solve(target, i, shared, None).expect("a site");
    let sites: Vec<Site> = branches.iter().map(site).collect();
    let guide = EncodedGuide::new(target, network, None, &branches, &sites, 1);
    LocalGuide::Encoded(guide.expect("rows to read"))
}

fn particle(target: &mut Glmm, theta: &[f64]) -> Particle {
    let (shared, log_prior) = elbo::shared_at(target, theta);
    let (noise, theta) = (vec![0.0; theta.len()], theta.to_vec());
    let whitened = theta.clone();
    Particle { noise, theta, whitened, shared, log_prior, log_q: 0.0 }
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
        for network in [Network::Sites, Network::Pooled] {
            let (shared, _) = elbo::shared_at(&mut target, &theta);
            let guide = guide(&mut target, &shared, network);
            let n = target.n_local();
            let at = particle(&mut target, &theta);
            let noise: Vec<f64> = (0..n).map(|j| 0.8 - 0.5 * j as f64).collect();
            let mut worker = LocalWorker::new(&guide, &target);
            worker.expect(&[1, 2]);
            let mut gradient = vec![0.0; guide.n_shared_parameters()];
            let mut held = vec![];
            for branch in [1, 2] {
                assert!(worker.open(&mut target, branch, &shared, None));
                assert!(worker.at(&mut target, &at));
                let (mut dshared, mut dnoise) = (vec![0.0; shared.len()], vec![0.0; theta.len()]);
                worker.gradient(&mut target, &at, &noise, 1.0, &mut dshared, &mut dnoise);
                worker.finish(&mut target, &at, &mut dshared, &mut PriorAdjoint::new(n));
                worker.close(1.0, &mut gradient);
                worker.sample(&vec![0.0; n]);
                let mean = worker.z.clone();
                let column = |j: usize, worker: &mut LocalWorker| {
                    let unit: Vec<f64> = (0..n).map(|k| f64::from(u8::from(k == j))).collect();
                    worker.sample(&unit);
                    worker.z.iter().zip(&mean).map(|(z, m)| z - m).collect::<Vec<f64>>()
                };
                let columns: Vec<Vec<f64>> = (0..n).map(|j| column(j, &mut worker)).collect();
                held.push((branch, mean, columns));
            }
            worker.close_all(&mut gradient);
            // log q with parameters held is −½|e|², e the noise that would give z.
            let value = |weights: &[f64], target: &mut Glmm| {
                let mut guide = guide.clone();
                guide.shared_parameters_mut().copy_from_slice(weights);
                let mut worker = LocalWorker::new(&guide, target);
                let mut sum = 0.0;
                for (branch, mean, columns) in &held {
                    assert!(worker.open(target, *branch, &shared, None));
                    assert!(worker.at(target, &at));
                    worker.sample(&noise);
                    let mut rest: Vec<f64> =
                        worker.z.iter().zip(mean).map(|(z, m)| z - m).collect();
                    // R⁻ᵀ is upper triangular.
                    for j in (0..n).rev() {
                        let e = rest[j] / columns[j][j];
                        (0..=j).for_each(|i| rest[i] -= e * columns[j][i]);
                        sum += 0.5 * e * e;
                    }
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
                assert!(near, "{network:?} {k}: {slope} {}", gradient[k]);
            }
        }
    }
}
