//! Containers put together, and turned round.

use super::{Argument, Function, Returned, by_ops, matrix, matrix_dims, row_vector, vector};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::{Shape, Size, Type};

/// All of them.
pub static ALL: [Function; 4] = [
    by_ops(
        "append_row",
        &[
            "vector append_row(vector x, vector y)",
            "vector append_row(real x, vector y)",
            "vector append_row(vector x, real y)",
            "matrix append_row(matrix x, matrix y)",
            "matrix append_row(row_vector x, matrix y)",
            "matrix append_row(row_vector x, row_vector y)",
        ],
        "y below x",
        append_row,
        |b, args, types| append(b, args, &types.result.dims(), 0),
    ),
    by_ops(
        "append_col",
        &[
            "row_vector append_col(row_vector x, row_vector y)",
            "row_vector append_col(real x, row_vector y)",
            "row_vector append_col(row_vector x, real y)",
            "matrix append_col(matrix x, matrix y)",
            "matrix append_col(vector x, matrix y)",
            "matrix append_col(vector x, vector y)",
        ],
        "y to the right of x",
        append_col,
        |b, args, types| {
            let dims = types.result.dims();
            append(b, args, &dims, dims.len() - 1)
        },
    ),
    by_ops(
        "append_array",
        &["array[] T append_array(array[] T x, array[] T y)"],
        "The elements of x, then those of y",
        |args| {
            let [x, y] = args else { return None };
            let alike = x.ty.unsized_name() == y.ty.unsized_name();
            let (n, m) = (x.ty.array.first()?, y.ty.array.first()?);
            let total = n.checked_add(m).filter(|_| alike)?;
            let mut ty = x.ty.clone();
            ty.array[0] = total;
            let inner = x.ty.dims().into_iter().zip(y.ty.dims()).skip(1);
            let returned = Returned::from(ty);
            Some(inner.fold(returned, |returned, (a, b)| returned.equal((0, &a), (1, &b))))
        },
        |b, args, types| append(b, args, &types.result.dims(), 0),
    ),
    by_ops(
        "reverse",
        &["vector reverse(vector x)", "array[] T reverse(array[] T x)"],
        "The elements from the last to the first",
        |args| match args {
            [x] if !x.ty.is_scalar() && matrix_dims(&x.ty).is_none() => Some(x.ty.clone().into()),
            _ => None,
        },
        |b, args, _| b.reverse_axis(args[0], 0),
    ),
];

/// Rows and columns of what is no array; a number is a row and a column.
fn block(ty: &Type) -> Option<(Size, Size)> {
    let one = Size::constant(1);
    ty.array.is_empty().then_some(())?;
    Some(match &ty.shape {
        Shape::Scalar => (one.clone(), one),
        Shape::Vector(n) => (n.clone(), one),
        Shape::RowVector(n) => (one, n.clone()),
        Shape::Matrix(rows, columns) => (rows.clone(), columns.clone()),
    })
}

fn append_row(args: &[Argument]) -> Option<Returned> {
    let [x, y] = args else { return None };
    let ((rows, columns), (more, others)) = (block(&x.ty)?, block(&y.ty)?);
    let total = rows.checked_add(&more)?;
    let is = |ty: &Type, column: bool| match ty.shape {
        Shape::Vector(_) => column,
        Shape::RowVector(_) | Shape::Matrix(..) => !column,
        Shape::Scalar => false,
    };
    let scalar = |ty: &Type| ty.is_scalar();
    let (a, b) = (&x.ty, &y.ty);
    if (is(a, true) && (is(b, true) || scalar(b))) || (scalar(a) && is(b, true)) {
        return Some(vector(&total).into());
    }
    let returned = Returned::from(matrix(&total, &columns)).equal((0, &columns), (1, &others));
    (is(a, false) && is(b, false)).then_some(returned)
}

fn append_col(args: &[Argument]) -> Option<Returned> {
    let [x, y] = args else { return None };
    let ((rows, columns), (others, more)) = (block(&x.ty)?, block(&y.ty)?);
    let total = columns.checked_add(&more)?;
    let is = |ty: &Type, row: bool| match ty.shape {
        Shape::RowVector(_) => row,
        Shape::Vector(_) | Shape::Matrix(..) => !row,
        Shape::Scalar => false,
    };
    let scalar = |ty: &Type| ty.is_scalar();
    let (a, b) = (&x.ty, &y.ty);
    if (is(a, true) && (is(b, true) || scalar(b))) || (scalar(a) && is(b, true)) {
        return Some(row_vector(&total).into());
    }
    let returned = Returned::from(matrix(&rows, &total)).equal((0, &rows), (1, &others));
    (is(a, false) && is(b, false)).then_some(returned)
}

/// Both arguments, one after the other along an axis; what lacks the axis has one place there.
fn append(b: &mut Builder, args: &[ValueId], dims: &[Size], axis: usize) -> ValueId {
    let mut parts = Vec::with_capacity(args.len());
    for &part in args {
        if b.rank(part) == dims.len() {
            parts.push(part);
            continue;
        }
        let mut one_place = dims.to_vec();
        one_place[axis] = Size::constant(1);
        let others: Vec<u8> = (0..dims.len() as u8).filter(|&k| usize::from(k) != axis).collect();
        parts.push(b.broadcast(part, &others, &one_place));
    }
    b.concat(&parts, axis as u8)
}
