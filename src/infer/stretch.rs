//! What q(zᵢ|θ) has beyond a Gaussian, in whitened coordinates: a map v(ε) of standard normal noise.
//!
//! With the tails t_i of [`super::tails`], from the last element to the first,
//!
//! ```text
//! v_i = Σ_{i<j≤k} B_ijk (ε_j ε_k − δ_jk) + exp(b(Σ_{j>i} W_ij ε_j)) t_i(ε_i)     b(a) = 1.5 tanh(a/1.5)
//! ```
//!
//! so that the centre and the width of an element follow elements after it. For the third
//! derivatives a of −log density ([`super::higher`]), to first order in them,
//!
//! ```text
//! κ_i = −0.554 a_iii      W_ij = −½ a_iij      B_ijj = −½ a_ijj      B_ijk = −a_ijk   (j ≠ k)
//! ```
//!
//! makes v distributed as exp(−|v|²/2 − Σ a_ijk v_i v_j v_k/6), but for tails: each term of the cubic is one
//! of the map. κ and λ are moved by the network besides. Each B is bounded by 0.75.

use super::network::Activation;
use super::tails::{SKEW_OF_THIRD, Stretched, TAIL_OF_FOURTH, Tails};

const WIDTH_BOUND: f64 = 1.5;
const BOW_BOUND: f64 = 0.75;

/// The map of one branch at one θ; that of a Gaussian, v = ε, when empty.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    n: usize,
    tails: Vec<Tails>,
    /// W, n × n.
    width: Vec<f64>,
    /// B, n × n × n, and its derivatives in a.
    bow: Vec<f64>,
    bow_slopes: Vec<f64>,
}

/// Adjoints of one map, summed over draws, and scratch space.
#[derive(Clone, Debug, Default)]
pub struct StretchAdjoint {
    /// Of the third derivatives, n × n × n; for one local that of the fourth after it.
    pub higher: Vec<f64>,
    at: Vec<Stretched>,
    /// b of each element, and its derivative.
    widths: Vec<(f64, f64)>,
}

impl Stretch {
    /// Whether v = ε.
    pub fn is_gaussian(&self) -> bool {
        self.tails.is_empty()
    }

    /// Becomes that of a Gaussian.
    pub fn clear(&mut self) {
        self.tails.clear();
    }

    /// Sets it from the network's outputs and the values of [`super::higher::Higher`]. Without outputs
    /// for tails it is that of a Gaussian.
    pub fn set(&mut self, activation: &Activation, higher: &[f64]) {
        let n = activation.skew().len();
        self.clear();
        self.n = n;
        let own = |at: usize| higher.get(at).copied().unwrap_or(0.0);
        for (i, (skew, tail)) in activation.skew().iter().zip(activation.tail()).enumerate() {
            let fourth = if n == 1 { own(1) } else { 0.0 };
            let skew = skew - SKEW_OF_THIRD * own(i * (n * n + n + 1));
            self.tails.push(Tails::new(skew, tail - TAIL_OF_FOURTH * fourth));
        }
        for part in [&mut self.width, &mut self.bow, &mut self.bow_slopes] {
            part.clear();
        }
        if n < 2 || higher.is_empty() {
            return;
        }
        self.width.resize(n * n, 0.0);
        self.bow.resize(n * n * n, 0.0);
        self.bow_slopes.resize(n * n * n, 0.0);
        for i in 0..n {
            for j in i + 1..n {
                self.width[i * n + j] = -0.5 * higher[(j * n + i) * n + i];
                for k in j..n {
                    let at = (i * n + j) * n + k;
                    let factor = if j == k { -0.5 } else { -1.0 };
                    let t = (factor * higher[at] / BOW_BOUND).tanh();
                    self.bow[at] = BOW_BOUND * t;
                    self.bow_slopes[at] = factor * (1.0 - t * t);
                }
            }
        }
    }

    /// The centre of element i.
    fn centre(&self, i: usize, noise: &[f64]) -> f64 {
        let n = self.n;
        let mut centre = 0.0;
        if !self.bow.is_empty() {
            for j in i + 1..n {
                centre -= self.bow[(i * n + j) * n + j];
                for k in j..n {
                    centre += self.bow[(i * n + j) * n + k] * noise[j] * noise[k];
                }
            }
        }
        centre
    }

    /// b of element i, and its derivative.
    fn width(&self, i: usize, noise: &[f64]) -> (f64, f64) {
        if self.width.is_empty() {
            return (0.0, 1.0);
        }
        let row = &self.width[i * self.n..(i + 1) * self.n];
        let a: f64 = (i + 1..self.n).map(|j| row[j] * noise[j]).sum();
        let t = (a / WIDTH_BOUND).tanh();
        (WIDTH_BOUND * t, 1.0 - t * t)
    }

    /// Sets v; returns log |∂v/∂ε|.
    pub fn position(&self, noise: &[f64], v: &mut [f64]) -> f64 {
        if self.is_gaussian() {
            v.copy_from_slice(noise);
            return 0.0;
        }
        let mut log_slope = 0.0;
        for (i, tails) in self.tails.iter().enumerate() {
            let (tail, own) = tails.position(noise[i]);
            let (width, _) = self.width(i, noise);
            v[i] = self.centre(i, noise) + width.exp() * tail;
            log_slope += own + width;
        }
        log_slope
    }

    /// v alone, and what the other methods of one draw share.
    pub fn visit(&self, noise: &[f64], work: &mut StretchAdjoint, v: &mut [f64]) {
        work.at.clear();
        work.widths.clear();
        for (i, tails) in self.tails.iter().enumerate() {
            let at = tails.at(noise[i]);
            let (width, slope) = self.width(i, noise);
            v[i] = self.centre(i, noise) + width.exp() * at.value;
            work.at.push(at);
            work.widths.push((width, slope));
        }
    }

    /// ∂v_i/∂ε_j for j > i.
    fn slope(&self, i: usize, j: usize, noise: &[f64], work: &StretchAdjoint) -> f64 {
        let n = self.n;
        let (width, width_slope) = work.widths[i];
        let mut slope = width.exp() * work.at[i].value * width_slope * self.width[i * n + j];
        for (k, epsilon) in noise.iter().enumerate().skip(i + 1) {
            let pair = self.bow[(i * n + j.min(k)) * n + j.max(k)];
            slope += pair * epsilon * if j == k { 2.0 } else { 1.0 };
        }
        slope
    }

    /// Elements before j that follow it.
    fn followers(&self, j: usize) -> std::ops::Range<usize> {
        if self.width.is_empty() { 0..0 } else { 0..j }
    }

    /// Sets `out` to ∂ log |∂v/∂ε| / ∂ε.
    fn log_slope_gradient(&self, work: &StretchAdjoint, out: &mut [f64]) {
        for (j, out) in out.iter_mut().enumerate() {
            let of_width = |i: usize| work.widths[i].1 * self.width[i * self.n + j];
            let widths: f64 = self.followers(j).map(of_width).sum();
            *out = work.at[j].log_slope_derivative + widths;
        }
    }

    /// Sets `out` to −∂ log q/∂v of the visited draw: V⁻ᵀ (ε + ∂ log|V|/∂ε), V = ∂v/∂ε.
    pub fn landing(&self, noise: &[f64], work: &StretchAdjoint, out: &mut [f64]) {
        self.log_slope_gradient(work, out);
        for j in 0..self.n {
            let of_earlier = |i: usize| self.slope(i, j, noise, work) * out[i];
            let known: f64 = self.followers(j).map(of_earlier).sum();
            out[j] = (out[j] + noise[j] - known) / (work.widths[j].0.exp() * work.at[j].slope);
        }
    }

    /// Sets `out` to the gradient in ε of f(v) + log |∂v/∂ε| at the visited draw, for that of f in v.
    pub fn pull(&self, noise: &[f64], gradient: &[f64], work: &StretchAdjoint, out: &mut [f64]) {
        self.log_slope_gradient(work, out);
        for (j, out) in out.iter_mut().enumerate() {
            let of_earlier = |i: usize| self.slope(i, j, noise, work) * gradient[i];
            let earlier: f64 = self.followers(j).map(of_earlier).sum();
            *out += work.widths[j].0.exp() * work.at[j].slope * gradient[j] + earlier;
        }
    }

    /// ∂v_i/∂κ_i and ∂v_i/∂λ_i of the visited draw.
    pub fn by_tails(&self, i: usize, work: &StretchAdjoint) -> [f64; 2] {
        let scale = work.widths[i].0.exp();
        work.at[i].by.map(|by| scale * by)
    }

    /// Adds to `work.higher` `weight` times the derivative of f(v) + log |∂v/∂ε| in third and fourth
    /// derivatives, for the gradient of f in v. Nothing where there are none.
    pub fn add_higher(
        &self,
        noise: &[f64],
        gradient: &[f64],
        weight: f64,
        work: &mut StretchAdjoint,
    ) {
        let n = if work.higher.is_empty() { 0 } else { self.n };
        for (i, slope) in gradient.iter().enumerate().take(n) {
            let by = self.by_tails(i, work);
            let along = |k: usize| weight * (slope * by[k] + work.at[i].log_slope_by[k]);
            let (skew, tail) = (along(0), along(1));
            work.higher[i * (n * n + n + 1)] -= SKEW_OF_THIRD * skew;
            if n == 1 {
                work.higher[1] -= TAIL_OF_FOURTH * tail;
            }
            if self.width.is_empty() {
                continue;
            }
            let (width, width_slope) = work.widths[i];
            let of_width = slope * width.exp() * work.at[i].value + 1.0;
            for j in i + 1..n {
                let own = weight * of_width * width_slope * noise[j];
                work.higher[(j * n + i) * n + i] -= 0.5 * own;
                for k in j..n {
                    let at = (i * n + j) * n + k;
                    let pair = noise[j] * noise[k] - if j == k { 1.0 } else { 0.0 };
                    work.higher[at] += weight * slope * pair * self.bow_slopes[at];
                }
            }
        }
    }
}

impl StretchAdjoint {
    /// Starts collecting for a branch with so many values of third and fourth derivatives.
    pub fn begin(&mut self, n_values: usize) {
        self.higher.clear();
        self.higher.resize(n_values, 0.0);
    }

    /// What was collected, every matrix made symmetric.
    pub fn symmetric(&self, n: usize) -> Vec<f64> {
        let mut out = self.higher.clone();
        for matrix in out.chunks_exact_mut((n * n).max(1)) {
            for i in 0..n {
                for j in 0..i {
                    let mean = 0.5 * (matrix[i * n + j] + matrix[j * n + i]);
                    (matrix[i * n + j], matrix[j * n + i]) = (mean, mean);
                }
            }
        }
        out
    }
}
