//! Grouping rows by branch: a stable counting sort into the order of the keys.

use std::ops::Range;

use super::error::{DataError, DataErrorKind, Places};
use super::keys::{KeyTexts, rank};
use super::lines::Lines;
use super::load::{RowKeys, Table, key_texts};
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

    /// `school = B`, or `a = 1, b = 2`.
    pub(super) fn label(&self, branch: usize) -> String {
        let pairs = self.key_columns.iter().zip(self.keys.get(branch));
        let pairs: Vec<String> = pairs.map(|(name, text)| format!("{name} = {text}")).collect();
        pairs.join(", ")
    }

    /// A column as read, in bound order.
    pub(super) fn arrange(&self, column: Vec<f64>) -> Vec<f64> {
        match &self.order {
            Some(order) => order.iter().map(|&row| column[row as usize]).collect(),
            None => column,
        }
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
                    let place = self.lines.place(self.as_read(range.start));
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

/// Groups the rows of `table`; takes its keys, ordering columns and lines.
pub(super) fn group(
    table: &mut Table,
    key: &[String],
    rows: Option<&Rows>,
) -> Result<Grouping, DataError> {
    let lines = std::mem::replace(&mut table.lines, Lines::of_file(""));
    let keys = std::mem::replace(&mut table.keys, RowKeys::EachRow(KeyTexts::default()));
    let mut grouping = match keys {
        RowKeys::EachRow(keys) => Grouping {
            keys,
            key_columns: vec!["row".to_string()],
            offsets: (0..=table.n_rows).collect(),
            order: None,
            lines,
        },
        RowKeys::Columns(mut ids, interner) => {
            let texts = key_texts(&interner);
            let (ranks, sorted) = rank(&texts, key.len());
            let mut keys = KeyTexts::new(key.len());
            for id in sorted {
                let components = &texts[id as usize * key.len()..][..key.len()];
                components.iter().for_each(|component| keys.push(component));
            }
            ids.iter_mut().for_each(|id| *id = ranks[*id as usize]);
            let (offsets, order) = counting_sort(&ids, ranks.len());
            Grouping { keys, key_columns: key.to_vec(), offsets, order, lines }
        }
    };
    if let Some(rows) = rows.filter(|rows| !rows.by.is_empty()) {
        sort_rows(&mut grouping, &std::mem::take(&mut table.by), rows)?;
    }
    Ok(grouping)
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
