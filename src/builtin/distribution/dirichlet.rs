//! The Dirichlet distribution over probabilities with concentrations `alpha`.

use super::log_beta::log_beta;
use super::{Distribution, Outcome, Param, ParamKind, VectorSupport, at_least, draw, inside};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};

/// How far from one a sum of probabilities may be.
const TOLERANCE: f64 = 1e-8;

/// The Dirichlet distribution over probabilities with concentrations `alpha`.
pub static DIRICHLET: Distribution = Distribution {
    name: "dirichlet",
    outcome: Outcome::Vector(VectorSupport::Simplex),
    params: &[Param { name: "alpha", kind: ParamKind::PositiveVector }],
    formula: "Σ (alpha[k] - 1) ln x[k] + ln Γ(Σ alpha[k]) - Σ ln Γ(alpha[k])",
    log_density,
    cdfs: None,
    sample: |stream, args, out| draw::shares(stream, args[0], out),
};

/// `Σ (alpha[k] - 1) ln x[k] + ln Γ(Σ alpha[k]) - Σ ln Γ(alpha[k])`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[alpha] = args else { unreachable!("the checker counts arguments") };
    let (zero, one) = (b.real(0.0), b.real(1.0));
    let exponents = b.offset(alpha, -1.0);
    // A probability of zero counts for nothing where its exponent is zero; less than zero is
    // outside.
    let is_flat = b.binary(BinaryOp::Equal, exponents, zero);
    let is_zero = b.binary(BinaryOp::Equal, x, zero);
    let does_not_count = b.mul(is_flat, is_zero);
    let chances = b.select(does_not_count, one, x);
    let not_negative = at_least(b, x, 0.0);
    let chances = b.select(not_negative, chances, one);
    let logs = b.log(chances);
    let terms = b.mul(exponents, logs);
    let kernel = b.sum(terms);
    let constant = log_normaliser(b, alpha);
    let density = b.sub(kernel, constant);
    let is_inside = is_simplex(b, x, not_negative);
    inside(b, is_inside, density)
}

/// `Σ ln Γ(alpha[k]) - ln Γ(Σ alpha[k]) = Σ ln B(alpha[1] + … + alpha[k - 1], alpha[k])` over
/// `k > 1`, which loses no digits where one concentration is large.
fn log_normaliser(b: &mut Builder, alpha: ValueId) -> ValueId {
    let zero = b.int(0);
    let position = b.iota(b.dims(alpha)[0].clone());
    let is_first = b.binary(BinaryOp::Equal, position, zero);
    let before = b.cumulative_sum(alpha, 0, true, false);
    // Nothing stands before the first.
    let (nothing, one) = (b.real(0.0), b.real(1.0));
    let before = b.select(is_first, one, before);
    let terms = log_beta(b, before, alpha);
    let terms = b.select(is_first, nothing, terms);
    b.sum(terms)
}

/// Whether no element is negative and their sum is one.
fn is_simplex(b: &mut Builder, x: ValueId, not_negative: ValueId) -> ValueId {
    let negative = b.unary(UnaryOp::Not, not_negative);
    let n_negative = b.sum(negative);
    let none_is = b.unary(UnaryOp::Not, n_negative);
    let sum = b.sum(x);
    let less_one = b.offset(sum, -1.0);
    let off = b.unary(UnaryOp::Abs, less_one);
    let tolerance = b.real(TOLERANCE);
    let is_one = b.binary(BinaryOp::LessEqual, off, tolerance);
    b.mul(none_is, is_one)
}
