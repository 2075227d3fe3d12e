//! hbdc: hierarchical Bayesian models, compiled and fitted by amortized variational inference.

#[allow(dead_code, unused_imports)]
mod data;
mod diagnostic;
mod index;
mod source;
mod ty;
