//! What samplers share: draws of the gamma distribution and of what is made of it.

use crate::random::Stream;

/// Whether `x` can be a scale, a shape or a rate.
pub fn is_positive(x: f64) -> bool {
    x > 0.0 && x.is_finite()
}

/// `ln G` with `G` of the gamma distribution with this shape and rate 1, for tiny shapes too,
/// whose draws are below the smallest number; NaN where the shape is not positive and finite.
///
/// Marsaglia and Tsang, *A simple method for generating gamma variables* (2000), with their
/// boost `G(shape) = G(shape + 1) U^(1/shape)` below one.
pub fn log_gamma_draw(stream: &mut Stream, shape: f64) -> f64 {
    if !is_positive(shape) {
        return f64::NAN;
    }
    if shape < 1.0 {
        let boost = libm::log(stream.uniform()) / shape;
        return log_gamma_draw(stream, shape + 1.0) + boost;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = stream.normal();
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let log_v = 3.0 * libm::log1p(c * x);
        let v = root * root * root;
        if libm::log(stream.uniform()) < 0.5 * x * x + d - d * v + d * log_v {
            return libm::log(d) + log_v;
        }
    }
}

/// A standard exponential draw.
pub fn exponential_draw(stream: &mut Stream) -> f64 {
    -libm::log(stream.uniform())
}

/// A draw of the beta distribution, by two gamma draws in the logarithm.
pub fn beta_draw(stream: &mut Stream, a: f64, c: f64) -> f64 {
    let log_a = log_gamma_draw(stream, a);
    let log_c = log_gamma_draw(stream, c);
    1.0 / (1.0 + libm::exp(log_c - log_a))
}
