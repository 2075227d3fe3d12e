//! Which data are drawn, and which are given.

use std::collections::BTreeSet;

use crate::check::for_each_typed_operand;
use crate::check::typed::{ExprId, ExprKind, Statement, SymbolId, SymbolKind, TypedModel};
use crate::data::matches;
use crate::schema::{Datum, Numbered, Origin};

/// Data that stand left of `~`, by their places in the schema.
pub struct Columns {
    /// They are drawn.
    pub drawn: Vec<usize>,
    /// They are used in another way too.
    pub given: Vec<usize>,
}

/// What left sides of `~` of the local block are made of.
pub fn columns(model: &TypedModel) -> Columns {
    let mut uses = Uses { model, outcomes: BTreeSet::new(), others: BTreeSet::new() };
    uses.statements(&model.local);
    uses.statements(&model.global);
    for derived in &model.derived_data {
        uses.read(derived.value);
    }
    uses.shared_columns();
    let given = uses.outcomes.intersection(&uses.others).copied().collect();
    let drawn = uses.outcomes.difference(&uses.others).copied().collect();
    Columns { drawn, given }
}

/// The columns by name or pattern that a datum is read from.
fn names(datum: &Datum) -> &[String] {
    match &datum.origin {
        Origin::Column(name) | Origin::Equals { column: name, .. } => std::slice::from_ref(name),
        Origin::Columns(names) | Origin::Combination(names) => names,
        _ => &[],
    }
}

/// The symbol that an outcome is the whole, an element or a slice of.
pub fn base(model: &TypedModel, outcome: ExprId) -> Option<SymbolId> {
    let mut at = outcome;
    loop {
        match &model.exprs[at].kind {
            ExprKind::Symbol(symbol) => return Some(*symbol),
            ExprKind::Index(inner, _)
            | ExprKind::Slice(inner, ..)
            | ExprKind::Gather(inner, ..)
            | ExprKind::Transpose(inner) => at = *inner,
            _ => return None,
        }
    }
}

/// Whether an expression reads a name.
pub fn reads(model: &TypedModel, root: ExprId, symbol: SymbolId) -> bool {
    let mut open = vec![root];
    while let Some(part) = open.pop() {
        match &model.exprs[part].kind {
            // What a function does with it is not looked at.
            ExprKind::Inline(..) => return true,
            ExprKind::Symbol(found) if *found == symbol => return true,
            kind => for_each_typed_operand(kind, |operand| open.push(operand)),
        }
    }
    false
}

struct Uses<'m> {
    model: &'m TypedModel,
    outcomes: BTreeSet<usize>,
    others: BTreeSet<usize>,
}

impl Uses<'_> {
    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            match statement {
                Statement::Sample { lhs, .. } | Statement::Target { drawn: Some((lhs, _)), .. } => {
                    self.outcome(*lhs);
                }
                Statement::Target { value, .. } => self.read(*value),
                Statement::For { from, to, body, .. } => {
                    self.read(*from);
                    self.read(*to);
                    self.statements(body);
                }
                Statement::If { condition, then, otherwise } => {
                    self.read(*condition);
                    self.statements(then);
                    self.statements(otherwise);
                }
                Statement::Block(body) => self.statements(body),
                Statement::Unknown(_) | Statement::Declare { .. } | Statement::Assign { .. } => {}
            }
        }
    }

    fn outcome(&mut self, lhs: ExprId) {
        let Some(symbol) = base(self.model, lhs) else { return self.read(lhs) };
        if let SymbolKind::Datum(datum) = self.model.symbols[symbol].kind {
            self.outcomes.insert(datum);
            let origin = &self.model.schema.data[datum].origin;
            if !matches!(origin, Origin::Column(_) | Origin::Columns(_) | Origin::Equals { .. }) {
                self.others.insert(datum);
            }
        }
    }

    /// New values of an outcome would change what else is made of its column: other data, the
    /// key, the order of rows, the levels of a factor that does not number the outcome itself.
    fn shared_columns(&mut self) {
        let schema = &self.model.schema;
        let by = schema.rows.iter().flat_map(|rows| &rows.by);
        let fixed: Vec<&String> = schema.key.iter().chain(by).collect();
        for &outcome in &self.outcomes {
            let own = names(&schema.data[outcome]);
            let is_own = |name: &String| {
                own.iter().any(|pattern| matches(pattern, name) || matches(name, pattern))
            };
            let of_data = schema.data.iter().enumerate().any(|(position, datum)| {
                let of_same_file = datum.table == schema.data[outcome].table;
                position != outcome && of_same_file && names(datum).iter().any(is_own)
            });
            let of_factors = schema.factors.iter().enumerate().any(|(k, factor)| {
                let is_other = schema.data[outcome].numbered != Some(Numbered::Factor(k));
                is_other && factor.columns.iter().any(is_own)
            });
            if of_data || of_factors || fixed.iter().any(|name| is_own(name)) {
                self.others.insert(outcome);
            }
        }
        for datum in &schema.data {
            if let Origin::Standardized(of) = datum.origin {
                self.others.insert(of);
            }
        }
    }

    /// What the statements of a called function read.
    fn inlined(&mut self, statements: &[Statement]) {
        for statement in statements {
            match statement {
                Statement::Declare { value, .. } => value.iter().for_each(|&v| self.read(v)),
                Statement::Assign { value, subscripts, .. } => {
                    self.read(*value);
                    subscripts.iter().flatten().for_each(|&index| self.read(index));
                }
                Statement::For { body, .. } | Statement::Block(body) => self.inlined(body),
                Statement::If { condition, then, otherwise } => {
                    self.read(*condition);
                    self.inlined(then);
                    self.inlined(otherwise);
                }
                _ => {}
            }
        }
        self.statements(statements);
    }

    /// Every datum in an expression is used other than as an outcome.
    fn read(&mut self, root: ExprId) {
        let mut open = vec![root];
        while let Some(part) = open.pop() {
            let kind = &self.model.exprs[part].kind;
            for_each_typed_operand(kind, |operand| open.push(operand));
            match kind {
                ExprKind::Inline(statements, _) => self.inlined(statements),
                ExprKind::Symbol(symbol) => {
                    if let SymbolKind::Datum(datum) = self.model.symbols[*symbol].kind {
                        self.others.insert(datum);
                    }
                }
                ExprKind::Column(datum) => {
                    self.others.insert(*datum);
                }
                _ => {}
            }
        }
    }
}
