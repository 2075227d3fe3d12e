//! Writes Parquet files, column by column.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// The values of a column; none where a cell is null.
#[derive(Clone)]
pub enum Values {
    Bool(Vec<Option<bool>>),
    I32(Vec<Option<i32>>),
    I64(Vec<Option<i64>>),
    F32(Vec<Option<f32>>),
    F64(Vec<Option<f64>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Fixed(Vec<Option<Vec<u8>>>),
}

impl Values {
    pub fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Values {
        // The empty cells of a CSV are nulls.
        let bytes = |text: &str| (!text.is_empty()).then(|| text.as_bytes().to_vec());
        Values::Bytes(texts.into_iter().map(bytes).collect())
    }

    pub fn doubles(values: &[f64]) -> Values {
        Values::F64(values.iter().map(|&value| Some(value)).collect())
    }

    fn len(&self) -> usize {
        match self {
            Values::Bool(values) => values.len(),
            Values::I32(values) => values.len(),
            Values::I64(values) => values.len(),
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
            Values::Bytes(values) | Values::Fixed(values) => values.len(),
        }
    }
}

/// How a file is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub codec: Compression,
    pub dictionary: bool,
    pub rows_per_group: usize,
    pub rows_per_page: usize,
}

pub const PLAIN: Layout = Layout {
    codec: Compression::SNAPPY,
    dictionary: true,
    rows_per_group: 1 << 20,
    rows_per_page: 20_000,
};

impl Layout {
    fn properties(self) -> WriterPropertiesBuilder {
        WriterProperties::builder()
            .set_compression(self.codec)
            .set_dictionary_enabled(self.dictionary)
            .set_write_batch_size(self.rows_per_page)
            .set_data_page_row_count_limit(self.rows_per_page)
    }
}

/// Writes columns, each with its line of a Parquet schema such as `optional int64 day`. Those that
/// are `required` have no nulls; a `repeated` one gets a list of at most one value in each row.
pub fn write(path: &Path, layout: Layout, columns: &[(&str, Values)]) {
    let fields: String = columns.iter().map(|(field, _)| format!("{field}; ")).collect();
    let schema = parse_message_type(&format!("message m {{ {fields} }}")).expect("a schema");
    let file = File::create(path).expect("a file of the test");
    let properties = Arc::new(layout.properties().build());
    let mut writer =
        SerializedFileWriter::new(file, Arc::new(schema), properties).expect("a writer");
    let n_rows = columns.first().map_or(0, |(_, values)| values.len());
    for start in (0..n_rows).step_by(layout.rows_per_group) {
        let rows = start..n_rows.min(start + layout.rows_per_group);
        let mut group = writer.next_row_group().expect("a row group");
        for (field, values) in columns {
            let mut column = group.next_column().expect("a column").expect("one is left");
            let null = !field.starts_with("required");
            let repeated = field.starts_with("repeated");
            let rows = rows.clone();
            let bytes = |value: &Vec<u8>| ByteArray::from(value.clone());
            match (column.untyped(), values) {
                (ColumnWriter::BoolColumnWriter(w), Values::Bool(v)) => {
                    put(w, null, repeated, &v[rows])
                }
                (ColumnWriter::Int32ColumnWriter(w), Values::I32(v)) => {
                    put(w, null, repeated, &v[rows])
                }
                (ColumnWriter::Int64ColumnWriter(w), Values::I64(v)) => {
                    put(w, null, repeated, &v[rows])
                }
                (ColumnWriter::FloatColumnWriter(w), Values::F32(v)) => {
                    put(w, null, repeated, &v[rows])
                }
                (ColumnWriter::DoubleColumnWriter(w), Values::F64(v)) => {
                    put(w, null, repeated, &v[rows])
                }
                (ColumnWriter::ByteArrayColumnWriter(w), Values::Bytes(v)) => {
                    let values = v[rows].iter().map(|value| value.as_ref().map(bytes));
                    put(w, null, repeated, &values.collect::<Vec<_>>());
                }
                (ColumnWriter::FixedLenByteArrayColumnWriter(w), Values::Fixed(v)) => {
                    let fixed = |value: &Vec<u8>| FixedLenByteArray::from(bytes(value));
                    let values = v[rows].iter().map(|value| value.as_ref().map(fixed));
                    put(w, null, repeated, &values.collect::<Vec<_>>());
                }
                _ => panic!("{field} holds other values"),
            }
            column.close().expect("the column is written");
        }
        group.close().expect("the row group is written");
    }
    writer.close().expect("the file is written");
}

fn put<T: DataType>(
    writer: &mut parquet::column::writer::ColumnWriterImpl<'_, T>,
    nullable: bool,
    repeated: bool,
    values: &[Option<T::T>],
) {
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let there: Vec<T::T> = values.iter().flatten().cloned().collect();
    assert!(nullable || there.len() == values.len(), "a required column has no nulls");
    let levels = nullable.then_some(levels.as_slice());
    let starts = vec![0; values.len()];
    writer
        .write_batch(&there, levels, repeated.then_some(&starts))
        .expect("the values are written");
}
