//! Whole numbers as sums of a symbolic size and whole multiples of variables: those of
//! enclosing loops and whole numbers of the branch. Each variable has a smallest and a largest
//! value, so a sum has too.

use std::collections::{BTreeMap, HashMap};

use super::Checker;
use super::sizes::combine_sizes;
use super::typed::{BinaryOp, ExprId, ExprKind, SymbolId, SymbolKind, UnaryOp};
use crate::ty::{Element, Level, Size};

/// `constant + Σ coefficient · variable`.
#[derive(Clone, Debug, Default)]
pub(super) struct Linear {
    pub(super) constant: Size,
    pub(super) coefficients: BTreeMap<SymbolId, i64>,
}

impl Linear {
    /// A sum without variables.
    pub(super) fn constant(constant: Size) -> Linear {
        Linear { constant, ..Linear::default() }
    }

    /// The size that it is, if no variable is in it.
    pub(super) fn as_size(&self) -> Option<&Size> {
        self.coefficients.is_empty().then_some(&self.constant)
    }

    pub(super) fn scaled(&self, factor: i64) -> Option<Linear> {
        let constant = self.constant.checked_mul(&Size::constant(factor))?;
        let scale = |(variable, c): (&SymbolId, &i64)| Some((*variable, c.checked_mul(factor)?));
        let coefficients = self.coefficients.iter().map(scale).collect::<Option<_>>()?;
        Some(Linear { constant, coefficients })
    }

    pub(super) fn plus(mut self, other: &Linear) -> Option<Linear> {
        self.constant = self.constant.checked_add(&other.constant)?;
        for (variable, coefficient) in &other.coefficients {
            let sum = self.coefficients.entry(*variable).or_insert(0);
            *sum = sum.checked_add(*coefficient)?;
        }
        self.coefficients.retain(|_, coefficient| *coefficient != 0);
        Some(self)
    }

    pub(super) fn times(&self, other: &Linear) -> Option<Linear> {
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

    pub(super) fn largest(&self, sum: &Linear) -> Option<Size> {
        let mut total = sum.constant.clone();
        for (variable, coefficient) in &sum.coefficients {
            let (low, high) = &self.facts(*variable).range;
            let extreme = if *coefficient > 0 { high } else { low };
            let part = extreme.as_ref()?.checked_mul(&Size::constant(*coefficient))?;
            total = total.checked_add(&part)?;
        }
        Some(total)
    }

    pub(super) fn smallest(&self, sum: &Linear) -> Option<Size> {
        let negated = self.largest(&sum.scaled(-1)?)?;
        Size::default().checked_sub(&negated)
    }

    /// A whole number as a sum of sizes and variables, if it is one.
    pub(super) fn linear(&self, root: ExprId) -> Option<Linear> {
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
                    _ => {
                        let size = combine_sizes(*op, left.as_size()?, right.as_size()?)?;
                        Some(Linear::constant(size))
                    }
                }
            }
            ExprKind::Symbol(symbol) if self.facts(*symbol).linear.is_some() => {
                self.facts(*symbol).linear.clone()
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

    /// Loop variables and whole numbers of the branch have ranges; whole numbers that may be
    /// assigned again have none, but cancel where they stand in both bounds.
    fn is_variable(&self, symbol: SymbolId) -> bool {
        let ty = &self.symbols[symbol].ty;
        match self.symbols[symbol].kind {
            SymbolKind::LoopVariable => true,
            SymbolKind::Temporary | SymbolKind::Derived { .. } => {
                ty.is_scalar() && ty.element == Element::Int
            }
            SymbolKind::Datum(datum) => {
                let datum = &self.schema.data[datum];
                let is_int = datum.element == Element::Int && datum.dims.is_empty();
                is_int && datum.level == Level::Branch
            }
            _ => false,
        }
    }
}
