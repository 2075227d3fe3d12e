//! hbdc: hierarchical Bayesian models, compiled and fitted by amortized variational inference.

mod index;
mod source;
mod ty;

#[cfg(feature = "skeleton")]
mod never {}
