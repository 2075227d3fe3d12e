//! Small dense linear algebra on row-major slices: what Gaussian guides need, no more.
//!
//! Sizes are those of one branch's locals or of θ. A triangular matrix is stored in full; its
//! other triangle is zero.

use multiversion::multiversion;

pub use crate::kernel::dot;

/// Adds `scale · x` to `y`.
#[inline(always)]
pub fn axpy(scale: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += scale * x;
    }
}

/// The identity.
pub fn identity(n: usize) -> Vec<f64> {
    let mut eye = vec![0.0; n * n];
    for j in 0..n {
        eye[j * n + j] = 1.0;
    }
    eye
}

/// Replaces the symmetric `a` (its lower triangle is read) by the lower R with R Rᵀ = a.
/// False, with `a` spoilt, where it is not positive definite or not finite.
#[must_use]
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn cholesky(a: &mut [f64], n: usize) -> bool {
    // Rᵀ is made in the upper triangle, whose rows lie side by side; each diagonal element is
    // kept in the first column, which is free by then.
    mirror_lower(a, n);
    for i in 1..n {
        a[i * n] = a[i * n + i];
    }
    for j in 0..n {
        let (above, below) = a.split_at_mut((j + 1) * n);
        let (first, row) = (above[j * n], &mut above[j * n + j..]);
        let pivot = row[0];
        // A pivot that is all rounding error would pass for positive without the second test.
        if !(pivot > 0.0 && pivot > 1e-14 * first && pivot.is_finite()) {
            return false;
        }
        let root = pivot.sqrt();
        for x in row.iter_mut() {
            *x /= root;
        }
        for (i, other) in below.chunks_exact_mut(n).enumerate() {
            axpy(-row[i + 1], &row[i + 1..], &mut other[j + 1 + i..]);
        }
    }
    for i in 0..n {
        for j in 0..i {
            a[i * n + j] = a[j * n + i];
            a[j * n + i] = 0.0;
        }
    }
    true
}

/// Makes the upper triangle what the lower is.
#[inline(always)]
fn mirror_lower(a: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            a[j * n + i] = a[i * n + j];
        }
    }
}

/// Solves R x = b in place, R lower.
pub fn solve_lower(r: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        let row = &r[i * n..i * n + n];
        b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
    }
}

/// Solves Rᵀ x = b in place, R lower.
pub fn solve_lower_transposed(r: &[f64], n: usize, b: &mut [f64]) {
    for i in (0..n).rev() {
        let row = &r[i * n..i * n + n];
        let x = b[i] / row[i];
        b[i] = x;
        axpy(-x, &row[..i], &mut b[..i]);
    }
}

/// Sets `out` to R x, R lower.
pub fn lower_times(r: &[f64], n: usize, x: &[f64], out: &mut [f64]) {
    for i in 0..n {
        out[i] = dot(&r[i * n..i * n + i + 1], &x[..i + 1]);
    }
}

/// Sets `out` to Rᵀ x, R lower.
pub fn lower_transposed_times(r: &[f64], n: usize, x: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    for i in 0..n {
        axpy(x[i], &r[i * n..i * n + i + 1], &mut out[..i + 1]);
    }
}

/// Σ log R_jj.
pub fn log_diagonal_sum(r: &[f64], n: usize) -> f64 {
    (0..n).map(|j| r[j * n + j].ln()).sum()
}

/// Sets `out` to the adjoint of the symmetric A = R Rᵀ where `r_bar` (lower) is the adjoint of
/// its Cholesky factor: Ā = ½ R⁻ᵀ (P + Pᵀ) R⁻¹, P the lower triangle of Rᵀ R̄ with halved
/// diagonal (Murray, 2016). Symmetric: every entry of A counts as a variable of its own.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn cholesky_adjoint(r: &[f64], r_bar: &[f64], n: usize, out: &mut [f64]) {
    out.fill(0.0);
    for k in 0..n {
        let bar = &r_bar[k * n..k * n + k + 1];
        for i in 0..=k {
            axpy(r[k * n + i], &bar[..i + 1], &mut out[i * n..i * n + i + 1]);
        }
    }
    mirror_lower(out, n);
    // A symmetric matrix: R⁻ᵀ (·), transposed, is (·) R⁻¹.
    solve_lower_transposed_rows(r, n, out);
    transpose(out, n);
    solve_lower_transposed_rows(r, n, out);
    for i in 0..n {
        for j in 0..=i {
            let mean = 0.25 * (out[i * n + j] + out[j * n + i]);
            out[i * n + j] = mean;
            out[j * n + i] = mean;
        }
    }
}

/// Solves Rᵀ X = B in place for a square B, R lower.
#[inline(always)]
fn solve_lower_transposed_rows(r: &[f64], n: usize, b: &mut [f64]) {
    for i in (0..n).rev() {
        let (before, row) = b[..(i + 1) * n].split_at_mut(i * n);
        for x in row.iter_mut() {
            *x /= r[i * n + i];
        }
        for (k, other) in before.chunks_exact_mut(n).enumerate() {
            axpy(-r[i * n + k], row, other);
        }
    }
}

/// Transposes in place.
#[inline(always)]
pub fn transpose(a: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            a.swap(i * n + j, j * n + i);
        }
    }
}

/// Eigenvalues and eigenvectors (rows of the second) of a symmetric matrix, by Jacobi rotations.
pub fn symmetric_eigen(a: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a = a.to_vec();
    let mut v = identity(n);
    for _ in 0..60 {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).fold(0.0, |sum, (i, j)| {
            let x = a[i * n + j];
            sum + x * x / (a[i * n + i] * a[j * n + j]).abs().max(f64::MIN_POSITIVE)
        });
        if off < 1e-24 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut v, n, p, q);
            }
        }
    }
    ((0..n).map(|j| a[j * n + j]).collect(), v)
}

fn rotate(a: &mut [f64], v: &mut [f64], n: usize, p: usize, q: usize) {
    let apq = a[p * n + q];
    if apq == 0.0 {
        return;
    }
    let angle = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
    let t = angle.signum() / (angle.abs() + (angle * angle + 1.0).sqrt());
    let t = if angle == 0.0 { 1.0 } else { t };
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..n {
        let (x, y) = (a[k * n + p], a[k * n + q]);
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for k in 0..n {
        let (x, y) = (a[p * n + k], a[q * n + k]);
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
        let (x, y) = (v[p * n + k], v[q * n + k]);
        v[p * n + k] = c * x - s * y;
        v[q * n + k] = s * x + c * y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [f64; 9] = [4.0, 1.0, -0.5, 1.0, 3.0, 0.7, -0.5, 0.7, 2.0];

    fn factor(a: &[f64]) -> Vec<f64> {
        let mut r = a.to_vec();
        assert!(cholesky(&mut r, 3));
        r
    }

    #[test]
    fn the_factor_times_its_transpose_is_the_matrix() {
        let r = factor(&A);
        for i in 0..3 {
            for j in 0..3 {
                let product = dot(&r[i * 3..i * 3 + 3], &r[j * 3..j * 3 + 3]);
                assert!((product - A[i * 3 + j]).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn solving_undoes_multiplying() {
        let r = factor(&A);
        let x = [0.3, -1.2, 2.5];
        let mut b = [0.0; 3];
        lower_times(&r, 3, &x, &mut b);
        solve_lower(&r, 3, &mut b);
        let mut c = [0.0; 3];
        lower_transposed_times(&r, 3, &x, &mut c);
        solve_lower_transposed(&r, 3, &mut c);
        for j in 0..3 {
            assert!((b[j] - x[j]).abs() < 1e-14 && (c[j] - x[j]).abs() < 1e-14);
        }
    }

    #[test]
    fn indefinite_and_non_finite_matrices_are_refused() {
        for bad in [-1.0, 0.0, f64::NAN, f64::INFINITY] {
            let mut a = A;
            a[4] = bad;
            assert!(!cholesky(&mut a, 3), "{bad}");
        }
    }

    #[test]
    fn the_adjoint_of_cholesky_is_its_central_difference() {
        let weights = [0.7, 0.0, 0.0, -0.3, 1.1, 0.0, 0.9, 0.4, -0.8];
        let mut adjoint = [0.0; 9];
        cholesky_adjoint(&factor(&A), &weights, 3, &mut adjoint);
        for i in 0..3 {
            for j in 0..=i {
                let at = |h: f64| {
                    let mut a = A;
                    a[i * 3 + j] += h;
                    if i != j {
                        a[j * 3 + i] += h;
                    }
                    dot(&factor(&a), &weights)
                };
                let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
                let ours = adjoint[i * 3 + j] * if i == j { 1.0 } else { 2.0 };
                assert!((slope - ours).abs() < 1e-9, "{i} {j}: {slope} {ours}");
            }
        }
    }

    #[test]
    fn eigenvectors_are_stretched_by_eigenvalues() {
        let (values, vectors) = symmetric_eigen(&A, 3);
        for k in 0..3 {
            let v = &vectors[k * 3..k * 3 + 3];
            assert!((dot(v, v) - 1.0).abs() < 1e-12);
            for i in 0..3 {
                assert!((dot(&A[i * 3..i * 3 + 3], v) - values[k] * v[i]).abs() < 1e-10);
            }
        }
    }
}
