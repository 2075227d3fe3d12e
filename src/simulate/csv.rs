//! Simulated data as CSV.

use super::Simulated;
use crate::data::BoundData;
use crate::schema::{Datum, Origin};
use crate::ty::{Element, Level};

impl Simulated {
    /// The rows as CSV: the key, then every column that the model reads, drawn or given. Rows
    /// stand branch by branch, in the order of the keys. A branch without rows has none here.
    pub fn to_csv(&self) -> String {
        let data = &self.data;
        let columns: Vec<CsvColumn> = columns(data);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let keys: Vec<&str> = match data.schema().key.is_empty() {
            true => Vec::new(),
            false => data.key_columns().iter().map(String::as_str).collect(),
        };
        let header = keys.iter().copied().chain(columns.iter().map(|column| column.name.as_str()));
        let written = "writing to memory succeeds";
        writer.write_record(header).expect(written);
        for branch in 0..data.n_branches() {
            let key = data.key(branch);
            for row in data.rows(branch) {
                let key = key.iter().take(keys.len()).map(|part| part.to_string());
                let cells = columns.iter().map(|column| column.cell(data, branch, row));
                writer.write_record(key.chain(cells)).expect(written);
            }
        }
        let bytes = writer.into_inner().expect(written);
        String::from_utf8(bytes).expect("columns and cells are text")
    }
}

/// A column of the file.
struct CsvColumn {
    name: String,
    datum: usize,
    /// Which of the numbers of each unit.
    position: usize,
}

fn columns(data: &BoundData) -> Vec<CsvColumn> {
    let mut columns: Vec<CsvColumn> = Vec::new();
    for (datum, declared) in data.schema().data.iter().enumerate() {
        if declared.level == Level::Whole && !declared.per_row {
            continue;
        }
        for (position, name) in names(data, datum, declared).into_iter().enumerate() {
            let is_new = columns.iter().all(|column| column.name != name);
            if is_new && !data.schema().key.contains(&name) {
                columns.push(CsvColumn { name, datum, position });
            }
        }
    }
    columns
}

/// The columns a datum was read from, or would be.
fn names(data: &BoundData, datum: usize, declared: &Datum) -> Vec<String> {
    let known = data.columns(datum);
    match &declared.origin {
        Origin::Column(name) => vec![name.clone()],
        Origin::Columns(_) if !known.is_empty() => known.to_vec(),
        // A pattern that was not looked up, as its columns are drawn.
        Origin::Columns(patterns) => {
            let n = data.inner(datum);
            match patterns.as_slice() {
                [pattern] if pattern.contains('*') => {
                    (1..=n).map(|k| pattern.replacen('*', &k.to_string(), 1)).collect()
                }
                names => names.to_vec(),
            }
        }
        _ => Vec::new(),
    }
}

impl CsvColumn {
    fn cell(&self, data: &BoundData, branch: usize, row: usize) -> String {
        let declared = &data.schema().data[self.datum];
        let unit = if declared.per_row { row } else { branch };
        let value = data.values(self.datum)[unit * data.inner(self.datum) + self.position];
        if let Some(level) = data.level_name(self.datum, value) {
            return level.to_string();
        }
        match declared.element {
            Element::Int => format!("{}", value as i64),
            Element::Real => format!("{value}"),
        }
    }
}
