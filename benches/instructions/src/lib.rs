//! Nothing but its benchmark, which counts instructions where others measure time: counts are the same in every run.

#[path = "../../support/kernels.rs"]
pub mod models;
