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

use super::Rows;
use super::mlp::{Activations, Mlp, matrix, matrix_mut};
use super::real::{Real, add_scaled};
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
pub struct Tape<F> {
    linear: Activations<F>,
    net: Activations<F>,
    /// (w, t), one row for each factor of each row.
    factors: Vec<F>,
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

    /// Sets `out` to (h, H) of each branch.
    pub fn forward<F: Real>(
        &self,
        weights: &[f64],
        rows: &Rows<'_, F>,
        tape: &mut Tape<F>,
        out: &mut Vec<f64>,
    ) {
        let (of_linear, of_net) = weights.split_at(self.linear.n_weights());
        tape.linear.inputs(rows.n_distinct).extend_from_slice(rows.inputs);
        tape.net.inputs(rows.n_distinct).extend_from_slice(rows.inputs);
        self.linear.forward(of_linear, &mut tape.linear);
        self.net.forward(of_net, &mut tape.net);
        tape.factors.clear();
        tape.factors.extend_from_slice(tape.linear.outputs());
        add_scaled(F::of(1.0), tape.net.outputs(), &mut tape.factors);
        let (n, m) = (self.n_local, self.n_local + 1);
        let mut product = vec![0.0; m * m];
        out.clear();
        for places in rows.branches() {
            let own = factors_of(places, &tape.factors, m);
            let own = matrix(&own, FACTORS * places.len(), m);
            general_mat_mul(1.0, &own.t(), &own, 0.0, &mut matrix_mut(&mut product, m, m));
            out.extend_from_slice(&product[n * m..n * m + n]);
            (0..n).for_each(|i| out.extend_from_slice(&product[i * m..i * m + n]));
        }
    }

    /// Adds the gradient in the weights, given the adjoint of (h, H) of each branch, every entry
    /// of H a variable of its own; returns the adjoint of the inputs, empty unless `wanted`.
    pub fn backward<F: Real>(
        &self,
        weights: &[f64],
        rows: &Rows<'_, F>,
        tape: &Tape<F>,
        adjoint: &[f64],
        gradient: &mut [f64],
        wanted: bool,
    ) -> Vec<F> {
        let (n, m) = (self.n_local, self.n_local + 1);
        let mut factors = vec![F::of(0.0); tape.factors.len()];
        let mut mixing = vec![0.0; m * m];
        let mut out = vec![];
        for (places, adjoint) in rows.branches().zip(adjoint.chunks_exact(n + n * n)) {
            let (h, precision) = adjoint.split_at(n);
            for i in 0..n {
                for j in 0..n {
                    mixing[i * m + j] = precision[i * n + j] + precision[j * n + i];
                }
                mixing[i * m + n] = h[i];
                mixing[n * m + i] = h[i];
            }
            let count = FACTORS * places.len();
            let own = factors_of(places, &tape.factors, m);
            out.resize(count * m, 0.0);
            let mut product = matrix_mut(&mut out, count, m);
            general_mat_mul(
                1.0,
                &matrix(&own, count, m),
                &matrix(&mixing, m, m),
                0.0,
                &mut product,
            );
            for (&row, own) in places.iter().zip(out.chunks_exact(FACTORS * m)) {
                let sum = factors[factors_at(row, m)].iter_mut();
                sum.zip(own).for_each(|(sum, &own)| *sum = *sum + F::of(own));
            }
        }
        let (of_linear, of_net) = weights.split_at(self.linear.n_weights());
        let (linear, net) = gradient.split_at_mut(self.linear.n_weights());
        let mut inputs = self.net.backward(of_net, &tape.net, &factors, net, wanted);
        let by_linear = self.linear.backward(of_linear, &tape.linear, &factors, linear, wanted);
        add_scaled(F::of(1.0), &by_linear, &mut inputs);
        inputs
    }
}

/// Where the factors of a row lie.
fn factors_at(row: u32, m: usize) -> std::ops::Range<usize> {
    FACTORS * m * row as usize..FACTORS * m * (row as usize + 1)
}

/// The factors of the rows of a branch.
fn factors_of<F: Real>(places: &[u32], factors: &[F], m: usize) -> Vec<f64> {
    let own = places.iter().flat_map(|&row| &factors[factors_at(row, m)]);
    own.map(|x| x.to_f64()).collect()
}
