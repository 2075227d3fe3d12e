//! What the language has built in: distributions, functions, transforms.
//!
//! Each stands in one file with its name, signature, support, formula and tests; adding one
//! touches that file and one line of its registry.

mod decompose;
pub mod distribution;
pub mod function;
mod reference;
mod repeat;
pub mod transform;

pub use distribution::{Distribution, Outcome, Param, ParamKind, distribution};
pub use function::{Function, function};
pub use reference::reference;

/// The names of all distributions and functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    distribution::ALL.iter().map(|found| found.name).chain(function::all().map(|found| found.name))
}
