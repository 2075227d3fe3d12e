//! The registry of functions. Scalar functions that work elementwise are lines of a table;
//! those of containers have a file for each group.

mod containers;
mod elementwise;
#[cfg(test)]
mod tests;

use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::Type;

/// A built-in function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it may be called, in words for messages: `real sum(vector x)`.
    pub signatures: &'static [&'static str],
    /// The type of a call with arguments of these types, or `None` where it does not apply.
    pub result: fn(&[Type]) -> Option<Type>,
    /// Whether it jumps or is flat where it does not jump, so that it has no useful gradient.
    pub is_discontinuous: bool,
    /// Writes a call.
    pub lower: fn(&mut Builder, &[ValueId]) -> ValueId,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Every function.
pub fn all() -> impl Iterator<Item = &'static Function> {
    elementwise::UNARY.iter().chain(&elementwise::OTHERS).chain(&containers::ALL)
}

/// The function of this name.
pub fn function(name: &str) -> Option<&'static Function> {
    all().find(|f| f.name == name)
}
