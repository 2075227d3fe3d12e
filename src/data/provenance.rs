//! Where a data set was read, so that it can be read again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::error::DataError;
use super::set::SetValue;
use super::source::Source;

/// The files and settings of a data set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The file of rows; none where it was no file that can be read again.
    pub rows: Option<PathBuf>,
    /// The file of branches, if there was one.
    pub branches: Option<PathBuf>,
    /// The files of tables, by name.
    pub tables: BTreeMap<String, PathBuf>,
    /// What was set, by name.
    pub settings: BTreeMap<String, SetValue>,
    /// Whether rows with missing values were dropped.
    pub na_drop: bool,
}

impl Dataset {
    /// The files that the data are read from, by their full paths.
    pub fn provenance(&self) -> Provenance {
        let full = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let path = |source: &Source| source.path().map(full);
        let tables = self.tables.iter();
        Provenance {
            rows: path(&self.rows),
            branches: self.branches.as_ref().and_then(path),
            tables: tables.filter_map(|(name, t)| Some((name.clone(), path(t)?))).collect(),
            settings: self.settings.clone(),
            na_drop: self.na_drop,
        }
    }

    /// Opens the files again; `rows` and `branches` are taken in place of those known.
    ///
    /// # Errors
    /// When a file is not there any more.
    pub(crate) fn reopen(
        provenance: &Provenance,
        rows: &Path,
        branches: Option<&Path>,
    ) -> Result<Dataset, DataError> {
        let mut dataset = Dataset::read_file(rows)?;
        if let Some(path) = branches.or(provenance.branches.as_deref()) {
            dataset = dataset.branches(Dataset::read_file(path)?);
        }
        for (name, path) in &provenance.tables {
            dataset = dataset.table(name.clone(), Dataset::read_file(path)?);
        }
        for (name, value) in &provenance.settings {
            dataset = dataset.set(name.clone(), value.clone());
        }
        Ok(if provenance.na_drop { dataset.na_drop() } else { dataset })
    }
}
