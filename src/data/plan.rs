//! Which columns a model reads, of which file, and for what.

use super::dataset::Dataset;
use super::error::{DataError, DataErrorKind, MAX_PLACES};
use super::names::{matches, missing_column, nearest};
use super::source::Source;
use crate::schema::{Datum, Numbered, Origin, Schema};
use crate::ty::{Element, Level};

/// A file of the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    /// The rows.
    Rows,
    /// One row per branch.
    Branches,
    /// That of the k-th table.
    Table(usize),
}

/// How a cell becomes a number.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Read {
    /// As it is.
    Number,
    /// As it is, and NaN where it is empty.
    NumberOrEmpty,
    /// Compared with a text.
    Equals(String),
    /// The same, and NaN where it is empty.
    EqualsOrEmpty(String),
}

/// A column that is read as numbers, once, however many data it gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NumberColumn {
    /// Its position in the file.
    pub(super) column: usize,
    /// Its name in the header.
    pub(super) name: String,
    /// Whether some datum wants whole numbers of it.
    pub(super) whole: bool,
    /// What its cells mean.
    pub(super) read: Read,
}

/// Columns whose distinct texts are numbered: one, or several as one combination.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LabelColumn {
    /// Their positions in the file.
    pub(super) columns: Vec<usize>,
    /// Whether `NA` is a text as any other and not a missing value.
    pub(super) na_is_text: bool,
    /// Whether every cell must have a text; else it has no number.
    pub(super) is_required: bool,
}

/// A column as read, by its position in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Number(usize),
    Label(usize),
}

/// The columns of one file that binding reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Positions of the columns of the branch key.
    pub(super) key: Vec<usize>,
    /// Positions of the columns that order the rows.
    pub(super) by: Vec<usize>,
    /// The columns of numbers.
    pub(super) numbers: Vec<NumberColumn>,
    /// The columns of texts.
    pub(super) labels: Vec<LabelColumn>,
    /// For each datum of this file, its columns.
    pub(super) data: Vec<Vec<Slot>>,
    /// For each factor that has its columns in this file, these.
    pub(super) factors: Vec<Option<usize>>,
    /// The key of a table, as a column of texts.
    pub(super) table_key: Option<usize>,
}

impl Plan {
    /// Whether nothing is read.
    pub(super) fn is_empty(&self) -> bool {
        self.key.is_empty()
            && self.by.is_empty()
            && self.numbers.is_empty()
            && self.labels.is_empty()
    }

    fn number(&mut self, header: &[String], column: usize, whole: bool, read: Read) -> Slot {
        let is_it = |known: &NumberColumn| known.column == column && known.read == read;
        if let Some(slot) = self.numbers.iter().position(is_it) {
            self.numbers[slot].whole |= whole;
            return Slot::Number(slot);
        }
        let name = header[column].clone();
        self.numbers.push(NumberColumn { column, name, whole, read });
        Slot::Number(self.numbers.len() - 1)
    }

    fn label(&mut self, columns: Vec<usize>, na_is_text: bool, is_required: bool) -> usize {
        let is_it =
            |known: &LabelColumn| known.columns == columns && known.na_is_text == na_is_text;
        if let Some(slot) = self.labels.iter().position(is_it) {
            self.labels[slot].is_required |= is_required;
            return slot;
        }
        self.labels.push(LabelColumn { columns, na_is_text, is_required });
        self.labels.len() - 1
    }
}

/// What is read of all files.
#[derive(Clone, Debug)]
pub(super) struct Plans {
    pub(super) rows: Plan,
    pub(super) branches: Option<Plan>,
    pub(super) tables: Vec<Plan>,
    /// The file of each datum; none for those that are not read.
    pub(super) homes: Vec<Option<File>>,
    /// The names of the columns of each datum.
    pub(super) columns: Vec<Vec<String>>,
}

impl Plans {
    /// The columns of a datum.
    pub(super) fn slots(&self, datum: usize) -> &[Slot] {
        match self.homes[datum] {
            None => &[],
            Some(file) => &self.of(file).data[datum],
        }
    }

    /// The plan of a file.
    pub(super) fn of(&self, file: File) -> &Plan {
        match file {
            File::Rows => &self.rows,
            File::Branches => self.branches.as_ref().expect("no datum lies in a file not given"),
            File::Table(k) => &self.tables[k],
        }
    }
}

/// Finds the columns of `schema` in the files; names every column that is missing.
pub(super) fn plan(schema: &Schema, dataset: &Dataset) -> Result<Plans, DataError> {
    let mut planner = Planner::new(schema, dataset)?;
    planner.keys();
    for (position, datum) in schema.data.iter().enumerate() {
        planner.datum(position, datum);
    }
    planner.factors();
    planner.finish()
}

/// The same for data whose tables and levels are known: the rows and the file of branches alone.
/// The tables of the schema have no data that are read.
pub(super) fn plan_rows(schema: &Schema, dataset: &Dataset) -> Result<Plans, DataError> {
    let mut planner = Planner::of_tables(schema, dataset, Vec::new())?;
    planner.keys();
    for (position, datum) in schema.data.iter().enumerate() {
        planner.datum(position, datum);
    }
    planner.finish()
}

struct Planner<'a> {
    schema: &'a Schema,
    dataset: &'a Dataset,
    /// The files of the tables, as the schema orders them.
    tables: Vec<&'a Source>,
    plans: Plans,
    errors: Vec<DataError>,
}

impl<'a> Planner<'a> {
    fn new(schema: &'a Schema, dataset: &'a Dataset) -> Result<Planner<'a>, DataError> {
        let of_table = |table: &'a crate::schema::Table| {
            dataset.tables.get(&table.name).ok_or_else(|| no_table_file(table))
        };
        let tables = schema.tables.iter().map(of_table).collect::<Result<Vec<_>, _>>()?;
        let is_wanted = |name: &String| schema.tables.iter().any(|table| table.name == *name);
        if let Some(name) = dataset.tables.keys().find(|name| !is_wanted(name)) {
            return Err(unknown_table(schema, name));
        }
        Planner::of_tables(schema, dataset, tables)
    }

    fn of_tables(
        schema: &'a Schema,
        dataset: &'a Dataset,
        tables: Vec<&'a Source>,
    ) -> Result<Planner<'a>, DataError> {
        if dataset.branches.is_some() && schema.key.is_empty() {
            return Err(branches_without_key());
        }
        let empty = || Plan {
            data: vec![Vec::new(); schema.data.len()],
            factors: vec![None; schema.factors.len()],
            ..Plan::default()
        };
        let plans = Plans {
            rows: empty(),
            branches: dataset.branches.is_some().then(empty),
            tables: tables.iter().map(|_| empty()).collect(),
            homes: vec![None; schema.data.len()],
            columns: vec![Vec::new(); schema.data.len()],
        };
        Ok(Planner { schema, dataset, tables, plans, errors: Vec::new() })
    }

    fn finish(self) -> Result<Plans, DataError> {
        match self.errors.into_iter().reduce(DataError::also) {
            Some(error) => Err(error),
            None => Ok(self.plans),
        }
    }

    fn source(&self, file: File) -> &'a Source {
        match file {
            File::Rows => &self.dataset.rows,
            File::Branches => self.dataset.branches.as_ref().unwrap_or(&self.dataset.rows),
            File::Table(k) => self.tables[k],
        }
    }

    fn plan(&mut self, file: File) -> &mut Plan {
        match file {
            File::Rows => &mut self.plans.rows,
            File::Branches => self.plans.branches.as_mut().expect("only files given are planned"),
            File::Table(k) => &mut self.plans.tables[k],
        }
    }

    /// Every file there is.
    fn files(&self) -> Vec<File> {
        let branches = self.dataset.branches.is_some().then_some(File::Branches);
        let tables = (0..self.tables.len()).map(File::Table);
        std::iter::once(File::Rows).chain(branches).chain(tables).collect()
    }

    fn find(&self, file: File, name: &str) -> Option<usize> {
        self.source(file).header().iter().position(|column| column == name)
    }

    fn missing(&mut self, file: File, name: &str, role: &str) {
        let source = self.source(file);
        self.errors.push(missing_column(name, role, source.name(), source.header()));
    }

    fn keys(&mut self) {
        let schema = self.schema;
        let role = "which is part of the branch key";
        self.plans.rows.key = self.named(File::Rows, &schema.key, role);
        if self.dataset.branches.is_some() {
            self.plan(File::Branches).key = Vec::new();
            let key = self.named(File::Branches, &schema.key, role);
            self.plan(File::Branches).key = key;
        }
        if let Some(rows) = &schema.rows {
            let role = format!("which `rows {}` sorts by", rows.name);
            self.plans.rows.by = self.named(File::Rows, &rows.by, &role);
        }
        for (k, table) in schema.tables.iter().enumerate().take(self.tables.len()) {
            let role = format!("which is the key of table `{}`", table.name);
            let found = self.named(File::Table(k), std::slice::from_ref(&table.key), &role);
            if !found.is_empty() {
                let plan = self.plan(File::Table(k));
                plan.table_key = Some(plan.label(found, true, true));
            }
        }
    }

    fn named(&mut self, file: File, names: &[String], role: &str) -> Vec<usize> {
        let mut found = Vec::new();
        for name in names {
            match self.find(file, name) {
                Some(column) => found.push(column),
                None => self.missing(file, name, role),
            }
        }
        found
    }

    fn datum(&mut self, position: usize, datum: &Datum) {
        let names = match &datum.origin {
            Origin::Column(name) | Origin::Equals { column: name, .. } => {
                std::slice::from_ref(name)
            }
            Origin::Columns(names) | Origin::Combination(names) => names,
            _ => return,
        };
        if datum.level == Level::Whole && datum.table.is_none() {
            self.errors.push(whole_column(datum));
        }
        let Some(file) = self.home(datum, names) else { return };
        let found = self.columns(file, datum, names);
        let header = self.source(file).header();
        let is_int = datum.element == Element::Int;
        let na_is_text = self.na_is_text(datum);
        let plan = self.plan(file);
        let slots: Vec<Slot> = match (&datum.origin, datum.numbered) {
            (Origin::Combination(_), _) => {
                vec![Slot::Label(plan.label(found.clone(), na_is_text, !datum.may_be_missing))]
            }
            (_, Some(_)) => {
                let is_required = !datum.may_be_missing;
                let label = |&column: &usize| plan.label(vec![column], na_is_text, is_required);
                found.iter().map(label).map(Slot::Label).collect()
            }
            (origin, None) => {
                let read = match origin {
                    Origin::Equals { value, .. } if datum.may_be_missing => {
                        Read::EqualsOrEmpty(value.clone())
                    }
                    Origin::Equals { value, .. } => Read::Equals(value.clone()),
                    _ if datum.may_be_missing => Read::NumberOrEmpty,
                    _ => Read::Number,
                };
                let number = |&column: &usize| plan.number(header, column, is_int, read.clone());
                found.iter().map(number).collect()
            }
        };
        plan.data[position] = slots;
        self.plans.homes[position] = Some(file);
        self.plans.columns[position] = found.iter().map(|&c| header[c].clone()).collect();
    }

    /// Whether `NA` is a level or key of what a datum numbers.
    fn na_is_text(&self, datum: &Datum) -> bool {
        match datum.numbered {
            Some(Numbered::Table(_)) => true,
            Some(Numbered::Factor(k)) => self.factor_has_na(k),
            None => false,
        }
    }

    fn factor_has_na(&self, factor: usize) -> bool {
        let levels = self.schema.factors[factor].levels.as_ref();
        levels.is_some_and(|levels| levels.iter().any(|level| level == "NA"))
    }

    /// The file that a datum is read from. What is one value per branch may stand in either of
    /// two, but for the key, which stands in both.
    fn home(&mut self, datum: &Datum, names: &[String]) -> Option<File> {
        if let Some(table) = datum.table {
            return Some(File::Table(table));
        }
        if datum.per_row || self.dataset.branches.is_none() {
            return Some(File::Rows);
        }
        let found_in = |file: File| {
            let header = self.source(file).header();
            names.iter().find_map(|name| header.iter().find(|column| matches(name, column)))
        };
        match (found_in(File::Rows), found_in(File::Branches)) {
            (Some(column), Some(_)) if !names.iter().all(|name| self.schema.key.contains(name)) => {
                let error = two_sources(datum, column, self.dataset);
                self.errors.push(error);
                None
            }
            (_, Some(_)) => Some(File::Branches),
            (Some(_), None) => Some(File::Rows),
            (None, None) => Some(File::Branches),
        }
    }

    /// The columns of each name or pattern, in this order; those of a pattern in file order.
    fn columns(&mut self, file: File, datum: &Datum, patterns: &[String]) -> Vec<usize> {
        let source = self.source(file);
        let header = source.header();
        let mut found: Vec<usize> = Vec::new();
        for pattern in patterns {
            let by_pattern = |column: &usize| matches(pattern, &header[*column]);
            let matched: Vec<usize> = (0..header.len()).filter(by_pattern).collect();
            if matched.is_empty() {
                let neither = match file {
                    File::Branches => format!("; neither has {}", self.dataset.rows.name()),
                    _ => String::new(),
                };
                let role = format!("which the model reads as `{}`{neither}", datum.name);
                let mut error = missing_column(pattern, &role, source.name(), header);
                if let Some(help) = self.other_column(file, datum) {
                    error = error.help(help);
                } else if self.may_be_of_branches(datum)
                    && let Some(help) = error.help_text()
                    && help.starts_with("the columns are")
                {
                    let more =
                        "facts of branches may stand in a file of their own: `--branches FILE`";
                    let help = format!("{help}; {more}");
                    error = error.help(help);
                }
                self.errors.push(error.at(datum.span));
            }
            let new: Vec<usize> = matched.into_iter().filter(|c| !found.contains(c)).collect();
            found.extend(new);
        }
        found
    }

    /// Whether a datum could be read from a file of branches, and none was given.
    /// (Worth saying where no column of the rows has a similar name.)
    fn may_be_of_branches(&self, datum: &Datum) -> bool {
        let is_of_branch = datum.level == Level::Branch && !datum.per_row;
        is_of_branch && self.dataset.branches.is_none() && !self.schema.key.is_empty()
    }

    /// Where a number of a level is called other than the column of its factor.
    fn other_column(&self, file: File, datum: &Datum) -> Option<String> {
        let column = match datum.numbered? {
            Numbered::Factor(k) => self.schema.factors[k].columns.first()?,
            Numbered::Table(k) => &self.schema.tables[k].key,
        };
        self.find(file, column)?;
        Some(format!("to read column `{column}` write `{} from \"{column}\";`", datum.name))
    }

    /// Every file that has the columns of a factor gives levels; some file has to.
    fn factors(&mut self) {
        for (k, factor) in self.schema.factors.iter().enumerate() {
            let mut is_found = factor.levels.is_some();
            let na_is_text = self.factor_has_na(k);
            for file in self.files() {
                let columns = factor.columns.iter().map(|name| self.find(file, name));
                let Some(columns) = columns.collect::<Option<Vec<usize>>>() else { continue };
                is_found = true;
                let plan = self.plan(file);
                plan.factors[k] = Some(plan.label(columns, na_is_text, false));
            }
            if !is_found {
                let lacking = factor
                    .columns
                    .iter()
                    .find(|name| !self.source(File::Rows).header().contains(name));
                let role = format!("which factor `{}` numbers", factor.name);
                let name = lacking.or(factor.columns.first()).cloned().unwrap_or_default();
                let source = self.source(File::Rows);
                let error = missing_column(&name, &role, source.name(), source.header());
                self.errors.push(error.at(factor.span));
            }
        }
    }
}

fn no_table_file(table: &crate::schema::Table) -> DataError {
    let name = &table.name;
    let message = format!("the model reads the table `{name}`, and no file is given for it");
    DataError::new(DataErrorKind::TableFile, message)
        .help(format!(
            "give it with `--table {name}=FILE`: a CSV with one line for each `{}`",
            table.key
        ))
        .at(table.span)
}

fn unknown_table(schema: &Schema, name: &str) -> DataError {
    let names = || schema.tables.iter().map(|table| table.name.as_str());
    let help = match nearest(name, names()) {
        Some(near) => format!("did you mean `--table {near}=FILE`?"),
        None if names().next().is_none() => {
            format!("declare one in `data`: `table {name} by KEY {{ … }}`, or leave the file out")
        }
        None => {
            let listed: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            format!("its tables are {}", listed.join(", "))
        }
    };
    let message = format!("the model has no table `{name}`");
    DataError::new(DataErrorKind::TableFile, message).help(help)
}

fn branches_without_key() -> DataError {
    let message = "a file of branches is given, and the model makes every row its own branch";
    DataError::new(DataErrorKind::BranchesFile, message)
        .help("name the column that tells branches apart: `branch KEY { … }`, or leave it out")
}

fn two_sources(datum: &Datum, column: &str, dataset: &Dataset) -> DataError {
    let (rows, branches) = (dataset.rows.name(), dataset.branches.as_ref().map(Source::name));
    let branches = branches.unwrap_or_default();
    let message = format!(
        "both {rows} and {branches} have the column `{column}`, which the model reads as `{}`",
        datum.name
    );
    DataError::new(DataErrorKind::TwoSources, message)
        .help("a value per branch has one place: take the column out of one of the files")
        .at(datum.span)
}

fn whole_column(datum: &Datum) -> DataError {
    let message = format!("`{}` is one for the whole data set and has no column", datum.name);
    DataError::new(DataErrorKind::Setting, message)
        .help("declare it in `branch`, or give it with `--set`")
        .at(datum.span)
}

/// The error for data that have `wanted` places for their columns.
pub(super) fn wrong_count(datum: &Datum, columns: &[String], wanted: usize) -> DataError {
    let shown: Vec<String> =
        columns.iter().take(2 * MAX_PLACES).map(|name| format!("`{name}`")).collect();
    let dots = if columns.len() > shown.len() { ", …" } else { "" };
    let message = format!(
        "`{}` is declared `{}`, with room for {wanted} columns, and its columns are {}: {}{dots}",
        datum.name,
        datum.type_text,
        columns.len(),
        shown.join(", ")
    );
    DataError::new(DataErrorKind::ColumnCount, message)
        .help("change the declared size, or name the columns: `cols(\"a\", \"b\")`")
        .at(datum.span)
}
