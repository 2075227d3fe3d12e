//! Whether a function keeps the rules of the ops: operands before users, dimensions and
//! element types as each op's documentation says, loop bodies that fit their loops.
//!
//! What passes here is evaluated and compiled without further errors, but for two things
//! only data decide: that indices are in range, and that sizes with different names agree.

use super::op::{BinaryOp, Function, InputKind, Loop, Op, UnaryOp, Value, ValueId, ValueType};
use crate::ty::{Element, Size};

/// Checks `function`; the error says which value breaks which rule.
///
/// Sizes whose polynomials differ, but not by a known number, pass: they are compared once
/// the data are known.
pub fn verify(function: &Function) -> Result<(), String> {
    verify_with(function, &may_be_equal)
}

/// As [`verify`], with `same` to decide whether two sizes agree.
pub fn verify_with(function: &Function, same: &dyn Fn(&Size, &Size) -> bool) -> Result<(), String> {
    let checker = Checker { function, same };
    for (id, value) in function.values.iter() {
        checker
            .check_value(id, value)
            .map_err(|rule| format!("in `{}`, {id:?}: {rule}", function.name))?;
    }
    for output in &function.outputs {
        if output.value.index() >= function.values.len() {
            return Err(format!("in `{}`, output `{}` does not exist", function.name, output.name));
        }
    }
    Ok(())
}

/// Whether some data could make the two sizes equal, as far as a glance shows.
fn may_be_equal(a: &Size, b: &Size) -> bool {
    match a.checked_sub(b).map(|difference| difference.as_constant()) {
        Some(Some(difference)) => difference == 0,
        Some(None) | None => true,
    }
}

type Check<T = ()> = Result<T, String>;

fn ensure(holds: bool, rule: &str) -> Check {
    if holds { Ok(()) } else { Err(rule.to_string()) }
}

struct Checker<'a> {
    function: &'a Function,
    same: &'a dyn Fn(&Size, &Size) -> bool,
}

impl<'a> Checker<'a> {
    fn check_value(&self, id: ValueId, value: &Value) -> Check {
        let before = value.op.operands().iter().all(|operand| *operand < id);
        ensure(before, "an operand comes after its user")?;
        let of_loop = |operand: &ValueId| matches!(self.function.values[*operand].op, Op::Loop(_));
        let reads_loop = value.op.operands().iter().any(of_loop);
        ensure(
            !reads_loop || matches!(value.op, Op::Result(..)),
            "a loop is read by its results alone",
        )?;
        self.check_element(value)?;
        self.check_dims(value)
    }

    fn ty(&self, id: ValueId) -> &'a ValueType {
        &self.function.values[id].ty
    }

    fn dims(&self, id: ValueId) -> &'a [Size] {
        &self.ty(id).dims
    }

    fn agree(&self, a: &[Size], b: &[Size]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (self.same)(a, b))
    }

    /// Whole numbers come from whole numbers, or from ops whose results are whole.
    fn check_element(&self, value: &Value) -> Check {
        use BinaryOp::{Equal, Less, LessEqual, NotEqual};
        use UnaryOp::{Ceil, Floor, Not, Round, Sign, Trunc};
        let exempt = match &value.op {
            Op::Unary(op, _) => matches!(op, Not | Floor | Ceil | Round | Trunc | Sign),
            Op::Binary(op, ..) => matches!(op, Equal | NotEqual | Less | LessEqual),
            Op::Real(_) => return ensure(value.ty.element == Element::Real, "a real is whole"),
            Op::Int(_) | Op::SizeOf(_) | Op::Iota => {
                return ensure(value.ty.element == Element::Int, "a whole number is real");
            }
            Op::Input(_) | Op::Loop(_) | Op::Result(..) => true,
            _ => false,
        };
        let is_int = |id: &ValueId| self.ty(*id).element == Element::Int;
        let whole = value.op.operands().iter().all(is_int);
        ensure(
            exempt || whole || value.ty.element == Element::Real,
            "whole numbers from real operands",
        )
    }

    fn check_dims(&self, value: &Value) -> Check {
        let dims = &value.ty.dims;
        let expected = match &value.op {
            Op::Input(k) => return self.check_input(*k, &value.ty),
            Op::Real(_) | Op::Int(_) | Op::SizeOf(_) => Vec::new(),
            Op::Fill(_) => return Ok(()),
            Op::Iota => return ensure(dims.len() == 1, "iota is a vector"),
            Op::Eye { .. } => return ensure(dims.len() == 2, "eye is a matrix"),
            Op::Unary(_, a) => self.dims(*a).to_vec(),
            Op::Binary(_, a, b) => self.elementwise(&[*a, *b])?,
            Op::Select(c, a, b) => self.elementwise(&[*c, *a, *b])?,
            Op::Broadcast(a, axes) => return self.check_broadcast(*a, axes, dims),
            Op::Sum(a, keep) | Op::Largest(a, keep) => self.sum_dims(*a, keep)?,
            Op::Reshape(a) => {
                let both = !self.dims(*a).is_empty() && !dims.is_empty();
                return ensure(both, "a scalar has no other shape");
            }
            Op::Contract { a, a_axes, b, b_axes } => {
                return self.check_contract([(*a, a_axes), (*b, b_axes)], dims);
            }
            Op::Index(a, at) => self.indexed_dims(*a, at)?,
            Op::Set { base, at, value } | Op::AddAt { base, at, value } => {
                let part = self.indexed_dims(*base, at)?;
                ensure(self.agree(&part, self.dims(*value)), "the new part has other dimensions")?;
                self.dims(*base).to_vec()
            }
            Op::Gather { base, indices, axis } => self.gathered_dims(*base, *indices, *axis)?,
            Op::ScatterAdd { base, indices, axis, value } => {
                let part = self.gathered_dims(*base, *indices, *axis)?;
                ensure(self.agree(&part, self.dims(*value)), "what is added has other dimensions")?;
                self.dims(*base).to_vec()
            }
            Op::Stack(items) => self.stacked_dims(items)?,
            Op::Diagonal(a) => self.square(*a)?[1..].to_vec(),
            Op::DiagonalMatrix(a) => {
                let a = self.dims(*a);
                ensure(!a.is_empty(), "a diagonal has an axis")?;
                [&a[..1], a].concat()
            }
            Op::LowerTriangle(a) => self.square(*a)?.to_vec(),
            Op::UnpackStrictLower(a) => return self.check_packed(dims, self.dims(*a)),
            Op::PackStrictLower(a) => return self.check_packed(self.dims(*a), dims),
            Op::CumulativeSum { value, axis, .. } => {
                let operand = self.dims(*value);
                ensure(usize::from(*axis) < operand.len(), "no such axis")?;
                operand.to_vec()
            }
            Op::SolveLower { matrix, rhs, .. } => self.solved_dims(*matrix, *rhs)?,
            Op::Loop(l) => return self.check_loop(l),
            Op::Result(l, k) => self.result_dims(*l, *k)?,
        };
        ensure(self.agree(&expected, dims), "its dimensions are not those of the op")
    }

    fn check_input(&self, k: usize, ty: &ValueType) -> Check {
        let Some(input) = self.function.inputs.get(k) else {
            return Err("there is no such input".to_string());
        };
        ensure(self.agree(&input.ty.dims, &ty.dims), "its dimensions are not the input's")?;
        ensure(input.ty.element == ty.element, "its element type is not the input's")
    }

    fn elementwise(&self, operands: &[ValueId]) -> Check<Vec<Size>> {
        let first = self.dims(operands[0]);
        let equal = operands.iter().all(|operand| self.agree(first, self.dims(*operand)));
        ensure(equal, "elementwise operands of different dimensions")?;
        Ok(first.to_vec())
    }

    fn check_broadcast(&self, a: ValueId, axes: &[u8], dims: &[Size]) -> Check {
        let a = self.dims(a);
        ensure(axes.len() == a.len() && all_different(axes), "one new axis for each old")?;
        for (size, axis) in a.iter().zip(axes) {
            let Some(target) = dims.get(usize::from(*axis)) else {
                return Err("no such axis".to_string());
            };
            ensure((self.same)(size, target), "an axis changes its size")?;
        }
        Ok(())
    }

    fn sum_dims(&self, a: ValueId, keep: &[u8]) -> Check<Vec<Size>> {
        let a = self.dims(a);
        ensure(all_different(keep), "an axis is kept twice")?;
        ensure(keep.iter().all(|axis| usize::from(*axis) < a.len()), "no such axis")?;
        Ok(keep.iter().map(|axis| a[usize::from(*axis)].clone()).collect())
    }

    fn check_contract(&self, operands: [(ValueId, &Vec<u8>); 2], dims: &[Size]) -> Check {
        let mut extents: Vec<Option<&Size>> = vec![None; 256];
        for (operand, axes) in operands {
            let operand = self.dims(operand);
            ensure(axes.len() == operand.len() && all_different(axes), "one label for each axis")?;
            for (size, label) in operand.iter().zip(axes) {
                let known = extents[usize::from(*label)].get_or_insert(size);
                ensure((self.same)(known, size), "equal labels of different sizes")?;
            }
        }
        for (dim, extent) in dims.iter().zip(&extents) {
            ensure(
                extent.is_some_and(|extent| (self.same)(extent, dim)),
                "an axis of the result has another size or is in no operand",
            )?;
        }
        Ok(())
    }

    fn indexed_dims(&self, a: ValueId, at: &[Option<ValueId>]) -> Check<Vec<Size>> {
        let a = self.dims(a);
        ensure(at.len() == a.len(), "one index for each axis")?;
        for index in at.iter().flatten() {
            ensure(*self.ty(*index) == ValueType::int(), "an index is a whole scalar")?;
        }
        Ok(a.iter().zip(at).filter(|(_, at)| at.is_none()).map(|(dim, _)| dim.clone()).collect())
    }

    fn gathered_dims(&self, base: ValueId, indices: ValueId, axis: u8) -> Check<Vec<Size>> {
        let mut dims = self.dims(base).to_vec();
        let indices = self.ty(indices);
        ensure(
            indices.element == Element::Int && indices.rank() == 1,
            "indices are a vector of whole numbers",
        )?;
        let Some(dim) = dims.get_mut(usize::from(axis)) else {
            return Err("no such axis".to_string());
        };
        *dim = indices.dims[0].clone();
        Ok(dims)
    }

    fn stacked_dims(&self, items: &[ValueId]) -> Check<Vec<Size>> {
        ensure(!items.is_empty(), "nothing to stack")?;
        let item = self.elementwise(items)?;
        let count = i64::try_from(items.len()).expect("a list fits in memory");
        Ok([vec![Size::constant(count)], item].concat())
    }

    fn square(&self, a: ValueId) -> Check<&'a [Size]> {
        let a = self.dims(a);
        ensure(a.len() >= 2 && (self.same)(&a[0], &a[1]), "the first two axes are not equal")?;
        Ok(a)
    }

    /// The packed length is quadratic in the other and checked when sizes are known.
    fn check_packed(&self, square: &[Size], packed: &[Size]) -> Check {
        let fits = square.len() >= 2 && packed.len() + 1 == square.len();
        ensure(fits && (self.same)(&square[0], &square[1]), "not a square matrix and a vector")?;
        ensure(self.agree(&square[2..], &packed[1..]), "further axes differ")
    }

    fn solved_dims(&self, matrix: ValueId, rhs: ValueId) -> Check<Vec<Size>> {
        let (matrix, rhs) = (self.square(matrix)?, self.dims(rhs));
        ensure(matrix.len() == 2, "the system is not a matrix")?;
        ensure(
            rhs.first().is_some_and(|n| (self.same)(n, &matrix[0])),
            "the right-hand side has another size",
        )?;
        Ok(rhs.to_vec())
    }

    fn check_loop(&self, l: &Loop) -> Check {
        ensure(*self.ty(l.count) == ValueType::int(), "a loop's count is a whole scalar")?;
        let kinds = std::iter::once(InputKind::LoopIndex)
            .chain((0..l.carried.len()).map(InputKind::Carried))
            .chain((0..l.captured.len()).map(InputKind::Captured));
        ensure(
            kinds.eq(l.body.inputs.iter().map(|input| input.kind)),
            "a loop body's inputs are the index, the carried and the captured values",
        )?;
        ensure(l.body.inputs[0].ty == ValueType::int(), "a loop index is a whole scalar")?;
        for (outer, input) in l.carried.iter().chain(&l.captured).zip(&l.body.inputs[1..]) {
            ensure(
                self.agree(self.dims(*outer), &input.ty.dims)
                    && self.ty(*outer).element <= input.ty.element,
                "a loop body reads a value of another type",
            )?;
        }
        verify_with(&l.body, self.same)?;
        ensure(l.body.outputs.len() >= l.carried.len(), "a carried value has no next")?;
        for (input, output) in l.body.inputs[1..].iter().zip(&l.body.outputs[..l.carried.len()]) {
            let next = &l.body.values[output.value].ty;
            ensure(
                self.agree(&input.ty.dims, &next.dims) && next.element <= input.ty.element,
                "a carried value changes its type",
            )?;
        }
        Ok(())
    }

    fn result_dims(&self, l: ValueId, k: usize) -> Check<Vec<Size>> {
        let Op::Loop(l) = &self.function.values[l].op else {
            return Err("a result of what is no loop".to_string());
        };
        let Some(output) = l.body.outputs.get(k) else {
            return Err("there is no such result".to_string());
        };
        let dims = &l.body.values[output.value].ty.dims;
        let stacked = k >= l.carried.len();
        Ok(stacked.then_some(&l.max_count).into_iter().chain(dims).cloned().collect())
    }
}

fn all_different(axes: &[u8]) -> bool {
    (1..axes.len()).all(|i| !axes[..i].contains(&axes[i]))
}
