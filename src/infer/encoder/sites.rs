//! Sites: every row contributes Gaussian factors in whitened coordinates u, and they multiply.
//!
//! ```text
//! (w_k, t_k) = A (x, 1) + net(x)       H = Σ_j Σ_k w_k w_kᵀ       h = Σ_j Σ_k w_k t_k
//! ```
//!
//! x are the inputs of a row, its outcome among them. H is positive definite by construction, and
//! linear Gaussian rows are exact with w = x, t = y.

use ndarray::linalg::general_mat_mul;
use serde::{Deserialize, Serialize};

use super::mlp::{Activations, Mlp, matrix, matrix_mut};
use crate::infer::linalg::axpy;
use crate::random::Stream;

/// Factors of one row.
const FACTORS: usize = 2;
const HIDDEN: usize = 32;
/// Size of the net's last layer at the start, relative to that of the linear part.
const NET_START: f64 = 0.1;

/// Sizes of the encoder; its weights lie elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sites {
    n_local: usize,
    linear: Mlp,
    net: Mlp,
}

/// What the backward pass needs.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    linear: Activations,
    net: Activations,
    /// (w, t), one row for each factor of each row.
    factors: Vec<f64>,
}

impl Sites {
    /// For rows of `width` inputs.
    pub fn new(width: usize, n_local: usize) -> Self {
        let n_outputs = FACTORS * (n_local + 1);
        Self {
            n_local,
            linear: Mlp::new(vec![width, n_outputs]),
            net: Mlp::new(vec![width, HIDDEN, HIDDEN, n_outputs]),
        }
    }

    /// Number of weights.
    pub fn n_weights(&self) -> usize {
        self.linear.n_weights() + self.net.n_weights()
    }

    /// At the start a branch of `n_rows` rows, the average, has H near the identity.
    pub fn start(&self, n_rows: f64, stream: &mut Stream, weights: &mut [f64]) {
        let size = 1.0 / (FACTORS as f64 * n_rows.max(1.0)).sqrt();
        let (linear, net) = weights.split_at_mut(self.linear.n_weights());
        self.linear.start(stream, size, linear);
        self.net.start(stream, NET_START * size, net);
    }

    /// Sets `out` to (h, H) of each branch. `inputs` holds all their rows, `ends` where each
    /// branch's rows end.
    pub fn forward(
        &self,
        weights: &[f64],
        inputs: &[f64],
        ends: &[usize],
        tape: &mut Tape,
        out: &mut Vec<f64>,
    ) {
        let n_rows = ends.last().copied().unwrap_or(0);
        let (of_linear, of_net) = weights.split_at(self.linear.n_weights());
        tape.linear.inputs(n_rows).extend_from_slice(inputs);
        tape.net.inputs(n_rows).extend_from_slice(inputs);
        self.linear.forward(of_linear, &mut tape.linear);
        self.net.forward(of_net, &mut tape.net);
        tape.factors.clear();
        tape.factors.extend_from_slice(tape.linear.outputs());
        axpy(1.0, tape.net.outputs(), &mut tape.factors);
        let (n, m) = (self.n_local, self.n_local + 1);
        let mut product = vec![0.0; m * m];
        out.clear();
        let mut start = 0;
        for &end in ends {
            let count = FACTORS * (end - start);
            let own = &tape.factors[FACTORS * start * m..FACTORS * end * m];
            let own = matrix(own, count, m);
            general_mat_mul(1.0, &own.t(), &own, 0.0, &mut matrix_mut(&mut product, m, m));
            out.extend_from_slice(&product[n * m..n * m + n]);
            (0..n).for_each(|i| out.extend_from_slice(&product[i * m..i * m + n]));
            start = end;
        }
    }

    /// Adds the gradient in the weights, given the adjoint of (h, H) of each branch, every entry
    /// of H a variable of its own; returns the adjoint of the inputs.
    pub fn backward(
        &self,
        weights: &[f64],
        ends: &[usize],
        tape: &Tape,
        adjoint: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let (n, m) = (self.n_local, self.n_local + 1);
        let mut factors = vec![0.0; tape.factors.len()];
        let mut mixing = vec![0.0; m * m];
        let mut start = 0;
        for (&end, adjoint) in ends.iter().zip(adjoint.chunks_exact(n + n * n)) {
            let (h, precision) = adjoint.split_at(n);
            for i in 0..n {
                for j in 0..n {
                    mixing[i * m + j] = precision[i * n + j] + precision[j * n + i];
                }
                mixing[i * m + n] = h[i];
                mixing[n * m + i] = h[i];
            }
            let count = FACTORS * (end - start);
            let place = FACTORS * start * m..FACTORS * end * m;
            let own = matrix(&tape.factors[place.clone()], count, m);
            let mut out = matrix_mut(&mut factors[place], count, m);
            general_mat_mul(1.0, &own, &matrix(&mixing, m, m), 0.0, &mut out);
            start = end;
        }
        let (of_linear, of_net) = weights.split_at(self.linear.n_weights());
        let (linear, net) = gradient.split_at_mut(self.linear.n_weights());
        let mut inputs = self.net.backward(of_net, &tape.net, factors.clone(), net);
        let by_linear = self.linear.backward(of_linear, &tape.linear, factors, linear);
        axpy(1.0, &by_linear, &mut inputs);
        inputs
    }
}
