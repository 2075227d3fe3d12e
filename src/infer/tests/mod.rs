//! Laws of inference, held against closed forms, central differences and reference posteriors.

mod fits;
mod glmm;
mod gradients;
mod models;
mod robust;
mod start;
