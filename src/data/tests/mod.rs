//! What binding promises, on small files. Here are the schemas and files the tests share.

mod branches;
mod laws;
mod numbered;
mod reading;
mod refusals;
mod settings;

use expect_test::Expect;

use super::{BoundData, DataError, Dataset};
use crate::schema::{Bound, Datum, Origin, Rows, Schema};
use crate::source::Span;
use crate::ty::{Element, Level, Size};

/// One value per branch, from the column of its name.
fn branch(name: &str) -> Datum {
    Datum {
        name: name.to_string(),
        table: None,
        numbered: None,
        may_be_missing: false,
        level: Level::Branch,
        per_row: false,
        element: Element::Real,
        dims: Vec::new(),
        lower: None,
        upper: None,
        origin: Origin::Column(name.to_string()),
        span: Span::new(0, 1),
        type_text: "real".to_string(),
    }
}

/// One value per row.
fn per_row(name: &str) -> Datum {
    let type_text = "vector[N]".to_string();
    Datum { per_row: true, dims: vec![Size::rows("N")], type_text, ..branch(name) }
}

/// One whole-data `int` that is set.
fn whole_int(name: &str) -> Datum {
    let (level, origin) = (Level::Whole, Origin::Set);
    int(Datum { level, origin, ..branch(name) })
}

fn int(datum: Datum) -> Datum {
    Datum { element: Element::Int, type_text: "int".to_string(), ..datum }
}

/// `matrix[N, size]` from columns.
fn matrix(name: &str, size: Size, columns: &[&str]) -> Datum {
    let origin = Origin::Columns(columns.iter().map(|c| c.to_string()).collect());
    let type_text = format!("matrix[N, {size}]");
    Datum { dims: vec![Size::rows("N"), size], origin, type_text, ..per_row(name) }
}

fn schema(key: &[&str], data: Vec<Datum>) -> Schema {
    let rows = Rows { name: "N".to_string(), count: None, by: Vec::new(), span: Span::new(2, 3) };
    Schema {
        key: key.iter().map(|k| k.to_string()).collect(),
        rows: Some(rows),
        factors: Vec::new(),
        tables: Vec::new(),
        data,
        missing_reads: Vec::new(),
        drawn_in_turn: Vec::new(),
    }
}

fn by(mut schema: Schema, columns: &[&str]) -> Schema {
    if let Some(rows) = &mut schema.rows {
        rows.by = columns.iter().map(|c| c.to_string()).collect();
    }
    schema
}

fn csv(text: impl AsRef<[u8]>) -> Dataset {
    Dataset::from_csv_bytes("obs.csv", text.as_ref().to_vec()).expect("the header is fine")
}

fn bind(text: &str, schema: &Schema) -> BoundData {
    csv(text).bind_columns(schema).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(dataset: Result<Dataset, DataError>, schema: &Schema, expected: Expect) {
    let error = dataset.and_then(|data| data.bind_columns(schema)).expect_err("it is refused");
    expected.assert_eq(&format!("[{}] {error}", error.code()));
}

fn refused(text: &str, schema: &Schema, expected: Expect) {
    refusal(Dataset::from_csv_bytes("obs.csv", text.as_bytes().to_vec()), schema, expected);
}

fn keys(bound: &BoundData) -> Vec<String> {
    (0..bound.n_branches()).map(|branch| bound.key(branch).join("/")).collect()
}

fn lines(bound: &BoundData) -> Vec<u64> {
    (0..bound.n_rows_total()).filter_map(|row| bound.line(row)).collect()
}

fn schools() -> Schema {
    schema(&["school"], vec![branch("y"), branch("sigma")])
}

fn whole_derived(name: &str) -> Datum {
    Datum { level: Level::Whole, origin: Origin::Derived, ..branch(name) }
}
