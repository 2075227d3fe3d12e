//! Emits one function: its values in order, each where the plan puts it.
//!
//! The state of emission is an [`Emitter`] for the machine function and a [`Scope`] for each
//! IR function in it, since loop bodies become loops of the same machine function.

use std::collections::HashMap;

use cranelift::codegen::ir::FuncRef;
use cranelift::prelude::*;
use cranelift_jit::JITModule;

use super::CodegenError;
use super::regions::Regions;
use super::schedule::{Plan, Storage, plan};
use super::sizes::SizeTable;
use crate::ir::op::{Function, Op, ValueId};
use crate::ty::Size;

/// A whole number known now or when the code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Num {
    Const(i64),
    Dyn(Value),
}

/// An array in memory.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// Address of the first element.
    pub base: Value,
    /// Along each axis, in elements.
    pub strides: Vec<Num>,
    /// The piece of memory that it is the whole of, where this code may change it.
    pub home: Option<Home>,
}

/// A piece of memory, by number.
pub(super) type Home = u32;

/// Where a value is, once emitted.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Not emitted.
    Nowhere,
    Scalar(Value),
    View(View),
    /// Computed where it is read; for an `Index`, the positions along fixed axes.
    Virtual(Vec<Option<Value>>),
    /// The results of a loop.
    Results(Vec<Place>),
}

/// The emission of one IR function.
pub(super) struct Scope<'f> {
    pub function: &'f Function,
    pub plan: Plan,
    pub places: Vec<Place>,
    /// Where the inputs are.
    pub inputs: Vec<Place>,
    /// Memory an array should be written to, where an output says so.
    pub destinations: HashMap<ValueId, Value>,
    /// Scratch regions by the value that owns them.
    pub regions: Vec<(ValueId, usize)>,
}

impl<'f> Scope<'f> {
    pub fn new(function: &'f Function) -> Self {
        Scope {
            function,
            plan: plan(function),
            places: vec![Place::Nowhere; function.values.len()],
            inputs: Vec::new(),
            destinations: HashMap::new(),
            regions: Vec::new(),
        }
    }

    pub fn op(&self, id: ValueId) -> &'f Op {
        &self.function.values[id].op
    }

    pub fn dims(&self, id: ValueId) -> &'f [Size] {
        &self.function.values[id].ty.dims
    }

    pub fn place(&self, id: ValueId) -> &Place {
        &self.places[id.index()]
    }

    pub fn storage(&self, id: ValueId) -> Storage {
        self.plan.storage[id.index()]
    }

    /// The register that holds a scalar.
    pub fn scalar(&self, id: ValueId) -> Value {
        match self.place(id) {
            Place::Scalar(value) => *value,
            other => unreachable!("a scalar is in a register, not {other:?}"),
        }
    }
}

/// What an error on the way means: sizes too large.
pub(super) type Emit<T = ()> = Result<T, CodegenError>;

/// The emission of one machine function.
pub(super) struct Emitter<'a> {
    pub b: FunctionBuilder<'a>,
    pub module: &'a mut JITModule,
    pub sizes: &'a SizeTable,
    pub imports: HashMap<&'static str, FuncRef>,
    /// Elements already computed in the current block.
    pub known_elements: HashMap<(ValueId, Vec<super::element::At>), Value>,
    pub n_rows: Value,
    pub scratch: Value,
    pub regions: Regions,
    /// Scratch after the last region, in elements; see `note_part`.
    pub slack: usize,
    pub n_homes: Home,
}

/// Byte offsets of the frame's fields; see `jit::Frame`.
const FRAME_INPUTS: i32 = 0;
const FRAME_OUTPUTS: i32 = 8;
const FRAME_SCRATCH: i32 = 16;
const FRAME_N_ROWS: i32 = 24;

/// Emits `function` into the builder; returns the length of its scratch memory in elements.
pub(super) fn emit_function(
    mut b: FunctionBuilder<'_>,
    module: &mut JITModule,
    sizes: &SizeTable,
    function: &Function,
) -> Emit<usize> {
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let frame = b.block_params(entry)[0];
    let mut field = |offset| b.ins().load(types::I64, MemFlagsData::trusted(), frame, offset);
    let (inputs, outputs) = (field(FRAME_INPUTS), field(FRAME_OUTPUTS));
    let (scratch, n_rows) = (field(FRAME_SCRATCH), field(FRAME_N_ROWS));
    let target_config = {
        use cranelift_module::Module;
        module.target_config()
    };
    let mut e = Emitter {
        b,
        module,
        sizes,
        imports: HashMap::new(),
        known_elements: HashMap::new(),
        n_rows,
        scratch,
        regions: Regions::default(),
        slack: 0,
        n_homes: 0,
    };
    let mut scope = Scope::new(function);
    e.place_inputs(&mut scope, inputs)?;
    let pointers = e.output_pointers(&mut scope, outputs);
    e.emit_values(&mut scope)?;
    e.write_outputs(&scope, &pointers)?;
    e.b.ins().return_(&[]);
    e.b.finalize(target_config);
    e.regions.length().checked_add(e.slack).ok_or(CodegenError::TooLarge)
}

impl Emitter<'_> {
    fn place_inputs(&mut self, scope: &mut Scope, table: Value) -> Emit {
        for (k, input) in scope.function.inputs.iter().enumerate() {
            let flags = MemFlagsData::trusted().with_readonly();
            let base = self.b.ins().load(types::I64, flags, table, 8 * k as i32);
            let dims = self.extents(&input.ty.dims)?;
            scope.inputs.push(match dims.is_empty() {
                true => Place::Scalar(self.load_f64(base)),
                false => Place::View(self.contiguous(base, &dims, None)),
            });
        }
        Ok(())
    }

    /// The outputs' addresses; arrays are written there at once where they can be.
    fn output_pointers(&mut self, scope: &mut Scope, table: Value) -> Vec<Value> {
        let mut pointers = Vec::new();
        for (k, output) in scope.function.outputs.iter().enumerate() {
            let flags = MemFlagsData::trusted().with_readonly();
            let pointer = self.b.ins().load(types::I64, flags, table, 8 * k as i32);
            scope.destinations.entry(output.value).or_insert(pointer);
            pointers.push(pointer);
        }
        pointers
    }

    fn write_outputs(&mut self, scope: &Scope, pointers: &[Value]) -> Emit {
        for (output, pointer) in scope.function.outputs.iter().zip(pointers) {
            match scope.place(output.value) {
                Place::Scalar(value) => self.store(*value, *pointer),
                Place::View(view) if view.base == *pointer => {}
                _ => {
                    let dims = self.extents(scope.dims(output.value))?;
                    let target = self.contiguous(*pointer, &dims, None);
                    self.write_elements(scope, output.value, &target, &dims);
                }
            }
        }
        Ok(())
    }

    /// Emits every value of the scope's function that is needed, in order.
    pub fn emit_values(&mut self, scope: &mut Scope) -> Emit {
        for id in scope.function.values.ids() {
            let place = match scope.storage(id) {
                Storage::Dead => Place::Nowhere,
                Storage::Scalar => self.emit_scalar(scope, id)?,
                Storage::View => self.emit_view(scope, id)?,
                Storage::Virtual => self.emit_virtual(scope, id),
                Storage::Buffer => self.emit_buffer(scope, id)?,
                Storage::Loop => self.emit_loop(scope, id)?,
            };
            scope.places[id.index()] = place;
            self.release_regions(scope, id.index());
        }
        Ok(())
    }

    fn emit_scalar(&mut self, scope: &Scope, id: ValueId) -> Emit<Place> {
        let value = match scope.op(id) {
            Op::Input(k) => return Ok(scope.inputs[*k].clone()),
            Op::Result(l, k) => return Ok(result(scope, *l, *k)),
            Op::Real(x) => self.b.ins().f64const(*x),
            Op::Int(n) => self.b.ins().f64const(*n as f64),
            Op::SizeOf(size) => {
                let n = self.whole(size)?;
                let n = self.int_value(n);
                self.b.ins().fcvt_from_sint(types::F64, n)
            }
            Op::Sum(..) | Op::Contract { .. } => {
                self.emit_reduction(scope, id, None)?.expect("a scalar sum is in a register")
            }
            Op::Largest(a, keep) => {
                let extents = self.extents(scope.dims(*a))?;
                self.largest(scope, *a, (keep, &[]), &extents)
            }
            // `base` itself has no axis, so the new part is all of it.
            Op::Set { value, .. } => scope.scalar(*value),
            Op::AddAt { base, value, .. } => {
                let (base, value) = (scope.scalar(*base), scope.scalar(*value));
                self.b.ins().fadd(base, value)
            }
            Op::Index(_, at) => {
                let fixed = self.fixed_positions(scope, id, at)?;
                self.indexed_element(scope, id, &fixed, &[])
            }
            _ => self.scalar_element(scope, id),
        };
        Ok(Place::Scalar(value))
    }

    pub fn emit_view(&mut self, scope: &Scope, id: ValueId) -> Emit<Place> {
        Ok(match scope.op(id) {
            Op::Input(k) => scope.inputs[*k].clone(),
            Op::Result(l, k) => result(scope, *l, *k),
            Op::Broadcast(a, axes) => {
                let View { base, strides, .. } = self.view(scope, *a);
                let mut spread = vec![Num::Const(0); scope.dims(id).len()];
                for (stride, axis) in strides.iter().zip(axes) {
                    spread[usize::from(*axis)] = *stride;
                }
                Place::View(View { base, strides: spread, home: None })
            }
            Op::Index(a, at) => {
                let fixed = self.fixed_positions(scope, id, at)?;
                let view = self.view(scope, *a);
                Place::View(self.part(&view, &fixed))
            }
            Op::Diagonal(a) => {
                let View { base, strides, .. } = self.view(scope, *a);
                let both = self.add(strides[0], strides[1]);
                let strides = [&[both], &strides[2..]].concat();
                Place::View(View { base, strides, home: None })
            }
            other => unreachable!("{other:?} is no view"),
        })
    }

    pub fn emit_virtual(&mut self, scope: &Scope, id: ValueId) -> Place {
        match scope.op(id) {
            Op::Index(_, at) => Place::Virtual(
                self.fixed_positions(scope, id, at).expect("sizes were resolved before"),
            ),
            _ => Place::Virtual(Vec::new()),
        }
    }
}

/// Where the k-th result of a loop is.
fn result(scope: &Scope, l: ValueId, k: usize) -> Place {
    match scope.place(l) {
        Place::Results(results) => results[k].clone(),
        other => unreachable!("a loop has results, not {other:?}"),
    }
}
