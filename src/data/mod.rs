//! Data: reading columns, grouping rows by branch, binding them to a model's schema.
//!
//! [`Dataset`] is where data come from; it knows no model and has read no more than a header.
//! [`Dataset::bind`] reads, in one pass, the columns that a [`Schema`](crate::schema::Schema) asks for and
//! gives [`BoundData`]: rows grouped by branch in the order of the keys, every value checked
//! against its declaration. No cell is kept as text: numbers go straight to `f64`, keys to
//! small integers. Whatever is wrong with a file is a [`DataError`], never a panic.
//!
//! This module knows neither the syntax nor the densities of a model, only its schema.

mod bind;
mod bound;
mod check;
mod csv;
mod dataset;
mod error;
mod group;
mod holdout;
mod keys;
mod lines;
mod load;
mod names;
mod newlines;
mod number;
mod plan;
mod set;
#[cfg(test)]
mod tests;

pub use bound::{BoundData, DatumSummary};
pub use dataset::{Column, Dataset};
pub use error::{DataError, DataErrorKind};
pub use set::SetValue;
