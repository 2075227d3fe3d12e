//! Data: reading columns, grouping rows by branch, binding them to a model's schema.
//!
//! [`Dataset`] is where data come from: rows, and beside them tables and one row per branch. It
//! knows no model and has read no more than headers. [`Dataset::bind`] reads, each file in one
//! pass, the columns that a [`Schema`](crate::schema::Schema) asks for and gives [`BoundData`]:
//! rows grouped by branch in the order of the keys, every value checked against its
//! declaration. Each distinct text is kept once: numbers go straight to `f64`, keys and levels
//! to small integers. Whatever is wrong with a file is a [`DataError`], never a panic.
//!
//! This module knows neither the syntax nor the densities of a model, only its schema.

mod basis;
mod bind;
mod bound;
mod check;
mod csv;
mod dataset;
mod drawn;
mod error;
mod fill;
mod fixed;
mod group;
mod holdout;
mod keys;
mod levels;
mod lines;
mod load;
mod memory;
mod missing;
mod names;
mod newlines;
mod number;
#[cfg(feature = "parquet")]
mod parquet;
mod plan;
mod provenance;
mod rewrite;
mod set;
mod source;
mod standardize;
mod synthetic;
#[cfg(test)]
mod tests;

pub use bind::Terms;
pub use bound::{BoundData, DatumSummary, LevelsSummary};
pub use dataset::{Column, Dataset};
pub use drawn::without_drawn;
pub use error::{DataError, DataErrorKind};
pub use fixed::Fixed;
pub(crate) use names::{matches, nearest};
pub use provenance::Provenance;
pub use set::SetValue;
