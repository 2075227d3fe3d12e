//! Laws of inference, held against closed forms, central differences and reference posteriors.

mod checks;
mod encoders;
pub mod families;
mod fits;
pub mod glmm;
mod global;
mod gradients;
pub mod models;
mod newton;
mod robust;
mod start;
mod stretch;
