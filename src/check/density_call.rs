//! Functions of distributions: `normal_lpdf(y | mu, sigma)`, `normal_lccdf(y | mu, sigma)`,
//! and `normal_rng(mu, sigma)` in what draws outcomes.

use super::Checker;
use super::typed::{ExprId, ExprKind, Tail};
use crate::builtin::{self, Distribution, Outcome};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::Ident;
use crate::ty::{Element, Shape, Type};

/// What a function of a distribution asks for, by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// `_lpdf` or `_lpmf`, by that word.
    Density(&'static str),
    /// `_lcdf` or `_lccdf`.
    Cumulative(Tail),
    /// `_rng`
    Random,
    /// What Stan calls otherwise, or does not have any more.
    Elsewhere(&'static str),
}

/// Ends of names that belong to the built-in distributions.
pub(super) const SUFFIXES: [(&str, Asked); 12] = [
    ("lpdf", Asked::Density("lpdf")),
    ("lpmf", Asked::Density("lpmf")),
    ("lcdf", Asked::Cumulative(Tail::Lower)),
    ("lccdf", Asked::Cumulative(Tail::Upper)),
    ("rng", Asked::Random),
    ("lupdf", Asked::Elsewhere("lupdf")),
    ("lupmf", Asked::Elsewhere("lupmf")),
    ("log", Asked::Elsewhere("log")),
    ("cdf", Asked::Elsewhere("cdf")),
    ("ccdf", Asked::Elsewhere("ccdf")),
    ("pdf", Asked::Elsewhere("pdf")),
    ("pmf", Asked::Elsewhere("pmf")),
];

/// The distribution that a name is about, and what is asked of it.
pub(super) fn asked_of(name: &str) -> Option<(&'static Distribution, Asked)> {
    let (stem, end) = name.rsplit_once('_')?;
    let (_, asked) = SUFFIXES.iter().find(|(suffix, _)| *suffix == end)?;
    builtin::distribution(stem).map(|distribution| (distribution, *asked))
}

impl Checker<'_> {
    /// Whether a distribution has what is asked of it; reports where not.
    pub(super) fn check_density_name(
        &mut self,
        distribution: &Distribution,
        asked: Asked,
        name: &Ident,
    ) -> bool {
        match asked {
            Asked::Density(suffix) => self.check_density_suffix(distribution, suffix, name),
            Asked::Cumulative(_) if distribution.cdfs.is_none() => {
                let what = format!("`{}`", name.name);
                let help = "only one-dimensional distributions with a cumulative probability in \
                            closed form have it; for interval data of others, define it in \
                            `functions`";
                self.not_yet(name.span, &what, help);
                false
            }
            Asked::Cumulative(_) => true,
            Asked::Random => self.check_may_draw(&name.name, name.span),
            Asked::Elsewhere(end) => {
                self.report_elsewhere_named(distribution, end, name);
                false
            }
        }
    }

    fn check_density_suffix(
        &mut self,
        distribution: &Distribution,
        suffix: &str,
        name: &Ident,
    ) -> bool {
        let right = distribution.density_name();
        if right.ends_with(suffix) {
            return true;
        }
        let over = if distribution.is_discrete() { "whole numbers" } else { "real numbers" };
        let message =
            format!("`{}` is over {over}: its log density is `{right}`", distribution.name);
        self.diags.error(Code::DensityName, name.span, message).help(format!("write `{right}(…)`"));
        false
    }

    /// Names of Stan, old or for constants dropped.
    fn report_elsewhere_named(&mut self, distribution: &Distribution, end: &str, name: &Ident) {
        let density = distribution.density_name();
        let stem = distribution.name;
        let help = match end {
            "cdf" => format!("write its logarithm, `{stem}_lcdf(y | …)`"),
            "ccdf" => format!("write the logarithm, `{stem}_lccdf(y | …)`"),
            "pdf" | "pmf" => format!("write its logarithm, `{density}(y | …)`"),
            "log" => format!("write `{density}(y | …)`"),
            _ => format!("write `{density}(y | …)`: constants are never dropped here"),
        };
        let message = format!("there is no `{}`", name.name);
        self.diags.error(Code::DensityName, name.span, message).help(help);
    }

    pub(super) fn report_distribution_as_function(
        &mut self,
        distribution: &Distribution,
        name: &Ident,
    ) {
        let density = distribution.density_name();
        let params: Vec<&str> = distribution.params.iter().map(|param| param.name).collect();
        let bar = if params.is_empty() { "" } else { " | " };
        let message = format!("`{}` is a distribution and not a function", name.name);
        self.diags.error(Code::DensityName, name.span, message).help(format!(
            "its log density is `{density}(y{bar}{})`; after `~` it stands alone: \
             `y ~ {}({})`",
            params.join(", "),
            name.name,
            params.join(", ")
        ));
    }

    /// `normal_lpdf(y | …)`, `normal_lcdf(y | …)` or `normal_rng(…)`.
    pub(super) fn check_density_call(
        &mut self,
        distribution: &'static Distribution,
        asked: Asked,
        name: &Ident,
        args: Vec<ExprId>,
        bar: bool,
        span: Span,
    ) -> Option<ExprId> {
        if asked == Asked::Random {
            self.check_bar(&name.name, false, &args, bar, span)?;
            return self.check_random_call(distribution, name, args, span);
        }
        let Some((outcome, params)) = args.split_first() else {
            let message = format!("`{}` needs an outcome", name.name);
            let help = format!("write `{}(y | …)`", name.name);
            self.diags.error(Code::ArgumentCount, span, message).help(help);
            return None;
        };
        self.check_bar(&name.name, true, &args, bar, span)?;
        self.check_density(distribution, *outcome, params, name.span)?;
        let kind = match asked {
            Asked::Cumulative(tail) => ExprKind::Cumulative(distribution, tail, args.clone()),
            _ => {
                self.mark_bar_outcome(*outcome, span);
                ExprKind::LogDensity(distribution, args.clone())
            }
        };
        Some(self.push(kind, Type::real(), &args, span))
    }

    /// One outcome, drawn.
    fn check_random_call(
        &mut self,
        distribution: &'static Distribution,
        name: &Ident,
        args: Vec<ExprId>,
        span: Span,
    ) -> Option<ExprId> {
        if args.len() != distribution.params.len() {
            self.report_argument_count(distribution, args.len(), name.span);
            return None;
        }
        for (param, arg) in distribution.params.iter().zip(&args) {
            let ty = self.exprs[*arg].ty.clone();
            if param.kind.is_vectorised() && !ty.is_scalar() {
                let span = self.exprs[*arg].span;
                let message =
                    format!("`{}` draws one outcome, and this argument is {ty}", name.name);
                let help = "draw element by element in a loop: `for (n in 1:N) x[n] = …;`";
                self.diags.error(Code::ArgumentTypes, span, message).help(help);
                return None;
            }
            self.check_argument(distribution, param, *arg, 0)?;
        }
        let ty = self.drawn_type(distribution, &args);
        Some(self.push(ExprKind::Random(distribution, args.clone()), ty, &args, span))
    }

    fn drawn_type(&self, distribution: &Distribution, args: &[ExprId]) -> Type {
        if let Outcome::Univariate(element, _) = distribution.outcome {
            return Type { element, ..Type::real() };
        }
        let mut widths = args.iter().filter_map(|arg| self.exprs[*arg].ty.dims().last().cloned());
        match widths.next_back() {
            Some(width) if matches!(distribution.outcome, Outcome::Vector(_)) => {
                Type::of_shape(Shape::Vector(width))
            }
            _ => Type { element: Element::Real, ..Type::real() },
        }
    }
}
