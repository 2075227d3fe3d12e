//! A distribution, its outcome and its arguments: numbers of arguments, types and sizes.

use super::Checker;
use super::typed::{Constraint, ExprId, SymbolKind};
use crate::builtin::{Distribution, Outcome, Param, ParamKind};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::ty::{Element, Shape, Size};

impl Checker<'_> {
    /// Whether `outcome` can follow this distribution with these arguments. `name` is where
    /// the distribution's name stands.
    pub(super) fn check_density(
        &mut self,
        distribution: &'static Distribution,
        outcome: ExprId,
        args: &[ExprId],
        name: Span,
    ) -> Option<()> {
        if args.len() != distribution.params.len() {
            self.report_argument_count(distribution, args.len(), name);
            return None;
        }
        let outcome_fits = match distribution.outcome {
            Outcome::Univariate(element, _) => self.check_elements(distribution, element, outcome),
            Outcome::Vector(_) => self.check_vector_outcome(distribution, outcome),
            Outcome::CholeskyFactorCorr => self.check_factor_outcome(distribution, outcome),
        };
        let mut fits = outcome_fits.is_some();
        for (param, arg) in distribution.params.iter().zip(args) {
            let fit = self.check_argument(distribution, param, *arg);
            fits &= fit.is_some();
            if fits {
                fits &= self.check_argument_size(param, outcome, *arg).is_some();
            }
        }
        if !fits {
            return None;
        }
        self.check_interval(distribution, args)?;
        self.warn_supports(distribution, outcome, args);
        Some(())
    }

    fn report_argument_count(&mut self, distribution: &Distribution, count: usize, name: Span) {
        let wanted = distribution.params.len();
        let plural = if wanted == 1 { "" } else { "s" };
        let message =
            format!("`{}` takes {wanted} argument{plural}, not {count}", distribution.name);
        let help = format!("it is `{}`", distribution.signature());
        self.diags.error(Code::ArgumentCount, name, message).help(help);
    }

    fn check_elements(
        &mut self,
        distribution: &Distribution,
        element: Element,
        outcome: ExprId,
    ) -> Option<()> {
        let ty = self.exprs[outcome].ty.clone();
        if element == Element::Real || ty.element == Element::Int {
            return Some(());
        }
        let span = self.exprs[outcome].span;
        let name = distribution.name;
        let message = format!("`{name}` is over whole numbers, and this is {ty}");
        let sizes: Vec<String> = ty.dims().iter().map(Size::to_string).collect();
        let declared = if sizes.is_empty() {
            "int".to_string()
        } else {
            format!("array[{}] int", sizes.join(", "))
        };
        self.diags
            .error(Code::OutcomeType, span, message)
            .help(format!("declare data that count as `{declared}`"));
        None
    }

    fn check_vector_outcome(&mut self, distribution: &Distribution, outcome: ExprId) -> Option<()> {
        let ty = self.exprs[outcome].ty.clone();
        let span = self.exprs[outcome].span;
        let name = distribution.name;
        match ty.shape {
            Shape::Vector(_) if ty.array.is_empty() => Some(()),
            Shape::Vector(_) => {
                let what = format!("`{name}` over an array of vectors");
                self.not_yet(span, &what, "loop over the vectors: `for (k in 1:K) x[k] ~ …`");
                None
            }
            _ => {
                let message = format!("`{name}` is over a vector, and this is {ty}");
                let help = "one number follows a distribution such as `normal`; a row vector \
                            becomes a vector by `'`";
                self.diags.error(Code::OutcomeType, span, message).help(help);
                None
            }
        }
    }

    fn check_factor_outcome(&mut self, distribution: &Distribution, outcome: ExprId) -> Option<()> {
        let symbol = self.named_symbol(outcome);
        let is_factor = symbol.is_some_and(|symbol| {
            matches!(
                self.symbols[symbol].kind,
                SymbolKind::Unknown { constraint: Constraint::CholeskyFactorCorr, .. }
            )
        });
        if is_factor {
            return Some(());
        }
        let expr = &self.exprs[outcome];
        let (span, ty) = (expr.span, expr.ty.clone());
        let name = distribution.name;
        self.diags
            .error(
                Code::OutcomeType,
                span,
                format!("`{name}` is over a Cholesky factor of correlations, and this is {ty}"),
            )
            .help("declare the unknown as `cholesky_factor_corr[K]`");
        None
    }

    fn check_argument(
        &mut self,
        distribution: &Distribution,
        param: &Param,
        arg: ExprId,
    ) -> Option<()> {
        let expr = &self.exprs[arg];
        let (span, ty) = (expr.span, expr.ty.clone());
        if !param.kind.accepts(&ty) {
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

    fn check_argument_size(&mut self, param: &Param, outcome: ExprId, arg: ExprId) -> Option<()> {
        let outcome_dims = self.exprs[outcome].ty.dims();
        let arg_dims = self.exprs[arg].ty.dims();
        let span = self.exprs[arg].span;
        if param.kind.is_vectorised() {
            if arg_dims.is_empty() {
                return Some(());
            }
            if arg_dims.len() != outcome_dims.len() {
                self.report_rank(outcome, arg);
                return None;
            }
            for (wanted, found) in outcome_dims.iter().zip(&arg_dims) {
                self.require_equal(wanted, found, outcome, arg, span)?;
            }
            return Some(());
        }
        if param.kind == ParamKind::PositiveScalar {
            return Some(());
        }
        for found in &arg_dims {
            self.require_equal(outcome_dims.first()?, found, outcome, arg, span)?;
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

    /// The ends of `uniform(a, b)` where both are numbers.
    fn check_interval(&mut self, distribution: &Distribution, args: &[ExprId]) -> Option<()> {
        let (true, [low, high]) = (distribution.name == "uniform", args) else { return Some(()) };
        let (Some(a), Some(b)) = (self.constant_value(*low), self.constant_value(*high)) else {
            return Some(());
        };
        if a < b {
            return Some(());
        }
        let span = self.exprs[*low].span.to(self.exprs[*high].span);
        let message = format!(
            "`uniform` runs from its first to its second argument, and {a} is not below {b}"
        );
        self.diags.error(Code::ArgumentRange, span, message);
        None
    }
}
