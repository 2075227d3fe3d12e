//! Special functions against values computed with 60 digits by mpmath
//! (`tests/oracle/special_functions.py`), and their totality.

use super::*;

const TABLE: &str = include_str!("../../tests/oracle/special_functions.csv");

/// Relative tolerance of one function; the error counts as absolute below `floor`.
struct Tolerance {
    relative: f64,
    floor: f64,
}

fn function(name: &str) -> (fn(f64) -> f64, Tolerance) {
    let relative = |relative| Tolerance { relative, floor: 0.0 };
    match name {
        // Roots inside the domain, where only the absolute error can be small.
        "lgamma" => (|x| lgamma(x), Tolerance { relative: 1e-14, floor: 1.0 }),
        "digamma" => (|x| digamma(x), Tolerance { relative: 2e-14, floor: 1.0 }),
        "trigamma" => (|x| trigamma(x), relative(1e-13)),
        "polygamma2" => (|x| polygamma(2, x), relative(1e-13)),
        "polygamma3" => (|x| polygamma(3, x), relative(1e-13)),
        "polygamma4" => (|x| polygamma(4, x), relative(1e-13)),
        "log1p_exp" => (|x| log1p_exp(x), relative(1e-15)),
        "inv_logit" => (|x| inv_logit(x), relative(1e-15)),
        "log_cosh" => (|x| log_cosh(x), relative(1e-15)),
        // The condition number in the lower tail is x².
        "phi" => (|x| phi(x), relative(3e-13)),
        other => panic!("no function `{other}`"),
    }
}

#[test]
fn agrees_with_high_precision_values() {
    for line in TABLE.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let x: f64 = fields[1].parse().expect("a number");
        let expected: f64 = fields[2].parse().expect("a number");
        let (f, tolerance) = function(fields[0]);
        let actual = f(x);
        let allowed = tolerance.relative * expected.abs().max(tolerance.floor);
        assert!(
            (actual - expected).abs() <= allowed,
            "{}({x:e}) = {actual:e}, not {expected:e}: {:e} relative",
            fields[0],
            (actual - expected).abs() / expected.abs()
        );
    }
}

#[test]
fn limits_and_poles() {
    let infinity = f64::INFINITY;
    assert_eq!(lgamma(0.0), infinity);
    assert_eq!(lgamma(infinity), infinity);
    assert_eq!(digamma(infinity), infinity);
    assert!(digamma(0.0).is_nan() && digamma(-3.0).is_nan() && digamma(-infinity).is_nan());
    assert_eq!(trigamma(0.0), infinity);
    assert_eq!(trigamma(-2.0), infinity);
    assert_eq!(trigamma(infinity), 0.0);
    assert!(polygamma(2, -1.0).is_nan() && polygamma(99, 1.0).is_nan());
    assert_eq!((inv_logit(-infinity), inv_logit(infinity)), (0.0, 1.0));
    assert_eq!((log1p_exp(-infinity), log1p_exp(infinity)), (0.0, infinity));
    assert_eq!((log_cosh(-infinity), log_cosh(infinity)), (infinity, infinity));
    assert_eq!((phi(-infinity), phi(infinity)), (0.0, 1.0));
}

#[test]
fn nan_stays_nan() {
    let functions: [extern "C" fn(f64) -> f64; 16] = [
        exp, expm1, log, log1p, sin, cos, atan, tanh, round, inv_logit, log1p_exp, log_cosh, phi,
        lgamma, digamma, trigamma,
    ];
    for (position, f) in functions.iter().enumerate() {
        assert!(f(f64::NAN).is_nan(), "function number {position}");
    }
}
