//! The LKJ distribution over Cholesky factors of correlation matrices (Lewandowski,
//! Kurowicka and Joe 2009), density `∝ |L Lᵀ|^(eta - 1)` in the matrix.

use super::{Distribution, Outcome, Param, ParamKind};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;

const HALF_LN_PI: f64 = 0.572_364_942_924_700_1;

/// The LKJ distribution over Cholesky factors of correlation matrices.
pub static LKJ_CORR_CHOLESKY: Distribution = Distribution {
    name: "lkj_corr_cholesky",
    outcome: Outcome::CholeskyFactorCorr,
    params: &[Param { name: "eta", kind: ParamKind::PositiveScalar }],
    formula: "Σᵢ (n - i + 2 eta - 2) ln Lᵢᵢ over i = 2 … n, less its normalising constant",
    log_density,
    cdfs: None,
    sample: None,
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
/// (their equation 16, as a density of the factor); at `k = 0` the term is zero.
fn log_normaliser(b: &mut Builder, k: ValueId, size: ValueId, eta: ValueId) -> ValueId {
    let half_size = b.scale(size, 0.5);
    let shifted = b.add(eta, half_size);
    let highest = b.offset(shifted, -0.5);
    let half_k = b.scale(k, 0.5);
    let arguments = b.sub(highest, half_k);
    let gammas = b.lgamma(arguments);
    let highest_gamma = b.lgamma(highest);
    let differences = b.sub(gammas, highest_gamma);
    let powers = b.scale(k, HALF_LN_PI);
    let terms = b.add(powers, differences);
    b.sum(terms)
}
