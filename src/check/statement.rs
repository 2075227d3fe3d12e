//! Statements of `global` and `local`: declarations, assignments, blocks.

use super::Checker;
use super::Facts;
use super::names::Place;
use super::subscript::indexed_type;
use super::typed::{ExprId, Statement, SymbolId, SymbolKind};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{self, BaseType, Declaration, StatementKind};
use crate::ty::{Element, Role, Shape, Size, Type};

/// Blocks in blocks, those of called functions included; the walk recurses over these.
const MAX_STATEMENT_DEPTH: usize = 300;

impl Checker<'_> {
    /// The statements of `global` or `local`.
    pub(super) fn check_block(&mut self, place: Place) -> Vec<Statement> {
        let ast = self.ast;
        let block = if place == Place::Global { &ast.global } else { &ast.local };
        self.place = place;
        self.assigned = self.assigned_names(place, &block.statements);
        self.check_statement_list(&block.statements)
    }

    pub(super) fn check_statement_list(&mut self, list: &[ast::Statement]) -> Vec<Statement> {
        let mut statements = Vec::with_capacity(list.len());
        for statement in list {
            statements.extend(self.check_statement(statement));
        }
        statements
    }

    fn check_statement(&mut self, statement: &ast::Statement) -> Vec<Statement> {
        if self.statement_depth >= MAX_STATEMENT_DEPTH {
            let message = format!("statements nest more than {MAX_STATEMENT_DEPTH} deep");
            let help = "functions that are called count too: take one level out of its place";
            self.diags.error(Code::Nesting, statement.span, message).help(help);
            return Vec::new();
        }
        self.statement_depth += 1;
        let checked = self.check_statement_inside(statement);
        self.statement_depth -= 1;
        checked
    }

    fn check_statement_inside(&mut self, statement: &ast::Statement) -> Vec<Statement> {
        let span = statement.span;
        let one = match &statement.kind {
            StatementKind::Declare(declaration) => {
                return self.check_declaration(declaration, span);
            }
            StatementKind::Sample { lhs, distribution } => {
                self.check_sample(*lhs, distribution, span)
            }
            StatementKind::Target(value) => self.check_target(*value, span),
            StatementKind::Assign { place, operator, value } => {
                self.check_assign(place, *operator, *value, span)
            }
            StatementKind::For { name, from, to, body } => self.check_for(name, [*from, *to], body),
            StatementKind::ForEach { name, over, body } => self.check_for_each(name, *over, body),
            StatementKind::If { condition, then, otherwise } => {
                self.check_if(*condition, then, otherwise.as_deref())
            }
            StatementKind::Return(_) => {
                self.report_return_outside(span);
                None
            }
            StatementKind::Block(list) => {
                self.names.open_scope();
                let statements = self.check_statement_list(list);
                self.names.close_scope();
                Some(Statement::Block(statements))
            }
        };
        one.into_iter().collect()
    }

    fn check_declaration(&mut self, declaration: &Declaration, span: Span) -> Vec<Statement> {
        let nested = self.names.is_nested();
        match (&declaration.value, &declaration.distribution) {
            (None, Some(call)) if nested => {
                self.report_nested_unknown(declaration, call.name.span);
                Vec::new()
            }
            (None, _) if !nested => self.check_unknown(declaration, span),
            _ => self.check_derived(declaration, nested),
        }
    }

    fn report_nested_unknown(&mut self, declaration: &Declaration, span: Span) {
        let name = &declaration.name.name;
        let message = format!("`{name}` is declared inside a block, where only temporaries are");
        let help = "declare unknowns at the top of `global` or `local`, as a `vector` if there \
                    are several";
        self.diags.error(Code::SampleLeft, span, message).help(help);
        self.declare_broken(declaration);
    }

    fn declare_broken(&mut self, declaration: &Declaration) {
        let facts = Facts::new(self.reach_of_assigned(&declaration.name.name));
        let symbol = self.declare(&declaration.name, SymbolKind::Temporary, Type::real(), facts);
        self.facts_mut(symbol).give_up();
        let args = declaration.distribution.iter().flat_map(|call| &call.args);
        for root in args.chain(&declaration.value) {
            self.give_up_on(*root);
        }
    }

    /// A derived quantity at the top, or a temporary.
    fn check_derived(&mut self, declaration: &Declaration, nested: bool) -> Vec<Statement> {
        let Declaration { name, value, .. } = declaration;
        let checked = self.check_derived_type(declaration);
        let value = value.and_then(|value| {
            let typed = self.check_expr(value);
            if typed.is_none() {
                self.give_up_on(value);
            }
            typed
        });
        let saved = checked.as_ref().is_some_and(|ty| !ty.dims().iter().any(Size::depends_on_rows));
        let block = if self.place == Place::Global { Role::Global } else { Role::Local };
        let kind =
            if nested { SymbolKind::Temporary } else { SymbolKind::Derived { block, saved } };
        let facts = Facts { nested, ..Facts::new(self.reach_of_assigned(&name.name)) };
        let failed = checked.is_none() || (value.is_none() && declaration.value.is_some());
        let symbol = self.declare(name, kind, checked.unwrap_or_else(Type::real), facts);
        let fits = value
            .is_none_or(|value| failed || self.require_assignable(symbol, &[], value).is_some());
        if failed {
            self.facts_mut(symbol).give_up();
        } else if let Some(value) = value {
            self.note_value(symbol, value);
            self.note_number(symbol, value);
        }
        let value = value.map(|value| self.promote(value, self.symbols[symbol].ty.element));
        debug_assert!(fits || self.diags.has_errors(), "a misfit is reported");
        vec![Statement::Declare { symbol, value }]
    }

    fn check_derived_type(&mut self, declaration: &Declaration) -> Option<Type> {
        let ty = &declaration.ty;
        let name = &declaration.name.name;
        let plain = match ty.base {
            BaseType::CholeskyFactorCorr | BaseType::CovMatrix => Some("matrix[K, K]"),
            BaseType::Simplex | BaseType::Ordered | BaseType::PositiveOrdered => Some("vector[K]"),
            BaseType::Index => Some("int"),
            _ => None,
        };
        if let Some(plain) = plain {
            let message = format!("`{name}` is derived and has no constraint");
            let span = self.type_span(ty);
            let diagnostic = self.diags.error(Code::Constraint, span, message);
            diagnostic.help(format!("declare it as `{plain}`"));
            return None;
        }
        let checked = self.check_type(ty);
        if let Some(bound) = ty.lower.or(ty.upper) {
            let span = self.ast.exprs[bound].span;
            let message = format!("`{name}` is derived, and a bound on it would not be kept");
            let diagnostic = self.diags.error(Code::Constraint, span, message);
            diagnostic.help("leave the bound out: the value follows from its definition");
            return None;
        }
        checked
    }

    /// What later statements must know of the value of an assignable name.
    pub(super) fn note_value(&mut self, symbol: SymbolId, value: ExprId) {
        let nonlinear = self.is_nonlinear(value);
        let discontinuous = self.find_jump(value).is_some();
        let facts = self.facts_mut(symbol);
        facts.nonlinear |= nonlinear;
        facts.discontinuous |= discontinuous;
    }

    /// A whole number that is never assigned again can size things and bound loops.
    fn note_number(&mut self, symbol: SymbolId, value: ExprId) {
        let ty = &self.symbols[symbol].ty;
        let is_int = ty.is_scalar() && ty.element == Element::Int;
        if is_int && self.is_fixed(&self.symbols[symbol].name) {
            self.facts_mut(symbol).linear = self.linear(value);
        }
    }

    /// Whether `value` can become `symbol` or the part of it that `subscripts` pick.
    pub(super) fn require_assignable(
        &mut self,
        symbol: SymbolId,
        subscripts: &[Option<ExprId>],
        value: ExprId,
    ) -> Option<()> {
        let wanted = indexed_type(&self.symbols[symbol].ty, subscripts);
        self.require_fits(symbol, &wanted, value)
    }

    /// Whether `value` has the type that a part of `symbol` has.
    pub(super) fn require_fits(
        &mut self,
        symbol: SymbolId,
        wanted: &Type,
        value: ExprId,
    ) -> Option<()> {
        let found = self.exprs[value].ty.clone();
        if !is_same_kind(wanted, &found) {
            self.report_type(symbol, wanted, value, &found);
            return None;
        }
        let target = self.symbol_expr(symbol, self.symbols[symbol].span);
        let span = self.exprs[value].span;
        for (left, right) in wanted.dims().iter().zip(&found.dims()) {
            self.require_equal(left, right, target, value, span)?;
        }
        Some(())
    }

    fn report_type(&mut self, symbol: SymbolId, wanted: &Type, value: ExprId, found: &Type) {
        let (name, declared) = (self.symbols[symbol].name.clone(), self.symbols[symbol].span);
        let span = self.exprs[value].span;
        let per_row = wanted.is_scalar() && self.is_per_row(found);
        let code = if per_row { Code::PerRowValue } else { Code::TypeMismatch };
        let what = if self.symbols[symbol].ty == *wanted {
            format!("`{name}` is {wanted}")
        } else {
            format!("this part of `{name}` is {wanted}")
        };
        let diagnostic = self.diags.error(code, span, format!("{what}, and the value is {found}"));
        diagnostic.label(declared, format!("`{name}` is declared here"));
        let help = if per_row {
            format!(
                "for one value per branch take `sum(…)` or `mean(…)`; for one per row declare \
                 `{found} {name}`"
            )
        } else {
            type_help(wanted, found).to_string()
        };
        if !help.is_empty() {
            diagnostic.help(help);
        }
    }
}

/// Equal but for sizes; whole numbers are also real.
fn is_same_kind(wanted: &Type, found: &Type) -> bool {
    is_same_kind_but_element(wanted, found) && found.element <= wanted.element
}

/// Equal but for sizes, and for whole numbers against real ones.
pub(super) fn is_same_kind_but_element(left: &Type, right: &Type) -> bool {
    let same_shape = std::mem::discriminant(&left.shape) == std::mem::discriminant(&right.shape);
    left.array.len() == right.array.len() && same_shape
}

fn type_help(wanted: &Type, found: &Type) -> &'static str {
    match (&wanted.shape, &found.shape) {
        (Shape::Vector(_), Shape::RowVector(_)) | (Shape::RowVector(_), Shape::Vector(_)) => {
            "`'` turns a row vector into a vector and back: `[a, b]'` is a vector"
        }
        (Shape::Scalar, Shape::Scalar) if wanted.element == Element::Int => {
            "a real number does not become whole by itself: declare it `real`"
        }
        (Shape::Vector(_), Shape::Scalar) if found.array.is_empty() => {
            "one number does not fill a vector by itself: list its elements, `[a, b]'`, or \
             assign them in a loop, `for (k in 1:K) v[k] = x;`"
        }
        _ => "",
    }
}
