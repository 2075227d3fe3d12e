//! Mean, standard deviation and quantiles.

use std::fmt;

use super::draws::Draws;
use crate::model::Variable;

/// Elements of one variable that are printed; all are written to files.
const PRINTED_ELEMENTS: usize = 10;
/// Names of elements that do not vary that are printed.
const PRINTED_CONSTANTS: usize = 8;
/// Standard deviation, as a part of the mean, that rounding alone makes.
const ROUNDING: f64 = 1e-13;

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
        // The k-th of n draws lies at k/(n + 1) of the distribution on average, so that intervals
        // of few draws cover what they say.
        let quantile = |p: f64| {
            let at = (p * (n + 1.0) - 1.0).clamp(0.0, n - 1.0);
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

    /// Whether all draws are the same, up to rounding: as on the diagonal of a correlation matrix.
    fn is_constant(&self) -> bool {
        self.sd <= ROUNDING * self.mean.abs()
    }

    /// Mean, standard deviation, 5 %, 50 % and 95 % quantiles.
    pub fn figures(&self) -> [f64; 5] {
        [self.mean, self.sd, self.q5, self.q50, self.q95]
    }
}

/// What is printed of a summary.
#[derive(Default)]
struct Printed<'a> {
    rows: Vec<&'a SummaryRow>,
    /// How many more there are of which variable.
    left_out: Vec<String>,
    /// Elements of arrays that are the same in all draws.
    constant: Vec<&'a str>,
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

    /// The first rows of each variable, and what is left out.
    fn printed(&self) -> Printed<'_> {
        let mut printed = Printed::default();
        let mut rest = self.rows.as_slice();
        for (name, length) in &self.lengths {
            let (own, others) = rest.split_at(*length);
            rest = others;
            let is_constant = |row: &&SummaryRow| own.len() > 1 && row.is_constant();
            let (constant, varying): (Vec<&SummaryRow>, Vec<&SummaryRow>) =
                own.iter().partition(is_constant);
            printed.constant.extend(constant.iter().map(|row| row.name.as_str()));
            if varying.len() > PRINTED_ELEMENTS {
                let more = varying.len() - PRINTED_ELEMENTS;
                printed.left_out.push(format!("{more} more of {name}"));
            }
            printed.rows.extend(varying.into_iter().take(PRINTED_ELEMENTS));
        }
        printed
    }

    /// The row of this name.
    pub fn get(&self, name: &str) -> Option<&SummaryRow> {
        self.rows.iter().find(|row| row.name == name)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Printed { rows, left_out, constant } = self.printed();
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
        if !left_out.is_empty() {
            writeln!(f, "and {}", left_out.join(", "))?;
        }
        if !constant.is_empty() {
            let named = constant[..constant.len().min(PRINTED_CONSTANTS)].join(", ");
            let more = match constant.len().saturating_sub(PRINTED_CONSTANTS) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            writeln!(f, "not shown, as they do not vary: {named}{more}")?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of_variables(variables: &[(&str, &[f64])]) -> Summary {
        let row = |name: String, sd: f64| SummaryRow {
            name,
            level: String::new(),
            mean: 1.0,
            sd,
            q5: 0.0,
            q50: 1.0,
            q95: 2.0,
        };
        let rows = variables.iter().flat_map(|(variable, sds)| {
            let name = move |k: usize| match sds.len() {
                1 => variable.to_string(),
                _ => format!("{variable}[{}]", k + 1),
            };
            sds.iter().enumerate().map(move |(k, &sd)| row(name(k), sd))
        });
        let lengths = variables.iter().map(|(name, sds)| (name.to_string(), sds.len()));
        Summary { rows: rows.collect(), lengths: lengths.collect() }
    }

    #[test]
    fn order_statistics_lie_where_they_are_expected() {
        let mut draws: Vec<f64> = (1..=199).rev().map(|k| f64::from(k) / 200.0).collect();
        let row = SummaryRow::of("u".to_string(), &mut draws);
        for (quantile, p) in [(row.q5, 0.05), (row.q50, 0.5), (row.q95, 0.95)] {
            assert!((quantile - p).abs() < 1e-12, "{quantile} {p}");
        }
    }

    #[test]
    fn elements_that_do_not_vary_are_named_and_not_shown() {
        let text = of_variables(&[("c", &[0.0]), ("s", &[0.0, 0.3, 2e-16])]).to_string();
        let shown: Vec<&str> =
            text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(shown, ["mean", "c", "s[2]", "not"], "{text}");
        assert!(text.ends_with("not shown, as they do not vary: s[1], s[3]\n"), "{text}");
    }

    #[test]
    fn the_first_elements_that_vary_are_shown() {
        let mut sds = [0.5; 24];
        sds[..11].fill(0.0);
        let text = of_variables(&[("b", &sds)]).to_string();
        assert!(text.contains("b[12]") && text.contains("b[21]") && !text.contains("b[22]"));
        assert!(text.contains("and 3 more of b\n"), "{text}");
        assert!(text.ends_with("b[8] and 3 more\n"), "{text}");
    }
}
