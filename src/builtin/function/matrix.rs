//! Linear algebra.

use super::{
    Argument, Function, Returned, by_ops, matrix, matrix_dims, row_vector, vector, vector_size,
};
use crate::builtin::decompose;
use crate::ty::{Shape, Size, Type};

/// All of them.
pub static ALL: [Function; 17] = [
    by_ops(
        "diag_matrix",
        &["matrix diag_matrix(vector x)"],
        "The matrix with x on the diagonal and zeros elsewhere",
        |args| match args {
            [x] => match &x.ty {
                Type { array, shape: Shape::Vector(n), .. } if array.is_empty() => {
                    Some(matrix(n, n).into())
                }
                _ => None,
            },
            _ => None,
        },
        |b, args, _| b.diagonal_matrix(args[0]),
    ),
    by_ops(
        "diagonal",
        &["vector diagonal(matrix x)"],
        "The diagonal of a square matrix",
        |args| square(args).map(|(n, square)| Returned { ty: vector(&n), ..square }),
        |b, args, _| b.diagonal(args[0]),
    ),
    by_ops(
        "add_diag",
        &["matrix add_diag(matrix m, vector d)", "matrix add_diag(matrix m, real d)"],
        "m with d added to its diagonal",
        |args| {
            let [_, d] = args else { return None };
            let (n, returned) = square(&args[..1])?;
            match vector_size(&d.ty) {
                Some(length) => Some(returned.equal((0, &n), (1, length))),
                None => d.ty.is_scalar().then_some(returned),
            }
        },
        |b, args, _| {
            let n = b.dims(args[0])[..1].to_vec();
            let diagonal = match b.rank(args[1]) {
                0 => b.broadcast(args[1], &[], &n),
                _ => args[1],
            };
            let added = b.diagonal_matrix(diagonal);
            b.add(args[0], added)
        },
    ),
    by_ops(
        "diag_pre_multiply",
        &["matrix diag_pre_multiply(vector x, matrix m)"],
        "diag_matrix(x) m",
        |args| {
            let [x, m] = args else { return None };
            let (n, (rows, _)) = (vector_size(&x.ty)?, matrix_dims(&m.ty)?);
            Some(Returned::from(m.ty.clone()).equal((0, n), (1, rows)))
        },
        |b, args, _| {
            let dims = b.dims(args[1]).to_vec();
            let repeated = b.broadcast(args[0], &[0], &dims);
            b.mul(repeated, args[1])
        },
    ),
    by_ops(
        "diag_post_multiply",
        &["matrix diag_post_multiply(matrix m, vector x)"],
        "m diag_matrix(x)",
        |args| {
            let [m, x] = args else { return None };
            let (n, (_, columns)) = (vector_size(&x.ty)?, matrix_dims(&m.ty)?);
            Some(Returned::from(m.ty.clone()).equal((0, columns), (1, n)))
        },
        |b, args, _| {
            let dims = b.dims(args[0]).to_vec();
            let repeated = b.broadcast(args[1], &[1], &dims);
            b.mul(args[0], repeated)
        },
    ),
    by_ops(
        "quad_form",
        &["real quad_form(matrix a, vector b)", "matrix quad_form(matrix a, matrix b)"],
        "b' a b",
        |args| {
            let [_, right] = args else { return None };
            let (n, returned) = square(&args[..1])?;
            match (vector_size(&right.ty), matrix_dims(&right.ty)) {
                (Some(length), _) => {
                    Some(Returned { ty: Type::real(), ..returned }.equal((0, &n), (1, length)))
                }
                (_, Some((rows, columns))) => Some(
                    Returned { ty: matrix(columns, columns), ..returned }.equal((0, &n), (1, rows)),
                ),
                _ => None,
            }
        },
        |b, args, _| {
            let (middle, right) = (args[0], args[1]);
            if b.rank(right) == 1 {
                let product = b.mat_vec(middle, right);
                return b.dot(right, product);
            }
            let product = b.mat_mul(middle, right);
            b.contract(right, &[2, 0], product, &[2, 1], 2)
        },
    ),
    by_ops(
        "quad_form_diag",
        &["matrix quad_form_diag(matrix m, vector x)"],
        "diag_matrix(x) m diag_matrix(x)",
        |args| {
            let [_, x] = args else { return None };
            let (n, returned) = square(&args[..1])?;
            Some(returned.equal((0, &n), (1, vector_size(&x.ty)?)))
        },
        |b, args, _| {
            let scales = b.contract(args[1], &[0], args[1], &[1], 2);
            b.mul(args[0], scales)
        },
    ),
    by_ops(
        "crossprod",
        &["matrix crossprod(matrix x)"],
        "x' x",
        |args| {
            let [x] = args else { return None };
            let (_, columns) = matrix_dims(&x.ty)?;
            Some(matrix(columns, columns).into())
        },
        |b, args, _| b.contract(args[0], &[2, 0], args[0], &[2, 1], 2),
    ),
    by_ops(
        "tcrossprod",
        &["matrix tcrossprod(matrix x)"],
        "x x'",
        |args| {
            let [x] = args else { return None };
            let (rows, _) = matrix_dims(&x.ty)?;
            Some(matrix(rows, rows).into())
        },
        |b, args, _| b.contract(args[0], &[0, 2], args[0], &[1, 2], 2),
    ),
    by_ops(
        "multiply_lower_tri_self_transpose",
        &["matrix multiply_lower_tri_self_transpose(matrix x)"],
        "L L', where L is the lower triangle of x",
        |args| square(args).map(|(_, returned)| returned),
        |b, args, _| {
            let lower = b.lower_triangle(args[0]);
            b.contract(lower, &[0, 2], lower, &[1, 2], 2)
        },
    ),
    by_ops(
        "mdivide_left_tri_low",
        &[
            "vector mdivide_left_tri_low(matrix a, vector b)",
            "matrix mdivide_left_tri_low(matrix a, matrix b)",
        ],
        "L⁻¹ b, where L is the lower triangle of a",
        |args| {
            let [_, right] = args else { return None };
            let (n, returned) = square(&args[..1])?;
            let rows = match &right.ty.shape {
                Shape::Vector(rows) | Shape::Matrix(rows, _) if right.ty.array.is_empty() => rows,
                _ => return None,
            };
            Some(Returned { ty: right.ty.clone(), ..returned }.equal((0, &n), (1, rows)))
        },
        |b, args, _| b.solve_lower(args[0], args[1], false),
    ),
    by_ops(
        "mdivide_right_tri_low",
        &[
            "row_vector mdivide_right_tri_low(row_vector b, matrix a)",
            "matrix mdivide_right_tri_low(matrix b, matrix a)",
        ],
        "b L⁻¹, where L is the lower triangle of a",
        |args| {
            let [left, a] = args else { return None };
            let (n, columns) = matrix_dims(&a.ty)?;
            let last = match &left.ty.shape {
                Shape::RowVector(last) | Shape::Matrix(_, last) if left.ty.array.is_empty() => last,
                _ => return None,
            };
            let returned = Returned::from(left.ty.clone()).equal((1, n), (1, columns));
            Some(returned.equal((0, last), (1, n)))
        },
        |b, args, _| {
            if b.rank(args[0]) == 1 {
                return b.solve_lower(args[1], args[0], true);
            }
            let right = b.transpose(args[0]);
            let solved = b.solve_lower(args[1], right, true);
            b.transpose(solved)
        },
    ),
    by_ops(
        "cholesky_decompose",
        &["matrix cholesky_decompose(matrix x)"],
        "The lower-triangular L with positive diagonal and L L' = x",
        |args| square(args).map(|(_, returned)| returned),
        |b, args, _| decompose::cholesky(b, args[0]),
    ),
    by_ops(
        "inverse",
        &["matrix inverse(matrix x)"],
        "x⁻¹",
        |args| square(args).map(|(_, returned)| returned),
        |b, args, _| decompose::inverse(b, args[0]),
    ),
    by_ops(
        "log_determinant",
        &["real log_determinant(matrix x)"],
        "ln |det x|",
        square_to_real,
        |b, args, _| decompose::log_abs_det(b, args[0]),
    ),
    by_ops(
        "columns_dot_product",
        &["row_vector columns_dot_product(matrix x, matrix y)"],
        "The dot product of each column of x with that of y",
        |args| {
            let [x, y] = args else { return None };
            let ((_, columns), _) = (matrix_dims(&x.ty)?, matrix_dims(&y.ty)?);
            Some(Returned::from(row_vector(columns)).same_sizes(args, 0, 1))
        },
        |b, args, _| b.contract(args[0], &[1, 0], args[1], &[1, 0], 1),
    ),
    by_ops(
        "rows_dot_product",
        &["vector rows_dot_product(matrix x, matrix y)"],
        "The dot product of each row of x with that of y",
        |args| {
            let [x, y] = args else { return None };
            let ((rows, _), _) = (matrix_dims(&x.ty)?, matrix_dims(&y.ty)?);
            Some(Returned::from(vector(rows)).same_sizes(args, 0, 1))
        },
        |b, args, _| b.contract(args[0], &[0, 1], args[1], &[0, 1], 1),
    ),
];

/// The size of a square matrix, and a result of its type that demands that it be square.
fn square(args: &[Argument]) -> Option<(Size, Returned)> {
    let [x] = args else { return None };
    let (rows, columns) = matrix_dims(&x.ty)?;
    let returned = Returned::from(x.ty.clone()).equal((0, rows), (0, columns));
    Some((rows.clone(), returned))
}

/// A number of a square matrix.
pub fn square_to_real(args: &[Argument]) -> Option<Returned> {
    square(args).map(|(_, square)| Returned { ty: Type::real(), ..square })
}
