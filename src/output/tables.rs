//! The CSV files of a fit folder.

use crate::data::BoundData;
use crate::fit::{BranchSummaries, Draws, Fit, Scores, StepInfo, Summary};
use crate::saved::Prediction;

/// `summary.csv`
pub fn summary(summary: &Summary) -> String {
    let mut table = Table::new(["name", "level", "mean", "sd", "q5", "q50", "q95"]);
    for row in summary.rows() {
        let figures = row.figures().map(|x| x.to_string());
        table.row([row.name.clone(), row.level.clone()].into_iter().chain(figures));
    }
    table.text()
}

/// `branches.csv`
pub fn branches(fit: &Fit) -> String {
    let data = fit.evaluator().data();
    locals(data, &fit.posterior().branches(), |branch| data.rows(branch).len())
}

/// `branches.csv` of predictions.
pub fn predicted_branches(prediction: &Prediction) -> String {
    locals(prediction.data(), prediction.branches(), |branch| prediction.n_rows(branch))
}

fn locals(
    data: &BoundData,
    summaries: &BranchSummaries,
    n_rows: impl Fn(usize) -> usize,
) -> String {
    let mut header: Vec<String> = data.key_columns().to_vec();
    header.push("n_rows".to_string());
    for name in summaries.names() {
        header.extend(["mean", "sd", "q5", "q50", "q95"].map(|what| format!("{name}.{what}")));
    }
    let n_figures = summaries.names().len() * 5;
    let mut table = Table::new(header);
    for (branch, summary) in summaries.branches().iter().enumerate() {
        let mut row: Vec<String> = data.key(branch).into_iter().map(String::from).collect();
        row.push(n_rows(branch).to_string());
        match summary {
            Some(summary) => row.extend(
                summary.rows.iter().flat_map(|local| local.figures().map(|x| x.to_string())),
            ),
            None => row.extend(std::iter::repeat_n(String::new(), n_figures)),
        }
        table.row(row);
    }
    table.text()
}

/// `predictions.csv`
pub fn predicted_cells(prediction: &Prediction) -> String {
    let data = prediction.data();
    let figures = ["mean", "sd", "q5", "q50", "q95"];
    let keys = data.key_columns().iter().map(String::as_str);
    let mut table = Table::new(keys.chain(["line", "column"]).chain(figures));
    for cell in prediction.cells() {
        let mut row: Vec<String> = data.key(cell.branch).into_iter().map(String::from).collect();
        row.push(cell.line.map_or(String::new(), |line| line.to_string()));
        row.push(cell.column.clone());
        match &cell.summary {
            Some(summary) => row.extend(summary.figures().map(|x| x.to_string())),
            None => row.extend(figures.map(|_| String::new())),
        }
        table.row(row);
    }
    table.text()
}

/// Draws, one row each.
pub fn draws(draws: &Draws) -> String {
    let mut table = Table::new(draws.names());
    for row in draws.values().rows() {
        table.row(row.iter().map(|x| x.to_string()));
    }
    table.text()
}

/// `scores.csv`
pub fn scores(scores: &Scores, key: &[String]) -> String {
    let figures = ["new", "n_rows", "log_likelihood", "se"].map(String::from);
    let mut table = Table::new(key.iter().cloned().chain(figures));
    for branch in scores.branches() {
        let number = |x: f64| if x.is_finite() { x.to_string() } else { String::new() };
        let (value, se) = (number(branch.log_likelihood), number(branch.se));
        let figures = [u8::from(branch.is_new).to_string(), branch.n_rows.to_string(), value, se];
        table.row(branch.key.iter().cloned().chain(figures));
    }
    table.text()
}

/// `trace.csv`
pub fn trace(trace: &[StepInfo]) -> String {
    let mut table = Table::new(["step", "seconds", "elbo", "elbo_se", "step_size", "grad_norm"]);
    for info in trace {
        let figures = [info.seconds, info.elbo, info.elbo_se, info.step_size, info.grad_norm];
        let step = info.step.to_string();
        table.row(std::iter::once(step).chain(figures.map(|x| x.to_string())));
    }
    table.text()
}

/// CSV in memory.
struct Table {
    writer: csv::Writer<Vec<u8>>,
}

impl Table {
    fn new<S: AsRef<[u8]>>(header: impl IntoIterator<Item = S>) -> Table {
        let mut table = Table { writer: csv::Writer::from_writer(Vec::new()) };
        table.row(header);
        table
    }

    fn row<S: AsRef<[u8]>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.writer.write_record(cells).expect("memory takes rows of one width");
    }

    fn text(self) -> String {
        let bytes = self.writer.into_inner().expect("memory can be flushed");
        String::from_utf8(bytes).expect("cells are text")
    }
}
