//! Loops, forward and reverse.

use super::*;
use crate::codegen::tests::{k, rows};
use crate::ir::op::{BinaryOp, Loop, UnaryOp, ValueId};

/// A body under construction: the iteration, what is carried, what is captured.
pub(super) struct Body {
    pub b: Builder,
    pub index: ValueId,
    pub carried: Vec<ValueId>,
    pub captured: Vec<ValueId>,
}

/// How often a loop runs, in which direction.
pub(super) struct Course {
    pub count: Size,
    pub max_count: Size,
    pub reverse: bool,
}

/// Adds a loop to `b` and returns its results; `write` gives the next carried values and the
/// stacked ones.
pub(super) fn add_loop(
    b: &mut Builder,
    course: Course,
    carried: &[ValueId],
    captured: &[ValueId],
    write: impl FnOnce(&mut Body) -> Vec<ValueId>,
) -> Vec<ValueId> {
    let count = b.size(&course.count);
    add_counted_loop(b, count, course, carried, captured, write)
}

/// The same with a count of the function's own.
pub(super) fn add_counted_loop(
    b: &mut Builder,
    count: ValueId,
    course: Course,
    carried: &[ValueId],
    captured: &[ValueId],
    write: impl FnOnce(&mut Body) -> Vec<ValueId>,
) -> Vec<ValueId> {
    let mut inner = Builder::new("body");
    let index = inner.input(InputKind::LoopIndex, "i", ValueType::int());
    let mut declare = |values: &[ValueId], kind: fn(usize) -> InputKind| -> Vec<ValueId> {
        let declare = |(k, v): (usize, &ValueId)| inner.input(kind(k), "v", b.ty(*v).clone());
        values.iter().enumerate().map(declare).collect()
    };
    let inputs = (declare(carried, InputKind::Carried), declare(captured, InputKind::Captured));
    let mut body = Body { b: inner, index, carried: inputs.0, captured: inputs.1 };
    let outputs = write(&mut body);
    let n_outputs = outputs.len();
    for output in outputs {
        body.b.output("out", output);
    }
    let id = b.push_loop(Loop {
        count,
        max_count: course.max_count,
        reverse: course.reverse,
        body: body.b.into_function(),
        carried: carried.to_vec(),
        captured: captured.to_vec(),
    });
    (0..n_outputs).map(|k| b.result(id, k)).collect()
}

fn over_rows(reverse: bool) -> Course {
    Course { count: rows(), max_count: rows(), reverse }
}

/// Checks a loop in both directions, for several numbers of rows, to the third order.
fn check_both_ways(
    dims: &[Vec<Size>],
    write: impl Fn(&mut Builder, &[ValueId], bool) -> Vec<ValueId>,
) {
    for reverse in [false, true] {
        let f = function(dims, |b, x| write(b, x, reverse));
        for n_rows in [0, 1, 2, 4] {
            check(&f, n_rows, 3);
        }
    }
}

fn row(b: &mut Builder, matrix: ValueId, index: ValueId) -> ValueId {
    let mut at = vec![None; b.rank(matrix)];
    at[0] = Some(index);
    b.index(matrix, at)
}

/// `c' = sin(c x) + 0.3 c²`
fn recurrence(body: &mut Body, x: ValueId) -> ValueId {
    let b = &mut body.b;
    let product = b.mul(body.carried[0], x);
    let wave = b.unary(UnaryOp::Sin, product);
    let square = b.square(body.carried[0]);
    let bowl = b.scale(square, 0.3);
    b.add(wave, bowl)
}

#[test]
fn nonlinear_recurrence_with_stack() {
    check_both_ways(&[vec![], vec![rows()]], |b, x, reverse| {
        add_loop(b, over_rows(reverse), &x[..1], &x[1..], |body| {
            let own = row(&mut body.b, body.captured[0], body.index);
            let next = recurrence(body, own);
            let stacked = body.b.mul(next, body.carried[0]);
            vec![next, stacked, body.carried[0]]
        })
    });
}

#[test]
fn loop_that_stops_early() {
    check_both_ways(&[vec![], vec![rows()]], |b, x, reverse| {
        let count = rows().checked_sub(&size(2)).unwrap();
        let course = Course { count, max_count: rows(), reverse };
        add_loop(b, course, &x[..1], &x[1..], |body| {
            let own = row(&mut body.b, body.captured[0], body.index);
            let next = recurrence(body, own);
            vec![next, own, next]
        })
    });
}

#[test]
fn array_changed_in_place_and_read_back() {
    let next_row = || rows().checked_add(&size(1)).unwrap();
    for reverse in [false, true] {
        let f = function(&[vec![next_row()], vec![rows()]], |b, x| {
            add_loop(b, over_rows(reverse), &x[..1], &x[1..], |body| {
                let b = &mut body.b;
                let one = b.int(1);
                let after = b.add(body.index, one);
                let (from, to) = if reverse { (after, body.index) } else { (body.index, after) };
                let own = row(b, body.captured[0], body.index);
                let read = row(b, body.carried[0], from);
                let tanh = b.tanh(read);
                let product = b.mul(tanh, own);
                let old = row(b, body.carried[0], to);
                let square = b.square(old);
                let new = b.add(product, square);
                let changed = b.set(body.carried[0], vec![Some(to)], new);
                vec![changed, read]
            })
        });
        for n_rows in [0, 1, 2, 4] {
            check(&f, n_rows, 3);
        }
    }
}

#[test]
fn sums_gathered_at_indices_from_data() {
    for reverse in [false, true] {
        let f = function(&[vec![k()], vec![rows()]], |b, x| {
            let ints = ValueType { element: crate::ty::Element::Int, dims: vec![rows()] };
            let place = b.input(InputKind::Datum(0), "place", ints);
            add_loop(b, over_rows(reverse), &x[..1], &[x[1], place], |body| {
                let b = &mut body.b;
                let own = row(b, body.captured[0], body.index);
                let place = row(b, body.captured[1], body.index);
                let old = row(b, body.carried[0], place);
                let change = b.mul(old, own);
                let change = b.unary(UnaryOp::Sin, change);
                vec![b.add_at(body.carried[0], vec![Some(place)], change), old]
            })
        });
        let mut place = Place::new();
        place.insert(InputKind::Local(0), vec![0.3, -0.8, 1.4, 0.2, -1.1]);
        place.insert(InputKind::Local(1), vec![0.9, 1.3, -0.4, 0.6]);
        place.insert(InputKind::Datum(0), vec![2.0, 4.0, 2.0, 0.0]);
        check_at(&f, place, 4, 3);
    }
}

#[test]
fn values_that_become_active_on_the_way() {
    // Two swapped carried values start constant; a third is carried through unchanged.
    check_both_ways(&[vec![rows()], vec![]], |b, x, reverse| {
        let (zero, one) = (b.real(0.0), b.real(1.0));
        add_loop(b, over_rows(reverse), &[zero, one, x[1]], &x[..1], |body| {
            let b = &mut body.b;
            let own = row(b, body.captured[0], body.index);
            let shift = b.mul(own, body.carried[2]);
            let sum = b.add(body.carried[0], shift);
            let next = b.unary(UnaryOp::Atan, sum);
            let product = b.mul(body.carried[1], body.carried[0]);
            vec![body.carried[1], next, body.carried[2], product]
        })
    });
}

#[test]
fn vector_recurrence_through_a_matrix() {
    check_both_ways(&[vec![size(2)], vec![size(2), size(2)], vec![rows()]], |b, x, reverse| {
        add_loop(b, over_rows(reverse), &x[..1], &x[1..], |body| {
            let b = &mut body.b;
            let moved = b.mat_vec(body.captured[0], body.carried[0]);
            let own = row(b, body.captured[1], body.index);
            let sum = b.add(moved, own);
            vec![b.tanh(sum), moved]
        })
    });
}

#[test]
fn nested_loops() {
    check_both_ways(&[vec![], vec![rows(), size(3)]], |b, x, reverse| {
        add_loop(b, over_rows(reverse), &x[..1], &x[1..], |outer| {
            let own = row(&mut outer.b, outer.captured[0], outer.index);
            let course = Course { count: size(3), max_count: size(3), reverse: !reverse };
            let results =
                add_loop(&mut outer.b, course, &outer.carried, &[own, outer.carried[0]], |inner| {
                    let element = row(&mut inner.b, inner.captured[0], inner.index);
                    let next = recurrence(inner, element);
                    let next = inner.b.mul(next, inner.captured[1]);
                    let next = inner.b.unary(UnaryOp::Atan, next);
                    vec![next, next]
                });
            let b = &mut outer.b;
            let total = b.dot(results[1], own);
            let next = b.add(results[0], total);
            vec![b.unary(UnaryOp::Sin, next), total]
        })
    });
}

#[test]
fn one_loop_reads_the_stack_of_another() {
    check_both_ways(&[vec![], vec![rows()]], |b, x, reverse| {
        let first = add_loop(b, over_rows(reverse), &x[..1], &x[1..], |body| {
            let own = row(&mut body.b, body.captured[0], body.index);
            let next = recurrence(body, own);
            vec![next, next]
        });
        let second = add_loop(b, over_rows(!reverse), &first[..1], &[first[1], x[1]], |body| {
            let own = row(&mut body.b, body.captured[0], body.index);
            let other = row(&mut body.b, body.captured[1], body.index);
            let product = body.b.mul(own, other);
            vec![recurrence(body, product)]
        });
        vec![second[0], first[1], first[0]]
    });
}

#[test]
fn choices_within() {
    check_both_ways(&[vec![], vec![rows()]], |b, x, reverse| {
        add_loop(b, over_rows(reverse), &x[..1], &x[1..], |body| {
            let own = row(&mut body.b, body.captured[0], body.index);
            let next = recurrence(body, own);
            let b = &mut body.b;
            let two = b.int(2);
            let parity = b.binary(BinaryOp::Rem, body.index, two);
            let exp = b.unary(UnaryOp::Tanh, own);
            let chosen = b.select(parity, next, exp);
            vec![chosen, parity]
        })
    });
}

#[test]
fn loop_without_active_values_beside_an_active_one() {
    check_both_ways(&[vec![], vec![rows()]], |b, x, reverse| {
        let zero = b.real(0.25);
        let constant = add_loop(b, over_rows(reverse), &[zero], &[], |body| {
            let shifted = body.b.offset(body.carried[0], 0.5);
            vec![shifted, shifted]
        });
        add_loop(b, over_rows(reverse), &x[..1], &[x[1], constant[1]], |body| {
            let own = row(&mut body.b, body.captured[0], body.index);
            let other = row(&mut body.b, body.captured[1], body.index);
            let product = body.b.mul(own, other);
            vec![recurrence(body, product)]
        })
    });
}
