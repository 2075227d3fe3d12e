//! q(θ) as a density and a map: each of its parts against differences of another.

use crate::infer::global::GlobalGuide;
use crate::infer::triangular::Triangular;
use crate::random::{Purpose, Stream};

const N: usize = 5;
const STEP: f64 = 1e-5;

/// Guides of every pattern, in an order of their own, Gaussian and shaped, away from the start.
fn guides() -> Vec<GlobalGuide> {
    let mut guides = vec![];
    for core in [0, 2, N] {
        for shaped in [false, true] {
            let mut stream = Stream::new(7, Purpose::Initial, core, usize::from(shaped), 0);
            let mut scale = Triangular::diagonal(&[0.5, 2.0, 1.0, 0.1, 30.0], core);
            (0..N).for_each(|i| scale.left_mut(i).iter_mut().for_each(|x| *x = stream.normal()));
            let guide = GlobalGuide::new(vec![3.0; N], vec![2, 0, 4, 1, 3], scale);
            let mut guide = if shaped { guide.shaped() } else { guide };
            let mut delta = vec![0.0; guide.n_parameters()];
            stream.normals(&mut delta);
            delta.iter_mut().for_each(|x| *x *= 0.3);
            guide.advance(&delta);
            guides.push(guide);
        }
    }
    guides
}

fn noise() -> Vec<f64> {
    vec![0.7, -1.9, 0.2, 1.1, -0.4]
}

fn moved(x: &[f64], k: usize, h: f64) -> Vec<f64> {
    let mut x = x.to_vec();
    x[k] += h;
    x
}

fn assert_near(ours: f64, theirs: f64, what: &str) {
    assert!((ours - theirs).abs() < 1e-6 * (1.0 + theirs.abs()), "{what}: {ours} {theirs}");
}

#[test]
fn noise_of_inverts_theta() {
    for guide in guides() {
        let back = guide.noise_of(&guide.theta(&noise()));
        back.iter().zip(noise()).for_each(|(a, b)| assert_near(*a, b, "noise"));
    }
}

#[test]
fn the_log_density_is_that_of_the_map() {
    for guide in guides() {
        let mut jacobian = vec![0.0; N * N];
        for k in 0..N {
            let above = guide.theta(&moved(&noise(), k, STEP));
            let below = guide.theta(&moved(&noise(), k, -STEP));
            for i in 0..N {
                jacobian[i * N + k] = (above[i] - below[i]) / (2.0 * STEP);
            }
        }
        let squares: f64 = noise().iter().map(|x| x * x).sum();
        let standard = -0.5 * squares - 0.5 * N as f64 * std::f64::consts::TAU.ln();
        let expected = standard - log_determinant(jacobian);
        assert_near(guide.log_density(&noise()), expected, "log density");
    }
}

/// log |det| by elimination with row exchanges.
fn log_determinant(mut a: Vec<f64>) -> f64 {
    let mut sum = 0.0;
    for k in 0..N {
        let size = |&i: &usize| (a[i * N + k].abs() * 1e12) as u64;
        let pivot = (k..N).max_by_key(size).expect("rows are left");
        (0..N).for_each(|j| a.swap(k * N + j, pivot * N + j));
        sum += a[k * N + k].abs().ln();
        for i in k + 1..N {
            let ratio = a[i * N + k] / a[k * N + k];
            (k..N).for_each(|j| a[i * N + j] -= ratio * a[k * N + j]);
        }
    }
    sum
}

/// Sticking the landing: the total derivative of gᵀθ − log q(θ), the parameters of log q held.
#[test]
fn the_gradient_is_that_of_the_map_times_the_derivative_in_theta() {
    for guide in guides() {
        let theta = guide.theta(&noise());
        let slope_of = |theta: &[f64]| guide.log_density(&guide.noise_of(theta));
        let weights = [0.3, -1.0, 0.8, 2.0, 0.1];
        let total: Vec<f64> = (0..N)
            .map(|j| {
                let above = slope_of(&moved(&theta, j, STEP));
                let below = slope_of(&moved(&theta, j, -STEP));
                weights[j] - (above - below) / (2.0 * STEP)
            })
            .collect();
        let mut gradient = vec![0.0; guide.n_parameters()];
        guide.add_gradient(&noise(), &weights, &[0.0; N], 1.0, &mut gradient);
        for k in 0..guide.n_parameters() {
            let at = |h: f64| {
                let mut delta = vec![0.0; guide.n_parameters()];
                delta[k] = h;
                let mut guide = guide.clone();
                guide.advance(&delta);
                let theta = guide.theta(&noise());
                theta.iter().zip(&total).map(|(a, b)| a * b).sum::<f64>()
            };
            let difference = (at(STEP) - at(-STEP)) / (2.0 * STEP);
            let bound = 1e-4 * (1.0 + difference.abs());
            assert!((gradient[k] - difference).abs() < bound, "{k}: {} {difference}", gradient[k]);
        }
    }
}
