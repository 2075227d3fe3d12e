//! Typing of expressions: one node at a time, operands first, with a stack of its own.

use super::Checker;
use super::reach::Reach;
use super::typed::{Expr, ExprId, ExprKind, SymbolId, SymbolKind, UnaryOp};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{self, Subscript};
use crate::ty::{Element, Level, Role, Shape, Size, Type};

/// What is left to do with a node of the tree.
enum Step {
    /// Its operands come first.
    Enter(ast::ExprId),
    /// Its operands are typed.
    Leave(ast::ExprId),
}

impl Checker<'_> {
    /// Types an expression where it stands. `None`: it failed, and that has been reported.
    pub(super) fn check_expr(&mut self, root: ast::ExprId) -> Option<ExprId> {
        let ast = self.ast;
        let mut steps = vec![Step::Enter(root)];
        while let Some(step) = steps.pop() {
            match step {
                Step::Enter(id) => {
                    self.typed[id.index()] = None;
                    if self.may_enter(id) {
                        steps.push(Step::Leave(id));
                        let first_operand = steps.len();
                        for_each_operand(&ast.exprs[id].kind, |operand| {
                            steps.push(Step::Enter(operand));
                        });
                        steps[first_operand..].reverse();
                    }
                }
                Step::Leave(id) => self.typed[id.index()] = self.check_node(id),
            }
        }
        self.typed[root.index()]
    }

    /// Types several expressions, all of them even if one fails.
    pub(super) fn check_exprs(&mut self, roots: &[ast::ExprId]) -> Option<Vec<ExprId>> {
        let typed: Vec<_> = roots.iter().map(|root| self.check_expr(*root)).collect();
        typed.into_iter().collect()
    }

    /// Refuses, before its operands are looked at, what is best explained as a whole.
    fn may_enter(&mut self, id: ast::ExprId) -> bool {
        let ast = self.ast;
        let expr = &ast.exprs[id];
        match &expr.kind {
            ast::ExprKind::Call { name, args, .. } if self.is_data_call(name, args) => {
                self.typed[id.index()] = self.check_data_call(name, args, expr.span);
                false
            }
            ast::ExprKind::Call { name, .. } => self.check_call_name(name),
            ast::ExprKind::Index { base, subscripts } => {
                self.check_no_branch_index(*base, subscripts)
            }
            ast::ExprKind::Conditional(..) => {
                let instead = "a comparison is 0 or 1: weigh both sides, as in \
                               `(y > 0) * a + (y <= 0) * b`";
                self.not_yet(expr.span, "`?:`", instead);
                self.give_up_on(id);
                false
            }
            _ => true,
        }
    }

    fn check_node(&mut self, id: ast::ExprId) -> Option<ExprId> {
        let ast = self.ast;
        let ast::Expr { kind, span } = &ast.exprs[id];
        let span = *span;
        match kind {
            ast::ExprKind::Int(value) => Some(self.int_literal(*value, span)),
            ast::ExprKind::Real(value) => {
                Some(self.push(ExprKind::Real(*value), Type::real(), &[], span))
            }
            ast::ExprKind::Name(name) => {
                let symbol = self.resolve(name, span)?;
                Some(self.symbol_expr(symbol, span))
            }
            ast::ExprKind::Member { table, column } => {
                let symbol = self.resolve(&format!("{}.{}", table.name, column.name), span)?;
                Some(self.symbol_expr(symbol, span))
            }
            ast::ExprKind::Unary(op, operand) => self.check_unary(*op, self.done(*operand)?, span),
            ast::ExprKind::Binary(op, left, right) => {
                self.check_binary(*op, self.done(*left)?, self.done(*right)?, span)
            }
            ast::ExprKind::Transpose(operand) => self.check_transpose(self.done(*operand)?, span),
            ast::ExprKind::Call { name, args, bar } => {
                let args = self.all_done(args)?;
                self.check_call(name, args, *bar, span)
            }
            ast::ExprKind::Index { base, subscripts } => {
                self.check_index(self.done(*base)?, subscripts, span)
            }
            ast::ExprKind::RowVector(elements) => {
                let elements = self.all_done(elements)?;
                self.check_row_vector(elements, span)
            }
            ast::ExprKind::Array(elements) => {
                let elements = self.all_done(elements)?;
                self.check_array(elements, span)
            }
            ast::ExprKind::Conditional(..) => None,
        }
    }

    /// The typed form of an operand.
    pub(super) fn done(&self, operand: ast::ExprId) -> Option<ExprId> {
        self.typed[operand.index()]
    }

    fn all_done(&self, operands: &[ast::ExprId]) -> Option<Vec<ExprId>> {
        operands.iter().map(|operand| self.done(*operand)).collect()
    }

    /// Adds an expression whose level and role are those of its operands.
    pub(super) fn push(
        &mut self,
        kind: ExprKind,
        ty: Type,
        operands: &[ExprId],
        span: Span,
    ) -> ExprId {
        let (level, role) = self.join(operands);
        self.exprs.push(Expr { kind, ty, level, role, span })
    }

    pub(super) fn int_literal(&mut self, value: i64, span: Span) -> ExprId {
        self.push(ExprKind::Int(value), Type::int(), &[], span)
    }

    /// A name as an expression.
    pub(super) fn symbol_expr(&mut self, symbol: SymbolId, span: Span) -> ExprId {
        let ty = self.symbols[symbol].ty.clone();
        let Reach { level, role, .. } = self.facts(symbol).reach;
        self.exprs.push(Expr { kind: ExprKind::Symbol(symbol), ty, level, role, span })
    }

    /// The level and role of something that reads all of these.
    pub(super) fn join(&self, exprs: &[ExprId]) -> (Level, Role) {
        exprs
            .iter()
            .map(|expr| &self.exprs[*expr])
            .fold((Level::Whole, Role::Data), |(level, role), expr| {
                (level.max(expr.level), role.max(expr.role))
            })
    }

    fn check_row_vector(&mut self, elements: Vec<ExprId>, span: Span) -> Option<ExprId> {
        let count = Size::constant(elements.len() as i64);
        let Some(first) = elements.first() else {
            self.diags
                .error(Code::BadType, span, "a vector literal needs at least one element")
                .help("`[x]` has one element");
            return None;
        };
        let first_ty = self.exprs[*first].ty.clone();
        let is_row = |ty: &Type| ty.array.is_empty() && matches!(ty.shape, Shape::RowVector(_));
        let shape = match &first_ty.shape {
            Shape::RowVector(n) if is_row(&first_ty) => Shape::Matrix(count, n.clone()),
            _ => Shape::RowVector(count),
        };
        for element in &elements {
            let ty = self.exprs[*element].ty.clone();
            if is_row(&first_ty) && is_row(&ty) {
                let (left, right) = (&first_ty.dims()[0], &ty.dims()[0]);
                self.require_equal(left, right, *first, *element, span)?;
            } else if !(first_ty.is_scalar() && ty.is_scalar()) {
                self.report_mixed_elements(*element, &ty);
                return None;
            }
        }
        Some(self.push(
            ExprKind::RowVector(elements.clone()),
            Type::of_shape(shape),
            &elements,
            span,
        ))
    }

    fn report_mixed_elements(&mut self, element: ExprId, ty: &Type) {
        let span = self.exprs[element].span;
        self.diags
            .error(
                Code::BadType,
                span,
                format!("an element of `[…]` is a number or a row vector, and this is {ty}"),
            )
            .help(
                "`[a, b]` of numbers is a row vector, `[a, b]'` a vector, \
                 `[[a, b], [c, d]]` a matrix",
            );
    }

    fn check_array(&mut self, elements: Vec<ExprId>, span: Span) -> Option<ExprId> {
        if elements.is_empty() {
            self.diags.error(Code::BadType, span, "an array literal needs at least one element");
            return None;
        }
        if let Some(container) = elements.iter().find(|e| !self.exprs[**e].ty.is_scalar()) {
            let span = self.exprs[*container].span;
            self.not_yet(span, "arrays of containers", "declare one name for each of them");
            return None;
        }
        let element = elements.iter().map(|e| self.exprs[*e].ty.element).max()?;
        let count = Size::constant(elements.len() as i64);
        let ty = Type { array: vec![count], shape: Shape::Scalar, element };
        Some(self.push(ExprKind::Array(elements.clone()), ty, &elements, span))
    }

    fn check_transpose(&mut self, operand: ExprId, span: Span) -> Option<ExprId> {
        let ty = &self.exprs[operand].ty;
        let shape = match &ty.shape {
            Shape::Vector(n) => Shape::RowVector(n.clone()),
            Shape::RowVector(n) => Shape::Vector(n.clone()),
            Shape::Matrix(rows, columns) => Shape::Matrix(columns.clone(), rows.clone()),
            Shape::Scalar => Shape::Scalar,
        };
        if !ty.array.is_empty() || shape == Shape::Scalar {
            let message = format!("`'` transposes vectors and matrices, and this is {ty}");
            self.diags.error(Code::Operands, span, message);
            return None;
        }
        Some(self.push(ExprKind::Transpose(operand), Type::of_shape(shape), &[operand], span))
    }

    fn check_unary(&mut self, op: UnaryOp, operand: ExprId, span: Span) -> Option<ExprId> {
        let ty = self.exprs[operand].ty.clone();
        let fits = match op {
            UnaryOp::Not => ty.is_scalar(),
            UnaryOp::Negate | UnaryOp::Plus => ty.array.is_empty(),
        };
        if !fits {
            let symbol = op.symbol();
            self.diags
                .error(Code::Operands, span, format!("`{symbol}` does not apply to {ty}"))
                .help(array_help(&ty));
            return None;
        }
        let ty = if op == UnaryOp::Not { Type::int() } else { ty };
        Some(self.push(ExprKind::Unary(op, operand), ty, &[operand], span))
    }

    /// `log_lik` is per row, and the row count is called so.
    pub(super) fn is_per_row(&self, ty: &Type) -> bool {
        ty.dims().first().is_some_and(|size| self.is_row_count(size))
    }

    /// Whether a size is exactly the number of rows.
    pub(super) fn is_row_count(&self, size: &Size) -> bool {
        self.row_count().is_some_and(|rows| rows == *size)
    }

    /// The symbol that an expression names, if it is nothing but a name.
    pub(super) fn named_symbol(&self, expr: ExprId) -> Option<SymbolId> {
        match self.exprs[expr].kind {
            ExprKind::Symbol(symbol) => Some(symbol),
            _ => None,
        }
    }

    pub(super) fn is_unknown(&self, symbol: SymbolId) -> bool {
        matches!(self.symbols[symbol].kind, SymbolKind::Unknown { .. })
    }

    /// Whether an expression is a whole number in one piece.
    pub(super) fn is_int(&self, expr: ExprId) -> bool {
        let ty = &self.exprs[expr].ty;
        ty.is_scalar() && ty.element == Element::Int
    }
}

/// What to do about arithmetic on a container that has none.
fn array_help(ty: &Type) -> &'static str {
    if ty.array.is_empty() {
        "take one element: `x[i]`"
    } else {
        "arrays have no arithmetic: declare it as a `vector`, or loop over its elements"
    }
}

/// Calls `visit` with each operand, in the order they are written.
pub(super) fn for_each_operand(kind: &ast::ExprKind, mut visit: impl FnMut(ast::ExprId)) {
    match kind {
        ast::ExprKind::Int(_)
        | ast::ExprKind::Real(_)
        | ast::ExprKind::Name(_)
        | ast::ExprKind::Member { .. } => {}
        ast::ExprKind::Unary(_, operand) | ast::ExprKind::Transpose(operand) => visit(*operand),
        ast::ExprKind::Binary(_, left, right) => [left, right].into_iter().for_each(|e| visit(*e)),
        ast::ExprKind::Conditional(c, a, b) => [c, a, b].into_iter().for_each(|e| visit(*e)),
        ast::ExprKind::Call { args: operands, .. }
        | ast::ExprKind::RowVector(operands)
        | ast::ExprKind::Array(operands) => operands.iter().for_each(|e| visit(*e)),
        ast::ExprKind::Index { base, subscripts } => {
            visit(*base);
            subscripts.iter().flat_map(subscript_operands).for_each(visit);
        }
    }
}

/// The expressions inside one subscript.
pub(super) fn subscript_operands(subscript: &Subscript) -> impl Iterator<Item = ast::ExprId> {
    let (first, second) = match subscript {
        Subscript::At(index) => (Some(*index), None),
        Subscript::Range(from, to) => (*from, *to),
    };
    first.into_iter().chain(second)
}
