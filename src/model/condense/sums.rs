//! Sums over the rows of a branch, as sufficient statistics.
//!
//! Where a summand is quadratic in numbers that do not go with rows, its columns X of data enter
//! the sum through XᵀX alone. So X may be replaced by the R of its QR factorisation, which has as
//! many rows as X has columns and the same cross products; unlike XᵀX itself it keeps all digits
//! of small residuals of large numbers (Golub and Van Loan, *Matrix Computations*, section 5.3).

use std::collections::HashMap;

use super::form::{Linear, Quadratic};
use super::known::Known;
use super::{Extents, Triangle};
use crate::ir::build::{Builder, extract};
use crate::ir::op::{BinaryOp, Function, InputKind, Op, Output, UnaryOp, ValueId, ValueType};
use crate::ty::Size;

/// The function with statistics in place of rows where that pays, and the columns that these are
/// made of; what each column becomes is read as `Statistic`, numbered through all triangles.
pub fn condense_sums(local: &Function, extents: &Extents) -> (Function, Vec<Triangle>) {
    let mut rows = Rows {
        b: Builder::new(local.name.clone()),
        known: Known::default(),
        forms: HashMap::new(),
        parts: HashMap::new(),
        groups: Vec::new(),
        extents,
    };
    let inputs = rows.b.inputs_of(local);
    let mut copied: Vec<ValueId> = Vec::with_capacity(local.values.len());
    for (_, value) in local.values.iter() {
        rows.b.set_span(value.span);
        let of = |v: ValueId| copied[v.index()];
        let condensed = rows.condensed_sum(&value.op, &of);
        let copy = match (&value.op, condensed) {
            (_, Some(sum)) => sum,
            (Op::Input(k), _) => inputs[*k],
            (op, _) => rows.b.emit(op, &value.ty, &of),
        };
        rows.note(&value.op, &of, copy);
        copied.push(copy);
    }
    for output in &local.outputs {
        rows.b.output(output.name.clone(), copied[output.value.index()]);
    }
    let triangles = rows.triangles();
    (rows.b.finish(), triangles)
}

/// A function being rewritten.
struct Rows<'a> {
    b: Builder,
    known: Known,
    /// Of values with one element a row that are no data.
    forms: HashMap<ValueId, Quadratic>,
    /// Of values with one element a row that are sums of data and something else: both.
    parts: HashMap<ValueId, [ValueId; 2]>,
    /// The columns of each triangle.
    groups: Vec<Vec<ValueId>>,
    extents: &'a Extents<'a>,
}

impl Rows<'_> {
    fn is_data(&mut self, value: ValueId) -> bool {
        self.known.update(self.b.function());
        self.known.is_data(value)
    }

    /// Whether it has one element for each row.
    fn is_column(&self, value: ValueId) -> bool {
        matches!(self.b.dims(value), [size] if size.depends_on_rows())
    }

    /// Takes note of what a value, computed by `op` in the old function, is.
    fn note(&mut self, op: &Op, of: &dyn Fn(ValueId) -> ValueId, copy: ValueId) {
        if !self.is_column(copy) || self.is_data(copy) {
            return;
        }
        if let Some(form) = self.form_of(op, of) {
            self.forms.insert(copy, form);
        } else if let Some(parts) = self.parts_of(op, of) {
            self.parts.insert(copy, parts);
        }
    }

    fn form(&mut self, value: ValueId) -> Option<Quadratic> {
        let dims = self.b.dims(value).to_vec();
        if let Op::Broadcast(a, axes) = self.b.op(value)
            && axes.is_empty()
        {
            let number = *a;
            let one = self.b.fill(1.0, dims);
            return Some(Linear::of(one, number).into());
        }
        if let Op::Fill(x) = *self.b.op(value) {
            let (one, number) = (self.b.fill(1.0, dims), self.b.real(x));
            return Some(Linear::of(one, number).into());
        }
        if self.is_data(value) {
            let one = self.b.real(1.0);
            return Some(Linear::of(value, one).into());
        }
        self.forms.get(&value).cloned()
    }

    fn form_of(&mut self, op: &Op, of: &dyn Fn(ValueId) -> ValueId) -> Option<Quadratic> {
        match op {
            Op::Unary(UnaryOp::Neg, a) => Some(self.form(of(*a))?.negated(&mut self.b)),
            Op::Unary(UnaryOp::Square, a) => self.form(of(*a))?.squared(&mut self.b),
            Op::Binary(op, x, y) => {
                let (x, y) = (self.form(of(*x))?, self.form(of(*y))?);
                let b = &mut self.b;
                match op {
                    BinaryOp::Add => x.plus(&y, b),
                    BinaryOp::Sub => {
                        let y = y.negated(b);
                        x.plus(&y, b)
                    }
                    BinaryOp::Mul => x.times(&y, b),
                    BinaryOp::Div => x.over(&y, b),
                    _ => None,
                }
            }
            Op::Contract { a, a_axes, b, b_axes } => {
                let (matrix, vector) = match (&a_axes[..], &b_axes[..]) {
                    ([0, 1], [1]) => (of(*a), of(*b)),
                    ([1], [0, 1]) => (of(*b), of(*a)),
                    _ => return None,
                };
                let width = &self.b.dims(matrix)[1];
                let is_product = !width.depends_on_rows() && self.is_data(matrix);
                is_product.then(|| Linear::of(matrix, vector).into())
            }
            _ => None,
        }
    }

    /// A sum of two columns, as what is data and what is not.
    fn parts_of(&mut self, op: &Op, of: &dyn Fn(ValueId) -> ValueId) -> Option<[ValueId; 2]> {
        let (sign, x, y) = match op {
            Op::Unary(UnaryOp::Neg, a) => {
                let parts = *self.parts.get(&of(*a))?;
                return Some(parts.map(|part| self.b.unary(UnaryOp::Neg, part)));
            }
            Op::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), x, y) => (*op, of(*x), of(*y)),
            _ => return None,
        };
        let ([x_data, x_rest], [y_data, y_rest]) = (self.split(x), self.split(y));
        let mut combine = |x: Option<ValueId>, y: Option<ValueId>| match (x, y) {
            (Some(x), Some(y)) => Some(self.b.binary(sign, x, y)),
            (None, Some(y)) if sign == BinaryOp::Sub => Some(self.b.unary(UnaryOp::Neg, y)),
            (x, y) => x.or(y),
        };
        Some([combine(x_data, y_data)?, combine(x_rest, y_rest)?])
    }

    /// What of a column is data and what is not.
    fn split(&mut self, value: ValueId) -> [Option<ValueId>; 2] {
        match self.parts.get(&value).copied() {
            Some(parts) => parts.map(Some),
            None if self.is_data(value) => [Some(value), None],
            None => [None, Some(value)],
        }
    }

    /// A sum over rows without the rows, or without those of its terms that are data.
    fn condensed_sum(&mut self, op: &Op, of: &dyn Fn(ValueId) -> ValueId) -> Option<ValueId> {
        let (form, parts) = match op {
            Op::Sum(a, keep) if keep.is_empty() && self.is_column(of(*a)) => {
                let a = of(*a);
                (self.form(a), self.parts.get(&a).copied())
            }
            Op::Contract { a, a_axes, b, b_axes } if a_axes == &[0] && b_axes == &[0] => {
                let (a, b) = (of(*a), of(*b));
                if !self.is_column(a) {
                    return None;
                }
                let (x, y) = (self.form(a)?, self.form(b)?);
                (x.times(&y, &mut self.b), None)
            }
            _ => return None,
        };
        let sum = form.and_then(|form| self.sum_of(&form));
        sum.or_else(|| {
            let [data, rest] = parts?.map(|part| self.b.sum(part));
            Some(self.b.add(data, rest))
        })
    }

    /// The sum of a form over rows; none where going through the rows is quicker.
    fn sum_of(&mut self, form: &Quadratic) -> Option<ValueId> {
        let mut columns: Vec<ValueId> = Vec::new();
        for (_, u, w) in &form.products {
            columns.extend(u.terms.iter().chain(&w.terms).map(|(column, _)| *column));
        }
        columns.sort();
        columns.dedup();
        let n_columns: usize = columns.iter().map(|&column| self.width(column)).sum();
        if 2.0 * n_columns as f64 > self.extents.mean_rows {
            return None;
        }
        let mut sum = self.sum_of_linear(&form.linear);
        if !columns.is_empty() {
            let (first, rows) = (self.first_of_group(&columns), Size::constant(n_columns as i64));
            for (scale, u, w) in &form.products {
                let u = self.condensed(u, (&columns, first, &rows));
                let w = self.condensed(w, (&columns, first, &rows));
                let product = self.b.mul(u, w);
                let product = self.b.sum(product);
                let term = self.b.mul(*scale, product);
                sum = self.b.add(sum, term);
            }
        }
        Some(sum)
    }

    fn sum_of_linear(&mut self, form: &Linear) -> ValueId {
        let mut sum = self.b.real(0.0);
        for &(column, coefficient) in &form.terms {
            let term = match self.b.rank(column) {
                1 => {
                    let of_column = self.b.sum(column);
                    self.b.mul(of_column, coefficient)
                }
                _ => {
                    let of_columns = self.b.sum_keeping(column, &[1]);
                    self.b.dot(of_columns, coefficient)
                }
            };
            sum = self.b.add(sum, term);
        }
        sum
    }

    /// A form with the rows of a triangle in place of its own.
    fn condensed(
        &mut self,
        form: &Linear,
        (columns, first, rows): (&[ValueId], usize, &Size),
    ) -> ValueId {
        let mut sum = self.b.fill(0.0, vec![rows.clone()]);
        for &(column, coefficient) in &form.terms {
            let place = columns.binary_search(&column).expect("columns of all forms were gathered");
            let mut dims = self.b.dims(column).to_vec();
            dims[0] = rows.clone();
            let kind = InputKind::Statistic(first + place);
            let name = format!("columns {}", first + place + 1);
            let of_column = self.b.input(kind, &name, ValueType::reals(dims));
            let term = match self.b.rank(column) {
                1 => self.b.mul(of_column, coefficient),
                _ => self.b.mat_vec(of_column, coefficient),
            };
            sum = self.b.add(sum, term);
        }
        sum
    }

    /// The number of the first statistic of the triangle with these columns.
    fn first_of_group(&mut self, columns: &[ValueId]) -> usize {
        let place = match self.groups.iter().position(|group| group == columns) {
            Some(place) => place,
            None => {
                self.groups.push(columns.to_vec());
                self.groups.len() - 1
            }
        };
        self.groups[..place].iter().map(Vec::len).sum()
    }

    fn width(&self, column: ValueId) -> usize {
        self.b.dims(column).get(1).map_or(1, |size| (self.extents.of)(size))
    }

    fn triangles(&self) -> Vec<Triangle> {
        let triangle = |columns: &Vec<ValueId>| {
            let mut function = self.b.function().clone();
            let output = |&value: &ValueId| Output { name: "column".to_string(), value };
            function.outputs = columns.iter().map(output).collect();
            let all: Vec<usize> = (0..columns.len()).collect();
            Triangle {
                columns: extract(&function, &all, "columns"),
                widths: columns.iter().map(|&column| self.width(column)).collect(),
            }
        };
        self.groups.iter().map(triangle).collect()
    }
}
