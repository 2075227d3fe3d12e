//! hbdc: hierarchical Bayesian models, compiled and fitted by amortized variational inference.

#[allow(dead_code)]
mod codegen;
#[allow(dead_code)]
mod diagnostic;
#[allow(dead_code)]
mod index;
#[allow(dead_code)]
mod ir;
#[allow(dead_code)]
mod math;
#[allow(dead_code)]
mod source;
#[allow(dead_code)]
mod ty;
