//! Every elementwise op, on scalars and on arrays, agrees to the bit at awkward points.

use super::*;

fn awkward_points() -> Vec<f64> {
    let positive = [
        0.0,
        1e-310,
        1e-300,
        1e-20,
        1e-8,
        0.1,
        0.49999999999999994,
        0.5,
        0.7,
        1.0,
        1.0000000000000002,
        1.5,
        2.0,
        2.5,
        3.0,
        7.3,
        20.0,
        100.0,
        745.0,
        4503599627370497.0,
        1e17,
        1e300,
        f64::INFINITY,
    ];
    positive.iter().flat_map(|x| [*x, -x]).chain([f64::NAN]).collect()
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Outputs of a function of scalars and of one of vectors, of the same op.
fn check(n_inputs: usize, op: &dyn Fn(&[ValueId]) -> Op, points: &[Vec<f64>]) {
    let draft = |dims: &[Size]| {
        let mut draft = Draft::new();
        let inputs: Vec<ValueId> = (0..n_inputs).map(|_| draft.input(dims)).collect();
        let y = draft.real(op(&inputs), dims);
        draft.output(y);
        draft.function
    };
    let (scalar, vector) = (draft(&[]), draft(&[rows()]));
    verify(&vector).unwrap();
    let compiled = compile(&[&scalar, &vector], &sizes(points.len())).unwrap();
    let columns: Vec<Vec<f64>> =
        (0..n_inputs).map(|j| points.iter().map(|point| point[j]).collect()).collect();
    let expected = interpret(&vector, &columns, points.len()).remove(0);
    let of_vector = call(&vector, &compiled[1], &columns, points.len()).remove(0);
    for (i, point) in points.iter().enumerate() {
        let inputs: Vec<Vec<f64>> = point.iter().map(|x| vec![*x]).collect();
        let of_scalar = call(&scalar, &compiled[0], &inputs, 0)[0][0];
        assert!(same(of_scalar, expected[i]), "{scalar} at {point:?}: {of_scalar:?}");
        assert!(same(of_vector[i], expected[i]), "{vector} at {point:?}: {:?}", of_vector[i]);
    }
}

#[test]
fn unary_ops_agree() {
    let points: Vec<Vec<f64>> = awkward_points().into_iter().map(|x| vec![x]).collect();
    let more = [UnaryOp::Polygamma(3), UnaryOp::Polygamma(4)];
    for op in UnaryOp::ALL.into_iter().chain(more) {
        check(1, &|inputs| Op::Unary(op, inputs[0]), &points);
    }
}

#[test]
fn binary_ops_agree() {
    let values = awkward_points();
    let points: Vec<Vec<f64>> =
        values.iter().flat_map(|x| values.iter().map(|y| vec![*x, *y])).collect();
    for op in BinaryOp::ALL {
        check(2, &|inputs| Op::Binary(op, inputs[0], inputs[1]), &points);
    }
}

#[test]
fn select_agrees() {
    let values = [0.0, -0.0, 1.0, -3.0, f64::NAN, f64::INFINITY];
    let points: Vec<Vec<f64>> =
        values.iter().flat_map(|c| values.iter().map(|y| vec![*c, *y, 4.0])).collect();
    check(3, &|inputs| Op::Select(inputs[0], inputs[1], inputs[2]), &points);
}

#[test]
fn what_is_read_often_is_still_right() {
    let mut draft = Draft::new();
    let x = draft.input(&[rows()]);
    let mut sum = draft.unary(UnaryOp::Exp, x);
    // Without buffers and without sharing this would be 2^40 evaluations.
    for _ in 0..40 {
        sum = draft.binary(BinaryOp::Add, sum, sum);
    }
    draft.output(sum);
    assert_agree(&draft.function);
}

#[test]
fn long_chains_compile() {
    let mut draft = Draft::new();
    let x = draft.input(&[rows()]);
    let mut y = x;
    for _ in 0..500 {
        let half = draft.real(Op::Fill(0.5), &[rows()]);
        let product = draft.binary(BinaryOp::Mul, y, half);
        y = draft.binary(BinaryOp::Add, product, x);
    }
    draft.output(y);
    assert_agree(&draft.function);
}
