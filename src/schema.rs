//! What a model wants of its data: the checker writes it, binding reads it.

use crate::source::Span;
use crate::ty::{Element, Level, Size};

/// Everything a model reads from files and settings.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Columns that name the branch: one, several for a compound key, none when every row is
    /// a branch of its own.
    pub key: Vec<String>,
    /// The name of the row count, if the model gives it one.
    pub rows: Option<Rows>,
    /// Every datum, derived ones included, in order of declaration.
    pub data: Vec<Datum>,
}

/// `rows N …`.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The author's name for the count.
    pub name: String,
    /// `rows N = 4`: each branch must have as many.
    pub count: Option<u64>,
    /// `by` columns: rows are sorted by these.
    pub by: Vec<String>,
    /// Where it is declared.
    pub span: Span,
}

/// One name of the `data` block.
#[derive(Clone, Debug)]
pub struct Datum {
    /// Its name.
    pub name: String,
    /// One for the whole data set or one per branch (per row if `per_row`).
    pub level: Level,
    /// Whether its first dimension is the number of rows of the branch.
    pub per_row: bool,
    /// Whole numbers or reals.
    pub element: Element,
    /// All dimensions, the rows included.
    pub dims: Vec<Size>,
    /// Smallest value allowed, where declared.
    pub lower: Option<Bound>,
    /// Largest value allowed, where declared.
    pub upper: Option<Bound>,
    /// Where its values come from.
    pub origin: Origin,
    /// Where it is declared.
    pub span: Span,
    /// The declared type in the author's words, for `hbdc data` and messages.
    pub type_text: String,
}

/// A declared bound.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A number.
    Number(f64),
    /// The k-th datum of the schema: the same branch's or the same row's value.
    Datum(usize),
}

/// Where a datum's values come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// The column of this name.
    Column(String),
    /// Columns by name or by a pattern with one or more `*`.
    Columns(Vec<String>),
    /// `--set NAME=VALUE`, or `Dataset::set`.
    Set,
    /// Computed from other data when these are loaded.
    Derived,
}
