//! Inverse and hyperbolic functions, roots, and logarithms to other bases.

use super::exponential;

macro_rules! wrapped {
    ($($(#[$doc:meta])* $name:ident = $function:expr;)*) => {
        $($(#[$doc])* pub extern "C" fn $name(x: f64) -> f64 {
            $function(x)
        })*
    };
}

wrapped! {
    /// `asin x`; NaN outside [-1, 1]
    asin = libm::asin;
    /// `acos x`; NaN outside [-1, 1]
    acos = libm::acos;
    /// `sinh x`
    sinh = libm::sinh;
    /// `cosh x`
    cosh = libm::cosh;
    /// `asinh x`
    asinh = libm::asinh;
    /// `acosh x`; NaN below 1
    acosh = libm::acosh;
    /// `atanh x`; infinite at -1 and 1, NaN outside
    atanh = libm::atanh;
    /// The logarithm to base 2; NaN below zero
    log2 = libm::log2;
    /// The logarithm to base 10; NaN below zero
    log10 = libm::log10;
    /// The cube root
    cbrt = libm::cbrt;
    /// The error function
    erf = libm::erf;
    /// `1 - erf x`, with full relative accuracy for large `x`
    erfc = libm::erfc;
}

/// The angle of the point with ordinate `y` and abscissa `x`
pub extern "C" fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}

/// `√(x² + y²)`, without overflow on the way
pub extern "C" fn hypot(x: f64, y: f64) -> f64 {
    libm::hypot(x, y)
}

/// `ln(1 - eˣ)`, with full relative accuracy at both ends; minus infinity at zero, NaN above
pub extern "C" fn log1m_exp(x: f64) -> f64 {
    // Next to zero 1 - eˣ is -x.
    if exponential::is_below_zero(x) { exponential::log1m_exp(x) } else { exponential::log(-x) }
}
