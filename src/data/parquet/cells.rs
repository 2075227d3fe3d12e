//! The cells of one column, a few thousand rows at a time.

use std::io::Write;

use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{AsBytes, DataType};
use ::parquet::errors::{ParquetError, Result};

use super::kind::Kind;
use crate::data::load::Cell;

/// A column of a row group, and the cells of the rows at hand.
pub(super) struct ColumnCells {
    kind: Kind,
    reader: ColumnReader,
    is_nullable: bool,
    as_text: bool,
    numbers: Vec<f64>,
    bytes: Vec<u8>,
    /// Where in `bytes` the text of each row ends; none where cells are numbers.
    ends: Vec<usize>,
}

impl ColumnCells {
    /// Before the first row of a group. `as_text` gives numbers as texts.
    pub(super) fn new(
        kind: Kind,
        reader: ColumnReader,
        is_nullable: bool,
        as_text: bool,
    ) -> ColumnCells {
        // Decimals are not the numbers that their text is until it is read.
        let as_text = as_text || matches!(kind, Kind::Text | Kind::Decimal(_));
        let (numbers, bytes, ends) = (Vec::new(), Vec::new(), Vec::new());
        ColumnCells { kind, reader, is_nullable, as_text, numbers, bytes, ends }
    }

    /// The cell of a row of those at hand; empty where it is null or NaN.
    pub(super) fn cell(&self, row: usize) -> Cell<'_> {
        if !self.as_text {
            let number = self.numbers[row];
            return if number.is_nan() { Cell::Text(b"") } else { Cell::Number(number) };
        }
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        Cell::Text(&self.bytes[start..self.ends[row]])
    }

    /// Goes on to the next `n` rows.
    ///
    /// # Errors
    /// When the file has them not, or is not as its format wants it.
    pub(super) fn advance(&mut self, n: usize) -> Result<()> {
        self.numbers.clear();
        self.bytes.clear();
        self.ends.clear();
        let (kind, is_nullable) = (self.kind, self.is_nullable);
        let mut out = Out {
            as_text: self.as_text,
            numbers: &mut self.numbers,
            bytes: &mut self.bytes,
            ends: &mut self.ends,
        };
        match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => {
                each(reader, n, is_nullable, |value| out.boolean(value.copied()))
            }
            ColumnReader::Int32ColumnReader(reader) => {
                each(reader, n, is_nullable, |value| match kind {
                    Kind::Decimal(scale) => out.decimal(value.map(|&v| i128::from(v)), scale),
                    Kind::Uint32 => out.whole(value.map(|&v| i128::from(v.cast_unsigned()))),
                    _ => out.whole(value.copied()),
                })
            }
            ColumnReader::Int64ColumnReader(reader) => {
                each(reader, n, is_nullable, |value| match kind {
                    Kind::Decimal(scale) => out.decimal(value.map(|&v| i128::from(v)), scale),
                    Kind::Uint64 => out.whole(value.map(|&v| i128::from(v.cast_unsigned()))),
                    _ => out.whole(value.copied()),
                })
            }
            ColumnReader::FloatColumnReader(reader) => {
                each(reader, n, is_nullable, |value| out.float(value.copied()))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                each(reader, n, is_nullable, |value| out.double(value.copied()))
            }
            ColumnReader::ByteArrayColumnReader(reader) => each(reader, n, is_nullable, |value| {
                out.bytes_of(value.map(AsBytes::as_bytes), kind)
            }),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                each(reader, n, is_nullable, |value| {
                    out.bytes_of(value.map(AsBytes::as_bytes), kind)
                })
            }
            ColumnReader::Int96ColumnReader(_) => unreachable!("columns of times are not read"),
        }
    }
}

/// Shows `put` the next `n` values; none where a cell is null.
fn each<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    n: usize,
    is_nullable: bool,
    mut put: impl FnMut(Option<&T::T>) -> Result<()>,
) -> Result<()> {
    let (mut values, mut levels) = (Vec::with_capacity(n), Vec::new());
    let mut n_read = 0;
    while n_read < n {
        let levels = is_nullable.then_some(&mut levels);
        let (n_records, _, _) = reader.read_records(n - n_read, levels, None, &mut values)?;
        if n_records == 0 {
            return Err(ParquetError::EOF(format!("a column ends {} rows early", n - n_read)));
        }
        n_read += n_records;
    }
    if !is_nullable {
        return values.iter().try_for_each(|value| put(Some(value)));
    }
    let mut values = values.iter();
    levels.iter().try_for_each(|&level| match level {
        0 => put(None),
        _ => put(Some(values.next().ok_or_else(too_few)?)),
    })
}

fn too_few() -> ParquetError {
    ParquetError::General("a column has fewer values than it says".to_string())
}

/// Where the cells of a column are written, as numbers or as texts.
struct Out<'a> {
    as_text: bool,
    numbers: &'a mut Vec<f64>,
    bytes: &'a mut Vec<u8>,
    ends: &'a mut Vec<usize>,
}

impl Out<'_> {
    fn text(&mut self, text: Option<std::fmt::Arguments<'_>>) -> Result<()> {
        if let Some(text) = text {
            self.bytes.write_fmt(text)?;
        }
        self.ends.push(self.bytes.len());
        Ok(())
    }

    fn number(&mut self, value: Option<f64>) -> Result<()> {
        self.numbers.push(value.unwrap_or(f64::NAN));
        Ok(())
    }

    fn boolean(&mut self, value: Option<bool>) -> Result<()> {
        match (self.as_text, value) {
            (false, value) => self.number(value.map(f64::from)),
            (true, Some(true)) => self.text(Some(format_args!("TRUE"))),
            (true, Some(false)) => self.text(Some(format_args!("FALSE"))),
            (true, None) => self.text(None),
        }
    }

    fn whole<T: Whole>(&mut self, value: Option<T>) -> Result<()> {
        match (self.as_text, value) {
            (false, value) => self.number(value.map(T::to_f64)),
            (true, Some(value)) => self.text(Some(format_args!("{value}"))),
            (true, None) => self.text(None),
        }
    }

    /// As a number exactly what the 32 bits are; as a text the shortest that means these bits.
    fn float(&mut self, value: Option<f32>) -> Result<()> {
        match (self.as_text, value) {
            (false, value) => self.number(value.map(f64::from)),
            (true, Some(value)) if !value.is_nan() => {
                self.text(Some(format_args!("{}", value + 0.0)))
            }
            (true, _) => self.text(None),
        }
    }

    fn double(&mut self, value: Option<f64>) -> Result<()> {
        match (self.as_text, value) {
            (false, value) => self.number(value),
            (true, Some(value)) if !value.is_nan() => {
                self.text(Some(format_args!("{}", value + 0.0)))
            }
            (true, _) => self.text(None),
        }
    }

    fn bytes_of(&mut self, value: Option<&[u8]>, kind: Kind) -> Result<()> {
        match (kind, value) {
            (Kind::Decimal(scale), Some(value)) => self.decimal(Some(signed(value)?), scale),
            (_, Some(value)) => {
                self.bytes.extend_from_slice(value);
                self.text(None)
            }
            (_, None) => self.text(None),
        }
    }

    fn decimal(&mut self, value: Option<i128>, scale: usize) -> Result<()> {
        let Some(value) = value else { return self.text(None) };
        let sign = if value < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        match fraction {
            "" => self.text(Some(format_args!("{sign}{whole}"))),
            _ => self.text(Some(format_args!("{sign}{whole}.{fraction}"))),
        }
    }
}

/// A whole number of two's complement, its highest byte first.
fn signed(bytes: &[u8]) -> Result<i128> {
    let too_long = || ParquetError::General("a decimal has more than 38 digits".to_string());
    let start = size_of::<i128>().checked_sub(bytes.len()).ok_or_else(too_long)?;
    let is_negative = bytes.first().is_some_and(|&byte| byte >= 0x80);
    let mut whole = if is_negative { [0xff; 16] } else { [0; 16] };
    whole[start..].copy_from_slice(bytes);
    Ok(i128::from_be_bytes(whole))
}

/// Whole numbers of any width.
trait Whole: Copy + std::fmt::Display {
    /// The nearest `f64`.
    fn to_f64(self) -> f64;
}

impl Whole for i32 {
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Whole for i64 {
    fn to_f64(self) -> f64 {
        self as f64
    }
}

impl Whole for i128 {
    fn to_f64(self) -> f64 {
        self as f64
    }
}
