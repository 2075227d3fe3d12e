//! Checks of bound values against their declarations: sizes and bounds.
//!
//! What depends on derived data is checked once these are computed.

use std::sync::Arc;

use std::ops::Range;

use super::bound::BoundData;
use super::error::{DataError, DataErrorKind, Places, show_number};
use super::plan::wrong_count;
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
        self.check_dependents(datum)
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

    fn check_dependents(&self, computed: usize) -> Result<(), DataError> {
        let name = &self.schema.data[computed].name;
        for (position, datum) in self.schema.data.iter().enumerate() {
            let sized = datum.dims.iter().flat_map(|size| size.atoms());
            if sized.into_iter().any(|a| matches!(a, SizeAtom::Datum(n) if **n == **name)) {
                self.check_size(position)?;
            }
            let names_it = |bound: Option<&Bound>| bound == Some(&Bound::Datum(computed));
            let bounded = names_it(datum.lower.as_ref()) || names_it(datum.upper.as_ref());
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
        let dims = &datum.dims[usize::from(datum.per_row).min(datum.dims.len())..];
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
            Origin::Column(_) | Origin::Columns(_) if self.columns[datum].len() != wanted => {
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
                    (!side.holds(value, limit)).then_some((at, limit))
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
            let offset = if inner == values.len() { position } else { 0 };
            let beyond = self
                .matching_units(datum, unit, other)
                .filter_map(|limit_unit| limits.get(limit_unit * inner + offset))
                .find(|limit| !side.holds(value, **limit));
            if let Some(&limit) = beyond {
                outside.push((unit * self.inner[datum].max(1) + position, limit));
            }
        }
    }

    /// The units of `other` that belong to a unit of `datum`: the same, the one it lies in, or
    /// all that lie in it.
    fn matching_units(&self, datum: usize, unit: usize, other: usize) -> Range<usize> {
        let (from, to) = (&self.schema.data[datum], &self.schema.data[other]);
        let branch = || if from.per_row { self.grouping.branch_of(unit) } else { unit };
        match (from.level, to.level) {
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
        match (declared.per_row, declared.level) {
            (true, _) => self.grouping.as_read(unit),
            (false, Level::Branch) => {
                self.rows(unit).map(|row| self.grouping.as_read(row)).min().unwrap_or(0)
            }
            (false, Level::Whole) => 0,
        }
    }

    /// Where a unit stands: line and branch, or how it was set.
    fn unit_place(&self, datum: usize, unit: usize) -> String {
        let declared = &self.schema.data[datum];
        if declared.level == Level::Whole {
            return match declared.origin {
                Origin::Set => format!("`--set {}`", declared.name),
                _ => "whole data".to_string(),
            };
        }
        let branch = if declared.per_row { self.grouping.branch_of(unit) } else { unit };
        let row = self.unit_as_read(datum, unit);
        format!("{}, branch {}", self.grouping.lines.place(row), self.grouping.label(branch))
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
