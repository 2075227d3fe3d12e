//! The exact posterior of the conjugate model, element by element.

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
        let (mean, covariance) = exact.locals(&data.x[branch], &data.y[branch]);
        let d = data.n_local;
        Moments { mean, sd: (0..d).map(|j| covariance[j * d + j].sqrt()).collect() }
    }
}
