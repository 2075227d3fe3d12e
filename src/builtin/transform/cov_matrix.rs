//! Covariance matrices from Cholesky factors whose diagonal is an exponential (Stan 2.39,
//! `cov_matrix_constrain`).
//!
//! The `K (K + 1) / 2` unconstrained numbers fill the lower triangle `M` row by row, diagonal
//! included; `L` is `M` with `exp` of its diagonal, and `x = L L'`. The log-Jacobian, of the
//! lower triangle of `x`, is `K ln 2 + Σ (K - k + 2) Mₖₖ` with `k` from 1 to `K`.

use crate::builtin::decompose::cholesky;
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::Size;

/// The number of unconstrained numbers of a matrix of `n` rows: with the diagonal, the lower
/// triangle is the strict one of a matrix with one row more.
pub fn n_unconstrained(n: &Size) -> Size {
    Size::strict_triangle(&one_more(n))
}

/// The matrix, `n` × `n`, and the log-Jacobian at an unconstrained vector.
pub fn constrain(b: &mut Builder, y: ValueId, n: &Size) -> (ValueId, ValueId) {
    let wide = b.unpack_strict_lower(y, one_more(n));
    // Without the first row, which is empty, and the last column.
    let rows = b.eye(n.clone(), one_more(n), Size::constant(1));
    let columns = b.eye(n.clone(), one_more(n), Size::constant(0));
    let below_first = b.mat_mul(rows, wide);
    let triangle = b.contract(below_first, &[0, 2], columns, &[1, 2], 2);
    let log_diagonal = b.diagonal(triangle);
    let factor = with_diagonal(b, triangle, log_diagonal, Builder::exp);
    let x = b.contract(factor, &[0, 2], factor, &[1, 2], 2);
    let count = b.size(n);
    let before = b.iota(n.clone());
    let rest = b.sub(count, before);
    let weights = b.offset(rest, 1.0);
    let weighted = b.dot(weights, log_diagonal);
    let of_squares = b.scale(count, std::f64::consts::LN_2);
    (x, b.add(of_squares, weighted))
}

/// The lower triangle of the Cholesky factor, row by row, with the logarithm of its diagonal.
pub fn unconstrain(b: &mut Builder, x: ValueId) -> ValueId {
    let n = b.dims(x)[0].clone();
    let factor = cholesky(b, x);
    let diagonal = b.diagonal(factor);
    let triangle = with_diagonal(b, factor, diagonal, Builder::log);
    let rows = b.eye(n.clone(), one_more(&n), Size::constant(1));
    let columns = b.eye(n.clone(), one_more(&n), Size::constant(0));
    let below_first = b.contract(rows, &[2, 0], triangle, &[2, 1], 2);
    let wide = b.mat_mul(below_first, columns);
    b.pack_strict_lower(wide, n_unconstrained(&n))
}

fn one_more(n: &Size) -> Size {
    n.checked_add(&Size::constant(1)).expect("sizes were checked")
}

/// The matrix with a function of `diagonal` on its diagonal.
fn with_diagonal(
    b: &mut Builder,
    matrix: ValueId,
    diagonal: ValueId,
    of: fn(&mut Builder, ValueId) -> ValueId,
) -> ValueId {
    let n = b.dims(matrix)[0].clone();
    let values = of(b, diagonal);
    let on_diagonal = b.diagonal_matrix(values);
    let eye = b.eye(n.clone(), n, Size::constant(0));
    b.select(eye, on_diagonal, matrix)
}
