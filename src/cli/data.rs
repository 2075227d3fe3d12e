//! `hbdc data`

use hbdc::{BoundData, CompileOptions, DatumSummary};

use super::args::{DataArgs, MessageFormat};
use super::{Outcome, input, print};

/// Prints how each name was bound, and the branches.
pub fn run(args: &DataArgs, format: MessageFormat) -> Outcome {
    let model = input::model(&args.model, &CompileOptions::default(), format)?;
    let bound = input::bind(&model, &args.input, format)?;
    print(&describe(&bound))
}

fn describe(bound: &BoundData) -> String {
    let mut rows = vec![["name", "type", "level", "from", "smallest", "largest"].map(String::from)];
    rows.extend(bound.summary().iter().map(|datum| {
        let (low, high) = match datum.range {
            Some((low, high)) => (short(low), short(high)),
            None => ("-".to_string(), "-".to_string()),
        };
        [datum.name.clone(), datum.type_text.clone(), level(datum), origin(datum), low, high]
    }));
    let mut text = table(&rows);
    let sizes: Vec<usize> = (0..bound.n_branches()).map(|b| bound.rows(b).len()).collect();
    let mut sorted = sizes.clone();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
    text.push_str(&format!(
        "\n{} branches by {}, {} rows; rows per branch: {} to {}, median {median}\n",
        bound.n_branches(),
        bound.key_columns().join(", "),
        bound.n_rows_total(),
        sorted.first().unwrap_or(&0),
        sorted.last().unwrap_or(&0),
    ));
    if bound.n_dropped() > 0 {
        text.push_str(&format!("{} rows with missing values were dropped\n", bound.n_dropped()));
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

fn origin(datum: &DatumSummary) -> String {
    match datum.columns.as_slice() {
        [] => "computed or set".to_string(),
        [one] => format!("column {one}"),
        [first, .., last] => format!("{} columns, {first} to {last}", datum.columns.len()),
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
fn table(rows: &[[String; 6]]) -> String {
    let mut widths = [0; 6];
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
