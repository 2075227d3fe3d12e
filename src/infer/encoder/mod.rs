//! Encoders that read rows: from the data of a branch to the parameters of its q(zᵢ|θ).
//!
//! Branches are encoded in blocks, so that layers are products of matrices of many rows; the
//! adjoints of their parameters are collected and carried back a block at a time.

mod inputs;
mod mlp;
mod pooled;
mod sites;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::inputs::RowInputs;
pub use self::mlp::matrix;
pub use self::pooled::Form;
use self::pooled::Pooled;
use self::sites::Sites;
use super::network::statistics;
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// Rows and branches that a block holds at most, but for one branch of more rows.
const BLOCK_ROWS: usize = 2048;
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

/// Branches encoded together.
#[derive(Clone, Debug, Default)]
pub struct Block {
    branches: Vec<usize>,
    raw: Vec<f64>,
    inputs: Vec<f64>,
    ends: Vec<usize>,
    of_branch: Vec<f64>,
    outputs: Vec<f64>,
    adjoint: Vec<f64>,
    sites: sites::Tape,
    pooled: pooled::Tape,
}

impl Block {
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
    pub fn encode<T: Target>(&self, target: &T, branches: &[usize], block: &mut Block) {
        let mut n_rows = 0;
        block.branches.clear();
        block.raw.clear();
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
            block.raw.extend_from_slice(&rows);
            block.ends.push(n_rows);
            self.standardise(&branch_inputs(target, branch), &mut block.of_branch);
        }
        let (vectors, weights) = self.weights.split_at(self.inputs.n_weights());
        block.inputs.clear();
        self.inputs.read(vectors, &block.raw, &mut block.inputs);
        let Block { inputs, ends, of_branch, outputs, sites, pooled, .. } = block;
        match &self.net {
            Net::Sites(net) => net.forward(weights, inputs, ends, sites, outputs),
            Net::Pooled(net) => net.forward(weights, inputs, ends, of_branch, pooled, outputs),
        }
        block.adjoint.clear();
        block.adjoint.resize(block.outputs.len(), 0.0);
    }

    fn standardise(&self, inputs: &[f64], out: &mut Vec<f64>) {
        out.extend(inputs.iter().enumerate().map(|(k, x)| {
            let x = (x - self.branch_mean[k]) * self.branch_scale[k];
            if x.is_finite() { x.clamp(-BOUND, BOUND) } else { 0.0 }
        }));
    }

    /// Adds the gradient in the weights to `gradient`, given the block's adjoint.
    pub fn backward(&self, block: &Block, gradient: &mut [f64]) {
        let start = self.inputs.n_weights();
        let weights = &self.weights[start..];
        let (vectors, of_net) = gradient.split_at_mut(start);
        let Block { ends, adjoint, sites, pooled, .. } = block;
        let inputs = match &self.net {
            Net::Sites(net) => net.backward(weights, ends, sites, adjoint, of_net),
            Net::Pooled(net) => net.backward(weights, ends, pooled, adjoint, of_net),
        };
        self.inputs.backward(&block.raw, &inputs, vectors);
    }
}

/// log(rows + 1), then the branch's own data.
fn branch_inputs<T: Target>(target: &T, branch: usize) -> Vec<f64> {
    let mut inputs = vec![(target.n_rows(branch) as f64 + 1.0).ln()];
    inputs.extend(target.branch_features(branch));
    inputs
}
