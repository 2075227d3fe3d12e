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
        // Relative near roots too.
        "lgamma" => (|x| lgamma(x), relative(5e-16)),
        "digamma" => (|x| digamma(x), relative(5e-16)),
        "trigamma" => (|x| trigamma(x), relative(5e-16)),
        // Roots between the poles, where only the absolute error can be small.
        "lgamma_below" => (|x| lgamma(x), Tolerance { relative: 1e-14, floor: 1.0 }),
        "digamma_below" => (|x| digamma(x), Tolerance { relative: 2e-14, floor: 1.0 }),
        "trigamma_below" => (|x| trigamma(x), relative(1e-13)),
        "polygamma2" => (|x| polygamma(2, x), relative(1e-13)),
        "polygamma3" => (|x| polygamma(3, x), relative(1e-13)),
        "polygamma4" => (|x| polygamma(4, x), relative(1e-13)),
        // Half a unit in the last place is 1.1e-16; the least numbers of all have fewer digits.
        "exp" => (|x| exp(x), Tolerance { relative: 2.5e-16, floor: 2.5e-308 }),
        "expm1" => (|x| expm1(x), relative(4e-16)),
        "log" => (|x| log(x), relative(2.5e-16)),
        "log1p" => (|x| log1p(x), relative(4e-16)),
        "log1p_exp" => (|x| log1p_exp(x), relative(1e-15)),
        "inv_logit" => (|x| inv_logit(x), relative(1e-15)),
        "log_cosh" => (|x| log_cosh(x), relative(1e-15)),
        "tanh" => (|x| tanh(x), relative(5e-16)),
        "log1m_exp" => (|x| log1m_exp(x), relative(6e-16)),
        "log_phi0" => (|x| log_phi_derivative(0, x), relative(3e-13)),
        "log_phi1" => (|x| log_phi_derivative(1, x), relative(3e-13)),
        "log_phi2" => (|x| log_phi_derivative(2, x), relative(3e-13)),
        // It has roots.
        "log_phi3" => (|x| log_phi_derivative(3, x), Tolerance { relative: 1e-13, floor: 1.0 }),
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
    assert_eq!(
        [exp(infinity), exp(-infinity), exp(709.8), exp(-746.0)],
        [infinity, 0.0, infinity, 0.0]
    );
    assert_eq!([expm1(infinity), expm1(-infinity), expm1(709.8)], [infinity, -1.0, infinity]);
    assert_eq!([log(infinity), log(0.0), log(-0.0)], [infinity, -infinity, -infinity]);
    assert_eq!([log1p(infinity), log1p(-1.0)], [infinity, -infinity]);
    assert!(log(-1e-300).is_nan() && log1p(-1.0 - 1e-15).is_nan() && log(-infinity).is_nan());
    assert!([expm1(-0.0), log1p(-0.0)].iter().all(|zero| *zero == 0.0 && zero.is_sign_negative()));
    assert_eq!([exp(0.0), exp(-1e-300), log(1.0)], [1.0, 1.0, 0.0]);
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

#[test]
fn derivatives_of_the_logarithm_of_phi_have_their_limits() {
    let far = [-1e300_f64, -1e20, f64::NEG_INFINITY];
    assert!(far.iter().all(|x| log_phi_derivative(1, *x) == -x));
    assert!(far.iter().all(|x| log_phi_derivative(2, *x) == -1.0));
    assert!(far.iter().all(|x| log_phi_derivative(3, *x).abs() < 1e-18));
    assert_eq!(log_phi_derivative(0, f64::NEG_INFINITY), f64::NEG_INFINITY);
    for x in [60.0, 1e300, f64::INFINITY] {
        assert!((0..5).all(|n| log_phi_derivative(n, x) == 0.0));
    }
    assert!((0..5).all(|n| log_phi_derivative(n, f64::NAN).is_nan()));
    assert!(log_phi_derivative(13, 0.0).is_nan() && log_phi_derivative(-1, 0.0).is_nan());
}

/// Derivatives of the second and third order against differences of those one order below,
/// which the tables of distribution functions hold to high precision.
#[test]
fn partial_derivatives_follow_from_lower_ones() {
    let points =
        [(0.3_f64, 0.2_f64), (0.8, 2.5), (3.0, 2.9), (3.0, 3.2), (40.0, 25.0), (40.0, 55.0)];
    for function in 0..3 {
        for (x, y) in points.into_iter().chain([(4.0, -6.0), (90.0, -1.0)]) {
            if y < 0.0 && function < 2 {
                continue;
            }
            for (i, j) in [(1, 0), (0, 1), (2, 0), (1, 1), (0, 2)] {
                let f = |x: f64, y: f64| partial(function, i, j, x, y);
                let (h, k) = (1e-4 * x, 1e-4 * y.abs());
                let in_x = (8.0 * (f(x + h, y) - f(x - h, y)) - f(x + 2.0 * h, y)
                    + f(x - 2.0 * h, y))
                    / (12.0 * h);
                let in_y = (8.0 * (f(x, y + k) - f(x, y - k)) - f(x, y + 2.0 * k)
                    + f(x, y - 2.0 * k))
                    / (12.0 * k);
                let near = |a: f64, b: f64, step: f64| {
                    (a - b).abs() <= 1e-8 * b.abs() + 1e-12 * (1.0 + f(x, y).abs()) / step
                };
                let at = format!("{function} ({i},{j}) at {x}, {y}");
                let actual = partial(function, i + 1, j, x, y);
                assert!(near(actual, in_x, h), "{at}: {actual} {in_x}");
                let actual = partial(function, i, j + 1, x, y);
                assert!(near(actual, in_y, k), "{at}: {actual} {in_y}");
            }
        }
    }
}

/// Outside their domains functions of two arguments are NaN, and at its ends they are limits.
#[test]
fn functions_of_two_arguments_are_total() {
    let awkward =
        [f64::NEG_INFINITY, -2.0, 0.0, 1e-300, 0.4, 7.0, 1e9, 1e300, f64::INFINITY, f64::NAN];
    for function in -1..4 {
        for (x, y) in awkward.into_iter().flat_map(|x| awkward.map(|y| (x, y))) {
            for (i, j) in [(0, 0), (1, 0), (0, 1), (1, 1), (3, 3), (-1, 0)] {
                let value = partial(function, i, j, x, y);
                assert!(value.is_nan() || i + j > 0 || value <= 0.0, "{function} {x} {y}: {value}");
            }
        }
    }
    assert_eq!(partial(0, 0, 0, 2.0, 0.0), f64::NEG_INFINITY);
    assert_eq!((partial(1, 0, 0, 2.0, 0.0), partial(0, 0, 0, 2.0, 1e300)), (0.0, 0.0));
    assert_eq!(partial(2, 0, 0, 3.0, f64::INFINITY), 0.0);
    assert!((partial(2, 0, 0, 3.0, 0.0) + std::f64::consts::LN_2).abs() < 1e-15);
}
