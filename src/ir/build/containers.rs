//! Ops that change or combine dimensions.

use super::{Builder, join};
use crate::ir::op::{Op, ValueId, ValueType};
use crate::ty::{Element, Size};

impl Builder {
    /// Axis `j` of `a` becomes axis `axes[j]` of a value with these dimensions.
    pub fn broadcast(&mut self, a: ValueId, axes: &[u8], dims: &[Size]) -> ValueId {
        let is_identity = axes.len() == dims.len()
            && axes.iter().enumerate().all(|(j, &axis)| j == usize::from(axis));
        if is_identity {
            return a;
        }
        match self.op(a) {
            Op::Real(x) | Op::Fill(x) => {
                let x = *x;
                return self.fill(x, dims.to_vec());
            }
            Op::Broadcast(inner, first) => {
                let composed: Vec<u8> = first.iter().map(|&j| axes[usize::from(j)]).collect();
                let inner = *inner;
                return self.broadcast(inner, &composed, dims);
            }
            _ => {}
        }
        let ty = ValueType { element: self.ty(a).element, dims: dims.to_vec() };
        self.push(Op::Broadcast(a, axes.to_vec()), ty)
    }

    /// The transpose of a matrix.
    pub fn transpose(&mut self, a: ValueId) -> ValueId {
        let dims = [self.dims(a)[1].clone(), self.dims(a)[0].clone()];
        self.broadcast(a, &[1, 0], &dims)
    }

    /// The sum over all axes.
    pub fn sum(&mut self, a: ValueId) -> ValueId {
        self.sum_keeping(a, &[])
    }

    /// The sum over the axes not in `keep`, which become the axes of the result.
    pub fn sum_keeping(&mut self, a: ValueId, keep: &[u8]) -> ValueId {
        let rank = self.rank(a);
        if keep.len() == rank {
            return self.permute(a, keep);
        }
        if let Some(simpler) = self.sum_of_repeated(a, keep) {
            return simpler;
        }
        if let Some(simpler) = self.sum_of_scaled(a, keep) {
            return simpler;
        }
        let dims = keep.iter().map(|&axis| self.dims(a)[usize::from(axis)].clone()).collect();
        let ty = ValueType { element: self.ty(a).element, dims };
        self.push(Op::Sum(a, keep.to_vec()), ty)
    }

    /// The largest element over the axes not in `keep`, which become the axes of the result; a
    /// constant to derivatives, see [`Op::Largest`].
    pub fn largest_keeping(&mut self, a: ValueId, keep: &[u8]) -> ValueId {
        let dims = keep.iter().map(|&axis| self.dims(a)[usize::from(axis)].clone()).collect();
        let ty = ValueType { element: self.ty(a).element, dims };
        self.push(Op::Largest(a, keep.to_vec()), ty)
    }

    /// The elements of `a` in their order with other dimensions, of which there is one at
    /// least, as `a` has.
    pub fn reshape(&mut self, a: ValueId, dims: &[Size]) -> ValueId {
        if self.dims(a) == dims {
            return a;
        }
        let ty = ValueType { element: self.ty(a).element, dims: dims.to_vec() };
        self.push(Op::Reshape(a), ty)
    }

    /// Axis `j` of the result is axis `order[j]` of `a`.
    fn permute(&mut self, a: ValueId, order: &[u8]) -> ValueId {
        let mut axes = vec![0_u8; order.len()];
        for (j, &axis) in order.iter().enumerate() {
            axes[usize::from(axis)] = j as u8;
        }
        let dims: Vec<Size> =
            order.iter().map(|&axis| self.dims(a)[usize::from(axis)].clone()).collect();
        self.broadcast(a, &axes, &dims)
    }

    /// The sum of equal elements is their number times one of them.
    fn sum_of_repeated(&mut self, a: ValueId, keep: &[u8]) -> Option<ValueId> {
        let (inner, axes) = match self.op(a) {
            Op::Broadcast(inner, axes) => (*inner, axes.clone()),
            Op::Fill(x) => {
                let x = *x;
                (self.real(x), Vec::new())
            }
            _ => return None,
        };
        let dims = self.dims(a).to_vec();
        let is_summed = |axis: u8| !keep.contains(&axis);
        if axes.iter().any(|&axis| is_summed(axis)) {
            return None;
        }
        let mut factor = self.real(1.0);
        for axis in (0..dims.len() as u8).filter(|&axis| is_summed(axis)) {
            let n = self.size(&dims[usize::from(axis)]);
            factor = self.mul(factor, n);
        }
        let scaled = self.mul(inner, factor);
        let position = |axis: u8| keep.iter().position(|&k| k == axis).expect("kept") as u8;
        let axes: Vec<u8> = axes.into_iter().map(position).collect();
        let dims: Vec<Size> = keep.iter().map(|&axis| dims[usize::from(axis)].clone()).collect();
        Some(self.broadcast(scaled, &axes, &dims))
    }

    /// The sum of products of two values, see [`Op::Contract`]; `rank` axes remain.
    pub fn contract(
        &mut self,
        a: ValueId,
        a_axes: &[u8],
        b: ValueId,
        b_axes: &[u8],
        rank: usize,
    ) -> ValueId {
        for ((x, x_axes), (y, y_axes)) in [((a, a_axes), (b, b_axes)), ((b, b_axes), (a, a_axes))] {
            if let Some(simpler) = self.contract_with_identity(x, x_axes, y, y_axes, rank) {
                return simpler;
            }
            if let Some(simpler) = self.contract_with_selection(x, x_axes, y, y_axes, rank) {
                return simpler;
            }
            if let Some(simpler) = self.contract_with_constant(x, x_axes, y, y_axes, rank) {
                return simpler;
            }
            if let Some(simpler) = self.contract_by_parts((x, x_axes), (y, y_axes), rank) {
                return simpler;
            }
        }
        let labelled = || {
            let of = |v: ValueId, axes: &[u8]| -> Vec<(u8, Size)> {
                axes.iter().copied().zip(self.dims(v).iter().cloned()).collect()
            };
            [of(a, a_axes), of(b, b_axes)].concat()
        };
        let labelled = labelled();
        let dim = |label: usize| {
            let found = labelled.iter().find(|(l, _)| usize::from(*l) == label);
            found.expect("every axis of the result comes from an operand").1.clone()
        };
        let dims = (0..rank).map(dim).collect();
        let element = join(self.ty(a).element, self.ty(b).element);
        let op = Op::Contract { a, a_axes: a_axes.to_vec(), b, b_axes: b_axes.to_vec() };
        self.push(op, ValueType { element, dims })
    }

    /// `X I = X`: derivatives start from identity matrices.
    fn contract_with_identity(
        &mut self,
        x: ValueId,
        x_axes: &[u8],
        eye: ValueId,
        eye_axes: &[u8],
        rank: usize,
    ) -> Option<ValueId> {
        let Op::Eye { offset } = self.op(eye) else { return None };
        let [n, m] = self.dims(eye) else { return None };
        if offset.as_constant() != Some(0) || n != m {
            return None;
        }
        let (from, to) = match *eye_axes {
            [i, j] if usize::from(i) >= rank && usize::from(j) < rank => (i, j),
            [i, j] if usize::from(j) >= rank && usize::from(i) < rank => (j, i),
            _ => return None,
        };
        if !x_axes.contains(&from) || x_axes.contains(&to) {
            return None;
        }
        let axes: Vec<u8> = x_axes.iter().map(|&l| if l == from { to } else { l }).collect();
        let kept: Vec<u8> = (0..rank as u8).collect();
        let positions: Option<Vec<u8>> = kept
            .iter()
            .map(|label| axes.iter().position(|l| l == label).map(|j| j as u8))
            .collect();
        Some(self.sum_keeping(x, &positions?))
    }

    /// A product with rows of an identity matrix puts parts in their places or reads them:
    /// derivatives of parts of a vector begin so.
    fn contract_with_selection(
        &mut self,
        x: ValueId,
        x_axes: &[u8],
        selection: ValueId,
        selection_axes: &[u8],
        rank: usize,
    ) -> Option<ValueId> {
        let Op::Gather { base, indices, axis: 0 } = *self.op(selection) else { return None };
        let Op::Eye { offset } = self.op(base) else { return None };
        let [n, m] = self.dims(base) else { return None };
        let &[row, column] = selection_axes else { return None };
        if offset.as_constant() != Some(0) || n != m {
            return None;
        }
        let n = n.clone();
        let is_kept = |label: u8| usize::from(label) < rank;
        let (from, to) = match (is_kept(row), is_kept(column)) {
            (false, true) => (row, column),
            (true, false) => (column, row),
            _ => return None,
        };
        if !x_axes.contains(&from) || x_axes.contains(&to) {
            return None;
        }
        let place = |label: u8| x_axes.iter().position(|&l| l == label).map(|j| j as u8);
        let source = |label: u8| if label == to { place(from) } else { place(label) };
        let positions: Option<Vec<u8>> = (0..rank as u8).map(source).collect();
        let moved = self.sum_keeping(x, &positions?);
        if to == row {
            return Some(self.gather(moved, indices, to));
        }
        let mut dims = self.dims(moved).to_vec();
        dims[usize::from(to)] = n;
        let zeros = self.fill(0.0, dims);
        Some(self.scatter_add(zeros, indices, to, moved))
    }

    /// Equal elements are a factor of a sum.
    fn contract_with_constant(
        &mut self,
        x: ValueId,
        x_axes: &[u8],
        fill: ValueId,
        fill_axes: &[u8],
        rank: usize,
    ) -> Option<ValueId> {
        let factor = self.constant(fill)?;
        if !fill_axes.iter().all(|label| x_axes.contains(label)) {
            return None;
        }
        let keep: Option<Vec<u8>> = (0..rank as u8)
            .map(|label| x_axes.iter().position(|&l| l == label).map(|j| j as u8))
            .collect();
        let sum = self.sum_keeping(x, &keep?);
        Some(self.scale(sum, factor))
    }

    /// `A x` for a matrix and a vector.
    pub fn mat_vec(&mut self, a: ValueId, x: ValueId) -> ValueId {
        self.contract(a, &[0, 1], x, &[1], 1)
    }

    /// `A B` for two matrices.
    pub fn mat_mul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.contract(a, &[0, 2], b, &[2, 1], 2)
    }

    /// `Σ aᵢ bᵢ` for values of equal dimensions.
    pub fn dot(&mut self, a: ValueId, b: ValueId) -> ValueId {
        let axes: Vec<u8> = (0..self.rank(a) as u8).collect();
        self.contract(a, &axes, b, &axes, 0)
    }

    /// The part of `a` at these indices, counted from zero.
    pub fn index(&mut self, a: ValueId, at: Vec<Option<ValueId>>) -> ValueId {
        if at.iter().all(Option::is_none) {
            return a;
        }
        if let Some(simpler) = self.index_of_known(a, &at) {
            return simpler;
        }
        let kept = self.dims(a).iter().zip(&at).filter(|(_, i)| i.is_none());
        let dims = kept.map(|(dim, _)| dim.clone()).collect();
        let ty = ValueType { element: self.ty(a).element, dims };
        self.push(Op::Index(a, at), ty)
    }

    fn index_of_known(&mut self, a: ValueId, at: &[Option<ValueId>]) -> Option<ValueId> {
        match self.op(a) {
            Op::Fill(x) => {
                let x = *x;
                let kept = self.dims(a).iter().zip(at).filter(|(_, i)| i.is_none());
                let dims = kept.map(|(dim, _)| dim.clone()).collect();
                Some(self.fill(x, dims))
            }
            Op::Stack(items) => {
                let Op::Int(k) = self.op(at[0]?) else { return None };
                let item = *items.get(usize::try_from(*k).ok()?)?;
                Some(self.index(item, at[1..].to_vec()))
            }
            Op::Broadcast(inner, axes) => {
                let (inner, axes) = (*inner, axes.clone());
                let inner_at = axes.iter().map(|&axis| at[usize::from(axis)]).collect::<Vec<_>>();
                let mut kept_position = Vec::new();
                let mut next = 0_u8;
                for i in at {
                    kept_position.push(next);
                    next += u8::from(i.is_none());
                }
                let kept = self.dims(a).iter().zip(at).filter(|(_, i)| i.is_none());
                let dims: Vec<Size> = kept.map(|(dim, _)| dim.clone()).collect();
                let new_axes: Vec<u8> = axes
                    .iter()
                    .filter(|&&axis| at[usize::from(axis)].is_none())
                    .map(|&axis| kept_position[usize::from(axis)])
                    .collect();
                let part = self.index(inner, inner_at);
                Some(self.broadcast(part, &new_axes, &dims))
            }
            _ => None,
        }
    }

    /// `base` with a part replaced.
    pub fn set(&mut self, base: ValueId, at: Vec<Option<ValueId>>, value: ValueId) -> ValueId {
        if at.iter().all(Option::is_none) {
            return value;
        }
        let dims = self.dims(base).to_vec();
        let element = join(self.ty(base).element, self.ty(value).element);
        self.push(Op::Set { base, at, value }, ValueType { element, dims })
    }

    /// `base` with `value` added to a part.
    pub fn add_at(&mut self, base: ValueId, at: Vec<Option<ValueId>>, value: ValueId) -> ValueId {
        if at.iter().all(Option::is_none) {
            return self.add(base, value);
        }
        let dims = self.dims(base).to_vec();
        let element = join(self.ty(base).element, self.ty(value).element);
        self.push(Op::AddAt { base, at, value }, ValueType { element, dims })
    }

    /// Values of equal dimensions along a new first axis.
    pub fn stack(&mut self, items: Vec<ValueId>) -> ValueId {
        let first = *items.first().expect("a stack has at least one item");
        let mut dims = self.dims(first).to_vec();
        dims.insert(0, Size::constant(items.len() as i64));
        let element = items.iter().map(|&item| self.ty(item).element).max();
        let ty = ValueType { element: element.expect("at least one item"), dims };
        self.push(Op::Stack(items), ty)
    }

    /// The diagonal of a square matrix (further axes stay).
    pub fn diagonal(&mut self, a: ValueId) -> ValueId {
        if let Op::DiagonalMatrix(inner) = self.op(a) {
            return *inner;
        }
        let ty = ValueType { element: self.ty(a).element, dims: self.dims(a)[1..].to_vec() };
        self.push(Op::Diagonal(a), ty)
    }

    /// The square matrix with this diagonal (further axes stay).
    pub fn diagonal_matrix(&mut self, a: ValueId) -> ValueId {
        let mut dims = self.dims(a).to_vec();
        dims.insert(0, dims[0].clone());
        self.push(Op::DiagonalMatrix(a), ValueType::reals(dims))
    }

    /// The lower triangle with its diagonal.
    pub fn lower_triangle(&mut self, a: ValueId) -> ValueId {
        if matches!(self.op(a), Op::LowerTriangle(_) | Op::UnpackStrictLower(_)) {
            return a;
        }
        let ty = self.ty(a).clone();
        self.push(Op::LowerTriangle(a), ty)
    }

    /// An `n` × `n` matrix whose strict lower triangle is `a`, row by row.
    pub fn unpack_strict_lower(&mut self, a: ValueId, n: Size) -> ValueId {
        let mut dims = vec![n.clone(), n];
        dims.extend_from_slice(&self.dims(a)[1..]);
        self.push(Op::UnpackStrictLower(a), ValueType::reals(dims))
    }

    /// The strict lower triangle of `a`, row by row; `length` is `n (n - 1) / 2`.
    pub fn pack_strict_lower(&mut self, a: ValueId, length: Size) -> ValueId {
        let mut dims = vec![length];
        dims.extend_from_slice(&self.dims(a)[2..]);
        self.push(Op::PackStrictLower(a), ValueType::reals(dims))
    }

    /// Running sums, see [`Op::CumulativeSum`].
    pub fn cumulative_sum(
        &mut self,
        value: ValueId,
        axis: u8,
        exclusive: bool,
        reverse: bool,
    ) -> ValueId {
        let ty = self.ty(value).clone();
        self.push(Op::CumulativeSum { value, axis, exclusive, reverse }, ty)
    }

    /// Solves with the lower triangle of `matrix`, or its transpose.
    pub fn solve_lower(&mut self, matrix: ValueId, rhs: ValueId, transpose: bool) -> ValueId {
        let dims = self.dims(rhs).to_vec();
        self.push(Op::SolveLower { matrix, rhs, transpose }, ValueType::reals(dims))
    }

    /// `0, 1, …, n - 1`.
    pub fn iota(&mut self, n: Size) -> ValueId {
        self.push(Op::Iota, ValueType { element: Element::Int, dims: vec![n] })
    }

    /// `rows` × `columns` with ones where `column == row + offset`.
    pub fn eye(&mut self, rows: Size, columns: Size, offset: Size) -> ValueId {
        self.push(Op::Eye { offset }, ValueType::reals(vec![rows, columns]))
    }
}
