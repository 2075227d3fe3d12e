//! Parts at many indices, and loops that read and change them.

use super::*;
use crate::codegen::tests::{k, rows};
use crate::ir::op::{BinaryOp, Op, UnaryOp, ValueId};

/// `j mod below` for each `j` less than `count`.
fn indices(b: &mut Builder, count: &Size, below: i64) -> ValueId {
    let positions = b.iota(count.clone());
    let below = b.int(below);
    b.binary(BinaryOp::Rem, positions, below)
}

#[test]
fn gathered_parts() {
    let f = function(&[vec![k()], vec![size(2), size(3)]], |b, x| {
        let curved: Vec<ValueId> = x.iter().map(|&x| b.unary(UnaryOp::Sin, x)).collect();
        let at = indices(b, &rows(), 5);
        let many = b.gather(curved[0], at, 0);
        let at = indices(b, &size(4), 3);
        let columns = b.gather(curved[1], at, 1);
        let product = b.contract(many, &[0], columns, &[1, 2], 3);
        vec![b.unary(UnaryOp::Sin, product)]
    });
    for n_rows in [1, 4] {
        check(&f, n_rows, 3);
    }
}

#[test]
fn scattered_parts() {
    let f = function(&[vec![size(2), size(3)], vec![size(2), size(4)]], |b, x| {
        let curved: Vec<ValueId> = x.iter().map(|&x| b.unary(UnaryOp::Sin, x)).collect();
        let at = indices(b, &size(4), 2);
        let sum = b.scatter_add(curved[0], at, 1, curved[1]);
        vec![b.unary(UnaryOp::Sin, sum)]
    });
    check(&f, 1, 3);
}

#[test]
fn slices_and_concatenations() {
    let f = function(&[vec![k()], vec![size(2)]], |b, x| {
        let curved: Vec<ValueId> = x.iter().map(|&x| b.unary(UnaryOp::Sin, x)).collect();
        let joined = b.concat(&curved, 0);
        let back = b.reverse_axis(joined, 0);
        let start = b.int(1);
        let part = b.slice(back, 0, start, &size(4));
        vec![b.unary(UnaryOp::Sin, part)]
    });
    check(&f, 1, 3);
}

/// The adjoint of an element read twice is summed in one array, whose zeros are the only
/// fill.
#[test]
fn adjoints_of_gathered_parts_share_one_array() {
    let f = function(&[vec![k()]], |b, x| {
        let at = indices(b, &rows(), 5);
        let gathered = b.gather(x[0], at, 0);
        let at = indices(b, &size(3), 2);
        let others = b.gather(x[0], at, 0);
        let (first, second) = (b.square(gathered), b.square(others));
        let (first, second) = (b.sum(first), b.sum(second));
        vec![b.add(first, second)]
    });
    let g = gradient(&f, &[], &[(0, Seed::One)], is_local);
    let count = |wanted: fn(&Op) -> bool| g.values.iter().filter(|(_, v)| wanted(&v.op)).count();
    assert_eq!(count(|op| matches!(op, Op::Fill(x) if *x == 0.0)), 1);
    assert_eq!(count(|op| matches!(op, Op::ScatterAdd { .. })), 2);
    check(&f, 6, 2);
}
