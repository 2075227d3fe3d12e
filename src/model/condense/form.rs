//! Values with one element for each row, written as columns of data times numbers that do not
//! go with rows.

use crate::ir::build::Builder;
use crate::ir::op::{UnaryOp, ValueId};

/// More columns or products than this are not worth following.
const MAX_TERMS: usize = 24;
const MAX_PRODUCTS: usize = 4;

/// A sum of columns of data, or matrices of them, times coefficients: one number for a column, a
/// vector for a matrix. No column comes twice.
#[derive(Clone, Debug, Default)]
pub struct Linear {
    /// Column and coefficient.
    pub terms: Vec<(ValueId, ValueId)>,
}

/// A linear form and products of two of them, each scaled by a number.
#[derive(Clone, Debug, Default)]
pub struct Quadratic {
    /// Scale and factors.
    pub products: Vec<(ValueId, Linear, Linear)>,
    /// What comes besides.
    pub linear: Linear,
}

impl Linear {
    /// One column times a coefficient.
    pub fn of(column: ValueId, coefficient: ValueId) -> Linear {
        Linear { terms: vec![(column, coefficient)] }
    }

    fn plus(&self, other: &Linear, b: &mut Builder) -> Option<Linear> {
        let mut sum = self.clone();
        for &(column, coefficient) in &other.terms {
            match sum.terms.iter_mut().find(|(known, _)| *known == column) {
                Some((_, known)) => *known = b.add(*known, coefficient),
                None => sum.terms.push((column, coefficient)),
            }
        }
        (sum.terms.len() <= MAX_TERMS).then_some(sum)
    }

    fn times(&self, number: ValueId, b: &mut Builder) -> Linear {
        let scale =
            |&(column, coefficient): &(ValueId, ValueId)| (column, b.mul(coefficient, number));
        Linear { terms: self.terms.iter().map(scale).collect() }
    }

    /// Each column times a column of data.
    fn times_column(&self, factor: ValueId, b: &mut Builder) -> Linear {
        let scale = |&(column, coefficient): &(ValueId, ValueId)| {
            let dims = b.dims(column).to_vec();
            let factor = b.broadcast(factor, &[0], &dims);
            (b.mul(column, factor), coefficient)
        };
        Linear { terms: self.terms.iter().map(scale).collect() }
    }

    /// The number that it is in every row, where it is one.
    fn as_number(&self, b: &Builder) -> Option<ValueId> {
        match self.terms[..] {
            [(column, coefficient)] if b.constant(column) == Some(1.0) => Some(coefficient),
            _ => None,
        }
    }

    /// The column of data that it is, where it is one.
    fn as_column(&self, b: &Builder) -> Option<ValueId> {
        match self.terms[..] {
            [(column, coefficient)] if b.constant(coefficient) == Some(1.0) => Some(column),
            _ => None,
        }
    }
}

impl From<Linear> for Quadratic {
    fn from(linear: Linear) -> Quadratic {
        Quadratic { products: Vec::new(), linear }
    }
}

impl Quadratic {
    /// The form as a linear one, where it is.
    fn as_linear(&self) -> Option<&Linear> {
        self.products.is_empty().then_some(&self.linear)
    }

    /// The sum of two forms.
    pub fn plus(&self, other: &Quadratic, b: &mut Builder) -> Option<Quadratic> {
        let products = [self.products.clone(), other.products.clone()].concat();
        let linear = self.linear.plus(&other.linear, b)?;
        (products.len() <= MAX_PRODUCTS).then_some(Quadratic { products, linear })
    }

    /// The form times a number.
    pub fn times_number(&self, number: ValueId, b: &mut Builder) -> Quadratic {
        let mut scale = |(scale, u, w): &(ValueId, Linear, Linear)| {
            (b.mul(*scale, number), u.clone(), w.clone())
        };
        let products = self.products.iter().map(&mut scale).collect();
        Quadratic { products, linear: self.linear.times(number, b) }
    }

    /// The form times minus one.
    pub fn negated(&self, b: &mut Builder) -> Quadratic {
        let minus = b.real(-1.0);
        self.times_number(minus, b)
    }

    /// The product of two forms, where it is of no higher degree than two.
    pub fn times(&self, other: &Quadratic, b: &mut Builder) -> Option<Quadratic> {
        for (form, factor) in [(self, other), (other, self)] {
            let Some(factor) = factor.as_linear() else { continue };
            if let Some(number) = factor.as_number(b) {
                return Some(form.times_number(number, b));
            }
            if let Some(column) = factor.as_column(b) {
                return Some(form.times_column(column, b));
            }
        }
        let (u, w) = (self.as_linear()?, other.as_linear()?);
        let one = b.real(1.0);
        let products = vec![(one, u.clone(), w.clone())];
        Some(Quadratic { products, linear: Linear::default() })
    }

    fn times_column(&self, column: ValueId, b: &mut Builder) -> Quadratic {
        let mut products = self.products.clone();
        for (_, u, _) in &mut products {
            *u = u.times_column(column, b);
        }
        Quadratic { products, linear: self.linear.times_column(column, b) }
    }

    /// The quotient of two forms, where the divisor is a number or a column of data.
    pub fn over(&self, other: &Quadratic, b: &mut Builder) -> Option<Quadratic> {
        let divisor = other.as_linear()?;
        if let Some(number) = divisor.as_number(b) {
            let inverse = b.unary(UnaryOp::Recip, number);
            return Some(self.times_number(inverse, b));
        }
        let column = divisor.as_column(b)?;
        let inverse = b.unary(UnaryOp::Recip, column);
        Some(self.times_column(inverse, b))
    }

    /// The square of a linear form.
    pub fn squared(&self, b: &mut Builder) -> Option<Quadratic> {
        self.times(self, b)
    }
}
