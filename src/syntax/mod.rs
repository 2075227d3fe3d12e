//! Text to untyped tree and back.
pub mod ast;
