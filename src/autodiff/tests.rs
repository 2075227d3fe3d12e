//! Derivatives against differences of what they are derivatives of: reverse mode, forward
//! mode, forward of reverse (Hessians) and reverse of that (third order).
//!
//! The functions under test are evaluated by the interpreter; every derivative is verified,
//! and evaluated by both evaluators, which have to agree.

mod branches;
mod gather;
mod loops;
mod ops;
mod random;

use std::collections::BTreeMap;

use super::forward::{Directions, jacobian};
use super::reverse::{Seed, gradient, sources};
use crate::codegen::compile;
use crate::codegen::tests::{Numbers, assert_agree_on, interpret, length, size, sizes};
use crate::ir::build::Builder;
use crate::ir::op::{Function, InputKind, ValueType};
use crate::ir::verify::verify;
use crate::ty::Size;

/// Where a function is differentiated: the values of all inputs, by kind.
type Place = BTreeMap<InputKind, Vec<f64>>;

/// How close derivatives have to be to differences, relative to the largest, or to one.
const TOLERANCE: f64 = 1e-6;

fn is_local(kind: InputKind) -> bool {
    matches!(kind, InputKind::Local(_))
}

fn is_close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    let largest = b.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance * largest)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Results of `function` at a place by the interpreter.
fn run(function: &Function, place: &Place, n_rows: usize) -> Vec<Vec<f64>> {
    let inputs: Vec<Vec<f64>> =
        function.inputs.iter().map(|input| place[&input.kind].clone()).collect();
    interpret(function, &inputs, n_rows)
}

/// The same of a derivative, which has to verify, and which machine code has to agree on.
fn run_both(function: &Function, place: &Place, n_rows: usize) -> Vec<Vec<f64>> {
    if let Err(rule) = verify(function) {
        panic!("{rule}\n{function}");
    }
    let compiled = compile(&[function], &sizes(9)).unwrap().remove(0);
    let inputs: Vec<Vec<f64>> =
        function.inputs.iter().map(|input| place[&input.kind].clone()).collect();
    assert_agree_on(function, &compiled, &inputs, n_rows);
    interpret(function, &inputs, n_rows)
}

/// `Σ weights · output` over all outputs; the weights are data.
fn weighted_sum(function: &Function) -> Function {
    let mut b = Builder::new("weighted");
    let inputs = b.inputs_of(function);
    let copied = b.inline(function, &inputs);
    let mut sum = b.real(0.0);
    for (k, output) in function.outputs.iter().enumerate() {
        let value = copied[output.value.index()];
        let ty = ValueType::reals(b.dims(value).to_vec());
        let weights = b.input(weight(k), "weights", ty);
        let part = b.dot(weights, value);
        sum = b.add(sum, part);
    }
    b.output("sum", sum);
    b.finish()
}

fn weight(output: usize) -> InputKind {
    InputKind::Datum(1000 + output)
}

/// One differentiation to be checked.
struct Check<'a> {
    function: &'a Function,
    place: Place,
    n_rows: usize,
    numbers: Numbers,
}

/// Checks the derivatives of `function` in its locals up to `order`, at random inputs.
fn check(function: &Function, n_rows: usize, order: usize) {
    let mut numbers = Numbers(11 + n_rows as u64);
    let mut place = Place::new();
    for input in &function.inputs {
        let n = length(&input.ty, n_rows);
        place.insert(input.kind, (0..n).map(|_| numbers.next()).collect());
    }
    check_at(function, place, n_rows, order);
}

/// The same at a given place.
fn check_at(function: &Function, mut place: Place, n_rows: usize, order: usize) {
    if let Err(rule) = verify(function) {
        panic!("{rule}\n{function}");
    }
    let mut numbers = Numbers(5);
    for (k, output) in function.outputs.iter().enumerate() {
        let n = length(&function.values[output.value].ty, n_rows);
        place.insert(weight(k), (0..n).map(|_| numbers.next()).collect());
    }
    let mut check = Check { function, place, n_rows, numbers };
    let scalar = weighted_sum(function);
    let first = gradient(&scalar, &[], &[(0, Seed::One)], is_local);
    let own = sources(&scalar, is_local);
    check.reverse(&scalar, &first, &own);
    let directions = Directions::of_inputs(function, is_local);
    check.forward(&directions);
    if order < 2 {
        return;
    }
    let second = jacobian(&first, &directions);
    check.hessian(&first, &second, &own);
    if order < 3 {
        return;
    }
    check.third(&second);
}

impl Check<'_> {
    /// A random direction in all locals.
    fn direction(&mut self) -> Place {
        let numbers = &mut self.numbers;
        let locals = self.place.iter().filter(|(kind, _)| is_local(**kind));
        locals
            .map(|(kind, values)| (*kind, values.iter().map(|_| numbers.next()).collect()))
            .collect()
    }

    /// Derivatives of what `f` gives at the place moved along a direction. By central
    /// differences of the fourth order; with a smaller step where the first meets a kink.
    fn assert_slope(
        &self,
        what: &str,
        direction: &Place,
        f: impl Fn(&Place) -> Vec<f64>,
        slope: &[f64],
    ) {
        let at = |t: f64| {
            let mut place = self.place.clone();
            for (kind, by) in direction {
                let values = place.get_mut(kind).expect("a local");
                values.iter_mut().zip(by).for_each(|(x, by)| *x += t * by);
            }
            f(&place)
        };
        let difference = |h: f64| -> Vec<f64> {
            let (near, near_below, far, far_below) = (at(h), at(-h), at(2.0 * h), at(-2.0 * h));
            (0..near.len())
                .map(|k| (8.0 * (near[k] - near_below[k]) - (far[k] - far_below[k])) / (12.0 * h))
                .collect()
        };
        let found: Vec<Vec<f64>> = [1e-3, 1e-4, 3e-6].map(difference).to_vec();
        assert!(
            found.iter().any(|difference| is_close(slope, difference, TOLERANCE)),
            "{what} at {} rows: {slope:?}\ninstead of {found:?}\n{}",
            self.n_rows,
            self.function
        );
    }

    fn reverse(&mut self, scalar: &Function, first: &Function, own: &[InputKind]) {
        let found = run_both(first, &self.place, self.n_rows);
        for _ in 0..3 {
            let direction = self.direction();
            let slope: f64 = own.iter().zip(&found).map(|(kind, g)| dot(g, &direction[kind])).sum();
            let of_scalar = |place: &Place| run(scalar, place, self.n_rows).remove(0);
            self.assert_slope("gradient", &direction, of_scalar, &[slope]);
        }
    }

    fn forward(&mut self, directions: &Directions) {
        let found = run_both(&jacobian(self.function, directions), &self.place, self.n_rows);
        let values = run(self.function, &self.place, self.n_rows);
        for (value, copy) in values.iter().zip(found.iter().step_by(2)) {
            assert!(is_close(copy, value, 1e-14), "the Jacobian keeps the values");
        }
        for _ in 0..2 {
            let direction = self.direction();
            let flat: Vec<f64> = direction.values().flatten().copied().collect();
            let jacobians = found.iter().skip(1).step_by(2);
            let slopes: Vec<f64> = jacobians.flat_map(|j| times(j, &flat)).collect();
            let outputs = |place: &Place| run(self.function, place, self.n_rows).concat();
            self.assert_slope("Jacobian", &direction, outputs, &slopes);
        }
    }

    fn hessian(&mut self, first: &Function, second: &Function, own: &[InputKind]) {
        let found = run_both(second, &self.place, self.n_rows);
        let direction = self.direction();
        let flat: Vec<f64> = direction.values().flatten().copied().collect();
        let slopes: Vec<f64> =
            found.iter().skip(1).step_by(2).flat_map(|h| times(h, &flat)).collect();
        let gradients = |place: &Place| run(first, place, self.n_rows).concat();
        self.assert_slope("Hessian", &direction, gradients, &slopes);
        self.symmetric(&found, own);
    }

    /// Rows of locals that the function does not read are zero.
    fn symmetric(&self, found: &[Vec<f64>], own: &[InputKind]) {
        let locals: Vec<(&InputKind, usize)> = self
            .place
            .iter()
            .filter(|(kind, _)| is_local(**kind))
            .map(|(kind, values)| (kind, values.len()))
            .collect();
        let n: usize = locals.iter().map(|(_, n)| n).sum();
        let mut matrix = Vec::with_capacity(n * n);
        for (kind, length) in locals {
            match own.iter().position(|k| k == kind) {
                Some(k) => matrix.extend_from_slice(&found[2 * k + 1]),
                None => matrix.extend(vec![0.0; length * n]),
            }
        }
        let transposed: Vec<f64> = (0..n * n).map(|p| matrix[p % n * n + p / n]).collect();
        assert!(is_close(&matrix, &transposed, 1e-9), "Hessian {matrix:?}\n{}", self.function);
    }

    fn third(&mut self, second: &Function) {
        let seeds: Vec<(usize, Seed)> =
            (0..second.outputs.len()).map(|k| (k, Seed::Given)).collect();
        let mut cotangents = Vec::new();
        for (k, output) in second.outputs.iter().enumerate() {
            let n = length(&second.values[output.value].ty, self.n_rows);
            let cotangent: Vec<f64> = (0..n).map(|_| self.numbers.next()).collect();
            self.place.insert(InputKind::Cotangent(k), cotangent.clone());
            cotangents.extend(cotangent);
        }
        let third = gradient(second, &[], &seeds, is_local);
        let own = sources(second, is_local);
        let found = run_both(&third, &self.place, self.n_rows);
        let direction = self.direction();
        let slope: f64 = own.iter().zip(&found).map(|(kind, g)| dot(g, &direction[kind])).sum();
        let product =
            |place: &Place| vec![dot(&run(second, place, self.n_rows).concat(), &cotangents)];
        self.assert_slope("third derivative", &direction, product, &[slope]);
    }
}

/// A matrix, given row-major, times a vector.
fn times(matrix: &[f64], vector: &[f64]) -> Vec<f64> {
    match vector.len() {
        0 => Vec::new(),
        n => matrix.chunks_exact(n).map(|row| dot(row, vector)).collect(),
    }
}

/// A function of locals of these dimensions.
fn function(
    dims: &[Vec<Size>],
    write: impl FnOnce(&mut Builder, &[crate::ir::op::ValueId]) -> Vec<crate::ir::op::ValueId>,
) -> Function {
    let mut b = Builder::new("test");
    let input = |(k, dims): (usize, &Vec<Size>)| {
        b.input(InputKind::Local(k), &format!("x{k}"), ValueType::reals(dims.clone()))
    };
    let inputs: Vec<_> = dims.iter().enumerate().map(input).collect();
    for (k, output) in write(&mut b, &inputs).into_iter().enumerate() {
        b.output(format!("y{k}"), output);
    }
    b.into_function()
}
