//! What to write for functions and distributions of Stan, of today and of old, that the
//! language does not have.

use crate::builtin;

/// Distributions of Stan that this version lacks.
const DISTRIBUTIONS: [&str; 29] = [
    "frechet",
    "rayleigh",
    "loglogistic",
    "exp_mod_normal",
    "skew_double_exponential",
    "pareto_type_2",
    "wiener",
    "von_mises",
    "beta_neg_binomial",
    "beta_proportion",
    "discrete_range",
    "multinomial",
    "multinomial_logit",
    "dirichlet_multinomial",
    "hypergeometric",
    "ordered_probit",
    "multi_student_t",
    "multi_student_t_cholesky",
    "multi_normal_prec",
    "multi_gp",
    "gaussian_dlm_obs",
    "lkj_corr",
    "lkj_cov",
    "wishart",
    "wishart_cholesky",
    "inv_wishart",
    "inv_wishart_cholesky",
    "poisson_binomial",
    "conditional_logit",
];

/// Ends of names of functions of distributions.
const ENDS: [&str; 14] = [
    "_lpdf",
    "_lpmf",
    "_lupdf",
    "_lupmf",
    "_lcdf",
    "_lccdf",
    "_cdf_log",
    "_ccdf_log",
    "_cdf",
    "_ccdf",
    "_log",
    "_lp",
    "_rng",
    "_propto_log",
];

const LINEAR_MODEL: &str = "write the linear predictor and its distribution: `y ~ normal(alpha + x \
                            * beta, sigma);`, with `bernoulli_logit`, `poisson_log` or \
                            `neg_binomial_2_log` for counts";
const ONE_MODEL: &str = "call the function itself: branches run side by side without being asked";
const SPARSE: &str = "sparse matrices are not there: pick elements by subscripts, `b[group]`, or \
                      multiply by the whole matrix";
const SOLVER: &str = "equations are not solved here: write the solution in closed form, or step \
                      through it in a loop";
const COMPLEX: &str = "complex numbers are not there: write the real and the imaginary part";
const SORTED: &str = "sorting is not there: it has no smooth gradient; sort data beforehand, or \
                      declare an unknown `ordered[K]`";
const EIGEN: &str = "this decomposition is not there: compute it of data beforehand; of a \
                     covariance there is `cholesky_decompose(x)`";
const KERNEL: &str = "write the covariance in two loops, `for (i in 1:N) for (j in 1:N) K[i, j] = \
                      …;`";
const TRANSFORM: &str = "declare the unknown with its constraint, as in `real<lower=0> x;`: the \
                         transform and its Jacobian are added";

/// What to write for a distribution of Stan that this version lacks.
pub(super) fn instead_of_distribution(name: &str) -> Option<&'static str> {
    if name.ends_with("_glm") {
        return Some(LINEAR_MODEL);
    }
    let known = DISTRIBUTIONS.iter().find(|known| **known == name)?;
    Some(match *known {
        "lkj_corr" => "`lkj_corr_cholesky(eta)` says the same of a `cholesky_factor_corr`",
        "lkj_cov" | "wishart" | "inv_wishart" | "wishart_cholesky" | "inv_wishart_cholesky" => {
            "give scales and correlations priors of their own: `diag_pre_multiply(tau, L)` with \
             `cholesky_factor_corr[K] L ~ lkj_corr_cholesky(2);`"
        }
        "multi_normal_prec" => "`multi_normal(mu, inverse(precision))` says the same",
        "rayleigh" => "`weibull(2, sqrt(2) * sigma)` says the same",
        "pareto_type_2" => "`y + lambda - mu ~ pareto(lambda, alpha);` says the same of data",
        "discrete_range" => "of data it is a constant: leave it out",
        _ => {
            "define its log density in `functions`: `real own_lpdf(real y, …) { … }`, and write \
             `y ~ own(…)`"
        }
    })
}

/// The same for a function of such a distribution: `lkj_corr_lpdf`.
pub(super) fn instead_of_density(name: &str) -> Option<&'static str> {
    let stem = ENDS.iter().find_map(|end| name.strip_suffix(end));
    instead_of_distribution(stem.unwrap_or(name))
}

/// What to write for a function of Stan that is not there.
pub(super) fn instead_of_function(name: &str) -> Option<String> {
    old_cumulative(name).or_else(|| instead(name).map(str::to_string))
}

/// `normal_cdf_log` and `normal_ccdf_log`, as they were called once.
fn old_cumulative(name: &str) -> Option<String> {
    let (stem, now) = match name.strip_suffix("_ccdf_log") {
        Some(stem) => (stem, "lccdf"),
        None => (name.strip_suffix("_cdf_log")?, "lcdf"),
    };
    let distribution = builtin::distribution(stem)?;
    Some(match distribution.cdfs {
        Some(_) => format!("write `{stem}_{now}(y | …)`"),
        None => format!("`{stem}` has no cumulative probability here"),
    })
}

fn instead(name: &str) -> Option<&'static str> {
    Some(match name {
        "increment_log_prob" => "add to the log density: `target += …;`",
        "get_lp" | "target" => "the log density is not read: it is only added to, `target += …;`",
        "print" | "reject" | "fatal_error" => "remove it: a model neither writes nor refuses",
        "if_else" | "int_if_else" => "write `c ? a : b`",
        "elt_multiply" => "write `a .* b`",
        "elt_divide" => "write `a ./ b`",
        "add" => "write `a + b`",
        "subtract" => "write `a - b`",
        "minus" => "write `-a`",
        "multiply" => "write `a * b`",
        "divide" => "write `a / b`",
        "modulus" => "write `a % b`",
        "transpose" => "write `a'`",
        "mdivide_left" | "mdivide_left_spd" => "write `inverse(a) * b`",
        "mdivide_right" | "mdivide_right_spd" => "write `b * inverse(a)`",
        "inverse_spd" => "write `inverse(a)`",
        "determinant" => "write `exp(log_determinant(a))`, or stay with the logarithm",
        "log_determinant_spd" => "write `log_determinant(a)`",
        "logical_eq" => "write `a == b`",
        "logical_neq" => "write `a != b`",
        "logical_lt" => "write `a < b`",
        "logical_lte" => "write `a <= b`",
        "logical_gt" => "write `a > b`",
        "logical_gte" => "write `a >= b`",
        "logical_negation" => "write `!a`",
        "binary_log_loss" => "write `-bernoulli_lpmf(y | p)`",
        "binomial_coefficient_log" | "choose" => "write `lchoose(n, k)`, the logarithm",
        "tgamma" => "write `exp(lgamma(x))`, or stay with the logarithm",
        "lmgamma" => {
            "write `n * (n - 1) / 4.0 * log(3.141592653589793)` and the sum of \
             `lgamma(x - (j - 1) / 2.0)` for j from 1 to n"
        }
        "log_falling_factorial" => "write `lgamma(x + 1) - lgamma(x - n + 1)`",
        "log_rising_factorial" => "write `lgamma(x + n) - lgamma(x)`",
        "falling_factorial" => "write `exp(lgamma(x + 1) - lgamma(x - n + 1))`",
        "rising_factorial" => "write `exp(lgamma(x + n) - lgamma(x))`",
        "inv_erfc" => "write `-inv_Phi(x / 2) / sqrt(2)`",
        "std_normal_qf" => "write `inv_Phi(p)`",
        "std_normal_log_qf" => "write `inv_Phi(exp(x))`",
        "dims" => "write `rows(x)`, `cols(x)` or `size(x)`, a number each",
        "length" | "len" | "count" => "write `size(x)`, or `num_elements(x)` of a matrix",
        "nrow" => "write `rows(x)`",
        "ncol" => "write `cols(x)`",
        "to_int" => {
            "real numbers do not become whole here: declare the datum `int`, or use a condition, \
             `x > 0.5 ? 1 : 0`"
        }
        "to_array_2d" => "declare `array[R, C] real a;` and fill it in two loops",
        "block" | "sub_row" | "sub_col" => "write a slice: `m[i:j, k:l]`",
        "csr_matrix_times_vector"
        | "csr_extract_w"
        | "csr_extract_v"
        | "csr_extract_u"
        | "csr_extract"
        | "csr_to_dense_matrix" => SPARSE,
        "map_rect" | "reduce_sum" | "reduce_sum_static" => ONE_MODEL,
        "sort_asc" | "sort_desc" | "sort_indices_asc" | "sort_indices_desc" | "sort" | "rank"
        | "quantile" | "median" => SORTED,
        "algebra_solver"
        | "algebra_solver_newton"
        | "solve_newton"
        | "solve_powell"
        | "dae"
        | "integrate_1d"
        | "integrate_ode"
        | "integrate_ode_rk45"
        | "integrate_ode_bdf"
        | "integrate_ode_adams"
        | "ode_rk45"
        | "ode_bdf"
        | "ode_adams"
        | "ode_ckrk"
        | "ode_adjoint_tol_ctl" => SOLVER,
        "eigenvalues"
        | "eigenvectors"
        | "eigendecompose"
        | "eigenvalues_sym"
        | "eigenvectors_sym"
        | "eigendecompose_sym"
        | "qr_Q"
        | "qr_R"
        | "qr"
        | "qr_thin_Q"
        | "qr_thin_R"
        | "qr_thin"
        | "svd"
        | "svd_U"
        | "svd_V"
        | "singular_values"
        | "generalized_inverse" => EIGEN,
        "matrix_exp" | "matrix_power" | "scale_matrix_exp_multiply" | "chol2inv" => {
            "this function of a matrix is not there: write it by products and `inverse(a)`"
        }
        "trace_quad_form" => "write `trace(quad_form(a, b))`",
        "trace_gen_quad_form" => "write `trace(d * quad_form(a, b))`",
        "quad_form_sym" => "write `quad_form(a, b)`",
        "columns_dot_self" => "write `columns_dot_product(x, x)`",
        "rows_dot_self" => "write `rows_dot_product(x, x)`",
        "cov_exp_quad" | "gp_exp_quad_cov" | "gp_dot_prod_cov" | "gp_exponential_cov"
        | "gp_matern32_cov" | "gp_matern52_cov" | "gp_periodic_cov" => KERNEL,
        "positive_infinity" => "leave out the bound, or write a large number",
        "negative_infinity" => "leave out the bound, or write a large negative number",
        "not_a_number" => "there is no number for what is missing: declare the datum `missing`",
        "pi" => "write `3.141592653589793`",
        "e" => "write `exp(1)`",
        "sqrt2" => "write `sqrt(2)`",
        "machine_precision" => "write `2.220446049250313e-16`",
        "one_hot_vector" | "one_hot_row_vector" => {
            "declare a vector of zeros and assign one element: `v[k] = 1;`"
        }
        "uniform_simplex" => "write `rep_vector(1.0 / k, k)`",
        "ones_row_vector" => "write `rep_row_vector(1, n)`",
        "zeros_row_vector" => "write `rep_row_vector(0, n)`",
        "ones_array" => "write `rep_array(1.0, n)`",
        "zeros_array" => "write `rep_array(0.0, n)`",
        "ones_int_array" => "write `rep_array(1, n)`",
        "zeros_int_array" => "write `rep_array(0, n)`",
        "linspaced_row_vector" => "write `linspaced_vector(n, a, b)'`",
        "linspaced_array" | "linspaced_int_array" => "write `linspaced_vector(n, a, b)`",
        "symmetrize_from_lower_tri" | "add_diagonal" => "fill the matrix in two loops",
        "norm" => "write `norm2(x)`",
        "var" => "write `variance(x)`",
        "softmin" => "write `softmax(-x)`",
        "log_inv_logit_diff" => "write `log_diff_exp(log_inv_logit(x), log_inv_logit(y))`",
        "log_Phi" => "write `std_normal_lcdf(x)`",
        "lambert_w0"
        | "lambert_wm1"
        | "owens_t"
        | "bessel_first_kind"
        | "bessel_second_kind"
        | "modified_bessel_first_kind"
        | "modified_bessel_second_kind"
        | "log_modified_bessel_first_kind"
        | "gamma_p"
        | "gamma_q"
        | "inc_beta"
        | "inv_inc_beta"
        | "hypergeometric_1F0"
        | "hypergeometric_2F1"
        | "hypergeometric_3F2"
        | "hypergeometric_pFq" => {
            "this special function is not there: write the cumulative probability of a \
             distribution, as in `gamma_lcdf(y | a, b)`, where one is meant"
        }
        "complex" | "to_complex" | "get_real" | "get_imag" | "conj" | "arg" | "polar" | "proj"
        | "fft" | "fft2" | "inv_fft" | "inv_fft2" => COMPLEX,
        "hmm_marginal" | "hmm_latent_rng" | "hmm_hidden_state_prob" => {
            "write the forward algorithm in a loop with `log_sum_exp`, over the rows of a branch"
        }
        "lower_bound_jacobian"
        | "upper_bound_jacobian"
        | "simplex_jacobian"
        | "ordered_jacobian"
        | "positive_ordered_jacobian"
        | "cholesky_corr_jacobian" => TRANSFORM,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_offered_otherwise() {
        for function in builtin::function::all() {
            assert_eq!(instead(function.name), None, "{}", function.name);
        }
        for distribution in builtin::distribution::ALL {
            assert_eq!(instead_of_distribution(distribution.name), None, "{}", distribution.name);
        }
    }
}
