//! Functions of the sizes of containers.

use super::{Argument, Function, Returned, by_ops, matrix_dims};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::{Shape, Size, Type};

/// All of them.
pub static ALL: [Function; 4] = [
    by_ops(
        "size",
        &["int size(vector x)", "int size(array[] int x)"],
        "The number of elements along the first axis",
        |args| whole(args, |ty| !ty.is_scalar() && matrix_dims(ty).is_none()),
        |b, args, _| axis(b, args[0], 0),
    ),
    by_ops(
        "num_elements",
        &["int num_elements(vector x)", "int num_elements(matrix x)"],
        "The number of all elements",
        |args| whole(args, |ty| !ty.is_scalar()),
        |b, args, _| {
            let dims = b.dims(args[0]).to_vec();
            let product = |n: Size, dim: &Size| n.checked_mul(dim).expect("sizes were checked");
            let n = dims.iter().fold(Size::constant(1), product);
            b.size(&n)
        },
    ),
    by_ops(
        "rows",
        &["int rows(matrix x)", "int rows(vector x)"],
        "The number of rows",
        |args| {
            whole(args, |ty| {
                ty.array.is_empty() && matches!(ty.shape, Shape::Matrix(..) | Shape::Vector(_))
            })
        },
        |b, args, _| axis(b, args[0], 0),
    ),
    by_ops(
        "cols",
        &["int cols(matrix x)", "int cols(row_vector x)"],
        "The number of columns",
        |args| {
            whole(args, |ty| {
                ty.array.is_empty() && matches!(ty.shape, Shape::Matrix(..) | Shape::RowVector(_))
            })
        },
        |b, args, _| {
            let last = b.rank(args[0]) - 1;
            axis(b, args[0], last)
        },
    ),
];

fn whole(args: &[Argument], accepts: fn(&Type) -> bool) -> Option<Returned> {
    match args {
        [x] if accepts(&x.ty) => Some(Type::int().into()),
        _ => None,
    }
}

fn axis(b: &mut Builder, x: ValueId, axis: usize) -> ValueId {
    let n = b.dims(x)[axis].clone();
    b.size(&n)
}
