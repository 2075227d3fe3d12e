//! Loops over slices, compiled ahead of time for several widths of vectors.
//!
//! Which version runs is chosen by the machine, once. What they compute is the same to the last
//! bit: elements are independent of each other, sums are taken in an order that is written here,
//! and nothing is fused (`a · b + c` rounds twice), so that no result depends on the width.

mod elementary;
mod gather;
mod product;
mod shims;
#[cfg(test)]
mod tests;

pub use product::dot;
pub use shims::{ELEMENTARY, GATHER, PRODUCT, TIMES_VECTOR, WEIGHTED_SUM};
