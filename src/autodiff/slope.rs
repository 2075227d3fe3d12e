//! The table of derivatives of elementwise ops.

use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};

const ONE_OVER_SQRT_TWO_PI: f64 = 0.398_942_280_401_432_7;

/// `dy/dx` for `y = op(x)`; `None` where it is zero.
pub fn unary(b: &mut Builder, op: UnaryOp, x: ValueId, y: ValueId) -> Option<ValueId> {
    Some(match op {
        UnaryOp::Sign
        | UnaryOp::Floor
        | UnaryOp::Ceil
        | UnaryOp::Round
        | UnaryOp::Trunc
        | UnaryOp::Not => return None,
        UnaryOp::Neg => b.real(-1.0),
        UnaryOp::Abs => b.unary(UnaryOp::Sign, x),
        UnaryOp::Exp => y,
        UnaryOp::Expm1 => b.offset(y, 1.0),
        UnaryOp::Log => b.recip(x),
        UnaryOp::Log1p => one_over_one_plus(b, x),
        UnaryOp::Sqrt => half_over(b, y),
        UnaryOp::Square => b.scale(x, 2.0),
        UnaryOp::Recip => minus_square(b, y),
        UnaryOp::Sin => b.unary(UnaryOp::Cos, x),
        UnaryOp::Cos => minus_sin(b, x),
        UnaryOp::Atan => one_over_one_plus_square(b, x),
        UnaryOp::Tanh => one_minus_square(b, y),
        UnaryOp::InvLogit => logistic_slope(b, y),
        UnaryOp::Log1pExp => b.inv_logit(x),
        UnaryOp::LogCosh => b.tanh(x),
        UnaryOp::Lgamma => b.unary(UnaryOp::Polygamma(0), x),
        UnaryOp::Polygamma(n) => b.unary(UnaryOp::Polygamma(n + 1), x),
        UnaryOp::Phi => normal_density(b, x),
        UnaryOp::LogPhi(n) => b.unary(UnaryOp::LogPhi(n + 1), x),
    })
}

/// `dy/da` and `dy/dc` for `y = op(a, c)`; `None` where it is zero.
pub fn binary(
    b: &mut Builder,
    op: BinaryOp,
    a: ValueId,
    c: ValueId,
    y: ValueId,
) -> [Option<ValueId>; 2] {
    match op {
        BinaryOp::Add => [Some(b.real(1.0)), Some(b.real(1.0))],
        BinaryOp::Sub => [Some(b.real(1.0)), Some(b.real(-1.0))],
        BinaryOp::Mul => [Some(c), Some(a)],
        BinaryOp::Div => {
            let recip = b.recip(c);
            let minus_ratio = b.neg(y);
            [Some(recip), Some(b.mul(minus_ratio, recip))]
        }
        BinaryOp::Pow => [Some(power_in_base(b, a, c)), Some(power_in_exponent(b, a, y))],
        BinaryOp::Min => choice(b, a, c),
        BinaryOp::Max => choice(b, c, a),
        BinaryOp::Partial(f, i, j) => {
            let in_first = b.binary(BinaryOp::Partial(f, i + 1, j), a, c);
            [Some(in_first), Some(b.binary(BinaryOp::Partial(f, i, j + 1), a, c))]
        }
        BinaryOp::IntDiv
        | BinaryOp::Rem
        | BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessEqual => [None, None],
    }
}

fn one_over_one_plus(b: &mut Builder, x: ValueId) -> ValueId {
    let sum = b.offset(x, 1.0);
    b.recip(sum)
}

fn half_over(b: &mut Builder, y: ValueId) -> ValueId {
    let recip = b.recip(y);
    b.scale(recip, 0.5)
}

fn minus_square(b: &mut Builder, y: ValueId) -> ValueId {
    let square = b.square(y);
    b.neg(square)
}

fn minus_sin(b: &mut Builder, x: ValueId) -> ValueId {
    let sin = b.unary(UnaryOp::Sin, x);
    b.neg(sin)
}

fn one_over_one_plus_square(b: &mut Builder, x: ValueId) -> ValueId {
    let square = b.square(x);
    one_over_one_plus(b, square)
}

fn one_minus_square(b: &mut Builder, y: ValueId) -> ValueId {
    let square = b.square(y);
    let minus = b.neg(square);
    b.offset(minus, 1.0)
}

fn logistic_slope(b: &mut Builder, y: ValueId) -> ValueId {
    let minus = b.neg(y);
    let rest = b.offset(minus, 1.0);
    b.mul(y, rest)
}

fn normal_density(b: &mut Builder, x: ValueId) -> ValueId {
    let square = b.square(x);
    let exponent = b.scale(square, -0.5);
    let kernel = b.exp(exponent);
    b.scale(kernel, ONE_OVER_SQRT_TWO_PI)
}

/// `c aᶜ⁻¹`, and 0 at `a = 0` for `c < 1`, where it has no limit.
fn power_in_base(b: &mut Builder, a: ValueId, c: ValueId) -> ValueId {
    let less_one = b.offset(c, -1.0);
    let power = b.pow(a, less_one);
    let slope = b.mul(c, power);
    if b.constant(c).is_some_and(|c| c >= 1.0) {
        return slope;
    }
    let zero = b.real(0.0);
    let one = b.real(1.0);
    let at_zero = b.binary(BinaryOp::Equal, a, zero);
    let below_one = b.binary(BinaryOp::Less, c, one);
    let both = b.mul(at_zero, below_one);
    b.select(both, zero, slope)
}

/// `y ln a`, and 0 at `a = 0`, its limit for positive exponents.
fn power_in_exponent(b: &mut Builder, a: ValueId, y: ValueId) -> ValueId {
    let log = b.log(a);
    let slope = b.mul(y, log);
    let zero = b.real(0.0);
    let at_zero = b.binary(BinaryOp::Equal, a, zero);
    b.select(at_zero, zero, slope)
}

/// Slopes of the op that returns `a` where `a <= c`, else `c`.
fn choice(b: &mut Builder, a: ValueId, c: ValueId) -> [Option<ValueId>; 2] {
    let first = b.binary(BinaryOp::LessEqual, a, c);
    let second = b.unary(UnaryOp::Not, first);
    [Some(first), Some(second)]
}
