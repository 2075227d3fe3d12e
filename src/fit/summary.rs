//! Mean, standard deviation and quantiles.

use std::fmt;

use super::draws::Draws;
use crate::model::Variable;

/// Elements of one variable that are printed; all are written to files.
const PRINTED_ELEMENTS: usize = 10;

/// Summaries of scalars.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    rows: Vec<SummaryRow>,
    /// For each variable, how many rows it has.
    lengths: Vec<(String, usize)>,
}

/// The summary of one scalar.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// Its name: `mu[2]`, `L[2,1]`.
    pub name: String,
    /// The level behind an element along a factor or table; several are joined by a comma.
    pub level: String,
    /// Posterior mean.
    pub mean: f64,
    /// Posterior standard deviation.
    pub sd: f64,
    /// 5 % quantile.
    pub q5: f64,
    /// Median.
    pub q50: f64,
    /// 95 % quantile.
    pub q95: f64,
}

impl SummaryRow {
    /// Summarises draws; sorts them.
    pub(crate) fn of(name: String, draws: &mut [f64]) -> SummaryRow {
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let squares = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        let sd = (squares / (n - 1.0)).sqrt();
        draws.sort_by(f64::total_cmp);
        let quantile = |p: f64| {
            let at = p * (n - 1.0);
            let (low, high) = (draws[at.floor() as usize], draws[at.ceil() as usize]);
            low + (high - low) * at.fract()
        };
        SummaryRow {
            name,
            level: String::new(),
            mean,
            sd,
            q5: quantile(0.05),
            q50: quantile(0.5),
            q95: quantile(0.95),
        }
    }

    /// Mean, standard deviation, 5 %, 50 % and 95 % quantiles.
    pub fn figures(&self) -> [f64; 5] {
        [self.mean, self.sd, self.q5, self.q50, self.q95]
    }
}

impl Summary {
    pub(super) fn of(draws: &Draws) -> Summary {
        let mut rows = Vec::with_capacity(draws.names().len());
        let columns = draws.names().iter().zip(draws.levels()).zip(draws.values().columns());
        for ((name, level), column) in columns {
            let row = SummaryRow::of(name.clone(), &mut column.to_vec());
            rows.push(SummaryRow { level: level.clone(), ..row });
        }
        let length = |variable: &Variable| (variable.name.clone(), variable.elements().len());
        Summary { rows, lengths: draws.variables().iter().map(length).collect() }
    }

    /// One row for each element of each variable.
    pub fn rows(&self) -> &[SummaryRow] {
        &self.rows
    }

    /// The first rows of each variable, and how many of which are left out.
    fn printed(&self) -> (Vec<&SummaryRow>, Vec<String>) {
        let mut printed = Vec::new();
        let mut left_out = Vec::new();
        let mut start = 0;
        for (name, length) in &self.lengths {
            printed.extend(&self.rows[start..start + (*length).min(PRINTED_ELEMENTS)]);
            if *length > PRINTED_ELEMENTS {
                left_out.push(format!("{} more of {name}", length - PRINTED_ELEMENTS));
            }
            start += length;
        }
        (printed, left_out)
    }

    /// The row of this name.
    pub fn get(&self, name: &str) -> Option<&SummaryRow> {
        self.rows.iter().find(|row| row.name == name)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, left_out) = self.printed();
        let has_levels = rows.iter().any(|row| !row.level.is_empty());
        // Columns of text come first; figures are set to the right.
        let n_texts = if has_levels { 2 } else { 1 };
        let texts = ["", "level"].into_iter().take(n_texts);
        let header = texts.chain(["mean", "sd", "5%", "50%", "95%"]).map(String::from).collect();
        let line = |row: &&SummaryRow| -> Vec<String> {
            let texts = [row.name.clone(), row.level.clone()].into_iter().take(n_texts);
            texts.chain(row.figures().map(|x| figure(x, row.sd))).collect()
        };
        let lines: Vec<Vec<String>> =
            std::iter::once(header).chain(rows.iter().map(line)).collect();
        let width = |k: usize| lines.iter().map(|l| l[k].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..n_texts + 5).map(width).collect();
        for line in &lines {
            write!(f, "{:<w$}", line[0], w = widths[0])?;
            for (k, (cell, width)) in line.iter().zip(&widths).enumerate().skip(1) {
                match k < n_texts {
                    true => write!(f, "  {cell:<width$}")?,
                    false => write!(f, "  {cell:>width$}")?,
                }
            }
            writeln!(f)?;
        }
        match left_out.is_empty() {
            true => Ok(()),
            false => writeln!(f, "and {}", left_out.join(", ")),
        }
    }
}

/// A number to about three digits of its standard deviation.
fn figure(x: f64, sd: f64) -> String {
    let scale = if sd.is_finite() && sd > 0.0 { sd } else { x.abs() };
    if scale == 0.0 || !scale.is_finite() {
        return format!("{x}");
    }
    let magnitude = scale.log10().floor() as i32;
    if !(-6..=9).contains(&magnitude) || x.abs() >= 1e12 {
        return format!("{x:.3e}");
    }
    let decimals = (2 - magnitude).max(0) as usize;
    format!("{x:.decimals$}")
}
