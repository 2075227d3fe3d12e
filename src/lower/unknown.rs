//! Unknowns: from unconstrained values to constrained ones and back.

use super::Lowerer;
use super::frame::Name;
use crate::builtin::transform::Transform;
use crate::check::typed::{SymbolId, SymbolKind};
use crate::ir::op::ValueId;
use crate::ty::Size;

impl Lowerer<'_> {
    pub(super) fn unknown(&mut self, symbol: SymbolId) {
        let input = self.unknown_input(symbol);
        if self.is_constrained {
            self.bind(Name::Symbol(symbol), input);
            return;
        }
        let model = self.model;
        let declared = &model.symbols[symbol];
        let SymbolKind::Unknown { constraint, .. } = &declared.kind else {
            unreachable!("unknowns are unknowns")
        };
        let transform = self.transform(constraint);
        let (value, jacobian) = self.constrain(transform, input, &declared.ty.dims());
        self.bind(Name::Symbol(symbol), value);
        self.add_to(Name::Jacobian, jacobian);
    }

    /// The constrained value, of these dimensions, and the log-Jacobian.
    fn constrain(&mut self, transform: Transform, y: ValueId, dims: &[Size]) -> (ValueId, ValueId) {
        if !is_of_matrices(transform) || dims.len() == 2 {
            return transform.constrain(self.b(), y, dims);
        }
        let count = self.b().size(&dims[0]);
        let stacked = self.region("constrain", count, &dims[0], &[], |l, index| {
            let y = l.element(y, index);
            let (x, jacobian) = l.constrain(transform, y, &dims[1..]);
            vec![x, jacobian]
        });
        (stacked[0], self.b().sum(stacked[1]))
    }

    /// The unconstrained value of a constrained one.
    pub(super) fn unconstrain(&mut self, transform: Transform, x: ValueId) -> ValueId {
        if !is_of_matrices(transform) || self.b().rank(x) == 2 {
            return transform.unconstrain(self.b(), x);
        }
        let n = self.b().dims(x)[0].clone();
        let count = self.b().size(&n);
        let stacked = self.region("unconstrain", count, &n, &[], |l, index| {
            let x = l.element(x, index);
            vec![l.unconstrain(transform, x)]
        });
        stacked[0]
    }

    /// In the body of a loop: an element, along the first axis, of a value of the enclosing
    /// frame.
    pub(super) fn element(&mut self, value: ValueId, index: ValueId) -> ValueId {
        let value = self.capture(value, self.frames.len() - 1);
        let mut at = vec![None; self.b().rank(value)];
        at[0] = Some(index);
        self.b().index(value, at)
    }
}

/// Whether a transform is of one matrix at a time.
fn is_of_matrices(transform: Transform) -> bool {
    matches!(transform, Transform::CholeskyFactorCorr | Transform::CovMatrix)
}
