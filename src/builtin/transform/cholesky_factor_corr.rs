//! Cholesky factors of correlation matrices from canonical partial correlations
//! (Lewandowski, Kurowicka and Joe 2009; Stan reference manual, "Cholesky factors of
//! correlation matrices").
//!
//! With `z = tanh y` filled row by row below the diagonal,
//! `Lᵢⱼ = zᵢⱼ sᵢⱼ` for `j < i` and `Lᵢᵢ = sᵢᵢ`, where `sᵢⱼ = √∏_{k<j} (1 - zᵢₖ²)`.
//! The log-Jacobian is `Σ_{j<i} [ln(1 - zᵢⱼ²) + ln sᵢⱼ]`.

use crate::ir::build::Builder;
use crate::ir::op::{UnaryOp, ValueId};
use crate::ty::Size;

/// The factor, `n` × `n`, and the log-Jacobian at an unconstrained vector.
pub fn constrain(b: &mut Builder, y: ValueId, n: &Size) -> (ValueId, ValueId) {
    let y = b.unpack_strict_lower(y, n.clone());
    let z = b.tanh(y);
    // ln(1 - tanh² y) = -2 ln cosh y keeps its accuracy far out.
    let log_cosh = b.unary(UnaryOp::LogCosh, y);
    let log_shrink = b.neg(log_cosh);
    let log_s = b.cumulative_sum(log_shrink, 1, true, false);
    let s = b.exp(log_s);
    let eye = b.eye(n.clone(), n.clone(), Size::constant(0));
    let below_and_on = b.add(z, eye);
    let factor = b.mul(below_and_on, s);
    let of_z = b.scale(log_shrink, 2.0);
    let below = strict_lower(b, log_s, n);
    let terms = b.add(of_z, below);
    (factor, b.sum(terms))
}

/// The vector whose factor is `x`: `yᵢⱼ = asinh(xᵢⱼ / √Σ_{k>j} xᵢₖ²)`, as rows have length one.
///
/// This is `atanh(xᵢⱼ / sᵢⱼ)` without the cancellation of `1 - Σ_{k<j} xᵢₖ²`.
pub fn unconstrain(b: &mut Builder, x: ValueId) -> ValueId {
    let n = b.dims(x)[0].clone();
    let squares = b.square(x);
    let after = b.cumulative_sum(squares, 1, true, true);
    let rest = b.sqrt(after);
    let ratio = b.div(x, rest);
    let packed = b.pack_strict_lower(ratio, Size::strict_triangle(&n));
    b.unary(UnaryOp::Asinh, packed)
}

/// Zeros on and above the diagonal.
fn strict_lower(b: &mut Builder, x: ValueId, n: &Size) -> ValueId {
    let packed = b.pack_strict_lower(x, Size::strict_triangle(n));
    b.unpack_strict_lower(packed, n.clone())
}
