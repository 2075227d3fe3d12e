//! Fully connected networks over many rows at once, with their backward pass.
//!
//! Layers are products of dense matrices, hidden ones followed by a leaky rectifier. Weights lie
//! in a slice that the caller owns: of each layer W (inputs × outputs, row-major), then b. They and
//! their gradient are `f64`; what passes through the layers is of a type of the caller's choice.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::real::{Real, add_scaled};
use crate::random::Stream;

/// Slope of the rectifier below zero.
const LEAK: f64 = 0.1;
/// Rows that pass through all layers together, so that they stay in the caches.
const TILE: usize = 512;

/// The sizes of a network's layers: inputs, hidden ones, outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mlp {
    sizes: Vec<usize>,
    /// Whether outputs pass a rectifier, as hidden layers do.
    #[serde(default, skip_serializing)]
    rectified: bool,
}

/// What a forward pass leaves: inputs, hidden layers and outputs, one row each.
#[derive(Clone, Debug, Default)]
pub struct Activations<F> {
    layers: Vec<Vec<F>>,
    n_rows: usize,
}

impl<F: Real> Activations<F> {
    /// The inputs, to be filled before a forward pass over `n_rows` rows.
    pub fn inputs(&mut self, n_rows: usize) -> &mut Vec<F> {
        self.n_rows = n_rows;
        if self.layers.is_empty() {
            self.layers.push(vec![]);
        }
        self.layers[0].clear();
        &mut self.layers[0]
    }

    /// The outputs of the last forward pass.
    pub fn outputs(&self) -> &[F] {
        self.layers.last().map_or(&[], Vec::as_slice)
    }
}

impl Mlp {
    /// A network of these layers, at least inputs and outputs.
    pub fn new(sizes: Vec<usize>) -> Self {
        Self { sizes, rectified: false }
    }

    /// All layers but the last, whose weights come first, and the last.
    pub fn split_last(&self) -> (Mlp, Mlp) {
        let n = self.sizes.len();
        let first = Mlp { sizes: self.sizes[..n - 1].to_vec(), rectified: true };
        (first, Mlp { sizes: self.sizes[n - 2..].to_vec(), rectified: self.rectified })
    }

    /// Number of weights.
    pub fn n_weights(&self) -> usize {
        self.sizes.windows(2).map(|pair| pair[0] * pair[1] + pair[1]).sum()
    }

    /// Random weights that keep the size of what passes, those of the last layer times `last`;
    /// no biases.
    pub fn start(&self, stream: &mut Stream, last: f64, weights: &mut [f64]) {
        weights.fill(0.0);
        let mut start = 0;
        for (layer, pair) in self.sizes.windows(2).enumerate() {
            let is_last = layer + 2 == self.sizes.len();
            let gain = if is_last { last } else { 2f64.sqrt() };
            let own = &mut weights[start..start + pair[0] * pair[1]];
            stream.normals(own);
            own.iter_mut().for_each(|w| *w *= gain / (pair[0].max(1) as f64).sqrt());
            start += pair[0] * pair[1] + pair[1];
        }
    }

    /// The biases of the last layer.
    pub fn last_biases<'a>(&self, weights: &'a mut [f64]) -> &'a mut [f64] {
        let n_outputs = self.sizes[self.sizes.len() - 1];
        let n = self.n_weights();
        &mut weights[n - n_outputs..n]
    }

    /// Computes outputs of the inputs in `act`.
    pub fn forward<F: Real>(&self, weights: &[f64], act: &mut Activations<F>) {
        let n = act.n_rows;
        act.layers.resize(self.sizes.len(), vec![]);
        for (values, &size) in act.layers.iter_mut().zip(&self.sizes) {
            values.resize(n * size, F::of(0.0));
        }
        let weights: Vec<F> = weights.iter().map(|&w| F::of(w)).collect();
        for first in (0..n).step_by(TILE) {
            let rows = first..n.min(first + TILE);
            let mut rest = &weights[..];
            for (layer, pair) in self.sizes.windows(2).enumerate() {
                let (i, o) = (pair[0], pair[1]);
                let (w, after) = rest.split_at(i * o);
                let (b, after) = after.split_at(o);
                rest = after;
                let (before, later) = act.layers.split_at_mut(layer + 1);
                let x = &before[layer][rows.start * i..rows.end * i];
                let out = &mut later[0][rows.start * o..rows.end * o];
                out.chunks_exact_mut(o.max(1)).for_each(|row| row.copy_from_slice(b));
                let (x, w) = (matrix(x, rows.len(), i), matrix(w, i, o));
                let one = F::of(1.0);
                general_mat_mul(one, &x, &w, one, &mut matrix_mut(out, rows.len(), o));
                if self.is_rectified(layer) {
                    F::rectify(F::of(LEAK), out);
                }
            }
        }
    }

    fn is_rectified(&self, layer: usize) -> bool {
        self.rectified || layer + 2 < self.sizes.len()
    }

    /// Adds the gradient in the weights to `gradient`, given the adjoint of the outputs;
    /// returns that of the inputs, empty unless they are `wanted`.
    pub fn backward<F: Real>(
        &self,
        weights: &[f64],
        act: &Activations<F>,
        outputs: &[F],
        gradient: &mut [f64],
        wanted: bool,
    ) -> Vec<F> {
        let (n, n_outputs) = (act.n_rows, self.sizes[self.sizes.len() - 1]);
        let weights: Vec<F> = weights[..self.n_weights()].iter().map(|&w| F::of(w)).collect();
        let mut own = vec![F::of(0.0); self.n_weights()];
        let mut inputs = vec![];
        for first in (0..n).step_by(TILE) {
            let rows = first..n.min(first + TILE);
            let adjoint = outputs[rows.start * n_outputs..rows.end * n_outputs].to_vec();
            let dx = self.backward_tile(&weights, act, rows, adjoint, &mut own, wanted);
            inputs.extend_from_slice(&dx);
        }
        gradient.iter_mut().zip(&own).for_each(|(sum, own)| *sum += own.to_f64());
        inputs
    }

    fn backward_tile<F: Real>(
        &self,
        weights: &[F],
        act: &Activations<F>,
        rows: std::ops::Range<usize>,
        mut adjoint: Vec<F>,
        gradient: &mut [F],
        wanted: bool,
    ) -> Vec<F> {
        let (n, one) = (rows.len(), F::of(1.0));
        let mut end = self.n_weights();
        for (layer, pair) in self.sizes.windows(2).enumerate().rev() {
            let (i, o) = (pair[0], pair[1]);
            let start = end - i * o - o;
            if self.is_rectified(layer) {
                let outputs = &act.layers[layer + 1][rows.start * o..rows.end * o];
                F::rectified_adjoint(F::of(LEAK), outputs, &mut adjoint);
            }
            let (dw, db) = gradient[start..end].split_at_mut(i * o);
            let x = matrix(&act.layers[layer][rows.start * i..rows.end * i], n, i);
            let dy = matrix(&adjoint, n, o);
            general_mat_mul(one, &x.t(), &dy, one, &mut matrix_mut(dw, i, o));
            adjoint.chunks_exact(o.max(1)).for_each(|row| add_scaled(one, row, db));
            if layer == 0 && !wanted {
                return vec![];
            }
            let mut dx = vec![F::of(0.0); n * i];
            let w = matrix(&weights[start..start + i * o], i, o);
            general_mat_mul(one, &dy, &w.t(), F::of(0.0), &mut matrix_mut(&mut dx, n, i));
            adjoint = dx;
            end = start;
        }
        adjoint
    }
}

/// A slice as a row-major matrix.
pub fn matrix<F>(values: &[F], rows: usize, columns: usize) -> ArrayView2<'_, F> {
    ArrayView2::from_shape((rows, columns), values).expect("a slice has rows × columns elements")
}

/// The same, to be written to.
pub fn matrix_mut<F>(values: &mut [F], rows: usize, columns: usize) -> ArrayViewMut2<'_, F> {
    ArrayViewMut2::from_shape((rows, columns), values).expect("a slice has rows × columns elements")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::linalg::dot;
    use crate::random::Purpose;

    #[test]
    fn its_gradient_is_the_central_difference() {
        let mlp = Mlp::new(vec![3, 5, 4, 2]);
        gradient_is_the_central_difference(&mlp, 2);
        gradient_is_the_central_difference(&mlp.split_last().0, 4);
    }

    #[test]
    fn layers_one_after_another_are_the_network_over_many_tiles_too() {
        let mlp = Mlp::new(vec![3, 5, 4, 2]);
        let (first, last) = mlp.split_last();
        let mut stream = Stream::new(5, Purpose::Initial, 0, 0, 0);
        let mut weights = vec![0.0; mlp.n_weights()];
        stream.normals(&mut weights);
        let n = 2 * TILE + 7;
        let mut x = vec![0.0; n * 3];
        stream.normals(&mut x);
        let (mut whole, mut hidden, mut outputs) = <(Activations<f64>, _, _)>::default();
        let run = |mlp: &Mlp, weights: &[f64], x: &[f64], act: &mut Activations<f64>| {
            act.inputs(n).extend_from_slice(x);
            mlp.forward(weights, act);
        };
        run(&mlp, &weights, &x, &mut whole);
        let (of_first, of_last) = weights.split_at(first.n_weights());
        run(&first, of_first, &x, &mut hidden);
        run(&last, of_last, hidden.outputs(), &mut outputs);
        assert_eq!(whole.outputs(), outputs.outputs());
        // Row by row, by hand.
        for row in [0, TILE, n - 1] {
            let mut values = x[row * 3..row * 3 + 3].to_vec();
            let mut rest = &weights[..];
            for (layer, pair) in [(3, 5), (5, 4), (4, 2)].into_iter().enumerate() {
                let (w, after) = rest.split_at(pair.0 * pair.1);
                let sum = |k: usize| {
                    let products = values.iter().enumerate().map(|(i, x)| x * w[i * pair.1 + k]);
                    after[k] + products.sum::<f64>()
                };
                let slope = |x: f64| if layer < 2 && x < 0.0 { LEAK * x } else { x };
                values = (0..pair.1).map(|k| slope(sum(k))).collect();
                rest = &after[pair.1..];
            }
            let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
            assert!(values.iter().zip(&whole.outputs()[row * 2..]).all(near), "{row}");
        }
    }

    fn gradient_is_the_central_difference(mlp: &Mlp, n_outputs: usize) {
        let mut stream = Stream::new(4, Purpose::Initial, 0, 0, 0);
        let mut weights = vec![0.0; mlp.n_weights()];
        mlp.start(&mut stream, 1.0, &mut weights);
        weights.iter_mut().for_each(|w| *w += 0.1 * stream.normal());
        let mut x = vec![0.0; 4 * 3];
        let mut adjoint = vec![0.0; 4 * n_outputs];
        stream.normals(&mut x);
        stream.normals(&mut adjoint);
        let value = |weights: &[f64], x: &[f64]| {
            let mut act = Activations::default();
            act.inputs(4).extend_from_slice(x);
            mlp.forward(weights, &mut act);
            dot(act.outputs(), &adjoint)
        };
        let mut act = Activations::default();
        act.inputs(4).extend_from_slice(&x);
        mlp.forward(&weights, &mut act);
        let mut gradient = vec![0.0; weights.len()];
        let dx = mlp.backward(&weights, &act, &adjoint, &mut gradient, true);
        let near = |f: &dyn Fn(f64) -> f64, ours: f64| {
            let slope = (f(1e-6) - f(-1e-6)) / 2e-6;
            assert!((slope - ours).abs() < 1e-7 * (1.0 + ours.abs()), "{slope} {ours}");
        };
        for k in 0..weights.len() {
            let moved = |h: f64| {
                let mut weights = weights.clone();
                weights[k] += h;
                value(&weights, &x)
            };
            near(&moved, gradient[k]);
        }
        for k in 0..x.len() {
            let moved = |h: f64| {
                let mut x = x.clone();
                x[k] += h;
                value(&weights, &x)
            };
            near(&moved, dx[k]);
        }
    }
}
