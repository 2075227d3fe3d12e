//! What can be computed of a branch's data alone is computed once, when data are bound.
//!
//! Three things are done to the functions of a branch, in this order:
//!
//! 1. Conditions on data that hold in every branch are settled ([`mod@settle`]): an outcome that was
//!    found in the support of its distribution need not be looked at again.
//! 2. Sums over rows become sufficient statistics ([`mod@sums`]): where a term is quadratic in numbers
//!    that do not go with rows, as those of a normal regression are, a branch of any number of rows
//!    has as many as the regression has columns. Terms that depend on data alone leave the sum.
//! 3. What still depends on data alone, such as these terms, becomes a number of the branch
//!    ([`mod@constants`]).
//!
//! All are functions of the IR before and after, so derivatives and machine code follow.

mod constants;
mod form;
mod known;
mod settle;
mod sums;
mod triangle;
mod words;

pub use settle::{conditions, settle};
pub use triangle::triangle;
pub use words::in_words;

use crate::ir::op::{Function, ValueType};
use crate::ty::Size;

/// A function of a branch that reads statistics of the branch in place of its rows.
#[derive(Clone, Debug)]
pub struct Condensed {
    /// Its inputs `Statistic(k)` are, in this order, those of the triangles and then the outputs
    /// of `constants`.
    pub local: Function,
    /// Groups of columns whose cross products are needed.
    pub triangles: Vec<Triangle>,
    /// Of data of a branch: numbers that are needed.
    pub constants: Function,
}

/// Columns whose rows are turned into as many rows as there are columns, with the same cross
/// products.
#[derive(Clone, Debug)]
pub struct Triangle {
    /// Of data of a branch: one column, or a matrix of several, for each output.
    pub columns: Function,
    /// Columns of each output.
    pub widths: Vec<usize>,
}

/// What the sizes of data allow.
pub struct Extents<'a> {
    /// Rows of a branch, on average.
    pub mean_rows: f64,
    /// What a size that does not depend on rows comes to.
    pub of: &'a dyn Fn(&Size) -> usize,
}

impl Triangle {
    /// Of all outputs.
    pub fn n_columns(&self) -> usize {
        self.widths.iter().sum()
    }
}

impl Condensed {
    /// Whether anything was found to be computed once.
    pub fn is_worth_it(&self) -> bool {
        !self.triangles.is_empty() || !self.constants.outputs.is_empty()
    }

    /// How many numbers each statistic has, in order.
    pub fn lengths(&self, extents: &Extents) -> Vec<usize> {
        let of_triangles = self.triangles.iter().flat_map(|triangle| {
            let rows = triangle.n_columns();
            triangle.widths.iter().map(move |width| rows * width)
        });
        let outputs = self.constants.outputs.iter();
        let of_constants =
            outputs.map(|output| length(&self.constants.values[output.value].ty, extents));
        of_triangles.chain(of_constants).collect()
    }
}

/// Finds what can be computed once in the function of a branch.
pub fn condense(local: &Function, extents: &Extents) -> Condensed {
    let (local, triangles) = sums::condense_sums(local, extents);
    let n_before = triangles.iter().map(|triangle| triangle.widths.len()).sum();
    let (local, constants) = constants::extract_constants(&local, n_before, extents);
    Condensed { local, triangles, constants }
}

fn length(ty: &ValueType, extents: &Extents) -> usize {
    ty.dims.iter().map(extents.of).product()
}
