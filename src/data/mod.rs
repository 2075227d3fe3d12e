//! Data.
pub mod schema;
