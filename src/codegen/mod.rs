//! Machine code for IR functions, with whole-data sizes fixed and the number of rows open.
//!
//! `schedule` decides where values live, `emit` and its companions write instructions with
//! real loops (the code's length does not depend on sizes), `jit` makes the code callable.
//! All ops are known here, no distribution is. What the code means is what `ir::eval` says;
//! only sums may be taken in another order.

mod arithmetic;
mod array;
mod check;
mod control;
mod element;
mod emit;
mod gather;
mod jit;
mod kernels;
mod listing;
mod loops;
mod memory;
mod reduce;
mod reduction;
mod regions;
mod schedule;
mod shape;
mod sizes;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod work;

use std::fmt;

#[allow(unused_imports)]
pub use jit::{CompiledFunction, Scratch, compile};
pub use listing::{Listing, listing};
pub use shape::{BranchInput, Reach};
#[allow(unused_imports)]
pub use sizes::SizeTable;
pub use work::work;

/// Why no code was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodegenError {
    /// The table has no value for this whole-data size.
    UnknownSize(String),
    /// This size does not fit in 64 bits.
    SizeOverflow(String),
    /// Arrays would take more work space than is sensible.
    TooLarge,
    /// The function breaks a rule of the ops, or its sizes do not agree: a bug, in text.
    Invalid(String),
    /// The machine is not supported, or code generation failed: in text.
    Backend(String),
}

impl fmt::Display for CodegenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodegenError::UnknownSize(name) => write!(f, "the size `{name}` is not known"),
            CodegenError::SizeOverflow(size) => write!(f, "the size `{size}` is too large"),
            CodegenError::TooLarge => f.write_str("the arrays of the model do not fit in memory"),
            CodegenError::Invalid(rule) => write!(f, "invalid program: {rule}"),
            CodegenError::Backend(error) => write!(f, "no machine code: {error}"),
        }
    }
}

impl std::error::Error for CodegenError {}
