//! The functions of a model compiled for one data set.

use std::ops::Range;

use super::derivatives::Expansion;
use super::features::RowFeatures;
use super::functions::{Functions, Reading};
use super::kernel::{Kernel, Pieces};
use super::layout::{ParamLayout, Variable};
use super::{Backend, CompiledModel};
use crate::codegen::{self, CodegenError, CompiledFunction, SizeTable};
use crate::data::{BoundData, DataError, DataErrorKind};
use crate::ir::op::{Function, InputKind};
use crate::lower::{Program, Quantity};
use crate::schema::{Origin, levels_size};
use crate::ty::{Element, Level, Size};

/// Everything an evaluator calls, and the data it calls it on.
#[derive(Clone)]
pub struct Kernels {
    pub data: BoundData,
    pub layouts: Layouts,
    pub n_shared: usize,
    pub shared_ranges: Vec<Range<usize>>,
    /// Of all branches, a record each; where there are any, the code is for these data alone.
    pub statistics: Vec<f64>,
    /// What to compile again for other data, where that has to be.
    pub model: Option<CompiledModel>,
    /// One weight per bound row; empty where all rows count.
    pub mask: Vec<f64>,
    /// The opposite of `mask`.
    pub held_out: Vec<f64>,
    /// A mask of no rows.
    pub no_rows: Vec<f64>,
    /// Data with one value per branch that branches read, with their lengths.
    pub features: Vec<(usize, usize)>,
    /// What an encoder reads of each row.
    pub row_features: RowFeatures,
    pub shared: Kernel,
    pub shared_vjp: Kernel,
    pub reported: Kernel,
    pub density: Kernel,
    pub gradient: Kernel,
    /// Where the outputs of `gradient` after the densities go.
    pub adjoints: Vec<Adjoint>,
    pub prior: ExpansionKernels,
    pub likelihood: ExpansionKernels,
    pub reported_local: Kernel,
    /// Unconstrained globals of constrained ones; interpreted.
    pub unconstrain_global: Kernel,
    /// Unconstrained locals of constrained ones; interpreted.
    pub unconstrain_local: Kernel,
}

/// Where one output of the gradient of a branch goes.
#[derive(Clone, Debug)]
pub struct Adjoint {
    /// Among all outputs.
    pub from: Range<usize>,
    /// Among the locals of the branch, or the shared values.
    pub to: Range<usize>,
    pub is_local: bool,
}

/// Of all outputs after the densities.
fn adjoints(
    kinds: &[InputKind],
    gradient: &Kernel,
    layouts: &Layouts,
    shared: &[Range<usize>],
) -> Vec<Adjoint> {
    let from = ranges(gradient.output_lengths());
    let of = |(&kind, from): (&InputKind, &Range<usize>)| {
        let (to, is_local) = match kind {
            InputKind::Local(k) => (layouts.unconstrained_local.variables()[k].range.clone(), true),
            InputKind::Shared(k) => (shared[k].clone(), false),
            _ => unreachable!("adjoints are of locals and shared values"),
        };
        Adjoint { from: from.clone(), to, is_local }
    };
    kinds.iter().zip(&from[3..]).map(of).collect()
}

/// An [`Expansion`], compiled.
#[derive(Clone)]
pub struct ExpansionKernels {
    pub expansion: Kernel,
    pub vjp: Kernel,
    /// Where the locals lie that this part depends on.
    pub local_ranges: Vec<Range<usize>>,
    /// The shared values that the vjp has adjoints of.
    pub shared: Vec<usize>,
    pub reads_shared: bool,
    pub is_quadratic: bool,
    /// Whether it reads no data of a branch.
    pub is_common: bool,
}

/// Where everything lies.
#[derive(Clone)]
pub struct Layouts {
    pub unconstrained_global: ParamLayout,
    pub unconstrained_local: ParamLayout,
    pub reported_global: ParamLayout,
    pub reported_local: ParamLayout,
}

impl Kernels {
    /// Compiles the model for these data.
    pub fn new(
        model: &CompiledModel,
        data: BoundData,
        mask: Option<Vec<f64>>,
        what: Reading,
    ) -> Result<Kernels, DataError> {
        let functions = Functions::of(model, &data, mask.is_some(), what)?;
        Self::compile(model, functions, data, mask)
    }

    /// Compiles functions of the model for these data.
    pub fn compile(
        model: &CompiledModel,
        functions: Functions,
        data: BoundData,
        mask: Option<Vec<f64>>,
    ) -> Result<Kernels, DataError> {
        let Functions { program, derivatives, statistics, is_summarised, by_row } = functions;
        let layouts = Layouts::new(&program, &data);
        let functions: Vec<&Function> = derivatives.all().to_vec();
        let codes: Vec<Option<CompiledFunction>> = match model.options().backend {
            Backend::MachineCode => {
                let codes = codegen::compile(&functions, &size_table(&data));
                codes.map_err(|e| data_error(&e))?.into_iter().map(Some).collect()
            }
            Backend::Interpreter => vec![None; functions.len()],
        };
        let pieces = Pieces {
            globals: program.global_lengths.iter().map(|size| extent(size, &data)).collect(),
            locals: program.local_lengths.iter().map(|size| extent(size, &data)).collect(),
            shared: constrained_pieces(&program, &data).shared,
            statistics: statistics.lengths,
        };
        let mut codes = codes.into_iter();
        let mut kernel = |function: &Function, cotangents: &[usize]| {
            let code = codes.next().expect("one code for each function");
            let lengths = output_lengths(function, &data);
            Kernel::new(function.clone(), code, &pieces, cotangents, lengths, &data)
        };
        let shared = kernel(&derivatives.shared, &[]);
        let shared_vjp = kernel(&derivatives.shared_vjp, &pieces.shared);
        let reported = kernel(&derivatives.reported, &[]);
        let density = kernel(&derivatives.density, &[]);
        let gradient = kernel(&derivatives.gradient, &[]);
        let locals = &layouts.unconstrained_local;
        let schema = data.schema();
        let mut expansion = |e| ExpansionKernels::new(e, &mut kernel, locals, schema);
        let prior = expansion(&derivatives.prior);
        let likelihood = expansion(&derivatives.likelihood);
        let reported_local = kernel(&derivatives.reported_local, &[]);
        let [unconstrain_global, unconstrain_local] = unconstraining(&program, &pieces, &data);
        let mask = mask.unwrap_or_default();
        let shared_ranges = ranges(&pieces.shared);
        let adjoints = adjoints(&derivatives.adjoints, &gradient, &layouts, &shared_ranges);
        Ok(Kernels {
            n_shared: pieces.shared.iter().sum(),
            shared_ranges,
            no_rows: vec![0.0; mask.len()],
            held_out: mask.iter().map(|weight| 1.0 - weight).collect(),
            mask,
            statistics: statistics.values,
            model: is_summarised.then(|| model.clone()),
            features: features(&by_row, &data, model.may_be_missing()),
            row_features: RowFeatures::new(&by_row, &data, model.may_be_missing()),
            adjoints,
            layouts,
            shared,
            shared_vjp,
            reported,
            density,
            gradient,
            prior,
            likelihood,
            reported_local,
            unconstrain_global,
            unconstrain_local,
            data,
        })
    }
}

/// Lengths of constrained globals and locals and of shared values.
pub fn constrained_pieces(program: &Program, data: &BoundData) -> Pieces {
    let unknowns = |values: &[Quantity]| -> Vec<usize> {
        let unknowns = values.iter().filter(|value| value.is_unknown);
        unknowns.map(|value| length(&value.dims, data)).collect()
    };
    let global = &program.global;
    let dims = |k: usize| &global.values[global.outputs[k].value].ty.dims;
    let shared = program.shared.iter().map(|&k| length(dims(k), data));
    Pieces {
        globals: unknowns(&program.global_values),
        locals: unknowns(&program.local_values),
        shared: shared.collect(),
        statistics: Vec::new(),
    }
}

/// The length of each output of a function that reads no rows in its outputs' sizes.
pub fn output_lengths(function: &Function, data: &BoundData) -> Vec<usize> {
    let output = |k: usize| length(&function.values[function.outputs[k].value].ty.dims, data);
    (0..function.outputs.len()).map(output).collect()
}

/// The functions from constrained globals and locals to unconstrained ones.
fn unconstraining(program: &Program, pieces: &Pieces, data: &BoundData) -> [Kernel; 2] {
    let constrained = constrained_pieces(program, data);
    let kernel = |function: &Function, lengths: &[usize]| {
        Kernel::new(function.clone(), None, &constrained, &[], lengths.to_vec(), data)
    };
    [
        kernel(&program.unconstrain_global, &pieces.globals),
        kernel(&program.unconstrain_local, &pieces.locals),
    ]
}

impl ExpansionKernels {
    fn new(
        expansion: &Expansion,
        kernel: &mut dyn FnMut(&Function, &[usize]) -> Kernel,
        locals: &ParamLayout,
        schema: &crate::schema::Schema,
    ) -> ExpansionKernels {
        let of_branch = |kind: InputKind| match kind {
            InputKind::Datum(k) => schema.data[k].per_row || schema.data[k].level == Level::Branch,
            kind => matches!(kind, InputKind::RowMask | InputKind::Statistic(_)),
        };
        let compiled = kernel(&expansion.function, &[]);
        let vjp = kernel(&expansion.vjp, compiled.output_lengths());
        let range = |&k: &usize| locals.variables()[k].range.clone();
        ExpansionKernels {
            expansion: compiled,
            vjp,
            local_ranges: expansion.locals.iter().map(range).collect(),
            shared: expansion.shared.clone(),
            reads_shared: !expansion.shared.is_empty(),
            is_quadratic: expansion.is_quadratic,
            is_common: !expansion.function.inputs.iter().any(|input| of_branch(input.kind)),
        }
    }
}

impl Layouts {
    fn new(program: &Program, data: &BoundData) -> Layouts {
        let unknowns = |values: &[Quantity], lengths: &[Size]| {
            let mut layout = ParamLayout::default();
            let unknowns = values.iter().filter(|value| value.is_unknown);
            for (value, size) in unknowns.zip(lengths) {
                push(&mut layout, value, extent(size, data), data);
            }
            layout
        };
        let all = |values: &[Quantity]| {
            let mut layout = ParamLayout::default();
            for value in values {
                push(&mut layout, value, length(&value.dims, data), data);
            }
            layout
        };
        Layouts {
            unconstrained_global: unknowns(&program.global_values, &program.global_lengths),
            unconstrained_local: unknowns(&program.local_values, &program.local_lengths),
            reported_global: all(&program.global_values),
            reported_local: all(&program.local_values),
        }
    }
}

fn push(layout: &mut ParamLayout, value: &Quantity, length: usize, data: &BoundData) {
    let start = layout.len();
    layout.push(Variable {
        name: value.name.clone(),
        dims: value.dims.iter().map(|dim| extent(dim, data)).collect(),
        along: value.dims.iter().map(|dim| numbered_by(dim, data)).collect(),
        range: start..start + length,
        is_cholesky_factor: value.is_cholesky_factor,
        is_unknown: value.is_unknown,
    });
}

/// The factor or table whose levels a dimension counts.
fn numbered_by(dim: &Size, data: &BoundData) -> Option<String> {
    let schema = data.schema();
    let factors = schema.factors.iter().map(|factor| &factor.name);
    let tables = schema.tables.iter().map(|table| &table.name);
    factors.chain(tables).find(|name| *dim == levels_size(name)).cloned()
}

fn ranges(lengths: &[usize]) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut next = |&length: &usize| {
        start += length;
        start - length..start
    };
    lengths.iter().map(&mut next).collect()
}

fn length(dims: &[Size], data: &BoundData) -> usize {
    dims.iter().map(|dim| extent(dim, data)).product()
}

fn extent(size: &Size, data: &BoundData) -> usize {
    data.size(size, 0).expect("sizes of unknowns were checked when data were bound")
}

/// Values of all whole-data sizes.
pub fn size_table(data: &BoundData) -> SizeTable {
    let mut table = SizeTable::new(data.max_rows());
    let is_size = |datum: &&crate::schema::Datum| {
        datum.level == Level::Whole && datum.element == Element::Int && datum.dims.is_empty()
    };
    for datum in data.schema().data.iter().filter(is_size) {
        if let Some(value) = data.whole_int(&datum.name) {
            table.set(&datum.name, value);
        }
    }
    table
}

/// Which cells of `hidden` data are there is no fact of the branch: the fit did not know it.
fn features(density: &Function, data: &BoundData, hidden: &[String]) -> Vec<(usize, usize)> {
    let schema = data.schema();
    let is_hidden = |k: usize| match schema.data[k].origin {
        Origin::Observed(of) => hidden.contains(&schema.data[of].name),
        _ => false,
    };
    let mut features: Vec<(usize, usize)> = density
        .inputs
        .iter()
        .filter_map(|input| match input.kind {
            InputKind::Datum(k) => Some(k),
            _ => None,
        })
        .filter(|&k| {
            let datum = &data.schema().data[k];
            datum.level == Level::Branch && !datum.per_row && !is_hidden(k)
        })
        .map(|k| (k, length(&data.schema().data[k].dims, data)))
        .collect();
    features.sort_unstable();
    features
}

pub fn data_error(error: &CodegenError) -> DataError {
    DataError::new(DataErrorKind::Size, error.to_string())
}
