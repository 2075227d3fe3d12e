//! The intermediate representation.
pub mod build;
pub mod eval;
pub mod op;
pub mod print;
#[cfg(test)]
mod tests;
pub mod verify;
