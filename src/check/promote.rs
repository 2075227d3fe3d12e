//! Whole numbers where real ones are wanted.

use super::Checker;
use super::typed::{BinaryOp, ExprId, ExprKind};
use crate::ty::{Element, Type};

impl Checker<'_> {
    /// The value as a real number, where a real one is wanted and this is a whole number, so
    /// that later stages meet values of the very type they are declared with.
    pub(super) fn promote(&mut self, value: ExprId, wanted: Element) -> ExprId {
        if wanted == Element::Int || !self.is_int(value) {
            return value;
        }
        let span = self.exprs[value].span;
        if let ExprKind::Int(number) = self.exprs[value].kind {
            return self.push(ExprKind::Real(number as f64), Type::real(), &[], span);
        }
        let one = self.push(ExprKind::Real(1.0), Type::real(), &[], span);
        let kind = ExprKind::Binary(BinaryOp::Multiply, one, value);
        self.push(kind, Type::real(), &[one, value], span)
    }
}
