//! Vectors of positive numbers whose sum is one, by the inverse of the isometric log-ratio
//! transform (Egozcue et al. 2003; Stan 2.39, `simplex_constrain`).
//!
//! With `wⱼ = yⱼ / √(j (j + 1))` for `j` from 1 to `K - 1`, the vector
//! `zₖ = Σ_{j≥k} wⱼ - (k - 1) wₖ₋₁` has sum zero, and `x = softmax z`. The log-Jacobian, of the
//! first `K - 1` elements, is `½ ln K - K ln Σ exp zₖ`.

use super::shift::shifted;
use crate::builtin::function::{log_sum_exp, softmax};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::Size;

/// The simplexes along the last axis, of size `n`, and the log-Jacobian.
pub fn constrain(b: &mut Builder, y: ValueId, n: &Size) -> (ValueId, ValueId) {
    let last = b.rank(y) as u8 - 1;
    let (numbers, norms) = numbers_and_norms(b, y);
    let w = b.div(y, norms);
    let sums = b.cumulative_sum(w, last, false, true);
    let multiples = b.mul(w, numbers);
    let from_sums = shifted(b, sums, n, Size::constant(0));
    let from_before = shifted(b, multiples, n, Size::constant(1));
    let z = b.sub(from_sums, from_before);
    let x = softmax(b, z);
    let kept: Vec<u8> = (0..last).collect();
    let log_total = log_sum_exp(b, z, &kept);
    let n = b.size(n);
    let product = b.mul(log_total, n);
    let log_n = b.log(n);
    let half = b.scale(log_n, 0.5);
    let log_jacobian = b.sub(half, product);
    (x, b.sum(log_jacobian))
}

/// `yⱼ = (Σ_{k≤j} ln xₖ - j ln xⱼ₊₁) / √(j (j + 1))`
pub fn unconstrain(b: &mut Builder, x: ValueId) -> ValueId {
    let last = b.rank(x) as u8 - 1;
    let length = super::less_one(&b.dims(x)[usize::from(last)]);
    let logs = b.log(x);
    let sums = b.cumulative_sum(logs, last, false, false);
    let sums = shifted(b, sums, &length, Size::constant(0));
    let next = shifted(b, logs, &length, Size::constant(-1));
    let (numbers, norms) = numbers_and_norms(b, sums);
    let multiples = b.mul(next, numbers);
    let difference = b.sub(sums, multiples);
    b.div(difference, norms)
}

/// `j` and `√(j (j + 1))` along the last axis, repeated along the others.
fn numbers_and_norms(b: &mut Builder, like: ValueId) -> (ValueId, ValueId) {
    let dims = b.dims(like).to_vec();
    let (last, n) = (dims.len() - 1, dims[dims.len() - 1].clone());
    let before = b.iota(n);
    let numbers = b.offset(before, 1.0);
    let after = b.offset(before, 2.0);
    let product = b.mul(numbers, after);
    let norms = b.sqrt(product);
    let mut along = |v: ValueId| b.broadcast(v, &[last as u8], &dims);
    (along(numbers), along(norms))
}
