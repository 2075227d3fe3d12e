//! The R of a QR factorisation.

use crate::kernel::dot;

/// As many rows as `columns` has columns, with the same inner products between columns: the R of
/// `columns = Q R`, by reflections (Golub and Van Loan, *Matrix Computations*, algorithm 5.2.1).
/// Both are stored column by column; `columns`, each of `n_rows`, is spoilt.
pub fn triangle(columns: &mut [f64], n_rows: usize, r: &mut [f64]) {
    r.fill(0.0);
    if n_rows == 0 {
        return;
    }
    let n_columns = columns.len() / n_rows;
    for k in 0..n_columns {
        let (done, rest) = columns.split_at_mut((k + 1) * n_rows);
        let column = &mut done[k * n_rows..];
        let reach = k.min(n_rows);
        r[k * n_columns..k * n_columns + reach].copy_from_slice(&column[..reach]);
        if k >= n_rows {
            continue;
        }
        let tail = &mut column[k..];
        let norm = norm(tail);
        if norm == 0.0 {
            continue;
        }
        let diagonal = if tail[0] > 0.0 { -norm } else { norm };
        r[k * n_columns + k] = diagonal;
        // The reflection is I - v vᵀ / (v₀ norm), v being the tail less its image.
        tail[0] -= diagonal;
        let scale = 1.0 / (tail[0].abs() * norm);
        for other in rest.chunks_exact_mut(n_rows) {
            let other = &mut other[k..];
            let along = scale * dot(tail, other);
            for (other, v) in other.iter_mut().zip(&*tail) {
                *other -= along * v;
            }
        }
    }
}

/// √Σx², without overflow.
fn norm(x: &[f64]) -> f64 {
    let largest = x.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let squares: f64 = x.iter().map(|x| (x / largest) * (x / largest)).sum();
    largest * squares.sqrt()
}
