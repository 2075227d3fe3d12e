//! Fully connected networks over many rows at once, with their backward pass.
//!
//! Layers are products of dense matrices, hidden ones followed by a leaky rectifier. Weights lie
//! in a slice that the caller owns: of each layer W (inputs × outputs, row-major), then b.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use crate::infer::linalg::axpy;
use crate::random::Stream;

/// Slope of the rectifier below zero.
const LEAK: f64 = 0.1;

/// The sizes of a network's layers: inputs, hidden ones, outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mlp {
    sizes: Vec<usize>,
}

/// What a forward pass leaves: inputs, hidden layers and outputs, one row each.
#[derive(Clone, Debug, Default)]
pub struct Activations {
    layers: Vec<Vec<f64>>,
    n_rows: usize,
}

impl Activations {
    /// The inputs, to be filled before a forward pass over `n_rows` rows.
    pub fn inputs(&mut self, n_rows: usize) -> &mut Vec<f64> {
        self.n_rows = n_rows;
        if self.layers.is_empty() {
            self.layers.push(vec![]);
        }
        self.layers[0].clear();
        &mut self.layers[0]
    }

    /// The outputs of the last forward pass.
    pub fn outputs(&self) -> &[f64] {
        self.layers.last().map_or(&[], Vec::as_slice)
    }
}

impl Mlp {
    /// A network of these layers, at least inputs and outputs.
    pub fn new(sizes: Vec<usize>) -> Self {
        Self { sizes }
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
    pub fn forward(&self, weights: &[f64], act: &mut Activations) {
        let n = act.n_rows;
        act.layers.resize(self.sizes.len(), vec![]);
        let mut rest = weights;
        for (layer, pair) in self.sizes.windows(2).enumerate() {
            let (i, o) = (pair[0], pair[1]);
            let (w, after) = rest.split_at(i * o);
            let (b, after) = after.split_at(o);
            rest = after;
            let (before, later) = act.layers.split_at_mut(layer + 1);
            let out = &mut later[0];
            out.clear();
            (0..n).for_each(|_| out.extend_from_slice(b));
            let mut product = matrix_mut(out, n, o);
            general_mat_mul(
                1.0,
                &matrix(&before[layer], n, i),
                &matrix(w, i, o),
                1.0,
                &mut product,
            );
            if layer + 2 < self.sizes.len() {
                out.iter_mut().for_each(|x| *x = if *x > 0.0 { *x } else { LEAK * *x });
            }
        }
    }

    /// Adds the gradient in the weights to `gradient`, given the adjoint of the outputs;
    /// returns that of the inputs.
    pub fn backward(
        &self,
        weights: &[f64],
        act: &Activations,
        outputs: Vec<f64>,
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let n = act.n_rows;
        let mut adjoint = outputs;
        let mut end = self.n_weights();
        for (layer, pair) in self.sizes.windows(2).enumerate().rev() {
            let (i, o) = (pair[0], pair[1]);
            let start = end - i * o - o;
            let own = &mut gradient[start..end];
            let (dw, db) = own.split_at_mut(i * o);
            let x = matrix(&act.layers[layer], n, i);
            let dy = matrix(&adjoint, n, o);
            general_mat_mul(1.0, &x.t(), &dy, 1.0, &mut matrix_mut(dw, i, o));
            adjoint.chunks_exact(o.max(1)).for_each(|row| axpy(1.0, row, db));
            let mut dx = vec![0.0; n * i];
            let w = matrix(&weights[start..start + i * o], i, o);
            general_mat_mul(1.0, &dy, &w.t(), 0.0, &mut matrix_mut(&mut dx, n, i));
            if layer > 0 {
                for (dx, x) in dx.iter_mut().zip(&act.layers[layer]) {
                    if *x <= 0.0 {
                        *dx *= LEAK;
                    }
                }
            }
            adjoint = dx;
            end = start;
        }
        adjoint
    }
}

/// A slice as a row-major matrix.
pub fn matrix(values: &[f64], rows: usize, columns: usize) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((rows, columns), values).expect("a slice has rows × columns elements")
}

/// The same, to be written to.
pub fn matrix_mut(values: &mut [f64], rows: usize, columns: usize) -> ArrayViewMut2<'_, f64> {
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
        let mut stream = Stream::new(4, Purpose::Initial, 0, 0, 0);
        let mut weights = vec![0.0; mlp.n_weights()];
        mlp.start(&mut stream, 1.0, &mut weights);
        weights.iter_mut().for_each(|w| *w += 0.1 * stream.normal());
        let mut x = vec![0.0; 4 * 3];
        let mut adjoint = vec![0.0; 4 * 2];
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
        let dx = mlp.backward(&weights, &act, adjoint.clone(), &mut gradient);
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
