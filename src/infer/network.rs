//! The small residual network that moves and rescales q(zᵢ|θ) in whitened coordinates.
//!
//! It reads what the branch knows of itself, standardised, and gives (ν, t, κ, λ). Its last layer
//! starts at zero, so the guide starts as Newton left it:
//!
//! ```text
//! h₁ = tanh(W₁x + b₁)    h₂ = h₁ + tanh(W₂h₁ + b₂)    o = W₃h₂ + b₃
//! ν = 3 tanh(o/3)        t, κ, λ = 1.5 tanh(o/1.5)
//! ```
//!
//! κ and λ are the tails of [`super::tails`]; the linear forms, which are Gaussian, go without.

use serde::{Deserialize, Serialize};

use super::linalg::{axpy, dot};
use crate::random::{Purpose, Stream};

const NU_BOUND: f64 = 3.0;
const SHAPE_BOUND: f64 = 1.5;
/// Standardised inputs are cut here, so that an unusual new branch stays in known country.
const INPUT_BOUND: f64 = 4.0;

/// Weights and the statistics that standardise its inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    n_inputs: usize,
    n_hidden: usize,
    n_local: usize,
    /// Outputs for each local: two, or four with tails.
    n_kinds: usize,
    /// W₁, b₁, W₂, b₂, W₃, b₃, row-major.
    pub weights: Vec<f64>,
    input_mean: Vec<f64>,
    /// Reciprocal standard deviations; zero for constant inputs.
    input_scale: Vec<f64>,
}

/// What the backward pass needs of a forward pass, and its result.
#[derive(Clone, Debug, Default)]
pub struct Activation {
    n: usize,
    x: Vec<f64>,
    first: Vec<f64>,
    inner: Vec<f64>,
    second: Vec<f64>,
    /// ν of every local, then t, and with tails κ and λ.
    outputs: Vec<f64>,
}

impl Activation {
    /// Zero, with `n_kinds` outputs for each of `n` locals.
    pub fn clear(&mut self, n: usize, n_kinds: usize) {
        self.n = n;
        self.outputs.clear();
        self.outputs.resize(n * n_kinds, 0.0);
    }

    fn kind(&self, kind: usize) -> &[f64] {
        self.outputs.get(kind * self.n..(kind + 1) * self.n).unwrap_or_default()
    }

    /// ν.
    pub fn nu(&self) -> &[f64] {
        self.kind(0)
    }

    /// t.
    pub fn log_t(&self) -> &[f64] {
        self.kind(1)
    }

    /// κ, before what the branch's own derivatives add; empty without tails.
    pub fn skew(&self) -> &[f64] {
        self.kind(2)
    }

    /// λ, likewise.
    pub fn tail(&self) -> &[f64] {
        self.kind(3)
    }
}

impl Network {
    /// A network for inputs like those of the `examples` (one per branch), with or without tails.
    pub fn new(
        n_inputs: usize,
        n_local: usize,
        with_tails: bool,
        examples: &[Vec<f64>],
        seed: u64,
    ) -> Self {
        let n_hidden = (2 * n_local + 8).min(48);
        let n_kinds = if with_tails { 4 } else { 2 };
        let (h, i, o) = (n_hidden, n_inputs, n_kinds * n_local);
        let mut weights = vec![0.0; h * i + h + h * h + h + o * h + o];
        let mut stream = Stream::new(seed, Purpose::Initial, 0, 0, 0);
        for w in &mut weights[..h * i] {
            *w = stream.normal() / (i as f64).sqrt();
        }
        for w in &mut weights[h * i + h..h * i + h + h * h] {
            *w = stream.normal() / (h as f64).sqrt();
        }
        let (input_mean, input_scale) = statistics(n_inputs, examples);
        Self { n_inputs, n_hidden, n_local, n_kinds, weights, input_mean, input_scale }
    }

    /// Outputs for each local.
    pub fn n_kinds(&self) -> usize {
        self.n_kinds
    }

    fn n_outputs(&self) -> usize {
        self.n_kinds * self.n_local
    }

    /// The bound of an output.
    fn bound(&self, output: usize) -> f64 {
        if output < self.n_local { NU_BOUND } else { SHAPE_BOUND }
    }

    fn offsets(&self) -> [usize; 6] {
        let (h, i, o) = (self.n_hidden, self.n_inputs, self.n_outputs());
        let b1 = h * i;
        let w2 = b1 + h;
        let b2 = w2 + h * h;
        let w3 = b2 + h;
        [0, b1, w2, b2, w3, w3 + o * h]
    }

    /// The outputs of a branch; exactly zero for one that is not active, whose q is the prior.
    pub fn forward(&self, inputs: &[f64], active: bool, act: &mut Activation) {
        act.clear(self.n_local, self.n_kinds);
        if !active {
            return;
        }
        let [w1, b1, w2, b2, w3, b3] = self.offsets();
        let (w, h, i) = (&self.weights, self.n_hidden, self.n_inputs);
        act.x.clear();
        act.x.extend((0..i).map(|k| {
            let x = (inputs[k] - self.input_mean[k]) * self.input_scale[k];
            if x.is_finite() { x.clamp(-INPUT_BOUND, INPUT_BOUND) } else { 0.0 }
        }));
        act.first.clear();
        for k in 0..h {
            act.first.push((w[b1 + k] + dot(&w[w1 + k * i..w1 + k * i + i], &act.x)).tanh());
        }
        act.inner.clear();
        for k in 0..h {
            act.inner.push((w[b2 + k] + dot(&w[w2 + k * h..w2 + k * h + h], &act.first)).tanh());
        }
        act.second.clear();
        act.second.extend(act.first.iter().zip(&act.inner).map(|(a, b)| a + b));
        for k in 0..self.n_outputs() {
            let o = w[b3 + k] + dot(&w[w3 + k * h..w3 + k * h + h], &act.second);
            act.outputs[k] = self.bound(k) * (o / self.bound(k)).tanh();
        }
    }

    /// Adds the gradient in the weights to `gradient`, given the adjoints of the outputs.
    pub fn backward(&self, act: &Activation, adjoint: &[f64], gradient: &mut [f64]) {
        let [w1, b1, w2, b2, w3, b3] = self.offsets();
        let (w, h, i) = (&self.weights, self.n_hidden, self.n_inputs);
        let mut second = vec![0.0; h];
        for (k, adjoint) in adjoint.iter().enumerate() {
            let adjoint = adjoint * (1.0 - (act.outputs[k] / self.bound(k)).powi(2));
            gradient[b3 + k] += adjoint;
            axpy(adjoint, &act.second, &mut gradient[w3 + k * h..w3 + k * h + h]);
            axpy(adjoint, &w[w3 + k * h..w3 + k * h + h], &mut second);
        }
        let mut first = second.clone();
        for k in 0..h {
            let adjoint = second[k] * (1.0 - act.inner[k] * act.inner[k]);
            gradient[b2 + k] += adjoint;
            axpy(adjoint, &act.first, &mut gradient[w2 + k * h..w2 + k * h + h]);
            axpy(adjoint, &w[w2 + k * h..w2 + k * h + h], &mut first);
        }
        for k in 0..h {
            let adjoint = first[k] * (1.0 - act.first[k] * act.first[k]);
            gradient[b1 + k] += adjoint;
            axpy(adjoint, &act.x, &mut gradient[w1 + k * i..w1 + k * i + i]);
        }
    }
}

/// Means and reciprocal standard deviations; constants get zero and so drop out.
pub fn statistics(n_inputs: usize, examples: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let mut mean = vec![0.0; n_inputs];
    let mut scale = vec![0.0; n_inputs];
    for k in 0..n_inputs {
        let column = || examples.iter().map(|x| x[k]).filter(|x| x.is_finite());
        let count = column().count().max(1) as f64;
        mean[k] = column().sum::<f64>() / count;
        let sd = (column().map(|x| (x - mean[k]).powi(2)).sum::<f64>() / count).sqrt();
        if sd > 1e-8 * (1.0 + mean[k].abs()) {
            scale[k] = 1.0 / sd;
        }
    }
    (mean, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> (Network, Vec<f64>) {
        let examples = vec![vec![1.0, -2.0, 5.0], vec![2.0, 0.5, 5.0], vec![-1.0, 3.0, 5.0]];
        (Network::new(3, 2, true, &examples, 1), vec![0.4, 1.3, 5.0])
    }

    #[test]
    fn it_starts_at_zero_and_stays_there_without_rows() {
        let (mut network, inputs) = network();
        let mut act = Activation::default();
        network.forward(&inputs, true, &mut act);
        assert_eq!(act.outputs, [0.0; 8]);
        network.weights.fill(1.0);
        network.forward(&inputs, false, &mut act);
        assert_eq!(act.outputs, [0.0; 8]);
    }

    #[test]
    fn its_gradient_is_the_central_difference() {
        let (mut network, inputs) = network();
        Stream::new(2, Purpose::Initial, 0, 0, 0).normals(&mut network.weights);
        network.weights.iter_mut().for_each(|w| *w *= 0.3);
        let adjoint = [0.7, -0.2, 0.3, 1.1, -0.6, 0.1, 0.9, -1.4];
        let value = |network: &Network| {
            let mut act = Activation::default();
            network.forward(&inputs, true, &mut act);
            dot(&act.outputs, &adjoint)
        };
        let mut act = Activation::default();
        network.forward(&inputs, true, &mut act);
        let mut gradient = vec![0.0; network.weights.len()];
        network.backward(&act, &adjoint, &mut gradient);
        for (k, ours) in gradient.iter().enumerate() {
            let mut shifted = network.clone();
            shifted.weights[k] += 1e-5;
            let above = value(&shifted);
            shifted.weights[k] -= 2e-5;
            let slope = (above - value(&shifted)) / 2e-5;
            assert!((slope - ours).abs() < 1e-8, "{k}: {slope} {ours}");
        }
    }
}
