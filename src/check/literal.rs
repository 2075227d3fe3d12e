//! Literals of containers: `[a, b]`, `[[a, b], [c, d]]`, `{a, b}`.

use super::Checker;
use super::statement::is_same_kind_but_element;
use super::typed::{ExprId, ExprKind};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::ty::{Shape, Size, Type};

impl Checker<'_> {
    /// `[a, b]` of numbers, or of row vectors.
    pub(super) fn check_row_vector(&mut self, elements: Vec<ExprId>, span: Span) -> Option<ExprId> {
        let count = Size::constant(elements.len() as i64);
        let Some(first) = elements.first() else {
            self.diags
                .error(Code::BadType, span, "a vector literal needs at least one element")
                .help("`[x]` has one element");
            return None;
        };
        let first_ty = self.exprs[*first].ty.clone();
        let is_row = |ty: &Type| ty.array.is_empty() && matches!(ty.shape, Shape::RowVector(_));
        let shape = match &first_ty.shape {
            Shape::RowVector(n) if is_row(&first_ty) => Shape::Matrix(count, n.clone()),
            _ => Shape::RowVector(count),
        };
        for element in &elements {
            let ty = self.exprs[*element].ty.clone();
            if is_row(&first_ty) && is_row(&ty) {
                let (left, right) = (&first_ty.dims()[0], &ty.dims()[0]);
                self.require_equal(left, right, *first, *element, span)?;
            } else if !(first_ty.is_scalar() && ty.is_scalar()) {
                self.report_mixed_elements(*element, &ty);
                return None;
            }
        }
        Some(self.push(
            ExprKind::RowVector(elements.clone()),
            Type::of_shape(shape),
            &elements,
            span,
        ))
    }

    fn report_mixed_elements(&mut self, element: ExprId, ty: &Type) {
        let span = self.exprs[element].span;
        self.diags
            .error(
                Code::BadType,
                span,
                format!("an element of `[…]` is a number or a row vector, and this is {ty}"),
            )
            .help(
                "`[a, b]` of numbers is a row vector, `[a, b]'` a vector, \
                 `[[a, b], [c, d]]` a matrix",
            );
    }

    /// `{a, b}` of numbers, vectors, matrices or arrays of one kind.
    pub(super) fn check_array(&mut self, elements: Vec<ExprId>, span: Span) -> Option<ExprId> {
        let Some(first) = elements.first().copied() else {
            let message = "an array literal needs at least one element";
            self.diags.error(Code::BadType, span, message).help("`{x}` has one element");
            return None;
        };
        let mut ty = self.exprs[first].ty.clone();
        for element in &elements[1..] {
            let other = self.exprs[*element].ty.clone();
            if !is_same_kind_but_element(&ty, &other) {
                self.report_mixed_array(first, *element);
                return None;
            }
            for (left, right) in ty.dims().iter().zip(&other.dims()) {
                self.require_equal(left, right, first, *element, span)?;
            }
            ty.element = ty.element.max(other.element);
        }
        let elements: Vec<ExprId> =
            elements.into_iter().map(|element| self.promote(element, ty.element)).collect();
        ty.array.insert(0, Size::constant(elements.len() as i64));
        Some(self.push(ExprKind::Array(elements.clone()), ty, &elements, span))
    }

    fn report_mixed_array(&mut self, first: ExprId, other: ExprId) {
        let (first, other) = (&self.exprs[first], &self.exprs[other]);
        let message = format!("this array begins with {}, and this is {}", first.ty, other.ty);
        let (first_ty, first_span, span) = (first.ty.clone(), first.span, other.span);
        self.diags
            .error(Code::BadType, span, message)
            .label(first_span, format!("this is {first_ty}"))
            .help("all elements of `{…}` have one type; `[a, b]` is a row vector of numbers");
    }
}
