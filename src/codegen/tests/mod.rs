//! Machine code against the interpreter, which says what ops mean.

mod arrays;
mod elementwise;
pub(crate) mod gather;
mod loops;
pub(crate) mod random;
mod running;

use super::{CompiledFunction, Scratch, SizeTable, compile};
use crate::index::Arena;
use crate::ir::eval::{Env, evaluate};
use crate::ir::op::{
    BinaryOp, Function, Input, InputKind, Op, Output, UnaryOp, Value, ValueId, ValueType,
};
use crate::ir::verify::verify;
use crate::ty::{Size, SizeAtom};

/// A function under construction; types are given by hand.
pub(crate) struct Draft {
    pub function: Function,
}

impl Draft {
    pub fn new() -> Draft {
        let name = "test".to_string();
        let values = Arena::default();
        Draft { function: Function { name, inputs: Vec::new(), values, outputs: Vec::new() } }
    }

    pub fn push(&mut self, op: Op, ty: ValueType) -> ValueId {
        self.function.values.push(Value { op, ty, span: None })
    }

    pub fn real(&mut self, op: Op, dims: &[Size]) -> ValueId {
        self.push(op, ValueType::reals(dims.to_vec()))
    }

    pub fn whole(&mut self, op: Op) -> ValueId {
        self.push(op, ValueType::int())
    }

    pub fn input_of(&mut self, kind: InputKind, ty: ValueType) -> ValueId {
        let k = self.function.inputs.len();
        self.function.inputs.push(Input { name: format!("x{k}"), kind, ty: ty.clone() });
        self.push(Op::Input(k), ty)
    }

    pub fn input(&mut self, dims: &[Size]) -> ValueId {
        let k = self.function.inputs.len();
        self.input_of(InputKind::Datum(k), ValueType::reals(dims.to_vec()))
    }

    pub fn dims(&self, id: ValueId) -> Vec<Size> {
        self.function.values[id].ty.dims.clone()
    }

    pub fn unary(&mut self, op: UnaryOp, a: ValueId) -> ValueId {
        self.real(Op::Unary(op, a), &self.dims(a))
    }

    pub fn binary(&mut self, op: BinaryOp, a: ValueId, b: ValueId) -> ValueId {
        self.real(Op::Binary(op, a, b), &self.dims(a))
    }

    pub fn output(&mut self, value: ValueId) {
        let name = format!("y{}", self.function.outputs.len());
        self.function.outputs.push(Output { name, value });
    }
}

pub(crate) fn rows() -> Size {
    Size::rows("i")
}

pub(crate) fn size(n: i64) -> Size {
    Size::constant(n)
}

/// A whole-data size, 5 in [`sizes`].
pub(crate) fn k() -> Size {
    Size::datum("K")
}

pub(crate) fn sizes(max_rows: usize) -> SizeTable {
    let mut table = SizeTable::new(max_rows);
    table.set("K", 5);
    table
}

pub(crate) fn size_value(atom: &SizeAtom, n_rows: usize) -> i64 {
    match atom {
        SizeAtom::Rows(_) => n_rows as i64,
        SizeAtom::Datum(_) | SizeAtom::AllRows | SizeAtom::Branches => 5,
        SizeAtom::StrictTriangle(_) => unreachable!("a size evaluates its triangles itself"),
    }
}

pub(crate) fn length(ty: &ValueType, n_rows: usize) -> usize {
    let extent = |size: &Size| size.evaluate(&mut |atom| size_value(atom, n_rows)).unwrap().max(0);
    ty.dims.iter().map(|size| extent(size) as usize).product()
}

pub(crate) fn interpret(function: &Function, inputs: &[Vec<f64>], n_rows: usize) -> Vec<Vec<f64>> {
    let inputs = inputs.iter().map(|input| input.as_slice()).collect();
    evaluate(function, &Env { inputs, sizes: &|atom| size_value(atom, n_rows) })
}

pub(crate) fn call(
    function: &Function,
    compiled: &CompiledFunction,
    inputs: &[Vec<f64>],
    n_rows: usize,
) -> Vec<Vec<f64>> {
    // Neither outputs nor scratch may be relied on to start at zero.
    let of_output =
        |output: &Output| vec![777.0; length(&function.values[output.value].ty, n_rows)];
    let mut outputs: Vec<Vec<f64>> = function.outputs.iter().map(of_output).collect();
    let mut slices: Vec<&mut [f64]> = outputs.iter_mut().map(|o| o.as_mut_slice()).collect();
    let inputs: Vec<&[f64]> = inputs.iter().map(|input| input.as_slice()).collect();
    let mut scratch = Scratch::default();
    for _ in 0..2 {
        compiled.call(&inputs, &mut slices, n_rows, &mut scratch);
    }
    outputs
}

/// Numbers between -2 and 2, by a linear congruential generator.
pub(crate) struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> f64 {
        4.0 * (self.bits() as f64 / (1_u64 << 53) as f64) - 2.0
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 11
    }

    pub fn below(&mut self, n: usize) -> usize {
        ((self.bits() >> 8) % n as u64) as usize
    }
}

pub(crate) fn random_inputs(function: &Function, n_rows: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut numbers = Numbers(seed);
    let of_type = |input: &Input| (0..length(&input.ty, n_rows)).map(|_| numbers.next()).collect();
    function.inputs.iter().map(of_type).collect()
}

/// Checks that both evaluators agree on random inputs for several numbers of rows.
pub(crate) fn assert_agree(function: &Function) {
    verify(function).unwrap();
    let compiled = compile(&[function], &sizes(9)).unwrap().remove(0);
    for n_rows in [0, 1, 2, 3, 4, 7, 9] {
        let inputs = random_inputs(function, n_rows, 7 + n_rows as u64);
        assert_agree_on(function, &compiled, &inputs, n_rows);
    }
}

pub(crate) fn assert_agree_on(
    function: &Function,
    compiled: &CompiledFunction,
    inputs: &[Vec<f64>],
    n_rows: usize,
) {
    let expected = interpret(function, inputs, n_rows);
    let actual = call(function, compiled, inputs, n_rows);
    for (k, (expected, actual)) in expected.iter().zip(&actual).enumerate() {
        let largest = expected.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        let close = |a: &f64, b: &f64| {
            a.to_bits() == b.to_bits()
                || (a.is_nan() && b.is_nan())
                || (a - b).abs() <= 1e-12 * largest
        };
        assert!(
            expected.iter().zip(actual).all(|(a, b)| close(a, b)),
            "output {k} at {n_rows} rows: {actual:?} instead of {expected:?}\n{function}"
        );
    }
}
