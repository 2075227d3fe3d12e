//! Empty cells of outcomes: which there are, and what stands in their place.

use std::sync::Arc;

use super::bound::BoundData;
use super::error::{DataError, DataErrorKind};
use crate::schema::{Bound, Datum, Origin};
use crate::ty::Element;

/// What stands in empty cells where no cell has a value.
const PLACEHOLDER: f64 = 1.0;

impl BoundData {
    /// Notes which cells of `datum`, read as NaN, are empty, fills these, and tells the data that
    /// say which are there.
    pub(super) fn note_missing(&mut self, datum: usize) {
        let values = self.values(datum);
        let present: Vec<f64> = values.iter().map(|x| f64::from(u8::from(!x.is_nan()))).collect();
        let present = Arc::new(present);
        for position in 0..self.schema.data.len() {
            if self.schema.data[position].origin == Origin::Observed(datum) {
                self.inner[position] = self.inner[datum];
                self.values[position] = Some(Arc::clone(&present));
            }
        }
        self.present[datum] = Some(present);
        self.fill_missing(datum);
    }

    /// Gives empty cells the first value that is there, moved into the bounds of their place as
    /// far as these are known. No density depends on it, but each is finite there.
    pub(super) fn fill_missing(&mut self, datum: usize) {
        let Some(present) = self.present[datum].clone() else { return };
        if !present.contains(&0.0) {
            return;
        }
        let first = present.iter().position(|&is_there| is_there == 1.0);
        let declared = &self.schema.data[datum];
        let in_fit = || self.usual.get(&declared.name).copied();
        let usual = first.map(|at| self.values(datum)[at]).or_else(in_fit);
        let value = |at: usize| match present[at] {
            0.0 => self.within_bounds(declared, datum, at, usual),
            _ => self.values(datum)[at],
        };
        let filled = (0..present.len()).map(value).collect();
        self.values[datum] = Some(Arc::new(filled));
    }

    fn within_bounds(&self, declared: &Datum, datum: usize, at: usize, usual: Option<f64>) -> f64 {
        let limit = |bound: &Option<Bound>| match bound.as_ref()? {
            Bound::Number(limit) => Some(*limit),
            Bound::Datum(other) => self.limit_at(datum, at, *other),
        };
        let (lower, upper) = (limit(&declared.lower), limit(&declared.upper));
        let wanted = match (usual, lower, upper, declared.element) {
            (Some(usual), ..) => usual,
            // In the middle every density on the interval is finite.
            (None, Some(lower), Some(upper), Element::Real) => f64::midpoint(lower, upper),
            (None, Some(lower), None, Element::Real) => lower + PLACEHOLDER,
            (None, None, Some(upper), Element::Real) => upper - PLACEHOLDER,
            _ => PLACEHOLDER,
        };
        let not_below = lower.map_or(wanted, |lower| wanted.max(lower));
        upper.map_or(not_below, |upper| not_below.min(upper))
    }

    /// Whether a number of a datum stands in an empty cell.
    pub(crate) fn is_empty_cell(&self, datum: usize, at: usize) -> bool {
        self.present[datum].as_ref().is_some_and(|present| present[at] == 0.0)
    }

    /// Says that all cells of a datum are empty, for which `prepare_drawn` made room.
    pub(crate) fn note_absent(&mut self, datum: usize) {
        self.values[datum] = Some(Arc::new(vec![f64::NAN; self.values(datum).len()]));
        self.note_missing(datum);
    }

    /// How many cells of a datum are empty.
    pub fn n_missing(&self, datum: usize) -> usize {
        let present = self.present[datum].as_ref();
        present.map_or(0, |present| present.iter().filter(|&&is_there| is_there == 0.0).count())
    }

    /// Data with empty cells are read as outcomes alone; those that are drawn in turn may be read
    /// where empty cells are the last of their branch.
    pub(crate) fn check_missing_reads(&self) -> Result<(), DataError> {
        for &(datum, span) in &self.schema.missing_reads {
            let is_in_turn = self.schema.drawn_in_turn.contains(&datum);
            match self.gap(datum) {
                Some(at) if is_in_turn => return Err(self.gap_read(datum, at).at(span)),
                _ if is_in_turn || self.n_missing(datum) == 0 => {}
                _ => return Err(self.missing_read(datum).at(span)),
            }
        }
        Ok(())
    }

    /// An empty cell that a value follows, further down in the branch; further on in it where the
    /// datum is of branches.
    fn gap(&self, datum: usize) -> Option<usize> {
        let stride = if self.schema.data[datum].per_row { self.inner[datum].max(1) } else { 1 };
        (0..self.n_branches()).find_map(|branch| {
            let places = self.places(datum, branch);
            let is_gap = |&at: &usize| {
                let next = at + stride;
                next < places.end
                    && self.is_empty_cell(datum, at)
                    && !self.is_empty_cell(datum, next)
            };
            places.clone().find(is_gap)
        })
    }

    fn gap_read(&self, datum: usize, at: usize) -> DataError {
        let name = &self.schema.data[datum].name;
        let place = self.unit_place(datum, at / self.inner[datum].max(1));
        let message = format!(
            "{place}: `{name}` has an empty cell here and values after it, and the model reads its \
             values"
        );
        DataError::new(DataErrorKind::MissingRead, message).help(format!(
            "what a later value of `{name}` is drawn from would read the empty cell: cells may be \
             empty at the end of a branch alone; fill the cell in, or empty those after it too"
        ))
    }

    /// Values to put into the empty cells of a datum by turns, to see what reads them.
    pub(crate) fn fillers(&self, datum: usize) -> Vec<f64> {
        let values = self.values(datum).iter().enumerate();
        let there = values.filter(|(at, _)| !self.is_empty_cell(datum, *at)).map(|(_, x)| *x);
        let usual = self.usual.get(&self.schema.data[datum].name).copied();
        let known: Vec<f64> = there.chain(usual).collect();
        let least = known.iter().copied().reduce(f64::min).unwrap_or(PLACEHOLDER);
        let most = known.iter().copied().reduce(f64::max).unwrap_or(PLACEHOLDER);
        match least < most {
            true => vec![least, most],
            // Whichever of these the bounds of the cells allow.
            false => vec![least - 1.0, most + 1.0],
        }
    }

    /// Puts another value into the empty cells of a datum, as far as their bounds allow it.
    pub(crate) fn refill(&mut self, datum: usize, value: f64) {
        let Some(present) = self.present[datum].clone() else { return };
        let declared = &self.schema.data[datum];
        let of_cell = |at: usize| match present[at] {
            0.0 => self.within_bounds(declared, datum, at, Some(value)),
            _ => self.values(datum)[at],
        };
        let filled = (0..present.len()).map(of_cell).collect();
        self.values[datum] = Some(Arc::new(filled));
    }

    fn missing_read(&self, datum: usize) -> DataError {
        let name = &self.schema.data[datum].name;
        let present = self.present[datum].as_ref();
        let first = present.and_then(|present| present.iter().position(|&there| there == 0.0));
        let place = self.unit_place(datum, first.unwrap_or(0) / self.inner[datum].max(1));
        let cells = match self.n_missing(datum) {
            1 => "an empty cell".to_string(),
            n => format!("{n} empty cells, the first of them here"),
        };
        let message = format!("{place}: `{name}` has {cells}, and the model reads its values");
        DataError::new(DataErrorKind::MissingRead, message).help(format!(
            "an empty cell has no value, so `{name}` may stand left of `~` alone: there weigh \
             terms of your own with `observed({name})`, or fill in the cells"
        ))
    }
}
