//! Typing of expressions: one node at a time, operands first, with a stack of its own.

use super::Checker;
use super::flow::for_each_typed_operand;
use super::reach::Reach;
use super::typed::{BinaryOp, Expr, ExprId, ExprKind, SymbolId, SymbolKind, UnaryOp};
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
    /// What follows is computed only where a condition lets it.
    Guard,
    /// The end of that.
    Unguard,
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
                        push_operands(&ast.exprs[id].kind, &mut steps);
                    }
                }
                Step::Guard => self.guards += 1,
                Step::Unguard => self.guards -= 1,
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
            ast::ExprKind::Call { name, args, .. } if self.is_observed_call(name) => {
                self.typed[id.index()] = self.check_observed(name, args, expr.span);
                false
            }
            ast::ExprKind::Call { name, args, .. } if self.is_data_call(name, args) => {
                self.typed[id.index()] = self.check_data_call(name, args, expr.span);
                false
            }
            ast::ExprKind::Call { name, .. } => self.check_call_name(name),
            ast::ExprKind::Index { base, subscripts } => {
                self.check_no_branch_index(*base, subscripts)
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
                Some(self.named(symbol, span))
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
            ast::ExprKind::Conditional(condition, then, otherwise) => {
                let parts = self.all_done(&[*condition, *then, *otherwise])?;
                self.check_conditional([parts[0], parts[1], parts[2]], span)
            }
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
        self.add_expr(Expr { kind, ty, level, role, span })
    }

    /// Stores an expression, with how deep conditions nest in it.
    pub(super) fn add_expr(&mut self, expr: Expr) -> ExprId {
        let mut depth = 0;
        for_each_typed_operand(&expr.kind, |operand| depth = depth.max(self.depth_of(operand)));
        depth = match &expr.kind {
            ExprKind::Conditional(..) => depth.saturating_add(1),
            ExprKind::Binary(BinaryOp::And | BinaryOp::Or, left, right) => {
                self.depth_of(*left).max(self.depth_of(*right).saturating_add(1))
            }
            _ => depth,
        };
        self.depth.push(depth);
        self.exprs.push(expr)
    }

    fn depth_of(&self, expr: ExprId) -> u16 {
        self.depth[expr.index()]
    }

    pub(super) fn int_literal(&mut self, value: i64, span: Span) -> ExprId {
        self.push(ExprKind::Int(value), Type::int(), &[], span)
    }

    /// A name as an expression.
    pub(super) fn symbol_expr(&mut self, symbol: SymbolId, span: Span) -> ExprId {
        let ty = self.symbols[symbol].ty.clone();
        let Reach { level, role, .. } = self.facts(symbol).reach;
        self.add_expr(Expr { kind: ExprKind::Symbol(symbol), ty, level, role, span })
    }

    /// What a name means as an expression: the element of a container that is gone through,
    /// or a symbol.
    fn named(&mut self, symbol: SymbolId, span: Span) -> ExprId {
        let Some(alias) = self.facts(symbol).alias else { return self.symbol_expr(symbol, span) };
        if let Some(base) = self.base_symbol(alias) {
            self.note_missing_read(base, span);
        }
        let element = self.exprs[alias].clone();
        self.add_expr(Expr { span, ..element })
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

/// What is to be done for the operands of a node, the first one last.
fn push_operands(kind: &ast::ExprKind, steps: &mut Vec<Step>) {
    let first = steps.len();
    match kind {
        ast::ExprKind::Conditional(condition, then, otherwise) => {
            let guarded = [Step::Guard, Step::Enter(*then), Step::Enter(*otherwise)];
            steps.push(Step::Enter(*condition));
            steps.extend(guarded);
            steps.push(Step::Unguard);
        }
        ast::ExprKind::Binary(BinaryOp::And | BinaryOp::Or, left, right) => {
            steps.extend([Step::Enter(*left), Step::Guard, Step::Enter(*right), Step::Unguard]);
        }
        kind => for_each_operand(kind, |operand| steps.push(Step::Enter(operand))),
    }
    steps[first..].reverse();
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
