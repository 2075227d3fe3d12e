//! Calls: which function a name means, and its arguments.

use super::Checker;
use super::density_call::{Asked, asked_of};
use super::flow::reads_size_only;
use super::function::Purpose;
use super::names::{distance, is_near};
use super::stan;
use super::subscript::Picked;
use super::typed::{Expr, ExprId, ExprKind, SymbolKind};
use crate::builtin::function::{Argument, EqualSizes, Meaning, Part};
use crate::builtin::{self, Distribution, Function};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::Ident;
use crate::ty::{Level, Role, Size, Type};

impl Checker<'_> {
    /// Whether a function of this name can be called; reports where not.
    pub(super) fn check_call_name(&mut self, name: &Ident) -> bool {
        if let Some(may_be_called) = self.check_own_name(name) {
            return may_be_called;
        }
        if builtin::function(&name.name).is_some() {
            return true;
        }
        if let Some(distribution) = builtin::distribution(&name.name) {
            self.report_distribution_as_function(distribution, name);
            return false;
        }
        if let Some((distribution, asked)) = asked_of(&name.name) {
            return self.check_density_name(distribution, asked, name);
        }
        if let Some(instead) = stan::instead_of_density(&name.name) {
            self.not_yet(name.span, &format!("`{}`", name.name), instead);
        } else {
            self.report_unknown_function(name);
        }
        false
    }

    fn report_unknown_function(&mut self, name: &Ident) {
        let written = name.name.as_str();
        let message = format!("there is no function `{written}`");
        let functions = builtin::function::all().map(|function| function.name.to_string());
        let own = self.own_names().map(str::to_string);
        let densities = builtin::distribution::ALL.iter().map(|found| found.density_name());
        let nearest = functions
            .chain(own)
            .chain(densities)
            .filter(|known| is_near(written, known))
            .min_by_key(|known| distance(written, known));
        let value = self.names.get(written).map(|symbol| &self.symbols[symbol]);
        let declared = value.map(|symbol| symbol.span);
        let is_number = value.is_some_and(|symbol| symbol.ty.is_scalar());
        let of_stan = stan::instead_of_function(written);
        let diagnostic = self.diags.error(Code::UnknownFunction, name.span, message);
        if let Some(declared) = declared {
            diagnostic.label(declared, format!("`{written}` is declared here as a value"));
            diagnostic.help(match is_number {
                true => format!("a product is written with `*`: `{written} * (…)`"),
                false => format!("its elements are written with square brackets: `{written}[…]`"),
            });
        } else if let Some(instead) = of_stan {
            diagnostic.help(instead);
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
        if self.functions.position(&name.name).is_some() {
            return self.check_own_call(name, args, bar, span);
        }
        if let Some(function) = builtin::function(&name.name) {
            self.check_bar(&name.name, false, &args, bar, span)?;
            return self.check_function_call(function, name, args, span);
        }
        let (distribution, asked) = asked_of(&name.name).expect("the name was looked up before");
        self.check_density_call(distribution, asked, name, args, bar, span)
    }

    /// The bar after the outcome of a log probability, and of nothing else.
    pub(super) fn check_bar(
        &mut self,
        name: &str,
        wanted: bool,
        args: &[ExprId],
        bar: bool,
        span: Span,
    ) -> Option<()> {
        if bar && !wanted {
            let message = format!("`{name}` takes no bar");
            let help = "a bar follows the outcome of a density, as in `normal_lpdf(y | mu, sigma)`";
            self.diags.error(Code::DensityBar, span, message).help(help);
            return None;
        }
        if bar || !wanted || args.len() < 2 {
            return Some(());
        }
        let texts: Vec<String> = args.iter().map(|arg| self.text(self.exprs[*arg].span)).collect();
        let message = format!("`{name}` separates its outcome by a bar, not a comma");
        let help = format!("write `{name}({} | {})`", texts[0], texts[1..].join(", "));
        self.diags.error(Code::DensityBar, span, message).help(help);
        None
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
            if !self.report_across_branches(name, &args, span) {
                self.report_arguments(function, name, &args, span);
            }
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
        self.forget_missing_reads(&args);
        Some(self.add_expr(Expr { kind, ty, level, role: Role::Data, span }))
    }

    /// `mean(z)` of one number of the branch: a statement over all branches.
    fn report_across_branches(&mut self, name: &Ident, args: &[ExprId], span: Span) -> bool {
        let is_summary = matches!(
            name.name.as_str(),
            "mean" | "sum" | "sd" | "variance" | "min" | "max" | "prod" | "cumulative_sum"
        );
        let [arg] = args else { return false };
        let Some(symbol) = self.named_symbol(*arg).filter(|_| is_summary) else { return false };
        let is_local =
            matches!(self.symbols[symbol].kind, SymbolKind::Unknown { role: Role::Local, .. });
        if !is_local || !self.symbols[symbol].ty.is_scalar() {
            return false;
        }
        let (text, declared) = (self.symbols[symbol].name.clone(), self.symbols[symbol].span);
        let message = format!(
            "`{text}` is one number in each branch: its {} over branches would tie them together",
            name.name
        );
        self.diags
            .error(Code::AcrossBranches, span, message)
            .label(declared, "one for each branch")
            .help(format!(
                "branches depend on each other only through `global`: give `{text}` a \
                 distribution with a global centre, `{text} ~ normal(mu, tau);`, and use `mu`"
            ));
        true
    }

    fn report_arguments(&mut self, function: &Function, name: &Ident, args: &[ExprId], span: Span) {
        let found: Vec<String> = args.iter().map(|arg| self.exprs[*arg].ty.to_string()).collect();
        let fitting = function
            .signatures
            .iter()
            .rev()
            .filter(|signature| argument_words(signature).count() == args.len())
            .max_by_key(|signature| self.count_alike(signature, args));
        let closest = fitting.or(function.signatures.first());
        let code = if fitting.is_some() { Code::ArgumentTypes } else { Code::ArgumentCount };
        let message = format!("`{}` does not take ({})", name.name, found.join(", "));
        let mixture_help = self.mixture_help(function, args);
        let diagnostic = self.diags.error(code, span, message);
        for arg in args {
            let expr = &self.exprs[*arg];
            diagnostic.label(expr.span, format!("this is {}", expr.ty));
        }
        if let Some(help) = mixture_help {
            diagnostic.help(help);
        } else if let Some(closest) = closest {
            diagnostic.help(format!("it is called as `{closest}`"));
        }
    }

    /// What to write for `log_mix(p, a, b)` of containers.
    fn mixture_help(&self, function: &Function, args: &[ExprId]) -> Option<String> {
        let [p, a, b] = args else { return None };
        let text = |arg: &ExprId| self.text(self.exprs[*arg].span);
        let is_scalar = |arg: &ExprId| self.exprs[*arg].ty.is_scalar();
        match function.name {
            "log_mix" if is_scalar(a) && is_scalar(b) => Some(format!(
                "of a vector of weights it is `log_mix({}, [{}, {}]')`",
                text(p),
                text(a),
                text(b)
            )),
            "log_mix" => Some(
                "it mixes two numbers: add them one by one, \
                 `for (n in 1:N) target += log_mix(p, a[n], b[n]);`"
                    .to_string(),
            ),
            _ => None,
        }
    }

    /// How many arguments have the type that a signature names.
    fn count_alike(&self, signature: &str, args: &[ExprId]) -> usize {
        let found = args.iter().map(|arg| self.exprs[*arg].ty.unsized_name());
        let alike = |(wanted, found): &(&str, String)| wanted.starts_with(&format!("{found} "));
        argument_words(signature).zip(found).filter(alike).count()
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
                self.check_slice_range(base, &first, &length, &dims[0])?;
                let picked = Picked::Some { from: first.clone(), count: length.clone() };
                self.warn_row_order(base, &[picked], span);
                ExprKind::Slice(base, 0, first, length)
            }
            Part::Index { axis, argument } => {
                let Picked::At(_) = self.check_index_value(args[argument], &dims[axis])? else {
                    let span = self.exprs[args[argument]].span;
                    let message = "one whole number is wanted here, and these are several";
                    let help = "several rows or columns are `m[numbers]` and `m[, numbers]`";
                    self.diags.error(Code::Index, span, message).help(help);
                    return None;
                };
                let mut at = vec![None; axis + 1];
                at[axis] = Some(args[argument]);
                ExprKind::Index(base, at)
            }
        };
        Some(self.push(kind, ty, args, span))
    }

    /// Reports a slice that reaches beyond the ends for certain.
    fn check_slice_range(
        &mut self,
        base: ExprId,
        first: &Size,
        length: &Size,
        size: &Size,
    ) -> Option<()> {
        let last = first.checked_add(length)?.checked_sub(&Size::constant(1))?;
        let beyond = last.checked_sub(size)?.as_constant().is_some_and(|beyond| beyond > 0);
        let before = first.as_constant().is_some_and(|first| first < 1);
        if beyond || before {
            let reached = if beyond { last } else { first.clone() };
            let message = format!("there is no element {reached}: they count from 1 to {size}");
            self.diags
                .error(Code::IndexRange, self.exprs[base].span, message)
                .label(self.exprs[base].span, format!("this is {}", self.exprs[base].ty));
            return None;
        }
        Some(())
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
        outcome: &str,
        name: &Ident,
    ) -> Option<&'static Distribution> {
        if let Some(distribution) = builtin::distribution(&name.name) {
            return Some(distribution);
        }
        if self.report_function_after_tilde(outcome, name) {
            return None;
        }
        if let Some(instead) = stan::instead_of_distribution(&name.name) {
            self.not_yet(name.span, &format!("`{}`", name.name), instead);
            return None;
        }
        self.report_unknown_distribution(name);
        None
    }

    /// Reports `y ~ normal_lpdf(…)` and the like, built in or of the file.
    fn report_function_after_tilde(&mut self, outcome: &str, name: &Ident) -> bool {
        let written = name.name.as_str();
        let own = || {
            let (stem, _) = written.rsplit_once('_')?;
            let position = self.functions.position(written)?;
            let purpose = self.functions.at(position).purpose;
            (purpose != Purpose::Value).then_some((stem, purpose == Purpose::Cumulative))
        };
        let built_in = asked_of(written).map(|(distribution, asked)| {
            (distribution.name, matches!(asked, Asked::Cumulative(_)))
        });
        let Some((stem, is_cumulative)) = built_in.or_else(own) else { return false };
        let message = format!("after `~` stands the distribution, not its function `{written}`");
        let help = match is_cumulative {
            true => format!("write `target += {written}({outcome} | …);`"),
            false => format!("write `{outcome} ~ {stem}(…);`"),
        };
        self.diags.error(Code::DensityName, name.span, message).help(help);
        true
    }

    fn report_unknown_distribution(&mut self, name: &Ident) {
        let written = name.name.as_str();
        let own: Vec<String> = self.own_distributions().collect();
        let nearest = builtin::distribution::ALL
            .iter()
            .map(|known| known.name)
            .chain(own.iter().map(String::as_str))
            .filter(|known| is_near(written, known))
            .min_by_key(|known| distance(written, known));
        let is_function =
            builtin::function(written).is_some() || self.functions.position(written).is_some();
        let message = format!("there is no distribution `{written}`");
        let diagnostic = self.diags.error(Code::UnknownDistribution, name.span, message);
        diagnostic.help(match nearest {
            Some(known) => format!("did you mean `{known}`?"),
            None if is_function => format!("`{written}` is a function; for a value write `=`"),
            None => format!(
                "define its log density in `functions`: `real {written}_lpdf(real y, …) {{ … }}`"
            ),
        });
    }
}

/// `vector x` and `int n` of the signature `real f(vector x, int n)`.
fn argument_words(signature: &str) -> impl Iterator<Item = &str> {
    let inside = signature.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    inside.split(", ").filter(|words| !words.is_empty())
}
