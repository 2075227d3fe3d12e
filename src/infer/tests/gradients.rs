//! Gradients against central differences, and the exact posterior where they vanish.

use super::glmm::Glmm;
use super::models;
use crate::infer::conditional::PriorAdjoint;
use crate::infer::config::Coupling;
use crate::infer::conjugate::{Conjugate, invert};
use crate::infer::elbo::{self, Centres, Draws, Guide, Noise};
use crate::infer::free::FreeGuide;
use crate::infer::global::GlobalGuide;
use crate::infer::linalg::{cholesky, dot, solve_lower_transposed};
use crate::infer::linear::LinearForm;
use crate::infer::local::LocalGuide;
use crate::infer::network::Network;
use crate::infer::shards::Shards;
use crate::infer::site::{SiteSolver, n_inputs};
use crate::infer::triangular::Triangular;
use crate::infer::worker::{LocalWorker, Particle};
use crate::random::{Purpose, Stream};
use crate::target::{Part, Target};

const NOISE: Noise =
    Noise { seed: 3, global: Purpose::GlobalNoise, local: Purpose::LocalNoise, step: 0 };

fn all_models() -> Vec<(&'static str, Glmm, Vec<f64>)> {
    vec![
        ("eight schools", models::eight_schools(), vec![4.0, 1.0]),
        ("seeds", models::seeds(), vec![-0.5, 0.0, 1.2, -0.6, -1.1]),
        ("rats", models::rats(1.0), vec![242.0, 6.2, 2.7, -0.6, 1.8]),
        ("logistic", models::logistic(4, 9, 6), vec![0.1; 12]),
        ("three logistic locals", models::logistic(4, 9, 3), vec![0.2; 6]),
        ("conjugate", models::conjugate(3, 4, 3), vec![0.2; 3]),
    ]
}

fn dense(n_local: usize, n_global: usize) -> LinearForm {
    LinearForm { n_local, n_global, coupling: Some(Coupling::Noise), diagonal: false }
}

fn slope(f: &mut dyn FnMut(f64) -> f64, h: f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

fn assert_near(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!((a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs())), "{what}: {a} {b}");
}

#[test]
fn expansions_of_the_test_models_are_central_differences() {
    for (name, mut target, theta) in all_models() {
        let n = target.n_local();
        let (shared, _) = elbo::shared_at(&mut target, &theta);
        let z: Vec<f64> = (0..n).map(|j| shared[j] + 0.3 + 0.1 * j as f64).collect();
        let (mut dz, mut dshared) = (vec![0.0; n], vec![0.0; shared.len()]);
        target.gradient(1, &shared, &z, 1.0, &mut dz, &mut dshared);
        let value =
            |target: &mut Glmm, shared: &[f64], z: &[f64]| target.density(1, shared, z).total();
        let mut total = (vec![0.0; n], vec![0.0; n * n]);
        let mut pulled = vec![0.0; shared.len()];
        let weights: Vec<f64> = (0..n + n * n).map(|k| 0.3 + (k as f64).sin()).collect();
        let scalar = |target: &mut Glmm, shared: &[f64]| {
            let mut sum = 0.0;
            for part in [Part::Prior, Part::Likelihood] {
                let (mut g, mut c) = (vec![0.0; n], vec![0.0; n * n]);
                target.expansion(part, 1, shared, &z, &mut g, &mut c);
                sum += dot(&g, &weights[..n]) + dot(&c, &weights[n..]);
            }
            sum
        };
        for part in [Part::Prior, Part::Likelihood] {
            let (mut g, mut c) = (vec![0.0; n], vec![0.0; n * n]);
            target.expansion(part, 1, &shared, &z, &mut g, &mut c);
            let (a, b) = weights.split_at(n);
            target.expansion_vjp(part, 1, &shared, &z, a, b, &mut pulled);
            total.0.iter_mut().zip(&g).for_each(|(t, g)| *t += g);
            total.1.iter_mut().zip(&c).for_each(|(t, c)| *t += c);
        }
        for j in 0..n {
            let mut moved = |h: f64| {
                let mut z = z.clone();
                z[j] += h;
                value(&mut target, &shared, &z)
            };
            assert_near(slope(&mut moved, 1e-3), dz[j], 1e-7, name);
            assert_near(total.0[j], dz[j], 1e-10, name);
        }
        for k in 0..shared.len() {
            let moved = |h: f64| {
                let mut shared = shared.clone();
                shared[k] += h;
                shared
            };
            let by = slope(&mut |h| value(&mut target, &moved(h), &z), 1e-3);
            assert_near(by, dshared[k], 1e-6, name);
            assert_near(
                slope(&mut |h| scalar(&mut target, &moved(h)), 1e-3),
                pulled[k],
                1e-6,
                name,
            );
        }
    }
}

fn network<T: Target>(target: &mut T, shared: &[f64], spread: f64) -> Network {
    let mut solver = SiteSolver::new(target.n_local());
    let examples: Vec<Vec<f64>> = (0..target.n_branches())
        .map(|i| solver.solve(target, i, shared, None).expect("a site").inputs)
        .collect();
    let mut network = Network::new(n_inputs(target), target.n_local(), true, &examples, 1);
    let mut noise = vec![0.0; network.weights.len()];
    Stream::new(9, Purpose::Initial, 0, 0, 0).normals(&mut noise);
    network.weights.iter_mut().zip(noise).for_each(|(w, e)| *w += spread * e);
    network
}

/// The derivative in θ of `log p(z,y|θ) − log q(z|θ)` along the path, nodes and network held, and of the
/// bound of several draws.
#[test]
fn the_derivative_through_the_default_guide_is_the_central_difference() {
    for (name, mut target, theta) in all_models() {
        for samples in [1, 3] {
            derivative_of_the_bound(
                &format!("{name}, {samples} draws"),
                &mut target,
                &theta,
                samples,
            );
        }
    }
}

fn derivative_of_the_bound(name: &str, target: &mut Glmm, theta: &[f64], samples: usize) {
    let n_local = target.n_local();
    let (shared_mean, _) = elbo::shared_at(target, theta);
    let guide = LocalGuide::Amortized(Some(network(target, &shared_mean, 0.1)));
    let mut worker = LocalWorker::new(&guide, target);
    let drawn: Vec<f64> = theta.iter().map(|t| t * 1.02 + 0.05).collect();
    let particle = |target: &mut Glmm, theta: &[f64]| {
        let (shared, log_prior) = elbo::shared_at(target, theta);
        let (noise, theta) = (vec![0.0; theta.len()], theta.to_vec());
        Particle { noise, theta, whitened: vec![], shared, log_prior, log_q: 0.0 }
    };
    let noise: Vec<f64> = (0..n_local * samples).map(|j| 0.8 - 0.5 * j as f64).collect();
    let mut dshared = vec![0.0; target.n_shared()];
    let mut dnoise = vec![0.0; theta.len()];
    assert!(worker.open(target, 1, &shared_mean, None));
    let at = particle(target, &drawn);
    assert!(worker.at(target, &at));
    worker.bound_gradient(target, &at, &noise, &mut dshared, &mut dnoise);
    let mut prior = PriorAdjoint::new(n_local);
    worker.finish(target, &at, &mut dshared, &mut prior);
    prior.finish(target, &at.shared, &mut dshared);
    let mut dtheta = vec![0.0; theta.len()];
    let mut prior_only = vec![0.0; theta.len()];
    target.shared_vjp(&drawn, &dshared, &mut dtheta);
    target.shared_vjp(&drawn, &vec![0.0; dshared.len()], &mut prior_only);
    for k in 0..theta.len() {
        let mut value = |h: f64| {
            let mut theta = drawn.clone();
            theta[k] += h;
            let at = particle(target, &theta);
            assert!(worker.at(target, &at));
            worker.bound(target, &at.shared, &noise)
        };
        assert_near(slope(&mut value, 1e-3), dtheta[k] - prior_only[k], 1e-6, name);
    }
}

/// The doubly reparameterised gradient in the network's weights has the mean of the plain derivative
/// of the bound, whose parameters of log q are not held; and less scatter where q is good.
#[test]
fn the_gradient_of_the_bound_in_the_network_is_that_of_its_mean() {
    gradient_of_the_bound(0.3, 4000, false);
    gradient_of_the_bound(0.0, 1000, true);
}

fn gradient_of_the_bound(spread: f64, draws: usize, is_good: bool) {
    let mut target = models::seeds();
    let theta = [-0.5, 0.0, 1.2, -0.6, 0.3];
    let (shared, log_prior) = elbo::shared_at(&mut target, &theta);
    let moved = network(&mut target, &shared, spread);
    let (noise, log_q) = (vec![0.0; 5], 0.0);
    let at = Particle {
        noise,
        theta: theta.to_vec(),
        whitened: vec![],
        shared: shared.clone(),
        log_prior,
        log_q,
    };
    let (n, samples) = (moved.weights.len(), 3);
    for weight in [n - 4, n - 3, n - 2, n - 1] {
        let h = 1e-4;
        let shifted = |by: f64| {
            let mut network = moved.clone();
            network.weights[weight] += by;
            LocalGuide::Amortized(Some(network))
        };
        let guides = [shifted(h), shifted(-h), shifted(0.0)];
        let mut workers: Vec<LocalWorker> =
            guides.iter().map(|guide| LocalWorker::new(guide, &target)).collect();
        let (mut plain, mut held) = (vec![], vec![]);
        for draw in 0..draws {
            let mut noise = vec![0.0; samples];
            Stream::new(7, Purpose::LocalNoise, draw, 1, 0).normals(&mut noise);
            let mut values = vec![];
            for worker in &mut workers {
                assert!(worker.open(&mut target, 1, &shared, None));
                assert!(worker.at(&mut target, &at));
                values.push(worker.bound(&mut target, &shared, &noise));
            }
            plain.push((values[0] - values[1]) / (2.0 * h));
            let (mut dshared, mut gradient) = (vec![0.0; shared.len()], vec![0.0; n]);
            let worker = &mut workers[2];
            worker.bound_gradient(&mut target, &at, &noise, &mut dshared, &mut []);
            worker.close(1.0, &mut gradient);
            held.push(gradient[weight]);
        }
        let moments = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / draws as f64;
            (mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws as f64)
        };
        let ((plain_mean, plain_var), (held_mean, held_var)) = (moments(&plain), moments(&held));
        let error = ((plain_var + held_var) / draws as f64).sqrt();
        let difference = (plain_mean - held_mean).abs();
        assert!(difference < 4.0 * error, "{weight}: {plain_mean} {held_mean} ± {error}");
        let error = (held_var / draws as f64).sqrt();
        match is_good {
            true => assert!(held_var < plain_var, "{weight}: {held_var} {plain_var}"),
            false => assert!(held_mean.abs() > 4.0 * error, "{weight}: nothing to tell"),
        }
    }
}

fn exact_guide(data: &Conjugate, target: &mut Glmm, free: bool) -> Guide {
    let d = data.n_local;
    let exact = data.exact();
    let (mut scale, _) = invert(&exact.precision, d);
    assert!(cholesky(&mut scale, d));
    let global =
        GlobalGuide::new(exact.mean.clone(), (0..d).collect(), Triangular::dense(&scale, d));
    if !free {
        return Guide { global, local: LocalGuide::Amortized(None), samples: 1 };
    }
    let (shared, _) = elbo::shared_at(target, &exact.mean);
    let mut solver = SiteSolver::new(d);
    let sites: Vec<_> = (0..data.x.len()).map(|i| solver.solve(target, i, &shared, None)).collect();
    let mut guide = FreeGuide::new(dense(d, d), &sites);
    // E[z|θ] = … + Sᵢθ, so B = R*ᵀ Sᵢ S with Sᵢ = (R* R*ᵀ)⁻¹ is R*⁻¹ S.
    let p = guide.n_parameters();
    for (i, site) in sites.iter().enumerate() {
        let factor = &site.as_ref().expect("a site").factor;
        for k in 0..d {
            let mut column: Vec<f64> = (0..d).map(|j| scale[j * d + k]).collect();
            crate::infer::linalg::solve_lower(factor, d, &mut column);
            for (j, x) in column.iter().enumerate() {
                guide.parameters[i * p + d + j * d + k] = *x;
            }
        }
    }
    Guide { global, local: LocalGuide::Branch(guide), samples: 1 }
}

#[test]
fn at_the_exact_posterior_the_gradient_vanishes_and_the_elbo_is_the_evidence() {
    for free in [false, true] {
        let data = Conjugate::generate(10, 5, 10);
        let mut target = models::conjugate(10, 5, 10);
        let guide = exact_guide(&data, &mut target, free);
        let mut shards = Shards::new(&target, None);
        let branches: Vec<usize> = (0..10).collect();
        let particles = elbo::draw_particles(&mut target, &guide.global, NOISE, 4);
        let warm = Centres::new(&target);
        let draws = Draws { particles: &particles, samples: 1, noise: NOISE, is_common: false };
        let g = elbo::gradient(&mut shards, &guide, &branches, 1.0, draws, &warm);
        let exact = data.exact().log_evidence;
        for value in &g.values {
            assert!((value - exact).abs() < 1e-9, "{value} {exact}");
        }
        let own = g.own.iter().flat_map(|(_, own)| own);
        let largest = g.global.iter().chain(own).fold(0.0f64, |m, x| m.max(x.abs()));
        assert!(largest < 1e-12 * g.largest_summand.max(1.0), "{largest} {}", g.largest_summand);
    }
}

/// The gradient of −log q is dropped by sticking the landing; adding it back (its mean is zero)
/// must give the plain derivative in the parameters, draw by draw. For μ: −L⁻ᵀε₀ and so on.
#[test]
fn the_gradient_in_parameters_is_the_central_difference_of_path_minus_score() {
    for (name, mut target, theta) in all_models() {
        let n = theta.len();
        let mut scale = crate::infer::linalg::identity(n);
        scale.iter_mut().for_each(|s| *s *= 0.1);
        let mut global =
            GlobalGuide::new(theta.clone(), (0..n).collect(), Triangular::dense(&scale, n));
        for i in 0..n {
            global.factor.left_mut(i).fill(0.1);
        }
        let (shared, _) = elbo::shared_at(&mut target, &theta);
        let mut solver = SiteSolver::new(target.n_local());
        let sites: Vec<_> =
            (0..target.n_branches()).map(|i| solver.solve(&mut target, i, &shared, None)).collect();
        let mut free = FreeGuide::new(dense(target.n_local(), n), &sites);
        let p = free.n_parameters();
        let d = target.n_local();
        for (k, x) in free.parameters.iter_mut().enumerate() {
            let lower = k % p < d + d * n || (k % p - d - d * n) % d < (k % p - d - d * n) / d;
            if lower {
                *x += 0.2 * ((k as f64) * 0.7).sin();
            }
        }
        let guide = Guide { global, local: LocalGuide::Branch(free), samples: 1 };
        let mut shards = Shards::new(&target, None);
        let branches: Vec<usize> = (0..target.n_branches()).collect();
        let warm = Centres::new(&target);
        let particles = elbo::draw_particles(&mut target, &guide.global, NOISE, 1);
        let draws = Draws { particles: &particles, samples: 1, noise: NOISE, is_common: false };
        let g = elbo::gradient(&mut shards, &guide, &branches, 1.0, draws, &warm);
        // Along a noise-fixed path log q depends on the parameters only through its normaliser,
        // so the derivative of the value is the path gradient of log p plus that of Σ log L.
        // Sticking the landing adds L⁻ᵀε (held log q); take it away again and compare.
        let value = |guide: &Guide, target: &mut Glmm, shards: &mut Shards<Glmm>| {
            let particles = elbo::draw_particles(target, &guide.global, NOISE, 1);
            elbo::values(shards, guide, &branches, 1.0, Draws { particles: &particles, ..draws })[0]
        };
        let noise = &particles[0].noise;
        let mut landing = noise.clone();
        let LocalGuide::Branch(free) = &guide.local else { unreachable!("made above") };
        let mut epsilon = vec![0.0; d];
        for i in 0..target.n_branches() {
            NOISE.local(i, 0, &mut epsilon);
            let own = &free.parameters[i * p..(i + 1) * p];
            solve_lower_transposed(&own[d + d * n..], d, &mut epsilon);
            for j in 0..d {
                for k in 0..n {
                    landing[k] -= own[d + j * n + k] * epsilon[j];
                }
            }
        }
        guide.global.factor.solve_transposed(&mut landing);
        for (k, landed) in landing.iter().enumerate() {
            let mut moved = |h: f64| {
                let mut guide = guide.clone();
                guide.global.loc[k] += h;
                value(&guide, &mut target, &mut shards)
            };
            assert_near(slope(&mut moved, 1e-3), g.global[k] - landed, 1e-5, name);
            for (j, noise_j) in noise.iter().enumerate().take(k + 1) {
                let place = n + guide.global.factor.position(k) - (k - j);
                let mut moved = |h: f64| {
                    let mut guide = guide.clone();
                    let mut delta = vec![0.0; guide.global.n_parameters()];
                    delta[place] = h;
                    guide.global.advance(&delta);
                    value(&guide, &mut target, &mut shards)
                };
                let diagonal = if j == k { guide.global.factor.diagonal_at(k) } else { 1.0 };
                let score = landed * noise_j * diagonal - f64::from(u8::from(j == k));
                assert_near(slope(&mut moved, 1e-3), g.global[place] - score, 1e-5, name);
            }
        }
        let (branch, own) = &g.own[1];
        NOISE.local(*branch, 0, &mut epsilon);
        let raw = epsilon.clone();
        let parameters = &free.parameters[branch * p..(branch + 1) * p];
        solve_lower_transposed(&parameters[d + d * n..], d, &mut epsilon);
        for k in 0..p {
            let (row, score) = if k < d {
                (k, 1.0)
            } else if k < d + d * n {
                ((k - d) / n, noise[(k - d) % n])
            } else {
                let (i, j) = ((k - d - d * n) / d, (k - d - d * n) % d);
                if j > i {
                    continue;
                }
                (i, if i == j { raw[j] * parameters[k] } else { raw[j] })
            };
            let entropy = k >= d + d * n && (k - d - d * n) / d == (k - d - d * n) % d;
            let mut moved = |h: f64| {
                let mut guide = guide.clone();
                let mut delta = vec![0.0; p];
                delta[k] = h;
                let LocalGuide::Branch(free) = &mut guide.local else { unreachable!("as above") };
                free.advance(*branch, &delta);
                value(&guide, &mut target, &mut shards)
            };
            let plain = own[k] - epsilon[row] * score + f64::from(u8::from(entropy));
            assert_near(slope(&mut moved, 1e-3), plain, 1e-5, name);
        }
    }
}
