//! Sizes when code is made: whole-data sizes are numbers, the number of rows is still open.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::CodegenError;
use crate::ty::{Size, SizeAtom};

/// What the sizes in a model come to, but for the number of rows, which a call decides.
#[derive(Clone, Debug, Default)]
pub struct SizeTable {
    data: BTreeMap<Arc<str>, i64>,
    max_rows: usize,
}

impl SizeTable {
    /// No whole-data sizes yet; no branch has more than `max_rows` rows.
    pub fn new(max_rows: usize) -> Self {
        SizeTable { data: BTreeMap::new(), max_rows }
    }

    /// Gives the whole-data `int` called `name` its value.
    pub fn set(&mut self, name: &str, value: i64) {
        self.data.insert(name.into(), value);
    }

    /// The most rows a call may have.
    pub fn max_rows(&self) -> usize {
        self.max_rows
    }

    /// The size with the data filled in.
    pub(super) fn resolve(&self, size: &Size) -> Result<RowPolynomial, CodegenError> {
        let overflow = || CodegenError::SizeOverflow(size.to_string());
        let mut polynomial = RowPolynomial::default();
        for (atoms, coefficient) in size.terms() {
            let mut degree = 0;
            let mut product = coefficient;
            for atom in atoms {
                match atom {
                    SizeAtom::Rows(_) => degree += 1,
                    SizeAtom::Datum(name) => {
                        let value = self.data.get(name);
                        let value =
                            value.ok_or_else(|| CodegenError::UnknownSize(name.to_string()))?;
                        product = product.checked_mul(*value).ok_or_else(overflow)?;
                    }
                    SizeAtom::AllRows | SizeAtom::Branches => {
                        return Err(CodegenError::UnknownSize(atom.to_string()));
                    }
                    SizeAtom::StrictTriangle(n) => {
                        let n = self.resolve(n)?.as_constant();
                        let n = n.ok_or_else(|| CodegenError::UnknownSize(size.to_string()))?;
                        let below = n.checked_sub(1).ok_or_else(overflow)?;
                        let pairs = n.checked_mul(below).ok_or_else(overflow)? / 2;
                        product = product.checked_mul(pairs).ok_or_else(overflow)?;
                    }
                }
            }
            polynomial.add_term(degree, product).ok_or_else(overflow)?;
        }
        Ok(polynomial)
    }
}

/// A polynomial in the number of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowPolynomial {
    /// Of each power, the constant first; the last is not zero.
    coefficients: Vec<i64>,
}

impl RowPolynomial {
    fn add_term(&mut self, degree: usize, coefficient: i64) -> Option<()> {
        if self.coefficients.len() <= degree {
            self.coefficients.resize(degree + 1, 0);
        }
        self.coefficients[degree] = self.coefficients[degree].checked_add(coefficient)?;
        while self.coefficients.last() == Some(&0) {
            self.coefficients.pop();
        }
        Some(())
    }

    /// Coefficients of each power, the constant first.
    pub fn coefficients(&self) -> &[i64] {
        &self.coefficients
    }

    /// The number, where the rows do not matter.
    pub fn as_constant(&self) -> Option<i64> {
        match self.coefficients.as_slice() {
            [] => Some(0),
            [constant] => Some(*constant),
            _ => None,
        }
    }

    /// Whether it is the number of rows itself.
    pub fn is_rows(&self) -> bool {
        self.coefficients == [0, 1]
    }

    /// Its value, or nothing when it overflows.
    pub fn at(&self, n_rows: usize) -> Option<i64> {
        let n_rows = i64::try_from(n_rows).ok()?;
        self.coefficients.iter().rev().try_fold(0_i64, |value, coefficient| {
            value.checked_mul(n_rows)?.checked_add(*coefficient)
        })
    }

    /// The extent it means at most, for any number of rows up to `max_rows`.
    pub fn upper_bound(&self, max_rows: usize) -> Option<usize> {
        let only_growing =
            RowPolynomial { coefficients: self.coefficients.iter().map(|c| (*c).max(0)).collect() };
        match self.as_constant() {
            Some(constant) => Some(usize::try_from(constant).unwrap_or(0)),
            None => usize::try_from(only_growing.at(max_rows)?).ok(),
        }
    }

    /// Whether it can be below zero for some number of rows.
    pub fn may_be_negative(&self) -> bool {
        self.coefficients.iter().any(|coefficient| *coefficient < 0)
    }

    /// `n (n - 1) / 2` of this `n`, where it is `packed`.
    pub fn is_triangular_root_of(&self, packed: &RowPolynomial) -> bool {
        // Both sides are polynomials of degree at most 2d; equal at more points, equal
        // everywhere. For constants one point is enough.
        let degree = 2 * self.coefficients.len().max(packed.coefficients.len());
        (0..=degree).all(|n_rows| {
            let triangle = |n: i64| n.checked_mul(n.checked_sub(1)?).map(|twice| twice / 2);
            match (self.at(n_rows).map(|n| n.max(0)).map(triangle), packed.at(n_rows)) {
                (Some(Some(expected)), Some(packed)) => expected == packed.max(0),
                _ => false,
            }
        })
    }
}
