//! Encoders that read rows: from the data of a branch to the parameters of its q(zᵢ|θ).
//!
//! Branches are encoded in blocks, so that layers are products of matrices of many rows and rows
//! that are equal are read once; the adjoints of their parameters are collected and carried back
//! a block at a time.

mod distinct;
mod inputs;
mod mlp;
mod pooled;
mod real;
mod sites;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::distinct::Distinct;
use self::inputs::RowInputs;
pub use self::mlp::matrix;
pub use self::pooled::Form;
use self::pooled::Pooled;
pub use self::real::Real;
use self::sites::Sites;
use super::network::statistics;
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// Rows and branches that a block holds at most, but for one branch of more rows.
const BLOCK_ROWS: usize = 1 << 14;
const BLOCK_BRANCHES: usize = 64;
/// Standardised inputs of branches are cut here.
const BOUND: f64 = 5.0;

/// Weights, and the statistics that standardise what they are applied to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowEncoder {
    inputs: RowInputs,
    branch_mean: Vec<f64>,
    /// Reciprocal standard deviations; zero for constants.
    branch_scale: Vec<f64>,
    net: Net,
    /// Learned vectors of levels, then the network's weights.
    pub weights: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Net {
    Sites(Sites),
    Pooled(Pooled),
}

/// Which network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A sum over rows of Gaussian factors.
    Sites,
    /// A network over the mean of the rows' features.
    Pooled(Form),
}

/// Branches encoded together, by networks that work in `F`.
#[derive(Clone, Debug, Default)]
pub struct Block<F = f32> {
    branches: Vec<usize>,
    distinct: Distinct,
    inputs: Vec<F>,
    ends: Vec<usize>,
    of_branch: Vec<f64>,
    outputs: Vec<f64>,
    adjoint: Vec<f64>,
    sites: sites::Tape<F>,
    pooled: pooled::Tape<F>,
}

/// The rows of a block as networks read them.
struct Rows<'a, F> {
    n_distinct: usize,
    /// Of each distinct row.
    inputs: &'a [F],
    /// For each row of each branch the distinct row that it is.
    places: &'a [u32],
    /// Where the rows of each branch end.
    ends: &'a [usize],
}

impl<F> Rows<'_, F> {
    /// The distinct rows that the rows of each branch are.
    fn branches(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends).map(|(start, &end)| &self.places[start..end])
    }
}

impl<F> Block<F> {
    /// Where a branch stands in it.
    pub fn position(&self, branch: usize) -> Option<usize> {
        self.branches.iter().position(|&own| own == branch)
    }

    /// The parameters of a branch in it.
    pub fn of(&self, branch: usize) -> &[f64] {
        let position = self.position(branch).expect("the branch was encoded");
        let n = self.outputs.len() / self.branches.len();
        &self.outputs[position * n..(position + 1) * n]
    }

    /// The adjoint of the parameters of the branch at that position.
    pub fn adjoint_of(&mut self, position: usize) -> &mut [f64] {
        let n = self.adjoint.len() / self.branches.len().max(1);
        &mut self.adjoint[position * n..(position + 1) * n]
    }

    /// Whether there is anything to carry back.
    pub fn has_adjoint(&self) -> bool {
        self.adjoint.iter().any(|&x| x != 0.0)
    }
}

impl RowEncoder {
    /// An encoder for branches like the `examples`, with random weights. `None` where the
    /// target has no data to read.
    pub fn new<T: Target>(target: &T, examples: &[usize], kind: Kind, seed: u64) -> Option<Self> {
        let columns = target.row_columns();
        let mut raw = vec![];
        let mut rows = vec![];
        for &branch in examples {
            target.row_features(branch, &mut rows);
            raw.extend_from_slice(&rows);
        }
        if columns.is_empty() || raw.is_empty() {
            return None;
        }
        let n_rows = (raw.len() / columns.len()) as f64 / examples.len() as f64;
        let inputs = RowInputs::new(columns, &raw);
        let of_branches: Vec<Vec<f64>> =
            examples.iter().map(|&branch| branch_inputs(target, branch)).collect();
        let n_branch_inputs = of_branches[0].len();
        let (branch_mean, branch_scale) = statistics(n_branch_inputs, &of_branches);
        let (width, n_local) = (inputs.width(), target.n_local());
        let mut stream = Stream::new(seed, Purpose::Initial, 1, 0, 0);
        let start = inputs.n_weights();
        let mut weights = vec![0.0; start];
        inputs.start(&mut stream, &mut weights);
        let net = match kind {
            Kind::Sites => {
                let sites = Sites::new(width, n_local);
                weights.resize(start + sites.n_weights(), 0.0);
                sites.start(n_rows, &mut stream, &mut weights[start..]);
                Net::Sites(sites)
            }
            Kind::Pooled(form) => {
                let pooled = Pooled::new(width, n_branch_inputs, n_local, form);
                weights.resize(start + pooled.n_weights(), 0.0);
                pooled.start(n_rows, &mut stream, &mut weights[start..]);
                Net::Pooled(pooled)
            }
        };
        Some(Self { inputs, branch_mean, branch_scale, net, weights })
    }

    /// Encodes as many of `branches`, from the first on, as a block holds.
    pub fn encode<T: Target, F: Real>(&self, target: &T, branches: &[usize], block: &mut Block<F>) {
        let mut n_rows = 0;
        block.branches.clear();
        block.distinct.clear();
        block.ends.clear();
        block.of_branch.clear();
        let mut rows = vec![];
        for &branch in &branches[..branches.len().min(BLOCK_BRANCHES)] {
            let own = target.n_rows(branch);
            if n_rows > 0 && n_rows + own > BLOCK_ROWS {
                break;
            }
            n_rows += own;
            target.row_features(branch, &mut rows);
            block.branches.push(branch);
            block.distinct.add(&rows, target.row_columns().len());
            block.ends.push(n_rows);
            self.standardise(&branch_inputs(target, branch), &mut block.of_branch);
        }
        let (vectors, weights) = self.weights.split_at(self.inputs.n_weights());
        block.inputs.clear();
        self.inputs.read(vectors, &block.distinct.rows, &mut block.inputs);
        let Block { distinct, inputs, ends, of_branch, outputs, sites, pooled, .. } = block;
        let rows = self.rows(distinct, inputs, ends);
        match &self.net {
            Net::Sites(net) => net.forward(weights, &rows, sites, outputs),
            Net::Pooled(net) => net.forward(weights, &rows, of_branch, pooled, outputs),
        }
        block.adjoint.clear();
        block.adjoint.resize(block.outputs.len(), 0.0);
    }

    fn rows<'a, F>(
        &self,
        distinct: &'a Distinct,
        inputs: &'a [F],
        ends: &'a [usize],
    ) -> Rows<'a, F> {
        let n_distinct = distinct.rows.len() / self.inputs.n_raw();
        Rows { n_distinct, inputs, places: &distinct.places, ends }
    }

    fn standardise(&self, inputs: &[f64], out: &mut Vec<f64>) {
        out.extend(inputs.iter().enumerate().map(|(k, x)| {
            let x = (x - self.branch_mean[k]) * self.branch_scale[k];
            if x.is_finite() { x.clamp(-BOUND, BOUND) } else { 0.0 }
        }));
    }

    /// Adds the gradient in the weights to `gradient`, given the block's adjoint.
    pub fn backward<F: Real>(&self, block: &Block<F>, gradient: &mut [f64]) {
        let start = self.inputs.n_weights();
        let weights = &self.weights[start..];
        let (vectors, of_net) = gradient.split_at_mut(start);
        let Block { distinct, inputs, ends, adjoint, sites, pooled, .. } = block;
        let rows = self.rows(distinct, inputs, ends);
        let wanted = start > 0;
        let inputs = match &self.net {
            Net::Sites(net) => net.backward(weights, &rows, sites, adjoint, of_net, wanted),
            Net::Pooled(net) => net.backward(weights, &rows, pooled, adjoint, of_net, wanted),
        };
        self.inputs.backward(&distinct.rows, &inputs, vectors);
    }
}

/// log(rows + 1), then the branch's own data.
fn branch_inputs<T: Target>(target: &T, branch: usize) -> Vec<f64> {
    let mut inputs = vec![(target.n_rows(branch) as f64 + 1.0).ln()];
    inputs.extend(target.branch_features(branch));
    inputs
}
