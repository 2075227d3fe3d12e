//! `hbdc data`

use hbdc::{BoundData, CompileOptions, DatumSummary, LevelsSummary};

use super::args::{DataArgs, MessageFormat};
use super::{Outcome, input, print};

/// Prints how each name was bound, and the branches.
pub fn run(args: &DataArgs, format: MessageFormat) -> Outcome {
    let model = input::model(&args.model, &CompileOptions::default(), format)?;
    let bound = input::bind(&model, &args.input, format)?;
    print(&describe(&bound))
}

/// Levels of a factor that are shown; the others are counted.
const MAX_LEVELS: usize = 10;

fn describe(bound: &BoundData) -> String {
    let mut text = data(bound);
    for levels in bound.levels_summary() {
        text.push_str(&numbered(&levels));
    }
    text.push_str(&branches(bound));
    if bound.n_dropped() > 0 {
        text.push_str(&format!("{} rows with missing values were dropped\n", bound.n_dropped()));
    }
    text
}

fn data(bound: &BoundData) -> String {
    let header = ["name", "type", "level", "from", "smallest", "largest"].map(String::from);
    let mut rows = vec![header];
    rows.extend(bound.summary().iter().map(|datum| {
        let (low, high) = match datum.range {
            Some((low, high)) => (short(low), short(high)),
            None => ("-".to_string(), "-".to_string()),
        };
        let from = origin(datum, bound.source_name());
        [datum.name.clone(), datum.type_text.clone(), level(datum), from, low, high]
    }));
    table(&rows)
}

/// The levels of a factor with the number of their cells, or the size of a table.
fn numbered(levels: &LevelsSummary) -> String {
    let (name, columns, n) = (&levels.name, levels.columns.join(", "), levels.levels.len());
    if let Some(file) = &levels.table {
        return format!("\ntable {name} of {file}: {n} rows by {columns}\n");
    }
    let noun = if n == 1 { "level" } else { "levels" };
    let mut text = format!("\nfactor {name} from {columns}: {n} {noun}\n");
    let numbers = levels.levels.iter().enumerate().take(MAX_LEVELS);
    let shown: Vec<[String; 3]> = numbers
        .map(|(k, (level, count))| [(k + 1).to_string(), level.clone(), count.to_string()])
        .collect();
    let width =
        |at: usize| shown.iter().map(|cells| cells[at].chars().count()).max().unwrap_or_default();
    let widths = [width(0), width(1), width(2)];
    for [number, level, count] in &shown {
        let [a, b, c] = widths;
        text.push_str(&format!("  {number:>a$}  {level:<b$}  {count:>c$} {}\n", cells(count)));
    }
    if n > MAX_LEVELS {
        text.push_str(&format!("  and {} more\n", n - MAX_LEVELS));
    }
    text
}

fn cells(count: &str) -> &'static str {
    if count == "1" { "cell" } else { "cells" }
}

fn branches(bound: &BoundData) -> String {
    let mut sizes: Vec<usize> = (0..bound.n_branches()).map(|b| bound.rows(b).len()).collect();
    sizes.sort_unstable();
    let median = sizes.get(sizes.len() / 2).copied().unwrap_or(0);
    let mut text = format!(
        "\n{} branches by {}, {} rows; rows per branch: {} to {}, median {median}\n",
        bound.n_branches(),
        bound.key_columns().join(", "),
        bound.n_rows_total(),
        sizes.first().unwrap_or(&0),
        sizes.last().unwrap_or(&0),
    );
    let n_empty = sizes.iter().filter(|&&n_rows| n_rows == 0).count();
    if n_empty > 0 {
        let noun = if n_empty == 1 { "branch has" } else { "branches have" };
        text.push_str(&format!("{n_empty} {noun} no rows\n"));
    }
    text
}

fn level(datum: &DatumSummary) -> String {
    match (datum.per_row, datum.is_per_branch()) {
        (true, _) => "row",
        (false, true) => "branch",
        (false, false) => "whole",
    }
    .to_string()
}

/// Where a datum was read, with the file where it is not that of the rows.
fn origin(datum: &DatumSummary, rows: &str) -> String {
    let columns = match datum.columns.as_slice() {
        [] => "computed or set".to_string(),
        [one] => format!("column {one}"),
        [first, .., last] => format!("{} columns, {first} to {last}", datum.columns.len()),
    };
    let file = match &datum.file {
        Some(file) if file != rows => format!(" of {file}"),
        _ => String::new(),
    };
    match datum.n_missing {
        0 => columns + &file,
        1 => format!("{columns}{file}, 1 cell empty"),
        n => format!("{columns}{file}, {n} cells empty"),
    }
}

/// A number in at most six digits.
pub fn short(x: f64) -> String {
    if x == 0.0 {
        return "0".to_string();
    }
    let magnitude = x.abs().log10().floor();
    if !(-5.0..6.0).contains(&magnitude) {
        return format!("{x:.4e}");
    }
    let decimals = (5.0 - magnitude).max(0.0) as usize;
    let text = format!("{x:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

/// Columns padded to the widest cell.
/// Rows of cells in columns of one width each.
pub fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
