//! From the tree to a [`TypedModel`].
pub mod typed;
