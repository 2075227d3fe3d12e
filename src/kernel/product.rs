//! Products of matrices, `C = A B`, as they come up for each branch: many rows to sum over, few
//! rows and columns to keep.
//!
//! A tile of C stays in registers while the sum runs. Tiles at the end overlap the ones before
//! them rather than being narrower: what is computed twice comes out the same.

use multiversion::multiversion;

/// A matrix in memory: the element of row `i` and column `j` is at `i · strides[0] + j · strides[1]`.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// From the first element on, at least to the last.
    pub values: &'a [f64],
    /// Elements from row to row and from column to column.
    pub strides: [usize; 2],
}

impl Operand<'_> {
    #[inline(always)]
    fn at(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.strides[0] + j * self.strides[1]]
    }
}

/// `C = A W B` with A of `m` rows, B of `n` columns, sums over `k` terms, and a diagonal W whose
/// elements are `weights`, or ones where there are none; C is row-major. Quick where the columns
/// of B lie side by side, and quicker still where `A = Bᵀ`, in the same memory.
///
/// # Panics
/// When a slice is too short.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn product(
    a: Operand,
    b: Operand,
    weights: Option<&[f64]>,
    sizes: (usize, usize, usize),
    c: &mut [f64],
) {
    multiply(a, b, weights, sizes, c);
}

/// [`product`], for whatever vectors the caller is compiled for.
#[inline(always)]
pub(super) fn multiply(
    a: Operand,
    b: Operand,
    weights: Option<&[f64]>,
    (m, n, k): (usize, usize, usize),
    c: &mut [f64],
) {
    assert!(c.len() >= m * n, "C has room for its elements");
    assert!(weights.is_none_or(|weights| weights.len() >= k), "there is a weight for each term");
    match weights {
        None if n == 1 && a.strides[1] == 1 && b.strides[0] == 1 => dots(a, b, (m, k), c),
        _ if b.strides[1] != 1 && n > 1 => one_by_one(a, b, weights, (m, n, k), c),
        Some(weights) => rows::<true>(a, b, weights, (m, n, k), c),
        None => rows::<false>(a, b, &[], (m, n, k), c),
    }
}

/// C in strips of rows; of a symmetric one only what is needed is summed.
#[inline(always)]
fn rows<const WEIGHTED: bool>(
    a: Operand,
    b: Operand,
    weights: &[f64],
    (m, n, k): (usize, usize, usize),
    c: &mut [f64],
) {
    let is_symmetric =
        m == n && std::ptr::eq(a.values, b.values) && a.strides == [b.strides[1], b.strides[0]];
    let mut row = 0;
    while row < m {
        let strip = match m - row {
            6.. => 6,
            rest => 1 << rest.ilog2(),
        };
        let n_needed = if is_symmetric { n.min((row + strip).next_multiple_of(8)) } else { n };
        let sizes = (n, n_needed, k);
        match strip {
            6 => columns::<6, 1, WEIGHTED>(a, b, weights, row, sizes, c),
            4 => columns::<4, 1, WEIGHTED>(a, b, weights, row, sizes, c),
            2 => columns::<2, 2, WEIGHTED>(a, b, weights, row, sizes, c),
            _ => columns::<1, 4, WEIGHTED>(a, b, weights, row, sizes, c),
        }
        row += strip;
    }
    if is_symmetric {
        for i in 0..n {
            for j in i + 1..n {
                c[i * n + j] = c[j * n + i];
            }
        }
    }
}

/// A strip of C from `row` on, up to the columns that are needed.
#[inline(always)]
fn columns<const ROWS: usize, const SUMS: usize, const WEIGHTED: bool>(
    a: Operand,
    b: Operand,
    weights: &[f64],
    row: usize,
    (n, n_needed, k): (usize, usize, usize),
    c: &mut [f64],
) {
    let mut column = 0;
    while column < n_needed {
        column += match n_needed - column {
            8.. => tile::<ROWS, 8, SUMS, WEIGHTED>(a, b, weights, (row, column), (n, k), c),
            _ if n_needed >= 8 => {
                tile::<ROWS, 8, SUMS, WEIGHTED>(a, b, weights, (row, n_needed - 8), (n, k), c)
            }
            4.. => tile::<ROWS, 4, SUMS, WEIGHTED>(a, b, weights, (row, column), (n, k), c),
            2.. => tile::<ROWS, 2, SUMS, WEIGHTED>(a, b, weights, (row, column), (n, k), c),
            _ => tile::<ROWS, 1, SUMS, WEIGHTED>(a, b, weights, (row, column), (n, k), c),
        };
    }
}

/// One tile of C; where it has few elements, several sums each, so that additions need not wait
/// for each other. Returns how many columns those are.
#[inline(always)]
fn tile<const ROWS: usize, const COLUMNS: usize, const SUMS: usize, const WEIGHTED: bool>(
    a: Operand,
    b: Operand,
    weights: &[f64],
    (row, column): (usize, usize),
    (n, k): (usize, usize),
    c: &mut [f64],
) -> usize {
    let mut sums = [[[0.0; COLUMNS]; ROWS]; SUMS];
    let together = k - k % SUMS;
    for first in (0..together).step_by(SUMS) {
        for (step, sums) in sums.iter_mut().enumerate() {
            let term = first + step;
            let weight = if WEIGHTED { weights[term] } else { 1.0 };
            add_term::<ROWS, COLUMNS, WEIGHTED>(a, b, weight, (row, column), term, sums);
        }
    }
    for term in together..k {
        let weight = if WEIGHTED { weights[term] } else { 1.0 };
        let sums = &mut sums[term - together];
        add_term::<ROWS, COLUMNS, WEIGHTED>(a, b, weight, (row, column), term, sums);
    }
    let mut total = sums[0];
    for other in &sums[1..] {
        for (total, other) in total.iter_mut().zip(other) {
            for (total, x) in total.iter_mut().zip(other) {
                *total += x;
            }
        }
    }
    for (i, total) in total.iter().enumerate() {
        let target = (row + i) * n + column;
        c[target..target + COLUMNS].copy_from_slice(total);
    }
    COLUMNS
}

#[inline(always)]
fn add_term<const ROWS: usize, const COLUMNS: usize, const WEIGHTED: bool>(
    a: Operand,
    b: Operand,
    weight: f64,
    (row, column): (usize, usize),
    term: usize,
    sums: &mut [[f64; COLUMNS]; ROWS],
) {
    let start = term * b.strides[0] + column;
    let right: &[f64; COLUMNS] = b.values[start..].first_chunk().expect("B is long enough");
    let mut right = *right;
    if WEIGHTED {
        for x in &mut right {
            *x *= weight;
        }
    }
    for (i, sums) in sums.iter_mut().enumerate() {
        let left = a.at(row + i, term);
        for (sum, right) in sums.iter_mut().zip(right) {
            *sum += left * right;
        }
    }
}

/// `A b` where rows of A lie side by side, like b.
#[inline(always)]
fn dots(a: Operand, b: Operand, (m, k): (usize, usize), c: &mut [f64]) {
    let right = &b.values[..k];
    for (i, c) in c[..m].iter_mut().enumerate() {
        let start = i * a.strides[0];
        *c = dot(&a.values[start..start + k], right);
    }
}

/// The inner product of two slices, as far as both go: eight sums side by side, then what is left
/// in halves of that.
#[inline(always)]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let (wholes, a) = a.as_chunks::<8>();
    let (right, b) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in wholes.iter().zip(right) {
        add_products(&mut sums, a, b);
    }
    let mut halves = [0.0; 4];
    for lane in 0..4 {
        halves[lane] = sums[lane] + sums[lane + 4];
    }
    let (four, a) = a.as_chunks::<4>();
    let (right, b) = b.as_chunks::<4>();
    if let ([four], [right]) = (four, right) {
        add_products(&mut halves, four, right);
    }
    let mut quarters = [halves[0] + halves[2], halves[1] + halves[3]];
    let (two, a) = a.as_chunks::<2>();
    let (right, b) = b.as_chunks::<2>();
    if let ([two], [right]) = (two, right) {
        add_products(&mut quarters, two, right);
    }
    let sum = quarters[0] + quarters[1];
    if let ([last], [right]) = (a, b) { sum + last * right } else { sum }
}

#[inline(always)]
fn add_products<const N: usize>(sums: &mut [f64; N], a: &[f64; N], b: &[f64; N]) {
    for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
        *sum += a * b;
    }
}

/// Whatever the strides.
#[inline(always)]
fn one_by_one(
    a: Operand,
    b: Operand,
    weights: Option<&[f64]>,
    (m, n, k): (usize, usize, usize),
    c: &mut [f64],
) {
    for i in 0..m {
        for j in 0..n {
            let mut sum = 0.0;
            for term in 0..k {
                let right = weights.map_or(1.0, |weights| weights[term]) * b.at(term, j);
                sum += a.at(i, term) * right;
            }
            c[i * n + j] = sum;
        }
    }
}
