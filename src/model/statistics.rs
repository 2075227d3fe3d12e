//! Statistics of branches: what [`super::condense`] found, computed for the data at hand.

use rayon::prelude::*;

use super::condense::{self, Condensed, Extents, Triangle};
use super::kernel::{Arguments, Kernel, Pieces};
use super::program::{data_error, size_table};
use super::{Backend, CompiledModel};
use crate::codegen::{self, Scratch};
use crate::data::{BoundData, DataError};
use crate::ir::op::Function;

/// Rows below which compiling costs more than it saves.
const WORTH_CODE: usize = 20_000;
/// Branches that one task computes the statistics of.
const TOGETHER: usize = 256;

/// The statistics of all branches.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// One record a branch.
    pub values: Vec<f64>,
    /// How many numbers each statistic has; together a record.
    pub lengths: Vec<usize>,
}

/// The function of a branch that reads statistics, with these.
pub struct Summarised {
    /// In place of the program's.
    pub local: Function,
    /// What it reads.
    pub statistics: Statistics,
}

/// Finds what can be computed of these data once; none where that is nothing, or where columns
/// that would be condensed are not finite.
///
/// # Errors
/// When arrays of these sizes do not fit in memory.
pub fn summarise(
    model: &CompiledModel,
    local: &Function,
    data: &BoundData,
) -> Result<Option<Summarised>, DataError> {
    if data.n_branches() == 0 {
        return Ok(None);
    }
    let of = |size: &crate::ty::Size| data.size(size, 0).expect("sizes were checked at binding");
    let mean_rows = data.n_rows_total() as f64 / data.n_branches() as f64;
    let extents = Extents { mean_rows, of: &of };
    let backend = model.options().backend;
    let settled = settled(local, data, backend)?;
    let is_settled = settled.is_some();
    let condensed = condense::condense(settled.as_ref().unwrap_or(local), &extents);
    if !is_settled && !condensed.is_worth_it() {
        return Ok(None);
    }
    let statistics = Statistics::new(&condensed, &extents, data, backend)?;
    Ok(statistics.map(|statistics| Summarised { local: condensed.local, statistics }))
}

/// The function without the conditions that hold for all data, if there is one.
fn settled(
    local: &Function,
    data: &BoundData,
    backend: Backend,
) -> Result<Option<Function>, DataError> {
    let Some(conditions) = condense::conditions(local) else { return Ok(None) };
    let n = conditions.violations.outputs.len();
    let kernel = OfData::new(&conditions.violations, data, backend)?;
    let count = |mut sums: Vec<f64>, of_branch: &[f64]| {
        sums.iter_mut().zip(of_branch).for_each(|(sum, count)| *sum += count);
        sums
    };
    let mut worker = kernel.worker();
    let violations =
        (0..data.n_branches()).fold(vec![0.0; n], |sums, branch| count(sums, worker.call(branch)));
    let holds: Vec<bool> = violations.iter().map(|&count| count == 0.0).collect();
    let any = holds.contains(&true);
    Ok(any.then(|| condense::settle(local, &conditions, &holds)))
}

impl Statistics {
    fn new(
        condensed: &Condensed,
        extents: &Extents,
        data: &BoundData,
        backend: Backend,
    ) -> Result<Option<Statistics>, DataError> {
        let lengths = condensed.lengths(extents);
        let record = lengths.iter().sum::<usize>();
        if record == 0 {
            return Ok(Some(Statistics { values: Vec::new(), lengths }));
        }
        let mut triangles = Vec::new();
        for triangle in &condensed.triangles {
            triangles.push(OfData::new(&triangle.columns, data, backend)?);
        }
        let constants = OfData::new(&condensed.constants, data, backend)?;
        let mut values = vec![0.0; record * data.n_branches()];
        let is_finite: Vec<bool> = values
            .par_chunks_mut(record * TOGETHER)
            .enumerate()
            .map(|(chunk, records)| {
                let mut workers: Vec<Worker> = triangles.iter().map(OfData::worker).collect();
                let mut constants = constants.worker();
                let mut is_finite = true;
                for (place, record) in records.chunks_exact_mut(record).enumerate() {
                    let branch = chunk * TOGETHER + place;
                    let mut rest = record;
                    for (triangle, worker) in condensed.triangles.iter().zip(&mut workers) {
                        let n = triangle.n_columns();
                        let (own, after) = rest.split_at_mut(n * n);
                        is_finite &= write_triangle(triangle, worker.call(branch), own);
                        rest = after;
                    }
                    rest.copy_from_slice(constants.call(branch));
                }
                is_finite
            })
            .collect();
        let is_finite = is_finite.into_iter().all(|is_finite| is_finite);
        Ok(is_finite.then_some(Statistics { values, lengths }))
    }
}

/// The rows of a triangle, each output's part as a matrix of its own, of columns that lie output
/// after output, each row by row. False where one is not finite.
fn write_triangle(triangle: &Triangle, columns: &[f64], target: &mut [f64]) -> bool {
    if columns.iter().any(|x| !x.is_finite()) {
        return false;
    }
    let n = triangle.n_columns();
    let n_rows = columns.len() / n;
    let mut by_column = Vec::with_capacity(columns.len());
    let mut start = 0;
    for &width in &triangle.widths {
        let part = &columns[start..start + width * n_rows];
        for column in 0..width {
            by_column.extend(part.iter().skip(column).step_by(width));
        }
        start += part.len();
    }
    let mut r = vec![0.0; n * n];
    condense::triangle(&mut by_column, n_rows, &mut r);
    let (mut first, mut place) = (0, 0);
    for &width in &triangle.widths {
        for row in 0..n {
            for column in first..first + width {
                target[place] = r[column * n + row];
                place += 1;
            }
        }
        first += width;
    }
    true
}

/// A function of data of a branch.
struct OfData<'a> {
    kernel: Kernel,
    function: &'a Function,
    data: &'a BoundData,
}

/// One that computes it.
struct Worker<'a> {
    of: &'a OfData<'a>,
    lengths: Vec<usize>,
    out: Vec<f64>,
    scratch: Scratch,
}

impl<'a> OfData<'a> {
    fn new(
        function: &'a Function,
        data: &'a BoundData,
        backend: Backend,
    ) -> Result<OfData<'a>, DataError> {
        let is_worth_code = data.n_rows_total() + data.n_branches() >= WORTH_CODE;
        let code = match backend {
            Backend::MachineCode if is_worth_code => {
                let codes = codegen::compile(&[function], &size_table(data));
                codes.map_err(|error| data_error(&error))?.pop()
            }
            _ => None,
        };
        let kernel = Kernel::new(function.clone(), code, &Pieces::default(), &[], Vec::new(), data);
        Ok(OfData { kernel, function, data })
    }

    fn worker(&self) -> Worker<'_> {
        Worker { of: self, lengths: Vec::new(), out: Vec::new(), scratch: Scratch::default() }
    }
}

impl Worker<'_> {
    /// All outputs, one after another.
    fn call(&mut self, branch: usize) -> &[f64] {
        let OfData { kernel, function, data } = self.of;
        let n_rows = data.rows(branch).len();
        let extent = |dim| data.size(dim, n_rows).expect("sizes were checked at binding");
        let length = |output: &crate::ir::op::Output| {
            function.values[output.value].ty.dims.iter().map(extent).product::<usize>()
        };
        self.lengths.clear();
        self.lengths.extend(function.outputs.iter().map(length));
        let arguments = Arguments { branch, ..Arguments::default() };
        kernel.call_of(&self.lengths, &arguments, data, &mut self.out, &mut self.scratch);
        &self.out
    }
}
