//! Which columns a Parquet file has, and what the values of each are.

use ::parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use ::parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

/// A column of the file, at the top of its schema.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    /// Its place among the leaves of the schema, and what its values are.
    pub(super) leaf: Result<(usize, Kind), Unread>,
}

/// Values that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Int32,
    Uint32,
    Int64,
    Uint64,
    Float,
    Double,
    Text,
    /// Whole numbers of this many 10ths of 10ths …: 1234 is 12.34 where it is 2.
    Decimal(usize),
}

/// What a column holds that is not read, in words.
pub(super) type Unread = &'static str;

pub(super) const DATES: Unread = "dates";
pub(super) const TIMES: Unread = "times";
pub(super) const NESTED: Unread = "lists or records";
const BYTES: Unread = "bytes without a meaning";

/// The columns, in the order of the file.
pub(super) fn fields(schema: &SchemaDescriptor) -> Vec<Field> {
    let roots = schema.root_schema().get_fields().iter().enumerate();
    let field = |(position, root): (usize, &::parquet::schema::types::TypePtr)| {
        let leaf = (0..schema.num_columns())
            .find(|&leaf| schema.get_column_root_idx(leaf) == position)
            .ok_or(NESTED);
        let is_plain =
            root.is_primitive() && root.get_basic_info().repetition() != Repetition::REPEATED;
        let leaf = leaf.and_then(|leaf| match is_plain {
            true => kind(&schema.column(leaf)).map(|kind| (leaf, kind)),
            false => Err(NESTED),
        });
        Field { name: root.name().trim().to_string(), leaf }
    };
    roots.map(field).collect()
}

fn kind(column: &ColumnDescriptor) -> Result<Kind, Unread> {
    let physical = column.physical_type();
    let scale = || usize::try_from(column.type_scale()).map_err(|_| BYTES);
    if let Some(logical) = column.logical_type_ref() {
        match logical {
            LogicalType::Date => return Err(DATES),
            LogicalType::Time(_) | LogicalType::Timestamp(_) => return Err(TIMES),
            LogicalType::Decimal(_) => return Ok(Kind::Decimal(scale()?)),
            LogicalType::Integer(int) if !int.is_signed => return unsigned(physical),
            LogicalType::Integer(_) | LogicalType::Unknown => {}
            LogicalType::String | LogicalType::Enum | LogicalType::Json => {}
            LogicalType::Float16 => return Err("numbers of 16 bits"),
            _ => return Err(BYTES),
        }
    }
    match column.converted_type() {
        ConvertedType::DATE => Err(DATES),
        ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS => Err(TIMES),
        ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS => Err(TIMES),
        ConvertedType::INTERVAL => Err("lengths of time"),
        ConvertedType::BSON => Err(BYTES),
        ConvertedType::DECIMAL => Ok(Kind::Decimal(scale()?)),
        ConvertedType::UINT_8
        | ConvertedType::UINT_16
        | ConvertedType::UINT_32
        | ConvertedType::UINT_64 => unsigned(physical),
        _ => plain(physical),
    }
}

fn unsigned(physical: Physical) -> Result<Kind, Unread> {
    match physical {
        Physical::INT32 => Ok(Kind::Uint32),
        Physical::INT64 => Ok(Kind::Uint64),
        _ => Err(BYTES),
    }
}

/// What values are that have no meaning beside their physical type. Bytes are taken for text, as
/// some programs write texts so.
fn plain(physical: Physical) -> Result<Kind, Unread> {
    match physical {
        Physical::BOOLEAN => Ok(Kind::Boolean),
        Physical::INT32 => Ok(Kind::Int32),
        Physical::INT64 => Ok(Kind::Int64),
        Physical::INT96 => Err(TIMES),
        Physical::FLOAT => Ok(Kind::Float),
        Physical::DOUBLE => Ok(Kind::Double),
        Physical::BYTE_ARRAY => Ok(Kind::Text),
        Physical::FIXED_LEN_BYTE_ARRAY => Err(BYTES),
    }
}
