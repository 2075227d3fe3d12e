//! Kernels against the functions of one number, against sums in whole numbers, and the versions
//! for different machines against each other.

use multiversion::multiversion;

use super::elementary::{
    Elementary, apply, digamma, exp, expm1, inv_logit, lgamma, log, log_cosh, log1m_exp, log1p,
    log1p_exp, tanh, trigamma,
};
use super::gather::{Rows, gather, times_vector, weighted_sum};
use super::product::{Operand, multiply, product};
use crate::math;
use crate::random::{Purpose, Stream};

type Slice = fn(&mut [f64]);
type Scalar = extern "C" fn(f64) -> f64;

const PAIRS: [(&str, Slice, Scalar); 12] = [
    ("exp", exp, math::exp),
    ("expm1", expm1, math::expm1),
    ("log", log, math::log),
    ("log1p", log1p, math::log1p),
    ("inv_logit", inv_logit, math::inv_logit),
    ("log1p_exp", log1p_exp, math::log1p_exp),
    ("tanh", tanh, math::tanh),
    ("log_cosh", log_cosh, math::log_cosh),
    ("log1m_exp", log1m_exp, math::log1m_exp),
    ("lgamma", lgamma, math::lgamma),
    ("digamma", digamma, math::digamma),
    ("trigamma", trigamma, math::trigamma),
];

/// Numbers of every size and sign, with those that are no numbers.
fn varied(count: usize, seed: u64) -> Vec<f64> {
    let odd = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, -1.0, 709.7, -740.0];
    let mut stream = Stream::new(seed, Purpose::Simulate, 0, 0, 0);
    let mut number = |k: usize| match k % 13 {
        0 => odd[(k / 13) % odd.len()],
        1..6 => 40.0 * stream.uniform() - 20.0,
        6..9 => stream.uniform(),
        _ => (1400.0 * stream.uniform() - 700.0).exp(),
    };
    (0..count).map(&mut number).collect()
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }).collect()
}

#[test]
fn slices_are_what_single_numbers_are() {
    for (name, slice, scalar) in PAIRS {
        for length in (0..40).chain([1000]) {
            let values = varied(length, 7 + length as u64);
            let expected: Vec<f64> = values.iter().map(|x| scalar(*x)).collect();
            let mut actual = values.clone();
            slice(&mut actual);
            assert_eq!(bits(&actual), bits(&expected), "{name} of {length} elements");
        }
    }
}

/// Functions whose vector code is compiled for other machines than this one here.
struct Exp;
struct Lgamma;
struct Digamma;

impl Elementary for Exp {
    fn is_common(_: f64) -> bool {
        true
    }
    #[inline(always)]
    fn of_common(x: f64) -> f64 {
        math::exponential::exp(x)
    }
    fn of_any(x: f64) -> f64 {
        math::exp(x)
    }
}

macro_rules! gamma_functions {
    ($($Name:ident: $name:ident),*) => {
        $(impl Elementary for $Name {
            #[inline(always)]
            fn is_common(x: f64) -> bool {
                math::positive_gamma::is_common(x)
            }
            #[inline(always)]
            fn of_common(x: f64) -> f64 {
                math::positive_gamma::$name(x)
            }
            fn of_any(x: f64) -> f64 {
                math::$name(x)
            }
        })*
    };
}

gamma_functions!(Lgamma: lgamma, Digamma: digamma);

#[multiversion(targets("x86_64+avx2"))]
fn apply_to_narrow_vectors<F: Elementary>(values: &mut [f64]) {
    apply::<F>(values);
}

#[multiversion(targets("x86_64+avx2"))]
fn product_of_narrow_vectors(
    a: Operand,
    b: Operand,
    weights: Option<&[f64]>,
    sizes: (usize, usize, usize),
    c: &mut [f64],
) {
    multiply(a, b, weights, sizes, c);
}

#[test]
fn machines_agree_to_the_bit() {
    let values = varied(999, 3);
    let versions: [[Slice; 3]; 3] = [
        [exp, apply_to_narrow_vectors::<Exp>, apply::<Exp>],
        [lgamma, apply_to_narrow_vectors::<Lgamma>, apply::<Lgamma>],
        [digamma, apply_to_narrow_vectors::<Digamma>, apply::<Digamma>],
    ];
    for versions in versions {
        let results = versions.map(|version| {
            let mut values = values.clone();
            version(&mut values);
            bits(&values)
        });
        assert!(results.iter().all(|result| *result == results[0]));
    }

    let mut stream = Stream::new(5, Purpose::Simulate, 0, 0, 0);
    let mut random = |count: usize| -> Vec<f64> { (0..count).map(|_| stream.normal()).collect() };
    let (m, n, k) = (19, 21, 87);
    let (a, b, weights) = (random(m * k), random(k * n), random(k));
    let left = Operand { values: &a, strides: [1, m] };
    let right = Operand { values: &b, strides: [n, 1] };
    let transposed = Operand { values: &b, strides: [1, n] };
    for weights in [None, Some(&weights[..])] {
        for (left, m) in [(left, m), (transposed, n)] {
            let versions = [product, product_of_narrow_vectors, multiply];
            let results = versions.map(|version| {
                let mut c = vec![0.0; m * n];
                version(left, right, weights, (m, n, k), &mut c);
                bits(&c)
            });
            assert!(results.iter().all(|result| *result == results[0]));
        }
    }
}

#[test]
fn products_are_sums_of_products() {
    // Whole numbers add up without rounding, in whatever order.
    let whole = |count: usize, step: usize| -> Vec<f64> {
        (0..count).map(|i| ((i * step) % 17) as f64 - 8.0).collect()
    };
    for (m, n) in (0..15).flat_map(|m| (0..14).chain([17, 32]).map(move |n| (m, n))) {
        for k in [0, 1, 2, 3, 7, 30] {
            let (a, b) = (whole(2 * m * k + 1, 5), whole(k * (n + 2) + 1, 7));
            for a_strides in [[k, 1], [1, m], [2 * k, 2], [0, 1]] {
                for b_strides in [[n, 1], [n + 2, 1], [0, 1], [1, k]] {
                    let a = Operand { values: &a, strides: a_strides };
                    let b = Operand { values: &b, strides: b_strides };
                    assert_product(a, b, (m, n, k));
                }
            }
            for stride in [n, n + 2] {
                let a = Operand { values: &b, strides: [1, stride] };
                assert_product(a, Operand { values: &b, strides: [stride, 1] }, (n, n, k));
            }
        }
    }
}

/// Against the sums, with and without weights.
fn assert_product(a: Operand, b: Operand, (m, n, k): (usize, usize, usize)) {
    let at = |x: Operand, i: usize, j: usize| x.values[i * x.strides[0] + j * x.strides[1]];
    let weights: Vec<f64> = (0..k).map(|term| (term % 5) as f64 - 2.0).collect();
    for weights in [None, Some(&weights[..])] {
        let weight = |term: usize| weights.map_or(1.0, |weights| weights[term]);
        let sum = |i, j| -> f64 { (0..k).map(|t| at(a, i, t) * weight(t) * at(b, t, j)).sum() };
        let expected: Vec<f64> = (0..m * n).map(|place| sum(place / n, place % n)).collect();
        let mut c = vec![f64::NAN; m * n];
        product(a, b, weights, (m, n, k), &mut c);
        assert_eq!(c, expected, "{m} by {n}, {k} terms, {:?} {:?}", a.strides, b.strides);
    }
}

#[test]
fn rows_are_gathered_wherever_they_are() {
    let values: Vec<f64> = (0..200).map(f64::from).collect();
    // The last two are of no row, which counts as the last.
    let indices = [3.0, 0.0, 4.0, 4.0, 1.0, -1.0, 7.0];
    for width in 0..35 {
        for stride in [width, width + 3] {
            let rows = Rows { values: &values, n_rows: 5, stride, indices: &indices, shift: 0 };
            let mut target = vec![f64::NAN; indices.len() * width];
            gather(rows, width, &mut target);
            let starts = [3, 0, 4, 4, 1, 4, 4].map(|row| row * stride);
            let expected: Vec<f64> =
                starts.iter().flat_map(|start| values[*start..start + width].to_vec()).collect();
            assert_eq!(target, expected, "{width} of {stride}");
        }
    }
}

#[test]
fn gathered_rows_are_multiplied_wherever_they_are() {
    // Whole numbers, so that no order of sums matters.
    let values: Vec<f64> = (0..200).map(|k| f64::from(k % 17) - 8.0).collect();
    let indices = [5.0, 2.0, 6.0, 6.0, 3.0, 1.0, 9.0];
    let starts = [3, 0, 4, 4, 1, 4, 4];
    let weights = [2.0, -1.0, 3.0, 5.0, 0.0, -4.0, 1.0];
    for n in 0..=indices.len() {
        for width in 0..35 {
            for stride in [width, width + 3] {
                let indices = &indices[..n];
                let rows = Rows { values: &values, n_rows: 5, stride, indices, shift: -2 };
                let row = |k: usize| &values[starts[k] * stride..][..width];
                let vector: Vec<f64> = (0..width).map(|k| (k % 5) as f64 - 2.0).collect();
                let mut by_row = vec![f64::NAN; n];
                times_vector(rows, &vector, &mut by_row);
                let expected: Vec<f64> =
                    (0..n).map(|k| row(k).iter().zip(&vector).map(|(x, y)| x * y).sum()).collect();
                assert_eq!(by_row, expected, "{n} rows of {width}");
                let mut sums = vec![f64::NAN; width];
                weighted_sum(rows, &weights[..n], &mut sums);
                let sum = |j: usize| (0..n).map(|k| weights[k] * row(k)[j]).sum();
                let expected: Vec<f64> = (0..width).map(sum).collect();
                assert_eq!(sums, expected, "{n} rows of {width}");
            }
        }
    }
}
