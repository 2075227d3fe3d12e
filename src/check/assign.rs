//! Assignments: to a name, to elements and rows, and, as loops, to slices.

use super::slice::with_axis;
use super::subscript::{Picked, indexed_type};
use super::typed::{BinaryOp, ExprId, ExprKind, Statement, SymbolId, SymbolKind};
use super::{Checker, Facts};
use crate::builtin;
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{self, Ident};
use crate::ty::{Role, Size, Type};

/// What an assignment changes.
struct Target {
    symbol: SymbolId,
    picked: Vec<Picked>,
    span: Span,
}

impl Checker<'_> {
    pub(super) fn check_assign(
        &mut self,
        place: &ast::Place,
        operator: Option<BinaryOp>,
        value: ast::ExprId,
        span: Span,
    ) -> Option<Statement> {
        let typed = self.check_expr(value);
        if typed.is_none() {
            self.give_up_on(value);
        }
        let target = self.check_place(place)?;
        let value = match operator {
            None => typed?,
            Some(operator) => {
                let whole = self.symbol_expr(target.symbol, place.name.span);
                let old = if target.picked.is_empty() {
                    whole
                } else {
                    self.pick(whole, &target.picked, place.span)?
                };
                self.check_binary(operator, old, typed?, span)?
            }
        };
        let value = self.promote(value, self.symbols[target.symbol].ty.element);
        let statement = match target.subscripts() {
            Some(subscripts) => {
                self.require_assignable(target.symbol, &subscripts, value)?;
                Statement::Assign { symbol: target.symbol, subscripts, value }
            }
            None => self.assign_slice(&target, place, value)?,
        };
        self.note_value(target.symbol, value);
        Some(statement)
    }

    fn check_place(&mut self, place: &ast::Place) -> Option<Target> {
        let name = &place.name;
        let known = self.names.get(&name.name);
        let reads = known.map(|symbol| self.facts(symbol).reads);
        let symbol = self.resolve(&name.name, name.span)?;
        self.facts_mut(symbol).reads = reads.unwrap_or(0);
        self.check_may_assign(symbol, name.span)?;
        for index in place.subscripts.iter().flat_map(super::expr::subscript_operands) {
            self.check_expr(index)?;
        }
        let ty = self.symbols[symbol].ty.clone();
        if ty.is_scalar() && !place.subscripts.is_empty() {
            let message = format!("`{}` is one number and has no elements", name.name);
            let diagnostic = self.diags.error(Code::Index, place.span, message);
            diagnostic.help("leave out the brackets");
            return None;
        }
        let picked = self.check_subscripts(&ty, &place.subscripts, place.span)?;
        Some(Target { symbol, picked, span: place.span })
    }

    /// Rule 2: only what the block derives itself is assigned.
    fn check_may_assign(&mut self, symbol: SymbolId, span: Span) -> Option<()> {
        let own = if self.place == super::Place::Global { Role::Global } else { Role::Local };
        let name = &self.symbols[symbol].name;
        let is_argument = self.facts(symbol).is_argument;
        let is_element = self.facts(symbol).alias.is_some();
        let (what, help) = match &self.symbols[symbol].kind {
            SymbolKind::Temporary if is_argument => (
                format!("`{name}` is an argument and cannot be assigned"),
                "functions change only variables of their own: copy it, `vector[size(x)] r = x;`",
            ),
            SymbolKind::Temporary if is_element => (
                format!("`{name}` is an element that the loop goes through and cannot be assigned"),
                "use a temporary of your own, or loop over positions: `for (n in 1:size(x))`",
            ),
            SymbolKind::Temporary => return Some(()),
            SymbolKind::Derived { block, .. } if *block == own => return Some(()),
            SymbolKind::Derived { .. } => (
                format!("`{name}` is derived in `global`, and `local` assigns to it"),
                "the branches share it: derive a quantity of the branch under another name",
            ),
            SymbolKind::Datum(_) => (
                format!("`{name}` is data and cannot be assigned"),
                "give the result a name of its own: `real other = …;`, or write `~` for a \
                 distribution",
            ),
            SymbolKind::RowCount => (
                format!("`{name}` is the number of rows and cannot be assigned"),
                "give the result a name of its own: `int other = …;`",
            ),
            SymbolKind::Unknown { .. } => (
                format!("`{name}` is an unknown and cannot be assigned"),
                "inference finds its values: for a derived quantity write the value where it is \
                 declared, `real other = …;`, for a distribution write `~`",
            ),
            SymbolKind::LoopVariable => (
                format!("`{name}` is a loop variable and cannot be assigned"),
                "use a temporary of your own",
            ),
        };
        let declared = self.symbols[symbol].span;
        self.diags.error(Code::Assignment, span, what).label(declared, "declared here").help(help);
        None
    }

    /// `x[a:b] = v;` is `for (k in 1:size(v)) x[a + k - 1] = v[k];` of a `v` computed before.
    fn assign_slice(
        &mut self,
        target: &Target,
        place: &ast::Place,
        value: ExprId,
    ) -> Option<Statement> {
        let mut many = target.picked.iter().enumerate().filter(|(_, picked)| picked.is_many());
        let (axis, picked) = many.next().expect("a target without subscripts has a slice");
        let kept = target.picked[..axis].iter().filter(|p| !matches!(p, Picked::At(_))).count();
        let count = picked.count(self);
        let counter = (kept == 0 && many.next().is_none()).then(|| builtin::function("size"));
        let (Some(Some(size)), Some(count)) = (counter, count) else {
            self.report_slice_target(target.span);
            return None;
        };
        let wanted = self.type_of_target(target, axis, &count);
        self.require_fits(target.symbol, &wanted, value)?;
        let copy = self.temporary("value", wanted, value);
        let all = self.symbol_expr(copy, target.span);
        let to = self.push(ExprKind::Call(size, vec![all]), Type::int(), &[], target.span);
        let k = self.counter(count.clone());
        let at = self.position_of(target, place, axis, k)?;
        let mut subscripts: Vec<Option<ExprId>> = target.picked.iter().map(Picked::at).collect();
        subscripts[axis] = Some(at);
        let k_value = self.symbol_expr(k, target.span);
        let element = self.push_index(all, vec![Some(k_value)], target.span);
        let assign = Statement::Assign { symbol: target.symbol, subscripts, value: element };
        let from = self.int_literal(1, target.span);
        let body = vec![assign];
        let round = Statement::For { symbol: k, from, to, max_count: count, body };
        Some(Statement::Block(vec![Statement::Declare { symbol: copy, value: Some(value) }, round]))
    }

    fn type_of_target(&self, target: &Target, axis: usize, count: &Size) -> Type {
        let ty = with_axis(&self.symbols[target.symbol].ty, axis, count.clone());
        let fixed: Vec<Option<ExprId>> = target.picked.iter().map(Picked::at).collect();
        indexed_type(&ty, &fixed)
    }

    /// Which element of the axis the k-th of the slice is.
    fn position_of(
        &mut self,
        target: &Target,
        place: &ast::Place,
        axis: usize,
        k: SymbolId,
    ) -> Option<ExprId> {
        let span = target.span;
        let k = self.symbol_expr(k, span);
        if let Picked::Many(numbers) = target.picked[axis] {
            return Some(self.push_index(numbers, vec![Some(k)], span));
        }
        let ast::Subscript::Range(Some(from), _) = place.subscripts[axis] else { return Some(k) };
        let from = self.done(from)?;
        let one = self.int_literal(1, span);
        let end =
            self.push(ExprKind::Binary(BinaryOp::Add, from, k), Type::int(), &[from, k], span);
        let kind = ExprKind::Binary(BinaryOp::Subtract, end, one);
        Some(self.push(kind, Type::int(), &[end, one], span))
    }

    fn report_slice_target(&mut self, span: Span) {
        let text = self.text(span);
        let message = format!("`{text}` is more than a slice along the first axis that is left");
        let help = "assign row by row in a loop: `for (k in 1:K) m[k, a:b] = v[k];`";
        self.diags.error(Code::Index, span, message).help(help);
    }

    /// A name of no one's that holds a value.
    pub(super) fn temporary(&mut self, name: &str, ty: Type, value: ExprId) -> SymbolId {
        let span = self.exprs[value].span;
        let mut facts = Facts::new(self.reach(value));
        facts.reads = 1;
        facts.nested = true;
        facts.nonlinear = self.is_nonlinear(value);
        facts.discontinuous = self.find_jump(value).is_some();
        let name = Ident { name: name.to_string(), span };
        self.add_symbol(&name, SymbolKind::Temporary, ty, facts)
    }

    /// The variable of a loop from one to a size.
    pub(super) fn counter(&mut self, count: Size) -> SymbolId {
        let is_of_rows = count.depends_on_rows();
        let reach = if is_of_rows { super::Reach::OF_ROWS } else { super::Reach::NOTHING };
        let mut facts = Facts::new(reach);
        facts.nested = true;
        facts.range = (Some(Size::constant(1)), Some(count));
        facts.exact_range = true;
        let name = Ident { name: "k".to_string(), span: Span::new(0, 0) };
        self.add_symbol(&name, SymbolKind::LoopVariable, Type::int(), facts)
    }
}

impl Target {
    /// The subscripts, unless several elements are picked along an axis.
    fn subscripts(&self) -> Option<Vec<Option<ExprId>>> {
        let is_many = self.picked.iter().any(Picked::is_many);
        (!is_many).then(|| self.picked.iter().map(Picked::at).collect())
    }
}

impl Picked {
    fn at(&self) -> Option<ExprId> {
        match self {
            Picked::At(index) => Some(*index),
            _ => None,
        }
    }

    fn is_many(&self) -> bool {
        matches!(self, Picked::Some { .. } | Picked::Many(_))
    }

    fn count(&self, checker: &Checker<'_>) -> Option<Size> {
        match self {
            Picked::Some { count, .. } => Some(count.clone()),
            Picked::Many(numbers) => checker.exprs[*numbers].ty.array.first().cloned(),
            Picked::All | Picked::At(_) => None,
        }
    }
}
