//! Terms of the density: distributions over outcomes of any shape, and which rows they are of.

use super::Lowerer;
use super::frame::Name;
use crate::builtin::{Distribution, Outcome};
use crate::check::typed::{ExprId, RowsOf, Tail};
use crate::ir::op::ValueId;
use crate::ty::Size;

impl Lowerer<'_> {
    /// The density of each outcome of `lhs ~ distribution(args)`: zero where cells are empty.
    pub(super) fn sample_terms(
        &mut self,
        lhs: ExprId,
        distribution: &'static Distribution,
        args: &[ExprId],
        observed: Option<ExprId>,
    ) -> ValueId {
        let x = self.expr(lhs);
        let args: Vec<ValueId> = args.iter().map(|&arg| self.expr(arg)).collect();
        let terms = self.terms(distribution, x, &args);
        let Some(observed) = observed else { return terms };
        let observed = self.expr(observed);
        let b = self.b();
        let zero = b.real(0.0);
        b.select(observed, terms, zero)
    }

    /// The log density of each outcome in `x`, of the dimensions of the container of outcomes.
    pub(super) fn terms(
        &mut self,
        distribution: &'static Distribution,
        x: ValueId,
        args: &[ValueId],
    ) -> ValueId {
        if matches!(distribution.outcome, Outcome::Univariate(..)) {
            return self.univariate_terms(distribution, x, args);
        }
        if self.b().rank(x) == distribution.outcome.rank() {
            return (distribution.log_density)(self.b(), x, args);
        }
        let kinds = distribution.params.iter().map(|param| param.kind.rank());
        let is_array: Vec<bool> =
            args.iter().zip(kinds).map(|(&arg, rank)| self.b().rank(arg) > rank).collect();
        let n = self.b().dims(x)[0].clone();
        let count = self.b().size(&n);
        let stacked = self.region("outcome", count, &n, &[], |l, index| {
            let depth = l.frames.len() - 1;
            let x = l.element(x, index);
            let mut own = Vec::with_capacity(args.len());
            for (&arg, &is_array) in args.iter().zip(&is_array) {
                own.push(if is_array { l.element(arg, index) } else { l.capture(arg, depth) });
            }
            vec![l.terms(distribution, x, &own)]
        });
        stacked[0]
    }

    fn univariate_terms(
        &mut self,
        distribution: &'static Distribution,
        x: ValueId,
        args: &[ValueId],
    ) -> ValueId {
        let dims = self.b().dims(x).to_vec();
        let mut own = Vec::with_capacity(args.len());
        for (param, &arg) in distribution.params.iter().zip(args) {
            own.push(match param.kind.rank() {
                // A vector for each outcome, of which there may be one for all.
                1 if self.b().rank(arg) == 1 && !dims.is_empty() => {
                    let length = self.b().dims(arg)[0].clone();
                    let all = [dims.as_slice(), &[length]].concat();
                    self.b().broadcast(arg, &[dims.len() as u8], &all)
                }
                _ => arg,
            });
        }
        let density = (distribution.log_density)(self.b(), x, &own);
        self.spread(density, x)
    }

    /// The log probability of each tail beyond an outcome.
    pub(super) fn cumulative_terms(
        &mut self,
        distribution: &'static Distribution,
        tail: Tail,
        x: ValueId,
        args: &[ValueId],
    ) -> ValueId {
        let cdfs = distribution.cdfs.as_ref().expect("the checker asked whether there is one");
        let log_probability = match tail {
            Tail::Lower => cdfs.lower,
            Tail::Upper => cdfs.upper,
        };
        let terms = log_probability(self.b(), x, args);
        self.spread(terms, x)
    }

    /// One number for each outcome, where the arguments alone gave a single one.
    fn spread(&mut self, terms: ValueId, x: ValueId) -> ValueId {
        let dims = self.b().dims(x).to_vec();
        match self.b().rank(terms) < dims.len() {
            true => self.b().broadcast(terms, &[], &dims),
            false => terms,
        }
    }

    /// The sum of terms, without those of rows that are held out.
    pub(super) fn sum_of_rows(&mut self, terms: ValueId, rows: &RowsOf) -> ValueId {
        match rows {
            RowsOf::All if self.mask => {
                let mask = self.lookup(Name::RowMask);
                self.masked_sum(terms, mask)
            }
            RowsOf::One(row) if self.mask => self.masked_row(terms, *row),
            RowsOf::Slice(from, length) if self.mask => {
                let mask = self.lookup(Name::RowMask);
                let start = from.checked_sub(&Size::constant(1)).expect("slices were checked");
                let start = self.b().size(&start);
                let mask = self.b().slice(mask, 0, start, length);
                self.masked_sum(terms, mask)
            }
            RowsOf::Many(numbers) if self.mask => {
                let mask = self.lookup(Name::RowMask);
                let numbers = self.expr(*numbers);
                let b = self.b();
                let minus_one = b.int(-1);
                let indices = b.add(numbers, minus_one);
                let mask = b.gather(mask, indices, 0);
                self.masked_sum(terms, mask)
            }
            _ => self.b().sum(terms),
        }
    }

    /// The sum of terms, rows first, each weighted by its row's mask.
    fn masked_sum(&mut self, terms: ValueId, mask: ValueId) -> ValueId {
        let axes: Vec<u8> = (0..self.b().rank(terms) as u8).collect();
        self.b().contract(terms, &axes, mask, &[0], 0)
    }

    fn masked_row(&mut self, terms: ValueId, row: ExprId) -> ValueId {
        let mask = self.lookup(Name::RowMask);
        let row = self.expr(row);
        let total = self.b().sum(terms);
        let b = self.b();
        let minus_one = b.int(-1);
        let at = b.add(row, minus_one);
        let weight = b.index(mask, vec![Some(at)]);
        b.mul(total, weight)
    }
}
