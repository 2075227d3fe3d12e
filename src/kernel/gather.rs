//! Rows of a table, one after another.

use multiversion::multiversion;

/// Rows of a table in memory, and which of them to read.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// From the first element on, at least to the last.
    pub values: &'a [f64],
    /// How many rows there are, at least one.
    pub n_rows: usize,
    /// Elements from row to row.
    pub stride: usize,
    /// Whole numbers from zero on. What is none of a row counts as that of the last.
    pub indices: &'a [f64],
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

/// Each row in blocks, the last of which overlaps the one before: copies of a length that is
/// known when this is compiled.
#[inline(always)]
fn copy_rows<const BLOCK: usize>(rows: Rows, width: usize, target: &mut [f64]) {
    let last = rows.n_rows as u64 - 1;
    for (index, target) in rows.indices.iter().zip(target.chunks_exact_mut(width)) {
        let position = (*index as i64 as u64).min(last) as usize;
        let row = &rows.values[position * rows.stride..][..width];
        for (target, row) in target.as_chunks_mut::<BLOCK>().0.iter_mut().zip(row.as_chunks().0) {
            *target = *row;
        }
        if let (Some(target), Some(row)) = (target.last_chunk_mut::<BLOCK>(), row.last_chunk()) {
            *target = *row;
        }
    }
}
