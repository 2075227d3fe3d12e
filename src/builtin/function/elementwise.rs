//! Functions of one number: of a container they are the container of the elements' values.

use super::formulas as f;
use super::{Argument, Function, Meaning, Returned};
use crate::ir::op::UnaryOp;
use crate::ty::{Element, Type};

macro_rules! of_one {
    ($($name:literal $returns:ident $is_discontinuous:literal $doc:literal $lower:expr,)*) => {
        [$(Function {
            name: $name,
            signatures: &[concat!("T ", $name, "(T x)")],
            doc: $doc,
            sizes: &[],
            result: $returns,
            is_discontinuous: $is_discontinuous,
            meaning: Meaning::Ops(|b, args, _| {
                let lower: fn(&mut crate::ir::build::Builder, crate::ir::op::ValueId)
                    -> crate::ir::op::ValueId = $lower;
                lower(b, args[0])
            }),
        },)*]
    };
}

/// All of them.
pub static ALL: [Function; 52] = of_one! {
    "exp" reals false "eˣ" |b, x| b.exp(x),
    "expm1" reals false "eˣ - 1" |b, x| b.unary(UnaryOp::Expm1, x),
    "log" reals false "ln x" |b, x| b.log(x),
    "log2" reals false "ln x / ln 2" |b, x| b.unary(UnaryOp::Log2, x),
    "log10" reals false "ln x / ln 10" |b, x| b.unary(UnaryOp::Log10, x),
    "log1p" reals false "ln(1 + x)" |b, x| b.log1p(x),
    "log1m" reals false "ln(1 - x)" f::log1m,
    "log1p_exp" reals false "ln(1 + eˣ)" |b, x| b.log1p_exp(x),
    "log1m_exp" reals false "ln(1 - eˣ), for x < 0" |b, x| b.unary(UnaryOp::Log1mExp, x),
    "sqrt" reals false "√x" |b, x| b.sqrt(x),
    "cbrt" reals false "∛x" |b, x| b.unary(UnaryOp::Cbrt, x),
    "square" reals false "x²" |b, x| b.square(x),
    "inv" reals false "1 / x" |b, x| b.recip(x),
    "inv_sqrt" reals false "1 / √x" |b, x| {
        let root = b.sqrt(x);
        b.recip(root)
    },
    "inv_square" reals false "1 / x²" |b, x| {
        let recip = b.recip(x);
        b.square(recip)
    },
    "logit" reals false "ln(x / (1 - x))" f::logit,
    "inv_logit" reals false "1 / (1 + e⁻ˣ)" |b, x| b.inv_logit(x),
    "log_inv_logit" reals false "-ln(1 + e⁻ˣ)" f::log_inv_logit,
    "log1m_inv_logit" reals false "-ln(1 + eˣ)" f::log1m_inv_logit,
    "cloglog" reals false "ln(-ln(1 - x))" |b, x| {
        let log = f::log1m(b, x);
        let minus = b.neg(log);
        b.log(minus)
    },
    "inv_cloglog" reals false "1 - exp(-eˣ)" |b, x| {
        let rate = b.exp(x);
        let minus = b.neg(rate);
        let survival_less_one = b.unary(UnaryOp::Expm1, minus);
        b.neg(survival_less_one)
    },
    "Phi" reals false "The standard normal distribution function: erfc(-x / √2) / 2"
        |b, x| b.unary(UnaryOp::Phi, x),
    "Phi_approx" reals false "1 / (1 + exp(-0.07056 x³ - 1.5976 x)), near Phi(x)" f::phi_approx,
    "inv_Phi" reals false "The standard normal quantile: Phi(inv_Phi(x)) = x"
        |b, x| b.unary(UnaryOp::InvPhi, x),
    "erf" reals false "2/√π ∫₀ˣ exp(-t²) dt" |b, x| b.unary(UnaryOp::Erf, x),
    "erfc" reals false "1 - erf(x)" |b, x| b.unary(UnaryOp::Erfc, x),
    "sin" reals false "sin x" |b, x| b.unary(UnaryOp::Sin, x),
    "cos" reals false "cos x" |b, x| b.unary(UnaryOp::Cos, x),
    "tan" reals false "sin x / cos x" f::tan,
    "asin" reals false "The angle in [-π/2, π/2] whose sine is x"
        |b, x| b.unary(UnaryOp::Asin, x),
    "acos" reals false "The angle in [0, π] whose cosine is x" |b, x| b.unary(UnaryOp::Acos, x),
    "atan" reals false "The angle in (-π/2, π/2) whose tangent is x"
        |b, x| b.unary(UnaryOp::Atan, x),
    "sinh" reals false "(eˣ - e⁻ˣ) / 2" |b, x| b.unary(UnaryOp::Sinh, x),
    "cosh" reals false "(eˣ + e⁻ˣ) / 2" |b, x| b.unary(UnaryOp::Cosh, x),
    "tanh" reals false "(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)" |b, x| b.tanh(x),
    "asinh" reals false "ln(x + √(x² + 1))" |b, x| b.unary(UnaryOp::Asinh, x),
    "acosh" reals false "ln(x + √(x² - 1)), for x ≥ 1" |b, x| b.unary(UnaryOp::Acosh, x),
    "atanh" reals false "ln((1 + x) / (1 - x)) / 2" |b, x| b.unary(UnaryOp::Atanh, x),
    "lgamma" reals false "ln |Γ(x)|" |b, x| b.lgamma(x),
    "digamma" reals false "d/dx ln Γ(x)" |b, x| b.unary(UnaryOp::Polygamma(0), x),
    "trigamma" reals false "d²/dx² ln Γ(x)" |b, x| b.unary(UnaryOp::Polygamma(1), x),
    "abs" same false "|x|; whole for whole numbers" |b, x| b.unary(UnaryOp::Abs, x),
    "fabs" reals false "|x|" |b, x| b.unary(UnaryOp::Abs, x),
    "exp2" reals false "2ˣ" |b, x| {
        let two = b.real(2.0);
        b.pow(two, x)
    },
    "floor" reals true "The largest whole number that is at most x"
        |b, x| b.unary(UnaryOp::Floor, x),
    "ceil" reals true "The smallest whole number that is at least x"
        |b, x| b.unary(UnaryOp::Ceil, x),
    "round" reals true "The nearest whole number, halves away from zero"
        |b, x| b.unary(UnaryOp::Round, x),
    "trunc" reals true "The whole number next to x towards zero"
        |b, x| b.unary(UnaryOp::Trunc, x),
    "step" reals true "1 from zero on, else 0" f::step,
    "int_step" ints true "1 above zero, else 0" f::int_step,
    "is_nan" ints true "1 where x is not a number, else 0" |b, x| {
        b.binary(crate::ir::op::BinaryOp::NotEqual, x, x)
    },
    "is_inf" ints true "1 where x is infinite, else 0" |b, x| {
        let magnitude = b.unary(UnaryOp::Abs, x);
        let infinity = b.real(f64::INFINITY);
        b.binary(crate::ir::op::BinaryOp::Equal, magnitude, infinity)
    },
};

/// The argument's type, of reals.
fn reals(args: &[Argument]) -> Option<Returned> {
    let [x] = args else { return None };
    Some(Type { element: Element::Real, ..x.ty.clone() }.into())
}

/// The argument's type, of whole numbers: of vectors and matrices there are none.
fn ints(args: &[Argument]) -> Option<Returned> {
    let [x] = args else { return None };
    let is_scalar = x.ty.shape == crate::ty::Shape::Scalar;
    is_scalar.then(|| Type { element: Element::Int, ..x.ty.clone() }.into())
}

/// The argument's type.
fn same(args: &[Argument]) -> Option<Returned> {
    let [x] = args else { return None };
    Some(x.ty.clone().into())
}
