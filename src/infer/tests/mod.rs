//! Laws of inference, held against closed forms, central differences and reference posteriors.

mod families;
mod fits;
pub mod glmm;
mod gradients;
pub mod models;
mod robust;
mod start;

use std::ops::ControlFlow;

use super::config::FitConfig;
use super::fit::{FitError, FitResult, fit_from};
use super::optimise::StepInfo;
use crate::target::Target;

/// A fit from the start; `progress` sees each row of the trace.
fn fit<T: Target>(
    target: &T,
    config: &FitConfig,
    mut progress: &mut dyn FnMut(&StepInfo) -> ControlFlow<()>,
) -> Result<FitResult, FitError> {
    fit_from(target, config, None, &mut progress)
}
