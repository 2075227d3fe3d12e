//! hbdc: hierarchical Bayesian models, compiled and fitted by amortized variational inference.
#![allow(dead_code, unused_imports)]

mod autodiff;
mod builtin;
mod check;
mod codegen;
mod data;
mod diagnostic;
mod index;
mod infer;
mod ir;
mod lower;
mod math;
mod model;
mod random;
mod source;
mod syntax;
mod ty;
