//! The exact posterior of the conjugate model, element by element.
//!
//! With Λᵢ = I + XᵢᵀXᵢ and Sᵢ = Λᵢ⁻¹, θ|y ~ N(m, P⁻¹), and zᵢ|y has mean SᵢXᵢᵀyᵢ + Sᵢm and covariance
//! Sᵢ + SᵢP⁻¹Sᵢ.

use crate::support::conjugate::{Conjugate, Exact, invert};

/// Means and standard deviations of elements.
pub struct Moments {
    pub mean: Vec<f64>,
    pub sd: Vec<f64>,
}

impl Moments {
    /// Of θ.
    pub fn theta(exact: &Exact) -> Moments {
        let d = exact.mean.len();
        let (covariance, _) = invert(&exact.precision, d);
        let sd = (0..d).map(|j| covariance[j * d + j].sqrt()).collect();
        Moments { mean: exact.mean.clone(), sd }
    }

    /// Of the locals of a branch.
    pub fn local(data: &Conjugate, exact: &Exact, branch: usize) -> Moments {
        let d = data.n_local;
        let mut lambda: Vec<f64> =
            (0..d * d).map(|jk| f64::from(u8::from(jk / d == jk % d))).collect();
        // Xᵢᵀyᵢ + m
        let mut shift = exact.mean.clone();
        for (x, y) in data.x[branch].chunks_exact(d).zip(&data.y[branch]) {
            for j in 0..d {
                shift[j] += x[j] * y;
                for k in 0..d {
                    lambda[j * d + k] += x[j] * x[k];
                }
            }
        }
        let (s, _) = invert(&lambda, d);
        let (covariance, _) = invert(&exact.precision, d);
        let mean = (0..d).map(|j| (0..d).map(|k| s[j * d + k] * shift[k]).sum()).collect();
        let variance = |j: usize| {
            let by_theta = |k: usize| -> f64 {
                (0..d).map(|l| s[j * d + k] * covariance[k * d + l] * s[l * d + j]).sum()
            };
            s[j * d + j] + (0..d).map(by_theta).sum::<f64>()
        };
        Moments { mean, sd: (0..d).map(|j| variance(j).sqrt()).collect() }
    }
}
