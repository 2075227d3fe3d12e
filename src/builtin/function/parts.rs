//! Functions that are other words for subscripts: `head(v, n)` is `v[1:n]`.

use super::{Argument, Function, Meaning, Part, Returned, matrix_dims, row_vector, vector};
use crate::ty::{Element, Shape, Size, Type};

/// All of them.
pub static ALL: [Function; 5] = [
    Function {
        name: "head",
        signatures: &["vector head(vector x, int n)", "array[] real head(array[] real x, int n)"],
        doc: "The first n elements: x[1:n]",
        sizes: &[1],
        result: |args| resized(args, 2),
        is_discontinuous: false,
        meaning: Meaning::Part(|args| slice(Size::constant(1), args.get(1)?.size.clone()?)),
    },
    Function {
        name: "tail",
        signatures: &["vector tail(vector x, int n)", "array[] real tail(array[] real x, int n)"],
        doc: "The last n elements",
        sizes: &[1],
        result: |args| resized(args, 2),
        is_discontinuous: false,
        meaning: Meaning::Part(|args| {
            let length = args.get(1)?.size.clone()?;
            let before = args.first()?.ty.dims().first()?.checked_sub(&length)?;
            slice(before.checked_add(&Size::constant(1))?, length)
        }),
    },
    Function {
        name: "segment",
        signatures: &[
            "vector segment(vector x, int i, int n)",
            "array[] real segment(array[] real x, int i, int n)",
        ],
        doc: "n elements from the i-th on: x[i:i + n - 1]",
        sizes: &[1, 2],
        result: |args| resized(args, 3),
        is_discontinuous: false,
        meaning: Meaning::Part(|args| {
            slice(args.get(1)?.size.clone()?, args.get(2)?.size.clone()?)
        }),
    },
    Function {
        name: "row",
        signatures: &["row_vector row(matrix x, int i)"],
        doc: "The i-th row: x[i]",
        sizes: &[],
        result: |args| line(args, |_, columns| row_vector(columns)),
        is_discontinuous: false,
        meaning: Meaning::Part(|_| Some(Part::Index { axis: 0, argument: 1 })),
    },
    Function {
        name: "col",
        signatures: &["vector col(matrix x, int j)"],
        doc: "The j-th column: x[, j]",
        sizes: &[],
        result: |args| line(args, |rows, _| vector(rows)),
        is_discontinuous: false,
        meaning: Meaning::Part(|_| Some(Part::Index { axis: 1, argument: 1 })),
    },
];

fn slice(first: Size, length: Size) -> Option<Part> {
    Some(Part::Slice { first, length })
}

/// The first argument's type with the last one's value as its first size.
fn resized(args: &[Argument], n_args: usize) -> Option<Returned> {
    let (x, counts) = args.split_first()?;
    let whole = |arg: &Argument| arg.ty == Type::int();
    if args.len() != n_args || !counts.iter().all(whole) {
        return None;
    }
    let length = counts.last()?.size.clone()?;
    let mut ty = x.ty.clone();
    match (ty.array.first_mut(), &mut ty.shape) {
        (Some(first), _) => *first = length,
        (None, Shape::Vector(n) | Shape::RowVector(n)) => *n = length,
        _ => return None,
    }
    Some(ty.into())
}

fn line(args: &[Argument], of: fn(&Size, &Size) -> Type) -> Option<Returned> {
    let [x, index] = args else { return None };
    let (rows, columns) = matrix_dims(&x.ty)?;
    let is_index = index.ty.is_scalar() && index.ty.element == Element::Int;
    is_index.then(|| of(rows, columns).into())
}
