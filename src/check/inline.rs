//! Calls of the file's functions: the body is checked with the types and sizes of the
//! arguments, and stands in place of the call.

use super::function::{Purpose, fits_unsized};
use super::reach::{Assigned, RETURNED, Reach};
use super::returns::Rest;
use super::typed::{Expr, ExprId, ExprKind, Statement, SymbolId, SymbolKind};
use super::{Checker, Facts, Linear};
use crate::diagnostic::{Code, Severity};
use crate::source::Span;
use crate::syntax::ast::{BaseType, Ident, UnsizedType};
use crate::ty::{Element, Size, Type};

/// Functions that call functions, one inside the other.
const MAX_CALLS: usize = 32;

/// Expressions that calls may expand to, all together.
const MAX_EXPANDED: usize = 500_000;

/// The function whose body is at hand.
#[derive(Clone, Copy)]
pub(super) struct Within {
    /// Its place in order of definition.
    pub(super) function: usize,
    /// How many calls are being expanded.
    n_calls: usize,
    /// How many expressions there were before the outermost of them.
    start: usize,
    /// What holds its value, where it returns in more than one place.
    pub(super) returned: Option<SymbolId>,
}

/// What is known of an expanded call beside its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inlined {
    /// Whether it jumps where an unknown moves.
    pub(super) jumps: bool,
    /// The outcome of a log density.
    pub(super) outcome: Option<ExprId>,
}

/// What must be as before when a body has been gone through.
struct Around {
    names: super::names::Visible,
    assigned: Assigned,
    loops: Vec<SymbolId>,
    conditions: Vec<ExprId>,
    within: Option<Within>,
    n_diagnostics: usize,
    n_exprs: usize,
}

impl Checker<'_> {
    /// `own(args)`, or `own_lpdf(y | args)`.
    pub(super) fn check_own_call(
        &mut self,
        name: &Ident,
        args: Vec<ExprId>,
        bar: bool,
        span: Span,
    ) -> Option<ExprId> {
        let position = self.functions.position(&name.name)?;
        let purpose = self.functions.at(position).purpose;
        self.check_bar(&name.name, purpose.has_bar(), &args, bar, span)?;
        self.check_own_arguments(position, &args, span)?;
        let id = self.inline(position, &args, span)?;
        if purpose == Purpose::Density {
            self.inlined.get_mut(&id).expect("it was just expanded").outcome = Some(args[0]);
            self.mark_bar_outcome(args[0], span);
        }
        Some(id)
    }

    /// The body of a function in place of a call whose arguments fit.
    pub(super) fn inline(
        &mut self,
        position: usize,
        args: &[ExprId],
        span: Span,
    ) -> Option<ExprId> {
        self.functions.note_call(position);
        if self.functions.at(position).broken {
            return None;
        }
        self.check_expansion(span)?;
        let facts: Vec<Facts> = args.iter().map(|arg| self.facts_of_argument(*arg)).collect();
        let types: Vec<Type> = args.iter().map(|arg| self.exprs[*arg].ty.clone()).collect();
        let around = self.enter_body(position);
        let params = self.declare_params(position, &types, facts);
        let mut statements = Vec::with_capacity(params.len());
        for (symbol, arg) in params.iter().zip(args) {
            let value = Some(self.promote(*arg, self.symbols[*symbol].ty.element));
            statements.push(Statement::Declare { symbol: *symbol, value });
        }
        let body = self.check_body(position);
        let (start, n_diagnostics) = (around.n_exprs, around.n_diagnostics);
        self.leave_body(around);
        self.attribute(n_diagnostics, span);
        let (body, value) = body?;
        statements.extend(body);
        self.push_inline(statements, value, args, start, span)
    }

    fn push_inline(
        &mut self,
        statements: Vec<Statement>,
        value: ExprId,
        args: &[ExprId],
        start: usize,
        span: Span,
    ) -> Option<ExprId> {
        let Expr { ty, level, role, .. } = self.exprs[value].clone();
        let jumps = self.find_jump(value).is_some();
        let own = self.depth[start..].iter().copied();
        let depth = own.chain(args.iter().map(|arg| self.depth[arg.index()])).max().unwrap_or(0);
        let kind = ExprKind::Inline(statements, value);
        let id = self.add_expr(Expr { kind, ty, level, role, span });
        self.depth[id.index()] = depth.saturating_add(1);
        self.inlined.insert(id, Inlined { jumps, outcome: None });
        self.require_shallow(id)?;
        Some(id)
    }

    /// Calls multiply: what they expand to must stay within reason.
    pub(super) fn check_expansion(&mut self, span: Span) -> Option<()> {
        let within = self.within.as_ref();
        let n_calls = within.map_or(0, |within| within.n_calls);
        let n_here = within.map_or(0, |within| self.exprs.len() - within.start);
        let message = if n_calls >= MAX_CALLS {
            format!("functions call each other more than {MAX_CALLS} deep")
        } else if self.n_expanded + n_here > MAX_EXPANDED {
            "the functions of this file expand to more than the compiler follows".to_string()
        } else {
            return Some(());
        };
        let help = "call fewer of them in a row: name a result in a declaration and use it twice";
        self.diags.error(Code::Nesting, span, message).help(help);
        None
    }

    /// Checks a definition with arguments of these types, whose sizes stand for any.
    pub(super) fn check_any_call(&mut self, position: usize, types: &[Type]) {
        let params = &self.functions.at(position).definition.params;
        let facts = params.iter().zip(types).map(|(param, ty)| {
            let is_int = ty.is_scalar() && ty.element == Element::Int;
            let linear = is_int.then(|| Linear::constant(Size::datum(&param.name.name)));
            Facts { linear, is_argument: true, reads: 1, ..Facts::new(Reach::NOTHING) }
        });
        let facts = facts.collect();
        let around = self.enter_body(position);
        self.declare_params(position, types, facts);
        self.check_body(position);
        self.leave_body(around);
    }

    fn enter_body(&mut self, position: usize) -> Around {
        let n_calls = self.within.as_ref().map_or(0, |within| within.n_calls) + 1;
        let start = self.within.as_ref().map_or(self.exprs.len(), |within| within.start);
        let within = Within { function: position, n_calls, start, returned: None };
        Around {
            names: self.names.hide(),
            assigned: std::mem::take(&mut self.assigned),
            loops: std::mem::take(&mut self.loops),
            conditions: std::mem::take(&mut self.conditions),
            within: self.within.replace(within),
            n_diagnostics: self.diags.len(),
            n_exprs: self.exprs.len(),
        }
    }

    fn leave_body(&mut self, around: Around) {
        self.names.restore(around.names);
        self.assigned = around.assigned;
        self.loops = around.loops;
        self.conditions = around.conditions;
        self.within = around.within;
        if self.within.is_none() {
            self.n_expanded += self.exprs.len() - around.n_exprs;
        }
    }

    fn declare_params(
        &mut self,
        position: usize,
        types: &[Type],
        facts: Vec<Facts>,
    ) -> Vec<SymbolId> {
        let params = &self.functions.at(position).definition.params;
        let mut symbols = Vec::with_capacity(params.len());
        for ((param, ty), facts) in params.iter().zip(types).zip(facts) {
            let ty = Type { element: element_of(&param.ty), ..ty.clone() };
            symbols.push(self.declare(&param.name, SymbolKind::Temporary, ty, facts));
        }
        symbols
    }

    fn facts_of_argument(&self, arg: ExprId) -> Facts {
        let expr = &self.exprs[arg];
        let reach = self.reach(arg);
        let reach =
            Reach { level: reach.level.max(expr.level), role: reach.role.max(expr.role), ..reach };
        let linear = if self.is_int(arg) { self.linear(arg) } else { None };
        Facts {
            reads: 1,
            nonlinear: self.is_nonlinear(arg),
            discontinuous: self.find_jump(arg).is_some(),
            nested: true,
            linear,
            is_argument: true,
            row_data: self.is_per_row(&expr.ty) && self.is_row_data(arg),
            ..Facts::new(reach)
        }
    }

    fn check_body(&mut self, position: usize) -> Option<(Vec<Statement>, ExprId)> {
        let definition = self.functions.at(position).definition;
        self.assigned = self.assigned_names(self.place, &definition.body);
        let mut statements = Vec::new();
        let value = match definition.body.split_last() {
            Some((last, before)) if !before.iter().any(super::returns::has_return) => {
                statements = self.check_statement_list(before);
                self.check_last(last, definition.name.span, &mut statements)
            }
            _ => self.check_returns(Rest::of(&definition.body), &mut statements),
        };
        value.map(|value| (statements, value))
    }

    /// A value that the function at hand returns, of its declared type.
    pub(super) fn check_returned(&mut self, value: ExprId) -> Option<ExprId> {
        let within = self.within.as_ref().expect("only functions return");
        let definition = self.functions.at(within.function).definition;
        let expr = &self.exprs[value];
        if fits_unsized(&definition.result, &expr.ty) {
            return Some(self.promote(value, element_of(&definition.result)));
        }
        let (span, ty) = (expr.span, expr.ty.clone());
        let declared = definition.result.span;
        let message = format!(
            "`{}` gives {}, and this value is {ty}",
            definition.name.name,
            self.own_signature(within.function).split(' ').next().unwrap_or_default()
        );
        self.diags
            .error(Code::TypeMismatch, span, message)
            .label(declared, "its type is declared here")
            .help("declare the function with the type of its value, or change the value");
        None
    }

    /// What holds the value of a function that returns in several places.
    pub(super) fn returned_symbol(&mut self, value: ExprId, span: Span) -> SymbolId {
        let ty = self.exprs[value].ty.clone();
        let facts =
            Facts { reads: 1, nested: true, ..Facts::new(self.reach_of_assigned(RETURNED)) };
        let name = Ident { name: RETURNED.to_string(), span };
        self.add_symbol(&name, SymbolKind::Temporary, ty, facts)
    }

    /// Errors inside a body are about the call that led there; what is said of any call was
    /// said at the definition.
    fn attribute(&mut self, first: usize, call: Span) {
        for mut item in self.diags.take_since(first) {
            match item.severity {
                Severity::Error => {
                    let inside = std::mem::replace(&mut item.labels[0].span, call);
                    item.label(inside, "here, in the function");
                    self.diags.push_again(item);
                }
                Severity::Warning if item.code == Code::RowOrder => {
                    item.labels[0].span = call;
                    self.diags.push_again(item);
                }
                Severity::Warning => {}
            }
        }
    }
}

/// Whole numbers or real ones.
fn element_of(ty: &UnsizedType) -> Element {
    if ty.base == BaseType::Int { Element::Int } else { Element::Real }
}
