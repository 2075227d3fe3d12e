//! The interpreter: the reference meaning of every op.
//!
//! Written to be read, not to be fast. Machine code must agree with it to the bit wherever
//! no sum is taken in another order.

use super::op::{BinaryOp, Function, InputKind, Loop, Op, UnaryOp, ValueId};
use crate::math;
use crate::ty::{Size, SizeAtom};

/// What a function is evaluated on.
pub struct Env<'a> {
    /// One row-major slice for each of the function's inputs.
    pub inputs: Vec<&'a [f64]>,
    /// What each symbolic size comes to.
    pub sizes: &'a dyn Fn(&SizeAtom) -> i64,
}

impl Env<'_> {
    /// The number of elements along a dimension; none where the size is negative.
    fn extent(&self, size: &Size) -> usize {
        usize::try_from(self.whole(size)).unwrap_or(0)
    }

    fn whole(&self, size: &Size) -> i64 {
        size.evaluate(&mut |atom| (self.sizes)(atom)).expect("sizes fit in 64 bits")
    }
}

/// The function's outputs, row-major, in order.
///
/// # Panics
/// When an input's length or an index is not what was proved of it: a bug.
pub fn evaluate(function: &Function, env: &Env) -> Vec<Vec<f64>> {
    let mut values: Vec<Array> = Vec::with_capacity(function.values.len());
    for (id, value) in function.values.iter() {
        let dims = value.ty.dims.iter().map(|size| env.extent(size)).collect();
        let array = Step { env, values: &values, dims }.run(&value.op);
        debug_assert!(matches!(value.op, Op::Loop(_)) || array.is_whole(), "{id:?}");
        values.push(array);
    }
    function.outputs.iter().map(|output| values[output.value.index()].data.clone()).collect()
}

/// `op` of one number.
pub fn unary(op: UnaryOp, x: f64) -> f64 {
    match op {
        UnaryOp::Neg => -x,
        UnaryOp::Abs => x.abs(),
        UnaryOp::Sign => sign(x),
        UnaryOp::Exp => math::exp(x),
        UnaryOp::Expm1 => math::expm1(x),
        UnaryOp::Log => math::log(x),
        UnaryOp::Log1p => math::log1p(x),
        UnaryOp::Sqrt => x.sqrt(),
        UnaryOp::Square => x * x,
        UnaryOp::Recip => 1.0 / x,
        UnaryOp::Sin => math::sin(x),
        UnaryOp::Cos => math::cos(x),
        UnaryOp::Atan => math::atan(x),
        UnaryOp::Tanh => math::tanh(x),
        UnaryOp::InvLogit => math::inv_logit(x),
        UnaryOp::Log1pExp => math::log1p_exp(x),
        UnaryOp::LogCosh => math::log_cosh(x),
        UnaryOp::Lgamma => math::lgamma(x),
        UnaryOp::Polygamma(n) => math::polygamma(i32::from(n), x),
        UnaryOp::Phi => math::phi(x),
        UnaryOp::InvPhi => math::inv_phi(x),
        UnaryOp::Erf => math::erf(x),
        UnaryOp::Erfc => math::erfc(x),
        UnaryOp::Log1mExp => math::log1m_exp(x),
        UnaryOp::Log2 => math::log2(x),
        UnaryOp::Log10 => math::log10(x),
        UnaryOp::Cbrt => math::cbrt(x),
        UnaryOp::Asin => math::asin(x),
        UnaryOp::Acos => math::acos(x),
        UnaryOp::Sinh => math::sinh(x),
        UnaryOp::Cosh => math::cosh(x),
        UnaryOp::Asinh => math::asinh(x),
        UnaryOp::Acosh => math::acosh(x),
        UnaryOp::Atanh => math::atanh(x),
        UnaryOp::LogPhi(n) => math::log_phi_derivative(i32::from(n), x),
        UnaryOp::Floor => x.floor(),
        UnaryOp::Ceil => x.ceil(),
        UnaryOp::Round => math::round(x),
        UnaryOp::Trunc => x.trunc(),
        UnaryOp::Not => truth(x == 0.0),
    }
}

/// `op` of two numbers.
pub fn binary(op: BinaryOp, x: f64, y: f64) -> f64 {
    match op {
        BinaryOp::Add => x + y,
        BinaryOp::Sub => x - y,
        BinaryOp::Mul => x * y,
        BinaryOp::Div => x / y,
        BinaryOp::Pow => math::pow(x, y),
        // A NaN on either side is what comes out.
        BinaryOp::Min => {
            if x < y || x.is_nan() {
                x
            } else {
                y
            }
        }
        BinaryOp::Max => {
            if x > y || x.is_nan() {
                x
            } else {
                y
            }
        }
        // Exact: whole numbers below 2^53 never round up to the next quotient.
        BinaryOp::IntDiv => (x / y).trunc(),
        BinaryOp::Rem => math::rem(x, y),
        BinaryOp::Equal => truth(x == y),
        BinaryOp::NotEqual => truth(x != y),
        BinaryOp::Less => truth(x < y),
        BinaryOp::LessEqual => truth(x <= y),
        BinaryOp::Atan2 => math::atan2(x, y),
        BinaryOp::Hypot => math::hypot(x, y),
        BinaryOp::LogBeta => math::log_beta(x, y),
        BinaryOp::Partial(f, i, j) => math::partial(f as i32, i32::from(i), i32::from(j), x, y),
    }
}

/// Zero and NaN are their own sign.
fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        x
    }
}

/// The index after `at` in row-major order.
fn advance(at: &mut [usize], dims: &[usize]) {
    for (index, size) in at.iter_mut().zip(dims).rev() {
        *index += 1;
        if *index < *size {
            return;
        }
        *index = 0;
    }
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// A row-major array, or the results of a loop.
#[derive(Clone, Default)]
struct Array {
    dims: Vec<usize>,
    data: Vec<f64>,
    /// Only of [`Op::Loop`].
    results: Vec<Array>,
}

impl Array {
    fn filled(dims: Vec<usize>, value: f64) -> Array {
        let data = vec![value; dims.iter().product()];
        Array { dims, data, results: Vec::new() }
    }

    /// The element at each index computed by `element`.
    fn from_fn(dims: Vec<usize>, mut element: impl FnMut(&[usize]) -> f64) -> Array {
        let mut array = Array::filled(dims, 0.0);
        let mut at = vec![0; array.dims.len()];
        for value in &mut array.data {
            *value = element(&at);
            advance(&mut at, &array.dims);
        }
        array
    }

    fn is_whole(&self) -> bool {
        self.data.len() == self.dims.iter().product::<usize>()
    }

    fn scalar(&self) -> f64 {
        self.data[0]
    }

    /// The index of the element at a position, by division.
    fn index_of(&self, mut position: usize) -> Vec<usize> {
        let mut at = vec![0; self.dims.len()];
        for axis in (0..self.dims.len()).rev() {
            at[axis] = position % self.dims[axis];
            position /= self.dims[axis];
        }
        at
    }

    fn position_of(&self, at: &[usize]) -> usize {
        at.iter().zip(&self.dims).fold(0, |position, (i, dim)| {
            assert!(i < dim, "index proved in range");
            position * dim + i
        })
    }

    fn get(&self, at: &[usize]) -> f64 {
        self.data[self.position_of(at)]
    }

    fn at_mut(&mut self, at: &[usize]) -> &mut f64 {
        let position = self.position_of(at);
        &mut self.data[position]
    }
}

/// One value's evaluation: what came before it and the dimensions it must have.
struct Step<'a> {
    env: &'a Env<'a>,
    values: &'a [Array],
    dims: Vec<usize>,
}

impl<'a> Step<'a> {
    fn value(&self, id: ValueId) -> &'a Array {
        &self.values[id.index()]
    }

    fn run(self, op: &Op) -> Array {
        match op {
            Op::Input(k) => self.input(*k),
            Op::Real(x) => Array::filled(self.dims, *x),
            Op::Int(n) => Array::filled(self.dims, *n as f64),
            Op::SizeOf(size) => {
                let n = self.env.whole(size) as f64;
                Array::filled(self.dims, n)
            }
            Op::Fill(x) => Array::filled(self.dims, *x),
            Op::Iota => Array::from_fn(self.dims, |at| at[0] as f64),
            Op::Eye { offset } => {
                let offset = self.env.whole(offset);
                Array::from_fn(self.dims, |at| truth(at[1] as i64 == at[0] as i64 + offset))
            }
            Op::Unary(op, a) => {
                let a = self.value(*a).clone();
                Array { data: a.data.iter().map(|x| unary(*op, *x)).collect(), ..a }
            }
            Op::Binary(op, a, b) => self.zip(*a, *b, |x, y| binary(*op, x, y)),
            Op::Select(c, a, b) => self.select(*c, *a, *b),
            Op::Broadcast(a, axes) => self.broadcast(*a, axes),
            Op::Sum(a, keep) => self.sum(*a, keep),
            Op::Largest(a, keep) => self.largest(*a, keep),
            Op::Reshape(a) => {
                let data = self.value(*a).data.clone();
                Array { dims: self.dims, data, results: Vec::new() }
            }
            Op::Contract { a, a_axes, b, b_axes } => self.contract((*a, a_axes), (*b, b_axes)),
            Op::Index(a, at) => self.index(*a, at),
            Op::Set { base, at, value } => self.update(*base, at, *value, |_, new| new),
            Op::AddAt { base, at, value } => self.update(*base, at, *value, |old, new| old + new),
            Op::Gather { base, indices, axis } => self.gather(*base, *indices, usize::from(*axis)),
            Op::ScatterAdd { base, indices, axis, value } => {
                self.scatter_add(*base, *indices, usize::from(*axis), *value)
            }
            Op::Stack(items) => self.stack(items),
            Op::Diagonal(a) => self.diagonal(*a),
            Op::DiagonalMatrix(a) => self.diagonal_matrix(*a),
            Op::LowerTriangle(a) => self.lower_triangle(*a),
            Op::UnpackStrictLower(a) => self.unpack_strict_lower(*a),
            Op::PackStrictLower(a) => self.pack_strict_lower(*a),
            Op::CumulativeSum { value, axis, exclusive, reverse } => {
                self.cumulative_sum(*value, usize::from(*axis), *exclusive, *reverse)
            }
            Op::SolveLower { matrix, rhs, transpose } => self.solve(*matrix, *rhs, *transpose),
            Op::Loop(l) => self.run_loop(l),
            Op::Result(l, k) => self.value(*l).results[*k].clone(),
        }
    }

    fn input(self, k: usize) -> Array {
        let array =
            Array { dims: self.dims, data: self.env.inputs[k].to_vec(), results: Vec::new() };
        assert!(array.is_whole(), "input {k} has the length of its type");
        array
    }

    fn zip(self, a: ValueId, b: ValueId, f: impl Fn(f64, f64) -> f64) -> Array {
        let (a, b) = (self.value(a), self.value(b));
        assert_eq!(a.dims, b.dims, "elementwise operands have equal dimensions");
        let data = a.data.iter().zip(&b.data).map(|(x, y)| f(*x, *y)).collect();
        Array { dims: a.dims.clone(), data, results: Vec::new() }
    }

    fn select(self, condition: ValueId, a: ValueId, b: ValueId) -> Array {
        let (condition, a, b) = (self.value(condition), self.value(a), self.value(b));
        Array::from_fn(self.dims, |at| if condition.get(at) != 0.0 { a.get(at) } else { b.get(at) })
    }

    fn broadcast(self, a: ValueId, axes: &[u8]) -> Array {
        let a = self.value(a);
        let mut from = vec![0; axes.len()];
        Array::from_fn(self.dims, |at| {
            from.iter_mut().zip(axes).for_each(|(index, axis)| *index = at[usize::from(*axis)]);
            a.get(&from)
        })
    }

    fn sum(self, a: ValueId, keep: &[u8]) -> Array {
        let a = self.value(a);
        let mut sum = Array::filled(self.dims.clone(), 0.0);
        for (position, x) in a.data.iter().enumerate() {
            let at = a.index_of(position);
            let to: Vec<usize> = keep.iter().map(|axis| at[usize::from(*axis)]).collect();
            *sum.at_mut(&to) += x;
        }
        sum
    }

    fn largest(self, a: ValueId, keep: &[u8]) -> Array {
        let a = self.value(a);
        let mut largest = Array::filled(self.dims.clone(), f64::NEG_INFINITY);
        for (position, x) in a.data.iter().enumerate() {
            let at = a.index_of(position);
            let to: Vec<usize> = keep.iter().map(|axis| at[usize::from(*axis)]).collect();
            let element = largest.at_mut(&to);
            *element = binary(BinaryOp::Max, *element, *x);
        }
        largest
    }

    fn contract(self, (a, a_axes): (ValueId, &[u8]), (b, b_axes): (ValueId, &[u8])) -> Array {
        let (a, b) = (self.value(a), self.value(b));
        // The extent of every label, the result's first.
        let n_labels = a_axes.iter().chain(b_axes).map(|label| usize::from(*label) + 1);
        let mut extents = vec![1; n_labels.max().unwrap_or(0).max(self.dims.len())];
        for (array, axes) in [(a, a_axes), (b, b_axes)] {
            for (dim, label) in array.dims.iter().zip(axes) {
                extents[usize::from(*label)] = *dim;
            }
        }
        let every_label = Array { dims: extents.clone(), ..Array::default() };
        let mut sum = Array::filled(self.dims.clone(), 0.0);
        for position in 0..extents.iter().product() {
            let labels = every_label.index_of(position);
            let part = |axes: &[u8]| axes.iter().map(|l| labels[usize::from(*l)]).collect();
            let (from_a, from_b): (Vec<usize>, Vec<usize>) = (part(a_axes), part(b_axes));
            *sum.at_mut(&labels[..self.dims.len()]) += a.get(&from_a) * b.get(&from_b);
        }
        sum
    }

    /// The index into the indexed array of the element that `Index` shows at `at`.
    fn resolve(&self, fixed: &[Option<ValueId>], at: &[usize]) -> Vec<usize> {
        let mut kept = at.iter();
        let resolve_axis = |axis: &Option<ValueId>| match axis {
            Some(id) => proved_index(self.value(*id).scalar()),
            None => *kept.next().expect("one position for each kept axis"),
        };
        fixed.iter().map(resolve_axis).collect()
    }

    fn index(self, a: ValueId, fixed: &[Option<ValueId>]) -> Array {
        let a = self.value(a);
        Array::from_fn(self.dims.clone(), |at| a.get(&self.resolve(fixed, at)))
    }

    fn update(
        self,
        base: ValueId,
        fixed: &[Option<ValueId>],
        value: ValueId,
        change: impl Fn(f64, f64) -> f64,
    ) -> Array {
        let (mut changed, value) = (self.value(base).clone(), self.value(value));
        for (position, new) in value.data.iter().enumerate() {
            let element = changed.at_mut(&self.resolve(fixed, &value.index_of(position)));
            *element = change(*element, *new);
        }
        changed
    }

    fn gather(self, base: ValueId, indices: ValueId, axis: usize) -> Array {
        let (base, indices) = (self.value(base), self.value(indices));
        Array::from_fn(self.dims, |at| base.get(&gathered_from(at, indices, axis)))
    }

    fn scatter_add(self, base: ValueId, indices: ValueId, axis: usize, value: ValueId) -> Array {
        let (indices, value) = (self.value(indices), self.value(value));
        let mut changed = self.value(base).clone();
        for (position, new) in value.data.iter().enumerate() {
            *changed.at_mut(&gathered_from(&value.index_of(position), indices, axis)) += new;
        }
        changed
    }

    fn stack(self, items: &[ValueId]) -> Array {
        let data = items.iter().flat_map(|item| self.value(*item).data.clone()).collect();
        Array { dims: self.dims.clone(), data, results: Vec::new() }
    }

    fn diagonal(self, a: ValueId) -> Array {
        let a = self.value(a);
        Array::from_fn(self.dims, |at| a.get(&[&at[..1], at].concat()))
    }

    fn diagonal_matrix(self, a: ValueId) -> Array {
        let a = self.value(a);
        Array::from_fn(self.dims, |at| if at[0] == at[1] { a.get(&at[1..]) } else { 0.0 })
    }

    fn lower_triangle(self, a: ValueId) -> Array {
        let a = self.value(a);
        Array::from_fn(self.dims, |at| if at[1] <= at[0] { a.get(at) } else { 0.0 })
    }

    fn unpack_strict_lower(self, a: ValueId) -> Array {
        let a = self.value(a);
        let n = self.dims[0];
        assert_eq!(a.dims[0], n * n.saturating_sub(1) / 2, "a strict lower triangle, packed");
        Array::from_fn(self.dims, |at| match at[1] < at[0] {
            true => a.get(&[&[packed_position(at[0], at[1])], &at[2..]].concat()),
            false => 0.0,
        })
    }

    fn pack_strict_lower(self, a: ValueId) -> Array {
        let a = self.value(a);
        let n = a.dims[0];
        assert_eq!(self.dims[0], n * n.saturating_sub(1) / 2, "a strict lower triangle, packed");
        let mut packed = Array::filled(self.dims, 0.0);
        for (position, x) in a.data.iter().enumerate() {
            let at = a.index_of(position);
            if at[1] < at[0] {
                *packed.at_mut(&[&[packed_position(at[0], at[1])], &at[2..]].concat()) = *x;
            }
        }
        packed
    }

    fn cumulative_sum(self, value: ValueId, axis: usize, exclusive: bool, reverse: bool) -> Array {
        let value = self.value(value);
        let n = value.dims[axis];
        let mut sums = value.clone();
        for first in (0..value.data.len()).map(|position| value.index_of(position)) {
            if first[axis] != 0 {
                continue;
            }
            let mut running = 0.0;
            for step in 0..n {
                let mut at = first.clone();
                at[axis] = if reverse { n - 1 - step } else { step };
                let next = running + value.get(&at);
                *sums.at_mut(&at) = if exclusive { running } else { next };
                running = next;
            }
        }
        sums
    }

    /// Forward or, with the transpose, backward substitution.
    fn solve(self, matrix: ValueId, rhs: ValueId, transpose: bool) -> Array {
        let (matrix, mut x) = (self.value(matrix), self.value(rhs).clone());
        let n = x.dims[0];
        let n_columns: usize = x.dims[1..].iter().product();
        for column in 0..n_columns {
            for step in 0..n {
                let i = if transpose { n - 1 - step } else { step };
                let (known, coefficient): (_, &dyn Fn(usize) -> f64) = match transpose {
                    false => (0..i, &|j| matrix.get(&[i, j])),
                    true => (i + 1..n, &|j| matrix.get(&[j, i])),
                };
                let mut rest = x.data[i * n_columns + column];
                for j in known {
                    rest -= coefficient(j) * x.data[j * n_columns + column];
                }
                x.data[i * n_columns + column] = rest / matrix.get(&[i, i]);
            }
        }
        x
    }

    fn run_loop(self, l: &Loop) -> Array {
        let max_count = self.env.extent(&l.max_count);
        let count = self.value(l.count).scalar().max(0.0) as usize;
        assert!(count <= max_count, "a loop keeps its bound");
        let n_carried = l.carried.len();
        let mut carried: Vec<Array> = l.carried.iter().map(|id| self.value(*id).clone()).collect();
        let mut stacked: Vec<Array> =
            l.body.outputs[n_carried..].iter().map(|o| self.zero_stack(l, o.value)).collect();
        for step in 0..count {
            let index = if l.reverse { count - 1 - step } else { step };
            let mut outputs = self.iterate(l, index, &carried);
            for (stack, slice) in stacked.iter_mut().zip(outputs.split_off(n_carried)) {
                let start = index * slice.len();
                stack.data[start..start + slice.len()].copy_from_slice(&slice);
            }
            for (value, next) in carried.iter_mut().zip(outputs) {
                value.data = next;
            }
        }
        carried.append(&mut stacked);
        Array { results: carried, ..Array::default() }
    }

    fn zero_stack(&self, l: &Loop, output: ValueId) -> Array {
        let slice = &l.body.values[output].ty.dims;
        let sizes = std::iter::once(&l.max_count).chain(slice);
        Array::filled(sizes.map(|size| self.env.extent(size)).collect(), 0.0)
    }

    /// One iteration's outputs.
    fn iterate(&self, l: &Loop, index: usize, carried: &[Array]) -> Vec<Vec<f64>> {
        let index = [index as f64];
        let input = |kind: InputKind| match kind {
            InputKind::LoopIndex => &index[..],
            InputKind::Carried(k) => &carried[k].data[..],
            InputKind::Captured(k) => &self.value(l.captured[k]).data[..],
            other => unreachable!("no {other:?} in a loop body"),
        };
        let inputs = l.body.inputs.iter().map(|declared| input(declared.kind)).collect();
        evaluate(&l.body, &Env { inputs, sizes: self.env.sizes })
    }
}

fn proved_index(index: f64) -> usize {
    assert!(index >= 0.0 && index == index.trunc(), "index proved in range");
    index as usize
}

/// Where `Gather` reads the element that it shows at `at`.
fn gathered_from(at: &[usize], indices: &Array, axis: usize) -> Vec<usize> {
    let mut from = at.to_vec();
    from[axis] = proved_index(indices.data[at[axis]]);
    from
}

/// Where the strict lower triangle, row by row, holds row `i` and column `j < i`.
fn packed_position(i: usize, j: usize) -> usize {
    i * (i - 1) / 2 + j
}
