//! A scale for a large θ: a dense core, and the rest independent given the core.
//!
//! With A the negative Hessian, core c and rest r, the Gaussian of that pattern that is nearest
//! to N(0, A⁻¹) has
//!
//! ```text
//! E[θ_r | θ_c] = W θ_c, W = −A_rr⁻¹ A_rc      sd(θ_i | θ_c) = A_ii^(−½)      cov θ_c = (A_cc + A_cr W)⁻¹
//! ```
//!
//! Columns of W come from conjugate gradients, A_ii from a few products with random signs (Hutchinson),
//! products with A from differences of the gradient: A itself is never formed.

use super::curvature::inverse_of_definite_part;
use super::linalg::{axpy, cholesky, dot, identity};
use super::objective::Objective;
use super::pattern::Pattern;
use super::triangular::Triangular;
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// Length of a difference, in standard deviations.
const DIFFERENCE: f64 = 0.05;
const CONJUGATE_STEPS: usize = 8;
/// Relative residual that ends conjugate gradients.
const RESIDUAL: f64 = 0.03;
const PROBES: usize = 4;
/// Bounds of A_ii where elements are scaled by what were thought their standard deviations.
const CURVATURES: (f64, f64) = (0.1, 100.0);

/// S at θ in the pattern's order, from a standard deviation of each element given all others.
/// `None` where the density is not finite near θ.
pub fn scale<T: Target>(
    objective: &mut Objective<T>,
    theta: &[f64],
    sds: &[f64],
    pattern: &Pattern,
) -> Option<Triangular> {
    let n = theta.len();
    let (_, here) = objective.at(theta)?;
    let mut curvature = Curvature { objective, theta, sds, pattern, here };
    let probes = curvature.diagonal()?;
    let (mut responses, mut inner) = (vec![], vec![]);
    for j in 0..pattern.core {
        let (response, product) = curvature.response(j)?;
        responses.push(response);
        inner.push(product);
    }
    let core = core_factor(&responses, &inner, pattern.core);
    let diagonal: Vec<f64> = (0..n)
        .map(|i| match i < pattern.core {
            true => core[i * pattern.core + i] * sds[pattern.order[i]],
            false => sds[pattern.order[i]] / probes[i].sqrt(),
        })
        .collect();
    let mut scale = Triangular::diagonal(&diagonal, pattern.core);
    for i in 0..n {
        let sd = sds[pattern.order[i]];
        for (l, entry) in scale.left_mut(i).iter_mut().enumerate() {
            *entry = sd
                * match i < pattern.core {
                    true => core[i * pattern.core + l],
                    // Row i of W times column l of the core's factor.
                    false => (l..pattern.core)
                        .map(|j| responses[j][i] * core[j * pattern.core + l])
                        .sum::<f64>(),
                };
        }
    }
    Some(scale)
}

/// A factor of the covariance of the core, scaled: (A_cc + A_cr W)⁻¹, from d_j = e_j + W e_j and A d_j.
fn core_factor(responses: &[Vec<f64>], products: &[Vec<f64>], core: usize) -> Vec<f64> {
    let mut schur = vec![0.0; core * core];
    for j in 0..core {
        for l in 0..core {
            let (a, b) = (dot(&responses[l], &products[j]), dot(&responses[j], &products[l]));
            schur[j * core + l] = 0.5 * (a + b);
        }
    }
    let (mut covariance, _) = inverse_of_definite_part(&schur, core);
    match cholesky(&mut covariance, core) {
        true => covariance,
        false => identity(core),
    }
}

/// A in units of the standard deviations, in the pattern's order.
struct Curvature<'a, 'b, T> {
    objective: &'a mut Objective<'b, T>,
    theta: &'a [f64],
    sds: &'a [f64],
    pattern: &'a Pattern,
    here: Vec<f64>,
}

impl<T: Target> Curvature<'_, '_, T> {
    /// A v.
    fn times(&mut self, v: &[f64]) -> Option<Vec<f64>> {
        let longest = v.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        if longest == 0.0 {
            return Some(vec![0.0; v.len()]);
        }
        let length = DIFFERENCE / longest;
        let mut moved = self.theta.to_vec();
        for (x, &j) in v.iter().zip(&self.pattern.order) {
            moved[j] += length * x * self.sds[j];
        }
        let (_, there) = self.objective.at(&moved)?;
        let change = |&j: &usize| self.sds[j] * (self.here[j] - there[j]) / length;
        Some(self.pattern.order.iter().map(change).collect())
    }

    /// A_ii.
    fn diagonal(&mut self) -> Option<Vec<f64>> {
        let mut sum = vec![0.0; self.theta.len()];
        for probe in 0..PROBES {
            let mut stream = Stream::new(0, Purpose::Start, probe, 2, 0);
            let signs: Vec<f64> =
                sum.iter().map(|_| if stream.uniform() < 0.5 { -1.0 } else { 1.0 }).collect();
            let product = self.times(&signs)?;
            sum.iter_mut().zip(signs.iter().zip(product)).for_each(|(s, (a, b))| *s += a * b);
        }
        let mean = |s: f64| (s / PROBES as f64).clamp(CURVATURES.0, CURVATURES.1);
        Some(sum.into_iter().map(mean).collect())
    }

    /// d = e_j with the rest where it is best, and A d.
    fn response(&mut self, j: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let core = self.pattern.core;
        let mut d = vec![0.0; self.theta.len()];
        d[j] = 1.0;
        let mut product = self.times(&d)?;
        let mut residual: Vec<f64> = product.iter().map(|x| -x).collect();
        residual[..core].fill(0.0);
        let mut direction = residual.clone();
        let mut size = dot(&residual, &residual);
        let enough = RESIDUAL * RESIDUAL * dot(&product, &product);
        for _ in 0..CONJUGATE_STEPS {
            if size <= enough {
                break;
            }
            let image = self.times(&direction)?;
            let curvature = dot(&direction, &image);
            if curvature.is_nan() || curvature <= 0.0 {
                break;
            }
            let length = size / curvature;
            axpy(length, &direction, &mut d);
            axpy(length, &image, &mut product);
            axpy(-length, &image[core..], &mut residual[core..]);
            let next = dot(&residual, &residual);
            let ratio = next / size;
            direction.iter_mut().zip(&residual).for_each(|(p, r)| *p = r + ratio * *p);
            size = next;
        }
        Some((d, product))
    }
}
