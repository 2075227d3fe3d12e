//! What bends and stretches q(zᵢ|θ): the map against central differences, third derivatives against
//! a cubic, and both together against the density that they are for.

use crate::infer::higher::Higher;
use crate::infer::linalg::dot;
use crate::infer::network::{Activation, Network};
use crate::infer::site::Quadrature;
use crate::infer::stretch::{Stretch, StretchAdjoint};

/// A symmetric tensor of three indices, of `size` about.
fn cubic(n: usize, size: f64) -> Vec<f64> {
    let element = |mut index: [usize; 3]| {
        index.sort_unstable();
        size * (1.7 + 2.3 * index[0] as f64 + 0.9 * index[1] as f64 + 1.3 * index[2] as f64).sin()
    };
    let (square, count) = (n * n, n * n * n);
    (0..count).map(|k| element([k / square, k / n % n, k % n])).collect()
}

/// Outputs of a network for n locals: zero, or what random weights make of the inputs.
fn activation(n: usize, spread: f64) -> Activation {
    let mut network = Network::new(1, n, true, &[vec![0.0], vec![2.0]], 1);
    network.weights.iter_mut().enumerate().for_each(|(k, w)| *w += spread * (k as f64).sin());
    let mut out = Activation::default();
    network.forward(&[0.7], true, &mut out);
    out
}

fn map(n: usize, third: &[f64], spread: f64) -> Stretch {
    let mut stretch = Stretch::default();
    stretch.set(&activation(n, spread), third);
    stretch
}

fn slope(f: impl Fn(f64) -> f64) -> f64 {
    let h = 1e-3;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

#[test]
fn derivatives_of_the_map_are_central_differences() {
    for n in 1..=4 {
        let mut third = cubic(n, 0.4);
        if n == 1 {
            // The fourth derivative of a single local.
            third.push(0.3);
        }
        let stretch = map(n, &third, 0.5);
        let noise: Vec<f64> = (0..n).map(|j| 1.1 - 0.8 * j as f64).collect();
        let weights: Vec<f64> = (0..n).map(|j| 0.4 + (2.0 * j as f64).cos()).collect();
        // f(v) + log |∂v/∂ε| with f linear.
        let scalar = |stretch: &Stretch, noise: &[f64]| {
            let mut v = vec![0.0; n];
            let log_slope = stretch.position(noise, &mut v);
            dot(&weights, &v) + log_slope
        };
        let mut work = StretchAdjoint::default();
        let (mut v, mut pulled) = (vec![0.0; n], vec![0.0; n]);
        work.begin(third.len());
        stretch.visit(&noise, &mut work, &mut v);
        stretch.pull(&noise, &weights, &work, &mut pulled);
        for (j, pulled) in pulled.iter().enumerate() {
            let there = |h: f64| {
                let mut moved = noise.clone();
                moved[j] += h;
                scalar(&stretch, &moved)
            };
            assert!((slope(there) - pulled).abs() < 1e-8, "{n}, ε_{j}");
        }
        stretch.add_higher(&noise, &weights, 1.0, &mut work);
        for (k, adjoint) in work.higher.iter().enumerate() {
            let there = |h: f64| {
                let mut moved = third.clone();
                moved[k] += h;
                scalar(&map(n, &moved, 0.5), &noise)
            };
            assert!((slope(there) - adjoint).abs() < 1e-8, "{n}, a_{k}");
        }
        // log q as a function of v, whose gradient the landing is: dε = V⁻¹ dv.
        let mut landing = vec![0.0; n];
        stretch.landing(&noise, &work, &mut landing);
        for j in 0..n {
            let along = |h: f64| {
                let mut moved = noise.clone();
                moved[j] += h;
                let mut v = vec![0.0; n];
                let log_slope = stretch.position(&moved, &mut v);
                (v, -0.5 * dot(&moved, &moved) - log_slope)
            };
            let of_v = slope(|h| dot(&landing, &along(h).0));
            assert!((slope(|h| along(h).1) + of_v).abs() < 1e-8, "{n}, landing {j}");
        }
    }
}

/// E over a standard normal in n dimensions, by the trapezoidal rule.
fn expectation(n: usize, f: impl Fn(&[f64]) -> f64) -> f64 {
    let (h, half) = (0.3, 25);
    let side = 2 * half + 1;
    let mut sum = 0.0;
    for index in 0..usize::pow(side, n as u32) {
        let at = |j: u32| (index / side.pow(j) % side) as f64 - half as f64;
        let x: Vec<f64> = (0..n as u32).map(|j| h * at(j)).collect();
        let log_weight = -0.5 * dot(&x, &x) + n as f64 * (h / std::f64::consts::TAU.sqrt()).ln();
        sum += log_weight.exp() * f(&x);
    }
    sum
}

#[test]
fn a_cubic_log_density_is_met_to_the_second_order() {
    for n in 1..=3 {
        let third = cubic(n, 0.06);
        let log_density = |v: &[f64]| {
            let (mut cube, mut line) = (0.0, 0.0);
            for (k, a) in third.iter().enumerate() {
                let [i, j, l] = [k / (n * n), k / n % n, k % n];
                cube += a * v[i] * v[j] * v[l] / 6.0;
                line += if j == l { 0.5 * a * v[i] } else { 0.0 };
            }
            // Where the cubic would win over the square, far out, it is cut off.
            -0.5 * dot(v, v) - (cube - line).clamp(-2.0, 2.0)
        };
        let evidence = expectation(n, |v| (log_density(v) + 0.5 * dot(v, v)).exp()).ln();
        let gap = |third: &[f64]| {
            let stretch = map(n, third, 0.0);
            let elbo = expectation(n, |noise| {
                let mut v = vec![0.0; n];
                let log_slope = stretch.position(noise, &mut v);
                log_density(&v) + 0.5 * dot(noise, noise) + log_slope
            });
            evidence - elbo
        };
        let (gaussian, bent) = (gap(&vec![0.0; third.len()]), gap(&third));
        eprintln!("{n}: {gaussian} {bent}");
        assert!(bent > -1e-9, "{n}: {bent}");
        assert!(bent < 0.15 * gaussian, "{n}: {bent} of {gaussian}");
    }
}

#[test]
fn third_derivatives_of_a_cubic_are_exact_in_the_whitened_coordinates() {
    for n in 2..=4 {
        let third = cubic(n, 0.2);
        let quadrature = Quadrature::cubature(n);
        // Site and guide are scaled alike but for a factor.
        let factor: Vec<f64> =
            (0..n * n).map(|k| if k / n == k % n { 1.5 + (k / n) as f64 } else { 0.0 }).collect();
        let scaled: Vec<f64> = factor.iter().map(|x| 1.3 * x).collect();
        let mut higher = Higher::default();
        higher.begin(n, quadrature.weights.len(), None);
        for (node, weight) in quadrature.nodes.chunks_exact(n).zip(&quadrature.weights) {
            // z = R*⁻ᵀ ξ, and curvature I + Σ_j a_j z_j.
            let z: Vec<f64> = (0..n).map(|j| node[j] / factor[j * n + j]).collect();
            let mut curvature = crate::infer::linalg::identity(n);
            for (j, matrix) in third.chunks_exact(n * n).enumerate() {
                crate::infer::linalg::axpy(z[j], matrix, &mut curvature);
            }
            higher.add(node, *weight, &curvature);
        }
        higher.evaluate(&scaled, &factor);
        for (k, value) in higher.values.iter().enumerate() {
            let index = [k / (n * n), k / n % n, k % n];
            let units: f64 = index.iter().map(|&j| scaled[j * n + j]).product();
            assert!((value - third[k] / units).abs() < 1e-13, "{n}, {index:?}");
        }
    }
}
