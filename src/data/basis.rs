//! Data in the terms of other data: parts of a data set, and new rows for a model that was fitted.
//!
//! The levels of factors, the means and deviations of `standardize`, and whole data computed from
//! all rows belong to the data of the fit. Rows that are scored or predicted are read in the same
//! terms, whatever they are themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bound::BoundData;
use super::error::{DataError, DataErrorKind};
use super::group::{Grouping, Listed};
use super::keys::KeyTexts;
use crate::schema::Origin;
use crate::ty::Level;

/// What whole data are made of, where that is not the rows at hand.
#[derive(Debug)]
pub(super) struct Basis {
    pub(super) n_rows: usize,
    pub(super) n_branches: usize,
    /// Mean and standard deviation of each column of a standardised datum.
    pub(super) scales: BTreeMap<usize, Vec<(f64, f64)>>,
}

impl BoundData {
    /// The basis of these data: their own rows, unless they have one of other data.
    pub(super) fn own_basis(&self) -> Result<Arc<Basis>, DataError> {
        if let Some(basis) = &self.basis {
            return Ok(Arc::clone(basis));
        }
        let mut scales = BTreeMap::new();
        for (position, datum) in self.schema.data.iter().enumerate() {
            if let Origin::Standardized(of) = datum.origin {
                scales.insert(position, self.scales(of, position)?);
            }
        }
        let (n_rows, n_branches) = (self.n_rows_total(), self.n_branches());
        Ok(Arc::new(Basis { n_rows, n_branches, scales }))
    }

    /// Rows of all branches that whole data are made of.
    pub fn n_rows_of_whole(&self) -> usize {
        self.basis.as_ref().map_or(self.n_rows_total(), |basis| basis.n_rows)
    }

    /// Branches that whole data are made of.
    pub fn n_branches_of_whole(&self) -> usize {
        self.basis.as_ref().map_or(self.n_branches(), |basis| basis.n_branches)
    }

    /// Takes the values of whole derived datum `datum` from `other`, bound to the same schema.
    pub fn copy_whole(&mut self, datum: usize, other: &BoundData) {
        self.inner[datum] = other.inner[datum];
        self.values[datum].clone_from(&other.values[datum]);
    }

    /// These branches alone, in this order, which must be that of the keys. Levels of factors and
    /// tables stay as they are. Derived data are left to be computed; standardised data and whole
    /// data are those of `basis`, or of what is left where there is none.
    ///
    /// # Errors
    /// When what is left of a column cannot be standardised.
    pub fn part(
        &self,
        branches: &[usize],
        basis: Option<&BoundData>,
    ) -> Result<BoundData, DataError> {
        let mut part = BoundData {
            grouping: Arc::new(self.grouping.part(branches)),
            basis: basis.map(BoundData::own_basis).transpose()?,
            ..self.clone()
        };
        let n_data = self.schema.data.len();
        for datum in 0..n_data {
            let is_read = !matches!(
                self.schema.data[datum].origin,
                Origin::Derived | Origin::Standardized(_)
            );
            let take = |values: &Arc<Vec<f64>>| self.values_of(datum, values, branches);
            part.values[datum] = self.values[datum].as_ref().filter(|_| is_read).map(take);
            part.present[datum] = self.present[datum].as_ref().map(take);
        }
        for datum in (0..n_data).filter(|&datum| part.values[datum].is_some()).collect::<Vec<_>>() {
            part.fill_missing(datum);
        }
        for datum in (0..n_data).filter(|&datum| part.values[datum].is_some()).collect::<Vec<_>>() {
            part.standardize(datum)?;
        }
        Ok(part)
    }

    /// What `values` of a datum hold for these branches.
    fn values_of(&self, datum: usize, values: &Arc<Vec<f64>>, branches: &[usize]) -> Arc<Vec<f64>> {
        let (declared, inner) = (&self.schema.data[datum], self.inner[datum]);
        let units = |branch: usize| match declared.per_row {
            true => self.rows(branch),
            false => branch..branch + 1,
        };
        if !declared.per_row && declared.level == Level::Whole {
            return Arc::clone(values);
        }
        let of_branch = |&branch: &usize| {
            let units = units(branch);
            values[units.start * inner..units.end * inner].iter().copied()
        };
        Arc::new(branches.iter().flat_map(of_branch).collect())
    }

    /// Parts whole branches at random, `⌊n · fraction⌋` of them but at least one: the branches
    /// that are kept, and those that are left out. As for rows, the draw is of the bound order.
    ///
    /// # Errors
    /// When there are fewer than two branches.
    pub fn hold_out_branches(
        &self,
        fraction: f64,
        seed: u64,
    ) -> Result<(Vec<usize>, Vec<usize>), DataError> {
        let n = self.n_branches();
        if n < 2 {
            let message = "there are fewer than two branches, so none can be held out";
            return Err(DataError::new(DataErrorKind::HoldOut, message)
                .help("hold out rows with `--holdout`, or leave the hold-out away"));
        }
        let mut mask = vec![1.0; n];
        super::holdout::hold_out_some(&mut mask, fraction, seed);
        Ok((0..n).partition(|&branch| mask[branch] == 1.0))
    }
}

impl Grouping {
    /// These branches alone.
    fn part(&self, branches: &[usize]) -> Grouping {
        let n_components = self.key_columns.len();
        let mut keys = KeyTexts::new(n_components);
        let mut offsets = vec![0];
        let mut order = Vec::new();
        for &branch in branches {
            self.keys.get(branch).iter().for_each(|text| keys.push(text.as_bytes()));
            order.extend(self.rows(branch).map(|row| self.as_read(row) as u32));
            offsets.push(order.len());
        }
        let listed = self.listed.as_ref().map(|listed| Listed {
            lines: listed.lines.clone(),
            rows: branches.iter().map(|&branch| listed.rows[branch]).collect(),
        });
        let (key_columns, lines) = (self.key_columns.clone(), self.lines.clone());
        Grouping { keys, key_columns, offsets, order: Some(order), lines, listed }
    }
}
