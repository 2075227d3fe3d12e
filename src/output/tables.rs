//! The CSV files of a fit folder.

use std::io::{self, Write};

use crate::data::BoundData;
use crate::fit::{Draws, Fit, LocalSummary, Scores, StepInfo, Summary};
use crate::saved::Prediction;

/// The columns of [`SummaryRow::figures`](crate::fit::SummaryRow::figures).
const FIGURES: [&str; 5] = ["mean", "sd", "q5", "q50", "q95"];

/// `summary.csv`
pub fn summary(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(out);
    table.row(["name", "level"].into_iter().chain(FIGURES))?;
    for row in summary.rows() {
        let figures = row.figures().map(|x| x.to_string());
        table.row([row.name.clone(), row.level.clone()].into_iter().chain(figures))?;
    }
    table.end()
}

/// `branches.csv`
pub fn branches(fit: &Fit, out: &mut dyn Write) -> io::Result<()> {
    let data = fit.evaluator().data();
    let posterior = fit.posterior();
    let mut table = Table::new(out);
    table.row(local_header(data, &posterior.local_names()))?;
    posterior.for_each_branch(|branch, summary| {
        table.row(locals(data, branch, data.rows(branch).len(), summary))
    })?;
    table.end()
}

/// `branches.csv` of predictions.
pub fn predicted_branches(prediction: &Prediction, out: &mut dyn Write) -> io::Result<()> {
    let (data, summaries) = (prediction.data(), prediction.branches());
    let mut table = Table::new(out);
    table.row(local_header(data, summaries.names()))?;
    for (branch, summary) in summaries.branches().iter().enumerate() {
        table.row(locals(data, branch, prediction.n_rows(branch), summary.as_ref()))?;
    }
    table.end()
}

fn local_header(data: &BoundData, names: &[String]) -> Vec<String> {
    let mut header: Vec<String> = data.key_columns().to_vec();
    header.push("n_rows".to_string());
    for name in names {
        header.extend(FIGURES.map(|what| format!("{name}.{what}")));
    }
    header
}

/// The line of a branch; without a summary it ends after the number of rows, and cells that are
/// empty follow.
fn locals(
    data: &BoundData,
    branch: usize,
    n_rows: usize,
    summary: Option<&LocalSummary>,
) -> Vec<String> {
    let mut row: Vec<String> = data.key(branch).into_iter().map(String::from).collect();
    row.push(n_rows.to_string());
    let rows = summary.iter().flat_map(|summary| &summary.rows);
    row.extend(rows.flat_map(|local| local.figures().map(|x| x.to_string())));
    row
}

/// `predictions.csv`
pub fn predicted_cells(prediction: &Prediction, out: &mut dyn Write) -> io::Result<()> {
    let data = prediction.data();
    let keys = data.key_columns().iter().map(String::as_str);
    let mut table = Table::new(out);
    table.row(keys.chain(["line", "column"]).chain(FIGURES))?;
    for cell in prediction.cells() {
        let mut row: Vec<String> = data.key(cell.branch).into_iter().map(String::from).collect();
        row.push(cell.line.map_or(String::new(), |line| line.to_string()));
        row.push(cell.column.clone());
        row.extend(cell.summary.iter().flat_map(|s| s.figures().map(|x| x.to_string())));
        table.row(row)?;
    }
    table.end()
}

/// Draws, one row each.
pub fn draws(draws: &Draws, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(out);
    table.row(draws.names())?;
    for row in draws.values().rows() {
        table.row(row.iter().map(|x| x.to_string()))?;
    }
    table.end()
}

/// `scores.csv`
pub fn scores(scores: &Scores, key: &[String], out: &mut dyn Write) -> io::Result<()> {
    let figures = ["new", "n_rows", "log_likelihood", "se"].map(String::from);
    let mut table = Table::new(out);
    table.row(key.iter().cloned().chain(figures))?;
    for branch in scores.branches() {
        let number = |x: f64| if x.is_finite() { x.to_string() } else { String::new() };
        let (value, se) = (number(branch.log_likelihood), number(branch.se));
        let figures = [u8::from(branch.is_new).to_string(), branch.n_rows.to_string(), value, se];
        table.row(branch.key.iter().cloned().chain(figures))?;
    }
    table.end()
}

/// `trace.csv`
pub fn trace(trace: &[StepInfo], out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(out);
    table.row(["step", "seconds", "elbo", "elbo_se", "step_size", "grad_norm"])?;
    for info in trace {
        let figures = [info.seconds, info.elbo, info.elbo_se, info.step_size, info.grad_norm];
        let step = info.step.to_string();
        table.row(std::iter::once(step).chain(figures.map(|x| x.to_string())))?;
    }
    table.end()
}

/// CSV, written as its rows come.
struct Table<'w> {
    writer: csv::Writer<&'w mut dyn Write>,
    /// The number of columns, once the header is there.
    width: usize,
}

impl<'w> Table<'w> {
    fn new(out: &'w mut dyn Write) -> Table<'w> {
        Table { writer: csv::Writer::from_writer(out), width: 0 }
    }

    /// The header, or a row of as many cells; those missing at its end are empty.
    fn row<S: AsRef<[u8]>>(&mut self, cells: impl IntoIterator<Item = S>) -> io::Result<()> {
        let mut written = 0;
        for cell in cells {
            self.writer.write_field(cell)?;
            written += 1;
        }
        for _ in written..self.width {
            self.writer.write_field("")?;
        }
        self.width = self.width.max(written);
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    fn end(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
