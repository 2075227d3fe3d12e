//! q(zᵢ|θ) from an encoder: the model's prior times a Gaussian site whose (h, H) it computes, or a
//! Gaussian whose mean is linear in θ.
//!
//! The encoder works in coordinates u with z = c + R⁻ᵀu, whitened by mean c and covariance
//! (RRᵀ)⁻¹ of the locals at the start, so that its weights are free of the data's units. There a
//! site is a quadratic of gradient h and curvature H at u = 0, so R h and R H Rᵀ at c, and stands
//! where the expansion of the log likelihood stands in the default guide.

use serde::{Deserialize, Serialize};

use super::encoder::{Form, Kind, RowEncoder, matrix};
use super::linalg::{
    axpy, cholesky, identity, lower_times, lower_transposed_times, solve_lower,
    solve_lower_transposed,
};
use super::linear::{LinearForm, Whitening};
use super::site::{Averages, Site};
use super::site_guide::SiteAdjoint;
use crate::target::Target;

/// An encoder, the coordinates that it works in, and what it gives in them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncodedGuide {
    /// The encoder.
    pub encoder: RowEncoder,
    /// Which linear form its outputs are the parameters of; a site beside the prior if none.
    pub linear: Option<LinearForm>,
    n: usize,
    /// c.
    centre: Vec<f64>,
    /// R, lower, or its diagonal for a diagonal form.
    factor: Vec<f64>,
}

/// The network an encoder wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Sums of sites.
    Sites,
    /// Pooled features.
    Pooled,
}

impl EncodedGuide {
    /// For branches like the `examples`, whose posteriors at the start are `sites`. `None` where
    /// the target has no data that an encoder could read.
    ///
    /// # Panics
    /// For sites in a linear form: a site stands beside the prior.
    pub fn new<T: Target>(
        target: &T,
        network: Network,
        linear: Option<LinearForm>,
        examples: &[usize],
        sites: &[Site],
        seed: u64,
    ) -> Option<Self> {
        let form = match linear {
            None => Form::Site,
            Some(LinearForm { diagonal: true, .. }) => Form::Diagonal,
            Some(LinearForm { coupling: None, .. }) => Form::Block,
            Some(LinearForm { n_global, .. }) => Form::Dense(n_global),
        };
        let kind = match network {
            Network::Sites => {
                assert!(linear.is_none(), "sites stand beside the prior");
                Kind::Sites
            }
            Network::Pooled => Kind::Pooled(form),
        };
        let encoder = RowEncoder::new(target, examples, kind, seed)?;
        let n = target.n_local();
        let (centre, factor) = population(n, sites, form == Form::Diagonal);
        Some(Self { encoder, linear, n, centre, factor })
    }

    /// The coordinates of the encoder.
    pub fn whitening(&self) -> Whitening<'_> {
        Whitening { centre: &self.centre, factor: &self.factor }
    }

    /// The site of a branch with rows, from what the encoder gave.
    pub fn site(&self, parameters: &[f64]) -> Site {
        let n = self.n;
        let (h, precision) = parameters.split_at(n);
        let mut gradient = vec![0.0; n];
        lower_times(&self.factor, n, h, &mut gradient);
        let curvature = self.congruent(precision, false);
        let mut around = self.congruent(&identity(n), false);
        axpy(1.0, &curvature, &mut around);
        Site {
            centre: self.centre.clone(),
            factor: self.factor.clone(),
            precision: around,
            points: self.centre.clone(),
            weights: vec![1.0],
            nodes: vec![0.0; self.n],
            likelihood: Some(Averages { gradient, curvature, higher: vec![] }),
            inputs: vec![],
            has_rows: true,
        }
    }

    /// The adjoint of what the encoder gave, from that of the site.
    pub fn pull(&self, adjoint: &SiteAdjoint) -> Vec<f64> {
        let mut own = vec![0.0; self.n];
        lower_transposed_times(&self.factor, self.n, &adjoint.gradient, &mut own);
        own.extend(self.congruent(&adjoint.curvature, true));
        own
    }

    /// R A Rᵀ, or Rᵀ A R.
    fn congruent(&self, a: &[f64], transposed: bool) -> Vec<f64> {
        let (a, r) = (matrix(a, self.n, self.n), matrix(&self.factor, self.n, self.n));
        let product = match transposed {
            true => r.t().dot(&a).dot(&r),
            false => r.dot(&a).dot(&r.t()),
        };
        product.iter().copied().collect()
    }
}

/// Mean of the locals over branches, and the lower factor of the precision that belongs to their
/// covariance: the spread of the centres, and on average that around each.
fn population(n: usize, sites: &[Site], diagonal: bool) -> (Vec<f64>, Vec<f64>) {
    let weight = 1.0 / sites.len().max(1) as f64;
    let mut centre = vec![0.0; n];
    sites.iter().for_each(|site| axpy(weight, &site.centre, &mut centre));
    let mut covariance = vec![0.0; n * n];
    for site in sites {
        let mut off = site.centre.clone();
        axpy(-1.0, &centre, &mut off);
        for (i, row) in covariance.chunks_exact_mut(n.max(1)).enumerate() {
            axpy(weight * off[i], &off, row);
            axpy(weight, &column_of_inverse(&site.factor, n, i), row);
        }
    }
    if diagonal {
        let scale = |j: usize| covariance[j * n + j].recip().sqrt();
        return (centre, (0..n).map(scale).map(|r| if r.is_finite() { r } else { 1.0 }).collect());
    }
    if !cholesky(&mut covariance, n) {
        return (centre, identity(n));
    }
    let columns = (0..n).flat_map(|i| column_of_inverse(&covariance, n, i));
    let mut factor: Vec<f64> = columns.collect();
    match cholesky(&mut factor, n) {
        true => (centre, factor),
        false => (centre, identity(n)),
    }
}

/// Column i of (RRᵀ)⁻¹.
fn column_of_inverse(r: &[f64], n: usize, i: usize) -> Vec<f64> {
    let mut column = vec![0.0; n];
    column[i] = 1.0;
    solve_lower(r, n, &mut column);
    solve_lower_transposed(r, n, &mut column);
    column
}
