//! Loops: forward, reverse and nested; scalars and arrays carried, stacked, swapped, changed
//! in place.

use super::*;
use crate::ir::op::Loop;

/// A loop body's draft with its inputs.
pub(super) struct Body {
    pub draft: Draft,
    pub index: ValueId,
    pub carried: Vec<ValueId>,
    pub captured: Vec<ValueId>,
}

impl Body {
    pub fn new(outer: &Draft, carried: &[ValueId], captured: &[ValueId]) -> Body {
        let mut draft = Draft::new();
        let index = draft.input_of(InputKind::LoopIndex, ValueType::int());
        let ty = |id: &ValueId| outer.function.values[*id].ty.clone();
        let carried = carried.iter().enumerate();
        let carried =
            carried.map(|(k, id)| draft.input_of(InputKind::Carried(k), ty(id))).collect();
        let captured = captured.iter().enumerate();
        let captured =
            captured.map(|(k, id)| draft.input_of(InputKind::Captured(k), ty(id))).collect();
        Body { draft, index, carried, captured }
    }
}

/// Adds a loop over `max_count` and returns all its results.
pub(super) fn add_loop(
    draft: &mut Draft,
    (count, max_count, reverse): (ValueId, Size, bool),
    carried: &[ValueId],
    captured: &[ValueId],
    build: impl FnOnce(&mut Body),
) -> Vec<ValueId> {
    let mut body = Body::new(draft, carried, captured);
    build(&mut body);
    let outputs = body.draft.function.outputs.clone();
    let types: Vec<ValueType> =
        outputs.iter().map(|o| body.draft.function.values[o.value].ty.clone()).collect();
    let l = Loop {
        count,
        max_count: max_count.clone(),
        reverse,
        body: body.draft.function,
        carried: carried.to_vec(),
        captured: captured.to_vec(),
    };
    let id = draft.real(Op::Loop(Box::new(l)), &[]);
    let result = |(k, mut ty): (usize, ValueType)| {
        if k >= carried.len() {
            ty.dims.insert(0, max_count.clone());
        }
        draft.push(Op::Result(id, k), ty)
    };
    types.into_iter().enumerate().map(result).collect()
}

fn over_rows(draft: &mut Draft, reverse: bool) -> (ValueId, Size, bool) {
    (draft.whole(Op::SizeOf(rows())), rows(), reverse)
}

#[test]
fn carried_scalars_and_stacks_agree() {
    for reverse in [false, true] {
        let mut draft = Draft::new();
        let x = draft.input(&[rows(), k()]);
        let start = draft.input(&[]);
        // Two iterations fewer than the bound: their part of the stacks is zero.
        let two_fewer = draft.whole(Op::SizeOf(rows().checked_sub(&size(2)).unwrap()));
        let results = add_loop(&mut draft, (two_fewer, rows(), reverse), &[start], &[x], |body| {
            let d = &mut body.draft;
            let row = d.real(Op::Index(body.captured[0], vec![Some(body.index), None]), &[k()]);
            let squares = d.unary(UnaryOp::Square, row);
            let sum = d.real(Op::Sum(squares, vec![]), &[]);
            let half = d.real(Op::Real(0.5), &[]);
            let decayed = d.binary(BinaryOp::Mul, body.carried[0], half);
            let next = d.binary(BinaryOp::Add, decayed, sum);
            let with_index = d.binary(BinaryOp::Add, next, body.index);
            for y in [next, with_index, squares, row] {
                d.output(y);
            }
        });
        for y in results {
            draft.output(y);
        }
        assert_agree(&draft.function);
    }
}

#[test]
fn arrays_built_in_place_agree() {
    for reverse in [false, true] {
        let mut draft = Draft::new();
        let x = draft.input(&[rows()]);
        let zeros = draft.real(Op::Fill(0.0), &[rows()]);
        let ones = draft.real(Op::Fill(1.0), &[k()]);
        let range = over_rows(&mut draft, reverse);
        let results = add_loop(&mut draft, range, &[zeros, ones], &[x], |body| {
            let d = &mut body.draft;
            let (i, [built, sums]) = (body.index, [body.carried[0], body.carried[1]]);
            let element = d.real(Op::Index(body.captured[0], vec![Some(i)]), &[]);
            let exp = d.unary(UnaryOp::Exp, element);
            let built = d.real(Op::Set { base: built, at: vec![Some(i)], value: exp }, &[rows()]);
            let five = d.whole(Op::Int(5));
            let slot = d.whole(Op::Binary(BinaryOp::Rem, i, five));
            let old = d.real(Op::Index(sums, vec![Some(slot)]), &[]);
            let sums = d.real(Op::AddAt { base: sums, at: vec![Some(slot)], value: exp }, &[k()]);
            for y in [built, sums, old, sums] {
                d.output(y);
            }
        });
        // Changes a result of the loop once more.
        let zero = draft.whole(Op::Int(0));
        let last = draft.real(Op::Index(results[1], vec![Some(zero)]), &[]);
        let changed =
            draft.real(Op::AddAt { base: results[1], at: vec![Some(zero)], value: last }, &[k()]);
        for y in [results[0], changed, results[2], results[3]] {
            draft.output(y);
        }
        assert_agree(&draft.function);
    }
}

#[test]
fn swaps_and_views_of_carried_arrays_agree() {
    let mut draft = Draft::new();
    let (a, b) = (draft.input(&[k()]), draft.input(&[k()]));
    let square = draft.input(&[k(), k()]);
    let (p, q) = (draft.input(&[]), draft.input(&[]));
    let range = over_rows(&mut draft, false);
    let results = add_loop(&mut draft, range, &[a, b, square, p, q], &[b], |body| {
        let d = &mut body.draft;
        let c = body.carried.clone();
        let two = d.whole(Op::Int(2));
        let element = d.real(Op::Index(c[1], vec![Some(two)]), &[]);
        let changed = d.real(Op::AddAt { base: c[0], at: vec![Some(two)], value: element }, &[k()]);
        let transposed = d.real(Op::Broadcast(c[2], vec![1, 0]), &[k(), k()]);
        let sum = d.binary(BinaryOp::Add, c[3], element);
        // a and b swap, a changed on the way; the matrix is transposed in place; p and q swap.
        for y in [c[1], changed, transposed, c[4], sum] {
            d.output(y);
        }
    });
    for y in results {
        draft.output(y);
    }
    assert_agree(&draft.function);
}

#[test]
fn unchanged_and_replaced_values_agree() {
    let mut draft = Draft::new();
    let (a, x) = (draft.input(&[k()]), draft.input(&[rows(), k()]));
    let computed = draft.unary(UnaryOp::Exp, a);
    let range = over_rows(&mut draft, true);
    let results = add_loop(&mut draft, range, &[a, computed, a, a], &[x, a], |body| {
        let d = &mut body.draft;
        let row = d.real(Op::Index(body.captured[0], vec![Some(body.index), None]), &[k()]);
        let sum = d.binary(BinaryOp::Add, body.carried[1], row);
        for y in [body.carried[0], sum, row, body.captured[1]] {
            d.output(y);
        }
    });
    for y in results {
        draft.output(y);
    }
    assert_agree(&draft.function);
}

#[test]
fn nested_loops_agree() {
    let mut draft = Draft::new();
    let x = draft.input(&[rows(), k()]);
    let zeros = draft.real(Op::Fill(0.0), &[rows(), k()]);
    let total = draft.input(&[]);
    let range = over_rows(&mut draft, false);
    let results = add_loop(&mut draft, range, &[zeros, total], &[x], |outer| {
        let i = outer.index;
        let d = &mut outer.draft;
        let k_count = d.whole(Op::SizeOf(k()));
        let (carried, captured) = (outer.carried.clone(), [outer.captured[0], i]);
        let inner = add_loop(d, (k_count, k(), true), &carried, &captured, |inner| {
            let j = inner.index;
            let d = &mut inner.draft;
            let (x, i) = (inner.captured[0], inner.captured[1]);
            let element = d.real(Op::Index(x, vec![Some(i), Some(j)]), &[]);
            let total = d.binary(BinaryOp::Add, inner.carried[1], element);
            let at = vec![Some(i), Some(j)];
            let set = d.real(Op::Set { base: inner.carried[0], at, value: total }, &[rows(), k()]);
            for y in [set, total, element] {
                d.output(y);
            }
        });
        for y in inner {
            outer.draft.output(y);
        }
    });
    for y in results {
        draft.output(y);
    }
    assert_agree(&draft.function);
}
