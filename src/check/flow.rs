//! Walks over typed and untyped expressions: their parts, what an outcome is made of, where
//! they are not linear and where they jump.

use super::Checker;
use super::expr::for_each_operand;
use super::typed::{BinaryOp, ExprId, ExprKind, SymbolId, UnaryOp};
use crate::syntax::ast::{self, Ast};
use crate::ty::Role;

/// Functions that read the size of their argument and not its value.
pub(super) fn reads_size_only(function: &str) -> bool {
    matches!(function, "size" | "rows" | "cols" | "num_elements")
}

/// Calls `visit` with every name in an expression.
pub(super) fn for_each_name(ast: &Ast, root: ast::ExprId, mut visit: impl FnMut(&str)) {
    let mut rest = vec![root];
    while let Some(id) = rest.pop() {
        match &ast.exprs[id].kind {
            ast::ExprKind::Name(name) => visit(name),
            ast::ExprKind::Member { table, column } => {
                visit(&format!("{}.{}", table.name, column.name));
            }
            kind => for_each_operand(kind, |operand| rest.push(operand)),
        }
    }
}

/// Calls `visit` with each operand of a typed expression.
pub(crate) fn for_each_typed_operand(kind: &ExprKind, mut visit: impl FnMut(ExprId)) {
    match kind {
        ExprKind::Int(_) | ExprKind::Real(_) | ExprKind::Symbol(_) | ExprKind::Column(_) => {}
        ExprKind::Unary(_, operand)
        | ExprKind::Transpose(operand)
        | ExprKind::Slice(operand, ..) => visit(*operand),
        ExprKind::Binary(_, left, right) | ExprKind::Gather(left, _, right) => {
            [left, right].into_iter().for_each(|e| visit(*e));
        }
        ExprKind::Conditional(c, a, b) => [c, a, b].into_iter().for_each(|e| visit(*e)),
        ExprKind::Inline(_, value) => visit(*value),
        ExprKind::Call(_, operands)
        | ExprKind::LogDensity(_, operands)
        | ExprKind::Cumulative(_, _, operands)
        | ExprKind::Random(_, operands)
        | ExprKind::RowVector(operands)
        | ExprKind::Array(operands) => operands.iter().for_each(|e| visit(*e)),
        ExprKind::Index(base, subscripts) => {
            visit(*base);
            subscripts.iter().flatten().for_each(|e| visit(*e));
        }
    }
}

impl Checker<'_> {
    /// All parts of a typed expression, operands before users.
    pub(super) fn parts(&self, root: ExprId) -> Vec<ExprId> {
        let mut found = Vec::new();
        let mut rest = vec![root];
        while let Some(id) = rest.pop() {
            found.push(id);
            for_each_typed_operand(&self.exprs[id].kind, |operand| rest.push(operand));
        }
        found.reverse();
        found
    }

    /// The symbols whose values an outcome is made of; those in subscripts only choose.
    pub(super) fn outcome_symbols(&self, root: ExprId) -> Vec<SymbolId> {
        let mut found = Vec::new();
        let mut rest = vec![root];
        while let Some(id) = rest.pop() {
            match &self.exprs[id].kind {
                ExprKind::Symbol(symbol) => found.push(*symbol),
                ExprKind::Index(base, _)
                | ExprKind::Slice(base, ..)
                | ExprKind::Gather(base, ..) => rest.push(*base),
                ExprKind::Conditional(_, then, otherwise) => rest.extend([*then, *otherwise]),
                kind => for_each_typed_operand(kind, |operand| rest.push(operand)),
            }
        }
        found
    }

    /// What is indexed, sliced or gathered from, in the end.
    pub(super) fn base_of(&self, mut expr: ExprId) -> ExprId {
        loop {
            match self.exprs[expr].kind {
                ExprKind::Index(base, _)
                | ExprKind::Slice(base, ..)
                | ExprKind::Gather(base, ..) => expr = base,
                _ => return expr,
            }
        }
    }

    /// The name that an expression is, or an element or slice of.
    pub(super) fn base_symbol(&self, expr: ExprId) -> Option<SymbolId> {
        self.named_symbol(self.base_of(expr))
    }

    /// Whether an expression is other than linear in the unknowns, with data as coefficients.
    pub(super) fn is_nonlinear(&self, root: ExprId) -> bool {
        self.parts(root).into_iter().any(|id| self.is_nonlinear_step(id))
    }

    fn is_nonlinear_step(&self, id: ExprId) -> bool {
        let expr = &self.exprs[id];
        let moves = |operand: &ExprId| self.exprs[*operand].role > Role::Data;
        match &expr.kind {
            ExprKind::Symbol(symbol) => self.facts(*symbol).nonlinear,
            _ if expr.role == Role::Data => false,
            ExprKind::Binary(BinaryOp::Add | BinaryOp::Subtract, ..) => false,
            ExprKind::Binary(BinaryOp::Multiply | BinaryOp::ElementMultiply, left, right) => {
                moves(left) && moves(right)
            }
            ExprKind::Binary(BinaryOp::Divide | BinaryOp::ElementDivide, _, right) => moves(right),
            ExprKind::Binary(..) | ExprKind::Unary(UnaryOp::Not, _) => true,
            ExprKind::Call(function, _) => !is_linear_function(function.name),
            ExprKind::LogDensity(..) | ExprKind::Cumulative(..) | ExprKind::Random(..) => true,
            ExprKind::Conditional(condition, ..) => moves(condition),
            _ => false,
        }
    }

    /// The first part of an expression that jumps where an unknown moves, or that decides by
    /// an unknown.
    pub(super) fn find_jump(&self, root: ExprId) -> Option<ExprId> {
        let mut found = None;
        let mut rest = vec![root];
        while let Some(id) = rest.pop() {
            if self.jumps(id) {
                found = Some(id);
            }
            if !matches!(self.exprs[id].kind, ExprKind::Inline(..)) {
                for_each_typed_operand(&self.exprs[id].kind, |operand| rest.push(operand));
            }
        }
        found
    }

    fn jumps(&self, id: ExprId) -> bool {
        let expr = &self.exprs[id];
        expr.role > Role::Data
            && match &expr.kind {
                ExprKind::Symbol(symbol) => self.facts(*symbol).discontinuous,
                ExprKind::Binary(op, ..) => is_comparison(*op),
                ExprKind::Unary(op, _) => *op == UnaryOp::Not,
                ExprKind::Call(function, _) => function.is_discontinuous,
                ExprKind::Inline(..) => self.inlined.get(&id).is_some_and(|inlined| inlined.jumps),
                _ => false,
            }
    }

    /// Keeps everything that an expression names from being called unused or undistributed:
    /// the statement it stands in failed.
    pub(super) fn give_up_on(&mut self, root: ast::ExprId) {
        let ast = self.ast;
        let span = ast.exprs[root].span;
        for_each_name(ast, root, |name| {
            if let Some(symbol) = self.names.get(name) {
                let facts = self.facts_mut(symbol);
                facts.reads += 1;
                facts.density.get_or_insert(span);
            }
        });
    }
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp as B;
    matches!(
        op,
        B::Or
            | B::And
            | B::Equal
            | B::NotEqual
            | B::Less
            | B::LessEqual
            | B::Greater
            | B::GreaterEqual
            | B::Modulo
            | B::IntegerDivide
    )
}

fn is_linear_function(name: &str) -> bool {
    matches!(
        name,
        "sum"
            | "mean"
            | "head"
            | "tail"
            | "segment"
            | "reverse"
            | "append_row"
            | "append_col"
            | "append_array"
            | "rep_vector"
            | "rep_row_vector"
            | "rep_matrix"
            | "rep_array"
            | "to_vector"
            | "to_row_vector"
            | "to_array_1d"
            | "to_matrix"
            | "trace"
            | "diagonal"
            | "diag_matrix"
            | "cumulative_sum"
            | "row"
            | "col"
    )
}
