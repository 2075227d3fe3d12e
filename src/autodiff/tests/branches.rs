//! Loops that run once or not at all, as conditions are written, and recurrences that touch
//! one element of what they carry.

use super::loops::{Course, add_loop};
use super::*;
use crate::ir::op::{BinaryOp, Op, UnaryOp, ValueId};

/// For each element x: if `0 < x` the carried `d` becomes `d + √x · d² · s`, with `s` computed
/// outside the branch. Neither the root nor its slope exists below zero.
fn rooted() -> Function {
    function(&[vec![size(4)]], |b, x| {
        let rows = Course { count: size(4), max_count: size(4), reverse: false };
        let start = b.real(1.0);
        add_loop(b, rows, &[start], &[x[0]], |outer| {
            let (index, carried) = (outer.index, outer.carried[0]);
            let b = &mut outer.b;
            let x = b.index(outer.captured[0], vec![Some(index)]);
            let zero = b.real(0.0);
            let runs = b.binary(BinaryOp::Less, zero, x);
            let sine = b.unary(UnaryOp::Sin, x);
            add_branch(b, runs, &[carried], &[x, sine], |branch| {
                let (d, x, sine) = (branch.carried[0], branch.captured[0], branch.captured[1]);
                let b = &mut branch.b;
                let root = b.sqrt(x);
                let square = b.square(d);
                let product = b.mul(root, square);
                let product = b.mul(product, sine);
                vec![b.add(d, product)]
            })
        })
    })
}

/// A loop that runs once where `runs` is one, and not where it is zero.
fn add_branch(
    b: &mut Builder,
    runs: ValueId,
    carried: &[ValueId],
    captured: &[ValueId],
    write: impl FnOnce(&mut loops::Body) -> Vec<ValueId>,
) -> Vec<ValueId> {
    let once = Course { count: size(1), max_count: size(1), reverse: false };
    loops::add_counted_loop(b, runs, once, carried, captured, write)
}

#[test]
fn nothing_leaks_from_a_branch_that_does_not_run() {
    let f = rooted();
    for x in [[1.2, -0.5, 0.7, -2.0], [-0.5, -1.0, -2.0, -3.0], [0.3, 0.6, 1.5, 0.2]] {
        let place = Place::from([(InputKind::Local(0), x.to_vec())]);
        let g = gradient(&f, &[], &[(0, Seed::One)], is_local);
        let slopes = run_both(&g, &place, 1).remove(0);
        for (x, slope) in x.iter().zip(slopes) {
            assert!(slope.is_finite() && (*x > 0.0 || slope == 0.0), "{slope} at {x}");
        }
        check_at(&f, place, 1, 3);
    }
}

/// `y[i + 1] = a sin y[i] + x[i]`: each step reads and writes one element, and its reverse
/// needs numbers of it, not arrays.
#[test]
fn a_recurrence_stacks_numbers() {
    let n = 6;
    let f = function(&[vec![], vec![size(n)]], |b, x| {
        let (zero, one) = (b.int(0), b.real(1.0));
        let start = b.fill(0.0, vec![size(n + 1)]);
        let start = b.set(start, vec![Some(zero)], one);
        let days = Course { count: size(n), max_count: size(n), reverse: false };
        add_loop(b, days, &[start], &[x[0], x[1]], |body| {
            let (index, y) = (body.index, body.carried[0]);
            let (a, shocks) = (body.captured[0], body.captured[1]);
            let b = &mut body.b;
            let before = b.index(y, vec![Some(index)]);
            let sine = b.unary(UnaryOp::Sin, before);
            let grown = b.mul(sine, a);
            let shock = b.index(shocks, vec![Some(index)]);
            let value = b.add(grown, shock);
            let one = b.int(1);
            let next = b.add(index, one);
            vec![b.set(y, vec![Some(next)], value)]
        })
    });
    let scalar = weighted_sum(&f);
    let g = gradient(&scalar, &[], &[(0, Seed::One)], is_local);
    let mut n_loops = 0;
    for (_, value) in g.values.iter() {
        if let Op::Loop(l) = &value.op {
            n_loops += 1;
            for output in &l.body.outputs[l.carried.len()..] {
                assert_eq!(l.body.values[output.value].ty.rank(), 0, "{g}");
            }
        }
    }
    assert_eq!(n_loops, 2, "{g}");
    check(&f, 1, 2);
}
