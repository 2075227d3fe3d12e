//! Decompositions of square matrices, step by step over their columns.

use super::repeat::repeat;
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};
use crate::ty::Size;

/// The lower-triangular `L` with positive diagonal and `L L' = a`, of which the lower triangle
/// is read; NaN where `a` is not positive definite.
pub fn cholesky(b: &mut Builder, a: ValueId) -> ValueId {
    let n = b.dims(a)[0].clone();
    let zeros = b.zeros_like(a);
    let [_, factor] = repeat(b, &n, &[a, zeros], &[], &|b, k, carried, _| {
        let (rest, factor) = (carried[0], carried[1]);
        let column = b.index(rest, vec![None, Some(k)]);
        let pivot = b.index(column, vec![Some(k)]);
        let root = b.sqrt(pivot);
        let scaled = b.div(column, root);
        let is_above = compare_rows(b, &n, BinaryOp::Less, k);
        let zero = b.real(0.0);
        let scaled = b.select(is_above, zero, scaled);
        let product = b.contract(scaled, &[0], scaled, &[1], 2);
        vec![b.sub(rest, product), b.set(factor, vec![None, Some(k)], scaled)]
    })[..] else {
        unreachable!("two values are carried")
    };
    factor
}

/// `ln |det a|`, by elimination with the largest pivot of each column.
pub fn log_abs_det(b: &mut Builder, a: ValueId) -> ValueId {
    let n = b.dims(a)[0].clone();
    let zero = b.real(0.0);
    let [_, log] = repeat(b, &n, &[a, zero], &[], &|b, k, carried, _| {
        let p = pivot_row(b, carried[0], k, &n);
        let (swapped, row) = swap_rows(b, carried[0], k, p);
        let pivot = b.index(row, vec![Some(k)]);
        let magnitude = b.unary(UnaryOp::Abs, pivot);
        let log = b.log(magnitude);
        let total = b.add(carried[1], log);
        // Of a singular matrix nothing is left to eliminate.
        let (zero, one) = (b.real(0.0), b.real(1.0));
        let is_zero = b.binary(BinaryOp::Equal, pivot, zero);
        let divisor = b.select(is_zero, one, pivot);
        let column = b.index(swapped, vec![None, Some(k)]);
        let factors = b.div(column, divisor);
        let is_done = compare_rows(b, &n, BinaryOp::LessEqual, k);
        let factors = b.select(is_done, zero, factors);
        let product = b.contract(factors, &[0], row, &[1], 2);
        vec![b.sub(swapped, product), total]
    })[..] else {
        unreachable!("two values are carried")
    };
    log
}

/// `a⁻¹`, by Gauss-Jordan elimination with the largest pivot of each column; not finite where
/// `a` is singular.
pub fn inverse(b: &mut Builder, a: ValueId) -> ValueId {
    let n = b.dims(a)[0].clone();
    let eye = b.eye(n.clone(), n.clone(), Size::constant(0));
    let [_, inverse] = repeat(b, &n, &[a, eye], &[], &|b, k, carried, _| {
        let p = pivot_row(b, carried[0], k, &n);
        let (left, left_row) = swap_rows(b, carried[0], k, p);
        let (right, right_row) = swap_rows(b, carried[1], k, p);
        let pivot = b.index(left_row, vec![Some(k)]);
        let (left_row, right_row) = (b.div(left_row, pivot), b.div(right_row, pivot));
        let column = b.index(left, vec![None, Some(k)]);
        let is_pivot = compare_rows(b, &n, BinaryOp::Equal, k);
        let zero = b.real(0.0);
        let factors = b.select(is_pivot, zero, column);
        let eliminated = |b: &mut Builder, matrix: ValueId, row: ValueId| {
            let product = b.contract(factors, &[0], row, &[1], 2);
            let matrix = b.set(matrix, vec![Some(k), None], row);
            b.sub(matrix, product)
        };
        vec![eliminated(b, left, left_row), eliminated(b, right, right_row)]
    })[..] else {
        unreachable!("two values are carried")
    };
    inverse
}

/// 1 for each row whose number compares so with `k`, else 0.
fn compare_rows(b: &mut Builder, n: &Size, op: BinaryOp, k: ValueId) -> ValueId {
    let rows = b.iota(n.clone());
    b.binary(op, rows, k)
}

/// The first row from `k` on in which column `k` is largest, an `Int` scalar.
fn pivot_row(b: &mut Builder, matrix: ValueId, k: ValueId, n: &Size) -> ValueId {
    let column = b.index(matrix, vec![None, Some(k)]);
    let magnitudes = b.unary(UnaryOp::Abs, column);
    let is_done = compare_rows(b, n, BinaryOp::Less, k);
    let minus_one = b.real(-1.0);
    let magnitudes = b.select(is_done, minus_one, magnitudes);
    let largest = b.largest_keeping(magnitudes, &[]);
    let is_largest = b.binary(BinaryOp::Equal, magnitudes, largest);
    // Of several the first has the most rows from it on.
    let (count, rows) = (b.size(n), b.iota(n.clone()));
    let from_it_on = b.sub(count, rows);
    let candidates = b.mul(is_largest, from_it_on);
    let most = b.largest_keeping(candidates, &[]);
    let first = b.sub(count, most);
    // There is none where an element is NaN.
    let minus_one = b.int(-1);
    let last = b.add(count, minus_one);
    b.binary(BinaryOp::Min, first, last)
}

/// The matrix with two rows exchanged, and what is row `k` then.
fn swap_rows(b: &mut Builder, matrix: ValueId, k: ValueId, p: ValueId) -> (ValueId, ValueId) {
    let row_k = b.index(matrix, vec![Some(k), None]);
    let row_p = b.index(matrix, vec![Some(p), None]);
    let half = b.set(matrix, vec![Some(p), None], row_k);
    (b.set(half, vec![Some(k), None], row_p), row_p)
}
