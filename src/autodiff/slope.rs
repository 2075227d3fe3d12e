//! The table of derivatives of elementwise ops.

use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};

const ONE_OVER_SQRT_TWO_PI: f64 = 0.398_942_280_401_432_7;
const SQRT_TWO_PI: f64 = 2.506_628_274_631_000_7;
const TWO_OVER_SQRT_PI: f64 = std::f64::consts::FRAC_2_SQRT_PI;

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
        UnaryOp::InvPhi => one_over_normal_density(b, y),
        UnaryOp::Erf => error_density(b, x, TWO_OVER_SQRT_PI),
        UnaryOp::Erfc => error_density(b, x, -TWO_OVER_SQRT_PI),
        UnaryOp::Log1mExp => minus_one_over_expm1_of_minus(b, x),
        UnaryOp::Log2 => scaled_recip(b, x, std::f64::consts::LOG2_E),
        UnaryOp::Log10 => scaled_recip(b, x, std::f64::consts::LOG10_E),
        UnaryOp::Cbrt => third_over_square(b, y),
        UnaryOp::Asin => one_over_root_of_one_minus_square(b, x),
        UnaryOp::Acos => {
            let slope = one_over_root_of_one_minus_square(b, x);
            b.neg(slope)
        }
        UnaryOp::Sinh => b.unary(UnaryOp::Cosh, x),
        UnaryOp::Cosh => b.unary(UnaryOp::Sinh, x),
        UnaryOp::Asinh => one_over_root_of_square_plus_one(b, x),
        UnaryOp::Acosh => one_over_root_of_square_minus_one(b, x),
        UnaryOp::Atanh => {
            let product = one_minus_square_of(b, x);
            b.recip(product)
        }
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
        BinaryOp::Pow => [Some(power_in_base(b, a, c)), Some(power_in_exponent(b, a, c))],
        BinaryOp::Min => choice(b, a, c),
        BinaryOp::Max => choice(b, c, a),
        BinaryOp::Atan2 => {
            let (square_a, square_c) = (b.square(a), b.square(c));
            let norm = b.add(square_a, square_c);
            let minus_a = b.neg(a);
            [Some(b.div(c, norm)), Some(b.div(minus_a, norm))]
        }
        BinaryOp::Hypot => [Some(share_of_length(b, a, y)), Some(share_of_length(b, c, y))],
        BinaryOp::LogBeta => {
            let sum = b.add(a, c);
            let of_sum = b.unary(UnaryOp::Polygamma(0), sum);
            let slope = |b: &mut Builder, x: ValueId| {
                let of_x = b.unary(UnaryOp::Polygamma(0), x);
                b.sub(of_x, of_sum)
            };
            [Some(slope(b, a)), Some(slope(b, c))]
        }
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

/// `√2π exp(y²/2)`
fn one_over_normal_density(b: &mut Builder, y: ValueId) -> ValueId {
    let square = b.square(y);
    let exponent = b.scale(square, 0.5);
    let inverse = b.exp(exponent);
    b.scale(inverse, SQRT_TWO_PI)
}

fn error_density(b: &mut Builder, x: ValueId, scale: f64) -> ValueId {
    let square = b.square(x);
    let exponent = b.neg(square);
    let kernel = b.exp(exponent);
    b.scale(kernel, scale)
}

/// `-1 / (e⁻ˣ - 1)`
fn minus_one_over_expm1_of_minus(b: &mut Builder, x: ValueId) -> ValueId {
    let minus = b.neg(x);
    let growth = b.unary(UnaryOp::Expm1, minus);
    let recip = b.recip(growth);
    b.neg(recip)
}

fn scaled_recip(b: &mut Builder, x: ValueId, scale: f64) -> ValueId {
    let recip = b.recip(x);
    b.scale(recip, scale)
}

/// `1 / (3y²)`
fn third_over_square(b: &mut Builder, y: ValueId) -> ValueId {
    let square = b.square(y);
    scaled_recip(b, square, 1.0 / 3.0)
}

/// `(1 - x)(1 + x)`, which loses nothing near one.
fn one_minus_square_of(b: &mut Builder, x: ValueId) -> ValueId {
    let minus = b.neg(x);
    let below = b.offset(minus, 1.0);
    let above = b.offset(x, 1.0);
    b.mul(below, above)
}

fn one_over_root_of_one_minus_square(b: &mut Builder, x: ValueId) -> ValueId {
    let product = one_minus_square_of(b, x);
    let root = b.sqrt(product);
    b.recip(root)
}

fn one_over_root_of_square_plus_one(b: &mut Builder, x: ValueId) -> ValueId {
    let one = b.real(1.0);
    let root = b.binary(BinaryOp::Hypot, x, one);
    b.recip(root)
}

/// `1 / (√(x - 1) √(x + 1))`
fn one_over_root_of_square_minus_one(b: &mut Builder, x: ValueId) -> ValueId {
    let below = b.offset(x, -1.0);
    let above = b.offset(x, 1.0);
    let (below, above) = (b.sqrt(below), b.sqrt(above));
    let product = b.mul(below, above);
    b.recip(product)
}

/// `x / length`, and 0 where the length is: the slopes of `√(x² + z²)` have no limit there.
fn share_of_length(b: &mut Builder, x: ValueId, length: ValueId) -> ValueId {
    let (zero, one) = (b.real(0.0), b.real(1.0));
    let is_zero = b.binary(BinaryOp::Equal, length, zero);
    let divisor = b.select(is_zero, one, length);
    b.div(x, divisor)
}

/// `c aᶜ⁻¹`, and 0 at `a = 0` for `c < 1`, where it has no limit. The power there is of
/// another number, so that further derivatives are not of an infinite one.
fn power_in_base(b: &mut Builder, a: ValueId, c: ValueId) -> ValueId {
    let less_one = b.offset(c, -1.0);
    if b.constant(c).is_some_and(|c| c >= 1.0) {
        let power = b.pow(a, less_one);
        return b.mul(c, power);
    }
    let (zero, one) = (b.real(0.0), b.real(1.0));
    let at_zero = b.binary(BinaryOp::Equal, a, zero);
    let below_one = b.binary(BinaryOp::Less, c, one);
    let is_singular = b.mul(at_zero, below_one);
    let base = b.select(is_singular, one, a);
    let power = b.pow(base, less_one);
    let slope = b.mul(c, power);
    b.select(is_singular, zero, slope)
}

/// `aᶜ ln a`, and 0 at `a = 0`, its limit for positive exponents.
fn power_in_exponent(b: &mut Builder, a: ValueId, c: ValueId) -> ValueId {
    let (zero, one) = (b.real(0.0), b.real(1.0));
    let at_zero = b.binary(BinaryOp::Equal, a, zero);
    let base = b.select(at_zero, one, a);
    let power = b.pow(base, c);
    let log = b.log(base);
    let slope = b.mul(power, log);
    b.select(at_zero, zero, slope)
}

/// Slopes of the op that returns `a` where `a <= c`, else `c`.
fn choice(b: &mut Builder, a: ValueId, c: ValueId) -> [Option<ValueId>; 2] {
    let first = b.binary(BinaryOp::LessEqual, a, c);
    let second = b.unary(UnaryOp::Not, first);
    [Some(first), Some(second)]
}
