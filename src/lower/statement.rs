//! Statements.

use std::collections::BTreeSet;

use super::Lowerer;
use super::frame::Name;
use crate::builtin::Distribution;
use crate::check::typed::{ExprId, ExprKind, Part, RowsOf, Statement, SymbolId, SymbolKind};
use crate::ir::op::{InputKind, Loop, ValueId};
use crate::ty::Size;

impl Lowerer<'_> {
    /// Walks statements in order.
    pub fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Unknown(symbol) => self.unknown(*symbol),
            Statement::Declare { symbol, value } => self.declare(*symbol, *value),
            Statement::Sample { lhs, distribution, args, part, rows, .. } => {
                self.sample(*lhs, distribution, args, *part, rows);
            }
            Statement::Target { value, part, .. } => {
                let value = self.expr(*value);
                let total = self.b().sum(value);
                self.add_term(*part, total);
            }
            Statement::Assign { symbol, subscripts, value, .. } => {
                self.assign(*symbol, subscripts, *value);
            }
            Statement::For { symbol, from, to, max_count, body, .. } => {
                self.for_loop(*symbol, *from, *to, max_count, body);
            }
            Statement::Block(statements) => self.statements(statements),
            Statement::If { .. } => unreachable!("not checked yet"),
        }
    }

    fn unknown(&mut self, symbol: SymbolId) {
        let input = self.unknown_input(symbol);
        if self.is_constrained {
            self.bind(Name::Symbol(symbol), input);
            return;
        }
        let model = self.model;
        let declared = &model.symbols[symbol];
        let SymbolKind::Unknown { constraint, .. } = &declared.kind else {
            unreachable!("unknowns are unknowns")
        };
        let transform = self.transform(constraint);
        let (value, jacobian) = transform.constrain(self.b(), input, &declared.ty.dims());
        self.bind(Name::Symbol(symbol), value);
        self.add_to(Name::Jacobian, jacobian);
    }

    fn declare(&mut self, symbol: SymbolId, value: Option<ExprId>) {
        let dims = self.model.symbols[symbol].ty.dims();
        let value = match value {
            Some(value) => {
                let value = self.expr(value);
                match self.b().rank(value) {
                    0 if !dims.is_empty() => self.b().broadcast(value, &[], &dims),
                    _ => value,
                }
            }
            None => self.b().fill(f64::NAN, dims),
        };
        self.bind(Name::Symbol(symbol), value);
    }

    fn sample(
        &mut self,
        lhs: ExprId,
        distribution: &'static Distribution,
        args: &[ExprId],
        part: Part,
        rows: &RowsOf,
    ) {
        let x = self.expr(lhs);
        let args: Vec<ValueId> = args.iter().map(|&arg| self.expr(arg)).collect();
        let density = (distribution.log_density)(self.b(), x, &args);
        let density = self.spread_over_outcome(density, x, distribution.outcome);
        let total = match rows {
            RowsOf::All if self.mask => self.masked_sum(density),
            RowsOf::One(row) if self.mask => self.masked_row(density, *row),
            _ => self.b().sum(density),
        };
        self.add_term(part, total);
    }

    /// The sum of terms, rows first, each weighted by its row's mask.
    fn masked_sum(&mut self, density: ValueId) -> ValueId {
        let mask = self.lookup(Name::RowMask);
        let axes: Vec<u8> = (0..self.b().rank(density) as u8).collect();
        self.b().contract(density, &axes, mask, &[0], 0)
    }

    fn masked_row(&mut self, density: ValueId, row: ExprId) -> ValueId {
        let mask = self.lookup(Name::RowMask);
        let row = self.expr(row);
        let total = self.b().sum(density);
        let b = self.b();
        let minus_one = b.int(-1);
        let at = b.add(row, minus_one);
        let weight = b.index(mask, vec![Some(at)]);
        b.mul(total, weight)
    }

    fn add_term(&mut self, part: Part, term: ValueId) {
        self.add_to(Name::Term(part), term);
    }

    fn add_to(&mut self, name: Name, term: ValueId) {
        let so_far = self.lookup(name);
        let sum = self.b().add(so_far, term);
        self.bind(name, sum);
    }

    fn assign(&mut self, symbol: SymbolId, subscripts: &[Option<ExprId>], value: ExprId) {
        let model = self.model;
        let declared = &model.symbols[symbol];
        let dims = declared.ty.dims();
        let mut value = self.expr(value);
        let kept: Vec<Size> = dims
            .iter()
            .enumerate()
            .filter(|(axis, _)| !matches!(subscripts.get(*axis), Some(Some(_))))
            .map(|(_, dim)| dim.clone())
            .collect();
        if self.b().rank(value) == 0 && !kept.is_empty() {
            value = self.b().broadcast(value, &[], &kept);
        }
        if subscripts.iter().any(Option::is_some) {
            let lowered: Vec<(ExprId, ValueId)> =
                subscripts.iter().flatten().map(|&index| (index, self.expr(index))).collect();
            let of = |id: ExprId| {
                let found = lowered.iter().find(|(index, _)| *index == id);
                found.expect("every subscript was lowered").1
            };
            let at = self.indices_into(&declared.name, &dims, subscripts, &of);
            let base = self.lookup(Name::Symbol(symbol));
            value = self.b().set(base, at, value);
        }
        self.bind(Name::Symbol(symbol), value);
    }

    fn for_loop(
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
        let carried_names = self.carried_names(body);
        let carried: Vec<ValueId> = carried_names.iter().map(|&name| self.lookup(name)).collect();
        if matches!(self.model.exprs[from].kind, ExprKind::Int(1)) {
            self.full_ranges.push((symbol, max_count.clone()));
        }
        let name = format!("for {}", self.model.symbols[symbol].name);
        let index = self.enter_loop(&name);
        let depth = self.frames.len() - 1;
        for (k, &name) in carried_names.iter().enumerate() {
            let mut ty = self.frames[depth - 1].builder.ty(carried[k]).clone();
            // A real variable may start as a whole number and go on as a fraction.
            if let Name::Symbol(symbol) = name {
                ty.element = self.model.symbols[symbol].ty.element;
            }
            let input = self.b().input(InputKind::Carried(k), "carried", ty);
            self.bind(name, input);
        }
        let first = self.capture(first, depth);
        let variable = self.b().add(index, first);
        self.bind(Name::Symbol(symbol), variable);
        self.statements(body);
        for &name in &carried_names {
            let value = self.lookup(name);
            self.b().output("next", value);
        }
        let frame = self.frames.pop().expect("the loop was entered");
        let captured = frame.captured;
        let body = frame.builder.into_function();
        let max_count = max_count.clone();
        let b = self.b();
        let value = b.push_loop(Loop { count, max_count, reverse: false, body, carried, captured });
        for (k, name) in carried_names.into_iter().enumerate() {
            let result = self.b().result(value, k);
            self.bind(name, result);
        }
    }

    /// What a loop's body changes of what was there before it.
    fn carried_names(&self, body: &[Statement]) -> Vec<Name> {
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
            Statement::If { .. } => unreachable!("not checked yet"),
        }
    }
}
