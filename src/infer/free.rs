//! The branch family in its linear forms: a free Gaussian for each branch, whitened by the
//! branch's site (z*, R*) at the start, which stays, so that ν, B and L are free of units.
//! The formulas are those of [`super::linear`].

use serde::{Deserialize, Serialize};

use super::linalg::identity;
use super::linear::{LinearForm, Whitening};
use super::site::Site;

/// Parameters of every branch's Gaussian.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreeGuide {
    /// Which linear form.
    pub form: LinearForm,
    centres: Vec<f64>,
    factors: Vec<f64>,
    /// Of every branch, as `form` orders them.
    pub parameters: Vec<f64>,
}

impl FreeGuide {
    /// Every branch at its site, ν = B = 0 and L = I. A diagonal form is whitened by the
    /// precision's diagonal alone, whose reciprocal is the variance of the best diagonal Gaussian.
    pub fn new(form: LinearForm, sites: &[Option<Site>]) -> Self {
        let n = form.n_local;
        let mut guide = Self { form, centres: vec![], factors: vec![], parameters: vec![] };
        for site in sites {
            match site {
                Some(site) => guide.centres.extend(&site.centre),
                None => guide.centres.extend(vec![0.0; n]),
            }
            match (site, form.diagonal) {
                (Some(site), true) => {
                    guide.factors.extend((0..n).map(|j| site.precision[j * n + j].sqrt()));
                }
                (Some(site), false) => guide.factors.extend(&site.factor),
                (None, true) => guide.factors.extend(vec![1.0; n]),
                (None, false) => guide.factors.extend(identity(n)),
            }
            guide.parameters.extend(form.standard());
        }
        guide
    }

    /// One more branch, z = c + Bε₀ + Lε, in a dense form and the locals' own units.
    pub fn push_unwhitened(
        &mut self,
        centre: &[f64],
        coupling: impl IntoIterator<Item = f64>,
        factor: &[f64],
    ) {
        let n = self.form.n_local;
        self.centres.extend_from_slice(centre);
        self.factors.extend(identity(n));
        self.parameters.extend(vec![0.0; n]);
        self.parameters.extend(coupling);
        self.parameters.extend_from_slice(factor);
    }

    /// Number of parameters of one branch.
    pub fn n_parameters(&self) -> usize {
        self.form.n_parameters()
    }

    /// Parameters of one branch.
    pub fn of(&self, branch: usize) -> &[f64] {
        let p = self.n_parameters();
        &self.parameters[branch * p..(branch + 1) * p]
    }

    /// The fixed coordinates of one branch.
    pub fn whitening(&self, branch: usize) -> Whitening<'_> {
        let n = self.form.n_local;
        let length = if self.form.diagonal { n } else { n * n };
        Whitening {
            centre: &self.centres[branch * n..(branch + 1) * n],
            factor: &self.factors[branch * length..(branch + 1) * length],
        }
    }

    /// Moves one branch along `delta`, ordered as its gradient.
    pub fn advance(&mut self, branch: usize, delta: &[f64]) {
        let p = self.n_parameters();
        self.form.advance(&mut self.parameters[branch * p..(branch + 1) * p], delta);
    }
}
