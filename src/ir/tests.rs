//! The interpreter on examples worked by hand, the verifier on broken functions, the printer.

use super::build::Builder;
use super::eval::{Env, evaluate};
use super::op::{
    BinaryOp, Function, Input, InputKind, Loop, Op, Output, UnaryOp, Value, ValueId, ValueType,
};
use super::verify::verify;
use crate::index::{Arena, Id};
use crate::ty::{Element, Size};

fn dims(sizes: &[i64]) -> Vec<Size> {
    sizes.iter().map(|n| Size::constant(*n)).collect()
}

fn real(op: Op, sizes: &[i64]) -> Value {
    Value { op, ty: ValueType::reals(dims(sizes)), span: None }
}

fn whole(op: Op) -> Value {
    Value { op, ty: ValueType::int(), span: None }
}

/// A function of its values; every `Input` is declared with the type it has as a value.
fn function(values: Vec<Value>, outputs: &[usize], kind: fn(usize) -> InputKind) -> Function {
    let mut f = Function {
        name: "f".to_string(),
        inputs: Vec::new(),
        values: Arena::default(),
        outputs: Vec::new(),
    };
    for value in values {
        if let Op::Input(k) = value.op {
            f.inputs.push(Input { name: format!("x{k}"), kind: kind(k), ty: value.ty.clone() });
        }
        f.values.push(value);
    }
    for (k, value) in outputs.iter().enumerate() {
        f.outputs.push(Output { name: format!("y{k}"), value: v(*value) });
    }
    f
}

fn v(position: usize) -> ValueId {
    Id::from_index(position)
}

/// The last of these values.
fn last(values: Vec<Value>, inputs: &[&[f64]]) -> Vec<f64> {
    let outputs = [values.len() - 1];
    let f = function(values, &outputs, InputKind::Datum);
    verify(&f).unwrap();
    evaluate(&f, &Env { inputs: inputs.to_vec(), sizes: &|_| 3 }).remove(0)
}

/// `op` of one array.
fn of(op: Op, from: &[i64], to: &[i64], input: &[f64]) -> Vec<f64> {
    last(vec![real(Op::Input(0), from), real(op, to)], &[input])
}

const M23: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
const M33: [f64; 9] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];

#[test]
fn axes_are_moved_and_summed() {
    let transpose = Op::Broadcast(v(0), vec![1, 0]);
    assert_eq!(of(transpose, &[2, 3], &[3, 2], &M23), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(of(Op::Broadcast(v(0), vec![1]), &[2], &[2, 2], &[1.0, 2.0]), [1.0, 2.0, 1.0, 2.0]);
    assert_eq!(of(Op::Sum(v(0), vec![0]), &[2, 3], &[2], &M23), [6.0, 15.0]);
    assert_eq!(of(Op::Sum(v(0), vec![1]), &[2, 3], &[3], &M23), [5.0, 7.0, 9.0]);
    let scan = |axis, exclusive, reverse| {
        let op = Op::CumulativeSum { value: v(0), axis, exclusive, reverse };
        of(op, &[2, 3], &[2, 3], &M23)
    };
    assert_eq!(scan(1, false, false), [1.0, 3.0, 6.0, 4.0, 9.0, 15.0]);
    assert_eq!(scan(1, true, true), [5.0, 3.0, 0.0, 11.0, 6.0, 0.0]);
    assert_eq!(scan(0, false, true), [5.0, 7.0, 9.0, 4.0, 5.0, 6.0]);
}

#[test]
fn largest_elements_and_other_shapes() {
    let m = [1.0, -2.0, 7.0, 4.0, f64::NAN, 6.0];
    assert_eq!(of(Op::Largest(v(0), vec![0]), &[2, 3], &[2], &M23), [3.0, 6.0]);
    assert_eq!(of(Op::Largest(v(0), vec![]), &[2, 3], &[], &M23), [6.0]);
    let columns = of(Op::Largest(v(0), vec![1]), &[2, 3], &[3], &m);
    assert!(columns[0] == 4.0 && columns[1].is_nan() && columns[2] == 7.0);
    assert_eq!(of(Op::Largest(v(0), vec![]), &[0], &[], &[]), [f64::NEG_INFINITY]);
    assert_eq!(of(Op::Reshape(v(0)), &[2, 3], &[3, 2], &M23), M23);
}

#[test]
fn products_are_summed_over_shared_labels() {
    let product = |a_axes: &[u8], b_axes: &[u8], b: &[i64], to: &[i64], values: &[f64]| {
        let (a_axes, b_axes) = (a_axes.to_vec(), b_axes.to_vec());
        let op = Op::Contract { a: v(0), a_axes, b: v(1), b_axes };
        last(
            vec![real(Op::Input(0), &[2, 3]), real(Op::Input(1), b), real(op, to)],
            &[&M23, values],
        )
    };
    assert_eq!(product(&[0, 1], &[1], &[3], &[2], &[1.0, 10.0, 100.0]), [321.0, 654.0]);
    assert_eq!(product(&[1, 0], &[1], &[2], &[3], &[1.0, 10.0]), [41.0, 52.0, 63.0]);
    let gram = [14.0, 32.0, 32.0, 77.0];
    assert_eq!(product(&[0, 2], &[1, 2], &[2, 3], &[2, 2], &M23), gram);
}

#[test]
fn triangles_and_diagonals() {
    assert_eq!(of(Op::Diagonal(v(0)), &[3, 3], &[3], &M33), [1.0, 5.0, 9.0]);
    assert_eq!(of(Op::DiagonalMatrix(v(0)), &[2], &[2, 2], &[3.0, 4.0]), [3.0, 0.0, 0.0, 4.0]);
    let lower = [1.0, 0.0, 0.0, 4.0, 5.0, 0.0, 7.0, 8.0, 9.0];
    assert_eq!(of(Op::LowerTriangle(v(0)), &[3, 3], &[3, 3], &M33), lower);
    assert_eq!(of(Op::PackStrictLower(v(0)), &[3, 3], &[3], &M33), [4.0, 7.0, 8.0]);
    let unpacked = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 2.0, 3.0, 0.0];
    assert_eq!(of(Op::UnpackStrictLower(v(0)), &[3], &[3, 3], &[1.0, 2.0, 3.0]), unpacked);
    let eye = last(vec![real(Op::Eye { offset: Size::constant(1) }, &[2, 3])], &[]);
    assert_eq!(eye, [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn triangular_systems_are_solved() {
    // L = [[2, ·], [1, 4]]; the part above the diagonal is not read.
    let solve = |transpose, rhs: &[f64]| {
        let op = Op::SolveLower { matrix: v(0), rhs: v(1), transpose };
        let values = vec![real(Op::Input(0), &[2, 2]), real(Op::Input(1), &[2]), real(op, &[2])];
        last(values, &[&[2.0, f64::NAN, 1.0, 4.0], rhs])
    };
    assert_eq!(solve(false, &[6.0, 11.0]), [3.0, 2.0]);
    assert_eq!(solve(true, &[8.0, 8.0]), [3.0, 2.0]);
}

#[test]
fn parts_are_read_and_changed() {
    let at = || vec![None, Some(v(1))];
    let two = || whole(Op::Int(2));
    let m = || real(Op::Input(0), &[2, 3]);
    let column = vec![m(), two(), real(Op::Index(v(0), at()), &[2])];
    assert_eq!(last(column, &[&M23]), [3.0, 6.0]);
    let part = || real(Op::Input(1), &[2]);
    let set = Op::Set { base: v(0), at: at(), value: v(2) };
    let set = last(vec![m(), two(), part(), real(set, &[2, 3])], &[&M23, &[7.0, 8.0]]);
    assert_eq!(set, [1.0, 2.0, 7.0, 4.0, 5.0, 8.0]);
    let add = Op::AddAt { base: v(0), at: at(), value: v(2) };
    let added = last(vec![m(), two(), part(), real(add, &[2, 3])], &[&M23, &[7.0, 8.0]]);
    assert_eq!(added, [1.0, 2.0, 10.0, 4.0, 5.0, 14.0]);
}

/// `x ← 2x + i`, each x before the step stacked.
#[test]
fn parts_are_gathered_and_scattered() {
    let ints = |x: &[f64]| {
        let stacked = x.iter().map(|x| whole(Op::Int(*x as i64)));
        stacked.collect::<Vec<Value>>()
    };
    let input = real(Op::Input(0), &[2, 3]);
    let vector = |op: Op, n: i64| Value {
        ty: ValueType { element: Element::Int, dims: dims(&[n]) },
        ..real(op, &[n])
    };
    let mut values = vec![input];
    values.extend(ints(&[2.0, 0.0, 2.0, 2.0]));
    values.push(vector(Op::Stack(vec![v(1), v(2), v(3), v(4)]), 4));
    values.push(real(Op::Gather { base: v(0), indices: v(5), axis: 1 }, &[2, 4]));
    let x: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let gathered = [3.0, 1.0, 3.0, 3.0, 6.0, 4.0, 6.0, 6.0];
    assert_eq!(last(values.clone(), &[x]), gathered);
    values.push(real(Op::ScatterAdd { base: v(0), indices: v(5), axis: 1, value: v(6) }, &[2, 3]));
    assert_eq!(last(values.clone(), &[x]), [2.0, 2.0, 12.0, 8.0, 5.0, 24.0]);
    values.push(real(Op::ScatterAdd { base: v(0), indices: v(5), axis: 0, value: v(6) }, &[2, 3]));
    let broken = function(values, &[8], InputKind::Datum);
    assert!(verify(&broken).unwrap_err().contains("what is added has other dimensions"));
}

fn doubling_loop(reverse: bool, count: i64) -> Vec<Value> {
    let body = vec![
        whole(Op::Input(0)),
        real(Op::Input(1), &[]),
        real(Op::Binary(BinaryOp::Add, v(1), v(1)), &[]),
        real(Op::Binary(BinaryOp::Add, v(2), v(0)), &[]),
    ];
    let kind = |k| if k == 0 { InputKind::LoopIndex } else { InputKind::Carried(k - 1) };
    let body = function(body, &[3, 1], kind);
    let l = Loop {
        count: v(0),
        max_count: Size::constant(4),
        reverse,
        body,
        carried: vec![v(1)],
        captured: Vec::new(),
    };
    vec![whole(Op::Int(count)), real(Op::Real(1.0), &[]), real(Op::Loop(Box::new(l)), &[])]
}

#[test]
fn loops_carry_and_stack() {
    let results = |reverse, count| {
        let results = [real(Op::Result(v(2), 0), &[]), real(Op::Result(v(2), 1), &[4])];
        let f = function(
            [doubling_loop(reverse, count), results.into()].concat(),
            &[3, 4],
            InputKind::Datum,
        );
        verify(&f).unwrap();
        evaluate(&f, &Env { inputs: Vec::new(), sizes: &|_| 0 })
    };
    assert_eq!(results(false, 3), [vec![12.0], vec![1.0, 2.0, 5.0, 0.0]]);
    assert_eq!(results(true, 3), [vec![18.0], vec![9.0, 4.0, 1.0, 0.0]]);
    assert_eq!(results(false, -1), [vec![1.0], vec![0.0; 4]]);
}

#[test]
fn broken_functions_are_refused() {
    let x = |sizes: &[i64]| real(Op::Input(0), sizes);
    let broken = [
        vec![x(&[2]), real(Op::Unary(UnaryOp::Exp, v(2)), &[2]), x(&[2])],
        vec![x(&[2]), real(Op::Unary(UnaryOp::Exp, v(0)), &[3])],
        vec![x(&[2]), real(Op::Fill(0.0), &[3]), real(Op::Binary(BinaryOp::Add, v(0), v(1)), &[2])],
        vec![x(&[2]), real(Op::Broadcast(v(0), vec![2]), &[2, 2])],
        vec![x(&[2]), real(Op::Broadcast(v(0), vec![0]), &[3, 2])],
        vec![x(&[2, 2]), real(Op::Broadcast(v(0), vec![0, 0]), &[2, 2])],
        vec![x(&[2]), real(Op::Sum(v(0), vec![1]), &[2])],
        vec![x(&[2, 3]), real(Op::Diagonal(v(0)), &[2])],
        vec![x(&[2]), real(Op::Index(v(0), vec![Some(v(0))]), &[])],
        vec![x(&[2]), real(Op::Result(v(0), 0), &[2])],
        vec![
            x(&[2]),
            Value {
                op: Op::Unary(UnaryOp::Exp, v(0)),
                ty: ValueType { element: Element::Int, dims: dims(&[2]) },
                span: None,
            },
        ],
        vec![
            x(&[2]),
            real(Op::Contract { a: v(0), a_axes: vec![0], b: v(0), b_axes: vec![1] }, &[2, 3]),
        ],
        vec![
            x(&[2]),
            real(Op::Contract { a: v(0), a_axes: vec![2], b: v(0), b_axes: vec![2] }, &[2]),
        ],
        vec![x(&[2]), real(Op::Input(4), &[2])],
        [doubling_loop(false, 1), vec![real(Op::Result(v(2), 1), &[3])]].concat(),
        [doubling_loop(false, 1), vec![real(Op::Result(v(2), 2), &[])]].concat(),
        [doubling_loop(false, 1), vec![real(Op::Unary(UnaryOp::Neg, v(2)), &[])]].concat(),
    ];
    for (position, values) in broken.into_iter().enumerate() {
        let mut f = function(values, &[], InputKind::Datum);
        f.inputs.truncate(1);
        assert!(verify(&f).is_err(), "case {position} passes:\n{f}");
    }
}

#[test]
fn sizes_with_different_names_wait_for_data() {
    let vector = |op, size| Value { op, ty: ValueType::reals(vec![size]), span: None };
    let sum = |size: Size| {
        let values = vec![
            vector(Op::Input(0), Size::datum("K")),
            vector(Op::Input(1), size),
            vector(Op::Binary(BinaryOp::Add, v(0), v(1)), Size::datum("K")),
        ];
        verify(&function(values, &[2], InputKind::Datum))
    };
    assert!(sum(Size::datum("J")).is_ok());
    assert!(sum(Size::datum("K").checked_add(&Size::constant(1)).unwrap()).is_err());
}

#[test]
fn functions_print() {
    let outer = [doubling_loop(true, 3), vec![real(Op::Result(v(2), 1), &[4])]].concat();
    let text = function(outer, &[3], InputKind::Datum).to_string();
    expect_test::expect![[r#"
        function f {
          v0 = int 3 : int
          v1 = real 1.0 : real
          v2 = reverse loop v0 of at most 4 carried [v1] captured []
            function f {
              input 0 `x0` LoopIndex : int
              input 1 `x1` Carried(0) : real
              v0 = input 0 : int
              v1 = input 1 : real
              v2 = add v1 v1 : real
              v3 = add v2 v0 : real
              output `y0` = v3
              output `y1` = v1
            }
          v3 = result 1 of v2 : [4]
          output `y0` = v3
        }
    "#]]
    .assert_eq(&text);
}

#[test]
fn products_with_rows_of_an_identity_need_no_product() {
    // Rows 2, 0 and 2 of the identity of four.
    let indices = [2.0, 0.0, 2.0];
    let selection: Vec<f64> = indices
        .iter()
        .flat_map(|&i| (0..4).map(move |j| f64::from(u8::from(j as f64 == i))))
        .collect();
    let cases = [([2, 3], [0, 2], [2, 1]), ([3, 2], [2, 1], [2, 0]), ([2, 4], [0, 2], [1, 2])];
    for (x_dims, x_axes, axes) in cases {
        let x: Vec<f64> = (1..=x_dims[0] * x_dims[1]).map(|k| k as f64).collect();
        let mut b = Builder::new("f");
        let vector = ValueType { element: Element::Int, dims: dims(&[3]) };
        let at = b.input(InputKind::Datum(1), "at", vector);
        let given = b.input(InputKind::Datum(2), "selection", ValueType::reals(dims(&[3, 4])));
        let x_value = b.input(InputKind::Datum(0), "x", ValueType::reals(dims(&x_dims)));
        let eye = b.eye(Size::constant(4), Size::constant(4), Size::constant(0));
        let gathered = b.gather(eye, at, 0);
        let simple = b.contract(x_value, &x_axes, gathered, &axes, 2);
        let product = b.contract(x_value, &x_axes, given, &axes, 2);
        b.output("simple", simple);
        b.output("product", product);
        let f = b.finish();
        verify(&f).unwrap();
        let contractions =
            f.values.iter().filter(|(_, value)| matches!(value.op, Op::Contract { .. }));
        assert_eq!(contractions.count(), 1);
        let of = |kind| match kind {
            InputKind::Datum(0) => x.as_slice(),
            InputKind::Datum(1) => &indices,
            _ => &selection,
        };
        let inputs = f.inputs.iter().map(|input| of(input.kind)).collect();
        let found = evaluate(&f, &Env { inputs, sizes: &|_| 0 });
        assert_eq!(found[0], found[1]);
    }
}

#[test]
fn factors_of_rows_are_multiplied_once_for_each_row() {
    let mut b = Builder::new("f");
    let rows = |b: &mut Builder, k, name| {
        let row = b.input(InputKind::Datum(k), name, ValueType::reals(dims(&[2])));
        b.broadcast(row, &[0], &dims(&[2, 3]))
    };
    let (s, t) = (rows(&mut b, 0, "s"), rows(&mut b, 1, "t"));
    let x = b.input(InputKind::Datum(2), "x", ValueType::reals(dims(&[2, 3])));
    let inner = b.mul(x, t);
    let product = b.mul(s, inner);
    b.output("product", product);
    let f = b.finish();
    verify(&f).unwrap();
    let is_product = |value: &Value| matches!(value.op, Op::Binary(BinaryOp::Mul, ..));
    let by_rank =
        |rank: usize| f.values.iter().filter(|(_, v)| is_product(v) && v.ty.rank() == rank).count();
    assert_eq!((by_rank(1), by_rank(2)), (1, 1));
    let of = |kind| match kind {
        InputKind::Datum(0) => &[2.0, 3.0][..],
        InputKind::Datum(1) => &[5.0, 7.0],
        _ => &M23,
    };
    let inputs = f.inputs.iter().map(|input| of(input.kind)).collect();
    let found = evaluate(&f, &Env { inputs, sizes: &|_| 0 });
    assert_eq!(found[0], [10.0, 20.0, 30.0, 84.0, 105.0, 126.0]);
}

/// `Σₙ wₙ xₙᵢ (eⱼ + placed xₙⱼ)`: parts are contracted, never what they are put together to.
#[test]
fn contractions_go_through_the_parts_of_an_operand() {
    let mut b = Builder::new("f");
    let x = b.input(InputKind::Datum(0), "x", ValueType::reals(dims(&[2, 3])));
    let w = b.input(InputKind::Datum(1), "w", ValueType::reals(dims(&[2])));
    let e = b.input(InputKind::Datum(2), "e", ValueType::reals(dims(&[4])));
    let places = b.iota(Size::constant(3));
    let (one, ones) = (b.int(1), dims(&[3]));
    let one = b.broadcast(one, &[], &ones);
    let places = b.add(places, one);
    let zeros = b.fill(0.0, dims(&[2, 4]));
    let placed = b.scatter_add(zeros, places, 1, x);
    let repeated = b.broadcast(e, &[1], &dims(&[2, 4]));
    let composed = b.add(repeated, placed);
    let weights = b.broadcast(w, &[0], &dims(&[2, 4]));
    let scaled = b.mul(weights, composed);
    let product = b.contract(scaled, &[2, 1], x, &[2, 0], 2);
    let sums = b.sum_keeping(scaled, &[1]);
    b.output("product", product);
    b.output("sums", sums);
    let f = b.finish();
    verify(&f).unwrap();
    assert!(f.values.iter().all(|(_, value)| value.ty.dims != dims(&[2, 4])), "{f}");
    let (w, e) = ([2.0, -1.0], [1.0, 0.5, 0.0, -3.0]);
    let of = |kind| match kind {
        InputKind::Datum(0) => &M23[..],
        InputKind::Datum(1) => &w,
        _ => &e,
    };
    let inputs = f.inputs.iter().map(|input| of(input.kind)).collect();
    let found = evaluate(&f, &Env { inputs, sizes: &|_| 0 });
    let full = |n: usize, j: usize| e[j] + if j == 0 { 0.0 } else { M23[n * 3 + j - 1] };
    for j in 0..4 {
        let sum: f64 = (0..2).map(|n| w[n] * full(n, j)).sum();
        assert_eq!(found[1][j], sum);
        for i in 0..3 {
            let sum: f64 = (0..2).map(|n| w[n] * M23[n * 3 + i] * full(n, j)).sum();
            assert_eq!(found[0][i * 4 + j], sum);
        }
    }
}
