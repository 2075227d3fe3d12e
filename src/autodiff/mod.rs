//! Derivatives as programs: functions in, functions out, one rule per op.
//!
//! [`reverse`] gives vector-Jacobian products, [`forward`] Jacobians in all directions at
//! once. Either's result can be differentiated again: the curvature that the default guide
//! needs is `forward` of `reverse`, and its derivative in θ is `reverse` of that.

pub mod forward;
mod loops;
pub mod reverse;
mod slope;

#[cfg(test)]
mod tests;
