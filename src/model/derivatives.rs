//! The functions that inference calls, made from those of the model by differentiation.

use std::collections::HashMap;

use crate::autodiff::forward::{Directions, jacobian};
use crate::autodiff::reverse::{Seed, gradient, sources};
use crate::ir::build::{Builder, extract};
use crate::ir::op::{Function, InputKind};
use crate::lower::Program;
use crate::ty::Size;

/// Values and derivatives of a model's log density.
#[derive(Clone, Debug)]
pub struct Derivatives {
    /// Of unconstrained globals: the shared values, log p(θ), the log-Jacobian.
    pub shared: Function,
    /// Of unconstrained globals and adjoints of shared values: the adjoints of the globals,
    /// those of log p(θ) and of the log-Jacobian being one.
    pub shared_vjp: Function,
    /// Reported globals: every output of `global` but the last two.
    pub reported: Function,
    /// log p(zᵢ|θ), the log-Jacobian, log p(yᵢ|θ,zᵢ).
    pub density: Function,
    /// The same, then adjoints of locals and shared values, in the order of `adjoints`.
    pub gradient: Function,
    /// What the later outputs of `gradient` belong to.
    pub adjoints: Vec<InputKind>,
    /// Gradient and Hessian in the locals of log p(zᵢ|θ) with the log-Jacobian.
    pub prior: Expansion,
    /// Gradient and Hessian in the locals of log p(yᵢ|θ,zᵢ).
    pub likelihood: Expansion,
    /// Reported locals: constrained values and derived quantities.
    pub reported_local: Function,
}

/// A second-order expansion of a part of a branch's log density in its locals.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// For each local in `locals`: its part of the gradient, and its rows of the Hessian.
    pub function: Function,
    /// The locals that this part depends on.
    pub locals: Vec<usize>,
    /// Of adjoints of all outputs of `function`: adjoints of the shared values in `shared`.
    pub vjp: Function,
    /// The shared values that `vjp` has adjoints of.
    pub shared: Vec<usize>,
    /// Whether the Hessian is the same at all values of the locals.
    pub is_quadratic: bool,
}

impl Derivatives {
    /// Differentiates a program.
    pub fn of(program: &Program) -> Derivatives {
        let n_values = program.global_values.len();
        let mut wanted = program.shared.clone();
        wanted.extend([n_values, n_values + 1]);
        let shared = extract(&program.global, &wanted, "shared");
        let n_shared = program.shared.len();
        let mut seeds: Vec<(usize, Seed)> = (0..n_shared).map(|k| (k, Seed::Given)).collect();
        seeds.extend([(n_shared, Seed::One), (n_shared + 1, Seed::One)]);
        let is_global = |kind| matches!(kind, InputKind::Global(_));
        let shared_vjp = gradient(&shared, &[], &seeds, is_global);
        let reported: Vec<usize> = (0..n_values).collect();
        let density = extract(&program.local, &[0, 1, 2], "density");
        let seeds = [(0, Seed::One), (1, Seed::One), (2, Seed::One)];
        let is_unknown = |kind| matches!(kind, InputKind::Local(_) | InputKind::Shared(_));
        let reported_local: Vec<usize> = (3..program.local.outputs.len()).collect();
        let directions = local_directions(&program.local_lengths);
        // What takes longest goes beside the rest.
        let (likelihood, (gradient, prior)) = rayon::join(
            || expansion(&sum_of_outputs(&density, &[2], "likelihood"), &directions),
            || {
                let gradient = gradient(&density, &[0, 1, 2], &seeds, is_unknown);
                let prior = sum_of_outputs(&density, &[0, 1], "prior");
                (gradient, expansion(&prior, &directions))
            },
        );
        Derivatives {
            reported: extract(&program.global, &reported, "reported"),
            adjoints: sources(&density, is_unknown),
            gradient,
            prior,
            likelihood,
            reported_local: extract(&program.local, &reported_local, "reported local"),
            shared,
            shared_vjp,
            density,
        }
    }

    /// Every function, for dumps and code generation.
    pub fn all(&self) -> [&Function; 10] {
        [
            &self.shared,
            &self.shared_vjp,
            &self.reported,
            &self.density,
            &self.gradient,
            &self.prior.function,
            &self.prior.vjp,
            &self.likelihood.function,
            &self.likelihood.vjp,
            &self.reported_local,
        ]
    }
}

fn is_local(kind: InputKind) -> bool {
    matches!(kind, InputKind::Local(_))
}

/// One direction for each element of each local, whether or not a function reads it.
fn local_directions(lengths: &[Size]) -> Directions {
    let mut offsets = HashMap::new();
    let mut count = Size::constant(0);
    for (k, length) in lengths.iter().enumerate() {
        offsets.insert(InputKind::Local(k), count.clone());
        count = count.checked_add(length).expect("few unknowns");
    }
    Directions { offsets, count }
}

/// The function whose one output is the sum of these outputs.
fn sum_of_outputs(function: &Function, outputs: &[usize], name: &str) -> Function {
    let mut b = Builder::new(name);
    let part = extract(function, outputs, name);
    let inputs = b.inputs_of(&part);
    let copied = b.inline(&part, &inputs);
    let mut sum = b.real(0.0);
    for output in &part.outputs {
        sum = b.add(sum, copied[output.value.index()]);
    }
    b.output(name, sum);
    b.finish()
}

fn expansion(part: &Function, directions: &Directions) -> Expansion {
    let first = gradient(part, &[], &[(0, Seed::One)], is_local);
    let locals = sources(part, is_local)
        .into_iter()
        .map(|kind| match kind {
            InputKind::Local(k) => k,
            _ => unreachable!("only locals were asked for"),
        })
        .collect();
    let mut function = jacobian(&first, directions);
    function.name = format!("{} expansion", part.name);
    let seeds: Vec<(usize, Seed)> = (0..function.outputs.len()).map(|k| (k, Seed::Given)).collect();
    let is_shared = |kind| matches!(kind, InputKind::Shared(_));
    let vjp = gradient(&function, &[], &seeds, is_shared);
    let shared = sources(&function, is_shared)
        .into_iter()
        .map(|kind| match kind {
            InputKind::Shared(k) => k,
            _ => unreachable!("only shared values were asked for"),
        })
        .collect();
    let hessians: Vec<usize> = (0..function.outputs.len()).filter(|k| k % 2 == 1).collect();
    let hessian = extract(&function, &hessians, "hessian");
    let is_quadratic = !hessian.inputs.iter().any(|input| is_local(input.kind));
    Expansion { function, locals, vjp, shared, is_quadratic }
}
