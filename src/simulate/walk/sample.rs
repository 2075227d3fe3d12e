//! Drawing what stands left of `~`: where it lies, what it may be, and why there is no draw.

use super::super::SimulateError;
use super::super::draw::{self, Allowed, NoDraw, outcomes};
use super::super::drawn::{base, reads};
use super::{Result, Walk, spread};
use crate::builtin::Distribution;
use crate::check::typed::{Constraint, ExprId, ExprKind, SymbolId, SymbolKind};
use crate::ty::Role;

impl Walk<'_> {
    /// Draws what stands left of `~`, where that is still to be drawn.
    pub(super) fn sample(
        &mut self,
        lhs: ExprId,
        distribution: &'static Distribution,
        args: &[ExprId],
    ) -> Result<()> {
        let Some((symbol, places)) = self.places(lhs)? else { return Ok(()) };
        let sizes = |l: &Self, id: ExprId, rank: usize| -> usize {
            let dims = l.model.exprs[id].ty.dims();
            dims[dims.len() - rank..].iter().map(|size| l.extent(size)).product()
        };
        let length = sizes(self, lhs, distribution.outcome.rank());
        let n = places.len() / length.max(1);
        let ranks = distribution.params.iter().map(|param| param.kind.rank());
        let lengths: Vec<usize> =
            args.iter().zip(ranks).map(|(&arg, rank)| sizes(self, arg, rank)).collect();
        if self.is_kept(symbol) {
            return self.sample_empty((symbol, &places), distribution, args, &lengths);
        }
        let args = args.iter().map(|&arg| self.eval(arg)).collect::<Result<Vec<_>>>()?;
        let allowed = self.allowed(symbol, lhs)?;
        let stream = &mut self.stream;
        let drawn = outcomes(distribution, (n, length), &args, &lengths, &allowed, stream);
        let drawn = match drawn {
            Err(NoDraw::Argument | NoDraw::Bounds) if self.lenient => vec![f64::NAN; places.len()],
            Err(why) => return Err(self.no_draw(why, symbol, distribution, &args, lhs)),
            Ok(drawn) => drawn,
        };
        self.put(symbol, &places, &drawn);
        Ok(())
    }

    /// The same for a distribution of the author's own, whose draw is `value`. It cannot be left
    /// out of the density, so what keeps its values has them all here.
    pub(super) fn sample_own(&mut self, lhs: ExprId, value: ExprId) -> Result<()> {
        let Some((symbol, places)) = self.places(lhs)? else { return Ok(()) };
        if !self.is_kept(symbol) {
            let value = self.eval(value)?;
            self.put(symbol, &places, &spread(value, places.len()));
        }
        Ok(())
    }

    fn is_kept(&self, symbol: SymbolId) -> bool {
        match self.model.symbols[symbol].kind {
            SymbolKind::Datum(datum) => self.kept.contains(&datum),
            _ => false,
        }
    }

    /// Draws the empty cells among `places`, single numbers, where other values are kept: one
    /// after another where the arguments read those before. NaN where there is no draw.
    fn sample_empty(
        &mut self,
        (symbol, places): (SymbolId, &[usize]),
        distribution: &'static Distribution,
        args: &[ExprId],
        lengths: &[usize],
    ) -> Result<()> {
        let current = self.value(symbol);
        let is_empty = |k: &usize| current[places[*k]].is_nan();
        let empty: Vec<usize> = (0..places.len()).filter(is_empty).collect();
        let is_read = args.iter().any(|&arg| reads(self.model, arg, symbol));
        let at_once = if is_read { 1 } else { empty.len().max(1) };
        for wanted in empty.chunks(at_once) {
            let args = args.iter().map(|&arg| self.eval(arg)).collect::<Result<Vec<_>>>()?;
            for &k in wanted {
                let drawn = draw::number(distribution, &args, lengths, k, &mut self.stream);
                self.put(symbol, &places[k..=k], &[drawn]);
            }
        }
        Ok(())
    }

    fn no_draw(
        &self,
        why: NoDraw,
        symbol: SymbolId,
        distribution: &Distribution,
        args: &[Vec<f64>],
        lhs: ExprId,
    ) -> SimulateError {
        let name = &self.model.symbols[symbol].name;
        let law = distribution.name;
        let message = match why {
            NoDraw::Argument if args.iter().flatten().any(|arg| arg.is_nan()) => format!(
                "`{name}` cannot be drawn: an argument of `{law}` is not a number here; perhaps it \
                 reads what is drawn further down, or never"
            ),
            NoDraw::Argument => format!(
                "`{name}` cannot be drawn: an argument of `{law}` is outside its domain here"
            ),
            NoDraw::Bounds => format!(
                "`{name}` cannot be drawn: `{law}` hardly ever falls within its declared bounds"
            ),
            NoDraw::Different => format!(
                "`{name}` cannot be drawn: its elements increase, and `{law}` has different \
                 arguments for them; give its values with `--at`"
            ),
        };
        SimulateError::Statement { message, span: self.model.exprs[lhs].span }
    }

    /// What is to be drawn by a left side, and where its elements lie in it. `None` if it is
    /// given.
    fn places(&mut self, lhs: ExprId) -> Result<Option<(SymbolId, Vec<usize>)>> {
        let model = self.model;
        let Some(symbol) = base(model, lhs) else {
            return match model.exprs[lhs].role {
                Role::Data => Ok(None),
                _ if self.is_given => Ok(None),
                _ => Err(SimulateError::Statement {
                    message: "what stands left of `~` here is no unknown but computed from some, \
                              and cannot be drawn: give values of the unknowns with `--at`"
                        .to_string(),
                    span: model.exprs[lhs].span,
                }),
            };
        };
        let is_drawn = match model.symbols[symbol].kind {
            SymbolKind::Datum(datum) => self.drawn.contains_key(&datum),
            SymbolKind::Unknown { .. } => !self.is_given,
            _ => false,
        };
        if !is_drawn {
            return Ok(None);
        }
        let places = self.elements(symbol, lhs)?;
        let current = self.value(symbol);
        let is_open = |place: usize| match model.symbols[symbol].kind {
            SymbolKind::Datum(datum) if self.kept.contains(&datum) => {
                self.data.is_empty_cell(datum, self.range(datum).start + place)
            }
            _ => true,
        };
        if places.iter().any(|&place| is_open(place) && !current[place].is_nan()) {
            let name = &model.symbols[symbol].name;
            let message = format!(
                "`{name}` stands left of `~` more than once, and what the density then is \
                 cannot be drawn: give its values with `--at`"
            );
            return Err(SimulateError::Statement { message, span: model.exprs[lhs].span });
        }
        Ok(Some((symbol, places)))
    }

    /// Where the elements of a left side lie in its symbol.
    fn elements(&mut self, symbol: SymbolId, lhs: ExprId) -> Result<Vec<usize>> {
        let length = self.length(symbol);
        let model = self.model;
        match &model.exprs[lhs].kind {
            ExprKind::Symbol(_) => return Ok((0..length).collect()),
            ExprKind::Index(whole, subscripts) => {
                let is_whole = matches!(model.exprs[*whole].kind, ExprKind::Symbol(_));
                let rank = model.symbols[symbol].ty.dims().len();
                if let ([Some(index)], true, 1) = (subscripts.as_slice(), is_whole, rank) {
                    return Ok(vec![self.eval(*index)?[0] as usize - 1]);
                }
            }
            _ => {}
        }
        // The left side of the numbers 0, 1, 2, … tells where its elements lie.
        let numbers: Vec<f64> = (0..length).map(|k| k as f64).collect();
        let before = self.values.insert(symbol, numbers);
        let places = self.eval(lhs);
        match before {
            Some(values) => self.values.insert(symbol, values),
            None => self.values.remove(&symbol),
        };
        Ok(places?.into_iter().map(|place| place as usize).collect())
    }

    fn allowed(&mut self, symbol: SymbolId, lhs: ExprId) -> Result<Allowed> {
        let model = self.model;
        let SymbolKind::Unknown { constraint, .. } = &model.symbols[symbol].kind else {
            return Ok(Allowed::All);
        };
        let last = model.symbols[symbol].ty.dims().last().map_or(1, |size| self.extent(size));
        let whole = matches!(model.exprs[lhs].kind, ExprKind::Symbol(_));
        Ok(match constraint {
            Constraint::Lower(low) => Allowed::Between(Some(self.eval(*low)?), None),
            Constraint::Upper(high) => Allowed::Between(None, Some(self.eval(*high)?)),
            Constraint::LowerUpper(low, high) => {
                Allowed::Between(Some(self.eval(*low)?), Some(self.eval(*high)?))
            }
            Constraint::Ordered if whole => Allowed::Increasing(last, f64::NEG_INFINITY),
            Constraint::PositiveOrdered if whole => Allowed::Increasing(last, 0.0),
            _ => Allowed::All,
        })
    }

    fn put(&mut self, symbol: SymbolId, places: &[usize], values: &[f64]) {
        let all = match self.model.symbols[symbol].kind {
            SymbolKind::Datum(datum) => self.drawn.get_mut(&datum),
            _ => self.values.get_mut(&symbol),
        };
        let all = all.expect("only what is drawn is put");
        for (place, value) in places.iter().zip(values) {
            all[*place] = *value;
        }
    }
}
