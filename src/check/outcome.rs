//! A distribution, its outcome and its arguments: numbers of arguments, types and sizes.

use super::Checker;
use super::typed::{Constraint, ExprId, SymbolKind};
use crate::builtin::{Distribution, Outcome};
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
            let n_array = self.exprs[outcome].ty.array.len();
            let fit = self.check_argument(distribution, param, *arg, n_array);
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

    pub(super) fn report_argument_count(
        &mut self,
        distribution: &Distribution,
        count: usize,
        name: Span,
    ) {
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
            Shape::Vector(_) => Some(()),
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
        let symbol = self.base_symbol(outcome);
        let is_factor = symbol.is_some_and(|symbol| {
            matches!(
                self.symbols[symbol].kind,
                SymbolKind::Unknown { constraint: Constraint::CholeskyFactorCorr, .. }
            )
        });
        // An element of an array of factors is one, a row of a factor is none.
        if is_factor && matches!(self.exprs[outcome].ty.shape, Shape::Matrix(..)) {
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
