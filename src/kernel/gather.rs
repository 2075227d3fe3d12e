//! Rows of a table, one after another.

use multiversion::multiversion;

use super::product::dot;

/// Rows that are summed side by side.
const TOGETHER: usize = 4;

/// One body with a width that is known when it is compiled, for those that are usual, and one for
/// all others.
macro_rules! by_width {
    ($width:expr, $name:ident, $fixed:block else $other:block) => {
        by_width!(@ $width, $name, $fixed, $other, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 20 24 32)
    };
    (@ $width:expr, $name:ident, $fixed:block, $other:block, $($n:literal)*) => {
        match $width {
            $($n => {
                const $name: usize = $n;
                $fixed
            })*
            _ => $other,
        }
    };
}

/// Rows of a table in memory, and which of them to read.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// From the first element on, at least to the last.
    pub values: &'a [f64],
    /// How many rows there are, at least one.
    pub n_rows: usize,
    /// Elements from row to row.
    pub stride: usize,
    /// Whole numbers, from zero on once they are shifted. What is none of a row counts as that of
    /// the last.
    pub indices: &'a [f64],
    /// Added to each index.
    pub shift: i64,
}

impl<'a> Rows<'a> {
    /// The first `width` elements of the row with this index.
    #[inline(always)]
    fn at(&self, index: f64, width: usize) -> &'a [f64] {
        let index = (index as i64).wrapping_add(self.shift) as u64;
        let position = index.min(self.n_rows as u64 - 1) as usize;
        &self.values[position * self.stride..][..width]
    }
}

/// Writes the first `width` elements of each row that is asked for to `target`, one after another.
///
/// # Panics
/// When a slice is too short.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn gather(rows: Rows, width: usize, target: &mut [f64]) {
    match width {
        0 => {}
        8.. => copy_rows::<8>(rows, width, target),
        4.. => copy_rows::<4>(rows, width, target),
        2.. => copy_rows::<2>(rows, width, target),
        _ => copy_rows::<1>(rows, width, target),
    }
}

/// `target = X b`, X being the rows that are asked for.
///
/// # Panics
/// When a slice is too short.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn times_vector(rows: Rows, vector: &[f64], target: &mut [f64]) {
    by_width!(vector.len(), WIDTH, {
        let vector: &[f64; WIDTH] = vector.first_chunk().expect("widths are compared");
        for (index, target) in rows.indices.iter().zip(target) {
            let row: &[f64; WIDTH] = rows.at(*index, WIDTH).first_chunk().expect("it is as wide");
            *target = dot(row, vector);
        }
    } else {
        for (index, target) in rows.indices.iter().zip(target) {
            *target = dot(rows.at(*index, vector.len()), vector);
        }
    })
}

/// `target = Xᵀ w`, X being the rows that are asked for, each with its weight.
///
/// # Panics
/// When a slice is too short.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn weighted_sum(rows: Rows, weights: &[f64], target: &mut [f64]) {
    by_width!(target.len(), WIDTH, {
        // Several sums, so that additions need not wait for each other.
        let mut sums = [[0.0; WIDTH]; TOGETHER];
        let weights = &weights[..rows.indices.len()];
        let (blocks, rest) = rows.indices.as_chunks::<TOGETHER>();
        let (block_weights, rest_weights) = weights.as_chunks::<TOGETHER>();
        for (indices, weights) in blocks.iter().zip(block_weights) {
            for k in 0..TOGETHER {
                add_row(&mut sums[k], rows, indices[k], weights[k]);
            }
        }
        for (index, weight) in rest.iter().zip(rest_weights) {
            add_row(&mut sums[0], rows, *index, *weight);
        }
        for (column, target) in target.iter_mut().enumerate() {
            *target = (sums[0][column] + sums[1][column]) + (sums[2][column] + sums[3][column]);
        }
    } else {
        target.fill(0.0);
        for (index, weight) in rows.indices.iter().zip(weights) {
            let row = rows.at(*index, target.len());
            for (target, x) in target.iter_mut().zip(row) {
                *target += weight * x;
            }
        }
    })
}

#[inline(always)]
fn add_row<const WIDTH: usize>(sums: &mut [f64; WIDTH], rows: Rows, index: f64, weight: f64) {
    let row: &[f64; WIDTH] = rows.at(index, WIDTH).first_chunk().expect("it is as wide");
    for (sum, x) in sums.iter_mut().zip(row) {
        *sum += weight * x;
    }
}

/// Each row in blocks, the last of which overlaps the one before: copies of a length that is
/// known when this is compiled.
#[inline(always)]
fn copy_rows<const BLOCK: usize>(rows: Rows, width: usize, target: &mut [f64]) {
    for (index, target) in rows.indices.iter().zip(target.chunks_exact_mut(width)) {
        let row = rows.at(*index, width);
        for (target, row) in target.as_chunks_mut::<BLOCK>().0.iter_mut().zip(row.as_chunks().0) {
            *target = *row;
        }
        if let (Some(target), Some(row)) = (target.last_chunk_mut::<BLOCK>(), row.last_chunk()) {
            *target = *row;
        }
    }
}
