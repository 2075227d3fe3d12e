//! Amortized variational inference for hierarchical branch distributions.
//!
//! Sees only [`target::Target`]: log densities and their derivatives, branch by branch.

pub mod adam;
pub mod conditional;
#[cfg(test)]
pub mod conjugate;
pub mod elbo;
pub mod free;
pub mod global;
pub mod linalg;
pub mod local;
pub mod network;
pub mod shards;
pub mod site;
pub mod start;
pub mod target;
#[cfg(test)]
mod tests;
