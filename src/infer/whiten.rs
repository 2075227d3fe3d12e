//! Scales of θ at a point: of each element alone, then of all together.

use super::curvature::{DENSE_EIGEN, inverse_of_definite_part};
use super::linalg::{cholesky, lower_times, lower_transposed_times, transpose};
use super::objective::Objective;
use crate::target::Target;

/// Length of difference steps, in standard deviations.
const DIFFERENCE: f64 = 0.2;
/// The same where differences are taken to one side only.
const ONE_SIDED_DIFFERENCE: f64 = 0.05;

/// A standard deviation for each θ_j alone, from the difference of its derivative over a step
/// that is itself brought to a fraction of it.
pub fn coordinate_scales<T: Target>(
    objective: &mut Objective<T>,
    theta: &[f64],
    steps: &[f64],
) -> Vec<f64> {
    let tries = if objective.n <= 100 { 10 } else { 2 };
    (0..objective.n)
        .map(|j| {
            let floor = 1e-7 * theta[j].abs() + 1e-12;
            let mut h = steps[j].max(floor);
            for _ in 0..tries {
                let side = |objective: &mut Objective<T>, h: f64| {
                    let mut moved = theta.to_vec();
                    moved[j] += h;
                    objective.at(&moved).map(|(_, gradient)| gradient[j])
                };
                let (above, below) = (side(objective, h), side(objective, -h));
                let (Some(above), Some(below)) = (above, below) else {
                    h *= 0.1;
                    continue;
                };
                let curvature = (below - above) / (2.0 * h);
                if curvature.is_nan() || curvature <= 0.0 {
                    h *= if h < 0.3 { 3.0 } else { 0.1 };
                    continue;
                }
                let sd = curvature.sqrt().recip();
                if h > 0.02 * sd && h < sd {
                    return sd;
                }
                h = (DIFFERENCE * sd).max(floor);
            }
            // No usable curvature: a logarithm or logit moves by about one, others by their
            // last step.
            steps[j].clamp(floor, 1.0)
        })
        .collect()
}

/// A diagonal matrix, row-major.
pub fn diagonal(scales: &[f64], n: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; n * n];
    for j in 0..n {
        matrix[j * n + j] = scales[j];
    }
    matrix
}

/// A new S at θ: differences of the gradient in the coordinates of the old one. A direction
/// without curvature keeps about the old scale. Also says whether there was none.
pub fn whiten<T: Target>(
    objective: &mut Objective<T>,
    theta: &[f64],
    scale: &[f64],
) -> (Vec<f64>, bool) {
    let n = objective.n;
    let mut hessian = vec![0.0; n * n];
    // One-sided differences cost half as much; the small loss is made up for by learning.
    let here = (n > DENSE_EIGEN).then(|| objective.at(theta)).flatten().map(|(_, gradient)| {
        let mut out = vec![0.0; n];
        lower_transposed_times(scale, n, &gradient, &mut out);
        out
    });
    let length = if here.is_some() { ONE_SIDED_DIFFERENCE } else { DIFFERENCE };
    for j in 0..n {
        let side = |objective: &mut Objective<T>, h: f64| {
            let moved: Vec<f64> = (0..n).map(|i| theta[i] + h * scale[i * n + j]).collect();
            objective.at(&moved).map(|(_, gradient)| {
                let mut out = vec![0.0; n];
                lower_transposed_times(scale, n, &gradient, &mut out);
                out
            })
        };
        let above = side(objective, length);
        let (below, distance) = match &here {
            Some(here) => (Some(here.clone()), length),
            None => (side(objective, -length), 2.0 * length),
        };
        let (Some(above), Some(below)) = (above, below) else { return (scale.to_vec(), false) };
        for i in 0..n {
            hessian[j * n + i] = (below[i] - above[i]) / distance;
        }
    }
    for i in 0..n {
        for j in 0..i {
            let mean = 0.5 * (hessian[i * n + j] + hessian[j * n + i]);
            hessian[i * n + j] = mean;
            hessian[j * n + i] = mean;
        }
    }
    let (covariance, definite) = inverse_of_definite_part(&hessian, n);
    // S C Sᵀ with the old S, factored anew.
    let mut product = vec![0.0; n * n];
    let mut half = vec![0.0; n];
    let mut left = vec![0.0; n * n];
    for i in 0..n {
        lower_times(scale, n, &covariance[i * n..i * n + n], &mut half);
        left[i * n..i * n + n].copy_from_slice(&half);
    }
    transpose(&mut left, n);
    for i in 0..n {
        lower_times(scale, n, &left[i * n..i * n + n], &mut half);
        product[i * n..i * n + n].copy_from_slice(&half);
    }
    if cholesky(&mut product, n) { (product, definite) } else { (scale.to_vec(), false) }
}
