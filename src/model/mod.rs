//! Compiled models, and models with data.

pub mod derivatives;
