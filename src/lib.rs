//! hbdc: hierarchical Bayesian models, compiled and fitted by amortized variational inference.

#[allow(dead_code, unused_imports)]
mod diagnostic;
#[allow(dead_code)]
mod index;
#[allow(dead_code)]
mod source;
#[allow(dead_code, unused_imports)]
mod syntax;
#[allow(dead_code)]
mod ty;
