//! Random functions: whatever ops meet, both evaluators agree.

use super::gather::indices;
use super::loops::{Body, add_loop};
use super::*;

const SEED: u64 = 20240607;

const UNARY: [UnaryOp; 9] = [
    UnaryOp::Neg,
    UnaryOp::Abs,
    UnaryOp::Sin,
    UnaryOp::Cos,
    UnaryOp::Atan,
    UnaryOp::Tanh,
    UnaryOp::InvLogit,
    UnaryOp::LogCosh,
    UnaryOp::Phi,
];

/// Continuous ops only: a sum taken in another order must not change a comparison.
const BINARY: [BinaryOp; 5] =
    [BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul, BinaryOp::Min, BinaryOp::Max];

struct Generator {
    numbers: Numbers,
}

impl Generator {
    fn size(&mut self) -> Size {
        [rows(), k(), size(3)][self.numbers.below(3)].clone()
    }

    fn dims(&mut self, max_rank: usize) -> Vec<Size> {
        (0..self.numbers.below(max_rank + 1)).map(|_| self.size()).collect()
    }

    fn any(&mut self, values: &[ValueId]) -> ValueId {
        // Late values are read more often, so that functions are deep.
        let back = self.numbers.below(values.len()).min(self.numbers.below(values.len()));
        values[values.len() - 1 - back]
    }

    /// A value of these dimensions: one there is, or a new one from what there is.
    fn of_dims(&mut self, draft: &mut Draft, values: &[ValueId], dims: &[Size]) -> ValueId {
        let fitting: Vec<ValueId> =
            values.iter().copied().filter(|id| draft.dims(*id) == dims).collect();
        match fitting.is_empty() {
            true => draft.real(Op::Fill(self.numbers.next()), dims),
            false => self.any(&fitting),
        }
    }

    /// An index below every size but the number of rows, which are never indexed.
    fn position(&mut self, draft: &mut Draft) -> ValueId {
        let position = self.numbers.below(3) as i64;
        draft.whole(Op::Int(position))
    }

    fn places(&mut self, draft: &mut Draft, dims: &[Size]) -> (Vec<Option<ValueId>>, Vec<Size>) {
        let mut kept = Vec::new();
        let mut places = Vec::new();
        for dim in dims {
            if *dim != rows() && self.numbers.below(2) == 0 {
                places.push(Some(self.position(draft)));
            } else {
                places.push(None);
                kept.push(dim.clone());
            }
        }
        (places, kept)
    }

    fn step(&mut self, draft: &mut Draft, values: &[ValueId], depth: usize) -> Vec<ValueId> {
        let a = self.any(values);
        let dims = draft.dims(a);
        vec![match self.numbers.below(14) {
            0 | 1 => draft.unary(UNARY[self.numbers.below(UNARY.len())], a),
            2 | 3 => {
                let b = self.of_dims(draft, values, &dims);
                draft.binary(BINARY[self.numbers.below(BINARY.len())], a, b)
            }
            4 => self.broadcast(draft, a, &dims),
            5 => self.sum(draft, a, &dims),
            6 | 7 => self.contract(draft, values, a, &dims),
            8 => {
                let (places, kept) = self.places(draft, &dims);
                draft.real(Op::Index(a, places), &kept)
            }
            9 => {
                let (at, kept) = self.places(draft, &dims);
                let value = self.of_dims(draft, values, &kept);
                let adds = self.numbers.below(2) == 0;
                let op = if adds {
                    Op::AddAt { base: a, at, value }
                } else {
                    Op::Set { base: a, at, value }
                };
                draft.real(op, &dims)
            }
            10 => self.gather(draft, a, &dims),
            11 => self.scatter(draft, values, a, &dims),
            12 if depth > 0 => return self.random_loop(draft, values, depth),
            _ => self.structured(draft, values, a, &dims),
        }]
    }

    /// An axis that is not the number of rows, and indices below 3 to gather along it.
    fn gathered(&mut self, draft: &mut Draft, dims: &[Size]) -> Option<(ValueId, u8, Vec<Size>)> {
        let axis = (0..dims.len()).find(|axis| dims[*axis] != rows())?;
        let count = self.size();
        let shift = self.numbers.below(3) as i64;
        let mut part = dims.to_vec();
        part[axis] = count.clone();
        Some((indices(draft, count, shift, 3), axis as u8, part))
    }

    fn gather(&mut self, draft: &mut Draft, a: ValueId, dims: &[Size]) -> ValueId {
        match self.gathered(draft, dims) {
            Some((indices, axis, part)) => draft.real(Op::Gather { base: a, indices, axis }, &part),
            None => draft.unary(UnaryOp::Sin, a),
        }
    }

    fn scatter(
        &mut self,
        draft: &mut Draft,
        values: &[ValueId],
        a: ValueId,
        dims: &[Size],
    ) -> ValueId {
        match self.gathered(draft, dims) {
            Some((indices, axis, part)) => {
                let value = self.of_dims(draft, values, &part);
                draft.real(Op::ScatterAdd { base: a, indices, axis, value }, dims)
            }
            None => draft.unary(UnaryOp::Cos, a),
        }
    }

    fn broadcast(&mut self, draft: &mut Draft, a: ValueId, dims: &[Size]) -> ValueId {
        if dims.len() > 2 {
            return draft.unary(UnaryOp::Tanh, a);
        }
        let at = self.numbers.below(dims.len() + 1);
        let mut to = dims.to_vec();
        to.insert(at, self.size());
        let axes = (0..dims.len()).map(|axis| if axis < at { axis } else { axis + 1 } as u8);
        draft.real(Op::Broadcast(a, axes.collect()), &to)
    }

    fn sum(&mut self, draft: &mut Draft, a: ValueId, dims: &[Size]) -> ValueId {
        let mut keep: Vec<u8> =
            (0..dims.len() as u8).filter(|_| self.numbers.below(2) == 0).collect();
        if self.numbers.below(2) == 0 {
            keep.reverse();
        }
        let kept: Vec<Size> = keep.iter().map(|axis| dims[usize::from(*axis)].clone()).collect();
        let sum = draft.real(Op::Sum(a, keep), &kept);
        draft.unary(UnaryOp::Tanh, sum)
    }

    fn contract(
        &mut self,
        draft: &mut Draft,
        values: &[ValueId],
        a: ValueId,
        dims: &[Size],
    ) -> ValueId {
        let b = self.any(values);
        let b_dims = draft.dims(b);
        // Equal sizes get equal labels where they can; some labels are kept.
        let mut labels: Vec<(Size, bool)> = dims.iter().map(|dim| (dim.clone(), false)).collect();
        let mut b_labels = Vec::new();
        for dim in &b_dims {
            let shared = (0..dims.len()).find(|l| dims[*l] == *dim && !b_labels.contains(l));
            b_labels.push(shared.unwrap_or(labels.len()));
            if shared.is_none() {
                labels.push((dim.clone(), false));
            }
        }
        for label in &mut labels {
            label.1 = self.numbers.below(2) == 0;
        }
        let mut kept: Vec<usize> = (0..labels.len()).filter(|l| labels[*l].1).take(3).collect();
        if self.numbers.below(2) == 0 {
            kept.reverse();
        }
        let mut reduced = kept.len() as u8..;
        let renamed: Vec<u8> = (0..labels.len())
            .map(|l| match kept.iter().position(|kept| *kept == l) {
                Some(place) => place as u8,
                None => reduced.next().unwrap(),
            })
            .collect();
        let a_axes = renamed[..dims.len()].to_vec();
        let b_axes = b_labels.iter().map(|l| renamed[*l]).collect();
        let to: Vec<Size> = kept.iter().map(|l| labels[*l].0.clone()).collect();
        let product = draft.real(Op::Contract { a, a_axes, b, b_axes }, &to);
        draft.unary(UnaryOp::Tanh, product)
    }

    fn structured(
        &mut self,
        draft: &mut Draft,
        values: &[ValueId],
        a: ValueId,
        dims: &[Size],
    ) -> ValueId {
        match dims {
            [] => {
                let other = self.of_dims(draft, values, &[]);
                draft.real(Op::Stack(vec![a, other, a]), &[size(3)])
            }
            [n] => draft.real(Op::DiagonalMatrix(a), &[n.clone(), n.clone()]),
            [n, m, ..] if n == m && self.numbers.below(2) == 0 => {
                draft.real(Op::LowerTriangle(a), dims)
            }
            [n, m, ..] if n == m => draft.real(Op::Diagonal(a), &dims[1..]),
            _ => {
                let axis = self.numbers.below(dims.len()) as u8;
                let [exclusive, reverse] = [(); 2].map(|()| self.numbers.below(2) == 0);
                draft.real(Op::CumulativeSum { value: a, axis, exclusive, reverse }, dims)
            }
        }
    }

    fn random_loop(&mut self, draft: &mut Draft, values: &[ValueId], depth: usize) -> Vec<ValueId> {
        let max_count = self.size();
        let count = draft.whole(Op::SizeOf(max_count.clone()));
        let mut some = || (0..1 + self.numbers.below(3)).map(|_| self.any(values)).collect();
        let (carried, captured): (Vec<ValueId>, Vec<ValueId>) = (some(), some());
        let reverse = self.numbers.below(2) == 0;
        add_loop(draft, (count, max_count, reverse), &carried, &captured, |body| {
            self.fill_body(body, depth - 1);
        })
    }

    fn fill_body(&mut self, body: &mut Body, depth: usize) {
        let mut values = [body.carried.clone(), body.captured.clone()].concat();
        for _ in 0..self.numbers.below(8) {
            let new = self.step(&mut body.draft, &values, depth);
            values.extend(new);
        }
        for carried in &body.carried {
            let dims = body.draft.dims(*carried);
            let next = self.of_dims(&mut body.draft, &values, &dims);
            // Some are passed on as they are, most are kept small.
            let small = self.numbers.below(3) > 0;
            let next = if small { body.draft.unary(UnaryOp::Tanh, next) } else { next };
            body.draft.output(next);
        }
        for _ in 0..self.numbers.below(3) {
            let stacked = self.any(&values);
            if body.draft.dims(stacked).len() < 3 {
                body.draft.output(stacked);
            }
        }
    }

    fn function(&mut self) -> Function {
        let mut draft = Draft::new();
        let mut values: Vec<ValueId> = Vec::new();
        for _ in 0..4 {
            let dims = self.dims(3);
            values.push(draft.input(&dims));
        }
        for _ in 0..4 + self.numbers.below(25) {
            let new = self.step(&mut draft, &values, 2);
            values.extend(new);
        }
        for _ in 0..4 {
            let output = self.any(&values);
            draft.output(output);
        }
        draft.function
    }
}

/// The function that a seed gives: four inputs, four outputs, loops two deep.
pub(crate) fn random_function(seed: u64) -> Function {
    Generator { numbers: Numbers(seed) }.function()
}

#[test]
fn random_functions_agree() {
    for round in 0..300 {
        let seed = SEED + round;
        println!("seed {seed}");
        let function = random_function(seed);
        verify(&function).unwrap();
        let compiled = compile(&[&function], &sizes(7)).unwrap().remove(0);
        for n_rows in [0, 1, 4, 7] {
            let inputs = random_inputs(&function, n_rows, seed);
            assert_agree_on(&function, &compiled, &inputs, n_rows);
        }
    }
}
