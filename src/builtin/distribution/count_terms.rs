//! Terms that the masses of several counts share.

use super::log_beta::log_beta;
use super::{at_least, inside};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};

/// `ln C(n, k) = -ln(n + 1) - ln B(k + 1, rest + 1)` with `rest = n - k`.
pub fn log_choose(b: &mut Builder, n: ValueId, k: ValueId, rest: ValueId) -> ValueId {
    let [all, chosen, left] = [n, k, rest].map(|m| b.offset(m, 1.0));
    let log_all = b.log(all);
    let log_beta = log_beta(b, chosen, left);
    let sum = b.add(log_all, log_beta);
    b.neg(sum)
}

/// `ln Γ(a + x) - ln Γ(a) - ln x!` of a count and a positive number.
///
/// It is `-ln B(a, x) - ln x`, whose slope in `a` does not cancel for small `a` as that of
/// `ln C(a + x - 1, x)` would; and exactly zero where there is nothing to count.
pub fn log_multichoose(b: &mut Builder, a: ValueId, x: ValueId) -> ValueId {
    let one = b.int(1);
    let zero = b.real(0.0);
    let some = b.binary(BinaryOp::LessEqual, one, x);
    let count = b.binary(BinaryOp::Max, x, one);
    let log_count = b.log(count);
    let log_beta = log_beta(b, a, count);
    let sum = b.add(log_beta, log_count);
    let ways = b.neg(sum);
    b.select(some, ways, zero)
}

/// The logarithm of the negative binomial mass with this shape whose logarithm of
/// `shape / mean` is `log_rate`:
/// `ln Γ(x + shape) - ln Γ(shape) - ln x! - x ln(1 + r) - shape ln(1 + 1/r)`, `r = e^log_rate`.
///
/// As the shape grows and the mean stays, the last term tends to the mean and the others to
/// `x ln mean - ln x!`, each without loss, so the mass tends to Poisson's.
pub fn log_neg_binomial(b: &mut Builder, x: ValueId, shape: ValueId, log_rate: ValueId) -> ValueId {
    let ways = log_multichoose(b, shape, x);
    let of_one = b.log1p_exp(log_rate);
    let of_count = b.mul(x, of_one);
    let minus_log_rate = b.neg(log_rate);
    let of_one = b.log1p_exp(minus_log_rate);
    let of_shape = b.mul(shape, of_one);
    let kernel = b.add(of_count, of_shape);
    let density = b.sub(ways, kernel);
    let is_count = at_least(b, x, 0.0);
    inside(b, is_count, density)
}

/// Whether `0 <= x <= n`, where `rest = n - x`.
pub fn is_part(b: &mut Builder, x: ValueId, rest: ValueId) -> ValueId {
    let some = at_least(b, x, 0.0);
    let not_too_many = at_least(b, rest, 0.0);
    b.mul(some, not_too_many)
}

/// Whether an event of chance (or rate) zero is not said to have happened: `x = 0` wherever
/// `chance = 0`.
pub fn is_possible(b: &mut Builder, x: ValueId, chance: ValueId) -> ValueId {
    let zero = b.real(0.0);
    let never = b.binary(BinaryOp::Equal, chance, zero);
    let happened = b.binary(BinaryOp::NotEqual, x, zero);
    let contradiction = b.mul(never, happened);
    b.unary(UnaryOp::Not, contradiction)
}

/// `value`, but `instead` where it is `bound`: an argument of a function that is infinite at
/// the bound, where its value does not count.
pub fn away_from(b: &mut Builder, value: ValueId, bound: f64, instead: f64) -> ValueId {
    let (bound, instead) = (b.real(bound), b.real(instead));
    let at_bound = b.binary(BinaryOp::Equal, value, bound);
    b.select(at_bound, instead, value)
}
