//! Gradients of every free form of q(zᵢ|θ) against central differences, and at the exact posterior.

use super::glmm::Glmm;
use super::models;
use crate::infer::conditional::PriorAdjoint;
use crate::infer::config::Coupling;
use crate::infer::conjugate::{Conjugate, invert};
use crate::infer::elbo::{self, Centres, Guide, Noise};
use crate::infer::free::FreeGuide;
use crate::infer::global::GlobalGuide;
use crate::infer::linalg::{cholesky, dot, identity, solve_lower};
use crate::infer::linear::LinearForm;
use crate::infer::local::{LocalGuide, LocalWorker, Particle};
use crate::infer::shards::Shards;
use crate::infer::site::{Site, SiteSolver};
use crate::infer::site_guide::FreeSites;
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
struct Affine {
    mean: Vec<f64>,
    inverse: Vec<f64>,
}

impl Affine {
    fn of(guide: &LocalGuide, target: &mut Glmm, shared: &[f64], particle: &Particle) -> Self {
        let n = target.n_local();
        let mean = sample(guide, target, shared, particle, &vec![0.0; n]);
        let mut map = vec![0.0; n * n];
        for k in 0..n {
            let z = sample(guide, target, shared, particle, &identity(n)[k * n..(k + 1) * n]);
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

    fn minus_log_density(&self, z: &[f64]) -> f64 {
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
        let scale = identity(g).iter().map(|x| 0.1 * x).collect();
        let global = GlobalGuide::new(theta.clone(), scale);
        let (shared, _) = elbo::shared_at(&mut target, &theta);
        let particle = &elbo::draw_particles(&mut target, &global, NOISE, 1)[0];
        let noise: Vec<f64> = (0..n).map(|j| 0.8 - 0.5 * j as f64).collect();
        for guide in guides(&mut target, &shared, g) {
            let mut worker = LocalWorker::new(&guide, &target);
            assert!(worker.open(&mut target, 1, &shared, None) && worker.at(&mut target, particle));
            let (mut dshared, mut followed) = (vec![0.0; shared.len()], vec![0.0; g]);
            worker.gradient(&mut target, particle, &noise, 1.0, &mut dshared, &mut followed);
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

/// The exact posterior of the conjugate model in a dense form, or prior times site.
pub fn exact_guides(data: &Conjugate, target: &mut Glmm) -> Vec<Guide> {
    let d = data.n_local;
    let exact = data.exact();
    let (mut scale, _) = invert(&exact.precision, d);
    assert!(cholesky(&mut scale, d));
    let global = GlobalGuide::new(exact.mean.clone(), scale);
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
                let mut column: Vec<f64> = (0..d).map(|j| global.scale[j * d + k]).collect();
                solve_lower(factor, d, &mut column);
                (0..d).for_each(|j| free.parameters[i * p + d + j * d + k] = column[j]);
            }
        }
        guides.push(LocalGuide::Branch(free));
    }
    guides.into_iter().map(|local| Guide { global: global.clone(), local }).collect()
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
            let g = elbo::gradient(&mut shards, &guide, &branches, 1.0, one, NOISE, &warm);
            assert!((g.values[0] - evidence).abs() < 1e-4, "{} {evidence}", g.values[0]);
            let mut all = g.global.clone();
            g.own.iter().for_each(|(_, own)| all.extend(own));
            let largest = all.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            // A free site starts a millionth away from Newton's, to be able to leave zero.
            let bound = if matches!(guide.local, LocalGuide::Sites(_)) { 1e-3 } else { 1e-12 };
            assert!(largest < bound * g.largest_summand.max(1.0), "{largest}");
        }
    }
}
