//! hbdc: hierarchical Bayesian models, compiled and fitted by amortized variational inference.
//!
//! A model says how a hierarchy of data came about: unknowns θ of all branches in `global`,
//! unknowns zᵢ of one branch in `local`. It is compiled to machine code for its log density
//!
//! ```text
//! log p(θ) + Σᵢ [log p(zᵢ | θ) + log p(yᵢ | θ, zᵢ, xᵢ)]
//! ```
//!
//! and the posterior is approximated by a Gaussian for θ and, for each branch, the model's own
//! prior times a Gaussian site that is computed from the branch's rows.
//!
//! ```
//! use hbdc::{Column, Dataset, FitConfig, Source};
//!
//! let text = "
//! data {
//!   branch school { real y; real<lower=0> sigma; }
//! }
//! global {
//!   real mu ~ normal(0, 5);
//!   real<lower=0> tau ~ cauchy(0, 5);
//! }
//! local {
//!   real theta ~ normal(mu, tau);
//!   y ~ normal(theta, sigma);
//! }";
//! let model = hbdc::compile(&Source::new("schools.hbd", text))?;
//!
//! let names = ["A", "B", "C", "D", "E", "F", "G", "H"].map(String::from).to_vec();
//! let y = vec![28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0];
//! let sigma = vec![15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0];
//! let data = Dataset::from_columns(vec![
//!     ("school".into(), Column::Texts(names)),
//!     ("y".into(), Column::Numbers(y)),
//!     ("sigma".into(), Column::Numbers(sigma)),
//! ])?
//! .bind(model.schema())?;
//!
//! let fit = hbdc::fit(&model, &data, &FitConfig::default().seed(1).max_steps(400))?;
//! println!("{}", fit.posterior().summary());
//!
//! // The density itself, for a sampler of one's own (see `examples/embed.rs`).
//! let mut evaluator = model.evaluator(&data)?;
//! let position = vec![0.0; evaluator.dimension()];
//! let (log_density, gradient) = evaluator.log_density_gradient(&position)?;
//! assert!(log_density.is_finite());
//! assert_eq!(gradient.len(), 2 + 8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`compile`] gives a [`CompiledModel`], whose sizes are still open; [`Dataset::bind`] fits
//! columns to its [`Schema`]; [`fit()`] gives a [`Fit`] with its [`Posterior`] and its [`Verdict`],
//! which [`write_fit`] saves. What is wrong with a model is a [`CompileError`], with data a
//! [`DataError`]; printing either shows the place and what to do.
#![warn(missing_docs)]

mod autodiff;
mod builtin;
mod calibrate;
mod check;
mod codegen;
mod data;
mod diagnostic;
mod fit;
mod frame;
mod index;
mod infer;
mod ir;
mod kernel;
mod lower;
mod math;
mod memory;
mod model;
mod output;
mod random;
mod saved;
mod schema;
mod simulate;
mod source;
mod syntax;
mod target;
mod tensors;
mod ty;

pub use calibrate::{
    CalibrateConfig, CalibrateError, CalibrateStep, Calibration, Quantity, calibrate,
};
pub use codegen::Listing;
pub use data::{
    BoundData, Column, DataError, DataErrorKind, Dataset, DatumSummary, LevelsSummary, Provenance,
    SetValue,
};
pub use diagnostic::{Code, Diagnostic, Label, Severity};
pub use fit::{
    BranchScore, BranchSummaries, Checks, Coupling, Covariance, Draws, Encoder, Family, Fit,
    FitConfig, FitError, GlobalChecks, LocalChecks, LocalSummary, MemoryError, OptimiserState,
    Posterior, PredictiveChecks, QuantityCheck, Score, Scores, Shift, Stage, StepInfo, Summary,
    SummaryRow, Verdict, Watcher, fit, fit_from, fit_with_progress, memory_need,
};
pub use memory::{MemoryNeed, MemoryPart, parse_size, show_size};
pub use model::{
    Backend, CompileError, CompileOptions, CompiledModel, DumpStage, EvaluateError, Evaluator,
    ParamLayout, Point, PointDensity, PointError, PointGradient, Points, Schema, Timings, Variable,
    compile, compile_with,
};
pub use output::{
    Checkpoint, CheckpointError, Checkpoints, OutputError, PlaceLock, check_place, draws_csv,
    peak_rss_bytes, write_fit, write_prediction,
};
pub use saved::{PredictConfig, PredictedCell, Prediction, SavedError, SavedFit};
pub use simulate::{SimulateConfig, SimulateError, Simulated, simulate, simulated_layout};
pub use source::{Source, Span};

/// What the suite of language tests asks of the compiler beside the API.
#[doc(hidden)]
pub mod testing {
    pub use crate::builtin::{names as built_ins, reference};
    pub use crate::syntax::rules_used;
}
