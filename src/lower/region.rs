//! What runs more than once or perhaps not at all: `for`, `if` and `?:`, as bodies of IR loops.
//!
//! `if (c) A else B` is a loop that runs `c` times and one that runs `1 - c` times. So what
//! does not run is not computed, neither in the density nor in its derivatives, and an index
//! that a condition guards is neither read nor proved where the condition fails.

use std::collections::BTreeSet;

use super::Lowerer;
use super::frame::Name;
use crate::check::typed::{BinaryOp, ExprId, ExprKind, Statement, SymbolId};
use crate::ir::op::{self, InputKind, Loop, ValueId};
use crate::ty::{Element, Size};

impl Lowerer<'_> {
    pub(super) fn for_loop(
        &mut self,
        symbol: SymbolId,
        from: ExprId,
        to: ExprId,
        max_count: &Size,
        body: &[Statement],
    ) {
        let first = self.expr(from);
        let last = self.expr(to);
        let b = self.b();
        let range = b.sub(last, first);
        let one = b.int(1);
        let count = b.add(range, one);
        if matches!(self.model.exprs[from].kind, ExprKind::Int(1)) {
            self.full_ranges.push((symbol, max_count.clone()));
        }
        let name = format!("for {}", self.model.symbols[symbol].name);
        let carried = self.carried_names(body);
        self.region(&name, count, max_count, &carried, |l, index| {
            let first = l.capture(first, l.frames.len() - 1);
            let variable = l.b().add(index, first);
            l.bind(Name::Symbol(symbol), variable);
            l.statements(body);
            Vec::new()
        });
    }

    pub(super) fn if_statement(
        &mut self,
        condition: ExprId,
        then: &[Statement],
        otherwise: &[Statement],
    ) {
        let value = self.expr(condition);
        let (holds, fails) = self.truth(value);
        for (count, body) in [(holds, then), (fails, otherwise)] {
            if !body.is_empty() {
                let carried = self.carried_names(body);
                self.region("if", count, &Size::constant(1), &carried, |l, _| {
                    l.statements(body);
                    Vec::new()
                });
            }
        }
    }

    /// `c ? a : b`: of types equal but for `int` and `real`.
    pub(super) fn conditional(
        &mut self,
        root: ExprId,
        c: ValueId,
        a: ExprId,
        b: ExprId,
    ) -> ValueId {
        if self.is_plain(a) && self.is_plain(b) {
            let (a, b) = (self.expr(a), self.expr(b));
            return self.b().select(c, a, b);
        }
        let (holds, fails) = self.truth(c);
        let ty = &self.model.exprs[root].ty;
        let (dims, element) = (ty.dims(), ty.element);
        self.n_choices += 1;
        let choice = Name::Choice(self.n_choices, element == Element::Int);
        let start = match (element, dims.is_empty()) {
            (Element::Int, true) => self.b().int(0),
            _ => self.b().fill(0.0, dims.clone()),
        };
        self.bind(choice, start);
        let carried = [choice, Name::BadSite, Name::BadIndex];
        for (count, value) in [(holds, a), (fails, b)] {
            self.region("choice", count, &Size::constant(1), &carried, |l, _| {
                let value = l.expr(value);
                let value = match l.b().rank(value) {
                    0 if !dims.is_empty() => l.b().broadcast(value, &[], &dims),
                    _ => value,
                };
                l.bind(choice, value);
                Vec::new()
            });
        }
        self.lookup(choice)
    }

    /// `a && c` or `a || c`, where `c` is computed only if `a` does not decide.
    pub(super) fn guarded(&mut self, op: BinaryOp, a: ValueId, c: ExprId) -> ValueId {
        let (holds, fails) = self.truth(a);
        let (count, start) = match op {
            BinaryOp::And => (holds, self.b().int(0)),
            _ => (fails, holds),
        };
        self.n_choices += 1;
        let choice = Name::Choice(self.n_choices, true);
        self.bind(choice, start);
        let carried = [choice, Name::BadSite, Name::BadIndex];
        self.region("guarded", count, &Size::constant(1), &carried, |l, _| {
            let value = l.expr(c);
            let (holds, _) = l.truth(value);
            l.bind(choice, holds);
            Vec::new()
        });
        self.lookup(choice)
    }

    /// 1 and 0 where a condition holds, 0 and 1 where it does not.
    fn truth(&mut self, condition: ValueId) -> (ValueId, ValueId) {
        let b = self.b();
        let (zero, one) = (b.int(0), b.int(1));
        let holds = b.binary(op::BinaryOp::NotEqual, condition, zero);
        let fails = b.sub(one, holds);
        (holds, fails)
    }

    /// Whether an expression can be computed where it is not wanted: it costs nothing and
    /// reads no index.
    fn is_plain(&self, root: ExprId) -> bool {
        match &self.model.exprs[root].kind {
            ExprKind::Int(_) | ExprKind::Real(_) | ExprKind::Symbol(_) => true,
            ExprKind::Unary(_, operand) => {
                matches!(
                    self.model.exprs[*operand].kind,
                    ExprKind::Int(_) | ExprKind::Real(_) | ExprKind::Symbol(_)
                )
            }
            _ => false,
        }
    }

    /// Runs `body` in the frame of a loop; `carried` are the names that it changes. `body` is
    /// given the iteration, counted from zero, and gives values that are stacked over the
    /// iterations, which are returned.
    pub(super) fn region(
        &mut self,
        name: &str,
        count: ValueId,
        max_count: &Size,
        carried: &[Name],
        body: impl FnOnce(&mut Self, ValueId) -> Vec<ValueId>,
    ) -> Vec<ValueId> {
        let start: Vec<ValueId> = carried.iter().map(|&name| self.lookup(name)).collect();
        let index = self.enter_loop(name);
        let depth = self.frames.len() - 1;
        for (k, &name) in carried.iter().enumerate() {
            let mut ty = self.frames[depth - 1].builder.ty(start[k]).clone();
            // A real variable may start as a whole number and go on as a fraction.
            match name {
                Name::Symbol(symbol) => ty.element = self.model.symbols[symbol].ty.element,
                Name::Choice(_, is_int) => {
                    ty.element = if is_int { Element::Int } else { Element::Real };
                }
                _ => {}
            }
            let input = self.b().input(InputKind::Carried(k), "carried", ty);
            self.bind(name, input);
        }
        let stacked = body(self, index);
        for &name in carried {
            let value = self.lookup(name);
            self.b().output("next", value);
        }
        for &value in &stacked {
            self.b().output("stacked", value);
        }
        let frame = self.frames.pop().expect("the loop was entered");
        let (captured, body) = (frame.captured, frame.builder.into_function());
        let max_count = max_count.clone();
        let whole = Loop { count, max_count, reverse: false, body, carried: start, captured };
        let value = self.b().push_loop(whole);
        for (k, &name) in carried.iter().enumerate() {
            let result = self.b().result(value, k);
            self.bind(name, result);
        }
        let results = carried.len()..carried.len() + stacked.len();
        results.map(|k| self.b().result(value, k)).collect()
    }

    /// What a loop's body changes of what was there before it.
    pub(super) fn carried_names(&self, body: &[Statement]) -> Vec<Name> {
        let mut changed = BTreeSet::from([Name::BadSite, Name::BadIndex]);
        let mut declared = BTreeSet::new();
        gather_changes(body, &mut changed, &mut declared);
        changed
            .into_iter()
            .filter(|name| !matches!(name, Name::Symbol(symbol) if declared.contains(symbol)))
            .collect()
    }
}

fn gather_changes(
    statements: &[Statement],
    changed: &mut BTreeSet<Name>,
    declared: &mut BTreeSet<SymbolId>,
) {
    for statement in statements {
        match statement {
            Statement::Unknown(_) => unreachable!("unknowns are declared at the top of blocks"),
            Statement::Declare { symbol, .. } => {
                declared.insert(*symbol);
            }
            Statement::Sample { part, .. } | Statement::Target { part, .. } => {
                changed.insert(Name::Term(*part));
            }
            Statement::Assign { symbol, .. } => {
                changed.insert(Name::Symbol(*symbol));
            }
            Statement::For { body, .. } => gather_changes(body, changed, declared),
            Statement::Block(statements) => gather_changes(statements, changed, declared),
            Statement::If { then, otherwise, .. } => {
                gather_changes(then, changed, declared);
                gather_changes(otherwise, changed, declared);
            }
        }
    }
}
