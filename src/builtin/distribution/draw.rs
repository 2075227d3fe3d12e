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
