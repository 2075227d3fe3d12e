//! Any serialisable value as safetensors: its lists of `f64` are tensors named by their place,
//! such as `fit.guide.global.loc`, and the rest is JSON beside them.
//!
//! ```text
//! length of the header 8 | header (JSON) | tensors, little-endian, one after another
//! header: {"__metadata__": {"value": "…"}, "a.b": {"dtype": "F64", "shape": [3], "data_offsets": [0, 24]}, …}
//! ```
//!
//! In the JSON of `value` a list is `{"tensor": "a.b"}`, and a number that is not finite is the
//! string `NaN`, `inf` or `-inf`. So every value comes back with the same bits (of a NaN, as some
//! NaN), other languages can read it, and reading runs no code.

mod read;
mod write;

use std::fmt;

pub use read::decode;
pub use write::encode;

const METADATA: &str = "__metadata__";
const VALUE: &str = "value";
const TENSOR: &str = "tensor";

/// Why a value cannot be written or read.
#[derive(Debug, PartialEq, Eq)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Error {
        Error(message.to_string())
    }
}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Error {
        Error(message.to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Disc(f64),
        Box { sides: Vec<f64>, corner: (usize, f64) },
        Both(Box<Shape>, Box<Shape>),
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Named(Vec<f64>);

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct All {
        shapes: Vec<Shape>,
        named: Named,
        rows: Vec<Vec<f64>>,
        empty: Vec<f64>,
        steps: Vec<i32>,
        text: String,
        is: bool,
        seed: u64,
        none: Option<f64>,
        some: Option<Vec<f64>>,
        limits: [f64; 2],
        unit: (),
    }

    fn all() -> All {
        let disc = Shape::Disc(f64::NEG_INFINITY);
        let sides = vec![1.0, -0.0, 5e-324, f64::INFINITY];
        let square = Shape::Box { sides, corner: (3, 0.1) };
        let both = Shape::Both(Box::new(Shape::Point), Box::new(disc.clone()));
        All {
            shapes: vec![Shape::Point, disc, square, both],
            named: Named(vec![0.1 + 0.2]),
            rows: vec![vec![1.0], vec![], vec![2.0, 3.0]],
            empty: vec![],
            steps: vec![-1, 0, i32::MAX],
            text: "tensor \"é\"\n".to_owned(),
            is: true,
            seed: u64::MAX,
            none: None,
            some: Some(vec![f64::MAX]),
            limits: [1.0 / 3.0, f64::MIN_POSITIVE],
            unit: (),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = encode(&all()).unwrap();
        assert_eq!(decode::<All>(&bytes).unwrap(), all());
        let nan: Vec<f64> = decode(&encode(&vec![f64::NAN, 2.0]).unwrap()).unwrap();
        assert!(nan[0].is_nan() && nan[1] == 2.0);
        assert!(decode::<f64>(&encode(&f64::NAN).unwrap()).unwrap().is_nan());
    }

    /// The layout is that of the format's description: eight bytes of length, JSON, data.
    #[test]
    fn others_can_read_it() {
        let bytes = encode(&all()).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        let data = &bytes[8 + length..];
        let row = &header["rows.2"];
        assert_eq!((&row["dtype"], &row["shape"]), (&"F64".into(), &serde_json::json!([2])));
        let offsets = row["data_offsets"].as_array().unwrap();
        let [start, end] = [0, 1].map(|k| offsets[k].as_u64().unwrap() as usize);
        let expected = [2.0_f64, 3.0].map(f64::to_le_bytes).concat();
        assert_eq!(&data[start..end], expected);
        // Tensors fill the data without gaps.
        let tensors = header.as_object().unwrap().iter().filter(|(name, _)| *name != METADATA);
        let mut borders: Vec<_> = tensors
            .map(|(_, tensor)| {
                let at = |k: usize| tensor["data_offsets"][k].as_u64().unwrap() as usize;
                (at(0), at(1))
            })
            .collect();
        borders.sort_unstable();
        let end = borders.iter().fold(0, |reached, &(start, end)| {
            assert_eq!(reached, start);
            end
        });
        assert_eq!(end, data.len());
    }

    #[test]
    fn what_is_damaged_is_an_error_or_another_value() {
        let bytes = encode(&all()).unwrap();
        for length in 0..bytes.len() {
            assert!(decode::<All>(&bytes[..length]).is_err(), "{length} bytes");
        }
        for at in 0..bytes.len() {
            for flip in [1, 0x20, 0x80] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                // A changed figure cannot be told here; a panic would be a bug.
                let _ = decode::<All>(&damaged);
            }
        }
    }
}
