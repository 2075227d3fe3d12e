//! Whole data that are set by name: `--set NAME=VALUE`, or `Dataset::set`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{DataError, DataErrorKind, show_number, show_text};
use super::names::nearest;
use super::number::{Fault, check_finite, check_whole};
use crate::schema::{Datum, Origin, Schema};
use crate::ty::Element;

/// A number, or numbers in nested arrays of one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetValue {
    dims: Vec<usize>,
    values: Vec<f64>,
}

impl SetValue {
    /// A JSON number, `true` or `false` (1 or 0), or nested arrays of these; arrays of one
    /// array must be equally long.
    pub fn from_json(json: &Value) -> Result<SetValue, DataError> {
        let mut dims = Vec::new();
        let mut inner = json;
        while let Value::Array(items) = inner {
            dims.push(items.len());
            match items.first() {
                Some(first) => inner = first,
                None => break,
            }
        }
        let mut values = Vec::new();
        flatten(json, &dims, &mut values)?;
        Ok(SetValue { dims, values })
    }

    /// The same from JSON text, as typed behind `--set NAME=`.
    pub fn parse(text: &str) -> Result<SetValue, DataError> {
        let json: Value = serde_json::from_str(text).map_err(|_| not_a_value(text))?;
        SetValue::from_json(&json)
    }

    fn shape(&self) -> String {
        match self.dims.as_slice() {
            [] => "one number".to_string(),
            dims => {
                let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
                format!("an array of shape [{}]", dims.join(", "))
            }
        }
    }
}

impl From<f64> for SetValue {
    fn from(value: f64) -> SetValue {
        SetValue { dims: Vec::new(), values: vec![value] }
    }
}

impl From<Vec<f64>> for SetValue {
    fn from(values: Vec<f64>) -> SetValue {
        SetValue { dims: vec![values.len()], values }
    }
}

/// Appends the numbers of `json`, which must have the shape `dims`. JSON from text nests no
/// deeper than its parser allows, so the recursion is bounded.
fn flatten(json: &Value, dims: &[usize], values: &mut Vec<f64>) -> Result<(), DataError> {
    match (json, dims) {
        (Value::Array(items), [length, inner @ ..]) if items.len() == *length => {
            items.iter().try_for_each(|item| flatten(item, inner, values))
        }
        (Value::Array(_), _) | (_, [_, ..]) => Err(ragged()),
        (Value::Bool(flag), []) => {
            values.push(f64::from(u8::from(*flag)));
            Ok(())
        }
        (other, []) => {
            let number = other.as_f64().ok_or_else(|| not_a_value(&other.to_string()))?;
            values.push(number);
            Ok(())
        }
    }
}

fn ragged() -> DataError {
    let message = "the arrays of a value that is set differ in length or depth";
    DataError::new(DataErrorKind::Setting, message)
        .help("a matrix is a list of rows of one length: `[[1, 2], [3, 4]]`")
}

fn not_a_value(text: &str) -> DataError {
    let message =
        format!("`{}` is not a number or an array of numbers", show_text(text.as_bytes()));
    DataError::new(DataErrorKind::Setting, message)
        .help("write JSON: `--set T=5`, or `--set 'w=[0.5, 1, 2]'`")
}

/// Every setting belongs to a datum that is set, and each of these has its setting.
pub(super) fn check_names(
    schema: &Schema,
    settings: &BTreeMap<String, SetValue>,
) -> Result<(), DataError> {
    let mut settable = schema.data.iter().filter(|datum| datum.origin == Origin::Set);
    if let Some(name) = settings.keys().find(|name| !is_set(schema, name)) {
        return Err(not_settable(schema, name));
    }
    match settable.find(|datum| !settings.contains_key(&datum.name)) {
        Some(datum) => Err(not_set(datum)),
        None => Ok(()),
    }
}

fn is_set(schema: &Schema, name: &str) -> bool {
    schema.data.iter().any(|datum| datum.name == name && datum.origin == Origin::Set)
}

fn not_set(datum: &Datum) -> DataError {
    let message = format!("`{}` has no value", datum.name);
    let help =
        format!("it is one for the whole data set: give it with `--set {}=VALUE`", datum.name);
    DataError::new(DataErrorKind::Setting, message).help(help).at(datum.span)
}

fn not_settable(schema: &Schema, name: &str) -> DataError {
    let error = |message: String| DataError::new(DataErrorKind::Setting, message);
    let rows = schema.rows.as_ref().filter(|rows| rows.name == name);
    if rows.is_some() {
        return error(format!("`{name}` cannot be set: it counts the rows of a branch"))
            .help(format!("leave out `--set {name}`"));
    }
    match schema.data.iter().find(|datum| datum.name == name) {
        Some(datum) if datum.origin == Origin::Derived => {
            error(format!("`{name}` cannot be set: the model computes it"))
                .help(format!("leave out `--set {name}`, or declare it without `=`"))
                .at(datum.span)
        }
        Some(datum) => error(format!("`{name}` cannot be set: it is read from a column"))
            .help(format!("leave out `--set {name}`, or declare it outside `branch`"))
            .at(datum.span),
        None => error(format!("the model has no data named `{name}`"))
            .help(what_can_be_set(schema, name)),
    }
}

fn what_can_be_set(schema: &Schema, name: &str) -> String {
    let names = || schema.data.iter().filter(|d| d.origin == Origin::Set).map(|d| d.name.as_str());
    match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names().next().is_none() => "this model has nothing to set".to_string(),
        None => {
            let listed: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            format!("what can be set: {}", listed.join(", "))
        }
    }
}

/// The numbers of a setting, checked to be finite and, for an `int`, whole.
pub(super) fn numbers(datum: &Datum, setting: &SetValue) -> Result<Vec<f64>, DataError> {
    setting.values.iter().map(|&value| check_number(datum, value)).collect()
}

fn check_number(datum: &Datum, value: f64) -> Result<f64, DataError> {
    let checked = check_finite(value).and_then(|value| match datum.element {
        Element::Int => check_whole(value),
        Element::Real => Ok(value),
    });
    checked.map_err(|fault: Fault| {
        let message =
            format!("`--set {}`: `{}` {}", datum.name, show_number(value), fault.reason());
        let help = format!("give another value with `--set {}=VALUE`", datum.name);
        DataError::new(fault.kind(), message).help(help).at(datum.span)
    })
}

/// The setting's shape against the declared one, where every declared size is known.
pub(super) fn check_shape(
    datum: &Datum,
    setting: &SetValue,
    declared: &[usize],
) -> Result<(), DataError> {
    let both_empty = setting.values.is_empty() && declared.contains(&0);
    if setting.dims == declared || both_empty {
        return Ok(());
    }
    let declared: Vec<String> = declared.iter().map(usize::to_string).collect();
    let wanted = match declared.as_slice() {
        [] => "one number".to_string(),
        dims => format!("shape [{}]", dims.join(", ")),
    };
    let message = format!(
        "`--set {}` gives {}; `{}` needs {wanted}",
        datum.name,
        setting.shape(),
        datum.type_text
    );
    Err(DataError::new(DataErrorKind::Shape, message)
        .help("arrays are nested as in JSON, a matrix is a list of rows")
        .at(datum.span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_numbers_with_a_shape() {
        let value = |text| SetValue::parse(text).map(|v| (v.dims, v.values));
        assert_eq!(value("5"), Ok((vec![], vec![5.0])));
        assert_eq!(value("true"), Ok((vec![], vec![1.0])));
        assert_eq!(value("[]"), Ok((vec![0], vec![])));
        assert_eq!(value("[[1, 2, 3], [4, 5, 6]]"), Ok((vec![2, 3], vec![1., 2., 3., 4., 5., 6.])));
    }

    #[test]
    fn what_is_not_a_rectangle_of_numbers_is_refused() {
        for text in [
            "[1, [2]]",
            "[[1], [2, 3]]",
            "[[], 1]",
            "\"x\"",
            "null",
            "{}",
            "[1",
            "",
            "1e999",
            "[null]",
        ] {
            assert!(SetValue::parse(text).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(SetValue::parse(&deep).is_err());
    }
}
