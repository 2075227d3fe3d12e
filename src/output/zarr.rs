//! Writes Zarr version 3 (<https://zarr-specs.readthedocs.io/en/latest/v3/core/>): a folder for
//! each group and array with a `zarr.json`, and the numbers of an array as one uncompressed chunk.
//! Elements are made while they are written, so that an array along the rows of the data is never
//! held as a whole.
//!
//! All metadata stand once more in the `zarr.json` of the root, which is where zarr-python keeps
//! consolidated metadata. Texts are of type `string` with the codec `vlen-utf8`, as xarray has
//! them, both of the registry of extensions (<https://github.com/zarr-developers/zarr-extensions>).

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::OutputError;

/// Arrays that belong together.
pub struct Group<'a> {
    /// Its folder.
    pub name: String,
    /// Whatever else is to be known.
    pub attributes: Value,
    /// Its arrays.
    pub arrays: Vec<Array<'a>>,
}

/// An array with names for its dimensions.
pub struct Array<'a> {
    /// Its folder in the group's.
    pub name: String,
    /// Each dimension's name and size.
    pub dims: Vec<(String, usize)>,
    /// Its elements, row-major.
    pub values: Values<'a>,
    /// Whatever else is to be known.
    pub attributes: Value,
}

/// Elements of one type.
pub enum Values<'a> {
    /// Eight bytes each.
    Reals(Elements<'a, f64>),
    /// Eight bytes each.
    Ints(Elements<'a, i64>),
    /// UTF-8, each after its length.
    Texts(Elements<'a, Rc<str>>),
}

/// So many elements, each made when it is written.
pub struct Elements<'a, T> {
    count: usize,
    each: Box<dyn Iterator<Item = T> + 'a>,
}

impl<'a, T> Elements<'a, T> {
    /// Those of an iterator that gives `count` of them.
    pub fn new(count: usize, each: impl Iterator<Item = T> + 'a) -> Self {
        Elements { count, each: Box::new(each) }
    }
}

impl Values<'_> {
    /// Real numbers that are there.
    pub fn reals(values: Vec<f64>) -> Values<'static> {
        Values::Reals(Elements::new(values.len(), values.into_iter()))
    }

    /// Texts that are there.
    pub fn texts(values: &[String]) -> Values<'_> {
        let each = values.iter().map(|text| Rc::from(text.as_str()));
        Values::Texts(Elements::new(values.len(), each))
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        match self {
            Values::Reals(elements) => elements.count,
            Values::Ints(elements) => elements.count,
            Values::Texts(elements) => elements.count,
        }
    }
}

/// Writes groups of arrays to a new folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path, attributes: &Value, groups: Vec<Group<'_>>) -> Result<(), OutputError> {
    let mut consolidated = Map::new();
    for group in groups {
        let place = folder.join(&group.name);
        let metadata = group_metadata(&group.attributes);
        write_metadata(&place, &metadata)?;
        consolidated.insert(group.name.clone(), consolidate(metadata, Map::new()));
        for array in group.arrays {
            let place = place.join(&array.name);
            let metadata = array.metadata();
            write_metadata(&place, &metadata)?;
            consolidated.insert(format!("{}/{}", group.name, array.name), metadata);
            array.write_chunk(&place)?;
        }
    }
    write_metadata(folder, &consolidate(group_metadata(attributes), consolidated))
}

fn group_metadata(attributes: &Value) -> Value {
    json!({"zarr_format": 3, "node_type": "group", "attributes": attributes})
}

/// Adds the metadata of what a group holds to its own.
fn consolidate(mut group: Value, metadata: Map<String, Value>) -> Value {
    group["consolidated_metadata"] =
        json!({"kind": "inline", "must_understand": false, "metadata": metadata});
    group
}

fn write_metadata(folder: &Path, metadata: &Value) -> Result<(), OutputError> {
    fs::create_dir_all(folder).map_err(|fault| OutputError::Io(folder.to_path_buf(), fault))?;
    let path = folder.join("zarr.json");
    fs::write(&path, format!("{metadata:#}\n")).map_err(|fault| OutputError::Io(path, fault))
}

impl Array<'_> {
    fn metadata(&self) -> Value {
        let shape: Vec<usize> = self.dims.iter().map(|(_, size)| *size).collect();
        // A chunk has at least one element, of an empty array too.
        let chunk: Vec<usize> = shape.iter().map(|&size| size.max(1)).collect();
        let names: Vec<&str> = self.dims.iter().map(|(name, _)| name.as_str()).collect();
        let little_endian = json!({"name": "bytes", "configuration": {"endian": "little"}});
        let (data_type, fill_value, codec) = match self.values {
            Values::Reals(_) => ("float64", json!("NaN"), little_endian),
            Values::Ints(_) => ("int64", json!(0), little_endian),
            Values::Texts(_) => {
                ("string", json!(""), json!({"name": "vlen-utf8", "configuration": {}}))
            }
        };
        json!({
            "zarr_format": 3,
            "node_type": "array",
            "shape": shape,
            "data_type": data_type,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": fill_value,
            "codecs": [codec],
            "attributes": self.attributes,
            "dimension_names": names,
            "storage_transformers": [],
        })
    }

    fn write_chunk(self, folder: &Path) -> Result<(), OutputError> {
        if self.dims.iter().any(|(_, size)| *size == 0) {
            return Ok(());
        }
        // The chunk with index zero in every dimension: `c/0/0`.
        let path: PathBuf = [folder, Path::new("c")]
            .into_iter()
            .chain(self.dims.iter().map(|_| Path::new("0")))
            .collect();
        let parent = path.parent().unwrap_or(folder);
        let written = fs::create_dir_all(parent).and_then(|()| self.values.write(&path));
        written.map_err(|fault| OutputError::Io(path, fault))
    }
}

impl Values<'_> {
    fn write(self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        match self {
            Values::Reals(mut reals) => {
                reals.each.try_for_each(|x| file.write_all(&x.to_le_bytes()))?;
            }
            Values::Ints(mut ints) => {
                ints.each.try_for_each(|x| file.write_all(&x.to_le_bytes()))?;
            }
            Values::Texts(mut texts) => {
                file.write_all(&length(texts.count)?)?;
                texts.each.try_for_each(|text| {
                    file.write_all(&length(text.len())?)?;
                    file.write_all(text.as_bytes())
                })?;
            }
        }
        file.flush()
    }
}

/// A length as `vlen-utf8` has it: four bytes.
fn length(n: usize) -> io::Result<[u8; 4]> {
    let n = u32::try_from(n).map_err(|_| io::Error::other("too many texts, or too long ones"))?;
    Ok(n.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array<'a>(
        name: &str,
        dims: &[(&str, usize)],
        values: Values<'a>,
        attributes: Value,
    ) -> Array<'a> {
        let dims = dims.iter().map(|(name, size)| (name.to_string(), *size)).collect();
        Array { name: name.to_string(), dims, values, attributes }
    }

    fn ints(values: &[i64]) -> Values<'_> {
        Values::Ints(Elements::new(values.len(), values.iter().copied()))
    }

    /// The arrays of `tests/oracle/zarr_fixture.py`.
    fn groups(items: &[String]) -> Vec<Group<'_>> {
        let step = (1e300 - -1.5) / 11.0;
        let b = (0..12).map(|k| if k == 11 { 1e300 } else { f64::from(k) * step - 1.5 }).collect();
        let y = vec![1.0, f64::NAN, f64::NEG_INFINITY];
        let posterior = vec![
            array("b", &[("chain", 2), ("draw", 2), ("item", 3)], Values::reals(b), json!({})),
            array("item", &[("item", 3)], Values::texts(items), json!({})),
            array("chain", &[("chain", 2)], ints(&[0, 1]), json!({})),
        ];
        let observed = vec![
            array("y", &[("row", 3)], Values::reals(y), json!({"coordinates": "person"})),
            array("row", &[("row", 3)], ints(&[2, 3, -(1 << 40)]), json!({})),
        ];
        let group =
            |name: &str, attributes, arrays| Group { name: name.to_string(), attributes, arrays };
        vec![
            group("posterior", json!({"a": 1}), posterior),
            group("observed_data", json!({}), observed),
        ]
    }

    #[test]
    fn files_are_those_that_zarr_python_writes() {
        let fixture: Value = serde_json::from_str(include_str!("../../tests/oracle/zarr.json"))
            .expect("the fixture is JSON");
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("a.zarr");
        let items = ["q1", "ä", ""].map(String::from);
        let attributes = json!({"inference_library": "hbdc"});
        write(&place, &attributes, groups(&items)).expect("it is written");
        let read = |path: &Path| -> Value {
            let text = fs::read(path.join("zarr.json")).expect("metadata");
            serde_json::from_slice(&text).expect("metadata are JSON")
        };
        assert_eq!(read(&place), fixture["root"]);
        let everything = &fixture["root"]["consolidated_metadata"]["metadata"];
        for (path, expected) in everything.as_object().expect("paths") {
            let mut expected = expected.clone();
            let fields = expected.as_object_mut().expect("fields");
            fields.shift_remove("consolidated_metadata");
            assert_eq!(read(&place.join(path)), expected, "{path}");
        }
        for (path, bytes) in fixture["chunks"].as_object().expect("chunks") {
            let found = fs::read(place.join(path)).expect("a chunk");
            let hexadecimal: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hexadecimal, bytes.as_str().expect("bytes"), "{path}");
        }
    }

    #[test]
    fn an_empty_array_has_no_chunk() {
        let folder = tempfile::tempdir().expect("a folder");
        let none = array("x", &[("draw", 2), ("row", 0)], Values::reals(vec![]), json!({}));
        let group = Group { name: "g".to_string(), attributes: json!({}), arrays: vec![none] };
        write(folder.path(), &json!({}), vec![group]).expect("it is written");
        let text = fs::read_to_string(folder.path().join("g/x/zarr.json")).expect("metadata");
        let metadata: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(metadata["shape"], json!([2, 0]));
        assert_eq!(metadata["chunk_grid"]["configuration"]["chunk_shape"], json!([2, 1]));
        assert!(!folder.path().join("g/x/c").exists());
    }
}
