//! Derivatives of whole models against central differences of the fourth order.

use super::*;

const TOLERANCE: f64 = 1e-6;

/// For each element of `at`, the derivative of `f` in it.
fn differences(at: &[f64], mut f: impl FnMut(&[f64]) -> Vec<f64>) -> Vec<Vec<f64>> {
    let mut moved = at.to_vec();
    let derivative = |k: usize| {
        let h = 1e-3 * at[k].abs().max(0.1);
        let mut value = |t: f64| {
            moved[k] = at[k] + t;
            f(&moved)
        };
        let (near, below) = (value(h), value(-h));
        let (far, far_below) = (value(2.0 * h), value(-2.0 * h));
        moved[k] = at[k];
        (0..near.len())
            .map(|j| (8.0 * (near[j] - below[j]) - (far[j] - far_below[j])) / (12.0 * h))
            .collect()
    };
    (0..at.len()).map(derivative).collect()
}

#[test]
fn gradients_are_those_of_differences() {
    for case in cases() {
        let mut evaluator = case.evaluator(Backend::MachineCode);
        for position in case.positions(&mut evaluator) {
            let (_, gradient) = evaluator.log_density_gradient(&position).expect("its dimension");
            let value =
                |at: &[f64]| vec![evaluator.log_density_gradient(at).expect("its dimension").0];
            let expected = differences(&position, value).concat();
            assert_close(case.name, gradient.as_slice().expect("a vector"), &expected, TOLERANCE);
        }
    }
}

#[test]
fn branch_gradients_are_weighted_and_added() {
    for case in cases() {
        let mut evaluator = case.evaluator(Backend::MachineCode);
        for position in case.positions(&mut evaluator) {
            let (shared, locals) = cut(&mut evaluator, &position);
            let z = &locals[0];
            let (mut dz, mut dshared) = (vec![7.0; z.len()], vec![1.0; shared.len()]);
            Target::gradient(&mut evaluator, 0, &shared, z, 2.5, &mut dz, &mut dshared);
            let of_z = differences(z, |z| vec![evaluator.density(0, &shared, z).total()]).concat();
            assert_close(case.name, &dz, &of_z, TOLERANCE);
            let of_shared =
                differences(&shared, |shared| vec![evaluator.density(0, shared, z).total()]);
            let expected: Vec<f64> = of_shared.concat().iter().map(|d| 1.0 + 2.5 * d).collect();
            assert_close(case.name, &dshared, &expected, TOLERANCE);
        }
    }
}

#[test]
fn expansions_are_those_of_differences() {
    for case in cases().into_iter().chain(random_cases()) {
        let mut evaluator = case.evaluator(Backend::MachineCode);
        for position in case.positions(&mut evaluator) {
            let (shared, locals) = cut(&mut evaluator, &position);
            for (branch, z) in locals.iter().enumerate().take(4) {
                for part in PARTS {
                    let what = format!("{} {part:?} {branch}", case.name);
                    let found = expansion(&mut evaluator, part, branch, &shared, z);
                    let (gradient, curvature) = found.split_at(z.len());
                    let mut density = |z: &[f64]| {
                        let density = evaluator.density(branch, &shared, z);
                        match part {
                            Part::Prior => vec![density.prior],
                            Part::Likelihood => vec![density.likelihood],
                        }
                    };
                    assert_close(
                        &what,
                        gradient,
                        &differences(z, &mut density).concat(),
                        TOLERANCE,
                    );
                    let mut gradient_at = |at: &[f64]| {
                        let found = expansion(&mut evaluator, part, branch, &shared, at);
                        found[..at.len()].iter().map(|g| -g).collect()
                    };
                    // Row k of the differences is column k of the curvature, which is symmetric.
                    let expected = differences(z, &mut gradient_at).concat();
                    assert_close(&what, curvature, &expected, TOLERANCE);
                }
            }
        }
    }
}

#[test]
fn expansion_vjps_are_those_of_differences() {
    for case in cases().into_iter().chain(random_cases()) {
        let mut evaluator = case.evaluator(Backend::MachineCode);
        let mut numbers = Numbers(3);
        for position in case.positions(&mut evaluator) {
            let (shared, locals) = cut(&mut evaluator, &position);
            let last = locals.len() - 1;
            for branch in [0, last] {
                let z = &locals[branch];
                let n = z.len();
                let adjoint: Vec<f64> = (0..n + n * n).map(|_| numbers.next()).collect();
                for part in PARTS {
                    let (g, c) = adjoint.split_at(n);
                    let mut dshared = vec![0.5; shared.len()];
                    evaluator.expansion_vjp(part, branch, &shared, z, g, c, &mut dshared);
                    let product = |shared: &[f64]| {
                        let found = expansion(&mut evaluator, part, branch, shared, z);
                        vec![0.0 + found.iter().zip(&adjoint).map(|(x, a)| x * a).sum::<f64>()]
                    };
                    let expected: Vec<f64> =
                        differences(&shared, product).concat().iter().map(|d| 0.5 + d).collect();
                    let what = format!("{} {part:?} {branch}", case.name);
                    assert_close(&what, &dshared, &expected, TOLERANCE);
                }
            }
        }
    }
}
