//! Reading: a deserialiser over the JSON that finds lists of `f64` among the tensors.

use std::collections::HashMap;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde_json::{Map, Value};

use super::{Error, METADATA, TENSOR, VALUE};

/// The value that [`super::encode`] made these bytes of.
///
/// # Errors
/// When they are no safetensors, or hold another type of value.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let error = |what: &str| Error(what.to_owned());
    let (length, rest) = bytes.split_first_chunk().ok_or_else(|| error("it is too short"))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (header, data) = rest.split_at_checked(length).ok_or_else(|| error("it is too short"))?;
    let header: Map<String, Value> =
        serde_json::from_slice(header).map_err(|fault| Error(fault.to_string()))?;
    let value = header.get(METADATA).and_then(|metadata| metadata[VALUE].as_str());
    let value = value.ok_or_else(|| error("it holds no value"))?;
    let value: Value = serde_json::from_str(value).map_err(|fault| Error(fault.to_string()))?;
    let mut tensors = HashMap::new();
    let mut n_bytes = 0;
    for (name, tensor) in header.iter().filter(|(name, _)| *name != METADATA) {
        let floats = floats(tensor, data).ok_or_else(|| Error(format!("no tensor {name}")))?;
        n_bytes += floats.len();
        tensors.insert(name.as_str(), floats);
    }
    if n_bytes != data.len() {
        return Err(error("its tensors are not of the length of its data"));
    }
    T::deserialize(Reader { value: &value, tensors: &tensors })
}

/// The bytes of a tensor.
fn floats<'a>(tensor: &Value, data: &'a [u8]) -> Option<&'a [u8]> {
    let offset = |k: usize| tensor["data_offsets"][k].as_u64()?.try_into().ok();
    let floats = data.get(offset(0)?..offset(1)?)?;
    (tensor["dtype"] == "F64" && floats.len().is_multiple_of(8)).then_some(floats)
}

/// A part of the value.
#[derive(Clone, Copy)]
struct Reader<'a> {
    value: &'a Value,
    tensors: &'a HashMap<&'a str, &'a [u8]>,
}

impl<'a> Reader<'a> {
    fn within(self, value: &'a Value) -> Self {
        Reader { value, ..self }
    }

    /// The tensor that stands here, if one does.
    fn tensor(self) -> Option<&'a [u8]> {
        let name = self.value.as_object()?.get(TENSOR)?.as_str()?;
        self.tensors.get(name).copied()
    }

    fn mismatch<T>(self, expected: &str) -> Result<T, Error> {
        Err(de::Error::custom(format!("{expected} is expected and not {}", self.value)))
    }
}

impl<'de> IntoDeserializer<'de, Error> for Reader<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::String(text) => visitor.visit_str(text),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(n), _, _) => visitor.visit_u64(n),
                (None, Some(n), _) => visitor.visit_i64(n),
                (None, None, Some(x)) => visitor.visit_f64(x),
                (None, None, None) => self.mismatch("a number"),
            },
            Value::Array(elements) => visitor
                .visit_seq(SeqDeserializer::new(elements.iter().map(|value| self.within(value)))),
            Value::Object(fields) => match self.tensor() {
                Some(bytes) => {
                    let (floats, _) = bytes.as_chunks();
                    let floats = floats.iter().map(|float| f64::from_le_bytes(*float));
                    visitor.visit_seq(SeqDeserializer::new(floats))
                }
                None => {
                    let fields = fields.iter().map(|(key, value)| (&**key, self.within(value)));
                    visitor.visit_map(MapDeserializer::new(fields))
                }
            },
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value.as_str() {
            Some("NaN") => visitor.visit_f64(f64::NAN),
            Some("inf") => visitor.visit_f64(f64::INFINITY),
            Some("-inf") => visitor.visit_f64(f64::NEG_INFINITY),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Value::String(name) => visitor.visit_enum(name.as_str().into_deserializer()),
            Value::Object(fields) if fields.len() == 1 => {
                let (name, value) = fields.iter().next().expect("there is one");
                visitor.visit_enum(Variant { name, content: self.within(value) })
            }
            _ => self.mismatch("a variant"),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A variant with content.
struct Variant<'a> {
    name: &'a str,
    content: Reader<'a>,
}

impl<'a, 'de> de::EnumAccess<'de> for Variant<'a> {
    type Error = Error;
    type Variant = Reader<'a>;

    fn variant_seed<S: de::DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Reader<'a>), Error> {
        let name: de::value::StrDeserializer<'_, Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self.content))
    }
}

impl<'de> de::VariantAccess<'de> for Reader<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.mismatch("nothing")
    }

    fn newtype_variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }
}
