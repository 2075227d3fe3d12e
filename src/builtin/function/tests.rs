//! Functions against values and gradients computed with 50 digits by mpmath
//! (`tests/oracle/functions.py`), for scalars and containers, through both evaluators.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;
use crate::autodiff::reverse::{Seed, gradient};
use crate::codegen::tests::{call, interpret, sizes};
use crate::codegen::{CompiledFunction, compile};
use crate::ir::op::{Function as Code, Input, InputKind, ValueType};
use crate::ir::verify::verify;

const TABLE: &str = include_str!("../../../tests/oracle/functions.csv");

/// Relative to the value, to one, or to the largest term of the sum that the function is.
const OF_VALUES: f64 = 1e-14;
const OF_GRADIENTS: f64 = 1e-10;

/// One call of the table.
struct Case<'a> {
    line: &'a str,
    function: &'static Function,
    types: Vec<Type>,
    sizes: Vec<Option<Size>>,
    /// Elements of each argument.
    arguments: Vec<Vec<f64>>,
    value: Vec<f64>,
    /// Of the first element of the value, in each element of each real argument.
    gradient: Option<Vec<f64>>,
    /// What errors are relative to, besides the value and one.
    scale: f64,
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().map(|text| text.parse().expect("a number")).collect()
}

/// `r` a real, `i` an int, `n` an int that is a size, `v3` a vector, `w3` a row vector, `m2x3`
/// a matrix, `a3` an array of reals, `k3` one of ints, `b2x3` an array of arrays of reals.
fn parse_type(text: &str) -> Type {
    let (kind, dims) = text.split_at(1);
    let dims: Vec<Size> = dims
        .split('x')
        .filter(|n| !n.is_empty())
        .map(|n| Size::constant(n.parse().expect("a number")))
        .collect();
    match kind {
        "r" => Type::real(),
        "i" | "n" => Type::int(),
        "v" => vector(&dims[0]),
        "w" => row_vector(&dims[0]),
        "m" => matrix(&dims[0], &dims[1]),
        "a" | "b" => Type { array: dims, ..Type::real() },
        "k" => Type { array: dims, ..Type::int() },
        other => panic!("no type `{other}`"),
    }
}

impl Case<'static> {
    fn parse(line: &'static str) -> Case<'static> {
        let fields: Vec<&str> = line.split(',').collect();
        let mut elements = numbers(fields[2]).into_iter();
        let (mut types, mut arguments, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for text in fields[1].split_whitespace() {
            let ty = parse_type(text);
            let n: i64 = ty.dims().iter().map(|n| n.as_constant().expect("a number")).product();
            let values: Vec<f64> = elements.by_ref().take(n as usize).collect();
            known.push((text == "n").then(|| Size::constant(values[0] as i64)));
            types.push(ty);
            arguments.push(values);
        }
        assert_eq!(elements.next(), None, "{line}");
        Case {
            line,
            function: function(fields[0]).unwrap_or_else(|| panic!("no `{}`", fields[0])),
            types,
            sizes: known,
            arguments,
            value: numbers(fields[3]),
            gradient: (!fields[4].is_empty()).then(|| numbers(fields[4])),
            scale: fields[5].parse().expect("a number"),
        }
    }

    fn result(&self) -> Returned {
        let arguments: Vec<Argument> = self
            .types
            .iter()
            .zip(&self.sizes)
            .map(|(ty, size)| Argument { ty: ty.clone(), size: size.clone() })
            .collect();
        (self.function.result)(&arguments)
            .unwrap_or_else(|| panic!("does not apply: {}", self.line))
    }

    /// The value, and where a gradient is known the value's first element.
    fn code(&self) -> Code {
        let mut b = Builder::new(self.function.name);
        let inputs: Vec<ValueId> = (0..self.types.len())
            .map(|k| {
                let ty = &self.types[k];
                let ty = ValueType { element: ty.element, dims: ty.dims() };
                match ty.element {
                    Element::Real => b.input(InputKind::Local(k), "x", ty),
                    Element::Int => b.input(InputKind::Datum(k), "x", ty),
                }
            })
            .collect();
        let returned = self.result();
        let Meaning::Ops(lower) = self.function.meaning else {
            panic!("parts have no values of their own: {}", self.line)
        };
        let types = Types { args: self.types.iter().collect(), result: &returned.ty };
        let value = lower(&mut b, &inputs, &types);
        assert_eq!(b.dims(value), returned.ty.dims(), "{}", self.line);
        b.output("value", value);
        if self.gradient.is_some() {
            let zero = b.int(0);
            let at = vec![Some(zero); b.rank(value)];
            let first = b.index(value, at);
            b.output("first", first);
        }
        b.into_function()
    }

    /// Checks a result; returns its largest error, in units of what is allowed.
    fn check(&self, actual: &[f64], expected: &[f64], tolerance: f64, scale: f64) -> f64 {
        assert_eq!(actual.len(), expected.len(), "{}", self.line);
        let mut worst = 0.0_f64;
        for (actual, expected) in actual.iter().zip(expected) {
            if actual == expected || (actual.is_nan() && expected.is_nan()) {
                continue;
            }
            let error = (actual - expected).abs() / expected.abs().max(scale).max(1.0);
            let (name, line) = (self.function.name, self.line);
            assert!(error <= tolerance, "{name}: {actual:e}, not {expected:e} ({error:e}): {line}");
            worst = worst.max(error);
        }
        worst
    }
}

/// A function for both evaluators.
struct Evaluators {
    function: Code,
    compiled: CompiledFunction,
}

impl Evaluators {
    fn of(function: Code) -> Evaluators {
        verify(&function).unwrap();
        let compiled = compile(&[&function], &sizes(1)).unwrap().remove(0);
        Evaluators { function, compiled }
    }

    /// Results by the interpreter and by machine code.
    fn run(&self, arguments: &[Vec<f64>]) -> [Vec<Vec<f64>>; 2] {
        let input = |input: &Input| match input.kind {
            InputKind::Local(k) | InputKind::Datum(k) => arguments[k].clone(),
            other => unreachable!("no {other:?} here"),
        };
        let inputs: Vec<Vec<f64>> = self.function.inputs.iter().map(input).collect();
        let f = &self.function;
        [interpret(f, &inputs, 1), call(f, &self.compiled, &inputs, 1)]
    }
}

#[test]
fn functions_agree_with_high_precision_values() {
    let mut worst: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    let mut known: HashMap<String, (Evaluators, Option<Evaluators>)> = HashMap::new();
    for line in TABLE.lines().skip(1) {
        let case = Case::parse(line);
        let types = line.split(',').take(2).collect::<Vec<_>>().join(",");
        let key = format!("{types} {:?} {}", case.sizes, case.gradient.is_some());
        let (values, slopes) = known.entry(key).or_insert_with(|| {
            let f = case.code();
            let wanted = |kind| matches!(kind, InputKind::Local(_));
            let slopes =
                case.gradient.as_ref().map(|_| gradient(&f, &[], &[(1, Seed::One)], wanted));
            (Evaluators::of(f), slopes.map(Evaluators::of))
        });
        let largest = worst.entry(case.function.name).or_default();
        for found in values.run(&case.arguments) {
            let error = case.check(&found[0], &case.value, OF_VALUES, case.scale);
            largest[0] = largest[0].max(error);
        }
        let Some((expected, slopes)) = case.gradient.as_ref().zip(slopes.as_ref()) else {
            continue;
        };
        for found in slopes.run(&case.arguments) {
            let error = case.check(&found.concat(), expected, OF_GRADIENTS, case.scale);
            largest[1] = largest[1].max(error);
        }
    }
    for (name, [value, gradient]) in worst {
        println!("{name:34} {value:8.1e} {gradient:8.1e}");
    }
}

#[test]
fn every_function_is_in_the_table() {
    let tested: BTreeSet<&str> =
        TABLE.lines().skip(1).map(|line| line.split(',').next().expect("a name")).collect();
    let is_part = |f: &&Function| matches!(f.meaning, Meaning::Part(_));
    let missing: Vec<&str> = all()
        .filter(|f| !is_part(f))
        .map(|f| f.name)
        .filter(|name| !tested.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let names: BTreeSet<&str> = all().map(|f| f.name).collect();
    assert_eq!(names.len(), all().count(), "no two functions share a name");
    assert!(all().all(|f| !f.doc.is_empty() && !f.signatures.is_empty()));
}

fn argument(ty: &str, size: Option<i64>) -> Argument {
    Argument { ty: parse_type(ty), size: size.map(Size::constant) }
}

#[test]
fn parts_are_subscripts() {
    let part = |name: &str, args: &[Argument]| {
        let function = function(name).expect("a function");
        let Meaning::Part(part) = function.meaning else { panic!("`{name}` is no part") };
        ((function.result)(args).map(|returned| returned.ty.to_string()), part(args))
    };
    let slice = |first: i64, length: i64| {
        Some(Part::Slice { first: Size::constant(first), length: Size::constant(length) })
    };
    let v = argument("v5", None);
    let two = argument("n", Some(2));
    let type_of = |text: &str| Some(text.to_string());
    assert_eq!(part("head", &[v.clone(), two.clone()]), (type_of("vector[2]"), slice(1, 2)));
    assert_eq!(part("tail", &[v.clone(), two.clone()]), (type_of("vector[2]"), slice(4, 2)));
    let three = argument("n", Some(3));
    let segment = part("segment", &[argument("k5", None), two.clone(), three]);
    assert_eq!(segment, (type_of("array[3] int"), slice(2, 3)));
    let m = argument("m2x3", None);
    let index = |axis| Some(Part::Index { axis, argument: 1 });
    assert_eq!(part("row", &[m.clone(), two.clone()]), (type_of("row_vector[3]"), index(0)));
    assert_eq!(part("col", &[m, two]), (type_of("vector[2]"), index(1)));
}

#[test]
fn arguments_that_do_not_fit_are_refused() {
    let refuses = |name: &str, types: &[&str]| {
        let args: Vec<Argument> = types.iter().map(|ty| argument(ty, None)).collect();
        assert!((function(name).expect("a function").result)(&args).is_none(), "{name} {types:?}");
    };
    refuses("exp", &[]);
    refuses("exp", &["r", "r"]);
    refuses("pow", &["v3", "w3"]);
    refuses("pow", &["v3", "a3"]);
    refuses("fma", &["v3", "r", "m2x3"]);
    refuses("dot_product", &["v3", "r"]);
    refuses("log_mix", &["r", "r"]);
    refuses("log_mix", &["r", "v3", "r"]);
    refuses("log_mix", &["v2", "r", "v2"]);
    refuses("quad_form", &["v3", "m3x3"]);
    refuses("head", &["m2x3", "n"]);
    refuses("rep_vector", &["r", "r"]);
    refuses("int_step", &["v3"]);
    refuses("crossprod", &["v3"]);
}

#[test]
fn sizes_that_must_be_equal_are_named() {
    let equal = |name: &str, types: &[&str]| {
        let args: Vec<Argument> = types.iter().map(|ty| argument(ty, None)).collect();
        let returned = (function(name).expect("a function").result)(&args).expect("it applies");
        let pair = |e: &EqualSizes| (e.arguments, e.sizes.clone().map(|n| n.to_string()));
        returned.equal.iter().map(pair).collect::<Vec<_>>()
    };
    let texts = |a: &str, b: &str| [a.to_string(), b.to_string()];
    assert_eq!(equal("pow", &["v3", "v4"]), [([0, 1], texts("3", "4"))]);
    assert_eq!(equal("fma", &["r", "v3", "v4"]), [([1, 2], texts("3", "4"))]);
    assert_eq!(equal("diag_post_multiply", &["m2x3", "v4"]), [([0, 1], texts("3", "4"))]);
    let quad_form = equal("quad_form", &["m2x3", "v4"]);
    assert_eq!(quad_form, [([0, 0], texts("2", "3")), ([0, 1], texts("2", "4"))]);
}
