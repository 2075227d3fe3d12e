//! Functions that make one number of a container or of two.

use super::formulas as f;
use super::{Argument, Function, Returned, by_ops, is_vector};
use crate::builtin::repeat::repeat;
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::ty::{Element, Size, Type};

/// All of them.
pub static ALL: [Function; 12] = [
    by_ops(
        "sum",
        &["real sum(vector x)", "real sum(matrix x)", "int sum(array[] int x)"],
        "Σ xᵢ; whole for whole numbers",
        same_element,
        |b, args, _| b.sum(args[0]),
    ),
    by_ops(
        "prod",
        &["real prod(vector x)", "real prod(matrix x)", "int prod(array[] int x)"],
        "∏ xᵢ; whole for whole numbers",
        same_element,
        |b, args, _| product(b, args[0]),
    ),
    by_ops(
        "mean",
        &["real mean(vector x)", "real mean(matrix x)"],
        "Σ xᵢ / n",
        real,
        |b, args, _| mean(b, args[0]),
    ),
    by_ops(
        "variance",
        &["real variance(vector x)", "real variance(matrix x)"],
        "Σ (xᵢ - mean(x))² / (n - 1), and 0 for n = 1",
        real,
        |b, args, _| variance(b, args[0]),
    ),
    by_ops(
        "sd",
        &["real sd(vector x)", "real sd(matrix x)"],
        "√variance(x)",
        real,
        |b, args, _| {
            let variance = variance(b, args[0]);
            f::root(b, variance)
        },
    ),
    by_ops(
        "dot_self",
        &["real dot_self(vector x)"],
        "Σ xᵢ²",
        |args| match args {
            [x] if x.ty.dims().len() == 1 => Some(Type::real().into()),
            _ => None,
        },
        |b, args, _| b.dot(args[0], args[0]),
    ),
    by_ops("norm2", &["real norm2(vector x)"], "√(Σ xᵢ²)", of_vector, |b, args, _| {
        let square = b.dot(args[0], args[0]);
        f::root(b, square)
    }),
    by_ops("norm1", &["real norm1(vector x)"], "Σ |xᵢ|", of_vector, |b, args, _| {
        let magnitudes = b.unary(crate::ir::op::UnaryOp::Abs, args[0]);
        b.sum(magnitudes)
    }),
    by_ops(
        "dot_product",
        &["real dot_product(vector x, vector y)"],
        "Σ xᵢ yᵢ",
        of_two_vectors,
        |b, args, _| b.dot(args[0], args[1]),
    ),
    by_ops(
        "squared_distance",
        &["real squared_distance(vector x, vector y)"],
        "Σ (xᵢ - yᵢ)²",
        of_two_vectors,
        |b, args, _| squared_distance(b, args),
    ),
    by_ops(
        "distance",
        &["real distance(vector x, vector y)"],
        "√(Σ (xᵢ - yᵢ)²)",
        of_two_vectors,
        |b, args, _| {
            let square = squared_distance(b, args);
            f::root(b, square)
        },
    ),
    by_ops("trace", &["real trace(matrix x)"], "Σ xᵢᵢ", super::matrix::square_to_real, {
        |b, args, _| {
            let diagonal = b.diagonal(args[0]);
            b.sum(diagonal)
        }
    }),
];

fn same_element(args: &[Argument]) -> Option<Returned> {
    match args {
        [x] => Some(Type { element: x.ty.element, ..Type::real() }.into()),
        _ => None,
    }
}

fn real(args: &[Argument]) -> Option<Returned> {
    match args {
        [x] if !x.ty.is_scalar() => Some(Type::real().into()),
        _ => None,
    }
}

fn of_vector(args: &[Argument]) -> Option<Returned> {
    match args {
        [x] if is_vector(&x.ty) => Some(Type::real().into()),
        _ => None,
    }
}

fn of_two_vectors(args: &[Argument]) -> Option<Returned> {
    match args {
        [x, y] if is_vector(&x.ty) && is_vector(&y.ty) => {
            Some(Returned::from(Type::real()).same_sizes(args, 0, 1))
        }
        _ => None,
    }
}

/// The number of elements.
fn count(b: &mut Builder, x: ValueId) -> ValueId {
    let dims = b.dims(x).to_vec();
    let product = |n: Size, dim: &Size| n.checked_mul(dim).expect("sizes were checked");
    let n = dims.iter().fold(Size::constant(1), product);
    b.size(&n)
}

fn mean(b: &mut Builder, x: ValueId) -> ValueId {
    let total = b.sum(x);
    let n = count(b, x);
    b.div(total, n)
}

/// The sample variance, divided by `n - 1`; of one element it is zero.
fn variance(b: &mut Builder, x: ValueId) -> ValueId {
    let mean = mean(b, x);
    let centred = b.sub(x, mean);
    let squares = b.dot(centred, centred);
    let n = count(b, x);
    let (one, minus_one) = (b.int(1), b.int(-1));
    let less_one = b.add(n, minus_one);
    let divisor = b.binary(BinaryOp::Max, less_one, one);
    b.div(squares, divisor)
}

fn squared_distance(b: &mut Builder, args: &[ValueId]) -> ValueId {
    let difference = b.sub(args[0], args[1]);
    b.dot(difference, difference)
}

/// The product of all elements, one after the other.
fn product(b: &mut Builder, x: ValueId) -> ValueId {
    let dims = b.dims(x).to_vec();
    if dims.is_empty() {
        return x;
    }
    let size = |n: Size, dim: &Size| n.checked_mul(dim).expect("sizes were checked");
    let n = dims.iter().fold(Size::constant(1), size);
    let x = b.reshape(x, std::slice::from_ref(&n));
    let first = if b.ty(x).element == Element::Int { b.int(1) } else { b.real(1.0) };
    repeat(b, &n, &[first], &[x], &|b, k, carried, captured| {
        let element = b.index(captured[0], vec![Some(k)]);
        vec![b.mul(carried[0], element)]
    })[0]
}
