//! q(θ): θ = c + S u, where u is a triangular map of ε₀ ~ N(0, I).
//!
//! ```text
//! u = μ + L ε₀                    a Gaussian
//! u = the map of [`super::shape`]  the same with skewness, tails and changing widths
//! ```
//!
//! c and S come from the start phase and stay fixed, so what is learned is free of the units of
//! the data. S and L are [`Triangular`], over the elements of θ in an order of their own: where θ
//! is large, a core of elements comes first and the rest are independent given the core.

use serde::{Deserialize, Serialize};

use super::linalg::{axpy, dot};
use super::shape::{Bent, Shape, UNIT, bounded, bow};
use super::triangular::Triangular;

const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

/// q(θ).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GlobalGuide {
    /// c, in the order of θ.
    pub centre: Vec<f64>,
    /// Which element of θ each row of S belongs to.
    pub order: Vec<usize>,
    /// S.
    pub scale: Triangular,
    /// μ.
    pub loc: Vec<f64>,
    /// L, of positive diagonal.
    pub factor: Triangular,
    /// What goes beyond a Gaussian.
    pub shape: Option<Shape>,
}

impl GlobalGuide {
    /// The Laplace approximation of centre c and an S whose rows belong to the elements `order` of
    /// θ: μ = 0, L = I.
    pub fn new(centre: Vec<f64>, order: Vec<usize>, scale: Triangular) -> Self {
        let n = centre.len();
        let factor = Triangular::diagonal(&vec![1.0; n], scale.core());
        Self { centre, order, scale, loc: vec![0.0; n], factor, shape: None }
    }

    /// The same with a shape to learn.
    pub fn shaped(mut self) -> Self {
        self.shape = Some(Shape::gaussian(self.n(), self.scale.core()));
        self
    }

    /// The best Gaussian of independent elements for that Laplace approximation: the standard
    /// deviations of each element given all others.
    pub fn independent(centre: Vec<f64>, order: Vec<usize>, scale: &Triangular) -> Self {
        let n = centre.len();
        let sd = |j: usize| {
            // e_jᵀ(SSᵀ)⁻¹e_j = |S⁻¹e_j|².
            let mut column = vec![0.0; n];
            column[j] = 1.0;
            scale.solve(&mut column);
            1.0 / dot(&column, &column).sqrt()
        };
        let diagonal: Vec<f64> = (0..n).map(sd).collect();
        Self::new(centre, order, Triangular::diagonal(&diagonal, 0))
    }

    /// Number of globals.
    pub fn n(&self) -> usize {
        self.centre.len()
    }

    /// θ at ε₀ = 0: its mean where it is Gaussian, its median element by element otherwise.
    pub fn mean(&self) -> Vec<f64> {
        self.position(&self.loc)
    }

    fn position(&self, u: &[f64]) -> Vec<f64> {
        let mut theta = self.centre.clone();
        for (&j, moved) in self.order.iter().zip(self.scale.times(u)) {
            theta[j] += moved;
        }
        theta
    }

    /// θ for noise ε₀.
    pub fn theta(&self, noise: &[f64]) -> Vec<f64> {
        let Some(shape) = &self.shape else {
            let mut u = self.factor.times(noise);
            axpy(1.0, &self.loc, &mut u);
            return self.position(&u);
        };
        let map = Map::at(self, shape, noise);
        self.position(&map.u)
    }

    /// u of θ: S⁻¹(θ − c).
    pub fn whitened(&self, theta: &[f64]) -> Vec<f64> {
        let mut u: Vec<f64> = self.order.iter().map(|&j| theta[j] - self.centre[j]).collect();
        self.scale.solve(&mut u);
        u
    }

    /// The adjoint of θ from that of u: S⁻ᵀ of it.
    pub fn theta_adjoint(&self, whitened_adjoint: &[f64]) -> Vec<f64> {
        let mut ordered = whitened_adjoint.to_vec();
        self.scale.solve_transposed(&mut ordered);
        let mut adjoint = vec![0.0; self.n()];
        self.order.iter().zip(ordered).for_each(|(&j, x)| adjoint[j] = x);
        adjoint
    }

    /// The adjoint of u from that of θ: Sᵀ of it.
    pub fn whitened_adjoint(&self, theta_adjoint: &[f64]) -> Vec<f64> {
        let ordered: Vec<f64> = self.order.iter().map(|&j| theta_adjoint[j]).collect();
        self.scale.transposed_times(&ordered)
    }

    /// The ε₀ that gives θ.
    pub fn noise_of(&self, theta: &[f64]) -> Vec<f64> {
        let mut u = self.whitened(theta);
        axpy(-1.0, &self.loc, &mut u);
        let Some(shape) = &self.shape else {
            self.factor.solve(&mut u);
            return u;
        };
        let n = self.n();
        let (mut eta, mut noise, mut bows) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        for i in 0..n {
            let (log_width, _) = bounded(dot(shape.width.left(i), &noise));
            let width = self.factor.diagonal_at(i) * log_width.exp();
            let centre = dot(self.factor.left(i), &eta) + dot(shape.bow.left(i), &bows);
            eta[i] = (u[i] - centre) / width;
            noise[i] = shape.bend(i).inverse(eta[i]);
            bows[i] = bow(noise[i]).0;
        }
        noise
    }

    /// log q(θ) at the θ of that noise.
    pub fn log_density(&self, noise: &[f64]) -> f64 {
        let gaussian = -0.5 * dot(noise, noise)
            - HALF_LOG_TAU * self.n() as f64
            - self.factor.log_diagonal_sum()
            - self.scale.log_diagonal_sum();
        match &self.shape {
            None => gaussian,
            Some(shape) => gaussian - Map::at(self, shape, noise).log_jacobian(),
        }
    }

    /// Adds to `gradient` (μ, L with the diagonal in logarithms, then the shape's in its unit) `weight` times
    /// that of one draw: `theta_adjoint` is the derivative in θ without log q(θ), `noise_adjoint`
    /// what log q(z|θ) adds in the coordinates of ε₀. Sticking the landing adds −∂ log q(θ)/∂ε₀ to
    /// the latter. Returns the largest summand, to judge how near zero the result is.
    pub fn add_gradient(
        &self,
        noise: &[f64],
        theta_adjoint: &[f64],
        noise_adjoint: &[f64],
        weight: f64,
        gradient: &mut [f64],
    ) -> f64 {
        let map = self.shape.as_ref().map(|shape| Map::at(self, shape, noise));
        let (path, landing) = self.parts(noise, theta_adjoint, noise_adjoint, map.as_ref());
        let largest = path.iter().chain(&landing).fold(0.0f64, |most, x| most.max(x.abs()));
        let total: Vec<f64> = path.iter().zip(&landing).map(|(a, b)| weight * (a + b)).collect();
        match &map {
            None => self.add_gaussian(noise, &total, gradient),
            Some(map) => map.add_gradient(&total, gradient),
        }
        largest
    }

    /// The derivative of one draw in u: of the log density, and of −log q(θ) there.
    fn parts(
        &self,
        noise: &[f64],
        theta_adjoint: &[f64],
        noise_adjoint: &[f64],
        map: Option<&Map>,
    ) -> (Vec<f64>, Vec<f64>) {
        let path = self.whitened_adjoint(theta_adjoint);
        let mut landing: Vec<f64> = noise.iter().zip(noise_adjoint).map(|(a, b)| a + b).collect();
        match map {
            None => self.factor.solve_transposed(&mut landing),
            Some(map) => map.land(&mut landing),
        }
        (path, landing)
    }

    /// The derivative of one draw in u, sticking the landing; arguments as in
    /// [`Self::add_gradient`].
    pub fn slope(&self, noise: &[f64], theta_adjoint: &[f64], noise_adjoint: &[f64]) -> Vec<f64> {
        let map = self.shape.as_ref().map(|shape| Map::at(self, shape, noise));
        let (path, landing) = self.parts(noise, theta_adjoint, noise_adjoint, map.as_ref());
        path.iter().zip(&landing).map(|(a, b)| a + b).collect()
    }

    fn add_gaussian(&self, noise: &[f64], total: &[f64], gradient: &mut [f64]) {
        let (loc, factor) = gradient.split_at_mut(self.n());
        axpy(1.0, total, loc);
        for (i, t) in total.iter().enumerate() {
            let end = self.factor.position(i);
            let length = self.factor.left(i).len();
            axpy(*t, &noise[..length], &mut factor[end - length..end]);
            factor[end] += t * noise[i] * self.factor.diagonal_at(i);
        }
    }

    /// Number of learned parameters.
    pub fn n_parameters(&self) -> usize {
        let shape = self.shape.as_ref().map_or(0, Shape::n_parameters);
        self.n() + self.factor.values().len() + shape
    }

    /// How many of them, the first ones, are μ and L.
    pub fn n_gaussian(&self) -> usize {
        self.n() + self.factor.values().len()
    }

    /// Moves along `delta`, ordered as the gradient.
    pub fn advance(&mut self, delta: &[f64]) {
        let (loc, rest) = delta.split_at(self.n());
        let (factor, shape) = rest.split_at(self.factor.values().len());
        axpy(1.0, loc, &mut self.loc);
        for i in 0..self.n() {
            let end = self.factor.position(i);
            let left = self.factor.left_mut(i);
            let start = end - left.len();
            axpy(1.0, &factor[start..end], left);
            *self.factor.diagonal_mut(i) *= factor[end].exp();
        }
        if let Some(own) = &mut self.shape {
            own.advance(shape);
        }
    }

    /// Moves every learned parameter by `weight` of the way to those of `other`.
    pub fn blend(&mut self, other: &Self, weight: f64) {
        let mix = |mean: &mut [f64], new: &[f64]| {
            mean.iter_mut().zip(new).for_each(|(m, x)| *m += weight * (x - *m));
        };
        mix(&mut self.loc, &other.loc);
        mix(self.factor.values_mut(), other.factor.values());
        if let (Some(own), Some(new)) = (&mut self.shape, &other.shape) {
            mix(own.width.values_mut(), new.width.values());
            mix(own.bow.values_mut(), new.bow.values());
            mix(&mut own.skew, &new.skew);
            mix(&mut own.log_tail, &new.log_tail);
        }
    }
}

/// The map of a shaped q(θ) at one ε₀.
struct Map<'a> {
    factor: &'a Triangular,
    shape: &'a Shape,
    noise: &'a [f64],
    bent: Vec<Bent>,
    eta: Vec<f64>,
    /// s of each element of the noise.
    bows: Vec<f64>,
    /// b of each row, and b′.
    log_width: Vec<(f64, f64)>,
    u: Vec<f64>,
}

impl<'a> Map<'a> {
    fn at(guide: &'a GlobalGuide, shape: &'a Shape, noise: &'a [f64]) -> Self {
        let factor = &guide.factor;
        let bent: Vec<Bent> = (0..guide.n()).map(|j| shape.bend(j).at(noise[j])).collect();
        let eta: Vec<f64> = bent.iter().map(|bent| bent.value).collect();
        let bows: Vec<f64> = noise.iter().map(|&epsilon| bow(epsilon).0).collect();
        let row = |i: usize| bounded(dot(shape.width.left(i), noise));
        let log_width: Vec<(f64, f64)> = (0..guide.n()).map(row).collect();
        let u = (0..guide.n()).map(|i| {
            let own = factor.diagonal_at(i) * log_width[i].0.exp() * eta[i];
            guide.loc[i] + dot(factor.left(i), &eta) + dot(shape.bow.left(i), &bows) + own
        });
        let u = u.collect();
        Self { factor, shape, noise, bent, eta, bows, log_width, u }
    }

    /// log |∂u/∂ε₀| less Σ log L_ii.
    fn log_jacobian(&self) -> f64 {
        self.bent.iter().zip(&self.log_width).map(|(bent, width)| bent.log_slope + width.0).sum()
    }

    /// What own noise adds to row i: L_ii exp(b) h.
    fn own(&self, i: usize) -> f64 {
        self.factor.diagonal_at(i) * self.log_width[i].0.exp() * self.eta[i]
    }

    /// Carries an adjoint of ε₀, which does not yet hold ∂ log|∂u/∂ε₀|/∂ε₀, to u: solves Jᵀ x = b
    /// for the triangular J = ∂u/∂ε₀.
    fn land(&self, adjoint: &mut [f64]) {
        for i in 0..adjoint.len() {
            adjoint[i] += self.bent[i].log_slope_derivative;
            axpy(self.log_width[i].1, self.shape.width.left(i), adjoint);
        }
        for i in (0..adjoint.len()).rev() {
            let width = self.factor.diagonal_at(i) * self.log_width[i].0.exp();
            let x = adjoint[i] / (width * self.bent[i].log_slope.exp());
            adjoint[i] = x;
            let by_width = x * self.own(i) * self.log_width[i].1;
            axpy(-by_width, self.shape.width.left(i), adjoint);
            for (k, entry) in self.factor.left(i).iter().enumerate() {
                adjoint[k] -= x * entry * self.bent[k].log_slope.exp();
            }
            for (k, entry) in self.shape.bow.left(i).iter().enumerate() {
                adjoint[k] -= x * entry * bow(self.noise[k]).1;
            }
        }
    }

    /// Adds (∂u/∂parameters)ᵀ total.
    fn add_gradient(&self, total: &[f64], gradient: &mut [f64]) {
        let n = total.len();
        let (loc, rest) = gradient.split_at_mut(n);
        let (factor, rest) = rest.split_at_mut(self.factor.values().len());
        let (width, rest) = rest.split_at_mut(self.shape.width.values().len());
        let (bow, rest) = rest.split_at_mut(self.shape.bow.values().len());
        let (skew, log_tail) = rest.split_at_mut(n);
        axpy(1.0, total, loc);
        let mut of_eta = vec![0.0; n];
        for (i, t) in total.iter().enumerate() {
            let left = self.factor.left(i);
            let end = self.factor.position(i);
            let start = end - left.len();
            let own = t * self.own(i);
            axpy(*t, &self.eta[..left.len()], &mut factor[start..end]);
            factor[end] += own;
            axpy(
                UNIT * own * self.log_width[i].1,
                &self.noise[..left.len()],
                &mut width[start..end],
            );
            axpy(UNIT * t, &self.bows[..left.len()], &mut bow[start..end]);
            axpy(*t, left, &mut of_eta);
            of_eta[i] += t * self.factor.diagonal_at(i) * self.log_width[i].0.exp();
        }
        for (j, bent) in self.bent.iter().enumerate() {
            skew[j] += UNIT * of_eta[j] * bent.by_skew;
            log_tail[j] += UNIT * of_eta[j] * bent.by_log_tail;
        }
    }
}
