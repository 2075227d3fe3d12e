//! hbdc: hierarchical Bayesian models, compiled and fitted by amortized variational inference.
#![allow(dead_code, unused_imports)]

mod autodiff;
mod builtin;
mod check;
mod data;
mod diagnostic;
mod index;
mod ir;
mod lower;
mod model;
mod source;
mod syntax;
mod ty;
