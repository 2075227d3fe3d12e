//! Checks of bound values against their declarations: sizes and bounds.
//!
//! What depends on derived data is checked once these are computed.

use std::sync::Arc;

use std::ops::Range;

use super::bound::BoundData;
use super::error::{DataError, DataErrorKind, Places, show_number};
use super::plan::{File, wrong_count};
use super::set::check_shape;
use crate::schema::{Bound, Datum, Origin};
use crate::ty::{Element, Level, SizeAtom};

/// Which side a bound is on.
#[derive(Clone, Copy)]
enum Side {
    Lower,
    Upper,
}

impl Side {
    fn of(self, datum: &Datum) -> Option<&Bound> {
        match self {
            Side::Lower => datum.lower.as_ref(),
            Side::Upper => datum.upper.as_ref(),
        }
    }

    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Side::Lower => value >= bound,
            Side::Upper => value <= bound,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Side::Lower => "below",
            Side::Upper => "above",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Side::Lower => "lower",
            Side::Upper => "upper",
        }
    }
}

impl BoundData {
    /// Stores the values of a derived datum, in the layout of [`BoundData::values`], and checks
    /// them and what depends on them.
    ///
    /// # Panics
    ///
    /// If the datum is not a derived one, or there are not as many values as it has.
    pub fn set_derived(&mut self, datum: usize, values: Vec<f64>) -> Result<(), DataError> {
        let declared = &self.schema.data[datum];
        assert_eq!(declared.origin, Origin::Derived, "only derived data are computed");
        let n_units = self.n_units(datum);
        self.inner[datum] = match self.declared_inner(datum)? {
            Some(dims) => {
                let inner = product(declared, &dims)?;
                assert_eq!(values.len(), n_units * inner, "values have the declared shape");
                inner
            }
            None => values.len().checked_div(n_units).unwrap_or(0),
        };
        self.check_computed(datum, &values)?;
        self.values[datum] = Some(Arc::new(values));
        self.standardize(datum)?;
        self.check_dependents(datum)
    }

    /// What can be said once all columns are read.
    pub(super) fn after_reading(&mut self) -> Result<(), DataError> {
        for datum in 0..self.schema.data.len() {
            if self.schema.data[datum].may_be_missing && self.values[datum].is_some() {
                self.note_missing(datum);
            }
        }
        for datum in
            (0..self.schema.data.len()).filter(|&k| self.values[k].is_some()).collect::<Vec<_>>()
        {
            self.standardize(datum)?;
        }
        (0..self.schema.data.len()).try_for_each(|datum| self.check_bounds(datum))?;
        self.check_missing_reads()
    }

    fn check_computed(&self, datum: usize, values: &[f64]) -> Result<(), DataError> {
        let declared = &self.schema.data[datum];
        let fits = |value: &f64| match declared.element {
            Element::Int => value.fract() == 0.0,
            Element::Real => !value.is_nan(),
        };
        let Some(at) = values.iter().position(|value| !fits(value)) else {
            return Ok(());
        };
        let unit = at / self.inner[datum].max(1);
        let wanted = match declared.element {
            Element::Int => "a whole number",
            Element::Real => "a number",
        };
        let place = self.unit_place(datum, unit);
        let shown = show_number(values[at]);
        let message = format!("{place}: computed `{}` is {shown}, not {wanted}", declared.name);
        Err(DataError::new(DataErrorKind::NotANumber, message)
            .help("look at the data it is computed from: a logarithm of 0, a division by 0?")
            .at(declared.span))
    }

    fn check_dependents(&mut self, computed: usize) -> Result<(), DataError> {
        let name = self.schema.data[computed].name.clone();
        for position in 0..self.schema.data.len() {
            let datum = &self.schema.data[position];
            let sized = datum.dims.iter().flat_map(|size| size.atoms());
            if sized.into_iter().any(|a| matches!(a, SizeAtom::Datum(n) if **n == *name)) {
                self.check_size(position)?;
            }
            let names_it = |bound: Option<&Bound>| bound == Some(&Bound::Datum(computed));
            let bounded = names_it(datum.lower.as_ref()) || names_it(datum.upper.as_ref());
            if bounded {
                self.fill_missing(position);
            }
            if position == computed || bounded {
                self.check_bounds(position)?;
            }
        }
        Ok(())
    }

    /// The declared dimensions but for the rows; none if some are not known yet.
    fn declared_inner(&self, datum: usize) -> Result<Option<Vec<usize>>, DataError> {
        let datum = &self.schema.data[datum];
        let count = self.schema.rows.as_ref().and_then(|rows| rows.count);
        let n_rows = count.and_then(|count| usize::try_from(count).ok());
        let n_outer = usize::from(datum.per_row || datum.table.is_some());
        let dims = &datum.dims[n_outer.min(datum.dims.len())..];
        let known = dims.iter().map(|size| self.known_size(size, n_rows));
        known.collect::<Result<Option<Vec<usize>>, DataError>>().map_err(|e| e.at(datum.span))
    }

    /// The number of columns, or the shape of a setting, against the declared sizes.
    pub(super) fn check_size(&self, datum: usize) -> Result<(), DataError> {
        let declared = &self.schema.data[datum];
        let Some(dims) = self.declared_inner(datum)? else {
            return Ok(());
        };
        let wanted = product(declared, &dims)?;
        match &declared.origin {
            Origin::Set => match self.settings.get(&declared.name) {
                Some(setting) => check_shape(declared, setting, &dims),
                None => Ok(()),
            },
            Origin::Column(_) | Origin::Columns(_) | Origin::Equals { .. }
                if self.columns[datum].len() != wanted =>
            {
                Err(wrong_count(declared, &self.columns[datum], wanted))
            }
            _ => Ok(()),
        }
    }

    /// Every value against the declared bounds that are known.
    pub(super) fn check_bounds(&self, datum: usize) -> Result<(), DataError> {
        self.check_side(datum, Side::Lower)?;
        self.check_side(datum, Side::Upper)
    }

    fn check_side(&self, datum: usize, side: Side) -> Result<(), DataError> {
        let declared = &self.schema.data[datum];
        let Some(bound) = side.of(declared) else {
            return Ok(());
        };
        let inner = self.inner[datum].max(1);
        let mut outside = Vec::new();
        match *bound {
            Bound::Number(limit) => {
                let beyond = |(at, &value): (usize, &f64)| {
                    let is_out = !side.holds(value, limit) && !self.is_empty_cell(datum, at);
                    is_out.then_some((at, limit))
                };
                outside.extend(self.values(datum).iter().enumerate().filter_map(beyond));
            }
            Bound::Datum(other) => {
                for (unit, values) in self.values(datum).chunks(inner).enumerate() {
                    self.compare_unit((datum, unit, values), other, side, &mut outside);
                }
            }
        }
        match self.name_outside(datum, outside, side) {
            Some(error) => Err(error.at(declared.span)),
            None => Ok(()),
        }
    }

    /// Notes the values of one unit that lie beyond the bound of a value of datum `other`.
    fn compare_unit(
        &self,
        (datum, unit, values): (usize, usize, &[f64]),
        other: usize,
        side: Side,
        outside: &mut Vec<(usize, f64)>,
    ) {
        let limits = self.values(other);
        let inner = self.inner[other].max(1);
        if limits.is_empty() {
            return;
        }
        for (position, &value) in values.iter().enumerate() {
            let at = unit * self.inner[datum].max(1) + position;
            let offset = if inner == values.len() { position } else { 0 };
            let beyond = self
                .matching_units(datum, unit, other)
                .filter(|limit_unit| !self.is_empty_cell(other, limit_unit * inner + offset))
                .filter_map(|limit_unit| limits.get(limit_unit * inner + offset))
                .find(|limit| !side.holds(value, **limit));
            if let Some(&limit) = beyond.filter(|_| !self.is_empty_cell(datum, at)) {
                outside.push((at, limit));
            }
        }
    }

    /// What the value of datum `other` is that belongs to a number of `datum`, if it is known.
    pub(super) fn limit_at(&self, datum: usize, at: usize, other: usize) -> Option<f64> {
        let (own, inner) = (self.inner[datum].max(1), self.inner[other].max(1));
        let offset = if inner == own { at % own } else { 0 };
        let unit = self.matching_units(datum, at / own, other).next()?;
        self.values(other).get(unit * inner + offset).copied()
    }

    /// The units of `other` that belong to a unit of `datum`: the same, the one it lies in, or
    /// all that lie in it.
    fn matching_units(&self, datum: usize, unit: usize, other: usize) -> Range<usize> {
        let (from, to) = (&self.schema.data[datum], &self.schema.data[other]);
        let branch = || if from.per_row { self.grouping.branch_of(unit) } else { unit };
        match (from.level, to.level) {
            (Level::Whole, Level::Whole) if to.table.is_some() && from.table == to.table => {
                unit..unit + 1
            }
            (_, Level::Whole) => 0..1,
            (Level::Whole, Level::Branch) => 0..self.n_units(other),
            (Level::Branch, Level::Branch) => match (from.per_row, to.per_row) {
                (true, true) | (false, false) => unit..unit + 1,
                (true, false) => branch()..branch() + 1,
                (false, true) => self.rows(unit),
            },
        }
    }

    /// The error for values outside a bound, given by position and limit; those that come first
    /// in the file are named.
    fn name_outside(
        &self,
        datum: usize,
        mut outside: Vec<(usize, f64)>,
        side: Side,
    ) -> Option<DataError> {
        let declared = &self.schema.data[datum];
        let inner = self.inner[datum].max(1);
        outside.sort_by_key(|(at, _)| (self.unit_as_read(datum, at / inner), *at));
        let help = format!("mend the data, or the declared bound of `{}`", declared.name);
        let mut places = Places::default();
        for (at, limit) in outside {
            places.add_with_help(DataErrorKind::OutOfRange, Some(help.clone()), || {
                let place = self.unit_place(datum, at / inner);
                let what = self.value_name(datum, at % inner);
                let value = show_number(self.values(datum)[at]);
                let limit = self.limit_text(declared, side, limit);
                format!("{place}: {what} is {value}, {} {limit}", side.word())
            });
        }
        places.into_error()
    }

    fn limit_text(&self, declared: &Datum, side: Side, limit: f64) -> String {
        let limit = show_number(limit);
        match side.of(declared) {
            Some(Bound::Datum(other)) => {
                let name = &self.schema.data[*other].name;
                format!("its {} bound `{name}`, here {limit}", side.name())
            }
            _ => format!("its {} bound {limit}", side.name()),
        }
    }

    /// What a value is called: its column where it has one.
    fn value_name(&self, datum: usize, offset: usize) -> String {
        let name = &self.schema.data[datum].name;
        match self.columns[datum].get(offset) {
            Some(column) if column == name => format!("`{name}`"),
            Some(column) => format!("`{name}` (column `{column}`)"),
            None => format!("`{name}`"),
        }
    }

    /// The row, in order of reading, that shows a unit first.
    fn unit_as_read(&self, datum: usize, unit: usize) -> usize {
        let declared = &self.schema.data[datum];
        match (declared.per_row, declared.level, declared.table) {
            (true, ..) => self.grouping.as_read(unit),
            (false, Level::Branch, _) => match (self.homes[datum], &self.grouping.listed) {
                (Some(File::Branches), Some(listed)) => listed.rows[unit] as usize,
                _ => self.rows(unit).map(|row| self.grouping.as_read(row)).min().unwrap_or(0),
            },
            (false, Level::Whole, Some(k)) => self.tables[k].rows[unit] as usize,
            (false, Level::Whole, None) => 0,
        }
    }

    /// Where a unit stands: line and branch or key, or how it was set.
    pub(super) fn unit_place(&self, datum: usize, unit: usize) -> String {
        let declared = &self.schema.data[datum];
        if let Some(k) = declared.table {
            let (table, key) = (&self.tables[k], &self.schema.tables[k].key);
            let place = table.lines.place(table.rows[unit] as usize);
            return format!("{place}, {key} = {}", table.keys.names()[unit]);
        }
        if declared.level == Level::Whole {
            return match declared.origin {
                Origin::Set => format!("`--set {}`", declared.name),
                _ => "whole data".to_string(),
            };
        }
        let branch = if declared.per_row { self.grouping.branch_of(unit) } else { unit };
        let label = self.grouping.label(branch);
        let place = match (self.homes[datum], &self.grouping.listed) {
            (Some(File::Branches), Some(listed)) => {
                listed.lines.place(listed.rows[branch] as usize)
            }
            _ if declared.per_row => self.grouping.lines.place(self.grouping.as_read(unit)),
            _ => self.grouping.place_of(branch),
        };
        format!("{place}, branch {label}")
    }
}

fn product(datum: &Datum, dims: &[usize]) -> Result<usize, DataError> {
    dims.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim)).ok_or_else(|| {
        let message = format!("`{}` has more elements than can be counted", datum.name);
        DataError::new(DataErrorKind::Size, message)
            .help("check the whole data its size is made of")
            .at(datum.span)
    })
}
