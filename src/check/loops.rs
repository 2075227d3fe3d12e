//! `for` loops: their bounds, and how often they run at most.
//!
//! A bound is a sum of a symbolic size and whole multiples of variables: those of enclosing
//! loops and whole numbers of the branch. Each variable has a smallest and a largest value,
//! so a sum has too, and `to - from + 1` has a largest value that is a size.

use std::collections::{BTreeMap, HashMap};

use super::Checker;
use super::Facts;
use super::names::looks_like_branches;
use super::reach::Reach;
use super::typed::{BinaryOp, ExprId, ExprKind, Statement, SymbolId, SymbolKind, UnaryOp};
use crate::diagnostic::Code;
use crate::schema::Bound;
use crate::syntax::ast;
use crate::ty::{Element, Level, Role, Size, Type};

/// `constant + Σ coefficient · variable`.
#[derive(Clone, Debug, Default)]
struct Linear {
    constant: Size,
    coefficients: BTreeMap<SymbolId, i64>,
}

impl Linear {
    fn scaled(&self, factor: i64) -> Option<Linear> {
        let constant = self.constant.checked_mul(&Size::constant(factor))?;
        let scale = |(variable, c): (&SymbolId, &i64)| Some((*variable, c.checked_mul(factor)?));
        let coefficients = self.coefficients.iter().map(scale).collect::<Option<_>>()?;
        Some(Linear { constant, coefficients })
    }

    fn plus(mut self, other: &Linear) -> Option<Linear> {
        self.constant = self.constant.checked_add(&other.constant)?;
        for (variable, coefficient) in &other.coefficients {
            let sum = self.coefficients.entry(*variable).or_insert(0);
            *sum = sum.checked_add(*coefficient)?;
        }
        self.coefficients.retain(|_, coefficient| *coefficient != 0);
        Some(self)
    }

    fn times(&self, other: &Linear) -> Option<Linear> {
        let constant = self.constant.checked_mul(&other.constant)?;
        match (self.coefficients.is_empty(), other.coefficients.is_empty()) {
            (true, true) => Some(Linear { constant, ..Linear::default() }),
            (true, false) => other.scaled(self.constant.as_constant()?),
            (false, true) => self.scaled(other.constant.as_constant()?),
            (false, false) => None,
        }
    }
}

impl Checker<'_> {
    pub(super) fn check_for(
        &mut self,
        name: &ast::Ident,
        [from, to]: [ast::ExprId; 2],
        body: &ast::Statement,
    ) -> Option<Statement> {
        self.check_no_branch_loop(from, to);
        let bounds = self.check_exprs(&[from, to]).and_then(|b| self.check_bounds(b[0], b[1]));
        self.names.open_scope();
        let symbol = self.declare_loop_variable(name, bounds.as_ref());
        self.loops.push(symbol);
        let body = self.check_statement_list(std::slice::from_ref(body));
        self.loops.pop();
        self.names.close_scope();
        let Bounds { from, to, max_count, .. } = bounds?;
        Some(Statement::For { symbol, from, to, max_count, body })
    }

    /// Says that there is no loop over branches when a bound seems to count them.
    fn check_no_branch_loop(&mut self, from: ast::ExprId, to: ast::ExprId) {
        let ast = self.ast;
        for bound in [from, to] {
            let ast::ExprKind::Name(name) = &ast.exprs[bound].kind else { continue };
            if self.names.get(name).is_none() && looks_like_branches(name, ast) {
                let span = ast.exprs[bound].span;
                self.names.silence(name);
                self.diags
                    .error(
                        Code::BranchLoop,
                        span,
                        format!("there is no loop over branches, and nothing is called `{name}`"),
                    )
                    .help(
                        "`local` is about one branch and runs for each of them: write there \
                         what the body of this loop says, without the index",
                    );
            }
        }
    }

    fn declare_loop_variable(&mut self, name: &ast::Ident, bounds: Option<&Bounds>) -> SymbolId {
        let mut facts = Facts::new(Reach::NOTHING);
        facts.nested = true;
        if let Some(bounds) = bounds {
            facts.reach = bounds.reach;
            facts.range = bounds.range.clone();
            facts.exact_range = bounds.exact;
        }
        let symbol = self.declare(name, SymbolKind::LoopVariable, Type::int(), facts);
        if bounds.is_none() {
            self.facts_mut(symbol).give_up();
        }
        symbol
    }

    fn check_bounds(&mut self, from: ExprId, to: ExprId) -> Option<Bounds> {
        for bound in [from, to] {
            self.check_bound_type(bound)?;
        }
        let (Some(first), Some(last)) = (self.linear(from), self.linear(to)) else {
            let culprit = if self.linear(from).is_none() { from } else { to };
            self.report_loop_bound(culprit);
            return None;
        };
        let count = first.scaled(-1).and_then(|first| last.clone().plus(&first));
        let max_count = count
            .and_then(|count| self.largest(&count))
            .and_then(|count| count.checked_add(&Size::constant(1)));
        let Some(max_count) = max_count else {
            self.report_loop_bound(to);
            return None;
        };
        let is_empty = max_count.as_constant().is_some_and(|count| count < 0);
        Some(Bounds {
            from,
            to,
            max_count: if is_empty { Size::constant(0) } else { max_count },
            reach: self.reach(from).join(self.reach(to)),
            range: (self.smallest(&first), self.largest(&last)),
            exact: first.coefficients.is_empty() && last.coefficients.is_empty() && !is_empty,
        })
    }

    fn check_bound_type(&mut self, bound: ExprId) -> Option<()> {
        let expr = &self.exprs[bound];
        let (span, role, ty) = (expr.span, expr.role, expr.ty.clone());
        let text = self.text(span);
        if !self.is_int(bound) {
            let message = format!("a loop runs over whole numbers, and `{text}` is {ty}");
            let help = "bounds follow from data: literals, `int` data, the row count, `size(x)`";
            self.diags.error(Code::LoopBound, span, message).help(help);
            return None;
        }
        if role != Role::Data {
            let message = format!("the loop bound `{text}` depends on an unknown");
            let help = "how often a loop runs must follow from the data";
            self.diags.error(Code::IndexUnknown, span, message).help(help);
            return None;
        }
        Some(())
    }

    fn report_loop_bound(&mut self, bound: ExprId) {
        let span = self.exprs[bound].span;
        let text = self.text(span);
        self.diags
            .error(
                Code::LoopBound,
                span,
                format!("`{text}` does not tell how often the loop runs at most"),
            )
            .help(
                "bounds are sums and multiples of whole data, the row count, variables of \
                 enclosing loops, and whole numbers of the branch that are declared with \
                 `<lower=…, upper=…>`",
            );
    }

    /// Smallest and largest value of a subscript, where every value between is taken.
    pub(super) fn exact_range(&self, root: ExprId) -> (Option<Size>, Option<Size>) {
        let Some(linear) = self.linear(root) else { return (None, None) };
        let mut variables = linear.coefficients.keys();
        let is_exact = match (variables.next(), variables.next()) {
            (None, _) => true,
            (Some(variable), None) => self.facts(*variable).exact_range,
            _ => false,
        };
        if is_exact { (self.smallest(&linear), self.largest(&linear)) } else { (None, None) }
    }

    fn largest(&self, sum: &Linear) -> Option<Size> {
        let mut total = sum.constant.clone();
        for (variable, coefficient) in &sum.coefficients {
            let (low, high) = &self.facts(*variable).range;
            let extreme = if *coefficient > 0 { high } else { low };
            let part = extreme.as_ref()?.checked_mul(&Size::constant(*coefficient))?;
            total = total.checked_add(&part)?;
        }
        Some(total)
    }

    fn smallest(&self, sum: &Linear) -> Option<Size> {
        let negated = self.largest(&sum.scaled(-1)?)?;
        Size::default().checked_sub(&negated)
    }

    fn linear(&self, root: ExprId) -> Option<Linear> {
        let mut values: HashMap<ExprId, Linear> = HashMap::new();
        for id in self.parts(root) {
            if let Some(value) = self.linear_step(id, &mut values) {
                values.insert(id, value);
            }
        }
        values.remove(&root)
    }

    fn linear_step(&self, id: ExprId, values: &mut HashMap<ExprId, Linear>) -> Option<Linear> {
        match &self.exprs[id].kind {
            ExprKind::Unary(UnaryOp::Negate, operand) => values.remove(operand)?.scaled(-1),
            ExprKind::Unary(UnaryOp::Plus, operand) => values.remove(operand),
            ExprKind::Binary(op, left, right) => {
                let (left, right) = (values.remove(left)?, values.remove(right)?);
                match op {
                    BinaryOp::Add => left.plus(&right),
                    BinaryOp::Subtract => left.plus(&right.scaled(-1)?),
                    BinaryOp::Multiply => left.times(&right),
                    _ => None,
                }
            }
            ExprKind::Symbol(symbol) if self.is_variable(*symbol) => {
                let coefficients = BTreeMap::from([(*symbol, 1)]);
                Some(Linear { coefficients, ..Linear::default() })
            }
            ExprKind::Int(_) | ExprKind::Symbol(_) | ExprKind::Call(..) => {
                Some(Linear { constant: self.size_value(id)?, ..Linear::default() })
            }
            _ => None,
        }
    }

    /// Loop variables and whole numbers of the branch have ranges.
    fn is_variable(&self, symbol: SymbolId) -> bool {
        match self.symbols[symbol].kind {
            SymbolKind::LoopVariable => true,
            SymbolKind::Datum(datum) => {
                let datum = &self.schema.data[datum];
                let is_int = datum.element == Element::Int && datum.dims.is_empty();
                is_int && datum.level == Level::Branch
            }
            _ => false,
        }
    }

    /// The range that the declared bounds of a datum give it.
    pub(super) fn range_of_datum(&self, datum: usize) -> (Option<Size>, Option<Size>) {
        let size = |bound: &Option<Bound>| match bound.as_ref()? {
            Bound::Number(value) if value.fract() == 0.0 && value.abs() < 1e15 => {
                Some(Size::constant(*value as i64))
            }
            Bound::Number(_) => None,
            Bound::Datum(other) => {
                let other = &self.schema.data[*other];
                let is_size = other.level == Level::Whole
                    && other.element == Element::Int
                    && other.dims.is_empty();
                is_size.then(|| Size::datum(&other.name))
            }
        };
        let datum = &self.schema.data[datum];
        (size(&datum.lower), size(&datum.upper))
    }
}

/// The bounds of a loop and what follows from them.
struct Bounds {
    from: ExprId,
    to: ExprId,
    max_count: Size,
    reach: Reach,
    range: (Option<Size>, Option<Size>),
    /// Whether they are the same in every round of the enclosing loops.
    exact: bool,
}
