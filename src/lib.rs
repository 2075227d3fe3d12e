//! hbdc: hierarchical Bayesian models, compiled and fitted by amortized variational inference.

mod diagnostic;
mod index;
#[allow(dead_code)]
mod infer;
#[allow(dead_code)]
mod random;
mod source;
mod ty;
