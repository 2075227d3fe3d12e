//! Functions of two or three numbers, which work elementwise: numbers go with containers.

use super::formulas as f;
use super::{Argument, Function, Lower, Meaning, Returned, Types};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::ty::{Element, Shape, Type};

const fn of_two(
    name: &'static str,
    signatures: &'static [&'static str],
    doc: &'static str,
    lower: Lower,
) -> Function {
    Function {
        name,
        signatures,
        doc,
        sizes: &[],
        result: |args| if args.len() == 2 { joined(args) } else { None },
        is_discontinuous: false,
        meaning: Meaning::Ops(lower),
    }
}

/// All of them.
pub static ALL: [Function; 12] = [
    of_two("pow", &["T pow(T x, T y)"], "xʸ", |b, args, _| b.pow(args[0], args[1])),
    of_two("fmin", &["T fmin(T x, T y)"], "The smaller of two numbers", |b, args, _| {
        b.binary(BinaryOp::Min, args[0], args[1])
    }),
    of_two("fmax", &["T fmax(T x, T y)"], "The larger of two numbers", |b, args, _| {
        b.binary(BinaryOp::Max, args[0], args[1])
    }),
    of_two("fdim", &["T fdim(T x, T y)"], "x - y where that is positive, else 0", |b, args, _| {
        let difference = b.sub(args[0], args[1]);
        let zero = b.real(0.0);
        b.binary(BinaryOp::Max, difference, zero)
    }),
    of_two("hypot", &["T hypot(T x, T y)"], "√(x² + y²)", |b, args, _| {
        b.binary(BinaryOp::Hypot, args[0], args[1])
    }),
    of_two(
        "atan2",
        &["T atan2(T y, T x)"],
        "The angle of the point with abscissa x and ordinate y",
        |b, args, _| b.binary(BinaryOp::Atan2, args[0], args[1]),
    ),
    of_two("lbeta", &["T lbeta(T x, T y)"], "ln Γ(x) + ln Γ(y) - ln Γ(x + y)", |b, args, _| {
        b.binary(BinaryOp::LogBeta, args[0], args[1])
    }),
    of_two(
        "lchoose",
        &["T lchoose(T n, T k)"],
        "ln Γ(n + 1) - ln Γ(k + 1) - ln Γ(n - k + 1)",
        |b, args, _| log_choose(b, args[0], args[1]),
    ),
    of_two(
        "log_diff_exp",
        &["T log_diff_exp(T x, T y)"],
        "ln(eˣ - eʸ), for x ≥ y",
        |b, args, _| f::log_diff_exp(b, args[0], args[1]),
    ),
    of_two("multiply_log", &["T multiply_log(T x, T y)"], "x ln y, and 0 where x is", lmultiply),
    of_two("lmultiply", &["T lmultiply(T x, T y)"], "x ln y, and 0 where x is", lmultiply),
    Function {
        name: "fma",
        signatures: &["T fma(T x, T y, T z)"],
        doc: "x y + z",
        sizes: &[],
        result: |args| if args.len() == 3 { joined(args) } else { None },
        is_discontinuous: false,
        meaning: Meaning::Ops(|b, args, _| {
            let product = b.mul(args[0], args[1]);
            b.add(product, args[2])
        }),
    },
];

/// Reals of the sizes of the containers among the arguments, which are of one kind and equal
/// in size.
pub fn joined(args: &[Argument]) -> Option<Returned> {
    let real = |ty: &Type| Type { element: Element::Real, ..ty.clone() };
    let Some(first) = args.iter().position(|arg| !arg.ty.is_scalar()) else {
        return Some(Type::real().into());
    };
    let mut returned = Returned::from(real(&args[first].ty));
    for (position, arg) in args.iter().enumerate().skip(first + 1) {
        if arg.ty.is_scalar() {
            continue;
        }
        if !same_kind(&args[first].ty, &arg.ty) {
            return None;
        }
        returned = returned.same_sizes(args, first, position);
    }
    Some(returned)
}

fn same_kind(a: &Type, b: &Type) -> bool {
    let shapes = matches!(
        (&a.shape, &b.shape),
        (Shape::Scalar, Shape::Scalar)
            | (Shape::Vector(_), Shape::Vector(_))
            | (Shape::RowVector(_), Shape::RowVector(_))
            | (Shape::Matrix(..), Shape::Matrix(..))
    );
    shapes && a.array.len() == b.array.len()
}

/// `-ln(n + 1) - ln B(n - k + 1, k + 1)`, minus infinity where `k` is not from 0 to `n`.
fn log_choose(b: &mut Builder, n: ValueId, k: ValueId) -> ValueId {
    let zero = b.real(0.0);
    let rest = b.sub(n, k);
    let above = b.offset(rest, 1.0);
    let above = b.binary(BinaryOp::Max, above, zero);
    let below = b.offset(k, 1.0);
    let below = b.binary(BinaryOp::Max, below, zero);
    let log_beta = b.binary(BinaryOp::LogBeta, above, below);
    let log_n = b.log1p(n);
    let sum = b.add(log_n, log_beta);
    b.neg(sum)
}

/// `x ln y`, and 0 where `x` is, even if `y` is zero too.
fn lmultiply(b: &mut Builder, args: &[ValueId], _: &Types) -> ValueId {
    let (x, y) = (args[0], args[1]);
    let (zero, one) = (b.real(0.0), b.real(1.0));
    let (no_factor, no_number) =
        (b.binary(BinaryOp::Equal, x, zero), b.binary(BinaryOp::Equal, y, zero));
    let both = b.mul(no_factor, no_number);
    let safe = b.select(both, one, y);
    let log = b.log(safe);
    b.mul(x, log)
}
