//! Functions that make containers: of one number, of elements in another shape, of several
//! containers.

use super::{
    Argument, Function, Lower, Meaning, Returned, Types, is_vector, matrix, row_vector, vector,
};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, ValueId};
use crate::ty::{Element, Shape, Size, Type};

/// All of them.
pub static ALL: [Function; 13] = [
    sized(
        "rep_vector",
        &["vector rep_vector(real x, int n)"],
        "n times x",
        &[1],
        |args| repeated(args, vector),
        spread,
    ),
    sized(
        "rep_row_vector",
        &["row_vector rep_row_vector(real x, int n)"],
        "n times x",
        &[1],
        |args| repeated(args, row_vector),
        spread,
    ),
    sized(
        "rep_matrix",
        &[
            "matrix rep_matrix(real x, int m, int n)",
            "matrix rep_matrix(vector x, int n)",
            "matrix rep_matrix(row_vector x, int m)",
        ],
        "x in m rows and n columns",
        &[1, 2],
        |args| match args {
            [x, m, n] if x.ty.is_scalar() => Some(matrix(whole(m)?, whole(n)?).into()),
            [x, n] if x.ty.array.is_empty() => match &x.ty.shape {
                Shape::Vector(rows) => Some(matrix(rows, whole(n)?).into()),
                Shape::RowVector(columns) => Some(matrix(whole(n)?, columns).into()),
                _ => None,
            },
            _ => None,
        },
        |b, args, types| {
            let dims = types.result.dims();
            let axes: &[u8] = match types.args[0].shape {
                Shape::Vector(_) => &[0],
                Shape::RowVector(_) => &[1],
                _ => &[],
            };
            b.broadcast(args[0], axes, &dims)
        },
    ),
    sized(
        "rep_array",
        &["array[] T rep_array(T x, int n)", "array[,] T rep_array(T x, int m, int n)"],
        "x in every place of an array",
        &[1, 2, 3],
        |args| {
            let (x, counts) = args.split_first()?;
            if !(1..=3).contains(&counts.len()) {
                return None;
            }
            let sizes: Option<Vec<Size>> = counts.iter().map(|n| whole(n).cloned()).collect();
            let array = [sizes?, x.ty.array.clone()].concat();
            Some(Type { array, ..x.ty.clone() }.into())
        },
        |b, args, types| {
            let dims = types.result.dims();
            let rank = b.rank(args[0]);
            let axes: Vec<u8> = (dims.len() - rank..dims.len()).map(|axis| axis as u8).collect();
            b.broadcast(args[0], &axes, &dims)
        },
    ),
    sized(
        "zeros_vector",
        &["vector zeros_vector(int n)"],
        "n zeros",
        &[0],
        constant_vector,
        |b, _, types| b.fill(0.0, types.result.dims()),
    ),
    sized(
        "ones_vector",
        &["vector ones_vector(int n)"],
        "n ones",
        &[0],
        constant_vector,
        |b, _, types| b.fill(1.0, types.result.dims()),
    ),
    sized(
        "identity_matrix",
        &["matrix identity_matrix(int n)"],
        "The n by n matrix with ones on the diagonal and zeros elsewhere",
        &[0],
        |args| match args {
            [n] => Some(matrix(whole(n)?, whole(n)?).into()),
            _ => None,
        },
        |b, _, types| {
            let n = types.result.dims()[0].clone();
            b.eye(n.clone(), n, Size::constant(0))
        },
    ),
    sized(
        "linspaced_vector",
        &["vector linspaced_vector(int n, real a, real b)"],
        "n numbers from a to b with equal distances",
        &[0],
        |args| match args {
            [n, a, b] if a.ty.is_scalar() && b.ty.is_scalar() => Some(vector(whole(n)?).into()),
            _ => None,
        },
        |b, args, types| linspaced(b, args[1], args[2], &types.result.dims()[0]),
    ),
    sized(
        "to_vector",
        &["vector to_vector(matrix x)", "vector to_vector(array[] real x)"],
        "The elements as a vector; of a matrix column by column",
        &[],
        |args| flat(args, |n| vector(&n)),
        flatten,
    ),
    sized(
        "to_row_vector",
        &["row_vector to_row_vector(matrix x)", "row_vector to_row_vector(array[] real x)"],
        "The elements as a row vector; of a matrix column by column",
        &[],
        |args| flat(args, |n| row_vector(&n)),
        flatten,
    ),
    sized(
        "to_array_1d",
        &["array[] real to_array_1d(matrix x)", "array[] int to_array_1d(array[,] int x)"],
        "The elements as an array; of a matrix column by column",
        &[],
        |args| {
            let [x] = args else { return None };
            if x.ty.is_scalar() || (!x.ty.array.is_empty() && x.ty.shape != Shape::Scalar) {
                return None;
            }
            let array = vec![n_elements(&x.ty)?];
            Some(Type { array, shape: Shape::Scalar, element: x.ty.element }.into())
        },
        flatten,
    ),
    sized(
        "to_matrix",
        &[
            "matrix to_matrix(array[,] real x)",
            "matrix to_matrix(vector x, int m, int n)",
            "matrix to_matrix(vector x)",
        ],
        "The elements as a matrix, column by column; of arrays row by row",
        &[1, 2],
        |args| match args {
            [x] => match (x.ty.array.as_slice(), &x.ty.shape) {
                ([rows, columns], Shape::Scalar) => Some(matrix(rows, columns).into()),
                ([], Shape::Vector(n)) => Some(matrix(n, &Size::constant(1)).into()),
                ([], Shape::RowVector(n)) => Some(matrix(&Size::constant(1), n).into()),
                ([], Shape::Matrix(rows, columns)) => Some(matrix(rows, columns).into()),
                _ => None,
            },
            [x, m, n] if is_vector(&x.ty) => {
                let (rows, columns) = (whole(m)?, whole(n)?);
                let length = rows.checked_mul(columns)?;
                let returned = Returned::from(matrix(rows, columns));
                Some(returned.equal((0, &x.ty.dims()[0]), (1, &length)))
            }
            _ => None,
        },
        |b, args, types| {
            let dims = types.result.dims();
            if args.len() == 1 {
                return b.reshape(args[0], &dims);
            }
            let [rows, columns] = [0, 1].map(|axis| dims[axis].clone());
            let transposed = b.reshape(args[0], &[columns, rows]);
            b.transpose(transposed)
        },
    ),
    sized(
        "cumulative_sum",
        &["vector cumulative_sum(vector x)"],
        "The sums of the first, the first two, … elements",
        &[],
        |args| match args {
            [x] if x.ty.dims().len() == 1 => Some(x.ty.clone().into()),
            _ => None,
        },
        |b, args, _| b.cumulative_sum(args[0], 0, false, false),
    ),
];

const fn sized(
    name: &'static str,
    signatures: &'static [&'static str],
    doc: &'static str,
    sizes: &'static [usize],
    result: fn(&[Argument]) -> Option<Returned>,
    lower: Lower,
) -> Function {
    let meaning = Meaning::Ops(lower);
    Function { name, signatures, doc, sizes, result, is_discontinuous: false, meaning }
}

/// The value of an argument that is a size.
fn whole(arg: &Argument) -> Option<&Size> {
    if arg.ty == Type::int() { arg.size.as_ref() } else { None }
}

fn repeated(args: &[Argument], of: fn(&Size) -> Type) -> Option<Returned> {
    match args {
        [x, n] if x.ty.is_scalar() => Some(of(whole(n)?).into()),
        _ => None,
    }
}

fn constant_vector(args: &[Argument]) -> Option<Returned> {
    match args {
        [n] => Some(vector(whole(n)?).into()),
        _ => None,
    }
}

fn spread(b: &mut Builder, args: &[ValueId], types: &Types) -> ValueId {
    b.broadcast(args[0], &[], &types.result.dims())
}

/// `a (1 - t) + c t` for `t` from 0 to 1; of one number it is `c`, as in Stan.
fn linspaced(b: &mut Builder, a: ValueId, c: ValueId, n: &Size) -> ValueId {
    let steps = b.iota(n.clone());
    let count = b.size(n);
    let (one, minus_one) = (b.int(1), b.int(-1));
    let is_alone = b.binary(BinaryOp::Equal, count, one);
    let less_one = b.add(count, minus_one);
    let last = b.binary(BinaryOp::Max, less_one, one);
    let steps = b.add(steps, is_alone);
    let t = b.div(steps, last);
    let minus = b.neg(t);
    let rest = b.offset(minus, 1.0);
    let (from_a, from_c) = (b.mul(rest, a), b.mul(t, c));
    b.add(from_a, from_c)
}

fn n_elements(ty: &Type) -> Option<Size> {
    ty.dims().iter().try_fold(Size::constant(1), |n, dim| n.checked_mul(dim))
}

/// A vector of all elements of a vector, a matrix or an array of numbers.
fn flat(args: &[Argument], of: fn(Size) -> Type) -> Option<Returned> {
    let [x] = args else { return None };
    let is_flat = match x.ty.shape {
        Shape::Scalar => x.ty.array.len() == 1,
        _ => x.ty.array.is_empty(),
    };
    is_flat.then_some(())?;
    Some(Type { element: Element::Real, ..of(n_elements(&x.ty)?) }.into())
}

/// The elements one after the other: of a matrix column by column, of arrays row by row.
fn flatten(b: &mut Builder, args: &[ValueId], types: &Types) -> ValueId {
    let is_matrix = matches!(types.args[0].shape, Shape::Matrix(..));
    let x = if is_matrix { b.transpose(args[0]) } else { args[0] };
    b.reshape(x, &types.result.dims())
}
