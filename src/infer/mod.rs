//! Amortized variational inference for hierarchical branch distributions.
//!
//! Sees only [`Target`](crate::target::Target): log densities and their derivatives, branch by branch.

pub mod adam;
pub mod affine;
pub mod amortization;
pub mod arrow;
pub mod ascent;
pub mod conditional;
pub mod config;
#[cfg(test)]
#[path = "../../tests/support/conjugate.rs"]
pub mod conjugate;
pub mod curvature;
pub mod elbo;
pub mod encoded;
pub mod encoder;
pub mod estimate;
pub mod expanded;
pub mod fit;
pub mod free;
pub mod global;
pub mod higher;
pub mod importance;
pub mod initial;
pub mod joint;
pub mod linalg;
pub mod linear;
pub mod local;
pub mod local_weights;
pub mod measure;
pub mod modes;
pub mod network;
pub mod new_branches;
pub mod newton;
pub mod objective;
pub mod optimise;
pub mod optimiser_state;
pub mod pareto;
pub mod pattern;
pub mod plan;
pub mod posterior;
pub mod score;
pub mod shape;
pub mod shards;
pub mod site;
pub mod site_guide;
pub mod start;
pub mod state;
pub mod stretch;
pub mod tails;
#[cfg(test)]
pub mod tests;
pub mod triangular;
pub mod verdict;
pub mod watch;
pub mod whiten;
pub mod worker;
