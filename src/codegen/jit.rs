//! Makes emitted code callable: the one place of this module with `unsafe` code.
//!
//! Every compiled function takes one pointer to a [`Frame`]. Lengths are checked in safe code
//! before each call; the memory that the code lies in is freed with its last function.

use std::ops::Range;
use std::sync::Arc;

use cranelift::codegen::Context;
use cranelift::prelude::*;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};

use super::CodegenError;
use super::arithmetic::define_symbols;
use super::check::check;
use super::emit::emit_function;
use super::kernels;
use super::shape::{BranchInput, LENGTH_OF_TYPE, Length, Reach, Shape, check_lengths};
use super::sizes::SizeTable;
use crate::ir::op::Function;

/// What a compiled function is called with.
#[repr(C)]
struct Frame {
    inputs: *const *const f64,
    outputs: *const *mut f64,
    scratch: *mut f64,
    n_rows: i64,
}

type Entry = unsafe extern "C" fn(*const Frame);

/// Memory that holds machine code, freed on drop.
struct Code {
    module: Option<JITModule>,
}

// SAFETY: once code is finalized nothing reads or writes the module until it is dropped, and
// the code itself is only executed, which any number of threads may do.
unsafe impl Send for Code {}
// SAFETY: as above; no method takes `&self`.
unsafe impl Sync for Code {}

impl Drop for Code {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: whoever can call the code holds an `Arc` of this `Code`, so no call is
            // under way or can follow.
            unsafe { module.free_memory() };
        }
    }
}

/// A function in machine code. Clones share the code.
#[derive(Clone)]
pub struct CompiledFunction {
    code: Arc<Code>,
    entry: Entry,
    shape: Arc<Shape>,
}

/// Work space for calls, used again from call to call; one for each thread.
#[derive(Clone, Default)]
pub struct Scratch {
    memory: Vec<f64>,
    pointers: Pointers,
}

/// Tables of pointers, filled for a call, which alone reads them.
#[derive(Default)]
struct Pointers {
    inputs: Vec<*const f64>,
    outputs: Vec<*mut f64>,
}

// SAFETY: no call reads what another one filled in.
unsafe impl Send for Pointers {}
// SAFETY: as above; only `&mut` access fills them.
unsafe impl Sync for Pointers {}

impl Clone for Pointers {
    fn clone(&self) -> Self {
        Pointers::default()
    }
}

/// Compiles functions, in order, on two threads where there are two.
pub fn compile(
    functions: &[&Function],
    sizes: &SizeTable,
) -> Result<Vec<CompiledFunction>, CodegenError> {
    let [first, second] = halves(functions);
    let part = |positions: &[usize]| {
        let part: Vec<&Function> = positions.iter().map(|&position| functions[position]).collect();
        compile_together(&part, sizes)
    };
    let (of_first, of_second) = rayon::join(|| part(&first), || part(&second));
    let mut compiled: Vec<Option<CompiledFunction>> = vec![None; functions.len()];
    for (positions, codes) in [(first, of_first?), (second, of_second?)] {
        for (position, code) in positions.into_iter().zip(codes) {
            compiled[position] = Some(code);
        }
    }
    Ok(compiled.into_iter().map(|code| code.expect("each function is in one half")).collect())
}

/// Positions of functions in two groups that take about as long to compile.
fn halves(functions: &[&Function]) -> [Vec<usize>; 2] {
    let weight = |position: &usize| functions[*position].values.len();
    let mut by_weight: Vec<usize> = (0..functions.len()).collect();
    by_weight.sort_by_key(|position| std::cmp::Reverse(weight(position)));
    let mut halves = [Vec::new(), Vec::new()];
    let mut weights = [0, 0];
    for position in by_weight {
        let half = usize::from(weights[1] < weights[0]);
        weights[half] += weight(&position);
        halves[half].push(position);
    }
    halves
}

/// Compiles functions into one piece of code, in order.
fn compile_together(
    functions: &[&Function],
    sizes: &SizeTable,
) -> Result<Vec<CompiledFunction>, CodegenError> {
    if functions.is_empty() {
        return Ok(Vec::new());
    }
    let mut module = new_module()?;
    let mut signature = module.make_signature();
    signature.params.push(AbiParam::new(types::I64));
    let mut context = module.make_context();
    let mut builder_context = FunctionBuilderContext::new();
    let mut defined: Vec<(FuncId, Shape)> = Vec::new();
    for (position, function) in functions.iter().enumerate() {
        check(function, sizes)?;
        let name = format!("function_{position}");
        let id = module.declare_function(&name, Linkage::Export, &signature).map_err(backend)?;
        context.func.signature = signature.clone();
        let builder = FunctionBuilder::new(&mut context.func, &mut builder_context);
        let scratch = emit_function(builder, &mut module, sizes, function)?;
        define(&mut module, id, &mut context)?;
        module.clear_context(&mut context);
        defined.push((id, Shape::new(function, sizes, scratch)?));
    }
    module.finalize_definitions().map_err(backend)?;
    let entries: Vec<*const u8> =
        defined.iter().map(|(id, _)| module.get_finalized_function(*id)).collect();
    let code = Arc::new(Code { module: Some(module) });
    let compiled = defined.into_iter().zip(entries).map(|((_, shape), address)| {
        // SAFETY: the address is that of a finalized function with this very signature.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
        CompiledFunction { code: code.clone(), entry, shape: Arc::new(shape) }
    });
    Ok(compiled.collect())
}

pub(super) fn backend(error: impl std::fmt::Display) -> CodegenError {
    CodegenError::Backend(error.to_string())
}

pub(super) fn new_module() -> Result<JITModule, CodegenError> {
    let mut flags = settings::builder();
    let verifier = if cfg!(debug_assertions) { "true" } else { "false" };
    for (name, value) in [
        ("opt_level", "speed"),
        ("enable_verifier", verifier),
        ("use_colocated_libcalls", "false"),
        ("is_pic", "false"),
    ] {
        flags.set(name, value).map_err(backend)?;
    }
    let isa = cranelift_native::builder().map_err(backend)?;
    let isa = isa.finish(settings::Flags::new(flags)).map_err(backend)?;
    let mut builder = JITBuilder::with_isa(isa, default_libcall_names());
    define_symbols(&mut builder);
    kernels::define_symbols(&mut builder);
    Ok(JITModule::new(builder))
}

fn define(module: &mut JITModule, id: FuncId, context: &mut Context) -> Result<(), CodegenError> {
    module.define_function(id, context).map_err(|error| CodegenError::Backend(format!("{error:?}")))
}

impl CompiledFunction {
    /// The bytes of scratch memory that a call works in, whatever the number of rows.
    pub fn scratch_bytes(&self) -> usize {
        size_of::<f64>() * self.shape.scratch
    }

    /// [`CompiledFunction::call_flat`] with a slice for each output.
    #[cfg(test)]
    pub fn call(
        &self,
        inputs: &[&[f64]],
        outputs: &mut [&mut [f64]],
        n_rows: usize,
        scratch: &mut Scratch,
    ) {
        let lengths: Vec<usize> = outputs.iter().map(|output| output.len()).collect();
        let mut all = vec![0.0; lengths.iter().sum()];
        self.call_flat(inputs.iter().copied(), (&mut all, &lengths), n_rows, scratch);
        let mut rest = &all[..];
        for output in outputs {
            let (own, after) = rest.split_at(output.len());
            output.copy_from_slice(own);
            rest = after;
        }
    }

    /// Calls the function on `n_rows` rows: one slice for each input, of exactly the length that
    /// its type has, and one for all outputs, one after another, with their lengths.
    ///
    /// # Panics
    /// When there are more rows than the code was made for, or a slice has another length.
    pub fn call_flat<'a>(
        &self,
        inputs: impl ExactSizeIterator<Item = &'a [f64]>,
        (outputs, lengths): (&mut [f64], &[usize]),
        n_rows: usize,
        scratch: &mut Scratch,
    ) {
        let shape = &*self.shape;
        assert!(n_rows <= shape.max_rows, "at most {} rows, not {n_rows}", shape.max_rows);
        assert_eq!(inputs.len(), shape.inputs.len(), "one slice for each array");
        check_lengths(&shape.outputs, lengths.iter().copied(), n_rows);
        assert_eq!(outputs.len(), lengths.iter().sum::<usize>(), "room for each output");
        if scratch.memory.len() < shape.scratch.max(1) {
            scratch.memory.resize(shape.scratch.max(1), 0.0);
        }
        let Scratch { memory, pointers } = scratch;
        let spare = memory.as_mut_ptr();
        pointers.inputs.clear();
        pointers.outputs.clear();
        for (input, expected) in inputs.zip(&shape.inputs) {
            assert_eq!(Some(input.len()), expected.at(n_rows), "{LENGTH_OF_TYPE}");
            // An empty slice may have no address at all, so empty arrays lie at some valid one.
            let address = if input.is_empty() { spare.cast_const() } else { input.as_ptr() };
            pointers.inputs.push(address);
        }
        let mut rest = outputs;
        for &length in lengths {
            let (output, after) = rest.split_at_mut(length);
            pointers.outputs.push(if length == 0 { spare } else { output.as_mut_ptr() });
            rest = after;
        }
        let frame = Frame {
            inputs: pointers.inputs.as_ptr(),
            outputs: pointers.outputs.as_ptr(),
            scratch: spare,
            n_rows: i64::try_from(n_rows).expect("fewer rows than fit in memory"),
        };
        // SAFETY: every slice has the length that the code was made for at this number of
        // rows, scratch at least the length it asks for, and loops and positions stay within
        // those by construction; `self.code` keeps the code mapped; outputs are borrowed
        // mutably, so they overlap nothing.
        unsafe { (self.entry)(&frame) };
        pointers.inputs.clear();
        pointers.outputs.clear();
        debug_assert!(self.code.module.is_some(), "code lives as long as its functions");
    }
}

impl CompiledFunction {
    /// Calls the function for each of the branches, in order, on the rows that `rows` says, and
    /// then `each` with the branch and all outputs, one after another, of these lengths. Quicker
    /// than as many single calls: what can be is checked once.
    ///
    /// # Panics
    /// When an input does not reach to its end, or has not the length of its type.
    pub fn call_each(
        &self,
        inputs: &[BranchInput],
        branches: Range<usize>,
        rows: impl Fn(usize) -> Range<usize>,
        lengths: &[usize],
        (out, scratch): (&mut Vec<f64>, &mut Scratch),
        mut each: impl FnMut(usize, &[f64]),
    ) {
        let shape = &*self.shape;
        if branches.is_empty() {
            return;
        }
        assert_eq!(inputs.len(), shape.inputs.len(), "one input for each array");
        for (input, length) in inputs.iter().zip(&shape.inputs) {
            input.check(length, branches.end - 1);
        }
        for (length, &given) in shape.outputs.iter().zip(lengths) {
            assert!(matches!(length, Length::Fixed(n) if *n == given), "{LENGTH_OF_TYPE}");
        }
        assert_eq!(shape.outputs.len(), lengths.len(), "room for each output");
        out.resize(lengths.iter().sum(), 0.0);
        if scratch.memory.len() < shape.scratch.max(1) {
            scratch.memory.resize(shape.scratch.max(1), 0.0);
        }
        let Scratch { memory, pointers } = scratch;
        let spare = memory.as_mut_ptr();
        pointers.outputs.clear();
        let mut start = 0;
        for &length in lengths {
            pointers.outputs.push(if length == 0 { spare } else { out[start..].as_mut_ptr() });
            start += length;
        }
        let (first, first_rows) = (branches.start, rows(branches.start));
        let each_input = inputs.iter().zip(&shape.inputs);
        let addresses =
            each_input.map(|(input, length)| input.of(length, first, &first_rows, spare));
        pointers.inputs.clear();
        pointers.inputs.extend(addresses);
        let is_moving = |k: &usize| !matches!(inputs[*k].reach, Reach::Same);
        let moving: Vec<usize> = (0..inputs.len()).filter(is_moving).collect();
        for branch in branches {
            let rows = rows(branch);
            assert!(rows.len() <= shape.max_rows, "at most {} rows", shape.max_rows);
            for &k in &moving {
                pointers.inputs[k] = inputs[k].of(&shape.inputs[k], branch, &rows, spare);
            }
            let frame = Frame {
                inputs: pointers.inputs.as_ptr(),
                outputs: pointers.outputs.as_ptr(),
                scratch: spare,
                n_rows: rows.len() as i64,
            };
            // SAFETY: `check` and `of` saw that each input has the length that the code was made
            // for, outputs lie in `out` with their lengths, scratch has the length it asks for,
            // and loops and positions stay within those by construction; `self.code` keeps the
            // code mapped; `out` is borrowed mutably, so outputs overlap nothing.
            unsafe { (self.entry)(&frame) };
            each(branch, out);
        }
        pointers.inputs.clear();
        pointers.outputs.clear();
    }
}
