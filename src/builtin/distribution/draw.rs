//! Random numbers that several distributions are drawn from: gamma variables.
//!
//! Logarithms come from the `libm` crate, so that the same seed gives the same bits everywhere.

use crate::random::Stream;

/// A draw from the gamma distribution with this shape and rate 1 (Marsaglia and Tsang, *A simple
/// method for generating gamma variables*, 2000); NaN unless the shape is positive and finite.
///
/// Draws of small shapes may be too small for a number; see [`log_gamma`].
pub fn gamma(stream: &mut Stream, shape: f64) -> f64 {
    if shape >= 1.0 { gamma_above_one(stream, shape) } else { libm::exp(log_gamma(stream, shape)) }
}

/// The logarithm of what [`gamma`] draws, finite for any positive shape from 1e-300 on.
pub fn log_gamma(stream: &mut Stream, shape: f64) -> f64 {
    if shape >= 1.0 {
        return libm::log(gamma_above_one(stream, shape));
    }
    if shape.is_nan() || shape <= 0.0 {
        return f64::NAN;
    }
    // With G of shape a + 1, G U^(1/a) has shape a.
    libm::log(gamma_above_one(stream, shape + 1.0)) + libm::log(stream.uniform()) / shape
}

fn gamma_above_one(stream: &mut Stream, shape: f64) -> f64 {
    if shape.is_infinite() {
        return f64::NAN;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = stream.normal();
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        let u = stream.uniform();
        if libm::log(u) < 0.5 * x * x + d * (1.0 - v + libm::log(v)) {
            return d * v;
        }
    }
}

/// The position from one of a category with these probabilities; NaN where one is negative or
/// their sum is not one.
pub fn category(stream: &mut Stream, chances: &[f64]) -> f64 {
    let sum: f64 = chances.iter().sum();
    let is_simplex = (sum - 1.0).abs() <= 1e-8 && chances.iter().all(|chance| *chance >= 0.0);
    if !is_simplex {
        return f64::NAN;
    }
    let mut left = stream.uniform() * sum;
    for (k, chance) in chances.iter().enumerate() {
        if left < *chance {
            return (k + 1) as f64;
        }
        left -= chance;
    }
    // Rounding may leave nothing of the last.
    let last = chances.iter().rposition(|chance| *chance > 0.0).expect("the sum is one");
    (last + 1) as f64
}

/// Fills `out` with the shares of independent gamma variables of these shapes in their sum:
/// exact however small the shapes, since only their logarithms are drawn.
pub fn shares(stream: &mut Stream, shapes: &[f64], out: &mut [f64]) {
    for (share, &shape) in out.iter_mut().zip(shapes) {
        *share = log_gamma(stream, shape);
    }
    exponential_shares(out);
}

/// Replaces each number by the share of its exponential in their sum; NaN where one is NaN.
pub fn exponential_shares(logs: &mut [f64]) {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    logs.iter_mut().for_each(|x| *x = libm::exp(*x - largest));
    let sum: f64 = logs.iter().sum();
    logs.iter_mut().for_each(|x| *x /= sum);
}

/// `loc + factor · noise` with standard normal noise, of whose factor the lower triangle is
/// read, row by row; NaN where its diagonal holds a zero.
pub fn correlated_normals(stream: &mut Stream, loc: &[f64], factor: &[f64], out: &mut [f64]) {
    let n = out.len();
    let mut noise = vec![0.0; n];
    stream.normals(&mut noise);
    for (i, x) in out.iter_mut().enumerate() {
        let row = &factor[i * n..=i * n + i];
        let sum: f64 = row.iter().zip(&noise).map(|(entry, noise)| entry * noise).sum();
        *x = if row[i] == 0.0 { f64::NAN } else { loc[i] + sum };
    }
}

/// The lower factor of a matrix of `n` rows, of which the lower triangle is read; NaN from the
/// first row on that shows it not to be positive definite.
pub fn cholesky(matrix: &[f64], n: usize) -> Vec<f64> {
    let mut factor = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| factor[i * n + k] * factor[j * n + k]).sum();
            let rest = matrix[i * n + j] - sum;
            factor[i * n + j] = match rest {
                rest if i != j => rest / factor[j * n + j],
                rest if rest > 0.0 => rest.sqrt(),
                _ => f64::NAN,
            };
        }
    }
    factor
}
