//! The published encoder (Agrawal and Domke, 2021): a network over the mean of learned features
//! of the rows, with the logarithm of their number beside it.
//!
//! ```text
//! e_j = feature_net(x_j)     raw = parameter_net([mean_j e_j, log n, branch-level data])
//! ```
//!
//! The last layer of the feature net is linear, so that it is applied to the mean of what comes
//! before it.
//!
//! The raw outputs are either the parameters (ν, B, L) of a linear conditional in whitened
//! coordinates, or a Gaussian site beside the prior: h = n a, H = n C Cᵀ with C lower.

use serde::{Deserialize, Serialize};

use super::Rows;
use super::mlp::{Activations, Mlp};
use super::real::{Real, add_scaled};
use crate::infer::linalg::dot;
use crate::random::Stream;

const HIDDEN: usize = 64;
const FEATURES: usize = 64;
/// Size of the last layer at the start.
const LAST_START: f64 = 0.01;

/// What the parameters describe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A site beside the prior: (h, H).
    Site,
    /// (ν, B, L), B of so many columns.
    Dense(usize),
    /// (ν, L).
    Block,
    /// (ν, diagonal of L).
    Diagonal,
}

/// Sizes of the encoder; its weights lie elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pooled {
    n_local: usize,
    form: Form,
    n_branch_inputs: usize,
    feature_net: Mlp,
    parameter_net: Mlp,
}

/// What the backward pass needs.
#[derive(Clone, Debug, Default)]
pub struct Tape<F> {
    hidden: Activations<F>,
    features: Activations<F>,
    parameters: Activations<F>,
    /// Outputs of the parameter net.
    raw: Vec<f64>,
}

impl Pooled {
    /// For rows of `width` inputs and branches of `n_branch_inputs`, log n the first of them.
    pub fn new(width: usize, n_branch_inputs: usize, n_local: usize, form: Form) -> Self {
        let n_raw = match form {
            Form::Site | Form::Block => n_local + n_local * (n_local + 1) / 2,
            Form::Dense(n_global) => n_local * (1 + n_global) + n_local * (n_local + 1) / 2,
            Form::Diagonal => 2 * n_local,
        };
        Self {
            n_local,
            form,
            n_branch_inputs,
            feature_net: Mlp::new(vec![width, HIDDEN, HIDDEN, FEATURES]),
            parameter_net: Mlp::new(vec![FEATURES + n_branch_inputs, HIDDEN, HIDDEN, n_raw]),
        }
    }

    /// Number of weights.
    pub fn n_weights(&self) -> usize {
        self.feature_net.n_weights() + self.parameter_net.n_weights()
    }

    /// Number of parameters of a branch.
    pub fn n_outputs(&self) -> usize {
        let n = self.n_local;
        match self.form {
            Form::Dense(n_global) => n * (1 + n_global + n),
            Form::Site | Form::Block => n + n * n,
            Form::Diagonal => 2 * n,
        }
    }

    /// At the start all branches have nearly the same parameters: L the identity, or H that
    /// for the average number of rows.
    pub fn start(&self, n_rows: f64, stream: &mut Stream, weights: &mut [f64]) {
        let (features, parameters) = weights.split_at_mut(self.feature_net.n_weights());
        self.feature_net.start(stream, 1.0, features);
        self.parameter_net.start(stream, LAST_START, parameters);
        if self.form == Form::Site {
            let n = self.n_local;
            let diagonal = 1.0 / n_rows.max(1.0).sqrt();
            let biases = self.parameter_net.last_biases(parameters);
            (0..n).for_each(|i| biases[n + i * (i + 1) / 2 + i] = diagonal);
        }
    }

    /// Sets `out` to the parameters of each branch. `of_branch` are the standardised inputs of
    /// branches.
    pub fn forward<F: Real>(
        &self,
        weights: &[f64],
        rows: &Rows<'_, F>,
        of_branch: &[f64],
        tape: &mut Tape<F>,
        out: &mut Vec<f64>,
    ) {
        let n_branches = rows.ends.len();
        let (first, last) = self.feature_net.split_last();
        let (of_features, of_parameters) = weights.split_at(self.feature_net.n_weights());
        let (of_first, of_last) = of_features.split_at(first.n_weights());
        tape.hidden.inputs(rows.n_distinct).extend_from_slice(rows.inputs);
        first.forward(of_first, &mut tape.hidden);
        let (means, hidden) = (tape.features.inputs(n_branches), tape.hidden.outputs());
        for places in rows.branches() {
            let start = means.len();
            means.resize(start + HIDDEN, F::of(0.0));
            let weight = F::of(1.0 / places.len().max(1) as f64);
            for row in places {
                add_scaled(weight, &hidden[vector(*row)], &mut means[start..]);
            }
        }
        last.forward(of_last, &mut tape.features);
        let features = tape.features.outputs().chunks_exact(FEATURES);
        let pooled = tape.parameters.inputs(n_branches);
        for (features, own) in features.zip(of_branch.chunks_exact(self.n_branch_inputs)) {
            pooled.extend_from_slice(features);
            pooled.extend(own.iter().map(|&x| F::of(x)));
        }
        self.parameter_net.forward(of_parameters, &mut tape.parameters);
        tape.raw.clear();
        tape.raw.extend(tape.parameters.outputs().iter().map(|x| x.to_f64()));
        out.clear();
        for (raw, places) in self.raw(tape).zip(rows.branches()) {
            self.finish(raw, places.len() as f64, out);
        }
    }

    fn raw<'a, F>(&self, tape: &'a Tape<F>) -> std::slice::ChunksExact<'a, f64> {
        let n_raw = match self.form {
            Form::Diagonal => 2 * self.n_local,
            _ => self.n_outputs() - self.n_local * (self.n_local - 1) / 2,
        };
        tape.raw.chunks_exact(n_raw.max(1))
    }

    /// Appends the parameters behind raw outputs.
    fn finish(&self, raw: &[f64], n_rows: f64, out: &mut Vec<f64>) {
        let n = self.n_local;
        match self.form {
            Form::Site => {
                out.extend(raw[..n].iter().map(|a| n_rows * a));
                let c = &raw[n..];
                for i in 0..n {
                    for j in 0..n {
                        let shared = i.min(j) + 1;
                        out.push(n_rows * dot(&row(c, i)[..shared], &row(c, j)[..shared]));
                    }
                }
            }
            Form::Diagonal => {
                out.extend_from_slice(&raw[..n]);
                out.extend(raw[n..].iter().map(|x| x.exp()));
            }
            Form::Dense(_) | Form::Block => {
                let before = raw.len() - n * (n + 1) / 2;
                out.extend_from_slice(&raw[..before]);
                for i in 0..n {
                    let own = row(&raw[before..], i);
                    out.extend_from_slice(&own[..i]);
                    out.push(own[i].exp());
                    out.extend((i + 1..n).map(|_| 0.0));
                }
            }
        }
    }

    /// The adjoint of raw outputs, appended to `out`, given that of the parameters: every entry
    /// of H a variable of its own, the diagonal of L through its logarithm.
    fn finish_adjoint(&self, raw: &[f64], n_rows: f64, adjoint: &[f64], out: &mut Vec<f64>) {
        let n = self.n_local;
        match self.form {
            Form::Site => {
                out.extend(adjoint[..n].iter().map(|a| n_rows * a));
                let (c, h) = (&raw[n..], &adjoint[n..]);
                for i in 0..n {
                    for k in 0..=i {
                        let of = |j: usize| (h[i * n + j] + h[j * n + i]) * row(c, j)[k];
                        out.push(n_rows * (k..n).map(of).sum::<f64>());
                    }
                }
            }
            Form::Diagonal => out.extend_from_slice(adjoint),
            Form::Dense(_) | Form::Block => {
                let before = adjoint.len() - n * n;
                out.extend_from_slice(&adjoint[..before]);
                for i in 0..n {
                    out.extend_from_slice(&adjoint[before + i * n..=before + i * n + i]);
                }
            }
        }
    }

    /// Adds the gradient in the weights, given the adjoint of each branch's parameters; returns
    /// the adjoint of the inputs of rows, empty unless `wanted`.
    pub fn backward<F: Real>(
        &self,
        weights: &[f64],
        rows: &Rows<'_, F>,
        tape: &Tape<F>,
        adjoint: &[f64],
        gradient: &mut [f64],
        wanted: bool,
    ) -> Vec<F> {
        let (first, last) = self.feature_net.split_last();
        let (of_features, of_parameters) = weights.split_at(self.feature_net.n_weights());
        let (of_first, of_last) = of_features.split_at(first.n_weights());
        let (features, parameters) = gradient.split_at_mut(self.feature_net.n_weights());
        let (own_of_first, own_of_last) = features.split_at_mut(first.n_weights());
        let mut raw_adjoint = Vec::with_capacity(tape.raw.len());
        let adjoints = adjoint.chunks_exact(self.n_outputs());
        for ((raw, places), adjoint) in self.raw(tape).zip(rows.branches()).zip(adjoints) {
            self.finish_adjoint(raw, places.len() as f64, adjoint, &mut raw_adjoint);
        }
        let raw_adjoint: Vec<F> = raw_adjoint.iter().map(|&x| F::of(x)).collect();
        let (net, act) = (&self.parameter_net, &tape.parameters);
        let pooled = net.backward(of_parameters, act, &raw_adjoint, parameters, true);
        let width = FEATURES + self.n_branch_inputs;
        let of_features = pooled.chunks_exact(width).flat_map(|own| &own[..FEATURES]);
        let of_features: Vec<F> = of_features.copied().collect();
        let means = last.backward(of_last, &tape.features, &of_features, own_of_last, true);
        let mut hidden = vec![F::of(0.0); rows.n_distinct * HIDDEN];
        for (places, mean) in rows.branches().zip(means.chunks_exact(HIDDEN)) {
            let weight = F::of(1.0 / places.len().max(1) as f64);
            for row in places {
                add_scaled(weight, mean, &mut hidden[vector(*row)]);
            }
        }
        first.backward(of_first, &tape.hidden, &hidden, own_of_first, wanted)
    }
}

/// Where the hidden units of a row lie.
fn vector(row: u32) -> std::ops::Range<usize> {
    row as usize * HIDDEN..(row as usize + 1) * HIDDEN
}

/// Row i of a lower triangle stored row by row.
fn row(triangle: &[f64], i: usize) -> &[f64] {
    let start = i * (i + 1) / 2;
    &triangle[start..start + i + 1]
}
