//! Lower triangular matrices of θ's size, dense in their first columns alone.
//!
//! Row i holds its entries in the first `core` columns and its diagonal:
//!
//! ```text
//! core = n: dense      core = 0: diagonal      between: an arrow, of n · core elements
//! ```
//!
//! Products, solves and the pattern are closed under this shape, so a θ with thousands of effects
//! of a factor costs what its few other elements and one number for each effect cost.

use serde::{Deserialize, Serialize};

use super::linalg::{axpy, dot};

/// A lower triangular matrix, packed by rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Triangular {
    n: usize,
    core: usize,
    values: Vec<f64>,
}

impl Triangular {
    /// A diagonal matrix that has room for entries in the first `core` columns.
    pub fn diagonal(diagonal: &[f64], core: usize) -> Self {
        let n = diagonal.len();
        let core = core.min(n);
        let mut out = Self { n, core, values: vec![] };
        out.values = vec![0.0; out.start(n)];
        for (i, &value) in diagonal.iter().enumerate() {
            *out.diagonal_mut(i) = value;
        }
        out
    }

    /// The lower triangle of a square matrix, row-major.
    pub fn dense(square: &[f64], n: usize) -> Self {
        let values = (0..n).flat_map(|i| square[i * n..=i * n + i].iter().copied()).collect();
        Self { n, core: n, values }
    }

    /// Number of columns with entries below the diagonal.
    pub fn core(&self) -> usize {
        self.core
    }

    /// All elements, row by row; the diagonal ends its row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// Where row i starts.
    fn start(&self, i: usize) -> usize {
        let dense = i.min(self.core);
        dense * (dense + 1) / 2 + (i - dense) * (self.core + 1)
    }

    /// Where the diagonal of row i lies in [`Self::values`]; its other entries lie before it.
    pub fn position(&self, i: usize) -> usize {
        self.start(i) + i.min(self.core)
    }

    /// The entries of row i left of the diagonal, from the first column on.
    pub fn left(&self, i: usize) -> &[f64] {
        &self.values[self.start(i)..self.position(i)]
    }

    /// The same, to be changed.
    pub fn left_mut(&mut self, i: usize) -> &mut [f64] {
        let range = self.start(i)..self.position(i);
        &mut self.values[range]
    }

    /// A diagonal element.
    pub fn diagonal_at(&self, i: usize) -> f64 {
        self.values[self.position(i)]
    }

    /// The same, to be changed.
    pub fn diagonal_mut(&mut self, i: usize) -> &mut f64 {
        let position = self.position(i);
        &mut self.values[position]
    }

    /// R x.
    pub fn times(&self, x: &[f64]) -> Vec<f64> {
        (0..self.n).map(|i| dot(self.left(i), x) + self.diagonal_at(i) * x[i]).collect()
    }

    /// Rᵀ x.
    pub fn transposed_times(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.n];
        for i in 0..self.n {
            axpy(x[i], self.left(i), &mut out);
            out[i] += self.diagonal_at(i) * x[i];
        }
        out
    }

    /// Solves R x = b in place.
    pub fn solve(&self, b: &mut [f64]) {
        for i in 0..self.n {
            b[i] = (b[i] - dot(self.left(i), b)) / self.diagonal_at(i);
        }
    }

    /// Solves Rᵀ x = b in place.
    pub fn solve_transposed(&self, b: &mut [f64]) {
        for i in (0..self.n).rev() {
            b[i] /= self.diagonal_at(i);
            axpy(-b[i], self.left(i), b);
        }
    }

    /// Σ log R_jj.
    pub fn log_diagonal_sum(&self) -> f64 {
        (0..self.n).map(|i| self.diagonal_at(i).ln()).sum()
    }

    /// Row-major in full.
    pub fn to_square(&self) -> Vec<f64> {
        let n = self.n;
        let mut square = vec![0.0; n * n];
        for i in 0..n {
            let left = self.left(i);
            square[i * n..i * n + left.len()].copy_from_slice(left);
            square[i * n + i] = self.diagonal_at(i);
        }
        square
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::linalg;
    use crate::random::{Purpose, Stream};

    #[test]
    fn every_core_does_what_the_square_matrix_does() {
        let n = 5;
        for core in 0..=n {
            let mut matrix = Triangular::diagonal(&[1.0; 5], core);
            Stream::new(1, Purpose::Initial, core, 0, 0).normals(matrix.values_mut());
            (0..n).for_each(|i| *matrix.diagonal_mut(i) = 1.0 + i as f64);
            let square = matrix.to_square();
            let x = [0.3, -1.0, 2.0, 0.7, -0.4];
            let mut product = vec![0.0; n];
            linalg::lower_times(&square, n, &x, &mut product);
            assert_eq!(close(&matrix.times(&x), &product), None, "core {core}");
            matrix.solve(&mut product);
            assert_eq!(close(&product, &x), None, "core {core}");
            linalg::lower_transposed_times(&square, n, &x, &mut product);
            assert_eq!(close(&matrix.transposed_times(&x), &product), None, "core {core}");
            matrix.solve_transposed(&mut product);
            assert_eq!(close(&product, &x), None, "core {core}");
            let sum = linalg::log_diagonal_sum(&square, n);
            assert!((matrix.log_diagonal_sum() - sum).abs() < 1e-14);
            if core == n {
                assert_eq!(Triangular::dense(&square, n), matrix);
            }
        }
    }

    fn close(a: &[f64], b: &[f64]) -> Option<f64> {
        let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        (worst > 1e-13).then_some(worst)
    }
}
