//! Declarations of unknowns: types, sizes and constraints.

use super::names::Place;
use super::reach::Reach;
use super::statement::is_same_kind_but_element;
use super::typed::{Constraint, ExprId, Statement, SymbolId, SymbolKind};
use super::{Checker, Facts};
use crate::diagnostic::Code;
use crate::syntax::ast::{self, BaseType, Declaration, TypeExpr};
use crate::ty::{Level, Role, Size, Type};

impl Checker<'_> {
    /// `TYPE NAME;` or `TYPE NAME ~ DIST(…);` at the top of `global` or `local`.
    pub(super) fn check_unknown(
        &mut self,
        declaration: &Declaration,
        span: crate::source::Span,
    ) -> Vec<Statement> {
        let symbol = self.declare_unknown(declaration);
        let mut statements = vec![Statement::Unknown(symbol)];
        if let Some(call) = &declaration.distribution {
            statements.extend(self.check_declared_sample(symbol, call, span));
        }
        statements
    }

    fn declare_unknown(&mut self, declaration: &Declaration) -> SymbolId {
        let Declaration { ty, name, .. } = declaration;
        let role = if self.place == Place::Global { Role::Global } else { Role::Local };
        let checked = self.check_unknown_type(ty, &name.name);
        let constraint = self.check_constraint(ty, checked.as_ref());
        let position = self.unknowns(role).len();
        let level = if role == Role::Global { Level::Whole } else { Level::Branch };
        let kind = SymbolKind::Unknown {
            role,
            position,
            constraint: constraint.clone().unwrap_or(Constraint::None),
        };
        let failed = checked.is_none() || constraint.is_none();
        let facts = Facts::new(Reach { level, role, branch_data: false });
        let symbol = self.declare(name, kind, checked.unwrap_or_else(Type::real), facts);
        if failed {
            self.facts_mut(symbol).give_up();
        }
        self.unknowns(role).push(symbol);
        symbol
    }

    fn unknowns(&mut self, role: Role) -> &mut Vec<SymbolId> {
        if role == Role::Global { &mut self.globals } else { &mut self.locals }
    }

    fn check_unknown_type(&mut self, ty: &TypeExpr, name: &str) -> Option<Type> {
        if matches!(ty.base, BaseType::Int | BaseType::Index) {
            let message = format!("`{name}` is an unknown and cannot be a whole number");
            let span = self.type_span(ty);
            self.diags.error(Code::DiscreteUnknown, span, message).help(
                "inference moves along gradients: declare it `real`, or sum over the values it \
                 could have, as in `target += log_mix(p, a, b);`; an `int` with a value is \
                 derived: `int k = …;`",
            );
            return None;
        }
        let checked = self.check_type(ty)?;
        for (size, written) in checked.dims().iter().zip(ty.array.iter().chain(&ty.sizes)) {
            let span = self.ast.exprs[*written].span;
            if !self.check_unknown_size(size, span, name) {
                return None;
            }
            self.warn_unknown_per_row(*written, name);
        }
        Some(checked)
    }

    /// One element per row treats rows unequally: the k-th row has the k-th element.
    fn warn_unknown_per_row(&mut self, size: ast::ExprId, name: &str) {
        let ast = self.ast;
        let ast::Expr { kind, span } = &ast.exprs[size];
        let rows = self.schema.rows.as_ref().map(|rows| rows.name.as_str());
        if matches!(kind, ast::ExprKind::Name(written) if Some(written.as_str()) == rows) {
            self.warn_unequal_rows(*span, format!("`{name}` has one element for each row"));
        }
    }

    fn check_constraint(&mut self, ty: &TypeExpr, checked: Option<&Type>) -> Option<Constraint> {
        let word = ty.base.word();
        let constraint = match ty.base {
            BaseType::CholeskyFactorCorr => Constraint::CholeskyFactorCorr,
            BaseType::CovMatrix => Constraint::CovMatrix,
            BaseType::Simplex => Constraint::Simplex,
            BaseType::Ordered => Constraint::Ordered,
            BaseType::PositiveOrdered => Constraint::PositiveOrdered,
            _ => return self.check_bounds_of(ty, checked),
        };
        let span = self.type_span(ty);
        if ty.lower.is_some() || ty.upper.is_some() {
            let message = format!("a `{word}` takes no bounds");
            let help = format!("the constraint is in the word: leave the bounds of `{word}` out");
            self.diags.error(Code::Constraint, span, message).help(help);
            return None;
        }
        let is_empty = |ty: &Type| ty.dims().last().and_then(Size::as_constant) == Some(0);
        if checked.is_some_and(is_empty) {
            let message = match constraint {
                Constraint::Simplex => {
                    "a simplex has at least one element: its elements sum to one".to_string()
                }
                _ => format!("`{word}` has at least one element"),
            };
            let help = format!("declare it as `{word}[K]` with K from 1");
            self.diags.error(Code::SizeExpression, span, message).help(help);
            return None;
        }
        Some(constraint)
    }

    /// `<lower=…, upper=…>`
    fn check_bounds_of(&mut self, ty: &TypeExpr, checked: Option<&Type>) -> Option<Constraint> {
        let lower = self.check_bound(ty.lower, checked)?;
        let upper = self.check_bound(ty.upper, checked)?;
        Some(match (lower, upper) {
            (None, None) => Constraint::None,
            (Some(low), None) => Constraint::Lower(low),
            (None, Some(high)) => Constraint::Upper(high),
            (Some(low), Some(high)) => {
                self.check_interval_of(ty, low, high)?;
                Constraint::LowerUpper(low, high)
            }
        })
    }

    /// `None`: failed; `Some(None)`: not written.
    fn check_bound(
        &mut self,
        bound: Option<ast::ExprId>,
        checked: Option<&Type>,
    ) -> Option<Option<ExprId>> {
        let Some(bound) = bound else { return Some(None) };
        let typed = self.check_expr(bound)?;
        let (span, ty) = (self.exprs[typed].span, self.exprs[typed].ty.clone());
        if ty.is_scalar() {
            return Some(Some(typed));
        }
        let wanted = checked?;
        if is_same_kind_but_element(wanted, &ty) {
            for (left, right) in wanted.dims().iter().zip(&ty.dims()) {
                let help = "a bound is one number, or has one element for each";
                self.require_equal_or(left, right, [typed, typed], span, help)?;
            }
            return Some(Some(typed));
        }
        let message = match wanted.is_scalar() {
            true => format!("a bound is one number, and this is {ty}"),
            false => format!("a bound of {wanted} is one number or as many, and this is {ty}"),
        };
        let help = "bounds are data, numbers, or unknowns declared above";
        self.diags.error(Code::Constraint, span, message).help(help);
        None
    }

    fn check_interval_of(&mut self, ty: &TypeExpr, low: ExprId, high: ExprId) -> Option<()> {
        let (Some(a), Some(b)) = (self.constant_value(low), self.constant_value(high)) else {
            return Some(());
        };
        if a < b {
            return Some(());
        }
        let message = format!("nothing lies between the bounds {a} and {b}");
        let span = self.type_span(ty);
        self.diags.error(Code::Constraint, span, message).help("the lower bound is the smaller");
        None
    }
}
