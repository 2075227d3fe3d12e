//! The intermediate representation: what a program is, what it means, and how it is shown.

pub mod eval;
pub mod op;
pub mod print;
#[cfg(test)]
mod tests;
pub mod verify;
