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
    search(&mut shards, &branches, &branches, n, &pattern, &mut || false).expect("a start")
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
