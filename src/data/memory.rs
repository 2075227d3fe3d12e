//! How much memory data take: while they are read, judged by their files before any row is, and
//! once they are bound.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::bound::BoundData;
use super::csv::CsvSource;
use super::dataset::{Column, Dataset};
use super::error::{DataError, DataErrorKind};
use super::plan::{Plan, Plans, Slot};
use super::source::Source;
use crate::memory::{MemoryNeed, show_size};
use crate::schema::Schema;

/// Bytes of a file that tell how long its lines are, in each of a few places.
const SAMPLE: usize = 1 << 16;
const PLACES: u64 = 3;

const OF_READING: &str = "read fewer rows or columns, keep what belongs to items or branches in files of their own \
     (--table, --branches), or allow more";

impl Dataset {
    /// What reading these columns will hold at its peak. The number of rows is judged by the
    /// size of the file and the length of some of its lines.
    fn reading_need(&self, schema: &Schema, plans: &Plans) -> MemoryNeed {
        let mut need = MemoryNeed::default();
        let mut add = |source: &Source, plan: &Plan| {
            let n_rows = source.expected_rows();
            let what = format!("to read about {n_rows} rows of {}", source.name());
            need.add(what, n_rows, bytes_per_row(plan), OF_READING);
            let held = format!("the text of {}, which cannot be read twice", source.name());
            need.add(held, source.held_bytes(), 1, "give it as a file");
            let pages = format!("for the pages of {} at hand", source.name());
            need.add(pages, source.page_bytes(plan), 1, "write it in smaller row groups");
        };
        add(&self.rows, &plans.rows);
        if let (Some(source), Some(plan)) = (&self.branches, &plans.branches) {
            add(source, plan);
        }
        let tables = schema.tables.iter().zip(&plans.tables);
        tables.for_each(|(table, plan)| add(&self.tables[&table.name], plan));
        need
    }

    /// Refuses to read what needs more memory than is allowed.
    ///
    /// # Errors
    /// When it does.
    pub(super) fn check_memory(&self, schema: &Schema, plans: &Plans) -> Result<(), DataError> {
        let Some(limit) = self.max_memory else { return Ok(()) };
        let need = self.reading_need(schema, plans);
        if need.total() <= limit {
            return Ok(());
        }
        let message = format!(
            "reading the data would hold about {}, and {} are allowed",
            show_size(need.total()),
            show_size(limit)
        );
        let details = need.lines().join("; ");
        Err(DataError::new(DataErrorKind::Memory, format!("{message}: {details}"))
            .help(need.remedy()))
    }
}

/// The bytes that each row takes while it is read, at the peak: when columns are laid out for the
/// data that are made of them.
fn bytes_per_row(plan: &Plan) -> usize {
    let number = size_of::<f64>();
    let id = size_of::<u32>();
    // The key becomes the order of rows; texts are numbered.
    let ids = id * (usize::from(!plan.key.is_empty()) + plan.labels.len());
    let values: usize = plan.data.iter().map(|slots| number * slots.len()).sum();
    let unshared = plan.numbers.iter().enumerate().filter(|(k, _)| {
        let is_it = |slot: &Slot| *slot == Slot::Number(*k);
        !plan.data.iter().flatten().any(is_it)
    });
    // One datum at a time is put in order, and its columns side by side.
    let widest = plan.data.iter().map(Vec::len).max().unwrap_or(0);
    ids + values + number * (unshared.count() + plan.by.len() + widest)
}

impl Source {
    /// How many rows there are, about.
    fn expected_rows(&self) -> usize {
        match self {
            Source::Csv(source) => source.expected_rows(),
            #[cfg(feature = "parquet")]
            Source::Parquet(source) => source.n_rows(),
            Source::Columns { columns, .. } => columns.first().map_or(0, Column::len),
        }
    }

    /// Bytes that are held as long as there is the source.
    fn held_bytes(&self) -> usize {
        match self {
            Source::Csv(source) => source.bytes().map_or(0, <[u8]>::len),
            #[cfg(feature = "parquet")]
            Source::Parquet(_) => 0,
            Source::Columns { .. } => 0,
        }
    }

    /// Bytes that are held while rows are read, beside what is kept of these.
    #[cfg_attr(not(feature = "parquet"), expect(unused_variables))]
    fn page_bytes(&self, plan: &Plan) -> usize {
        match self {
            #[cfg(feature = "parquet")]
            Source::Parquet(source) => source.page_bytes(plan),
            _ => 0,
        }
    }
}

impl CsvSource {
    fn expected_rows(&self) -> usize {
        match (self.path(), self.bytes()) {
            (Some(path), _) => lines_of_file(path).unwrap_or(0),
            (None, Some(bytes)) => bytes.iter().filter(|&&byte| byte == b'\n').count(),
            (None, None) => 0,
        }
    }
}

/// About how many lines a file has; none where it cannot be read, which is found out elsewhere.
fn lines_of_file(path: &Path) -> Option<usize> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let mut sample = vec![0; SAMPLE];
    let (mut n_bytes, mut n_lines) = (0, 0);
    for place in 0..PLACES {
        file.seek(SeekFrom::Start(length / PLACES * place)).ok()?;
        let n = file.read(&mut sample).ok()?;
        n_bytes += n;
        n_lines += sample[..n].iter().filter(|&&byte| byte == b'\n').count();
    }
    let per_line = n_bytes as f64 / n_lines.max(1) as f64;
    Some((length as f64 / per_line.max(1.0)) as usize)
}

impl BoundData {
    /// The bytes of all values, of the order of rows, and of the keys.
    pub(crate) fn held_bytes(&self) -> usize {
        let mut seen = BTreeSet::new();
        let mut bytes = 0;
        for values in self.values.iter().chain(&self.present).flatten() {
            if seen.insert(Arc::as_ptr(values)) {
                bytes += size_of_val(values.as_slice());
            }
        }
        let grouping = &*self.grouping;
        let order = grouping.order.as_ref().map_or(0, |order| size_of_val(order.as_slice()));
        bytes + order + size_of_val(grouping.offsets.as_slice()) + grouping.keys.held_bytes()
    }
}
