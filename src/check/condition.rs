//! Conditions: `if`/`else`, and `c ? a : b`.

use super::Checker;
use super::statement::is_same_kind_but_element;
use super::typed::{ExprId, ExprKind, Statement, SymbolId};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast;
use crate::ty::{Role, Type};

/// Conditions inside conditions, in one expression; later stages recurse over these.
const MAX_DEPTH: u16 = 256;

impl Checker<'_> {
    /// `if (condition) then else otherwise`
    pub(super) fn check_if(
        &mut self,
        condition: ast::ExprId,
        then: &ast::Statement,
        otherwise: Option<&ast::Statement>,
    ) -> Option<Statement> {
        let typed = self.check_condition(condition);
        let before = self.given.len();
        let then_side = self.check_side(typed, std::slice::from_ref(then));
        let given = self.forget_given(before);
        let other_side = otherwise
            .map(|otherwise| self.check_side(typed, std::slice::from_ref(otherwise)))
            .unwrap_or_default();
        self.recall_given(given);
        let condition = typed?;
        self.warn_condition(condition, &[&then_side, &other_side]);
        Some(Statement::If { condition, then: then_side, otherwise: other_side })
    }

    /// The statements of one side, in a scope of their own.
    fn check_side(&mut self, condition: Option<ExprId>, list: &[ast::Statement]) -> Vec<Statement> {
        self.names.open_scope();
        self.conditions.extend(condition);
        self.guards += 1;
        let statements = self.check_statement_list(list);
        self.guards -= 1;
        self.conditions.truncate(self.conditions.len() - usize::from(condition.is_some()));
        self.names.close_scope();
        statements
    }

    /// The condition of an `if`: a scalar.
    pub(super) fn check_condition(&mut self, condition: ast::ExprId) -> Option<ExprId> {
        let typed = self.check_expr(condition);
        if typed.is_none() {
            self.give_up_on(condition);
        }
        let typed = typed?;
        self.require_scalar_condition(typed)?;
        Some(typed)
    }

    fn require_scalar_condition(&mut self, condition: ExprId) -> Option<()> {
        let expr = &self.exprs[condition];
        let (span, ty) = (expr.span, expr.ty.clone());
        if ty.is_scalar() {
            return Some(());
        }
        let code = if self.is_per_row(&ty) { Code::PerRowValue } else { Code::TypeMismatch };
        let message = format!("a condition is one number, and this is {ty}");
        self.diags
            .error(code, span, message)
            .help("decide element by element in a loop: `for (n in 1:N) if (x[n] > 0) …`");
        None
    }

    /// A condition on an unknown leaves a kink or a jump in the density. Where it decides only
    /// what is assigned, the names that are assigned carry that to the terms that read them.
    pub(super) fn warn_condition(&mut self, condition: ExprId, sides: &[&Vec<Statement>]) {
        if self.exprs[condition].role == Role::Data {
            return;
        }
        if sides.iter().any(|side| has_term(side)) {
            self.warn_kink(condition);
        }
        for symbol in sides.iter().flat_map(|side| assigned_symbols(side)) {
            self.facts_mut(symbol).discontinuous = true;
            self.facts_mut(symbol).nonlinear = true;
        }
    }

    /// Warns that terms of the density depend on an unknown through a condition.
    fn warn_kink(&mut self, condition: ExprId) {
        let span = self.exprs[condition].span;
        let text = self.text(span);
        let message =
            format!("`{text}` decides by an unknown: the density has a jump or a kink there");
        self.diags
            .warning(Code::Discontinuous, span, message)
            .help("decide by data alone, or sum over the cases with `log_mix` or `log_sum_exp`");
    }

    /// `c ? a : b`
    pub(super) fn check_conditional(
        &mut self,
        [condition, then, otherwise]: [ExprId; 3],
        span: Span,
    ) -> Option<ExprId> {
        self.require_scalar_condition(condition)?;
        let (left, right) = (self.exprs[then].ty.clone(), self.exprs[otherwise].ty.clone());
        if !is_same_kind_but_element(&left, &right) {
            self.report_sides(then, otherwise, span);
            return None;
        }
        for (a, b) in left.dims().iter().zip(&right.dims()) {
            let help = "the two values of `? :` have one size, whichever is taken";
            self.require_equal_or(a, b, [then, otherwise], span, help)?;
        }
        let ty = Type { element: left.element.max(right.element), ..left };
        let (then, otherwise) =
            (self.promote(then, ty.element), self.promote(otherwise, ty.element));
        let operands = [condition, then, otherwise];
        let kind = ExprKind::Conditional(condition, then, otherwise);
        let id = self.push(kind, ty, &operands, span);
        self.require_shallow(id)?;
        Some(id)
    }

    fn report_sides(&mut self, then: ExprId, otherwise: ExprId, span: Span) {
        let (then, otherwise) = (&self.exprs[then], &self.exprs[otherwise]);
        let (then_ty, other_ty) = (then.ty.clone(), otherwise.ty.clone());
        let (then_span, other_span) = (then.span, otherwise.span);
        let message = format!("the two values of `? :` differ in type: {then_ty} and {other_ty}");
        self.diags
            .error(Code::TypeMismatch, span, message)
            .label(then_span, format!("this is {then_ty}"))
            .label(other_span, format!("this is {other_ty}"))
            .help("both have one type, whichever is taken: `rep_vector(a, n)` makes a vector");
    }

    /// Later stages recurse over conditions inside conditions.
    pub(super) fn require_shallow(&mut self, id: ExprId) -> Option<()> {
        if self.depth[id.index()] <= MAX_DEPTH {
            return Some(());
        }
        if self.depth[id.index()] == MAX_DEPTH + 1 {
            let span = self.exprs[id].span;
            let message = format!("conditions nest more than {MAX_DEPTH} deep");
            let help = "name the inner ones in declarations of their own, or look the values up \
                        in a table: `vector[K] v = …; v[k]`";
            self.diags.error(Code::Nesting, span, message).help(help);
        }
        None
    }
}

/// Whether statements add to the density.
fn has_term(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| match statement {
        Statement::Sample { .. } | Statement::Target { .. } => true,
        Statement::For { body, .. } | Statement::Block(body) => has_term(body),
        Statement::If { then, otherwise, .. } => has_term(then) || has_term(otherwise),
        Statement::Unknown(_) | Statement::Declare { .. } | Statement::Assign { .. } => false,
    })
}

/// Every symbol that statements assign.
fn assigned_symbols(statements: &[Statement]) -> Vec<SymbolId> {
    let mut found = Vec::new();
    for statement in statements {
        match statement {
            Statement::Assign { symbol, .. } => found.push(*symbol),
            Statement::For { body, .. } | Statement::Block(body) => {
                found.extend(assigned_symbols(body));
            }
            Statement::If { then, otherwise, .. } => {
                found.extend(assigned_symbols(then));
                found.extend(assigned_symbols(otherwise));
            }
            Statement::Unknown(_)
            | Statement::Declare { .. }
            | Statement::Sample { .. }
            | Statement::Target { .. } => {}
        }
    }
    found
}
