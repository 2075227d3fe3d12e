//! The registry of functions: scalar functions that work elementwise are lines of tables,
//! those of containers have a file for each group.
//!
//! What a function takes, what comes out, which sizes it wants equal and how it is computed
//! stand together; the checker and the lowering know no function by name but those that read
//! sizes alone.

mod append;
mod binary;
mod compose;
mod elementwise;
mod formulas;
mod matrix;
mod mixture;
mod parts;
mod reduce;
mod sizes;
#[cfg(test)]
mod tests;

pub use formulas::{log_sum_exp, softmax};

use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::{Element, Shape, Size, Type};

/// A built-in function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it may be called, in words for messages: `real sum(vector x)`. `T` is a number or a
    /// container, the same for all arguments that are no numbers.
    pub signatures: &'static [&'static str],
    /// What it is, as a formula or in a sentence, for the reference of the language.
    pub doc: &'static str,
    /// Positions of arguments whose values are sizes of the result: they are whole numbers
    /// that follow from sizes. Positions beyond the last argument do not count.
    pub sizes: &'static [usize],
    /// What a call with these arguments gives, or `None` where it does not apply.
    pub result: fn(&[Argument]) -> Option<Returned>,
    /// Whether it jumps or is flat where it does not jump, so that it has no useful gradient.
    pub is_discontinuous: bool,
    /// How a call is computed.
    pub meaning: Meaning,
}

/// One argument of a call.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its type.
    pub ty: Type,
    /// Its value, where that is a whole number that follows from sizes.
    pub size: Option<Size>,
}

/// What a call gives.
#[derive(Clone, Debug)]
pub struct Returned {
    /// Its type; sizes are exact.
    pub ty: Type,
    /// Sizes of arguments that must be equal.
    pub equal: Vec<EqualSizes>,
}

/// Sizes of two arguments that must be equal.
#[derive(Clone, Debug)]
pub struct EqualSizes {
    /// Positions of the arguments.
    pub arguments: [usize; 2],
    /// Their sizes.
    pub sizes: [Size; 2],
}

/// How a call is computed.
#[derive(Clone, Copy)]
pub enum Meaning {
    /// By ops on the values of the arguments.
    Ops(Lower),
    /// It is a part of its first argument.
    Part(fn(&[Argument]) -> Option<Part>),
}

/// Writes a call.
pub type Lower = fn(&mut Builder, &[ValueId], &Types) -> ValueId;

/// The types in a call that applies.
pub struct Types<'a> {
    /// Of the arguments.
    pub args: Vec<&'a Type>,
    /// Of the result.
    pub result: &'a Type,
}

/// A part of a container, as a subscript names it.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Elements in a row along the first axis.
    Slice {
        /// Number of the first, counted from one.
        first: Size,
        /// How many there are.
        length: Size,
    },
    /// One position along an axis, given by an argument.
    Index {
        /// Along which axis.
        axis: usize,
        /// Position of the argument.
        argument: usize,
    },
}

impl From<Type> for Returned {
    fn from(ty: Type) -> Returned {
        Returned { ty, equal: Vec::new() }
    }
}

impl Returned {
    /// Demands that a size of one argument be equal to one of another.
    fn equal(mut self, left: (usize, &Size), right: (usize, &Size)) -> Returned {
        let sizes = [left.1.clone(), right.1.clone()];
        self.equal.push(EqualSizes { arguments: [left.0, right.0], sizes });
        self
    }

    /// Demands that two arguments have the same sizes.
    fn same_sizes(mut self, args: &[Argument], left: usize, right: usize) -> Returned {
        for (a, b) in args[left].ty.dims().iter().zip(&args[right].ty.dims()) {
            self = self.equal((left, a), (right, b));
        }
        self
    }
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
    groups().into_iter().flat_map(|(_, functions)| functions)
}

/// Every function, in groups that have a title.
pub fn groups() -> [(&'static str, &'static [Function]); 9] {
    [
        ("Of one number", &elementwise::ALL),
        ("Of two or three numbers", &binary::ALL),
        ("Extremes, mixtures and their weights", &mixture::ALL),
        ("From a container to a number", &reduce::ALL),
        ("Making and reshaping containers", &compose::ALL),
        ("Putting containers together", &append::ALL),
        ("Parts of containers", &parts::ALL),
        ("Matrices", &matrix::ALL),
        ("Sizes", &sizes::ALL),
    ]
}

/// The function of this name.
pub fn function(name: &str) -> Option<&'static Function> {
    all().find(|f| f.name == name)
}

/// A function without sizes among its arguments that is computed by ops.
const fn by_ops(
    name: &'static str,
    signatures: &'static [&'static str],
    doc: &'static str,
    result: fn(&[Argument]) -> Option<Returned>,
    lower: Lower,
) -> Function {
    let meaning = Meaning::Ops(lower);
    Function { name, signatures, doc, sizes: &[], result, is_discontinuous: false, meaning }
}

/// Whether it is a vector or a row vector.
fn is_vector(ty: &Type) -> bool {
    vector_size(ty).is_some()
}

/// The size of a vector or row vector.
fn vector_size(ty: &Type) -> Option<&Size> {
    match &ty.shape {
        Shape::Vector(n) | Shape::RowVector(n) if ty.array.is_empty() => Some(n),
        _ => None,
    }
}

/// Rows and columns of a matrix.
fn matrix_dims(ty: &Type) -> Option<(&Size, &Size)> {
    match (&ty.shape, ty.element) {
        (Shape::Matrix(rows, columns), Element::Real) if ty.array.is_empty() => {
            Some((rows, columns))
        }
        _ => None,
    }
}

fn vector(n: &Size) -> Type {
    Type::of_shape(Shape::Vector(n.clone()))
}

fn row_vector(n: &Size) -> Type {
    Type::of_shape(Shape::RowVector(n.clone()))
}

fn matrix(rows: &Size, columns: &Size) -> Type {
    Type::of_shape(Shape::Matrix(rows.clone(), columns.clone()))
}
