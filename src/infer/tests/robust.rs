//! Priors that are not Gaussian and posteriors that are not log-concave, with exact evidence by
//! quadrature; and fits that should not be believed.

use std::ops::ControlFlow;

use crate::infer::config::FitConfig;
use crate::infer::fit::{FitError, FitResult, fit};
use crate::target::{BranchDensity, Part, Target};

const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

/// One local, one global, density of a branch by a closure of (branch, θ, z, part); derivatives
/// by automatic third-order differences are too coarse, so kinds give their own.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// exp z ~ gamma(2, exp θ), y ~ Poisson(exp z).
    GammaPoisson,
    /// z ~ student_t(3, θ, 1), y ~ N(z, 1).
    Student,
}

#[derive(Clone, Debug)]
struct Scalar {
    kind: Kind,
    y: Vec<Vec<f64>>,
}

impl Scalar {
    /// Value, first and second derivative in z, then in θ: of the value and of both derivatives.
    fn prior(&self, theta: f64, z: f64) -> [f64; 6] {
        match self.kind {
            Kind::GammaPoisson => {
                let rate = (theta + z).exp();
                [2.0 * (theta + z) - rate, 2.0 - rate, -rate, 2.0 - rate, -rate, -rate]
            }
            Kind::Student => {
                let (r, c) = (z - theta, 2.0);
                let q = 3.0 + r * r;
                let first = -2.0 * c * r / q;
                let second = -2.0 * c * (3.0 - r * r) / (q * q);
                let third = 4.0 * c * r * (9.0 - r * r) / (q * q * q);
                let constant =
                    libm::lgamma(2.0) - libm::lgamma(1.5) - 0.5 * (3.0 * std::f64::consts::PI).ln();
                [constant - c * (r * r / 3.0).ln_1p(), first, second, -first, -second, -third]
            }
        }
    }

    fn likelihood(&self, branch: usize, z: f64) -> [f64; 3] {
        let mut sums = [0.0; 3];
        for &y in &self.y[branch] {
            let terms = match self.kind {
                Kind::GammaPoisson => {
                    let rate = z.exp();
                    [y * z - rate - libm::lgamma(y + 1.0), y - rate, -rate]
                }
                Kind::Student => [-0.5 * (y - z).powi(2) - HALF_LOG_TAU, y - z, -1.0],
            };
            (0..3).for_each(|k| sums[k] += terms[k]);
        }
        sums
    }

    /// log p(y) on a grid over θ and z.
    fn evidence(&self) -> f64 {
        let grid = |centre: f64, half: f64| {
            (-600..=600).map(move |k| centre + half * f64::from(k) / 600.0)
        };
        let h = |half: f64| half / 600.0;
        let log_sum = |terms: Vec<f64>, h: f64| {
            let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            largest + (terms.iter().map(|x| (x - largest).exp()).sum::<f64>() * h).ln()
        };
        let branch = |i: usize, theta: f64| {
            let term = |z| self.prior(theta, z)[0] + self.likelihood(i, z)[0];
            log_sum(grid(0.0, 20.0).map(term).collect(), h(20.0))
        };
        let at = |theta: f64| {
            let prior = -0.5 * theta * theta - HALF_LOG_TAU;
            prior + (0..self.y.len()).map(|i| branch(i, theta)).sum::<f64>()
        };
        log_sum(grid(0.0, 4.0).step_by(5).map(at).collect(), 5.0 * h(4.0))
    }
}

impl Target for Scalar {
    fn n_branches(&self) -> usize {
        self.y.len()
    }
    fn n_global(&self) -> usize {
        1
    }
    fn n_local(&self) -> usize {
        1
    }
    fn n_shared(&self) -> usize {
        1
    }
    fn n_rows(&self, branch: usize) -> usize {
        self.y[branch].len()
    }
    fn branch_features(&self, _: usize) -> Vec<f64> {
        Vec::new()
    }
    fn likelihood_reads_shared(&self) -> bool {
        false
    }
    fn prior_is_gaussian(&self) -> bool {
        false
    }

    fn prior_is_common(&self) -> bool {
        false
    }
    fn shared(&mut self, theta: &[f64], shared: &mut [f64]) -> f64 {
        shared[0] = theta[0];
        -0.5 * theta[0] * theta[0] - HALF_LOG_TAU
    }
    fn shared_vjp(&mut self, theta: &[f64], adjoint: &[f64], gradient: &mut [f64]) {
        gradient[0] = adjoint[0] - theta[0];
    }
    fn density(&mut self, branch: usize, shared: &[f64], z: &[f64]) -> BranchDensity {
        let likelihood = self.likelihood(branch, z[0])[0];
        BranchDensity { prior: self.prior(shared[0], z[0])[0], likelihood }
    }
    fn gradient(
        &mut self,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        weight: f64,
        dz: &mut [f64],
        dshared: &mut [f64],
    ) -> BranchDensity {
        let prior = self.prior(shared[0], z[0]);
        dz[0] = prior[1] + self.likelihood(branch, z[0])[1];
        dshared[0] += weight * prior[3];
        self.density(branch, shared, z)
    }
    fn expansion(
        &mut self,
        part: Part,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        gradient: &mut [f64],
        curvature: &mut [f64],
    ) {
        let (first, second) = match part {
            Part::Prior => {
                let prior = self.prior(shared[0], z[0]);
                (prior[1], prior[2])
            }
            Part::Likelihood => {
                let likelihood = self.likelihood(branch, z[0]);
                (likelihood[1], likelihood[2])
            }
        };
        gradient[0] = first;
        curvature[0] = -second;
    }
    fn expansion_vjp(
        &mut self,
        part: Part,
        _: usize,
        shared: &[f64],
        z: &[f64],
        gradient_adjoint: &[f64],
        curvature_adjoint: &[f64],
        dshared: &mut [f64],
    ) {
        if part == Part::Prior {
            let prior = self.prior(shared[0], z[0]);
            dshared[0] += gradient_adjoint[0] * prior[4] - curvature_adjoint[0] * prior[5];
        }
    }
    fn held_out(&mut self, _: usize, _: &[f64], _: &[f64]) -> f64 {
        0.0
    }
    fn n_held_out(&self, _: usize) -> usize {
        0
    }
}

fn targets() -> [Scalar; 2] {
    let counts = [&[0.0][..], &[3.0, 1.0], &[12.0, 9.0, 15.0], &[], &[1.0, 0.0], &[5.0], &[2.0]];
    let values = [&[0.3][..], &[7.0], &[-0.5, 0.2], &[-9.0, -8.0], &[], &[1.4], &[4.0], &[0.1]];
    [
        Scalar { kind: Kind::GammaPoisson, y: counts.iter().map(|y| y.to_vec()).collect() },
        Scalar { kind: Kind::Student, y: values.iter().map(|y| y.to_vec()).collect() },
    ]
}

fn run(target: &Scalar, config: &FitConfig) -> FitResult {
    let result = fit(target, config, &mut |_| ControlFlow::Continue(())).expect("a fit");
    eprintln!(
        "{:?}: {} steps {:.2} s, {:?}, {:?}, weights {:?}, evidence {}",
        target.kind,
        result.steps,
        result.seconds,
        result.elbo,
        result.verdict,
        result.importance.as_ref().map(|w| (w.log_evidence, w.log_evidence_se, w.relative_ess)),
        target.evidence(),
    );
    result
}

#[test]
fn derivatives_of_the_priors_are_central_differences() {
    for target in targets() {
        let at = |theta: f64, z: f64| target.prior(theta, z);
        let [theta, z, h] = [0.3, 1.1, 1e-5];
        let here = at(theta, z);
        for (k, of) in [(1, 0), (2, 1)] {
            let slope = (at(theta, z + h)[of] - at(theta, z - h)[of]) / (2.0 * h);
            assert!((slope - here[k]).abs() < 1e-8, "{:?} {k}", target.kind);
        }
        for (k, of) in [(3, 0), (4, 1), (5, 2)] {
            let slope = (at(theta + h, z)[of] - at(theta - h, z)[of]) / (2.0 * h);
            assert!((slope - here[k]).abs() < 1e-8, "{:?} {k}", target.kind);
        }
    }
}

#[test]
fn priors_that_are_not_gaussian_come_near_their_evidence_and_never_pass_it() {
    for (target, bound) in targets().iter().zip([0.3, 0.6]) {
        let result = run(target, &FitConfig::default());
        let gap = target.evidence() - result.elbo.value;
        assert!(gap > -3.0 * result.elbo.se && gap < bound, "{:?} {gap}", target.kind);
        assert!(result.verdict.believable);
        let weights = result.importance.expect("weights of a small problem");
        assert!((weights.log_evidence - target.evidence()).abs() < 0.05);
    }
}

#[test]
fn a_fit_of_ten_steps_or_of_giant_steps_is_not_believed_or_recovers() {
    let [target, _] = targets();
    let short = run(&target, &FitConfig { max_steps: 10, ..FitConfig::default() });
    assert!(!short.verdict.believable);
    let wild = run(&target, &FitConfig { step_size: Some(10.0), ..FitConfig::default() });
    assert!(!wild.verdict.believable || target.evidence() - wild.elbo.value < 0.5);
}

#[test]
fn a_stop_flag_ends_the_fit_at_once() {
    let [target, _] = targets();
    let stop = Some(std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true)));
    let config = FitConfig { stop, ..FitConfig::default() };
    let ended = fit(&target, &config, &mut |_| ControlFlow::Continue(()));
    assert_eq!(ended.map(|result| result.steps), Err(FitError::Interrupted));
}
