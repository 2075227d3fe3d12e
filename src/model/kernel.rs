//! One function, ready to be called on the data of a branch.

use crate::codegen::{BranchInput, CompiledFunction, Reach, Scratch};
use crate::data::BoundData;
use crate::ir::eval::{Env, evaluate};
use crate::ir::op::{Function, InputKind};
use crate::ty::{Level, SizeAtom};

/// What the inputs of a function are read from.
#[derive(Clone, Copy, Default)]
pub struct Arguments<'a> {
    /// Unconstrained globals.
    pub theta: &'a [f64],
    /// Unconstrained locals of the branch.
    pub z: &'a [f64],
    /// Shared values.
    pub shared: &'a [f64],
    /// Adjoints of outputs, one after another.
    pub cotangents: &'a [f64],
    /// One weight per row, of all rows of the data.
    pub mask: &'a [f64],
    /// Statistics of all branches, a record each.
    pub statistics: &'a [f64],
    /// The branch; 0 where a function reads no branch.
    pub branch: usize,
}

/// A function with its machine code, or to be interpreted.
#[derive(Clone)]
pub struct Kernel {
    function: Function,
    code: Option<CompiledFunction>,
    sources: Vec<Source>,
    output_lengths: Vec<usize>,
}

/// Where one input lies.
#[derive(Clone, Debug)]
enum Source {
    Theta(usize, usize),
    Local(usize, usize),
    Shared(usize, usize),
    Cotangent(usize, usize),
    WholeDatum(usize),
    BranchDatum(usize, usize),
    RowDatum(usize, usize),
    /// Place in the record of a branch, length, and length of the record.
    Statistic(usize, usize, usize),
    RowMask,
}

/// Lengths of the pieces that inputs refer to by number.
#[derive(Default)]
pub struct Pieces {
    /// Of the unconstrained globals.
    pub globals: Vec<usize>,
    /// Of the unconstrained locals.
    pub locals: Vec<usize>,
    /// Of the shared values.
    pub shared: Vec<usize>,
    /// Of the statistics of a branch.
    pub statistics: Vec<usize>,
}

impl Kernel {
    /// Finds where each input lies. `output_lengths` holds one length for each output;
    /// `cotangents` those of the outputs that `Cotangent` inputs are adjoints of.
    pub fn new(
        function: Function,
        code: Option<CompiledFunction>,
        pieces: &Pieces,
        cotangents: &[usize],
        output_lengths: Vec<usize>,
        data: &BoundData,
    ) -> Kernel {
        let sources =
            function.inputs.iter().map(|i| source(i.kind, pieces, cotangents, data)).collect();
        Kernel { function, code, sources, output_lengths }
    }

    /// What it computes.
    #[cfg(test)]
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// The length of each output.
    pub fn output_lengths(&self) -> &[usize] {
        &self.output_lengths
    }

    /// The bytes of work space that a call needs; of interpreted functions it is not known.
    pub fn scratch_bytes(&self) -> usize {
        self.code.as_ref().map_or(0, CompiledFunction::scratch_bytes)
    }

    /// Writes all outputs, one after another, to `out`, which is made as long as they are.
    pub fn call(
        &self,
        arguments: &Arguments,
        data: &BoundData,
        out: &mut Vec<f64>,
        scratch: &mut Scratch,
    ) {
        self.call_of(&self.output_lengths, arguments, data, out, scratch);
    }

    /// The same for outputs of these lengths, which may go with the rows of the branch.
    pub fn call_of(
        &self,
        lengths: &[usize],
        arguments: &Arguments,
        data: &BoundData,
        out: &mut Vec<f64>,
        scratch: &mut Scratch,
    ) {
        // All of it is written.
        out.resize(lengths.iter().sum(), 0.0);
        let rows = match data.n_branches() {
            0 => 0..0,
            _ => data.rows(arguments.branch),
        };
        let slices = self.sources.iter().map(|source| slice(source, arguments, data));
        match &self.code {
            Some(code) => {
                code.call_flat(slices, (out, lengths), rows.len(), scratch);
            }
            None => {
                let sizes = |atom: &SizeAtom| size_of(atom, data, rows.len());
                let env = Env { inputs: slices.collect(), sizes: &sizes };
                let mut start = 0;
                for value in evaluate(&self.function, &env) {
                    out[start..start + value.len()].copy_from_slice(&value);
                    start += value.len();
                }
            }
        }
    }
}

impl Kernel {
    /// The function for each of the branches, the locals of all of which are `arguments.z`, one
    /// branch after another; `each` sees the branch and all outputs, one after another.
    pub fn call_each(
        &self,
        branches: std::ops::Range<usize>,
        n_local: usize,
        arguments: &Arguments,
        data: &BoundData,
        (out, scratch): (&mut Vec<f64>, &mut Scratch),
        mut each: impl FnMut(usize, &[f64]),
    ) {
        let Some(code) = &self.code else {
            for branch in branches {
                let z = &arguments.z[branch * n_local..(branch + 1) * n_local];
                let arguments = Arguments { z, branch, ..*arguments };
                self.call(&arguments, data, out, scratch);
                each(branch, out);
            }
            return;
        };
        let input = |source: &Source| branch_input(source, n_local, arguments, data);
        let inputs: Vec<BranchInput> = self.sources.iter().map(input).collect();
        let rows = |branch| data.rows(branch);
        code.call_each(&inputs, branches, rows, &self.output_lengths, (out, scratch), each);
    }
}

/// What an atom of a size comes to for a branch of `n_rows` rows.
pub fn size_of(atom: &SizeAtom, data: &BoundData, n_rows: usize) -> i64 {
    match atom {
        SizeAtom::Rows(_) => n_rows as i64,
        SizeAtom::Datum(name) => data.whole_int(name).expect("sizes are known once data are bound"),
        SizeAtom::AllRows => data.n_rows_of_whole() as i64,
        SizeAtom::Branches => data.n_branches_of_whole() as i64,
        SizeAtom::StrictTriangle(_) => unreachable!("sizes evaluate their parts themselves"),
    }
}

fn source(kind: InputKind, pieces: &Pieces, cotangents: &[usize], data: &BoundData) -> Source {
    let place = |lengths: &[usize], k: usize| (lengths[..k].iter().sum(), lengths[k]);
    match kind {
        InputKind::Global(k) => {
            let (start, length) = place(&pieces.globals, k);
            Source::Theta(start, length)
        }
        InputKind::Local(k) => {
            let (start, length) = place(&pieces.locals, k);
            Source::Local(start, length)
        }
        InputKind::Shared(k) => {
            let (start, length) = place(&pieces.shared, k);
            Source::Shared(start, length)
        }
        InputKind::Cotangent(k) => {
            let (start, length) = place(cotangents, k);
            Source::Cotangent(start, length)
        }
        InputKind::Datum(k) => {
            let datum = &data.schema().data[k];
            match (datum.per_row, datum.level) {
                (true, _) => Source::RowDatum(k, inner_length(data, k)),
                (false, Level::Branch) => Source::BranchDatum(k, inner_length(data, k)),
                (false, Level::Whole) => Source::WholeDatum(k),
            }
        }
        InputKind::Statistic(k) => {
            let (start, length) = place(&pieces.statistics, k);
            Source::Statistic(start, length, pieces.statistics.iter().sum())
        }
        InputKind::RowMask => Source::RowMask,
        InputKind::Column(_) => unreachable!("columns as whole data are read by derived data"),
        InputKind::LoopIndex | InputKind::Carried(_) | InputKind::Captured(_) => {
            unreachable!("these are inputs of loop bodies")
        }
    }
}

/// Where an input lies for one branch after another.
fn branch_input<'a>(
    source: &Source,
    n_local: usize,
    arguments: &Arguments<'a>,
    data: &'a BoundData,
) -> BranchInput<'a> {
    let (values, start, reach) = match *source {
        Source::Theta(start, _) => (arguments.theta, start, Reach::Same),
        Source::Local(start, _) => (arguments.z, start, Reach::Branches(n_local)),
        Source::Shared(start, _) => (arguments.shared, start, Reach::Same),
        Source::Cotangent(start, _) => (arguments.cotangents, start, Reach::Same),
        Source::WholeDatum(k) => (data.values(k), 0, Reach::Same),
        Source::BranchDatum(k, length) => (data.values(k), 0, Reach::Branches(length)),
        Source::RowDatum(k, length) => (data.values(k), 0, Reach::Rows(length)),
        Source::Statistic(start, _, record) => {
            (arguments.statistics, start, Reach::Branches(record))
        }
        Source::RowMask => (arguments.mask, 0, Reach::Rows(1)),
    };
    BranchInput { values, start, reach }
}

/// How many numbers each branch or row has of a datum.
fn inner_length(data: &BoundData, k: usize) -> usize {
    let datum = &data.schema().data[k];
    let dims = if datum.per_row { &datum.dims[1..] } else { &datum.dims[..] };
    let sizes = |dim: &crate::ty::Size| data.size(dim, 0).expect("sizes were checked at binding");
    dims.iter().map(sizes).product()
}

fn slice<'a>(source: &Source, arguments: &Arguments<'a>, data: &'a BoundData) -> &'a [f64] {
    let rows = || data.rows(arguments.branch);
    match *source {
        Source::Theta(start, length) => &arguments.theta[start..start + length],
        Source::Local(start, length) => &arguments.z[start..start + length],
        Source::Shared(start, length) => &arguments.shared[start..start + length],
        Source::Cotangent(start, length) => &arguments.cotangents[start..start + length],
        Source::WholeDatum(k) => data.values(k),
        Source::BranchDatum(k, length) => {
            let start = arguments.branch * length;
            &data.values(k)[start..start + length]
        }
        Source::RowDatum(k, length) => &data.values(k)[rows().start * length..rows().end * length],
        Source::Statistic(start, length, record) => {
            let start = arguments.branch * record + start;
            &arguments.statistics[start..start + length]
        }
        Source::RowMask => &arguments.mask[rows()],
    }
}
