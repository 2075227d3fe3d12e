//! The intermediate representation.
pub mod op;
