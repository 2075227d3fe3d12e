//! Functions that are elementwise with numbers and reductions or normalisations of a
//! container: sums of exponentials, mixtures, smallest and largest.

use super::binary::joined;
use super::formulas as f;
use super::{Argument, Function, Meaning, Returned, is_vector};
use crate::ir::op::BinaryOp;
use crate::ty::{Element, Type};

/// All of them.
pub static ALL: [Function; 6] = [
    Function {
        name: "log_sum_exp",
        signatures: &[
            "real log_sum_exp(vector x)",
            "real log_sum_exp(matrix x)",
            "T log_sum_exp(T x, T y)",
        ],
        doc: "ln Σ exp(xᵢ); ln(eˣ + eʸ)",
        sizes: &[],
        result: |args| match args {
            [x] if !x.ty.is_scalar() => Some(Type::real().into()),
            [_, _] => joined(args),
            _ => None,
        },
        is_discontinuous: false,
        meaning: Meaning::Ops(|b, args, _| match args {
            [x] => f::log_sum_exp(b, *x, &[]),
            _ => f::log_add_exp(b, args[0], args[1]),
        }),
    },
    Function {
        name: "log_mix",
        signatures: &["real log_mix(real p, real a, real b)", "real log_mix(vector w, vector lps)"],
        doc: "ln(p eᵃ + (1 - p) eᵇ); ln Σ wᵢ exp(lpsᵢ)",
        sizes: &[],
        result: |args| match args {
            [p, a, b] if [p, a, b].iter().all(|arg| arg.ty.is_scalar()) => {
                Some(Type::real().into())
            }
            [w, lps] if is_vector(&w.ty) && lps.ty.dims().len() == 1 => {
                Some(Returned::from(Type::real()).same_sizes(args, 0, 1))
            }
            _ => None,
        },
        is_discontinuous: false,
        meaning: Meaning::Ops(|b, args, _| {
            if let [weights, logs] = args {
                return f::log_mix(b, *weights, *logs);
            }
            let minus = b.neg(args[0]);
            let rest = b.offset(minus, 1.0);
            let weights = b.stack(vec![args[0], rest]);
            let logs = b.stack(vec![args[1], args[2]]);
            f::log_mix(b, weights, logs)
        }),
    },
    extreme(
        "min",
        &["real min(vector x)", "int min(array[] int x)", "T min(T x, T y)"],
        "The smallest element; the smaller of two numbers",
        Meaning::Ops(|b, args, _| match args {
            [x] => f::minimum(b, *x),
            _ => b.binary(BinaryOp::Min, args[0], args[1]),
        }),
    ),
    extreme(
        "max",
        &["real max(vector x)", "int max(array[] int x)", "T max(T x, T y)"],
        "The largest element; the larger of two numbers",
        Meaning::Ops(|b, args, _| match args {
            [x] => f::maximum(b, *x),
            _ => b.binary(BinaryOp::Max, args[0], args[1]),
        }),
    ),
    normalised(
        "softmax",
        &["vector softmax(vector x)"],
        "exp(xᵢ) / Σ exp(xⱼ)",
        Meaning::Ops(|b, args, _| f::softmax(b, args[0])),
    ),
    normalised(
        "log_softmax",
        &["vector log_softmax(vector x)"],
        "xᵢ - ln Σ exp(xⱼ)",
        Meaning::Ops(|b, args, _| f::log_softmax(b, args[0])),
    ),
];

const fn extreme(
    name: &'static str,
    signatures: &'static [&'static str],
    doc: &'static str,
    meaning: Meaning,
) -> Function {
    Function {
        name,
        signatures,
        doc,
        sizes: &[],
        result: extreme_result,
        is_discontinuous: false,
        meaning,
    }
}

/// Whole numbers stay whole.
fn extreme_result(args: &[Argument]) -> Option<Returned> {
    let whole = args.iter().all(|arg| arg.ty.element == Element::Int);
    match args {
        [x] if !x.ty.is_scalar() => Some(Type { element: x.ty.element, ..Type::real() }.into()),
        [_, _] => {
            let returned = joined(args)?;
            let element = if whole { Element::Int } else { Element::Real };
            Some(Returned { ty: Type { element, ..returned.ty }, equal: returned.equal })
        }
        _ => None,
    }
}

const fn normalised(
    name: &'static str,
    signatures: &'static [&'static str],
    doc: &'static str,
    meaning: Meaning,
) -> Function {
    Function {
        name,
        signatures,
        doc,
        sizes: &[],
        result: |args| match args {
            [x] if is_vector(&x.ty) => Some(x.ty.clone().into()),
            _ => None,
        },
        is_discontinuous: false,
        meaning,
    }
}
