//! Levels of factors and keys of tables: distinct texts, numbered from one in their order.

use serde::{Deserialize, Serialize};

use super::error::{DataError, DataErrorKind, Places, show_text};
use super::keys::{Interner, Numeric, components, push_component, rank};
use super::lines::Lines;
use super::load::{Labels, NO_LABEL};
use super::names::nearest;
use crate::schema::{Factor, Table, level_text};
use crate::source::Span;

/// Messages list no more levels than this.
const MAX_LISTED: usize = 12;

/// A factor or a table, in words and for errors.
#[derive(Clone, Copy, Debug)]
pub(super) enum Numbers<'a> {
    Factor(&'a Factor),
    /// A table, and the file it is read from.
    Table(&'a Table, &'a str),
}

/// Levels as a fit saves them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedLevels {
    names: Vec<String>,
    /// The bytes of each component of each level's text, as characters up to U+00FF.
    texts: Vec<Vec<String>>,
}

/// The distinct texts in order, and how often each was read.
#[derive(Debug, Default)]
pub(super) struct Levels {
    names: Vec<String>,
    counts: Vec<usize>,
    /// The texts as components, and the level of each, counted from zero.
    texts: Interner,
    ranks: Vec<u32>,
}

impl Levels {
    /// Those of a factor, from all columns that have them. `lines` are those of the columns.
    pub(super) fn of_factor(
        factor: &Factor,
        columns: &[(&Labels, &Lines)],
    ) -> Result<Levels, DataError> {
        let mut levels = match &factor.levels {
            Some(written) => Levels::written(written),
            None => Levels::pooled(columns.iter().map(|(labels, _)| *labels), &factor.columns),
        };
        for (labels, lines) in columns {
            let numbers = levels.numbers(labels, lines, Numbers::Factor(factor), factor.span)?;
            for number in numbers.into_iter().filter(|number| !number.is_nan()) {
                levels.counts[number as usize - 1] += 1;
            }
        }
        Ok(levels)
    }

    /// The keys of a table, and the row of each.
    pub(super) fn of_table(
        table: &Table,
        labels: &Labels,
        lines: &Lines,
    ) -> Result<(Levels, Vec<u32>), DataError> {
        let mut levels = Levels::pooled(std::iter::once(labels), std::slice::from_ref(&table.key));
        let mut rows = vec![NO_LABEL; levels.len()];
        let mut twice = Places::default();
        for (row, &id) in labels.ids.iter().enumerate() {
            let level = levels.ranks[id as usize] as usize;
            if rows[level] == NO_LABEL {
                rows[level] = row as u32;
                levels.counts[level] = 1;
                continue;
            }
            let help = "a table has one row for each key: take one of them out".to_string();
            twice.add_with_help(DataErrorKind::DuplicateKey, Some(help), || {
                let (place, first) = (lines.place(row), lines.short(rows[level] as usize));
                let key = &levels.names[level];
                format!("{place}: {} = {key} is the key of {first} already", table.key)
            });
        }
        twice.into_error().map_or(Ok((levels, rows)), |error| Err(error.at(table.span)))
    }

    /// As a fit saves them.
    pub(super) fn saved(&self) -> SavedLevels {
        let mut texts = vec![Vec::new(); self.len()];
        for (id, &rank) in self.ranks.iter().enumerate() {
            let text = components(self.texts.get(id as u32));
            texts[rank as usize] =
                text.map(|part| part.iter().map(|&byte| char::from(byte)).collect()).collect();
        }
        SavedLevels { names: self.names.clone(), texts }
    }

    /// Those that a fit saved; no cell holds them yet.
    pub(super) fn of(saved: &SavedLevels) -> Levels {
        let mut texts = Interner::default();
        let mut key = Vec::new();
        let mut ranks = Vec::with_capacity(saved.texts.len());
        for (rank, parts) in saved.texts.iter().enumerate() {
            key.clear();
            for part in parts {
                let bytes: Vec<u8> = part.chars().map(|c| c as u32 as u8).collect();
                push_component(&mut key, &bytes);
            }
            if texts.intern(&key) as usize == ranks.len() {
                ranks.push(rank as u32);
            }
        }
        Levels { names: saved.names.clone(), counts: vec![0; saved.names.len()], texts, ranks }
    }

    fn written(names: &[String]) -> Levels {
        let mut texts = Interner::default();
        let mut key = Vec::new();
        for name in names {
            key.clear();
            push_component(&mut key, level_text(name.as_bytes()));
            texts.intern(&key);
        }
        let ranks = (0..names.len() as u32).collect();
        Levels { names: names.to_vec(), counts: vec![0; names.len()], texts, ranks }
    }

    fn pooled<'a>(columns: impl Iterator<Item = &'a Labels>, names: &[String]) -> Levels {
        let mut texts = Interner::default();
        for labels in columns {
            for id in 0..labels.texts.len() as u32 {
                texts.intern(labels.texts.get(id));
            }
        }
        let all: Vec<&[u8]> =
            (0..texts.len() as u32).flat_map(|id| components(texts.get(id))).collect();
        let (ranks, sorted) = rank(&all, names.len(), Numeric::Decimals);
        let name = |&id: &u32| label(texts.get(id), names);
        let names: Vec<String> = sorted.iter().map(name).collect();
        Levels { counts: vec![0; names.len()], names, texts, ranks }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Their names, in order.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// How many cells hold each.
    pub(super) fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// The number of each row's level, counted from one; NaN where a row has none. Levels that
    /// are not among these are errors with their lines.
    pub(super) fn numbers(
        &self,
        labels: &Labels,
        lines: &Lines,
        of: Numbers<'_>,
        span: Span,
    ) -> Result<Vec<f64>, DataError> {
        let level_of = |id: u32| {
            let found = self.texts.find(labels.texts.get(id));
            found.map_or(f64::INFINITY, |id| f64::from(self.ranks[id as usize] + 1))
        };
        let of_id: Vec<f64> = (0..labels.texts.len() as u32).map(level_of).collect();
        let number = |&id: &u32| of_id.get(id as usize).copied().unwrap_or(f64::NAN);
        let numbers: Vec<f64> = labels.ids.iter().map(number).collect();
        if !of_id.contains(&f64::INFINITY) {
            return Ok(numbers);
        }
        let mut unseen = Places::default();
        for (row, _) in numbers.iter().enumerate().filter(|(_, number)| number.is_infinite()) {
            let text = labels.texts.get(labels.ids[row]);
            let help = unseen.is_empty().then(|| self.unseen_help(text, of));
            unseen.add_with_help(of.kind(), help, || {
                let shown = show_text(label(text, of.columns()).as_bytes());
                format!("{}: `{shown}` {}", lines.place(row), of.is_none())
            });
        }
        unseen.into_error().map_or(Ok(numbers), |error| Err(error.at(span)))
    }

    fn unseen_help(&self, text: &[u8], of: Numbers<'_>) -> String {
        let near = nearest(&label(text, of.columns()), self.names.iter().map(String::as_str));
        let first = match near {
            Some(near) => format!("did you mean `{near}`? "),
            None => String::new(),
        };
        first + &of.rule(&self.names)
    }
}

/// A level as it is named: its text, or `dept=1,service=0`.
fn label(text: &[u8], columns: &[String]) -> String {
    let shown = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
    let parts: Vec<String> = match columns {
        [_] => components(text).map(shown).collect(),
        columns => {
            let pairs = columns.iter().zip(components(text));
            pairs.map(|(name, part)| format!("{name}={}", shown(part))).collect()
        }
    };
    parts.join(",")
}

impl Numbers<'_> {
    fn kind(self) -> DataErrorKind {
        match self {
            Numbers::Factor(_) => DataErrorKind::UnknownLevel,
            Numbers::Table(..) => DataErrorKind::UnknownKey,
        }
    }

    fn columns(&self) -> &[String] {
        match self {
            Numbers::Factor(factor) => &factor.columns,
            Numbers::Table(table, _) => std::slice::from_ref(&table.key),
        }
    }

    fn is_none(self) -> String {
        match self {
            Numbers::Factor(factor) => format!("is no level of the factor `{}`", factor.name),
            Numbers::Table(table, file) => {
                format!("is no `{}` of the table `{}` ({file})", table.key, table.name)
            }
        }
    }

    fn rule(self, names: &[String]) -> String {
        let listed = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match self {
            Numbers::Factor(_) if names.len() <= MAX_LISTED => {
                format!("The levels are {}", listed())
            }
            Numbers::Factor(factor) => match factor.columns.as_slice() {
                [column] => format!("The {} levels are those of column `{column}`", names.len()),
                columns => format!("The levels are those of {}", columns.join(", ")),
            },
            Numbers::Table(..) => {
                "Every value has to have its row in the table: add it, or drop these rows".into()
            }
        }
    }
}
