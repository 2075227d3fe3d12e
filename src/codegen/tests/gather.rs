//! Parts at many indices: read, added to, cut out, joined.

use super::*;
use crate::ir::build::Builder;
use crate::ty::Element;

/// `(j + shift) mod below` for each `j` less than `count`.
pub(crate) fn indices(draft: &mut Draft, count: Size, shift: i64, below: i64) -> ValueId {
    let ty = ValueType { element: Element::Int, dims: vec![count] };
    let positions = draft.push(Op::Iota, ty.clone());
    let shift = draft.whole(Op::Int(shift));
    let shift = draft.push(Op::Broadcast(shift, vec![]), ty.clone());
    let shifted = draft.push(Op::Binary(BinaryOp::Add, positions, shift), ty.clone());
    let below = draft.whole(Op::Int(below));
    let below = draft.push(Op::Broadcast(below, vec![]), ty.clone());
    draft.push(Op::Binary(BinaryOp::Rem, shifted, below), ty)
}

fn gather(draft: &mut Draft, base: ValueId, indices: ValueId, axis: u8, dims: &[Size]) -> ValueId {
    draft.real(Op::Gather { base, indices, axis }, dims)
}

#[test]
fn gathering_agrees() {
    for count in [rows(), size(1), size(0), size(7)] {
        let mut draft = Draft::new();
        let vector = draft.input(&[k()]);
        let matrix = draft.input(&[k(), size(3)]);
        let cube = draft.input(&[rows(), k(), size(2)]);
        let at = indices(&mut draft, count.clone(), 1, 5);
        let costly = draft.unary(UnaryOp::Exp, matrix);
        let parts = [
            gather(&mut draft, vector, at, 0, std::slice::from_ref(&count)),
            gather(&mut draft, matrix, at, 0, &[count.clone(), size(3)]),
            gather(&mut draft, cube, at, 1, &[rows(), count.clone(), size(2)]),
            gather(&mut draft, costly, at, 0, &[count.clone(), size(3)]),
        ];
        parts.into_iter().for_each(|part| draft.output(part));
        let at = indices(&mut draft, count.clone(), 2, 3);
        let columns = gather(&mut draft, costly, at, 1, &[k(), count.clone()]);
        draft.output(columns);
        assert_agree(&draft.function);
    }
}

/// Rows of a table that are only multiplied are nowhere in memory; others are.
#[test]
fn products_of_gathered_rows_agree() {
    for count in [rows(), size(1), size(0), size(9)] {
        for (n_rows, width) in [(k(), size(3)), (size(4), size(10)), (size(0), size(2))] {
            if n_rows == size(0) && count != size(0) {
                continue; // No index is of a row.
            }
            let mut draft = Draft::new();
            let table = draft.input(&[n_rows.clone(), width.clone()]);
            let right = draft.input(std::slice::from_ref(&width));
            let weights = draft.input(std::slice::from_ref(&count));
            let apart = draft.input(&[count.clone(), size(2)]);
            let one_of = std::slice::from_ref::<Size>;
            let one = draft.whole(Op::Int(1));
            let column =
                draft.real(Op::Index(apart, vec![None, Some(one)]), std::slice::from_ref(&count));
            let at = indices(&mut draft, count.clone(), 1, 4);
            let part = gather(&mut draft, table, at, 0, &[count.clone(), width.clone()]);
            let contract = |a, a_axes: &[u8], b, b_axes: &[u8]| Op::Contract {
                a,
                a_axes: a_axes.to_vec(),
                b,
                b_axes: b_axes.to_vec(),
            };
            let by_row = draft.real(contract(part, &[0, 1], right, &[1]), one_of(&count));
            let squared = draft.unary(UnaryOp::Square, by_row);
            let sums = [
                draft.real(contract(weights, &[1], part, &[1, 0]), one_of(&width)),
                draft.real(contract(part, &[1, 0], squared, &[1]), one_of(&width)),
                draft.real(contract(part, &[1, 0], column, &[1]), one_of(&width)),
            ];
            draft.output(by_row);
            sums.into_iter().for_each(|sum| draft.output(sum));
            assert_agree(&draft.function);
            draft.output(part);
            assert_agree(&draft.function);
        }
    }
}

#[test]
fn scattering_agrees() {
    for (count, is_read_again) in [(rows(), false), (size(7), true), (size(0), false)] {
        let mut draft = Draft::new();
        let vector = draft.input(&[k()]);
        let (of_vector, of_cube) =
            (draft.input(std::slice::from_ref(&count)), [rows(), count.clone()]);
        let of_cube = draft.input(&of_cube);
        let base = draft.unary(UnaryOp::Exp, vector);
        let at = indices(&mut draft, count.clone(), 3, 5);
        let scatter = |base, axis, value| Op::ScatterAdd { base, indices: at, axis, value };
        let changed = draft.real(scatter(base, 0, of_vector), &[k()]);
        let again = draft.real(scatter(changed, 0, of_vector), &[k()]);
        let zeros = draft.real(Op::Fill(0.0), &[rows(), k()]);
        let sums = draft.real(scatter(zeros, 1, of_cube), &[rows(), k()]);
        // What is added is read from what is changed.
        let from_itself = gather(&mut draft, again, at, 0, std::slice::from_ref(&count));
        let twice = draft.real(scatter(again, 0, from_itself), &[k()]);
        draft.output(twice);
        draft.output(sums);
        if is_read_again {
            draft.output(base);
            draft.output(changed);
        }
        assert_agree(&draft.function);
    }
}

/// Nobody proves an index of an axis without positions; machine code reads nothing then.
#[test]
fn nothing_is_read_of_what_is_empty() {
    let mut draft = Draft::new();
    let empty = draft.input(&[rows(), size(2)]);
    let value = draft.input(&[size(3), size(2)]);
    let at = indices(&mut draft, size(3), 0, 5);
    let part = gather(&mut draft, empty, at, 0, &[size(3), size(2)]);
    draft.output(part);
    let changed = Op::ScatterAdd { base: empty, indices: at, axis: 0, value };
    let changed = draft.real(changed, &[rows(), size(2)]);
    draft.output(changed);
    verify(&draft.function).unwrap();
    let compiled = compile(&[&draft.function], &sizes(9)).unwrap().remove(0);
    let outputs = call(&draft.function, &compiled, &[vec![], vec![1.0; 6]], 0);
    assert_eq!(outputs, [vec![0.0; 6], vec![]]);
    // Out of range, the last is read.
    let outputs = call(&draft.function, &compiled, &[vec![4.0, 5.0], vec![1.0; 6]], 1);
    assert_eq!(outputs, [vec![4.0, 5.0, 4.0, 5.0, 4.0, 5.0], vec![7.0, 8.0]]);
}

#[test]
fn slices_concatenations_and_reversals_agree() {
    let mut b = Builder::new("test");
    let input = |b: &mut Builder, k: usize, dims: &[Size]| {
        b.input(InputKind::Datum(k), "x", ValueType::reals(dims.to_vec()))
    };
    let (x, y) = (input(&mut b, 0, &[rows(), k()]), input(&mut b, 1, &[rows(), size(3)]));
    let start = b.int(1);
    let cut = b.slice(x, 1, start, &size(3));
    let both = b.concat(&[cut, y, x], 1);
    let stacked = b.concat(&[cut, y, cut], 0);
    let (back, down) = (b.reverse_axis(both, 1), b.reverse_axis(x, 0));
    for y in [cut, both, stacked, back, down] {
        b.output("y", y);
    }
    let function = b.into_function();
    assert_agree(&function);
    let (x, y) = (vec![1.0, 2.0, 3.0, 4.0, 5.0], vec![6.0, 7.0, 8.0]);
    let results = interpret(&function, &[x, y], 1);
    assert_eq!(results[0], [2.0, 3.0, 4.0]);
    assert_eq!(results[1], [2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(results[2], [2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 2.0, 3.0, 4.0]);
    assert_eq!(results[3], [5.0, 4.0, 3.0, 2.0, 1.0, 8.0, 7.0, 6.0, 4.0, 3.0, 2.0]);
}

#[test]
fn trivial_gathering_folds() {
    let mut b = Builder::new("test");
    let x = b.input(InputKind::Datum(0), "x", ValueType::reals(vec![k(), size(3)]));
    let zero = b.int(0);
    assert_eq!(b.slice(x, 1, zero, &size(3)), x);
    assert_eq!(b.concat(&[x], 0), x);
    let two = b.int(2);
    let part = b.slice(x, 0, two, &size(2));
    let again = b.slice(part, 0, zero, &size(1));
    assert!(matches!(b.op(again), Op::Gather { base, .. } if *base == x));
    let wide = b.broadcast(x, &[1, 2], &[rows(), k(), size(3)]);
    let rows_of_wide = b.slice(wide, 1, two, &size(2));
    assert!(matches!(b.op(rows_of_wide), Op::Broadcast(inner, _) if *inner == part));
}
