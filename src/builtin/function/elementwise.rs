//! Scalar functions: of a container they are the container of the elements' values.

use super::Function;
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};
use crate::ty::{Element, Type};

macro_rules! unary {
    ($($name:literal $is_discontinuous:literal $lower:expr,)*) => {
        [$(Function {
            name: $name,
            signatures: &[concat!("T ", $name, "(T x)")],
            result: real_like,
            is_discontinuous: $is_discontinuous,
            lower: |b, args| {
                let lower: fn(&mut Builder, ValueId) -> ValueId = $lower;
                lower(b, args[0])
            },
        },)*]
    };
}

/// Functions of one number.
pub static UNARY: [Function; 27] = unary! {
    "exp" false |b, x| b.exp(x),
    "expm1" false |b, x| b.unary(UnaryOp::Expm1, x),
    "log" false |b, x| b.log(x),
    "log1p" false |b, x| b.log1p(x),
    "log1m" false log1m,
    "log1p_exp" false |b, x| b.log1p_exp(x),
    "sqrt" false |b, x| b.sqrt(x),
    "square" false |b, x| b.square(x),
    "inv" false |b, x| b.recip(x),
    "logit" false logit,
    "inv_logit" false |b, x| b.inv_logit(x),
    "log_inv_logit" false log_inv_logit,
    "log1m_inv_logit" false log1m_inv_logit,
    "Phi" false |b, x| b.unary(UnaryOp::Phi, x),
    "sin" false |b, x| b.unary(UnaryOp::Sin, x),
    "cos" false |b, x| b.unary(UnaryOp::Cos, x),
    "tan" false tan,
    "atan" false |b, x| b.unary(UnaryOp::Atan, x),
    "tanh" false |b, x| b.tanh(x),
    "lgamma" false |b, x| b.lgamma(x),
    "digamma" false |b, x| b.unary(UnaryOp::Polygamma(0), x),
    "abs" false |b, x| b.unary(UnaryOp::Abs, x),
    "floor" true |b, x| b.unary(UnaryOp::Floor, x),
    "ceil" true |b, x| b.unary(UnaryOp::Ceil, x),
    "round" true |b, x| b.unary(UnaryOp::Round, x),
    "trunc" true |b, x| b.unary(UnaryOp::Trunc, x),
    "step" true step,
};

/// Functions of two or three numbers.
pub static OTHERS: [Function; 4] = [
    Function {
        name: "pow",
        signatures: &["T pow(T x, T y)"],
        result: |args| if args.len() == 2 { joined(args, Element::Real) } else { None },
        is_discontinuous: false,
        lower: |b, args| b.pow(args[0], args[1]),
    },
    Function {
        name: "fmin",
        signatures: &["T fmin(T x, T y)"],
        result: |args| if args.len() == 2 { joined(args, Element::Real) } else { None },
        is_discontinuous: false,
        lower: |b, args| b.binary(BinaryOp::Min, args[0], args[1]),
    },
    Function {
        name: "fmax",
        signatures: &["T fmax(T x, T y)"],
        result: |args| if args.len() == 2 { joined(args, Element::Real) } else { None },
        is_discontinuous: false,
        lower: |b, args| b.binary(BinaryOp::Max, args[0], args[1]),
    },
    Function {
        name: "fma",
        signatures: &["T fma(T x, T y, T z)"],
        result: |args| if args.len() == 3 { joined(args, Element::Real) } else { None },
        is_discontinuous: false,
        lower: |b, args| {
            let product = b.mul(args[0], args[1]);
            b.add(product, args[2])
        },
    },
];

/// The argument's type, of reals.
fn real_like(args: &[Type]) -> Option<Type> {
    if args.len() == 1 { joined(args, Element::Real) } else { None }
}

/// The type of a container among scalars and containers of one kind.
fn joined(args: &[Type], element: Element) -> Option<Type> {
    let container = args.iter().find(|ty| !ty.is_scalar());
    let Some(container) = container else {
        return Some(Type { element, ..Type::real() });
    };
    let fits = |ty: &Type| ty.is_scalar() || ty.dims().len() == container.dims().len();
    args.iter().all(fits).then(|| Type { element, ..container.clone() })
}

/// `ln(1 - x)`
fn log1m(b: &mut Builder, x: ValueId) -> ValueId {
    let minus = b.neg(x);
    b.log1p(minus)
}

/// `ln(x / (1 - x))`
fn logit(b: &mut Builder, x: ValueId) -> ValueId {
    let log = b.log(x);
    let log_rest = log1m(b, x);
    b.sub(log, log_rest)
}

/// `-ln(1 + e⁻ˣ)`
fn log_inv_logit(b: &mut Builder, x: ValueId) -> ValueId {
    let minus = b.neg(x);
    let log = b.log1p_exp(minus);
    b.neg(log)
}

/// `-ln(1 + eˣ)`
fn log1m_inv_logit(b: &mut Builder, x: ValueId) -> ValueId {
    let log = b.log1p_exp(x);
    b.neg(log)
}

fn tan(b: &mut Builder, x: ValueId) -> ValueId {
    let sin = b.unary(UnaryOp::Sin, x);
    let cos = b.unary(UnaryOp::Cos, x);
    b.div(sin, cos)
}

/// 1 from zero on, else 0.
fn step(b: &mut Builder, x: ValueId) -> ValueId {
    let zero = b.real(0.0);
    b.binary(BinaryOp::LessEqual, zero, x)
}
