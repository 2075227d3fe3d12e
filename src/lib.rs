//! hbdc: hierarchical Bayesian models, compiled and fitted by amortized variational inference.

mod diagnostic;
mod index;
mod source;
mod ty;
