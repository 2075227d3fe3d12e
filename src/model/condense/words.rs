//! What is computed once when data are bound, in words.

use super::{Condensed, Extents, condense, conditions, settle};
use crate::ir::op::{Function, ValueType};
use crate::ty::Size;

/// Columns that a matrix is taken to have where its data say how many.
const SUPPOSED_COLUMNS: usize = 4;

/// The function of a branch as it is for data that keep every condition and have many rows a
/// branch, and what was done to it.
pub fn in_words(local: &Function) -> (Function, String) {
    let asked = conditions(local);
    let settled = asked.as_ref().map(|asked| {
        let holds = vec![true; asked.violations.outputs.len()];
        settle(local, asked, &holds)
    });
    let of = |size: &Size| size.as_constant().map_or(SUPPOSED_COLUMNS, |n| n as usize);
    let extents = Extents { mean_rows: f64::INFINITY, of: &of };
    let condensed = condense(settled.as_ref().unwrap_or(local), &extents);
    let mut text = String::from("once, when data are bound\n");
    let n_conditions = asked.map_or(0, |asked| asked.violations.outputs.len());
    if n_conditions > 0 {
        text +=
            &format!("  conditions on data, dropped where all data keep them: {n_conditions}\n");
    }
    for line in of_triangles(&condensed).chain(of_constants(&condensed)) {
        text += &format!("  {line}\n");
    }
    if n_conditions == 0 && !condensed.is_worth_it() {
        text += "  nothing\n";
    }
    (condensed.local, text)
}

fn of_triangles(condensed: &Condensed) -> impl Iterator<Item = String> {
    condensed.triangles.iter().map(|triangle| {
        let outputs = triangle.columns.outputs.iter();
        let types: Vec<String> =
            outputs.map(|output| triangle.columns.values[output.value].ty.to_string()).collect();
        format!(
            "the rows of {} become as many as these have columns, where branches have twice as many",
            types.join(", ")
        )
    })
}

fn of_constants(condensed: &Condensed) -> impl Iterator<Item = String> {
    let constants = &condensed.constants;
    let types = constants.outputs.iter().map(|output| &constants.values[output.value].ty);
    types.map(|ty: &ValueType| format!("of each branch's data alone: {ty}"))
}
