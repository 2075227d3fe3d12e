//! What the samplers of continuous distributions share.

use super::draw::log_gamma;
use crate::random::Stream;

/// Whether `x` can be a scale, a shape or a rate.
pub fn is_positive(x: f64) -> bool {
    x > 0.0 && x.is_finite()
}

/// A standard exponential draw.
pub fn exponential_draw(stream: &mut Stream) -> f64 {
    -libm::log(stream.uniform())
}

/// A draw of the beta distribution, by two gamma draws in the logarithm.
pub fn beta_draw(stream: &mut Stream, a: f64, c: f64) -> f64 {
    let log_a = log_gamma(stream, a);
    let log_c = log_gamma(stream, c);
    1.0 / (1.0 + libm::exp(log_c - log_a))
}
