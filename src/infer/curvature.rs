//! Inverse curvatures of the start search.

use super::linalg::{
    axpy, cholesky, dot, identity, solve_lower, solve_lower_transposed, symmetric_eigen,
};

/// Globals up to which the Hessian's eigenvalues are looked at one by one.
pub const DENSE_EIGEN: usize = 150;

/// The inverse Hessian of L-BFGS times a gradient (Nocedal, 1980); starts from the identity, or
/// the last pair's curvature.
pub fn two_loops(memory: &[(Vec<f64>, Vec<f64>)], gradient: &[f64]) -> Vec<f64> {
    let mut q = gradient.to_vec();
    let mut alphas = vec![];
    for (s, y) in memory.iter().rev() {
        let alpha = dot(s, &q) / dot(s, y);
        axpy(-alpha, y, &mut q);
        alphas.push(alpha);
    }
    if let Some((s, y)) = memory.last() {
        let gamma = dot(s, y) / dot(y, y);
        q.iter_mut().for_each(|x| *x *= gamma);
    }
    for ((s, y), alpha) in memory.iter().zip(alphas.into_iter().rev()) {
        let beta = dot(y, &q) / dot(s, y);
        axpy(alpha - beta, s, &mut q);
    }
    q
}

/// The inverse with eigenvalues of no or negative curvature taken as one, and hardly positive
/// ones bounded: no standard deviation grows more than tenfold over the old scale.
pub fn inverse_of_definite_part(hessian: &[f64], n: usize) -> (Vec<f64>, bool) {
    if n > DENSE_EIGEN {
        return inverse_with_ridge(hessian, n);
    }
    let (values, vectors) = symmetric_eigen(hessian, n);
    let definite = values.iter().all(|&value| value > 1e-2);
    let mut inverse = vec![0.0; n * n];
    for (k, &value) in values.iter().enumerate() {
        let bounded = if value > 0.0 { value.max(1e-2) } else { value.abs().max(1.0) };
        let v = &vectors[k * n..k * n + n];
        for i in 0..n {
            axpy(v[i] / bounded, v, &mut inverse[i * n..i * n + n]);
        }
    }
    (inverse, definite)
}

/// The inverse for many globals: a multiple of the identity is added until it is definite.
fn inverse_with_ridge(hessian: &[f64], n: usize) -> (Vec<f64>, bool) {
    let mut ridge = 0.0;
    loop {
        let mut factor = hessian.to_vec();
        for j in 0..n {
            factor[j * n + j] += ridge;
        }
        if cholesky(&mut factor, n) {
            let mut inverse = identity(n);
            for row in inverse.chunks_exact_mut(n) {
                solve_lower(&factor, n, row);
                solve_lower_transposed(&factor, n, row);
            }
            return (inverse, ridge == 0.0);
        }
        if ridge > 1e6 || hessian.iter().any(|x| !x.is_finite()) {
            return (identity(n), false);
        }
        ridge = if ridge == 0.0 { 0.03 } else { 4.0 * ridge };
    }
}
