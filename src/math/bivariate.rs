//! Functions of two arguments that come with their partial derivatives of any low order.

use super::incomplete_gamma::log_incomplete_gamma;
use super::student::log_student_t;

/// `∂ⁱ⁺ʲ f / ∂xⁱ ∂yʲ`, by the number of the function (as machine code passes it): 0 is
/// `ln P(x, y)` and 1 `ln Q(x, y)`, the regularised incomplete gamma functions; 2 is Student's
/// `ln P(T <= y)` with `x` degrees of freedom. NaN outside the domain, beyond total order 5,
/// and of no known function.
pub extern "C" fn partial(function: i32, i: i32, j: i32, x: f64, y: f64) -> f64 {
    let (Ok(i), Ok(j)) = (usize::try_from(i), usize::try_from(j)) else { return f64::NAN };
    match function {
        0 => log_incomplete_gamma(false, i, j, x, y),
        1 => log_incomplete_gamma(true, i, j, x, y),
        2 => log_student_t(i, j, x, y),
        _ => f64::NAN,
    }
}
