//! Amortized variational inference for hierarchical branch distributions.
//!
//! Sees only [`Target`]: log densities and their derivatives, branch by branch.

pub mod linalg;
pub mod target;
