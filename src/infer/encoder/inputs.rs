//! Rows as a network reads them: numbers standardised, counts through log(1 + x) first, flags as
//! they are, few levels as flags of their own, many as learned vectors; constants are dropped.
//!
//! The statistics are saved with the guide, so that new branches are read like those it learned
//! from.

use serde::{Deserialize, Serialize};

use super::real::Real;
use crate::random::Stream;
use crate::target::RowColumn;

/// Standardised numbers are cut here.
const BOUND: f64 = 10.0;
/// Levels up to which each has a flag.
const MAX_FLAGS: usize = 8;
/// Length of the vector learned for a level, where there are more.
const EMBEDDING: usize = 4;
const EMBEDDING_START: f64 = 0.3;

/// How raw columns become inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowInputs {
    n_raw: usize,
    columns: Vec<Column>,
    width: usize,
    n_weights: usize,
}

/// One raw column that is not constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Column {
    raw: usize,
    reading: Reading,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Reading {
    /// (x − mean) · scale, of log(1 + x) if `log`.
    Number { log: bool, mean: f64, scale: f64 },
    /// One flag for each level.
    Flags(usize),
    /// Vectors learned for so many levels, from this weight on.
    Embedded(usize, usize),
}

impl RowInputs {
    /// For rows of these columns, with statistics of the `examples`, rows one after another.
    pub fn new(columns: &[RowColumn], examples: &[f64]) -> Self {
        let n_raw = columns.len();
        let mut inputs = Self { n_raw, columns: vec![], width: 0, n_weights: 0 };
        for (raw, &column) in columns.iter().enumerate() {
            let values = examples.iter().skip(raw).step_by(n_raw).copied();
            let reading = match column {
                RowColumn::Level(n) if n <= MAX_FLAGS => Some(Reading::Flags(n)),
                RowColumn::Level(n) => Some(Reading::Embedded(n, inputs.n_weights)),
                RowColumn::Flag => number(values, false).map(|_| Reading::Number {
                    log: false,
                    mean: 0.0,
                    scale: 1.0,
                }),
                RowColumn::Count => number(values, true),
                RowColumn::Number => number(values, false),
            };
            let Some(reading) = reading else { continue };
            match reading {
                Reading::Number { .. } => inputs.width += 1,
                Reading::Flags(n) => inputs.width += n,
                Reading::Embedded(n, _) => {
                    inputs.width += EMBEDDING;
                    inputs.n_weights += n * EMBEDDING;
                }
            }
            inputs.columns.push(Column { raw, reading });
        }
        inputs
    }

    /// Number of raw columns, at least one.
    pub fn n_raw(&self) -> usize {
        self.n_raw
    }

    /// Number of inputs of one row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of weights of learned vectors.
    pub fn n_weights(&self) -> usize {
        self.n_weights
    }

    /// Small random vectors.
    pub fn start(&self, stream: &mut Stream, weights: &mut [f64]) {
        stream.normals(weights);
        weights.iter_mut().for_each(|w| *w *= EMBEDDING_START);
    }

    /// Appends the inputs of raw rows to `out`.
    pub fn read<F: Real>(&self, weights: &[f64], raw: &[f64], out: &mut Vec<F>) {
        for row in raw.chunks_exact(self.n_raw) {
            for column in &self.columns {
                let value = row[column.raw];
                match column.reading {
                    Reading::Number { log, mean, scale } => {
                        let value = if log { value.max(0.0).ln_1p() } else { value };
                        let x = (value - mean) * scale;
                        out.push(F::of(if x.is_finite() { x.clamp(-BOUND, BOUND) } else { 0.0 }));
                    }
                    Reading::Flags(n) => {
                        let flag = |level: usize| f64::from(u8::from(level as f64 == value));
                        out.extend((0..n).map(|level| F::of(flag(level))));
                    }
                    Reading::Embedded(n, start) => match level(value, n) {
                        Some(level) => {
                            out.extend(weights[vector(start, level)].iter().map(|&w| F::of(w)));
                        }
                        None => out.extend([F::of(0.0); EMBEDDING]),
                    },
                }
            }
        }
    }

    /// Adds the gradient in the learned vectors, given the adjoint of what `read` appended.
    pub fn backward<F: Real>(&self, raw: &[f64], adjoint: &[F], gradient: &mut [f64]) {
        if self.n_weights == 0 {
            return;
        }
        for (row, adjoint) in raw.chunks_exact(self.n_raw).zip(adjoint.chunks_exact(self.width)) {
            let mut at = 0;
            for column in &self.columns {
                at += match column.reading {
                    Reading::Number { .. } => 1,
                    Reading::Flags(n) => n,
                    Reading::Embedded(n, start) => {
                        if let Some(level) = level(row[column.raw], n) {
                            let own = gradient[vector(start, level)].iter_mut();
                            own.zip(&adjoint[at..]).for_each(|(sum, a)| *sum += a.to_f64());
                        }
                        EMBEDDING
                    }
                };
            }
        }
    }
}

fn vector(start: usize, level: usize) -> std::ops::Range<usize> {
    start + level * EMBEDDING..start + (level + 1) * EMBEDDING
}

/// The level of a number, if it was there when the guide was made.
fn level(value: f64, n_levels: usize) -> Option<usize> {
    (value >= 0.0 && value < n_levels as f64).then_some(value as usize)
}

/// How a number is read; none where it is constant.
fn number(values: impl Iterator<Item = f64> + Clone, log: bool) -> Option<Reading> {
    let values = values.map(|x| if log { x.max(0.0).ln_1p() } else { x }).filter(|x| x.is_finite());
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    let sd = (values.map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
    (sd > 1e-9 * (mean.abs() + f64::MIN_POSITIVE)).then(|| Reading::Number {
        log,
        mean,
        scale: 1.0 / sd,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_by_what_they_are() {
        let columns = [
            RowColumn::Number,
            RowColumn::Count,
            RowColumn::Flag,
            RowColumn::Number,
            RowColumn::Level(3),
            RowColumn::Level(20),
        ];
        let low = [1.0, 0.0, 0.0, 7.0, 0.0, 4.0];
        let high = [3.0, 1f64.exp() - 1.0, 1.0, 7.0, 2.0, 19.0];
        let inputs = RowInputs::new(&columns, &[low, high].concat());
        assert_eq!(
            (inputs.width(), inputs.n_weights()),
            (1 + 1 + 1 + 3 + EMBEDDING, 20 * EMBEDDING)
        );
        let weights: Vec<f64> = (0..inputs.n_weights()).map(|k| k as f64).collect();
        let mut out = vec![];
        inputs.read::<f64>(&weights, &high, &mut out);
        let expected = [1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 76.0, 77.0, 78.0, 79.0];
        assert!(out.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{out:?}");
        out.clear();
        inputs.read(&weights, &[f64::NAN, 0.0, 0.0, 9.0, 5.0, 25.0], &mut out);
        assert_eq!(out[0], 0.0, "an empty cell is the mean");
        assert!(out[3..].iter().all(|&x| x == 0.0), "levels never seen say nothing");
        let mut gradient = vec![0.0; weights.len()];
        let adjoint: Vec<f64> = (0..inputs.width()).map(|k| k as f64).collect();
        inputs.backward(&high, &adjoint, &mut gradient);
        assert_eq!(gradient[76..80], [6.0, 7.0, 8.0, 9.0]);
        assert_eq!(gradient[..76].iter().sum::<f64>(), 0.0);
    }
}
