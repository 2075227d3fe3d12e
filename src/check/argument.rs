//! The arguments of a distribution: their types, and their sizes beside those of the outcome.

use super::Checker;
use super::typed::ExprId;
use crate::builtin::{Distribution, Param, ParamKind};
use crate::diagnostic::Code;
use crate::ty::{Size, Type};

impl Checker<'_> {
    /// The type of an argument of a distribution over outcomes in so many arrays, and its
    /// value where it is a number.
    pub(super) fn check_argument(
        &mut self,
        distribution: &Distribution,
        param: &Param,
        arg: ExprId,
        n_array: usize,
    ) -> Option<()> {
        let expr = &self.exprs[arg];
        let (span, ty) = (expr.span, expr.ty.clone());
        let own = element_type(param.kind, &ty, n_array);
        if !param.kind.accepts(&own) {
            let message = format!(
                "`{}` of `{}` is {}, and this is {ty}",
                param.name,
                distribution.name,
                param.kind.words()
            );
            let help = format!("it is `{}`", distribution.signature());
            self.diags.error(Code::ArgumentTypes, span, message).help(help);
            return None;
        }
        let Some(value) = self.constant_value(arg) else { return Some(()) };
        let wanted = match param.kind {
            ParamKind::Positive | ParamKind::PositiveScalar if value <= 0.0 => "positive",
            ParamKind::Count if value < 0.0 => "zero or more",
            ParamKind::Probability if !(0.0..=1.0).contains(&value) => "between 0 and 1",
            _ => return Some(()),
        };
        let message = format!(
            "`{}` of `{}` must be {wanted}, and this is {value}",
            param.name, distribution.name
        );
        let help = format!("it is `{}`", distribution.signature());
        self.diags.error(Code::ArgumentRange, span, message).help(help);
        None
    }

    /// Whether the sizes of an argument go with those of the outcome.
    pub(super) fn check_argument_size(
        &mut self,
        param: &Param,
        outcome: ExprId,
        arg: ExprId,
    ) -> Option<()> {
        let (outcome_ty, ty) = (self.exprs[outcome].ty.clone(), self.exprs[arg].ty.clone());
        let span = self.exprs[arg].span;
        match param.kind {
            kind if kind.is_vectorised() => {
                if ty.is_scalar() {
                    return Some(());
                }
                if ty.dims().len() != outcome_ty.dims().len() {
                    self.report_rank(outcome, arg);
                    return None;
                }
                self.require_equal_dims(&outcome_ty.dims(), &ty.dims(), outcome, arg)
            }
            ParamKind::PositiveScalar => Some(()),
            kind if is_per_outcome(kind) => {
                if ty.array.is_empty() {
                    return Some(());
                }
                if ty.array.len() != outcome_ty.dims().len() {
                    self.report_rank(outcome, arg);
                    return None;
                }
                self.require_equal_dims(&outcome_ty.dims(), &ty.array, outcome, arg)
            }
            _ => {
                if !ty.array.is_empty() {
                    self.require_equal_dims(&outcome_ty.array, &ty.array, outcome, arg)?;
                }
                let width = outcome_ty.dims().last()?.clone();
                for found in &ty.dims()[ty.array.len()..] {
                    self.require_equal(&width, found, outcome, arg, span)?;
                }
                Some(())
            }
        }
    }

    fn require_equal_dims(
        &mut self,
        wanted: &[Size],
        found: &[Size],
        outcome: ExprId,
        arg: ExprId,
    ) -> Option<()> {
        let span = self.exprs[arg].span;
        for (wanted, found) in wanted.iter().zip(found) {
            self.require_equal(wanted, found, outcome, arg, span)?;
        }
        Some(())
    }

    fn report_rank(&mut self, outcome: ExprId, arg: ExprId) {
        let (left, right) = (&self.exprs[outcome], &self.exprs[arg]);
        let (span, outcome_span) = (right.span, left.span);
        let (left_ty, right_ty) = (left.ty.clone(), right.ty.clone());
        let is_one = left_ty.is_scalar();
        let per_row = is_one && self.is_per_row(&right_ty);
        let code = if per_row { Code::PerRowValue } else { Code::SizeMismatch };
        let message = if is_one {
            format!("the outcome is one number, and this argument is {right_ty}")
        } else {
            format!("the outcome is {left_ty}, and this argument is {right_ty}")
        };
        let diagnostic = self.diags.error(code, span, message);
        diagnostic.label(outcome_span, format!("this is {left_ty}"));
        diagnostic.help(if per_row {
            "one value for the branch comes from `sum(…)` or `mean(…)` of its rows"
        } else {
            "an argument is one number, or has the same sizes as the outcome"
        });
    }
}

/// Whether an argument is a vector for each outcome.
fn is_per_outcome(kind: ParamKind) -> bool {
    matches!(
        kind,
        ParamKind::VectorPerOutcome | ParamKind::SimplexPerOutcome | ParamKind::OrderedPerOutcome
    )
}

/// What an argument is for one outcome: vectors and matrices of a distribution over vectors
/// may come in as many arrays as the outcome.
fn element_type(kind: ParamKind, ty: &Type, n_array: usize) -> Type {
    let is_vectorised = kind.is_vectorised() || kind == ParamKind::PositiveScalar;
    if is_vectorised || is_per_outcome(kind) || ty.array.len() != n_array {
        return ty.clone();
    }
    Type { array: Vec::new(), ..ty.clone() }
}
