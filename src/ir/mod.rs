//! The intermediate representation.
pub mod build;
pub mod op;
