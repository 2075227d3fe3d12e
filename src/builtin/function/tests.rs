//! Functions against values computed with 40 digits by mpmath (`tests/oracle/functions.py`),
//! for scalars and containers, through both evaluators.

use std::collections::BTreeSet;

use super::*;
use crate::codegen::compile;
use crate::codegen::tests::{call, interpret, sizes};
use crate::ir::op::{InputKind, ValueType};
use crate::ir::verify::verify;
use crate::ty::Size;

const TABLE: &str = include_str!("../../../tests/oracle/functions.csv");

/// Relative to the value, or to one for functions with roots inside their domain.
const TOLERANCE: f64 = 1e-14;

/// `s` is a scalar, `2x3` a matrix.
fn dims(text: &str) -> Vec<usize> {
    match text {
        "s" => Vec::new(),
        _ => text.split('x').map(|n| n.parse().expect("a number")).collect(),
    }
}

#[test]
fn functions_agree_with_high_precision_values() {
    let number = |text: &str| text.parse::<f64>().expect("a number");
    for line in TABLE.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let mut numbers = fields[2].split_whitespace().map(number);
        let expected: Vec<f64> = fields[3].split_whitespace().map(number).collect();
        let mut b = Builder::new(fields[0]);
        let (mut inputs, mut arguments) = (Vec::new(), Vec::new());
        for (k, text) in fields[1].split_whitespace().enumerate() {
            let dims = dims(text);
            inputs.push(numbers.by_ref().take(dims.iter().product()).collect::<Vec<f64>>());
            let ty = ValueType::reals(dims.iter().map(|n| Size::constant(*n as i64)).collect());
            arguments.push(b.input(InputKind::Datum(k), "x", ty));
        }
        let value = (function(fields[0]).expect("a function").lower)(&mut b, &arguments);
        b.output("value", value);
        let f = b.into_function();
        verify(&f).unwrap();
        let code = compile(&[&f], &sizes(1)).unwrap().remove(0);
        for actual in [interpret(&f, &inputs, 1).remove(0), call(&f, &code, &inputs, 1).remove(0)] {
            assert_eq!(actual.len(), expected.len(), "{line}");
            for (actual, expected) in actual.iter().zip(&expected) {
                let has_roots = matches!(fields[0], "lgamma" | "digamma" | "logit");
                let allowed = TOLERANCE * expected.abs().max(if has_roots { 1.0 } else { 0.0 });
                let is_close = (actual - expected).abs() <= allowed;
                assert!(is_close, "{line}: {actual:e}, not {expected:e}");
            }
        }
    }
}

#[test]
fn every_function_is_in_the_table() {
    let tested: BTreeSet<&str> =
        TABLE.lines().skip(1).map(|line| line.split(',').next().expect("a name")).collect();
    let missing: Vec<&str> = all().map(|f| f.name).filter(|name| !tested.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let names: BTreeSet<&str> = all().map(|f| f.name).collect();
    assert_eq!(names.len(), all().count(), "no two functions share a name");
}
