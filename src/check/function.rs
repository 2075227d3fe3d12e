//! The functions of the file: each is checked once where it is defined, with sizes that stand
//! for any, and again with those of its arguments wherever it is called.

use std::collections::HashMap;

use super::Checker;
use super::density_call::asked_of;
use super::names::Place;
use super::typed::ExprId;
use crate::builtin;
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{self, BaseType, FunctionDefinition, Ident, UnsizedType};
use crate::ty::{Element, Shape, Size, Type};

/// What a function is for, by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A value.
    Value,
    /// The log density of its first argument, which a bar separates from the rest.
    Density,
    /// A cumulative probability of its first argument, which a bar separates from the rest.
    Cumulative,
    /// Draws an outcome.
    Random,
}

impl Purpose {
    fn of(name: &str) -> Purpose {
        match name.rsplit_once('_') {
            Some((_, "lpdf" | "lpmf")) => Purpose::Density,
            Some((_, "lcdf" | "lccdf")) => Purpose::Cumulative,
            Some((_, "rng")) => Purpose::Random,
            _ => Purpose::Value,
        }
    }

    /// Whether a bar follows the first argument.
    pub(super) fn has_bar(self) -> bool {
        matches!(self, Purpose::Density | Purpose::Cumulative)
    }
}

/// A function of the file.
#[derive(Clone, Copy)]
pub(super) struct OwnFunction<'a> {
    pub(super) definition: &'a FunctionDefinition,
    pub(super) purpose: Purpose,
    /// Its definition failed: calls are silently given up.
    pub(super) broken: bool,
    /// Something calls it, or has it as its distribution.
    pub(super) called: bool,
}

/// The functions that are defined so far.
#[derive(Default)]
pub(super) struct Functions<'a> {
    all: Vec<OwnFunction<'a>>,
    by_name: HashMap<&'a str, usize>,
}

impl<'a> Functions<'a> {
    /// The place of a function in order of definition.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The function at a place.
    pub(super) fn at(&self, position: usize) -> OwnFunction<'a> {
        self.all[position]
    }

    /// Notes that something calls a function.
    pub(super) fn note_call(&mut self, position: usize) {
        self.all[position].called = true;
    }

    /// Those that nothing calls.
    pub(super) fn uncalled(&self) -> Vec<OwnFunction<'a>> {
        self.all.iter().filter(|function| !function.called).copied().collect()
    }

    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.all.iter().map(|function| function.definition.name.name.as_str())
    }
}

impl<'a> Checker<'a> {
    /// Checks every definition, called or not.
    pub(super) fn check_functions(&mut self) {
        let ast = self.ast;
        for definition in &ast.functions.functions {
            let before = self.diags.len();
            let purpose = Purpose::of(&definition.name.name);
            let is_named = self.check_function_name(definition);
            self.check_function_purpose(definition, purpose);
            let position = self.functions.all.len();
            self.functions.all.push(OwnFunction {
                definition,
                purpose,
                broken: false,
                called: false,
            });
            self.check_definition(position);
            self.functions.all[position].broken = self.diags.has_errors_since(before);
            // A function sees those above it, so not itself.
            if is_named {
                self.functions.by_name.insert(&definition.name.name, position);
            }
        }
    }

    fn check_function_name(&mut self, definition: &FunctionDefinition) -> bool {
        let Ident { name, span } = &definition.name;
        if let Some(first) = self.functions.position(name) {
            let first = self.functions.at(first).definition.name.span;
            self.diags
                .error(
                    Code::DuplicateName,
                    *span,
                    format!("the function `{name}` is defined twice"),
                )
                .label(first, "first defined here")
                .help("a name means one function, whatever its arguments: give one another name");
            return false;
        }
        if is_built_in(name) {
            let message = format!("`{name}` is built in and cannot be defined again");
            let help = format!("give it a name of its own, such as `my_{name}`");
            self.diags.error(Code::DuplicateName, *span, message).help(help);
            return false;
        }
        true
    }

    /// What the end of a name promises of the arguments and the value.
    fn check_function_purpose(&mut self, definition: &FunctionDefinition, purpose: Purpose) {
        let Ident { name, span } = &definition.name;
        if !purpose.has_bar() {
            return;
        }
        let (stem, _) = name.rsplit_once('_').expect("the end of the name told the purpose");
        let is_real = definition.result.base == BaseType::Real && definition.result.n_array == 0;
        if !is_real {
            let message = format!("`{name}` is a log probability, and its value is not `real`");
            let help = format!("write `real {name}(…)`, or give it a name without this ending");
            self.diags.error(Code::FunctionType, definition.result.span, message).help(help);
        }
        let Some(outcome) = definition.params.first() else {
            let message = format!("`{name}` has no outcome");
            let help = format!("its first argument is the outcome: `real {name}(real y, …)`");
            self.diags.error(Code::FunctionType, *span, message).help(help);
            return;
        };
        let ending = if outcome.ty.base == BaseType::Int { "lpmf" } else { "lpdf" };
        if purpose == Purpose::Density && !name.ends_with(ending) {
            let over = if ending == "lpmf" { "whole numbers" } else { "real numbers" };
            let message = format!("`{name}` is over {over}: its name ends in `_{ending}`");
            let help = format!("call it `{stem}_{ending}`");
            self.diags.error(Code::DensityName, *span, message).help(help);
        }
    }

    /// The body with arguments of any size, so that what is wrong whatever these are is said
    /// once, and for functions that nothing calls too.
    fn check_definition(&mut self, position: usize) {
        let definition = self.functions.at(position).definition;
        let params = &definition.params;
        let types: Vec<Type> =
            params.iter().map(|param| any_type(&param.ty, &param.name.name)).collect();
        let n_checks = self.size_checks.len();
        let place = std::mem::replace(&mut self.place, Place::WholeData);
        self.check_any_call(position, &types);
        self.place = place;
        self.size_checks.truncate(n_checks);
    }

    /// The function that a call means, or what to say where it is defined further down or is
    /// the one whose body is at hand. `None`: it is no function of the file.
    pub(super) fn check_own_name(&mut self, name: &Ident) -> Option<bool> {
        if let Some(position) = self.functions.position(&name.name) {
            return Some(
                !self.functions.at(position).broken && self.check_own_purpose(position, name),
            );
        }
        let ast = self.ast;
        let mut all = ast.functions.functions.iter().map(|definition| &definition.name);
        let defined = all.find(|defined| defined.name == name.name)?;
        if is_built_in(&name.name) {
            return None;
        }
        let own = self.functions.all.last().filter(|_| self.within.is_some());
        let is_itself = own.is_some_and(|own| own.definition.name.span == defined.span);
        let (message, help) = if is_itself {
            (
                format!("`{}` calls itself", name.name),
                "functions do not call themselves: write a loop, `for (k in 1:K) …`",
            )
        } else {
            (
                format!("`{}` is defined further down", name.name),
                "a function sees those above it: move its definition up",
            )
        };
        let diagnostic = self.diags.error(Code::FunctionOrder, name.span, message);
        diagnostic.label(defined.span, "defined here").help(help);
        Some(false)
    }

    /// Functions that draw are called only where something is drawn.
    fn check_own_purpose(&mut self, position: usize, name: &Ident) -> bool {
        let is_random = self.functions.at(position).purpose == Purpose::Random;
        !is_random || self.check_may_draw(&name.name, name.span)
    }

    /// Whether the body at hand is that of a function that draws.
    pub(super) fn check_may_draw(&mut self, name: &str, span: Span) -> bool {
        let purpose = self.within.as_ref().map(|within| self.functions.at(within.function).purpose);
        if purpose == Some(Purpose::Random) {
            return true;
        }
        let stem = name.strip_suffix("_rng").unwrap_or(name);
        self.diags
            .error(Code::RandomCall, span, format!("`{name}` draws, and nothing is drawn here"))
            .help(format!(
                "the density says what is drawn: `y ~ {stem}(…);`; functions whose names end in \
                 `_rng` are called only by each other"
            ));
        false
    }

    /// How a function of the file is called.
    pub(super) fn own_signature(&self, position: usize) -> String {
        let definition = self.functions.at(position).definition;
        let params: Vec<String> = definition
            .params
            .iter()
            .map(|param| format!("{} {}", unsized_words(&param.ty), param.name.name))
            .collect();
        format!(
            "{} {}({})",
            unsized_words(&definition.result),
            definition.name.name,
            params.join(", ")
        )
    }

    /// Names of functions of the file that a call may mean.
    pub(super) fn own_names(&self) -> impl Iterator<Item = &'a str> + use<'a, '_> {
        self.functions.names()
    }

    /// Reports arguments that a function of the file does not take.
    pub(super) fn check_own_arguments(
        &mut self,
        position: usize,
        args: &[ExprId],
        span: Span,
    ) -> Option<()> {
        let definition = self.functions.at(position).definition;
        let fits = |(param, arg): (&ast::FunctionParam, &ExprId)| {
            fits_unsized(&param.ty, &self.exprs[*arg].ty)
        };
        let has_count = definition.params.len() == args.len();
        if has_count && definition.params.iter().zip(args).all(fits) {
            return Some(());
        }
        let code = if has_count { Code::ArgumentTypes } else { Code::ArgumentCount };
        let found: Vec<String> = args.iter().map(|arg| self.exprs[*arg].ty.to_string()).collect();
        let message = format!("`{}` does not take ({})", definition.name.name, found.join(", "));
        let signature = self.own_signature(position);
        let diagnostic = self.diags.error(code, span, message);
        for arg in args {
            let expr = &self.exprs[*arg];
            diagnostic.label(expr.span, format!("this is {}", expr.ty));
        }
        diagnostic.label(definition.name.span, "defined here");
        diagnostic.help(format!("it is called as `{signature}`"));
        None
    }
}

/// Whether a name already means a function, a distribution, or a function of a distribution.
fn is_built_in(name: &str) -> bool {
    builtin::function(name).is_some()
        || builtin::distribution(name).is_some()
        || asked_of(name).is_some()
}

/// The type of an argument, its sizes those of any argument.
fn any_type(ty: &UnsizedType, name: &str) -> Type {
    let element = if ty.base == BaseType::Int { Element::Int } else { Element::Real };
    let size =
        |word: &str, depth: usize| Size::datum(&format!("{word}({name}{})", "[1]".repeat(depth)));
    let inner = ty.n_array;
    let shape = match ty.base {
        BaseType::Vector => Shape::Vector(size("size", inner)),
        BaseType::RowVector => Shape::RowVector(size("size", inner)),
        BaseType::Matrix => Shape::Matrix(size("rows", inner), size("cols", inner)),
        _ => Shape::Scalar,
    };
    let array = (0..ty.n_array).map(|depth| size("size", depth)).collect();
    Type { array, shape, element }
}

/// `array[,] vector`
fn unsized_words(ty: &UnsizedType) -> String {
    match ty.n_array {
        0 => ty.base.word().to_string(),
        n => format!("array[{}] {}", ",".repeat(n - 1), ty.base.word()),
    }
}

/// Whether a value can stand for an argument or be returned; whole numbers are also real.
pub(super) fn fits_unsized(wanted: &UnsizedType, found: &Type) -> bool {
    let fits_shape = match (wanted.base, &found.shape) {
        (BaseType::Int, Shape::Scalar) => found.element == Element::Int,
        (BaseType::Real, Shape::Scalar)
        | (BaseType::Vector, Shape::Vector(_))
        | (BaseType::RowVector, Shape::RowVector(_))
        | (BaseType::Matrix, Shape::Matrix(..)) => true,
        _ => false,
    };
    fits_shape && wanted.n_array == found.array.len()
}
