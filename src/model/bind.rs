//! Binds data to a model: after the columns are read, computes derived data, compares sizes
//! and proves indices, so that machine code needs no checks.

use std::sync::Arc;

use super::kernel::size_of;
use crate::check::typed::{SizeCheck, TypedModel};
use crate::data::{BoundData, DataError, DataErrorKind, Dataset, SetValue, Terms, without_drawn};
use crate::ir::eval::{Env, evaluate};
use crate::ir::op::{Function, InputKind};
use crate::lower::{DataFunction, IndexChecks, Program};
use crate::schema;
use crate::ty::{Level, Size, SizeAtom};

/// What a model reads, and what it computes of it when data are loaded.
#[derive(Clone)]
pub struct Schema {
    inner: Arc<Inner>,
}

struct Inner {
    columns: schema::Schema,
    derived: Vec<DataFunction>,
    size_checks: Vec<SizeCheck>,
    unknown_dims: Vec<(String, Vec<Size>)>,
    global_indices: IndexChecks,
    local_indices: IndexChecks,
}

impl Schema {
    /// What is read, as the checker wrote it.
    pub(crate) fn columns(&self) -> &schema::Schema {
        &self.inner.columns
    }

    pub(super) fn new(typed: &TypedModel, program: &Program) -> Schema {
        let values = program.global_values.iter().chain(&program.local_values);
        let inner = Inner {
            columns: typed.schema.clone(),
            derived: program.data.clone(),
            size_checks: typed.size_checks.clone(),
            unknown_dims: values.map(|v| (v.name.clone(), v.dims.clone())).collect(),
            global_indices: program.global_indices.clone(),
            local_indices: program.local_indices.clone(),
        };
        Schema { inner: Arc::new(inner) }
    }
}

impl Dataset {
    /// Reads what the model wants, groups the rows by branch, computes derived data and checks
    /// every value, size and index. The result does not depend on the order of branches.
    ///
    /// # Errors
    /// When a column is missing, a value is not what was declared, or an index is out of
    /// range; the error names the file, line, column and branch.
    pub fn bind(&self, schema: &Schema) -> Result<BoundData, DataError> {
        self.bind_without(schema, &[])
    }

    /// The same, where data at these places of the schema will be drawn: they need no column,
    /// and are one for now.
    pub(crate) fn bind_without(
        &self,
        schema: &Schema,
        drawn: &[usize],
    ) -> Result<BoundData, DataError> {
        self.bind_in(schema, drawn, Terms::Own)
    }

    /// The same, in the terms of other data.
    pub(crate) fn bind_in(
        &self,
        schema: &Schema,
        drawn: &[usize],
        terms: Terms<'_>,
    ) -> Result<BoundData, DataError> {
        let schema = &*schema.inner;
        let mut bound = self.bind_columns_in(&without_drawn(&schema.columns, drawn), terms)?;
        bound.prepare_drawn(&schema.columns, drawn)?;
        schema.complete(&mut bound, terms)?;
        Ok(bound)
    }

    /// Binds rows in the terms of other data of the same model: the levels of factors, means and
    /// deviations of `standardize`, and whole data computed from all rows are those of `basis`.
    ///
    /// # Errors
    /// As [`Dataset::bind`], and where a factor has a level here that it does not have there.
    pub fn bind_like(&self, schema: &Schema, basis: &BoundData) -> Result<BoundData, DataError> {
        let schema = &*schema.inner;
        let mut bound = self.bind_columns_in(&schema.columns, Terms::Of(basis))?;
        schema.complete(&mut bound, Terms::Of(basis))?;
        Ok(bound)
    }
}

impl Inner {
    /// Computes derived data, takes whole ones from other data in whose terms these are, and checks
    /// sizes and indices.
    fn complete(&self, bound: &mut BoundData, terms: Terms<'_>) -> Result<(), DataError> {
        for derived in &self.derived {
            let datum = &self.columns.data[derived.datum];
            match (terms, datum.level == Level::Whole && !datum.per_row) {
                (Terms::Of(basis), true) => {
                    bound.copy_whole(derived.datum, basis);
                    continue;
                }
                // They are there already.
                (Terms::Fixed(_), true) => continue,
                (Terms::Fixed(_), false) => refuse_columns(derived, &self.columns)?,
                _ => {}
            }
            prove_indices(&derived.indices, bound, reads_branch(&derived.function, bound))?;
            let values = compute(derived, bound);
            bound.set_derived(derived.datum, values)?;
        }
        check_sizes(self, bound)?;
        prove_indices(&self.global_indices, bound, false)?;
        prove_indices(&self.local_indices, bound, true)
    }
}

impl Schema {
    /// These branches of `data` alone, in the order of their keys, with whole data as they would
    /// be had only these been read, or as they are in `basis`.
    ///
    /// # Errors
    /// When the data that are left do not fit the model.
    pub(crate) fn part(
        &self,
        data: &BoundData,
        branches: &[usize],
        basis: Option<&BoundData>,
    ) -> Result<BoundData, DataError> {
        let mut part = data.part(branches, basis)?;
        self.inner.complete(&mut part, basis.map_or(Terms::Own, Terms::Of))?;
        Ok(part)
    }

    /// Data made up from the schema, with whole data as `settings` say: two small branches of
    /// values within their declared bounds.
    ///
    /// # Errors
    /// When whole data are not set or wrong, or made-up values break a rule that the schema does
    /// not tell, such as two sizes that have to be equal.
    pub(super) fn synthetic_data(
        &self,
        settings: &[(String, SetValue)],
    ) -> Result<BoundData, DataError> {
        let schema = &*self.inner;
        let with_settings = |rows: Dataset| {
            settings.iter().fold(rows, |rows, (name, value)| rows.set(name, value.clone()))
        };
        let without_columns = schema.columns.without_columns();
        let keys = Dataset::synthetic(&without_columns, None)?;
        let mut whole = with_settings(keys).bind_columns_in(&without_columns, Terms::Own)?;
        for derived in &schema.derived {
            let datum = &schema.columns.data[derived.datum];
            if datum.level == Level::Whole && is_known(&derived.function, &whole) {
                prove_indices(&derived.indices, &whole, false)?;
                let values = compute(derived, &whole);
                whole.set_derived(derived.datum, values)?;
            }
        }
        with_settings(Dataset::synthetic(&schema.columns, Some(&whole))?).bind(self)
    }
}

/// Data of new branches cannot be computed of single values of all rows of a fit.
fn refuse_columns(derived: &DataFunction, schema: &schema::Schema) -> Result<(), DataError> {
    let column = derived.function.inputs.iter().find_map(|input| match input.kind {
        InputKind::Column(k) => Some(&schema.data[k].name),
        _ => None,
    });
    let Some(column) = column else { return Ok(()) };
    let datum = &schema.data[derived.datum];
    let message = format!(
        "`{}` cannot be computed for new data: it reads `column({column})`, and a fit does not \
         keep its rows",
        datum.name
    );
    Err(DataError::new(DataErrorKind::OtherData, message)
        .help("compute what is wanted of the column outside `branch`, where a fit keeps it")
        .at(datum.span))
}

/// Whether a function has to be evaluated branch by branch.
fn reads_branch(function: &Function, data: &BoundData) -> bool {
    let of_branch = |kind| match kind {
        InputKind::Datum(k) => {
            let datum = &data.schema().data[k];
            datum.per_row || datum.level == Level::Branch
        }
        _ => false,
    };
    function.inputs.iter().any(|input| of_branch(input.kind))
}

/// Whether a function reads whole data alone, of which all are known.
fn is_known(function: &Function, data: &BoundData) -> bool {
    let is_read = |kind| match kind {
        InputKind::Datum(k) => !data.values(k).is_empty(),
        _ => false,
    };
    let is_sized = |atom: &SizeAtom| match atom {
        SizeAtom::Datum(name) => data.whole_int(name).is_some(),
        _ => false,
    };
    let inputs = &function.inputs;
    let mut sizes = function.values.iter().flat_map(|(_, value)| &value.ty.dims);
    !reads_branch(function, data)
        && inputs.iter().all(|input| is_read(input.kind))
        && sizes.all(|size| size.atoms().all(is_sized))
}

/// The values of a derived datum: of the whole, or of one branch after another.
fn compute(derived: &DataFunction, data: &BoundData) -> Vec<f64> {
    let datum = &data.schema().data[derived.datum];
    match datum.level == Level::Branch || datum.per_row {
        false => run(&derived.function, data, 0).remove(0),
        true => (0..data.n_branches())
            .flat_map(|branch| run(&derived.function, data, branch).remove(0))
            .collect(),
    }
}

/// A function of data alone, on one branch.
fn run(function: &Function, data: &BoundData, branch: usize) -> Vec<Vec<f64>> {
    let rows = match data.n_branches() {
        0 => 0..0,
        _ => data.rows(branch),
    };
    let slice = |kind| match kind {
        InputKind::Datum(k) => {
            let datum = &data.schema().data[k];
            let values = data.values(k);
            match (datum.per_row, datum.level) {
                (true, _) => {
                    let n = values.len() / data.n_rows_total().max(1);
                    &values[rows.start * n..rows.end * n]
                }
                (false, Level::Branch) => {
                    let n = values.len() / data.n_branches().max(1);
                    &values[branch * n..(branch + 1) * n]
                }
                (false, Level::Whole) => values,
            }
        }
        InputKind::Column(k) => data.values(k),
        _ => unreachable!("derived data and indices depend on data alone"),
    };
    let inputs = function.inputs.iter().map(|input| slice(input.kind)).collect();
    let sizes = |atom: &SizeAtom| size_of(atom, data, rows.len());
    evaluate(function, &Env { inputs, sizes: &sizes })
}

/// Sizes that the checker could not prove equal, and those of unknowns.
fn check_sizes(schema: &Inner, data: &BoundData) -> Result<(), DataError> {
    for (name, dims) in &schema.unknown_dims {
        for dim in dims.iter().filter(|dim| !dim.depends_on_rows()) {
            data.size(dim, 0).map_err(|error| {
                error.help(format!("it is a size of `{name}`: sizes are whole numbers from zero"))
            })?;
        }
    }
    for check in &schema.size_checks {
        let depends_on_rows = check.left.depends_on_rows() || check.right.depends_on_rows();
        let branches = if depends_on_rows { data.n_branches() } else { 1 };
        for branch in 0..branches {
            let n_rows = if depends_on_rows { data.rows(branch).len() } else { 0 };
            let left = data.size(&check.left, n_rows)?;
            let right = data.size(&check.right, n_rows)?;
            if left != right {
                let place = match depends_on_rows {
                    true => format!(" in branch {}", data.branch_label(branch)),
                    false => String::new(),
                };
                let side = |size: &Size, value: usize| match size.as_constant() {
                    Some(_) => value.to_string(),
                    None => format!("`{size}` = {value}"),
                };
                let message = format!(
                    "sizes differ{place}: {} and {}",
                    side(&check.left, left),
                    side(&check.right, right)
                );
                let error = DataError::new(DataErrorKind::Size, message);
                return Err(error.help("here they have to be equal").at(check.span));
            }
        }
    }
    Ok(())
}

/// Runs the index checks on the whole data, or on every branch.
fn prove_indices(
    checks: &IndexChecks,
    data: &BoundData,
    per_branch: bool,
) -> Result<(), DataError> {
    let is_trivial = checks.sites.is_empty();
    let branches = match (is_trivial, per_branch) {
        (true, _) => 0,
        (false, false) => 1,
        (false, true) => data.n_branches(),
    };
    for branch in 0..branches {
        let found = run(&checks.function, data, branch);
        let (number, index) = (found[0][0] as usize, found[1][0]);
        if number > 0 {
            let place = row_of_index(&checks.function, index, data, branch);
            let site = &checks.sites[number - 1];
            return Err(bad_index(site, index, data, branch, per_branch, place));
        }
    }
    Ok(())
}

/// The first row of a branch where a datum that indices are made of reads like a bad index.
fn row_of_index(
    function: &Function,
    index: f64,
    data: &BoundData,
    branch: usize,
) -> Option<String> {
    let is_there = |kind: InputKind| match kind {
        InputKind::Datum(k) if data.schema().data[k].per_row => {
            let rows = data.rows(branch);
            let values = data.values(k);
            let n = values.len() / data.n_rows_total().max(1);
            let own = &values[rows.start * n..rows.end * n];
            own.iter().position(|&value| value == index).map(|at| rows.start + at / n.max(1))
        }
        _ => None,
    };
    let row = function.inputs.iter().find_map(|input| is_there(input.kind))?;
    Some(data.place(row))
}

fn bad_index(
    site: &crate::lower::IndexSite,
    index: f64,
    data: &BoundData,
    branch: usize,
    per_branch: bool,
    row: Option<String>,
) -> DataError {
    let n_rows = if per_branch { data.rows(branch).len() } else { 0 };
    let size = data.size(&site.size, n_rows).unwrap_or(0);
    let place = match per_branch {
        true => format!(" in branch {}", data.branch_label(branch)),
        false => String::new(),
    };
    let variable = &site.variable;
    let elements = if size == 1 { "element" } else { "elements" };
    let message =
        format!("index {index} of `{variable}` is out of range{place}: it has {size} {elements}");
    let message = match row {
        Some(row) => format!("{row}: {message}"),
        None => message,
    };
    let last = match site.size.as_constant() {
        Some(_) => size.to_string(),
        None => format!("`{}` = {size}", site.size),
    };
    DataError::new(DataErrorKind::Index, message)
        .help(format!("an index of `{variable}` runs from 1 to {last}: mend the data or the size"))
        .at(site.span)
}
