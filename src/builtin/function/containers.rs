//! Functions of vectors, matrices and arrays.

use super::Function;
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::{Element, Shape, Size, Type};

/// All of them.
pub static ALL: [Function; 15] = [
    Function {
        name: "sum",
        signatures: &["real sum(vector x)", "real sum(matrix x)", "int sum(array[] int x)"],
        result: |args| match args {
            [x] => Some(Type { element: x.element, ..Type::real() }),
            _ => None,
        },
        is_discontinuous: false,
        lower: |b, args| b.sum(args[0]),
    },
    reduction("mean", &["real mean(vector x)"], |b, args| mean(b, args[0])),
    reduction("variance", &["real variance(vector x)"], |b, args| variance(b, args[0])),
    reduction("sd", &["real sd(vector x)"], |b, args| {
        let variance = variance(b, args[0]);
        b.sqrt(variance)
    }),
    reduction("dot_self", &["real dot_self(vector x)"], |b, args| b.dot(args[0], args[0])),
    Function {
        name: "dot_product",
        signatures: &["real dot_product(vector x, vector y)"],
        result: |args| match args {
            [x, y] if is_vector(x) && is_vector(y) => Some(Type::real()),
            _ => None,
        },
        is_discontinuous: false,
        lower: |b, args| b.dot(args[0], args[1]),
    },
    Function {
        name: "diag_pre_multiply",
        signatures: &["matrix diag_pre_multiply(vector x, matrix m)"],
        result: |args| match args {
            [x, m] if is_vector(x) => matrix_dims(m).map(|_| m.clone()),
            _ => None,
        },
        is_discontinuous: false,
        lower: |b, args| {
            let dims = b.dims(args[1]).to_vec();
            let repeated = b.broadcast(args[0], &[0], &dims);
            b.mul(repeated, args[1])
        },
    },
    Function {
        name: "diag_post_multiply",
        signatures: &["matrix diag_post_multiply(matrix m, vector x)"],
        result: |args| match args {
            [m, x] if is_vector(x) => matrix_dims(m).map(|_| m.clone()),
            _ => None,
        },
        is_discontinuous: false,
        lower: |b, args| {
            let dims = b.dims(args[0]).to_vec();
            let repeated = b.broadcast(args[1], &[1], &dims);
            b.mul(args[0], repeated)
        },
    },
    Function {
        name: "diag_matrix",
        signatures: &["matrix diag_matrix(vector x)"],
        result: |args| match args {
            [Type { array, shape: Shape::Vector(n), .. }] if array.is_empty() => {
                Some(Type::of_shape(Shape::Matrix(n.clone(), n.clone())))
            }
            _ => None,
        },
        is_discontinuous: false,
        lower: |b, args| b.diagonal_matrix(args[0]),
    },
    Function {
        name: "diagonal",
        signatures: &["vector diagonal(matrix x)"],
        result: |args| match args {
            [x] => {
                let (rows, columns) = matrix_dims(x)?;
                (rows == columns).then(|| Type::of_shape(Shape::Vector(rows)))
            }
            _ => None,
        },
        is_discontinuous: false,
        lower: |b, args| b.diagonal(args[0]),
    },
    Function {
        name: "cumulative_sum",
        signatures: &["vector cumulative_sum(vector x)"],
        result: |args| match args {
            [x] if x.dims().len() == 1 => Some(x.clone()),
            _ => None,
        },
        is_discontinuous: false,
        lower: |b, args| b.cumulative_sum(args[0], 0, false, false),
    },
    Function {
        name: "crossprod",
        signatures: &["matrix crossprod(matrix x)"],
        result: |args| match args {
            [x] => {
                let (_, columns) = matrix_dims(x)?;
                Some(Type::of_shape(Shape::Matrix(columns.clone(), columns)))
            }
            _ => None,
        },
        is_discontinuous: false,
        lower: |b, args| b.contract(args[0], &[2, 0], args[0], &[2, 1], 2),
    },
    Function {
        name: "size",
        signatures: &["int size(vector x)", "int size(array[] int x)"],
        result: |args| match args {
            [x] if !x.is_scalar() && matrix_dims(x).is_none() => Some(Type::int()),
            _ => None,
        },
        is_discontinuous: false,
        lower: |b, args| {
            let n = b.dims(args[0])[0].clone();
            b.size(&n)
        },
    },
    Function {
        name: "rows",
        signatures: &["int rows(matrix x)"],
        result: |args| match args {
            [x] => matrix_dims(x).map(|_| Type::int()),
            _ => None,
        },
        is_discontinuous: false,
        lower: |b, args| {
            let n = b.dims(args[0])[0].clone();
            b.size(&n)
        },
    },
    Function {
        name: "cols",
        signatures: &["int cols(matrix x)"],
        result: |args| match args {
            [x] => matrix_dims(x).map(|_| Type::int()),
            _ => None,
        },
        is_discontinuous: false,
        lower: |b, args| {
            let n = b.dims(args[0])[1].clone();
            b.size(&n)
        },
    },
];

const fn reduction(
    name: &'static str,
    signatures: &'static [&'static str],
    lower: fn(&mut Builder, &[ValueId]) -> ValueId,
) -> Function {
    Function {
        name,
        signatures,
        result: |args| match args {
            [x] if x.dims().len() == 1 => Some(Type::real()),
            _ => None,
        },
        is_discontinuous: false,
        lower,
    }
}

fn is_vector(ty: &Type) -> bool {
    ty.array.is_empty() && matches!(ty.shape, Shape::Vector(_) | Shape::RowVector(_))
}

fn matrix_dims(ty: &Type) -> Option<(Size, Size)> {
    match (&ty.shape, ty.element) {
        (Shape::Matrix(rows, columns), Element::Real) if ty.array.is_empty() => {
            Some((rows.clone(), columns.clone()))
        }
        _ => None,
    }
}

fn mean(b: &mut Builder, x: ValueId) -> ValueId {
    let total = b.sum(x);
    let n = b.dims(x)[0].clone();
    let n = b.size(&n);
    b.div(total, n)
}

/// The sample variance, divided by `n - 1`.
fn variance(b: &mut Builder, x: ValueId) -> ValueId {
    let mean = mean(b, x);
    let centred = b.sub(x, mean);
    let squares = b.dot(centred, centred);
    let n = b.dims(x)[0].clone();
    let n = b.size(&n);
    let less_one = b.offset(n, -1.0);
    b.div(squares, less_one)
}
