//! The start finds modes and scales, whatever the units.

use super::glmm::Glmm;
use super::models;
use crate::infer::conjugate::{Conjugate, invert};
use crate::infer::pattern::Pattern;
use crate::infer::shards::Shards;
use crate::infer::start::{Start, search};
use crate::target::Target;

fn start(target: &Glmm) -> Start {
    let branches: Vec<usize> = (0..target.n_branches()).collect();
    let mut shards = Shards::new(target, None);
    let pattern = Pattern::new(target.n_global(), &target.global_variables());
    let n = branches.len();
    search(&mut shards, &branches, &branches, n, &pattern, false, &mut || false).expect("a start")
}

fn sds(start: &Start) -> Vec<f64> {
    start
        .scale
        .to_square()
        .chunks_exact(start.centre.len())
        .map(|r| r.iter().map(|x| x * x).sum::<f64>().sqrt())
        .collect()
}

#[test]
fn it_is_the_exact_posterior_of_the_conjugate_model() {
    let start = start(&models::conjugate(10, 5, 10));
    let exact = Conjugate::generate(10, 5, 10).exact();
    let (covariance, _) = invert(&exact.precision, 10);
    for j in 0..10 {
        let sd = covariance[j * 11].sqrt();
        assert!((start.centre[j] - exact.mean[j]).abs() < 1e-3 * sd);
        assert!((sds(&start)[j] / sd - 1.0).abs() < 1e-6);
    }
}

/// Of a Gaussian posterior with precision P, core c and rest r: the core's covariance, the response
/// −P_rr⁻¹P_rc of the rest, and standard deviations P_ii^(−½) of the rest given all others.
#[test]
fn a_large_theta_starts_from_the_nearest_gaussian_of_its_pattern() {
    let n = 10;
    let target = models::conjugate(10, 5, n);
    let exact = Conjugate::generate(10, 5, n).exact();
    let (covariance, _) = invert(&exact.precision, n);
    let (core, order) = (2, vec![7, 3, 0, 1, 2, 4, 5, 6, 8, 9]);
    let pattern = Pattern { order: order.clone(), core };
    let branches: Vec<usize> = (0..10).collect();
    let mut shards = Shards::new(&target, None);
    let start = search(&mut shards, &branches, &branches, 10, &pattern, false, &mut || false)
        .expect("a start");
    let sd = |j: usize| covariance[j * n + j].sqrt();
    for j in 0..n {
        assert!((start.centre[j] - exact.mean[j]).abs() < 0.1 * sd(j), "centre {j}");
    }
    let precision = |i: usize, j: usize| exact.precision[order[i] * n + order[j]];
    let square = start.scale.to_square();
    let entry = |i: usize, j: usize| square[i * n + j];
    for i in 0..core {
        for j in 0..core {
            let ours: f64 = (0..core).map(|k| entry(i, k) * entry(j, k)).sum();
            let (a, b) = (order[i], order[j]);
            let error = (ours - covariance[a * n + b]).abs();
            assert!(error < 0.02 * sd(a) * sd(b), "core {i} {j}: {ours}");
        }
    }
    for i in core..n {
        let given_all = precision(i, i).powf(-0.5);
        let ratio = entry(i, i) / given_all;
        assert!((0.8..1.25).contains(&ratio), "given all others {i}: × {ratio}");
        // Row i of P_rr W S_c + P_rc S_c is zero.
        for k in 0..core {
            let rest: f64 = (core..n).map(|j| precision(i, j) * entry(j, k)).sum();
            let own: f64 = (0..core).map(|j| precision(i, j) * entry(j, k)).sum();
            let error = (rest + own) * given_all;
            assert!(error.abs() < 0.02, "response {i} {k}: {error}");
            assert_eq!((core..i).map(|j| entry(i, j)).sum::<f64>(), 0.0, "outside the pattern");
        }
    }
}

#[test]
fn it_does_not_depend_on_units() {
    let base = start(&models::rats(1.0));
    eprintln!("{base:?}");
    for unit in [1e-6f64, 1e-3, 1e3, 1e6] {
        let other = start(&models::rats(unit));
        eprintln!("{unit} {} {:?} {:?}", other.evaluations, other.centre, sds(&other));
        for j in 0..5 {
            let sd = sds(&base)[j];
            let (centre, factor) = match j {
                0 | 1 => (other.centre[j] / unit, unit),
                _ => (other.centre[j] - unit.ln(), 1.0),
            };
            assert!((centre - base.centre[j]).abs() < 0.02 * sd, "{unit} {j}");
            assert!((sds(&other)[j] / factor / sd - 1.0).abs() < 0.02, "{unit} {j}");
        }
    }
}

#[test]
fn it_ends_at_finite_scales_where_a_variance_is_hardly_known() {
    for target in [models::eight_schools(), models::seeds(), models::logistic(12, 30, 6)] {
        let start = start(&target);
        eprintln!("{} {} {:?} {:?}", start.evaluations, start.definite, start.centre, sds(&start));
        assert!(start.centre.iter().all(|x| x.abs() < 10.0), "{start:?}");
        assert!(sds(&start).iter().all(|&sd| sd > 0.01 && sd < 10.0), "{start:?}");
    }
}
