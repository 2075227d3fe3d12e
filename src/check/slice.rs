//! Slices and subscripts of several numbers: `a[2:5]`, `a[numbers]`, `w[i, j]`.

use super::Checker;
use super::subscript::Picked;
use super::typed::{ExprId, ExprKind};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast;
use crate::ty::{Shape, Size, Type};

impl Checker<'_> {
    /// The part of `base` that subscripts pick: first single elements, then along each axis
    /// that is left.
    pub(super) fn pick(&mut self, base: ExprId, picked: &[Picked], span: Span) -> Option<ExprId> {
        let fixed: Vec<Option<ExprId>> = picked
            .iter()
            .map(|picked| match picked {
                Picked::At(index) => Some(*index),
                _ => None,
            })
            .collect();
        let is_element = fixed.iter().any(Option::is_some);
        let is_whole = picked.iter().all(|picked| matches!(picked, Picked::All));
        let mut part = base;
        if is_element || is_whole {
            part = self.push_index(base, fixed, span);
        }
        let left = picked.iter().filter(|picked| !matches!(picked, Picked::At(_)));
        for (axis, picked) in left.enumerate() {
            part = match picked {
                Picked::Some { from, count } => {
                    let ty = with_axis(&self.exprs[part].ty, axis, count.clone());
                    let kind = ExprKind::Slice(part, axis, from.clone(), count.clone());
                    self.push(kind, ty, &[part], span)
                }
                Picked::Many(index) => {
                    let count = self.exprs[*index].ty.array[0].clone();
                    let ty = with_axis(&self.exprs[part].ty, axis, count);
                    self.push(ExprKind::Gather(part, axis, *index), ty, &[part, *index], span)
                }
                Picked::All | Picked::At(_) => part,
            };
        }
        Some(part)
    }

    /// `a:b`, `a:` or `:b` along an axis of this size.
    pub(super) fn check_range_subscript(
        &mut self,
        from: Option<ast::ExprId>,
        to: Option<ast::ExprId>,
        size: &Size,
        span: Span,
    ) -> Option<Picked> {
        let first = self.slice_end(from, Size::constant(1), span)?;
        let last = self.slice_end(to, size.clone(), span)?;
        let one = Size::constant(1);
        let count = last.checked_sub(&first).and_then(|range| range.checked_add(&one));
        let Some(count) = count.filter(|n| n.as_constant().is_none_or(|n| n >= 0)) else {
            self.diags
                .error(Code::Index, span, "the first number of this slice is above its last")
                .help("elements from the a-th to the b-th are `x[a:b]`; `x[a:a-1]` is empty");
            return None;
        };
        if count.as_constant() != Some(0) {
            for end in [from, to].into_iter().flatten() {
                let end = self.done(end)?;
                self.check_index_value(end, size)?;
            }
        }
        Some(Picked::Some { from: first, count })
    }

    /// One end of a slice, as a size.
    fn slice_end(&mut self, end: Option<ast::ExprId>, otherwise: Size, span: Span) -> Option<Size> {
        let Some(end) = end else { return Some(otherwise) };
        let end = self.done(end)?;
        let is_int = self.is_int(end);
        let value = self.size_value(end);
        if !is_int {
            let (span, ty) = (self.exprs[end].span, self.exprs[end].ty.clone());
            let message = format!("the ends of a slice are whole numbers, and this is {ty}");
            self.diags.error(Code::Index, span, message).help("as in `x[2:N]`");
        } else if value.is_none() {
            self.report_slice(end, span);
        }
        value.filter(|_| is_int)
    }

    /// A slice whose size differs from round to round, or by data of the branch.
    fn report_slice(&mut self, end: ExprId, span: Span) {
        let text = self.text(self.exprs[end].span);
        let slice = self.text(span);
        self.diags
            .error(
                Code::SliceSize,
                span,
                format!("the size of `{slice}` depends on `{text}`, which is no size"),
            )
            .help(
                "sizes are made of whole data, the row count and numbers: write a loop over the \
                 elements, `for (k in a:b) total += x[k];`",
            );
    }
}

/// A type with another size along one axis.
pub(super) fn with_axis(ty: &Type, axis: usize, size: Size) -> Type {
    let mut ty = ty.clone();
    let inner = axis.checked_sub(ty.array.len());
    match (inner, &mut ty.shape) {
        (None, _) => ty.array[axis] = size,
        (Some(0), Shape::Vector(n) | Shape::RowVector(n) | Shape::Matrix(n, _)) => *n = size,
        (Some(_), Shape::Matrix(_, columns)) => *columns = size,
        (Some(_), _) => unreachable!("subscripts are at most as many as axes"),
    }
    ty
}
