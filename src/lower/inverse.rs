//! Branches multiply where they would divide by what they share.
//!
//! Divisors and triangular matrices that depend on θ alone are inverted once for each θ (their
//! inverses are hoisted, see [`super::hoist`]); a branch then multiplies. A product with the inverse
//! of a triangular matrix is as accurate as solving, up to a factor of the condition number of
//! |L⁻¹||L|, which does not depend on the scales of its rows (Higham, *Accuracy and Stability of
//! Numerical Algorithms*, section 8.3).

use super::hoist::{Known, known};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, Function, InputKind, Op, ValueId};
use crate::ty::{Element, Size};

/// `local` with inverses. `is_whole` tells which inputs are the same in every branch.
pub(super) fn with_inverses(local: &Function, is_whole: &dyn Fn(InputKind) -> bool) -> Function {
    let known = known(local, is_whole);
    let mut b = Builder::new(local.name.clone());
    let mut copied: Vec<ValueId> = Vec::with_capacity(local.values.len());
    for (_, value) in local.values.iter() {
        b.set_span(value.span);
        let copy = match &value.op {
            Op::Input(k) => {
                let input = &local.inputs[*k];
                b.input(input.kind, &input.name, input.ty.clone())
            }
            Op::Binary(BinaryOp::Div, dividend, divisor)
                if is_worth_inverting(&known, *dividend, spread(local, *divisor))
                    && local.values[*divisor].ty.element == Element::Real =>
            {
                let inverse = reciprocal(&mut b, local, &copied, *divisor);
                b.binary(BinaryOp::Mul, copied[dividend.index()], inverse)
            }
            Op::SolveLower { matrix, rhs, transpose }
                if is_worth_inverting(&known, *rhs, *matrix) =>
            {
                let size = local.values[*matrix].ty.dims[0].clone();
                let inverse = triangular_inverse(&mut b, copied[matrix.index()], size);
                product(&mut b, inverse, copied[rhs.index()], *transpose)
            }
            op => b.emit(op, &value.ty, &|v: ValueId| copied[v.index()]),
        };
        copied.push(copy);
    }
    for output in &local.outputs {
        b.output(output.name.clone(), copied[output.value.index()]);
    }
    b.finish()
}

/// Whether branches share the divisor, which depends on θ, but not what is divided.
fn is_worth_inverting(known: &[Known], dividend: ValueId, divisor: ValueId) -> bool {
    let [dividend, divisor] = [dividend, divisor].map(|value| known[value.index()]);
    divisor.is_common && divisor.reads_shared && !dividend.is_common
}

/// What a value repeats along further axes: itself where it repeats nothing.
fn spread(local: &Function, value: ValueId) -> ValueId {
    match &local.values[value].op {
        Op::Broadcast(a, _) => spread(local, *a),
        _ => value,
    }
}

/// The reciprocal of a divisor, taken before it is spread over an array.
fn reciprocal(b: &mut Builder, local: &Function, copied: &[ValueId], divisor: ValueId) -> ValueId {
    let value = &local.values[divisor];
    match &value.op {
        Op::Broadcast(a, axes) => {
            let inverse = reciprocal(b, local, copied, *a);
            b.broadcast(inverse, axes, &value.ty.dims)
        }
        _ => b.recip(copied[divisor.index()]),
    }
}

fn triangular_inverse(b: &mut Builder, matrix: ValueId, size: Size) -> ValueId {
    let identity = b.eye(size.clone(), size, Size::constant(0));
    b.solve_lower(matrix, identity, false)
}

/// `A x`, or `Aᵀ x`, where `x` may have axes after its first.
fn product(b: &mut Builder, matrix: ValueId, x: ValueId, transpose: bool) -> ValueId {
    let rank = b.rank(x) as u8;
    let summed = rank;
    let matrix_axes = if transpose { [summed, 0] } else { [0, summed] };
    let x_axes: Vec<u8> = std::iter::once(summed).chain(1..rank).collect();
    b.contract(matrix, &matrix_axes, x, &x_axes, usize::from(rank))
}
