//! hbdc: hierarchical Bayesian models, compiled and fitted by amortized variational inference.
#![allow(dead_code, unused_imports)]

mod autodiff;
mod builtin;
mod check;
mod codegen;
mod data;
mod diagnostic;
mod fit;
mod index;
mod infer;
mod ir;
mod lower;
mod math;
mod model;
mod output;
mod random;
mod source;
mod syntax;
mod target;
mod ty;

pub use data::{BoundData, Column, DataError, DataErrorKind, Dataset, DatumSummary, SetValue};
pub use diagnostic::{Code, Diagnostic, Label, Severity};
pub use fit::{
    BranchSummaries, Draws, Family, Fit, FitConfig, FitError, LocalSummary, Posterior, StepInfo,
    Summary, SummaryRow, Verdict, fit, fit_with_progress,
};
pub use model::{
    Backend, CompileError, CompileOptions, CompiledModel, DumpStage, EvaluateError, Evaluator,
    ParamLayout, Point, PointDensity, PointError, Points, Schema, Timings, Variable, compile,
    compile_with,
};
pub use output::{OutputError, write_fit};
pub use source::{Source, Span};

/// What the suite of language tests asks of the compiler beside the API.
#[doc(hidden)]
pub mod testing {
    pub use crate::builtin::names as built_ins;
    pub use crate::syntax::rules_used;
}
