//! What distribution functions share: outcomes outside the support, and the logarithms of
//! `1 - e⁻ᵘ` and of incomplete gamma functions.

use std::f64::consts::LN_2;

use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};

use super::support::guarded;

/// `ln Φ(x)`
pub fn log_phi(b: &mut Builder, x: ValueId) -> ValueId {
    b.unary(UnaryOp::LogPhi(0), x)
}

/// `ln P(X <= x)` of a distribution over numbers above zero: `-inf` unless `x` is `inside`.
pub fn lower_inside(b: &mut Builder, inside: ValueId, log: ValueId) -> ValueId {
    super::support::inside(b, inside, log)
}

/// `ln P(X > x)`: zero below the support.
pub fn upper_inside(b: &mut Builder, inside: ValueId, log: ValueId) -> ValueId {
    let certain = b.real(0.0);
    b.select(inside, log, certain)
}

/// Coefficients of `u², u⁴, …` in `ln((1 - e⁻ᵘ) / u) = -u/2 + u²/24 - u⁴/2880 + …`, that is
/// `B₂ₖ / (2k (2k)!)` with the Bernoulli numbers.
const LOG_EXPM1_SERIES: [f64; 7] = [
    1.0 / 24.0,
    -1.0 / 2880.0,
    1.0 / 181_440.0,
    -1.0 / 9_676_800.0,
    1.0 / 479_001_600.0,
    -691.0 / 15_692_092_416_000.0,
    1.0 / 1_046_139_494_400.0,
];

/// `ln(1 - e⁻ᵘ)` for `u >= 0`, given `ln u` as well, so that no tiny `u` is lost to underflow.
pub fn log_one_minus_exp(b: &mut Builder, u: ValueId, log_u: ValueId) -> ValueId {
    let bound = b.real(LN_2);
    let is_small = b.binary(BinaryOp::Less, u, bound);
    let small = guarded(b, is_small, u, 0.5);
    let zero = b.real(0.0);
    let log_small = b.select(is_small, log_u, zero);
    let square = b.square(small);
    let mut series = b.real(LOG_EXPM1_SERIES[6]);
    for coefficient in LOG_EXPM1_SERIES[..6].iter().rev() {
        let higher = b.mul(series, square);
        series = b.offset(higher, *coefficient);
    }
    let even = b.mul(series, square);
    let odd = b.scale(small, -0.5);
    let correction = b.add(odd, even);
    let of_small = b.add(log_small, correction);
    let one = b.real(1.0);
    let large = b.select(is_small, one, u);
    let minus = b.neg(large);
    let exp = b.exp(minus);
    let minus_exp = b.neg(exp);
    let of_large = b.log1p(minus_exp);
    b.select(is_small, of_small, of_large)
}
