//! Grouping rows by branch: a stable counting sort into the order of the keys.

use std::ops::Range;

use super::error::{DataError, DataErrorKind, Places, show_text};
use super::keys::{Interner, KeyTexts, Numeric, components, rank};
use super::lines::Lines;
use super::load::{NO_LABEL, RowKeys, Table, key_texts};
use crate::schema::Rows;

/// The branches in order, and which rows each has.
#[derive(Clone, Debug)]
pub(super) struct Grouping {
    /// The key of each branch.
    pub(super) keys: KeyTexts,
    /// Names of the key's components.
    pub(super) key_columns: Vec<String>,
    /// Branch i has the bound rows `offsets[i]..offsets[i + 1]`.
    pub(super) offsets: Vec<usize>,
    /// The row as read behind each bound row; none if rows were in order already.
    pub(super) order: Option<Vec<u32>>,
    /// Where each row as read stood.
    pub(super) lines: Lines,
    /// The file that lists the branches, where there is one.
    pub(super) listed: Option<Listed>,
}

/// The file with one row per branch.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// Where its rows stood.
    pub(super) lines: Lines,
    /// The row of each branch.
    pub(super) rows: Vec<u32>,
}

impl Grouping {
    /// No branches.
    pub(super) fn empty(source: &str) -> Grouping {
        Grouping {
            keys: KeyTexts::default(),
            key_columns: Vec::new(),
            offsets: vec![0],
            order: None,
            lines: Lines::of_file(source),
            listed: None,
        }
    }

    pub(super) fn n_branches(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(super) fn n_rows(&self) -> usize {
        self.offsets[self.n_branches()]
    }

    pub(super) fn rows(&self, branch: usize) -> Range<usize> {
        self.offsets[branch]..self.offsets[branch + 1]
    }

    /// The branch of a bound row.
    pub(super) fn branch_of(&self, row: usize) -> usize {
        self.offsets.partition_point(|&first| first <= row) - 1
    }

    /// The row as read behind a bound row.
    pub(super) fn as_read(&self, row: usize) -> usize {
        self.order.as_ref().map_or(row, |order| order[row] as usize)
    }

    /// Where a branch stands: its first row as read or, without rows, its row among those that
    /// are listed.
    pub(super) fn place_of(&self, branch: usize) -> String {
        match (self.rows(branch).map(|row| self.as_read(row)).min(), &self.listed) {
            (Some(row), _) => self.lines.place(row),
            (None, Some(listed)) => listed.lines.place(listed.rows[branch] as usize),
            (None, None) => self.lines.source().to_string(),
        }
    }

    /// `school = B`, or `a = 1, b = 2`.
    pub(super) fn label(&self, branch: usize) -> String {
        let pairs = self.key_columns.iter().zip(self.keys.get(branch));
        let pairs: Vec<String> = pairs.map(|(name, text)| format!("{name} = {text}")).collect();
        pairs.join(", ")
    }

    /// Each branch must have `rows N = count` rows.
    pub(super) fn check_count(&self, rows: &Rows) -> Result<(), DataError> {
        let Some(count) = rows.count else {
            return Ok(());
        };
        let mut places = Places::default();
        let help = format!(
            "mend the data, or write `rows {};` if branches may have any number of rows",
            rows.name
        );
        for branch in 0..self.n_branches() {
            let range = self.rows(branch);
            if range.len() as u64 != count {
                places.add_with_help(DataErrorKind::RowCount, Some(help.clone()), || {
                    let place = self.place_of(branch);
                    let (label, n) = (self.label(branch), range.len());
                    let noun = if n == 1 { "row" } else { "rows" };
                    let name = &rows.name;
                    format!(
                        "{place}: branch {label} has {n} {noun}, and the model says `rows {name} = {count}`"
                    )
                });
            }
        }
        places.into_error().map_or(Ok(()), |error| Err(error.at(rows.span)))
    }
}

/// Groups the rows of `table`; takes its keys, ordering columns and lines, and those of the
/// file that lists the branches.
pub(super) fn group(
    table: &mut Table,
    branches: Option<&mut Table>,
    key: &[String],
    rows: Option<&Rows>,
) -> Result<Grouping, DataError> {
    let lines = table.take_lines();
    let mut grouping = match table.take_keys() {
        RowKeys::EachRow(keys) => Grouping {
            keys,
            key_columns: vec!["row".to_string()],
            offsets: (0..=table.n_rows).collect(),
            order: None,
            lines,
            listed: None,
        },
        RowKeys::Columns(mut ids, mut interner) => {
            let listed = match branches {
                Some(branches) => Some(list(branches, &mut interner, &ids, &lines, key)?),
                None => None,
            };
            let texts = key_texts(&interner);
            let (ranks, sorted) = rank(&texts, key.len(), Numeric::Integers);
            let mut keys = KeyTexts::new(key.len());
            for &id in &sorted {
                let components = &texts[id as usize * key.len()..][..key.len()];
                components.iter().for_each(|component| keys.push(component));
            }
            ids.iter_mut().for_each(|id| *id = ranks[*id as usize]);
            let (offsets, order) = counting_sort(&ids, ranks.len());
            let listed = listed.map(|(lines, rows)| {
                let rows = sorted.iter().map(|&id| rows[id as usize]).collect();
                Listed { lines, rows }
            });
            Grouping { keys, key_columns: key.to_vec(), offsets, order, lines, listed }
        }
    };
    if let Some(rows) = rows.filter(|rows| !rows.by.is_empty()) {
        sort_rows(&mut grouping, &std::mem::take(&mut table.by), rows)?;
    }
    Ok(grouping)
}

/// The row of each key, by its number in `interner`, in the file that lists the branches. Keys
/// without rows get numbers. An error where a key is listed twice, or has rows and is not listed.
fn list(
    branches: &mut Table,
    interner: &mut Interner,
    ids: &[u32],
    row_lines: &Lines,
    key: &[String],
) -> Result<(Lines, Vec<u32>), DataError> {
    let lines = branches.take_lines();
    let RowKeys::Columns(own_ids, own) = branches.take_keys() else {
        unreachable!("a file of branches is planned with a key")
    };
    let mut rows = vec![NO_LABEL; interner.len()];
    let mut twice = Places::default();
    for (row, own_id) in own_ids.into_iter().enumerate() {
        let id = interner.intern(own.get(own_id)) as usize;
        rows.resize(interner.len(), NO_LABEL);
        if rows[id] == NO_LABEL {
            rows[id] = row as u32;
            continue;
        }
        let help = "the file has one row for each branch: take one of them out".to_string();
        twice.add_with_help(DataErrorKind::DuplicateKey, Some(help), || {
            let (place, first) = (lines.place(row), lines.short(rows[id] as usize));
            format!("{place}: branch {} is listed in {first} already", label_of(interner, id, key))
        });
    }
    if let Some(error) = twice.into_error() {
        return Err(error);
    }
    let mut unlisted = Places::default();
    for (row, &id) in ids.iter().enumerate() {
        if rows[id as usize] != NO_LABEL {
            continue;
        }
        // One place for each branch.
        rows[id as usize] = 0;
        let help = format!("add it to {}, or take its rows out", lines.source());
        unlisted.add_with_help(DataErrorKind::UnlistedBranch, Some(help), || {
            let (place, label) = (row_lines.place(row), label_of(interner, id as usize, key));
            format!("{place}: branch {label} has rows and is not listed in {}", lines.source())
        });
    }
    unlisted.into_error().map_or(Ok((lines, rows)), Err)
}

/// A key that has no place among the branches yet, as messages name it.
fn label_of(interner: &Interner, id: usize, key: &[String]) -> String {
    let pairs = key.iter().zip(components(interner.get(id as u32)));
    let pairs: Vec<String> =
        pairs.map(|(name, text)| format!("{name} = {}", show_text(text))).collect();
    pairs.join(", ")
}

/// Offsets of each rank's rows, and the rows in order of rank, those of one rank as they were.
fn counting_sort(ranks: &[u32], n_ranks: usize) -> (Vec<usize>, Option<Vec<u32>>) {
    let mut offsets = vec![0_usize; n_ranks + 1];
    for &rank in ranks {
        offsets[rank as usize + 1] += 1;
    }
    for rank in 0..n_ranks {
        offsets[rank + 1] += offsets[rank];
    }
    if ranks.is_sorted() {
        return (offsets, None);
    }
    let mut next = offsets.clone();
    let mut order = vec![0_u32; ranks.len()];
    for (row, &rank) in ranks.iter().enumerate() {
        let place = &mut next[rank as usize];
        order[*place] = row as u32;
        *place += 1;
    }
    (offsets, Some(order))
}

/// Sorts the rows of each branch by the ordering columns. A tie is an error.
fn sort_rows(grouping: &mut Grouping, by: &[Vec<f64>], rows: &Rows) -> Result<(), DataError> {
    let n_rows = grouping.n_rows();
    let mut order =
        grouping.order.take().unwrap_or_else(|| (0..n_rows as u32).collect::<Vec<u32>>());
    let compare = |a: &u32, b: &u32| {
        let orders = by.iter().map(|column| column[*a as usize].total_cmp(&column[*b as usize]));
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    };
    let mut ties = Places::default();
    for branch in 0..grouping.n_branches() {
        let order = &mut order[grouping.rows(branch)];
        order.sort_by(compare);
        for pair in order.windows(2) {
            if compare(&pair[0], &pair[1]).is_eq() {
                ties.add_with_help(DataErrorKind::Tie, Some(tie_help(rows)), || {
                    tie_text(grouping, branch, pair, rows)
                });
            }
        }
    }
    grouping.order = Some(order);
    ties.into_error().map_or(Ok(()), |error| Err(error.at(rows.span)))
}

fn tie_text(grouping: &Grouping, branch: usize, pair: &[u32], rows: &Rows) -> String {
    let (first, second) = (pair[0] as usize, pair[1] as usize);
    let (place, other) = (grouping.lines.place(first), grouping.lines.short(second));
    let (by, label) = (rows.by.join(", "), grouping.label(branch));
    format!("{place} and {other} have the same `{by}` in branch {label}, so their order is open")
}

fn tie_help(rows: &Rows) -> String {
    let by = rows.by.join(", ");
    format!("add a column that tells them apart, as in `rows {} by ({by}, hour)`", rows.name)
}
