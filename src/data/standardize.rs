//! `standardize(x)`: all values less their mean, divided by their standard deviation.

use std::sync::Arc;

use super::bound::BoundData;
use super::error::{DataError, DataErrorKind};
use crate::schema::Origin;

impl BoundData {
    /// Computes the standardised form of datum `of`, whose values are known, where the model
    /// wants it; by the statistics of a fit where these are given.
    pub(super) fn standardize(&mut self, of: usize) -> Result<(), DataError> {
        let wanted = Origin::Standardized(of);
        let positions =
            (0..self.schema.data.len()).filter(|&k| self.schema.data[k].origin == wanted);
        for position in positions.collect::<Vec<usize>>() {
            let scales = match &self.basis {
                Some(basis) => basis.scales[&position].clone(),
                None => self.scales(of, position)?,
            };
            let inner = self.inner[of];
            let mut values = self.values(of).to_vec();
            for unit in values.chunks_exact_mut(inner.max(1)) {
                for (value, (mean, sd)) in unit.iter_mut().zip(&scales) {
                    *value = (*value - mean) / sd;
                }
            }
            self.inner[position] = inner;
            self.values[position] = Some(Arc::new(values));
        }
        Ok(())
    }

    /// Mean and standard deviation of each column of datum `of`, whose standardised form is the
    /// datum at `position`.
    pub(super) fn scales(&self, of: usize, position: usize) -> Result<Vec<(f64, f64)>, DataError> {
        let inner = self.inner[of];
        let scale = |column| {
            scale(self.values(of), inner, column)
                .map_err(|reason| self.not_standardized(of, position, column, reason))
        };
        (0..inner).map(scale).collect()
    }

    fn not_standardized(&self, of: usize, at: usize, column: usize, reason: &str) -> DataError {
        let name = match self.columns[of].get(column) {
            Some(column) => column,
            None => &self.schema.data[of].name,
        };
        DataError::new(
            DataErrorKind::Constant,
            format!("`{name}` cannot be standardised: {reason}"),
        )
        .help("its standard deviation has to be above 0: use the column as it is, or leave it out")
        .at(self.schema.data[at].span)
    }
}

/// Mean and standard deviation (of n - 1) of every `inner`-th value from `column` on.
fn scale(values: &[f64], inner: usize, column: usize) -> Result<(f64, f64), &'static str> {
    let of_column = || values.iter().skip(column).step_by(inner);
    let n = of_column().count();
    if n < 2 {
        return Err("it has fewer than two values");
    }
    let mean = of_column().sum::<f64>() / n as f64;
    let squares: f64 = of_column().map(|x| (x - mean).powi(2)).sum();
    let sd = (squares / (n - 1) as f64).sqrt();
    let first = values[column];
    if sd == 0.0 || of_column().all(|&x| x == first) {
        return Err("all its values are the same");
    }
    Ok((mean, sd))
}
