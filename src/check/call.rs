//! Calls: built-in functions, and densities such as `normal_lpdf(y | mu, sigma)`.

use super::Checker;
use super::flow::reads_size_only;
use super::names::{distance, is_near};
use super::typed::{Expr, ExprId, ExprKind};
use crate::builtin::function::{Argument, EqualSizes, Meaning, Part};
use crate::builtin::{self, Distribution, Function};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::Ident;
use crate::ty::{Level, Role, Size, Type};

/// `_lpdf` of a distribution that exists.
fn density(name: &str) -> Option<(&'static Distribution, &str)> {
    let (prefix, suffix) = name.rsplit_once('_')?;
    let is_density = matches!(suffix, "lpdf" | "lpmf");
    is_density.then(|| builtin::distribution(prefix)).flatten().map(|found| (found, suffix))
}

/// Functions of the language that this version lacks, with what to write meanwhile.
const LATER_FUNCTIONS: [(&str, &str); 17] = [
    ("log_mix", "write `log(p * exp(a) + (1 - p) * exp(b))`"),
    ("log_sum_exp", "write `log(exp(a) + exp(b))`, or `log(sum(exp(x)))`"),
    ("softmax", "write `exp(x) / sum(exp(x))`"),
    ("log_softmax", "write `x - log(sum(exp(x)))`"),
    ("rep_vector", "a number goes with any size; else assign the elements in a loop"),
    ("rep_row_vector", "a number goes with any size; else assign the elements in a loop"),
    ("rep_array", "assign the elements in a loop"),
    ("rep_matrix", "a number goes with any size; else assign the elements in a loop"),
    ("append_row", "assign the elements in a loop, part by part"),
    ("append_col", "assign the elements in a loop, part by part"),
    ("to_vector", "declare the data as a `vector`"),
    ("head", "write a slice: `x[1:n]`"),
    ("tail", "write a slice: `x[K - n + 1:K]`"),
    ("segment", "write a slice: `x[a:b]`"),
    ("quad_form", "write `b' * a * b`"),
    ("min", "`fmin(a, b)` is the smaller of two numbers"),
    ("max", "`fmax(a, b)` is the larger of two numbers"),
];

/// Distributions of the language that this version lacks.
const LATER_DISTRIBUTIONS: [&str; 28] = [
    "logistic",
    "inv_gamma",
    "chi_square",
    "inv_chi_square",
    "scaled_inv_chi_square",
    "weibull",
    "pareto",
    "skew_normal",
    "gumbel",
    "frechet",
    "von_mises",
    "binomial",
    "poisson",
    "neg_binomial",
    "neg_binomial_2",
    "neg_binomial_2_log",
    "categorical",
    "categorical_logit",
    "ordered_logistic",
    "ordered_probit",
    "beta_binomial",
    "multinomial",
    "multi_normal",
    "multi_normal_prec",
    "multi_student_t",
    "dirichlet",
    "lkj_corr",
    "wishart",
];

/// What to write for a distribution that this version lacks.
fn instead_of(distribution: &str) -> &'static str {
    match distribution {
        "binomial" => "`binomial_logit(n, logit(p))` says the same",
        "poisson" => "`poisson_log(log(rate))` says the same",
        "multi_normal" => "`multi_normal_cholesky(mu, L)` takes a factor of the covariance",
        "lkj_corr" => "`lkj_corr_cholesky(eta)` says the same of a `cholesky_factor_corr`",
        _ => "write out its log density: `target += …;`",
    }
}

/// Suffixes of functions that distributions have in Stan and not here yet.
const LATER_SUFFIXES: [&str; 7] = ["lcdf", "lccdf", "cdf", "ccdf", "rng", "lupdf", "lupmf"];

/// What to write for a function, or a density, that this version lacks.
fn later_function(name: &str) -> Option<&'static str> {
    if let Some((_, instead)) = LATER_FUNCTIONS.iter().find(|(later, _)| *later == name) {
        return Some(instead);
    }
    let (distribution, _) = name.rsplit_once('_').filter(|(_, suffix)| {
        LATER_SUFFIXES.contains(suffix) || matches!(*suffix, "lpdf" | "lpmf")
    })?;
    LATER_DISTRIBUTIONS.contains(&distribution).then(|| instead_of(distribution))
}

impl Checker<'_> {
    /// Whether a function of this name can be called; reports where not.
    pub(super) fn check_call_name(&mut self, name: &Ident) -> bool {
        if let Some((distribution, suffix)) = density(&name.name) {
            return self.check_density_suffix(distribution, suffix, name);
        }
        if builtin::function(&name.name).is_some() {
            return true;
        }
        if let Some(distribution) = builtin::distribution(&name.name) {
            self.report_distribution_as_function(distribution, name);
        } else if matches!(name.name.as_str(), "column" | "standardize" | "observed") {
            let help = "compute it beforehand and pass it with `--set`, or as a column";
            self.not_yet(name.span, &format!("`{}`", name.name), help);
        } else if self.is_later_function(&name.name) {
            self.not_yet(name.span, &format!("`{}`", name.name), "use the density itself");
        } else if let Some(instead) = later_function(&name.name) {
            self.not_yet(name.span, &format!("`{}`", name.name), instead);
        } else {
            self.report_unknown_function(name);
        }
        false
    }

    fn is_later_function(&self, name: &str) -> bool {
        name.rsplit_once('_').is_some_and(|(prefix, suffix)| {
            LATER_SUFFIXES.contains(&suffix) && builtin::distribution(prefix).is_some()
        })
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

    fn report_distribution_as_function(&mut self, distribution: &Distribution, name: &Ident) {
        let density = distribution.density_name();
        let params: Vec<&str> = distribution.params.iter().map(|param| param.name).collect();
        let bar = if params.is_empty() { "" } else { " | " };
        self.diags
            .error(
                Code::DensityName,
                name.span,
                format!("`{}` is a distribution and not a function", name.name),
            )
            .help(format!(
                "its log density is `{density}(y{bar}{})`; after `~` it stands alone: \
                 `y ~ {}({})`",
                params.join(", "),
                name.name,
                params.join(", ")
            ));
    }

    fn report_unknown_function(&mut self, name: &Ident) {
        let written = name.name.as_str();
        let message = format!("there is no function `{written}`");
        let functions = builtin::function::all().map(|function| function.name.to_string());
        let densities = builtin::distribution::ALL.iter().map(|found| found.density_name());
        let nearest = functions
            .chain(densities)
            .filter(|known| is_near(written, known))
            .min_by_key(|known| distance(written, known));
        let value = self.names.get(written).map(|symbol| &self.symbols[symbol]);
        let declared = value.map(|symbol| symbol.span);
        let is_number = value.is_some_and(|symbol| symbol.ty.is_scalar());
        let diagnostic = self.diags.error(Code::UnknownFunction, name.span, message);
        if let Some(declared) = declared {
            diagnostic.label(declared, format!("`{written}` is declared here as a value"));
            diagnostic.help(match is_number {
                true => format!("a product is written with `*`: `{written} * (…)`"),
                false => format!("its elements are written with square brackets: `{written}[…]`"),
            });
        } else if let Some(known) = nearest {
            diagnostic.help(format!("did you mean `{known}`?"));
        }
    }

    pub(super) fn check_call(
        &mut self,
        name: &Ident,
        args: Vec<ExprId>,
        bar: bool,
        span: Span,
    ) -> Option<ExprId> {
        if let Some((distribution, _)) = density(&name.name) {
            return self.check_density_call(distribution, name, args, bar, span);
        }
        if bar {
            let message = format!("`{}` takes no bar", name.name);
            let help = "a bar follows the outcome of a density, as in `normal_lpdf(y | mu, sigma)`";
            self.diags.error(Code::DensityBar, span, message).help(help);
            return None;
        }
        let function = builtin::function(&name.name).expect("the name was looked up on the way in");
        self.check_function_call(function, name, args, span)
    }

    fn check_density_call(
        &mut self,
        distribution: &'static Distribution,
        name: &Ident,
        args: Vec<ExprId>,
        bar: bool,
        span: Span,
    ) -> Option<ExprId> {
        let Some((outcome, params)) = args.split_first() else {
            let message = format!("`{}` needs an outcome", name.name);
            let help = format!("write `{}(y | …)`", name.name);
            self.diags.error(Code::ArgumentCount, span, message).help(help);
            return None;
        };
        if !bar && !params.is_empty() {
            let texts: Vec<String> =
                args.iter().map(|arg| self.text(self.exprs[*arg].span)).collect();
            let message = format!("`{}` separates its outcome by a bar, not a comma", name.name);
            let help = format!("write `{}({} | {})`", name.name, texts[0], texts[1..].join(", "));
            self.diags.error(Code::DensityBar, span, message).help(help);
            return None;
        }
        self.check_density(distribution, *outcome, params, name.span)?;
        self.mark_bar_outcome(*outcome, span);
        let kind = ExprKind::LogDensity(distribution, args.clone());
        Some(self.push(kind, Type::real(), &args, span))
    }

    fn check_function_call(
        &mut self,
        function: &'static Function,
        name: &Ident,
        args: Vec<ExprId>,
        span: Span,
    ) -> Option<ExprId> {
        let arguments = self.arguments_of(function, &args)?;
        let Some(returned) = (function.result)(&arguments) else {
            self.report_arguments(function, name, &args, span);
            return None;
        };
        for EqualSizes { arguments: [left, right], sizes: [a, b] } in &returned.equal {
            self.require_equal(a, b, args[*left], args[*right], span)?;
        }
        let ty = returned.ty;
        if let Meaning::Part(part) = function.meaning {
            let part = part(&arguments).expect("the function accepted its arguments");
            return self.check_part(part, &args, ty, span);
        }
        self.warn_cumulative(function.name, &args, span);
        let kind = ExprKind::Call(function, args.clone());
        if !reads_size_only(function.name) {
            return Some(self.push(kind, ty, &args, span));
        }
        // A size follows from the data whatever has it.
        let is_of_branch = arguments[0].ty.dims().iter().any(Size::depends_on_rows);
        let level = if is_of_branch { Level::Branch } else { Level::Whole };
        Some(self.exprs.push(Expr { kind, ty, level, role: Role::Data, span }))
    }

    fn report_arguments(&mut self, function: &Function, name: &Ident, args: &[ExprId], span: Span) {
        let found: Vec<String> = args.iter().map(|arg| self.exprs[*arg].ty.to_string()).collect();
        let count = |signature: &str| match signature.split_once('(') {
            Some((_, rest)) if rest.trim_start().starts_with(')') => 0,
            Some((_, rest)) => rest.matches(',').count() + 1,
            None => 0,
        };
        let fitting = function.signatures.iter().find(|signature| count(signature) == args.len());
        let closest = fitting.or(function.signatures.first());
        let code = if fitting.is_some() { Code::ArgumentTypes } else { Code::ArgumentCount };
        let message = format!("`{}` does not take ({})", name.name, found.join(", "));
        let diagnostic = self.diags.error(code, span, message);
        for arg in args {
            let expr = &self.exprs[*arg];
            diagnostic.label(expr.span, format!("this is {}", expr.ty));
        }
        if let Some(closest) = closest {
            diagnostic.help(format!("it is called as `{closest}`"));
        }
    }

    /// The arguments with the values of those that are sizes; reports those that must be and
    /// are none.
    fn arguments_of(&mut self, function: &Function, args: &[ExprId]) -> Option<Vec<Argument>> {
        let mut arguments = Vec::new();
        for (position, &arg) in args.iter().enumerate() {
            let ty = self.exprs[arg].ty.clone();
            let size = match function.sizes.contains(&position) && ty == Type::int() {
                true => Some(self.check_size_value(arg)?),
                false => None,
            };
            arguments.push(Argument { ty, size });
        }
        Some(arguments)
    }

    /// A call that is another word for a subscript of its first argument.
    fn check_part(&mut self, part: Part, args: &[ExprId], ty: Type, span: Span) -> Option<ExprId> {
        let base = args[0];
        let dims = self.exprs[base].ty.dims();
        let kind = match part {
            Part::Slice { first, length } => {
                let last = first.checked_add(&length)?.checked_sub(&Size::constant(1))?;
                let beyond = last.checked_sub(&dims[0]).and_then(|beyond| beyond.as_constant());
                if beyond.is_some_and(|beyond| beyond > 0)
                    || first.as_constant().is_some_and(|first| first < 1)
                {
                    let message = format!("elements {first} to {last} of {}", dims[0]);
                    self.diags
                        .error(Code::Index, span, message)
                        .label(self.exprs[base].span, format!("this is {}", self.exprs[base].ty))
                        .help(format!("elements are numbered from 1 to {}", dims[0]));
                    return None;
                }
                ExprKind::Slice(base, 0, first, length)
            }
            Part::Index { axis, argument } => {
                self.check_index_value(args[argument], &dims[axis])?;
                let mut at = vec![None; axis + 1];
                at[axis] = Some(args[argument]);
                ExprKind::Index(base, at)
            }
        };
        Some(self.push(kind, ty, args, span))
    }

    /// Warns where a cumulative sum runs over rows in no declared order (rule 10).
    fn warn_cumulative(&mut self, function: &str, args: &[ExprId], span: Span) {
        let over_rows = args.first().is_some_and(|arg| self.is_per_row(&self.exprs[*arg].ty));
        if function == "cumulative_sum" && over_rows {
            self.warn_unequal_rows(
                span,
                "a cumulative sum over rows depends on their order".into(),
            );
        }
    }

    /// The distribution after `~`; reports where there is none.
    pub(super) fn check_distribution_name(
        &mut self,
        name: &Ident,
    ) -> Option<&'static Distribution> {
        if let Some(distribution) = builtin::distribution(&name.name) {
            return Some(distribution);
        }
        if let Some((distribution, _)) = density(&name.name) {
            let message =
                format!("after `~` stands the distribution, not its density `{}`", name.name);
            let help = format!("write `~ {}(…)`", distribution.name);
            self.diags.error(Code::DensityName, name.span, message).help(help);
            return None;
        }
        let written = name.name.as_str();
        if LATER_DISTRIBUTIONS.contains(&written) {
            self.not_yet(name.span, &format!("`{written}`"), instead_of(written));
            return None;
        }
        let nearest = builtin::distribution::ALL
            .iter()
            .map(|known| known.name)
            .filter(|known| is_near(written, known))
            .min_by_key(|known| distance(written, known));
        let is_function = builtin::function(written).is_some();
        let message = format!("there is no distribution `{written}`");
        let diagnostic = self.diags.error(Code::UnknownDistribution, name.span, message);
        match nearest {
            Some(known) => {
                diagnostic.help(format!("did you mean `{known}`?"));
            }
            None if is_function => {
                diagnostic.help(format!("`{written}` is a function; for a value write `=`"));
            }
            None => {
                let known = builtin::distribution::ALL.iter().map(|known| known.name);
                let known = known.collect::<Vec<_>>().join("`, `");
                diagnostic.help(format!("distributions are `{known}`"));
            }
        }
        None
    }
}
