//! Array ops over several dimensions, the number of rows zero and one included.

use super::*;

/// A function of random arrays with these dimensions, finished by `build`.
fn agree(dims: &[&[Size]], build: impl FnOnce(&mut Draft, &[ValueId])) {
    let mut draft = Draft::new();
    let inputs: Vec<ValueId> = dims.iter().map(|dims| draft.input(dims)).collect();
    build(&mut draft, &inputs);
    assert_agree(&draft.function);
}

fn contract(
    draft: &mut Draft,
    (a, a_axes): (ValueId, &[u8]),
    (b, b_axes): (ValueId, &[u8]),
    dims: &[Size],
) -> ValueId {
    let (a_axes, b_axes) = (a_axes.to_vec(), b_axes.to_vec());
    draft.real(Op::Contract { a, a_axes, b, b_axes }, dims)
}

/// A contraction in Einstein's notation, of axes `n` (rows), `k` and `m`.
fn einsum(notation: &str) {
    let (operands, result) = notation.split_once("->").unwrap();
    let (a, b) = operands.split_once(',').unwrap();
    let dims = |axes: &str| -> Vec<Size> {
        let size_of = |axis| match axis {
            'n' => rows(),
            'k' => k(),
            _ => size(3),
        };
        axes.chars().map(size_of).collect()
    };
    let reduced = ['n', 'k', 'm'].into_iter().filter(|axis| !result.contains(*axis));
    let order: String = result.chars().chain(reduced).collect();
    let labels = |axes: &str| -> Vec<u8> {
        axes.chars().map(|axis| order.find(axis).unwrap() as u8).collect()
    };
    agree(&[&dims(a), &dims(b)], |draft, x| {
        let y = contract(draft, (x[0], &labels(a)), (x[1], &labels(b)), &dims(result));
        draft.output(y);
    });
}

#[test]
fn contractions_agree() {
    let matrix_by_vector = ["nk,k->n", "k,nk->n", "nk,n->k", "nk,n->n", "kn,n->k"];
    let matrices = ["nk,nm->km", "nk,km->nm", "nk,mk->nm", "kn,mk->nm", "nk,nk->", "nk,kn->"];
    let others = ["n,n->", "n,k->nk", "k,n->nk", "n,->n", ",->", "nkm,mn->kn", "nkm,k->mn"];
    for notation in matrix_by_vector.into_iter().chain(matrices).chain(others) {
        einsum(notation);
    }
}

#[test]
fn computed_operands_agree() {
    agree(&[&[rows(), k()], &[rows()], &[k()]], |draft, x| {
        let weight = draft.unary(UnaryOp::Exp, x[1]);
        let wide = draft.real(Op::Broadcast(weight, vec![0]), &[rows(), k()]);
        let weighted = draft.binary(BinaryOp::Mul, wide, x[0]);
        let gram = contract(draft, (weighted, &[2, 0]), (x[0], &[2, 1]), &[k(), k()]);
        let z = draft.unary(UnaryOp::Tanh, x[2]);
        let linear = contract(draft, (x[0], &[0, 1]), (z, &[1]), &[rows()]);
        let loss = draft.unary(UnaryOp::Log1pExp, linear);
        let total = draft.real(Op::Sum(loss, vec![]), &[]);
        let slope = draft.unary(UnaryOp::InvLogit, linear);
        let gradient = contract(draft, (x[0], &[1, 0]), (slope, &[1]), &[k()]);
        for y in [gram, total, gradient, linear] {
            draft.output(y);
        }
    });
}

#[test]
fn sums_agree() {
    let dims = [rows(), k(), size(4)];
    let keeps: [&[u8]; 8] = [&[], &[0], &[1], &[2], &[2, 0], &[0, 1], &[1, 0], &[2, 1, 0]];
    for keep in keeps {
        let kept: Vec<Size> = keep.iter().map(|axis| dims[usize::from(*axis)].clone()).collect();
        agree(&[&dims], |draft, x| {
            let y = draft.real(Op::Sum(x[0], keep.to_vec()), &kept);
            let square = draft.unary(UnaryOp::Square, x[0]);
            let z = draft.real(Op::Sum(square, keep.to_vec()), &kept);
            draft.output(y);
            draft.output(z);
        });
    }
}

#[test]
fn broadcasts_agree() {
    let cases: [(&[Size], &[u8], &[Size]); 5] = [
        (&[], &[], &[rows(), k()]),
        (&[rows()], &[1], &[k(), rows()]),
        (&[rows(), k()], &[1, 0], &[k(), rows()]),
        (&[rows(), k()], &[2, 0], &[k(), size(2), rows()]),
        (&[k()], &[0], &[k(), rows()]),
    ];
    for (from, axes, to) in cases {
        agree(&[from, to], |draft, x| {
            let of_memory = draft.real(Op::Broadcast(x[0], axes.to_vec()), to);
            let exp = draft.unary(UnaryOp::Exp, x[0]);
            let of_computed = draft.real(Op::Broadcast(exp, axes.to_vec()), to);
            let sum = draft.binary(BinaryOp::Add, of_memory, of_computed);
            let product = draft.binary(BinaryOp::Mul, sum, x[1]);
            draft.output(of_memory);
            draft.output(product);
        });
    }
}

#[test]
fn largest_elements_agree() {
    let dims = [k(), rows(), size(3)];
    for keep in [vec![], vec![1], vec![2, 0], vec![0, 1, 2]] {
        agree(&[&dims], |draft, x| {
            let to: Vec<Size> = keep.iter().map(|&axis| dims[usize::from(axis)].clone()).collect();
            let exp = draft.unary(UnaryOp::Exp, x[0]);
            let of_memory = draft.real(Op::Largest(x[0], keep.clone()), &to);
            let of_computed = draft.real(Op::Largest(exp, keep.clone()), &to);
            draft.output(of_memory);
            draft.output(of_computed);
        });
    }
}

#[test]
fn other_shapes_agree() {
    agree(&[&[rows(), k()]], |draft, x| {
        let transposed = draft.real(Op::Broadcast(x[0], vec![1, 0]), &[k(), rows()]);
        let exp = draft.unary(UnaryOp::Exp, x[0]);
        for from in [x[0], transposed, exp] {
            let flat = draft.real(Op::Reshape(from), &[rows().checked_mul(&k()).unwrap()]);
            let square = draft.unary(UnaryOp::Square, flat);
            let back = draft.real(Op::Reshape(square), &[size(1), rows(), k()]);
            draft.output(flat);
            draft.output(back);
        }
    });
    let mut draft = Draft::new();
    let x = draft.input(&[k()]);
    let y = draft.real(Op::Reshape(x), &[size(6)]);
    draft.output(y);
    assert!(compile(&[&draft.function], &sizes(1)).is_err());
}

#[test]
fn constants_agree() {
    agree(&[], |draft, _| {
        let iota = draft
            .push(Op::Iota, ValueType { element: crate::ty::Element::Int, dims: vec![rows()] });
        let eye = draft.real(Op::Eye { offset: size(1) }, &[rows(), k()]);
        let fill = draft.real(Op::Fill(2.5), &[k(), rows()]);
        let n = draft.whole(Op::SizeOf(rows().checked_sub(&size(2)).unwrap()));
        let real = draft.real(Op::Real(0.1), &[]);
        let int = draft.whole(Op::Int(-3));
        let empty = draft.real(Op::Fill(1.0), &[rows().checked_sub(&size(3)).unwrap()]);
        let total = draft.real(Op::Sum(empty, vec![]), &[]);
        for y in [iota, eye, fill, n, real, int, empty, total] {
            draft.output(y);
        }
    });
}

#[test]
fn indexing_agrees() {
    agree(&[&[k(), rows(), size(3)], &[rows(), size(3)], &[size(3)]], |draft, x| {
        let (two, one) = (draft.whole(Op::Int(2)), draft.whole(Op::Int(1)));
        let plane = draft.real(Op::Index(x[0], vec![Some(two), None, None]), &[rows(), size(3)]);
        let column = draft.real(Op::Index(plane, vec![None, Some(one)]), &[rows()]);
        let square = draft.unary(UnaryOp::Square, x[0]);
        let computed =
            draft.real(Op::Index(square, vec![Some(one), None, None]), &[rows(), size(3)]);
        let set = draft.real(
            Op::Set { base: x[0], at: vec![Some(one), None, None], value: x[1] },
            &[k(), rows(), size(3)],
        );
        let again = draft.real(
            Op::AddAt { base: set, at: vec![Some(one), None, None], value: computed },
            &[k(), rows(), size(3)],
        );
        // Reads what it changes.
        let shifted = draft.real(Op::Index(again, vec![Some(two), None, None]), &[rows(), size(3)]);
        let doubled = draft.real(
            Op::AddAt { base: again, at: vec![Some(two), None, None], value: shifted },
            &[k(), rows(), size(3)],
        );
        let last = draft.real(Op::Index(x[2], vec![Some(two)]), &[]);
        let small =
            draft.real(Op::AddAt { base: x[2], at: vec![Some(one)], value: last }, &[size(3)]);
        for y in [plane, column, computed, set, doubled, last, small] {
            draft.output(y);
        }
    });
}

#[test]
fn a_changed_value_that_is_still_read_is_copied() {
    agree(&[&[rows(), k()]], |draft, x| {
        let base = draft.unary(UnaryOp::Exp, x[0]);
        let transposed = draft.real(Op::Broadcast(base, vec![1, 0]), &[k(), rows()]);
        let row = draft.real(Op::Fill(9.0), &[rows()]);
        let zero = draft.whole(Op::Int(3));
        let set =
            draft.real(Op::Set { base, at: vec![None, Some(zero)], value: row }, &[rows(), k()]);
        let sum = draft.real(Op::Sum(set, vec![]), &[]);
        let square = draft.unary(UnaryOp::Square, transposed);
        let old = draft.real(Op::Sum(square, vec![]), &[]);
        draft.output(sum);
        draft.output(old);
    });
}

#[test]
fn shapes_agree() {
    let cube = [k(), k(), rows()];
    agree(&[&cube, &[k(), rows()], &[size(10), rows()], &[size(10)]], |draft, x| {
        let diagonal = draft.real(Op::Diagonal(x[0]), &[k(), rows()]);
        let exp = draft.unary(UnaryOp::Exp, x[0]);
        let diagonal_of_computed = draft.real(Op::Diagonal(exp), &[k(), rows()]);
        let matrix = draft.real(Op::DiagonalMatrix(x[1]), &cube);
        let lower = draft.real(Op::LowerTriangle(x[0]), &cube);
        let unpacked = draft.real(Op::UnpackStrictLower(x[2]), &cube);
        let square = draft.real(Op::UnpackStrictLower(x[3]), &[k(), k()]);
        let packed = draft.real(Op::PackStrictLower(x[0]), &[size(10), rows()]);
        let stack = draft.real(Op::Stack(vec![diagonal, x[1]]), &[size(2), k(), rows()]);
        let scalar = draft.real(Op::Sum(x[1], vec![]), &[]);
        let scalars = draft.real(Op::Stack(vec![scalar, scalar, scalar]), &[size(3)]);
        let all = [diagonal, diagonal_of_computed, matrix, lower, unpacked, square, packed, stack];
        for y in all.into_iter().chain([scalars]) {
            draft.output(y);
        }
    });
}

#[test]
fn running_sums_agree() {
    for axis in [0, 1] {
        for (exclusive, reverse) in [(false, false), (false, true), (true, false), (true, true)] {
            agree(&[&[rows(), k()]], |draft, x| {
                let value = draft.unary(UnaryOp::Square, x[0]);
                let op = Op::CumulativeSum { value, axis, exclusive, reverse };
                let y = draft.real(op, &[rows(), k()]);
                draft.output(y);
            });
        }
    }
}

#[test]
fn triangular_solutions_agree_and_solve() {
    for transpose in [false, true] {
        agree(&[&[k(), k()], &[k(), rows()], &[k()]], |draft, x| {
            let shift = draft.real(Op::Eye { offset: size(0) }, &[k(), k()]);
            let ten = draft.real(Op::Fill(10.0), &[k(), k()]);
            let shift = draft.binary(BinaryOp::Mul, shift, ten);
            let matrix = draft.binary(BinaryOp::Add, x[0], shift);
            let many = draft.real(Op::SolveLower { matrix, rhs: x[1], transpose }, &[k(), rows()]);
            let one = draft.real(Op::SolveLower { matrix, rhs: x[2], transpose }, &[k()]);
            // L x - b is zero where x solves.
            let lower = draft.real(Op::LowerTriangle(matrix), &[k(), k()]);
            let axes: &[u8] = if transpose { &[1, 0] } else { &[0, 1] };
            let back = contract(draft, (lower, axes), (one, &[1]), &[k()]);
            let residual = draft.binary(BinaryOp::Sub, back, x[2]);
            for y in [many, one, residual] {
                draft.output(y);
            }
        });
    }
}
