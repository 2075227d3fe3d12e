//! Writing: a serialiser that makes JSON, and puts lists of `f64` aside as it meets them.

use serde::ser::{self, Impossible, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{Error, METADATA, TENSOR, VALUE};

/// A value as bytes.
///
/// # Errors
/// When it holds maps or raw bytes, which this format has no place for.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let mut tensors = Tensors::default();
    let path = Path { parent: None, part: Part::Root };
    let json = value.serialize(Place { tensors: &mut tensors, path })?.json();
    tensors.header.insert(METADATA.to_owned(), json!({ VALUE: json.to_string() }));
    let mut header = Value::Object(tensors.header).to_string().into_bytes();
    // Spaces bring the data to a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut header);
    bytes.append(&mut tensors.data);
    Ok(bytes)
}

/// What was put aside so far.
#[derive(Default)]
struct Tensors {
    header: Map<String, Value>,
    data: Vec<u8>,
}

/// What became of a value.
enum Written {
    Json(Value),
    /// Still to be told whether it belongs to a tensor.
    Float(f64),
}

impl Written {
    fn json(self) -> Value {
        match self {
            Written::Json(value) => value,
            Written::Float(x) if x.is_finite() => json!(x),
            Written::Float(x) => json!(x.to_string()),
        }
    }
}

/// A place in the value.
struct Place<'a> {
    tensors: &'a mut Tensors,
    path: Path<'a>,
}

/// The fields and positions that lead to a place. It becomes text only where it names a tensor.
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    part: Part,
}

#[derive(Clone, Copy)]
enum Part {
    Root,
    Field(&'static str),
    Position(usize),
}

impl Place<'_> {
    fn within(&mut self, part: Part) -> Place<'_> {
        Place { tensors: self.tensors, path: Path { parent: Some(&self.path), part } }
    }
}

impl Path<'_> {
    fn name(&self) -> String {
        let part = match self.part {
            Part::Root => return String::new(),
            Part::Field(name) => name.to_owned(),
            Part::Position(position) => position.to_string(),
        };
        match self.parent.map(Path::name) {
            Some(parent) if !parent.is_empty() => format!("{parent}.{part}"),
            _ => part,
        }
    }
}

/// The elements of a list or the fields of a structure, and the variant they belong to.
struct Parts<'a> {
    place: Place<'a>,
    variant: Option<&'static str>,
    /// Where the tensor began, if this list is one.
    tensor: Option<usize>,
    elements: Vec<Value>,
    fields: Map<String, Value>,
}

impl<'a> Parts<'a> {
    fn of(place: Place<'a>, variant: Option<&'static str>) -> Self {
        Parts { place, variant, tensor: None, elements: vec![], fields: Map::new() }
    }

    fn element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        let part = Part::Position(self.elements.len());
        let json = value.serialize(self.place.within(part))?.json();
        self.elements.push(json);
        Ok(())
    }

    fn field<T: ?Sized + Serialize>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        let json = value.serialize(self.place.within(Part::Field(key)))?.json();
        self.fields.insert(key.to_owned(), json);
        Ok(())
    }

    fn list(self) -> Written {
        tagged(self.variant, Value::Array(self.elements))
    }

    fn structure(self) -> Written {
        tagged(self.variant, Value::Object(self.fields))
    }
}

fn tagged(variant: Option<&str>, value: Value) -> Written {
    Written::Json(match variant {
        Some(variant) => json!({ variant: value }),
        None => value,
    })
}

impl ser::SerializeSeq for Parts<'_> {
    type Ok = Written;
    type Error = Error;

    /// All elements of a list are of one type, so the first tells whether it is a tensor.
    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        let part = Part::Position(self.elements.len());
        let data = self.place.tensors.data.len();
        match (value.serialize(self.place.within(part))?, self.tensor) {
            (Written::Float(x), _) if self.elements.is_empty() => {
                self.tensor.get_or_insert(data);
                self.place.tensors.data.extend_from_slice(&x.to_le_bytes());
            }
            (written, None) => self.elements.push(written.json()),
            (_, Some(_)) => return Err(ser::Error::custom("a list of mixed types")),
        }
        Ok(())
    }

    fn end(self) -> Result<Written, Error> {
        let Some(start) = self.tensor else { return Ok(self.list()) };
        let (tensors, name) = (self.place.tensors, self.place.path.name());
        let end = tensors.data.len();
        let entry =
            json!({"dtype": "F64", "shape": [(end - start) / 8], "data_offsets": [start, end]});
        let json = json!({ TENSOR: name });
        tensors.header.insert(name, entry);
        Ok(Written::Json(json))
    }
}

impl ser::SerializeTuple for Parts<'_> {
    type Ok = Written;
    type Error = Error;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        self.element(value)
    }

    fn end(self) -> Result<Written, Error> {
        Ok(self.list())
    }
}

impl ser::SerializeTupleStruct for Parts<'_> {
    type Ok = Written;
    type Error = Error;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        self.element(value)
    }

    fn end(self) -> Result<Written, Error> {
        Ok(self.list())
    }
}

impl ser::SerializeTupleVariant for Parts<'_> {
    type Ok = Written;
    type Error = Error;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        self.element(value)
    }

    fn end(self) -> Result<Written, Error> {
        Ok(self.list())
    }
}

impl ser::SerializeStruct for Parts<'_> {
    type Ok = Written;
    type Error = Error;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.field(key, value)
    }

    fn end(self) -> Result<Written, Error> {
        Ok(self.structure())
    }
}

impl ser::SerializeStructVariant for Parts<'_> {
    type Ok = Written;
    type Error = Error;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.field(key, value)
    }

    fn end(self) -> Result<Written, Error> {
        Ok(self.structure())
    }
}

/// Methods for what JSON has as it is.
macro_rules! scalars {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<Self::Ok, Error> {
            Ok(Written::Json(json!(value)))
        })*
    };
}

impl<'a> Serializer for Place<'a> {
    type Ok = Written;
    type Error = Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Impossible<Written, Error>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    scalars!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_char: char, serialize_str: &str
    );

    fn serialize_f32(self, value: f32) -> Result<Written, Error> {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<Written, Error> {
        Ok(Written::Float(value))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Written, Error> {
        Err(ser::Error::custom("raw bytes have no place here"))
    }

    fn serialize_none(self) -> Result<Written, Error> {
        Ok(Written::Json(Value::Null))
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Written, Error> {
        // Not a float even if it is one: others of the same list may be missing.
        Ok(Written::Json(value.serialize(self)?.json()))
    }

    fn serialize_unit(self) -> Result<Written, Error> {
        Ok(Written::Json(Value::Null))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Written, Error> {
        Ok(Written::Json(Value::Null))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Written, Error> {
        Ok(Written::Json(json!(variant)))
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Written, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Written, Error> {
        Ok(tagged(Some(variant), value.serialize(self)?.json()))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Error> {
        Ok(Parts::of(self, None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Error> {
        Ok(Parts::of(self, None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Error> {
        Ok(Parts::of(self, None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Error> {
        Ok(Parts::of(self, Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Error> {
        Err(ser::Error::custom("maps have no place here"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Error> {
        Ok(Parts::of(self, None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Error> {
        Ok(Parts::of(self, Some(variant)))
    }
}
