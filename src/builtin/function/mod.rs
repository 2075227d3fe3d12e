//! The registry of functions.

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
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Every function.
pub const ALL: &[&Function] = &[&EXP];

static EXP: Function = Function {
    name: "exp",
    signatures: &["T exp(T x)"],
    result: |args| match args {
        [x] => Some(Type { element: crate::ty::Element::Real, ..x.clone() }),
        _ => None,
    },
    is_discontinuous: false,
};

/// The function of this name.
pub fn function(name: &str) -> Option<&'static Function> {
    ALL.iter().copied().find(|f| f.name == name)
}
