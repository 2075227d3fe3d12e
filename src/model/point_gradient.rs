//! The gradient at a point on the constrained scale.
//!
//! It is that of the density as the model file states it, in the unknowns as declared, without
//! Jacobians. Elements of a constrained container (of a simplex, a Cholesky factor, …) count as
//! free numbers.

use super::kernel::{Arguments, Kernel, Pieces};
use super::points::{Point, PointDensity};
use super::program::{constrained_pieces, output_lengths};
use super::{CompiledModel, Evaluator};
use crate::autodiff::reverse::{Seed, gradient, sources};
use crate::codegen::Scratch;
use crate::ir::op::{Function, InputKind};
use crate::lower;

/// The log density at a point, and its gradient there in the shape of the point.
#[derive(Clone, Debug, PartialEq)]
pub struct PointGradient {
    /// The log density, without Jacobians.
    pub density: PointDensity,
    /// The gradient.
    pub gradient: Point,
}

impl CompiledModel {
    /// The log density and its gradient at a point on the constrained scale, without Jacobians;
    /// by the interpreter.
    pub fn gradient_at(&self, evaluator: &Evaluator, point: &Point) -> PointGradient {
        let functions = lower::constrained(self.typed());
        let kernels = &evaluator.kernels;
        let data = &kernels.data;
        let pieces = constrained_pieces(self.program(), data);
        let run = |function: Function, cotangents: &[usize], arguments: &Arguments| {
            let lengths = output_lengths(&function, data);
            let kernel = Kernel::new(function, None, &pieces, cotangents, lengths.clone(), data);
            let mut out = Vec::new();
            kernel.call(arguments, data, &mut out, &mut Scratch::default());
            (out, lengths)
        };
        let of_globals = Arguments { theta: &point.globals, ..Arguments::default() };
        let (mut shared, _) = run(functions.global.clone(), &[], &of_globals);
        let log_global = shared.pop().expect("the last output is the log density");

        let is_free = |kind| matches!(kind, InputKind::Local(_) | InputKind::Shared(_));
        let local = gradient(&functions.local, &[0], &[(0, Seed::One)], is_free);
        let adjoints = sources(&functions.local, is_free);
        let mut of_shared = vec![0.0; shared.len()];
        let mut found = Point::default();
        let mut log_local = 0.0;
        for (branch, z) in point.locals.iter().enumerate() {
            let arguments = Arguments { z, shared: &shared, branch, ..Arguments::default() };
            let (out, lengths) = run(local.clone(), &[], &arguments);
            log_local += out[0];
            let mut of_locals = vec![0.0; z.len()];
            let mut start = 1;
            for (kind, length) in adjoints.iter().zip(&lengths[1..]) {
                let part = &out[start..start + length];
                let place = place(&pieces, *kind);
                let sums = match kind {
                    InputKind::Local(_) => &mut of_locals[place],
                    _ => &mut of_shared[place],
                };
                sums.iter_mut().zip(part).for_each(|(sum, adjoint)| *sum += adjoint);
                start += length;
            }
            found.locals.push(of_locals);
        }

        let n_shared = functions.global.outputs.len() - 1;
        let mut seeds: Vec<(usize, Seed)> = (0..n_shared).map(|k| (k, Seed::Given)).collect();
        seeds.push((n_shared, Seed::One));
        let is_global = |kind| matches!(kind, InputKind::Global(_));
        let global = gradient(&functions.global, &[], &seeds, is_global);
        let arguments = Arguments { cotangents: &of_shared, ..of_globals };
        let (out, lengths) = run(global, &pieces.shared, &arguments);
        found.globals = vec![0.0; point.globals.len()];
        let mut start = 0;
        for (kind, length) in sources(&functions.global, is_global).iter().zip(&lengths) {
            let place = place(&pieces, *kind);
            found.globals[place].copy_from_slice(&out[start..start + length]);
            start += length;
        }
        PointGradient { density: PointDensity { log_global, log_local }, gradient: found }
    }
}

/// Where the k-th global, local or shared value lies among its like.
fn place(pieces: &Pieces, kind: InputKind) -> std::ops::Range<usize> {
    let (lengths, k) = match kind {
        InputKind::Global(k) => (&pieces.globals, k),
        InputKind::Local(k) => (&pieces.locals, k),
        InputKind::Shared(k) => (&pieces.shared, k),
        _ => unreachable!("adjoints are of unknowns and shared values"),
    };
    let start = lengths[..k].iter().sum();
    start..start + lengths[k]
}
