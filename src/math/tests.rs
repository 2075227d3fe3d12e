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
    assert_eq!((inv_phi(0.0), inv_phi(0.5), inv_phi(1.0)), (-infinity, 0.0, infinity));
    assert!(inv_phi(-1e-300).is_nan() && inv_phi(1.0 + 1e-15).is_nan());
    assert_eq!((log1m_exp(0.0), log1m_exp(-infinity)), (-infinity, 0.0));
    assert!(log1m_exp(1e-300).is_nan());
    assert_eq!((atanh(1.0), asinh(-infinity), acosh(1.0)), (infinity, -infinity, 0.0));
    assert!(acosh(0.9).is_nan() && asin(1.1).is_nan() && acos(-1.1).is_nan());
    assert_eq!((hypot(3e300, 4e300), hypot(infinity, 1.0)), (5e300, infinity));
}

#[test]
fn log_beta_has_limits_and_is_symmetric() {
    let infinity = f64::INFINITY;
    assert_eq!((log_beta(0.0, 2.0), log_beta(0.0, 0.0)), (infinity, infinity));
    assert_eq!((log_beta(infinity, 2.0), log_beta(infinity, infinity)), (-infinity, -infinity));
    assert!(log_beta(-1.0, 2.0).is_nan() && log_beta(0.0, infinity).is_nan());
    let values = [1e-310, 1e-20, 0.3, 1.0, 9.999, 10.0, 25.5, 1e8, 1e300];
    for x in values {
        for y in values {
            assert_eq!(log_beta(x, y).to_bits(), log_beta(y, x).to_bits(), "{x} {y}");
            assert!(log_beta(x, y).is_finite(), "{x} {y}");
        }
        assert!(log_beta(x, f64::NAN).is_nan());
    }
}

#[test]
fn nan_stays_nan() {
    let functions: [extern "C" fn(f64) -> f64; 30] = [
        exp, expm1, log, log1p, sin, cos, atan, tanh, round, inv_logit, log1p_exp, log_cosh, phi,
        lgamma, digamma, trigamma, inv_phi, erf, erfc, log1m_exp, log2, log10, cbrt, asin, acos,
        sinh, cosh, asinh, acosh, atanh,
    ];
    for (position, f) in functions.iter().enumerate() {
        assert!(f(f64::NAN).is_nan(), "function number {position}");
    }
}
