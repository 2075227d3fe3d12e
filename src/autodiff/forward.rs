//! Forward mode, in all directions at once: the tangent of a value has one more axis, the
//! last, along which the directions lie.

use std::collections::HashMap;

use super::{loops, slope};
use crate::index::IdMap;
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, Function, InputKind, Op, ValueId};
use crate::ty::Size;

/// Which direction belongs to which input element.
pub struct Directions {
    /// For each input that varies, the number of the direction of its first element.
    pub offsets: HashMap<InputKind, Size>,
    /// Number of directions.
    pub count: Size,
}

impl Directions {}

#[cfg(test)]
impl Directions {
    /// One direction for each element of these inputs, in order.
    pub fn of_inputs(function: &Function, wanted: impl Fn(InputKind) -> bool) -> Directions {
        let mut inputs: Vec<_> =
            function.inputs.iter().filter(|input| wanted(input.kind)).collect();
        inputs.sort_by_key(|input| match input.kind {
            InputKind::Local(k) | InputKind::Global(k) => k,
            _ => unreachable!("directions are those of unknowns"),
        });
        let mut offsets = HashMap::new();
        let mut count = Size::constant(0);
        for input in inputs {
            offsets.insert(input.kind, count.clone());
            let length = input
                .ty
                .dims
                .iter()
                .fold(Size::constant(1), |n, dim| n.checked_mul(dim).expect("few unknowns"));
            count = count.checked_add(&length).expect("few unknowns");
        }
        Directions { offsets, count }
    }
}

/// For each output of `function`, that output and then its Jacobian, in the given
/// directions, as outputs of a new function.
pub fn jacobian(function: &Function, directions: &Directions) -> Function {
    let mut b = Builder::new(format!("{} forward", function.name));
    let inputs = b.inputs_of(function);
    let mut tangents = Vec::with_capacity(inputs.len());
    for input in &function.inputs {
        let offset = directions.offsets.get(&input.kind);
        tangents.push(
            offset.map(|offset| unit_tangent(&mut b, &input.ty.dims, &directions.count, offset)),
        );
    }
    let pushed = push_forward(&mut b, function, &inputs, &tangents, &directions.count);
    for output in &function.outputs {
        let (value, tangent) = pushed.outputs_of(output.value);
        let tangent = tangent.unwrap_or_else(|| zero_tangent(&mut b, value, &directions.count));
        b.output(output.name.clone(), value);
        b.output(format!("d {}", output.name), tangent);
    }
    b.finish()
}

/// The tangent of an input whose element number `k` varies in direction `offset + k`.
fn unit_tangent(b: &mut Builder, dims: &[Size], n: &Size, offset: &Size) -> ValueId {
    match dims {
        [] => {
            let row = b.eye(Size::constant(1), n.clone(), offset.clone());
            let zero = b.int(0);
            b.index(row, vec![Some(zero), None])
        }
        [length] => b.eye(length.clone(), n.clone(), offset.clone()),
        _ => {
            let number = element_numbers(b, dims, offset);
            let mut all = dims.to_vec();
            all.push(n.clone());
            let axes: Vec<u8> = (0..dims.len() as u8).collect();
            let number = b.broadcast(number, &axes, &all);
            let direction = b.iota(n.clone());
            let direction = b.broadcast(direction, &[dims.len() as u8], &all);
            b.binary(BinaryOp::Equal, number, direction)
        }
    }
}

/// `offset` plus the row-major number of each element.
fn element_numbers(b: &mut Builder, dims: &[Size], offset: &Size) -> ValueId {
    let offset = b.size(offset);
    let mut number = b.broadcast(offset, &[], dims);
    let mut stride = Size::constant(1);
    for (axis, dim) in dims.iter().enumerate().rev() {
        let position = b.iota(dim.clone());
        let step = b.size(&stride);
        let scaled = b.mul(position, step);
        let scaled = b.broadcast(scaled, &[axis as u8], dims);
        number = b.add(number, scaled);
        stride = stride.checked_mul(dim).expect("few unknowns");
    }
    number
}

/// Where the values of a function went, and their tangents; `None` is zero.
pub struct Pushed {
    values: IdMap<crate::ir::op::Value, Option<ValueId>>,
    tangents: IdMap<crate::ir::op::Value, Option<ValueId>>,
}

impl Pushed {
    /// The copy of a value and its tangent.
    pub fn outputs_of(&self, value: ValueId) -> (ValueId, Option<ValueId>) {
        (self.values[value].expect("every value but loops was copied"), self.tangents[value])
    }
}

/// Copies `function` in with tangents. Inputs and their tangents are given.
pub fn push_forward(
    b: &mut Builder,
    function: &Function,
    inputs: &[ValueId],
    input_tangents: &[Option<ValueId>],
    n: &Size,
) -> Pushed {
    let len = function.values.len();
    let mut pushed =
        Pushed { values: IdMap::filled(len, None), tangents: IdMap::filled(len, None) };
    let mut pushed_loops = HashMap::new();
    for (id, value) in function.values.iter() {
        b.set_span(value.span);
        match &value.op {
            Op::Input(k) => {
                pushed.values[id] = Some(inputs[*k]);
                pushed.tangents[id] = input_tangents[*k];
            }
            Op::Loop(l) => {
                let of = |v: ValueId| pushed.outputs_of(v);
                pushed_loops.insert(id, loops::push_loop_forward(b, l, &of, n));
            }
            Op::Result(l, k) => {
                let (result, tangent) = loops::result_forward(b, &pushed_loops[l], *k);
                pushed.values[id] = Some(result);
                pushed.tangents[id] = tangent;
            }
            op => {
                let copy = b.emit(op, &value.ty, &|v| pushed.outputs_of(v).0);
                let of = |v: ValueId| pushed.outputs_of(v);
                let tangent = tangent(b, op, copy, &of, n);
                pushed.values[id] = Some(copy);
                pushed.tangents[id] = tangent;
            }
        }
    }
    pushed
}

/// Zeros of a value's dimensions and the directions.
pub fn zero_tangent(b: &mut Builder, value: ValueId, n: &Size) -> ValueId {
    let dims = with_directions(b, value, n);
    b.fill(0.0, dims)
}

fn with_directions(b: &Builder, value: ValueId, n: &Size) -> Vec<Size> {
    let mut dims = b.dims(value).to_vec();
    dims.push(n.clone());
    dims
}

type Copy<'a> = &'a dyn Fn(ValueId) -> (ValueId, Option<ValueId>);

/// The tangent of `copy`, the copy of a value computed by `op`.
fn tangent(b: &mut Builder, op: &Op, copy: ValueId, of: Copy, n: &Size) -> Option<ValueId> {
    match op {
        Op::Unary(op, a) => {
            let (a, da) = of(*a);
            let da = da?;
            let slope = slope::unary(b, *op, a, copy)?;
            Some(times(b, slope, da))
        }
        Op::Binary(op, x, y) => binary(b, *op, of(*x), of(*y), copy),
        Op::Select(c, x, y) => select(b, of(*c).0, of(*x), of(*y), n),
        Op::Broadcast(a, axes) => {
            let da = of(*a).1?;
            let dims = with_directions(b, copy, n);
            let axes = appended(axes, dims.len() - 1);
            Some(b.broadcast(da, &axes, &dims))
        }
        Op::Sum(a, keep) => {
            let da = of(*a).1?;
            let keep = appended(keep, b.rank(da) - 1);
            Some(b.sum_keeping(da, &keep))
        }
        Op::Reshape(a) => {
            let da = of(*a).1?;
            let dims = with_directions(b, copy, n);
            Some(b.reshape(da, &dims))
        }
        Op::Contract { a, a_axes, b: c, b_axes } => {
            contract(b, of(*a), a_axes, of(*c), b_axes, copy)
        }
        Op::Index(a, at) => {
            let da = of(*a).1?;
            Some(b.index(da, kept_last(at, of)))
        }
        Op::Set { base, at, value } => {
            let (base, value) = (of(*base), of(*value));
            let (dbase, dvalue) = both_tangents(b, base, value, n)?;
            Some(b.set(dbase, kept_last(at, of), dvalue))
        }
        Op::AddAt { base, at, value } => {
            let (base, value) = (of(*base), of(*value));
            let (dbase, dvalue) = both_tangents(b, base, value, n)?;
            Some(b.add_at(dbase, kept_last(at, of), dvalue))
        }
        Op::Gather { base, indices, axis } => {
            let dbase = of(*base).1?;
            Some(b.gather(dbase, of(*indices).0, *axis))
        }
        Op::ScatterAdd { base, indices, axis, value } => {
            let (base, value) = (of(*base), of(*value));
            let (dbase, dvalue) = both_tangents(b, base, value, n)?;
            Some(b.scatter_add(dbase, of(*indices).0, *axis, dvalue))
        }
        Op::Stack(items) => stack(b, items, of, n),
        Op::Diagonal(a) => of(*a).1.map(|da| b.diagonal(da)),
        Op::DiagonalMatrix(a) => of(*a).1.map(|da| b.diagonal_matrix(da)),
        Op::LowerTriangle(a) => of(*a).1.map(|da| b.lower_triangle(da)),
        Op::UnpackStrictLower(a) => {
            let size = b.dims(copy)[0].clone();
            of(*a).1.map(|da| b.unpack_strict_lower(da, size))
        }
        Op::PackStrictLower(a) => {
            let length = b.dims(copy)[0].clone();
            of(*a).1.map(|da| b.pack_strict_lower(da, length))
        }
        Op::CumulativeSum { value, axis, exclusive, reverse } => {
            of(*value).1.map(|d| b.cumulative_sum(d, *axis, *exclusive, *reverse))
        }
        Op::SolveLower { matrix, rhs, transpose } => {
            solve(b, of(*matrix), of(*rhs), *transpose, copy)
        }
        Op::Input(_)
        | Op::Real(_)
        | Op::Int(_)
        | Op::SizeOf(_)
        | Op::Fill(_)
        | Op::Iota
        | Op::Eye { .. }
        | Op::Largest(..) => None,
        Op::Loop(_) | Op::Result(..) => unreachable!("loops are pushed as a whole"),
    }
}

/// `slope · da`, the slope repeated along the directions.
fn times(b: &mut Builder, slope: ValueId, da: ValueId) -> ValueId {
    let axes: Vec<u8> = (0..b.rank(slope) as u8).collect();
    if axes.is_empty() {
        return b.mul(slope, da);
    }
    let dims = b.dims(da).to_vec();
    let slope = b.broadcast(slope, &axes, &dims);
    b.mul(slope, da)
}

/// The sum of two tangents of which either may be zero.
fn plus(b: &mut Builder, x: Option<ValueId>, y: Option<ValueId>) -> Option<ValueId> {
    match (x, y) {
        (Some(x), Some(y)) => Some(b.add(x, y)),
        (x, y) => x.or(y),
    }
}

fn binary(
    b: &mut Builder,
    op: BinaryOp,
    (x, dx): (ValueId, Option<ValueId>),
    (y, dy): (ValueId, Option<ValueId>),
    copy: ValueId,
) -> Option<ValueId> {
    if dx.is_none() && dy.is_none() {
        return None;
    }
    let [in_x, in_y] = slope::binary(b, op, x, y, copy);
    let from_x = dx.zip(in_x).map(|(dx, slope)| times(b, slope, dx));
    let from_y = dy.zip(in_y).map(|(dy, slope)| times(b, slope, dy));
    plus(b, from_x, from_y)
}

fn select(
    b: &mut Builder,
    c: ValueId,
    x: (ValueId, Option<ValueId>),
    y: (ValueId, Option<ValueId>),
    n: &Size,
) -> Option<ValueId> {
    let (dx, dy) = both_tangents(b, x, y, n)?;
    let dims = b.dims(dx).to_vec();
    let axes: Vec<u8> = (0..b.rank(c) as u8).collect();
    let c = b.broadcast(c, &axes, &dims);
    Some(b.select(c, dx, dy))
}

/// Both tangents with zeros written out, or `None` where both are zero.
fn both_tangents(
    b: &mut Builder,
    (x, dx): (ValueId, Option<ValueId>),
    (y, dy): (ValueId, Option<ValueId>),
    n: &Size,
) -> Option<(ValueId, ValueId)> {
    if dx.is_none() && dy.is_none() {
        return None;
    }
    let dx = dx.unwrap_or_else(|| zero_tangent(b, x, n));
    let dy = dy.unwrap_or_else(|| zero_tangent(b, y, n));
    Some((dx, dy))
}

fn contract(
    b: &mut Builder,
    (x, dx): (ValueId, Option<ValueId>),
    x_axes: &[u8],
    (y, dy): (ValueId, Option<ValueId>),
    y_axes: &[u8],
    copy: ValueId,
) -> Option<ValueId> {
    // The directions become the last axis of the result, so summed labels move up by one.
    let rank = b.rank(copy);
    let moved = |axes: &[u8]| -> Vec<u8> {
        axes.iter().map(|&l| if usize::from(l) < rank { l } else { l + 1 }).collect()
    };
    let (x_axes, y_axes) = (moved(x_axes), moved(y_axes));
    let from_x = dx.map(|dx| b.contract(dx, &appended(&x_axes, rank), y, &y_axes, rank + 1));
    let from_y = dy.map(|dy| b.contract(x, &x_axes, dy, &appended(&y_axes, rank), rank + 1));
    plus(b, from_x, from_y)
}

/// `x = L⁻¹ r`, so `dx = L⁻¹ (dr - dL x)`; with the transpose likewise.
fn solve(
    b: &mut Builder,
    (matrix, dmatrix): (ValueId, Option<ValueId>),
    (_, drhs): (ValueId, Option<ValueId>),
    transpose: bool,
    x: ValueId,
) -> Option<ValueId> {
    let from_matrix = dmatrix.map(|dmatrix| {
        let dmatrix = b.lower_triangle(dmatrix);
        let rank = b.rank(x);
        let (directions, summed) = (rank as u8, rank as u8 + 1);
        let matrix_axes = if transpose { [summed, 0] } else { [0, summed] };
        let mut x_axes: Vec<u8> = (0..rank as u8).collect();
        x_axes[0] = summed;
        let change =
            b.contract(dmatrix, &appended(&matrix_axes, directions.into()), x, &x_axes, rank + 1);
        b.neg(change)
    });
    let change = plus(b, drhs, from_matrix)?;
    Some(b.solve_lower(matrix, change, transpose))
}

fn stack(b: &mut Builder, items: &[ValueId], of: Copy, n: &Size) -> Option<ValueId> {
    if items.iter().all(|&item| of(item).1.is_none()) {
        return None;
    }
    let tangents = items
        .iter()
        .map(|&item| {
            let (value, tangent) = of(item);
            tangent.unwrap_or_else(|| zero_tangent(b, value, n))
        })
        .collect();
    Some(b.stack(tangents))
}

fn appended(axes: &[u8], last: usize) -> Vec<u8> {
    let mut axes = axes.to_vec();
    axes.push(last as u8);
    axes
}

fn kept_last(at: &[Option<ValueId>], of: Copy) -> Vec<Option<ValueId>> {
    let mut at: Vec<_> = at.iter().map(|i| i.map(|i| of(i).0)).collect();
    at.push(None);
    at
}
