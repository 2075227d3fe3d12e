//! hbdc: hierarchical Bayesian models, compiled and fitted by amortized variational inference.

mod diagnostic;
mod index;
mod source;
#[allow(dead_code)]
mod syntax;
mod ty;
