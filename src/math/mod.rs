//! Scalar special functions: one copy for the interpreter, the samplers and machine code.
//!
//! Every function is total: any `f64`, infinite or NaN included, gives a value, and none
//! panics. They have the C calling convention so that machine code can call them by address.

mod beta;
mod bivariate;
mod elementary;
pub mod exponential;
mod gamma;
mod incomplete_gamma;
mod jet;
mod log_phi;
mod normal;
pub mod positive_gamma;
mod student;
mod tail;
#[cfg(test)]
mod tests;

pub use beta::log_beta;
pub use bivariate::partial;
pub use elementary::{
    acos, acosh, asin, asinh, atan2, atanh, cbrt, cosh, erf, erfc, hypot, log1m_exp, log2, log10,
    sinh,
};
pub use gamma::{digamma, lgamma, polygamma, trigamma};
pub use incomplete_gamma::log_incomplete_gamma;
pub use log_phi::log_phi_derivative;
pub use normal::inv_phi;

use std::f64::consts::FRAC_1_SQRT_2;

/// `eˣ`
pub extern "C" fn exp(x: f64) -> f64 {
    exponential::exp(x)
}

/// `eˣ - 1`, accurate near zero
pub extern "C" fn expm1(x: f64) -> f64 {
    exponential::expm1(x)
}

/// `ln x`; NaN below zero
pub extern "C" fn log(x: f64) -> f64 {
    exponential::log(x)
}

/// `ln(1 + x)`, accurate near zero; NaN below -1
pub extern "C" fn log1p(x: f64) -> f64 {
    exponential::log1p(x)
}

/// `sin x`
pub extern "C" fn sin(x: f64) -> f64 {
    x.sin()
}

/// `cos x`
pub extern "C" fn cos(x: f64) -> f64 {
    x.cos()
}

/// `atan x`
pub extern "C" fn atan(x: f64) -> f64 {
    x.atan()
}

/// `tanh x`
pub extern "C" fn tanh(x: f64) -> f64 {
    exponential::tanh(x)
}

/// `xʸ`
pub extern "C" fn pow(x: f64, y: f64) -> f64 {
    x.powf(y)
}

/// The remainder of `x / y` rounded towards zero, with the sign of `x`
pub extern "C" fn rem(x: f64, y: f64) -> f64 {
    x % y
}

/// The nearest whole number, halves away from zero
pub extern "C" fn round(x: f64) -> f64 {
    x.round()
}

/// `1 / (1 + e⁻ˣ)`, with full relative accuracy in both tails
pub extern "C" fn inv_logit(x: f64) -> f64 {
    exponential::inv_logit(x)
}

/// `ln(1 + eˣ)`, without overflow and with full relative accuracy in the lower tail
pub extern "C" fn log1p_exp(x: f64) -> f64 {
    exponential::log1p_exp(x)
}

/// `ln cosh x`, without overflow and with full relative accuracy near zero
pub extern "C" fn log_cosh(x: f64) -> f64 {
    exponential::log_cosh(x)
}

/// The standard normal distribution function, `erfc(-x/√2) / 2`
///
/// In the lower tail the relative error grows as `x²` times that of `x/√2`.
pub extern "C" fn phi(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}
