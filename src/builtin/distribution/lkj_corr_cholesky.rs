//! The LKJ distribution over Cholesky factors of correlation matrices (Lewandowski,
//! Kurowicka and Joe 2009), density `∝ |L Lᵀ|^(eta - 1)` in the matrix.

use super::log_beta::log_beta;
use super::{Distribution, Outcome, Param, ParamKind, draw};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;

const HALF_LN_PI: f64 = 0.572_364_942_924_700_1;

/// The LKJ distribution over Cholesky factors of correlation matrices.
pub static LKJ_CORR_CHOLESKY: Distribution = Distribution {
    name: "lkj_corr_cholesky",
    outcome: Outcome::CholeskyFactorCorr,
    params: &[Param { name: "eta", kind: ParamKind::PositiveScalar }],
    formula: "Σᵢ (n - i + 2 eta - 2) ln Lᵢᵢ over i = 2 … n, less its normalising constant",
    log_density,
    cdfs: None,
    sample,
};

/// `Σᵢ (n - i + 2 eta - 2) ln Lᵢᵢ` over `i = 2 … n`, less the constant.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[eta] = args else { unreachable!("the checker counts arguments") };
    let n = b.dims(x)[0].clone();
    let size = b.size(&n);
    let row = b.iota(n);
    let diagonal = b.diagonal(x);
    let logs = b.log(diagonal);
    // Counted from zero, row i has the exponent n - i - 1 + 2 eta - 2; row 0 is always 1.
    let twice_eta = b.scale(eta, 2.0);
    let less_three = b.offset(twice_eta, -3.0);
    let first = b.add(size, less_three);
    let exponents = b.sub(first, row);
    let kernel = b.dot(exponents, logs);
    let constant = log_normaliser(b, row, size, eta);
    b.sub(kernel, constant)
}

/// `Σₖ [k/2 · ln π + ln Γ(eta + (n - 1 - k)/2) - ln Γ(eta + (n - 1)/2)]` over `k = 1 … n - 1`
/// (their equation 16, as a density of the factor). The difference of gamma functions is
/// `ln B(eta + (n - 1 - k)/2, k/2) - ln Γ(k/2)`, which keeps its digits for large `eta`.
fn log_normaliser(b: &mut Builder, k: ValueId, size: ValueId, eta: ValueId) -> ValueId {
    let (zero, one) = (b.real(0.0), b.real(1.0));
    let half_size = b.scale(size, 0.5);
    let shifted = b.add(eta, half_size);
    let highest = b.offset(shifted, -0.5);
    let half_k = b.scale(k, 0.5);
    let lower = b.sub(highest, half_k);
    // At k = 0 the term is zero, whatever stands in its place.
    let half_k = b.select(k, half_k, one);
    let lower = b.select(k, lower, one);
    let log_beta = log_beta(b, lower, half_k);
    let log_gamma = b.lgamma(half_k);
    let differences = b.sub(log_beta, log_gamma);
    let powers = b.scale(k, HALF_LN_PI);
    let terms = b.add(powers, differences);
    let terms = b.select(k, terms, zero);
    b.sum(terms)
}

/// Rows are independent: left of the diagonal, row i points anywhere in i dimensions (from
/// zero), and its squared length has the beta distribution with `i / 2` and
/// `eta + (n - 1 - i) / 2` (the onion method of the same paper).
fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let eta = args[0][0];
    let n = out.len().isqrt();
    out.fill(0.0);
    for (i, row) in out.chunks_mut(n.max(1)).enumerate() {
        if i == 0 {
            row[0] = if eta > 0.0 { 1.0 } else { f64::NAN };
            continue;
        }
        let mut squares = [0.0; 2];
        let shapes = [i as f64 / 2.0, eta + (n - 1 - i) as f64 / 2.0];
        draw::shares(stream, &shapes, &mut squares);
        stream.normals(&mut row[..i]);
        let length = row[..i].iter().map(|x| x * x).sum::<f64>().sqrt();
        row[..i].iter_mut().for_each(|x| *x *= squares[0].sqrt() / length);
        row[i] = squares[1].sqrt();
    }
}
