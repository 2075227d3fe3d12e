//! What expressions depend on: walks over typed and untyped trees, and the level and role of
//! every derived quantity and temporary of a block.

use std::collections::HashMap;

use super::Checker;
use super::expr::{for_each_operand, subscript_operands};
use super::names::Place;
use super::typed::{BinaryOp, ExprId, ExprKind, SymbolId, SymbolKind, UnaryOp};
use crate::syntax::ast::{self, Ast, Statement, StatementKind};
use crate::ty::{Level, Role};

/// What a value depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) level: Level,
    pub(super) role: Role,
    /// Whether data of the branch are among it.
    pub(super) branch_data: bool,
}

impl Reach {
    /// That of a number.
    pub(super) const NOTHING: Reach =
        Reach { level: Level::Whole, role: Role::Data, branch_data: false };

    pub(super) fn join(self, other: Reach) -> Reach {
        Reach {
            level: self.level.max(other.level),
            role: self.role.max(other.role),
            branch_data: self.branch_data || other.branch_data,
        }
    }
}

/// What the names that a block assigns depend on, by name.
pub(super) type Assigned = HashMap<String, Reach>;

/// A name and an expression that flows into it.
type Flow = (String, ast::ExprId);

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
            kind => for_each_operand(kind, |operand| rest.push(operand)),
        }
    }
}

/// Calls `visit` with every name whose value, and not only whose size, is read.
fn for_each_value(ast: &Ast, root: ast::ExprId, mut visit: impl FnMut(&str)) {
    let mut rest = vec![root];
    while let Some(id) = rest.pop() {
        match &ast.exprs[id].kind {
            ast::ExprKind::Name(name) => visit(name),
            ast::ExprKind::Call { name, .. } if reads_size_only(&name.name) => {}
            kind => for_each_operand(kind, |operand| rest.push(operand)),
        }
    }
}

/// Calls `visit` with each operand of a typed expression.
pub(super) fn for_each_typed_operand(kind: &ExprKind, mut visit: impl FnMut(ExprId)) {
    match kind {
        ExprKind::Int(_) | ExprKind::Real(_) | ExprKind::Symbol(_) => {}
        ExprKind::Unary(_, operand)
        | ExprKind::Transpose(operand)
        | ExprKind::Slice(operand, ..) => visit(*operand),
        ExprKind::Binary(_, left, right) => [left, right].into_iter().for_each(|e| visit(*e)),
        ExprKind::Call(_, operands)
        | ExprKind::LogDensity(_, operands)
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
                ExprKind::Index(base, _) => rest.push(*base),
                kind => for_each_typed_operand(kind, |operand| rest.push(operand)),
            }
        }
        found
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
            ExprKind::LogDensity(..) => true,
            _ => false,
        }
    }

    /// The first part of an expression that jumps where an unknown moves.
    pub(super) fn find_jump(&self, root: ExprId) -> Option<ExprId> {
        self.parts(root).into_iter().find(|id| self.jumps(*id))
    }

    fn jumps(&self, id: ExprId) -> bool {
        let expr = &self.exprs[id];
        expr.role > Role::Data
            && match &expr.kind {
                ExprKind::Symbol(symbol) => self.facts(*symbol).discontinuous,
                ExprKind::Binary(op, ..) => is_comparison(*op),
                ExprKind::Unary(op, _) => *op == UnaryOp::Not,
                ExprKind::Call(function, _) => function.is_discontinuous,
                _ => false,
            }
    }

    /// Level and role of all names that a block assigns, joined over all assignments and
    /// carried through loops: the least solution.
    pub(super) fn assigned_names(&self, place: Place, statements: &[Statement]) -> Assigned {
        let mut assigned = Assigned::new();
        let mut flows = Vec::new();
        collect_flows(statements, &mut Vec::new(), &mut assigned, &mut flows);
        if place == Place::Local {
            // A name in an expression of sizes may stand for rows.
            self.mark_size_calls(&flows, &mut assigned);
        }
        loop {
            let mut changed = false;
            for (target, source) in &flows {
                let mut reach = assigned[target.as_str()];
                let before = reach;
                for_each_value(self.ast, *source, |name| {
                    reach = reach.join(self.reach_of(name, place, &assigned));
                });
                if reach != before {
                    changed = true;
                    assigned.insert(target.clone(), reach);
                }
            }
            if !changed {
                return assigned;
            }
        }
    }

    fn mark_size_calls(&self, flows: &[Flow], assigned: &mut Assigned) {
        for (target, source) in flows {
            let mut rest = vec![*source];
            while let Some(id) = rest.pop() {
                match &self.ast.exprs[id].kind {
                    ast::ExprKind::Call { name, .. } if reads_size_only(&name.name) => {
                        assigned.entry(target.clone()).and_modify(|reach| {
                            reach.level = Level::Branch;
                            reach.branch_data = true;
                        });
                    }
                    kind => for_each_operand(kind, |operand| rest.push(operand)),
                }
            }
        }
    }

    fn reach_of(&self, name: &str, place: Place, assigned: &Assigned) -> Reach {
        if let Some(reach) = assigned.get(name) {
            return *reach;
        }
        // Not declared yet: an unknown of this block, or an error found elsewhere.
        let own = if place == Place::Local {
            Reach { level: Level::Branch, role: Role::Local, branch_data: false }
        } else {
            Reach { role: Role::Global, ..Reach::NOTHING }
        };
        self.names.get(name).map_or(own, |symbol| self.facts(symbol).reach)
    }

    /// What an expression depends on.
    pub(super) fn reach(&self, root: ExprId) -> Reach {
        let symbols = self.parts(root).into_iter().filter_map(|id| self.named_symbol(id));
        symbols.fold(Reach::NOTHING, |reach, symbol| reach.join(self.facts(symbol).reach))
    }

    /// What a derived quantity or temporary depends on.
    pub(super) fn reach_of_assigned(&self, name: &str) -> Reach {
        self.assigned.get(name).copied().unwrap_or(Reach::NOTHING)
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

    /// Whether a symbol is a derived quantity or a temporary.
    pub(super) fn is_assignable(&self, symbol: SymbolId) -> bool {
        matches!(self.symbols[symbol].kind, SymbolKind::Derived { .. } | SymbolKind::Temporary)
    }
}

fn collect_flows(
    statements: &[Statement],
    bounds: &mut Vec<ast::ExprId>,
    assigned: &mut Assigned,
    flows: &mut Vec<Flow>,
) {
    for statement in statements {
        collect_flow(statement, bounds, assigned, flows);
    }
}

fn collect_flow(
    statement: &Statement,
    bounds: &mut Vec<ast::ExprId>,
    assigned: &mut Assigned,
    flows: &mut Vec<Flow>,
) {
    let nested = !bounds.is_empty();
    let mut add = |name: &str, sources: Vec<ast::ExprId>, bounds: &[ast::ExprId]| {
        assigned.entry(name.to_string()).or_insert(Reach::NOTHING);
        let all = sources.into_iter().chain(bounds.iter().copied());
        flows.extend(all.map(|source| (name.to_string(), source)));
    };
    match &statement.kind {
        StatementKind::Declare(declaration) if declaration.value.is_some() || nested => {
            add(&declaration.name.name, declaration.value.into_iter().collect(), bounds);
        }
        StatementKind::Assign { place, value, .. } => {
            let subscripts = place.subscripts.iter().flat_map(subscript_operands);
            add(&place.name.name, subscripts.chain([*value]).collect(), bounds);
        }
        StatementKind::For { name, from, to, body } => {
            add(&name.name, vec![*from, *to], bounds);
            bounds.extend([*from, *to]);
            collect_flow(body, bounds, assigned, flows);
            bounds.truncate(bounds.len() - 2);
        }
        StatementKind::Block(statements) => collect_block(statements, bounds, assigned, flows),
        _ => {}
    }
}

/// Declarations without a value are temporaries in a block, unknowns at the top.
fn collect_block(
    statements: &[Statement],
    bounds: &mut Vec<ast::ExprId>,
    assigned: &mut Assigned,
    flows: &mut Vec<Flow>,
) {
    for statement in statements {
        if let StatementKind::Declare(declaration) = &statement.kind {
            let name = declaration.name.name.clone();
            assigned.entry(name).or_insert(Reach::NOTHING);
        }
        collect_flow(statement, bounds, assigned, flows);
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
            | "rep_vector"
            | "rep_row_vector"
            | "rep_matrix"
            | "to_vector"
            | "diagonal"
            | "diag_matrix"
            | "cumulative_sum"
    )
}
