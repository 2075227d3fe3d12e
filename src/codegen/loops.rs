//! Sequential loops: the body's values become the body of a machine loop.
//!
//! Carried scalars are registers. A carried array has one piece of memory for the whole loop;
//! the body may change it in place, else its next value is copied there at the end of each
//! iteration.

use cranelift::prelude::*;

use super::emit::{Emit, Emitter, Num, Place, Scope, View};
use super::schedule::Storage;
use crate::ir::op::{Loop, Op, ValueId};
use crate::ty::Size;

enum Carried {
    Scalar(Variable),
    Array(View),
}

/// Where an emitted loop keeps its results.
struct Results {
    carried: Vec<Carried>,
    /// One slice for each iteration.
    stacked: Vec<View>,
}

impl Emitter<'_> {
    pub fn emit_loop(&mut self, scope: &mut Scope, id: ValueId) -> Emit<Place> {
        let Op::Loop(l) = scope.op(id) else { unreachable!("a loop") };
        let count = self.loop_count(scope, l)?;
        let carried = self.start_carried(scope, id, l)?;
        let stacked = self.start_stacked(scope, id, l)?;
        let results = Results { carried, stacked };
        let zero = self.int(0);
        let mut outcome = Ok(());
        self.for_range(zero, count, 1, &mut |e, step| {
            let index = if l.reverse { e.counted_back(Num::Dyn(count), step) } else { step };
            outcome = e.emit_body(scope, l, &results, index);
        });
        outcome?;
        let carried = results.carried.into_iter().map(|carried| match carried {
            Carried::Scalar(variable) => Place::Scalar(self.b.use_var(variable)),
            Carried::Array(view) => Place::View(view),
        });
        let carried: Vec<Place> = carried.collect();
        let stacked = results.stacked.into_iter().map(Place::View);
        Ok(Place::Results(carried.into_iter().chain(stacked).collect()))
    }

    /// How often the loop runs, within its bound: the stacks have no more room.
    fn loop_count(&mut self, scope: &Scope, l: &Loop) -> Emit<Value> {
        let count = self.b.ins().fcvt_to_sint_sat(types::I64, scope.scalar(l.count));
        let max_count = self.extent(&l.max_count)?;
        let max_count = self.int_value(max_count);
        Ok(self.b.ins().smin(count, max_count))
    }

    fn start_carried(&mut self, scope: &mut Scope, id: ValueId, l: &Loop) -> Emit<Vec<Carried>> {
        let mut all = Vec::new();
        for (k, initial) in l.carried.iter().enumerate() {
            if scope.dims(*initial).is_empty() {
                let variable = self.b.declare_var(types::F64);
                let initial = scope.scalar(*initial);
                self.b.def_var(variable, initial);
                all.push(Carried::Scalar(variable));
                continue;
            }
            if scope.plan.carried_in_place.contains(&(id.index(), k)) {
                all.push(Carried::Array(self.view(scope, *initial)));
                continue;
            }
            let sizes: Vec<&Size> = scope.dims(*initial).iter().collect();
            let dims = self.extents(scope.dims(*initial))?;
            let memory = self.scratch_for(scope, id, &sizes, &dims)?;
            self.write_elements(scope, *initial, &memory, &dims);
            all.push(Carried::Array(memory));
        }
        Ok(all)
    }

    fn start_stacked(&mut self, scope: &mut Scope, id: ValueId, l: &Loop) -> Emit<Vec<View>> {
        let mut all = Vec::new();
        for output in &l.body.outputs[l.carried.len()..] {
            let slice = &l.body.values[output.value].ty.dims;
            let sizes: Vec<&Size> = std::iter::once(&l.max_count).chain(slice).collect();
            let dims = sizes.iter().map(|size| self.extent(size)).collect::<Emit<Vec<Num>>>()?;
            let memory = self.scratch_for(scope, id, &sizes, &dims)?;
            let runs_fully = matches!(scope.op(l.count), Op::SizeOf(size) if *size == l.max_count);
            if !runs_fully {
                self.write_zeros(&memory, &dims);
            }
            all.push(memory);
        }
        Ok(all)
    }

    /// One iteration.
    fn emit_body(&mut self, outer: &Scope, l: &Loop, results: &Results, index: Value) -> Emit {
        let mut scope = Scope::new(&l.body);
        let index_value = self.b.ins().fcvt_from_sint(types::F64, index);
        scope.inputs.push(Place::Scalar(index_value));
        for carried in &results.carried {
            scope.inputs.push(match carried {
                Carried::Scalar(variable) => Place::Scalar(self.b.use_var(*variable)),
                Carried::Array(view) => Place::View(view.clone()),
            });
        }
        scope.inputs.extend(l.captured.iter().map(|id| outer.place(*id).clone()));
        let slices = self.stacked_slices(&mut scope, l, results, index);
        self.emit_values(&mut scope)?;
        self.write_slices(&scope, l, &slices)?;
        self.pass_on(&mut scope, results)?;
        self.release_all(&mut scope);
        Ok(())
    }

    /// This iteration's part of each stack; array outputs are written there at once where
    /// they can be.
    fn stacked_slices(
        &mut self,
        scope: &mut Scope,
        l: &Loop,
        results: &Results,
        index: Value,
    ) -> Vec<View> {
        let mut slices = Vec::new();
        for (stack, output) in results.stacked.iter().zip(&l.body.outputs[l.carried.len()..]) {
            let offset = self.mul(Num::Dyn(index), stack.strides[0]);
            let base = self.address(stack.base, offset);
            scope.destinations.entry(output.value).or_insert(base);
            slices.push(View { base, strides: stack.strides[1..].to_vec(), home: None });
        }
        slices
    }

    fn write_slices(&mut self, scope: &Scope, l: &Loop, slices: &[View]) -> Emit {
        for (slice, output) in slices.iter().zip(&l.body.outputs[l.carried.len()..]) {
            let in_place =
                matches!(scope.place(output.value), Place::View(view) if view.base == slice.base);
            if !in_place {
                let dims = self.extents(scope.dims(output.value))?;
                self.write_elements(scope, output.value, slice, &dims);
            }
        }
        Ok(())
    }

    /// Makes the next values of what is carried the current ones.
    fn pass_on(&mut self, scope: &mut Scope, results: &Results) -> Emit {
        let homes: Vec<_> = results.carried.iter().filter_map(home).collect();
        let mut copies: Vec<(View, &View, Vec<Num>)> = Vec::new();
        let outputs = &scope.function.outputs;
        for (carried, output) in results.carried.iter().zip(outputs) {
            let Carried::Array(current) = carried else { continue };
            let next = self.view(scope, output.value);
            if next.home.is_some() && next.home == current.home {
                continue;
            }
            let dims = self.extents(scope.dims(output.value))?;
            let own = next.home.is_some() || scope.storage(output.value) == Storage::Buffer;
            if own && !next.home.is_some_and(|home| homes.contains(&home)) {
                copies.push((next, current, dims));
                continue;
            }
            // It may lie in memory that another copy overwrites.
            let sizes: Vec<&Size> = scope.dims(output.value).iter().collect();
            let aside = self.scratch_for(scope, output.value, &sizes, &dims)?;
            self.write_elements(scope, output.value, &aside, &dims);
            copies.push((aside, current, dims));
        }
        for (from, to, dims) in copies {
            self.copy(&from, to, &dims);
        }
        for (carried, output) in results.carried.iter().zip(outputs) {
            if let Carried::Scalar(variable) = carried {
                self.b.def_var(*variable, scope.scalar(output.value));
            }
        }
        Ok(())
    }

    /// Copies an array to where another of its dimensions was.
    fn copy(&mut self, from: &View, to: &View, dims: &[Num]) {
        let pairs = [from, to].iter().all(|view| view.strides.last() == Some(&Num::Const(1)));
        self.nest(dims, pairs, &mut |e, at| {
            let value = e.load(from, at);
            let address = e.element_address(to, at);
            e.store(value, address);
        });
    }
}

fn home(carried: &Carried) -> Option<u32> {
    match carried {
        Carried::Array(view) => view.home,
        Carried::Scalar(_) => None,
    }
}
