//! Expressions.

use std::collections::HashSet;

use super::frame::Name;
use super::{IndexSite, Lowerer};
use crate::builtin::function::{Meaning, Types};
use crate::check::typed::{BinaryOp, Expr, ExprId, ExprKind, SymbolKind, UnaryOp};
use crate::ir::op::{self, InputKind, ValueId, ValueType};
use crate::schema::{Numbered, levels_size};
use crate::source::Span;
use crate::ty::{Element, Shape, Size, Type};

impl Lowerer<'_> {
    /// The value of an expression. Walks a list of its parts, operands first, because
    /// expressions can be deeper than the stack.
    pub fn expr(&mut self, root: ExprId) -> ValueId {
        let parts = self.parts(root);
        // Parts lie close together, so a list from the first on is small and quick.
        let first = parts[0].index();
        let mut values: Vec<Option<ValueId>> = vec![None; root.index() - first + 1];
        for id in parts {
            let model = self.model;
            let expr = &model.exprs[id];
            self.b().set_span(Some(expr.span));
            let of = |id: ExprId| values[id.index() - first].expect("operands come first");
            let value = self.one(id, expr, &of);
            values[id.index() - first] = Some(value);
        }
        values[root.index() - first].expect("the root is the last part")
    }

    /// What has to be there before an expression is computed: not what a condition guards.
    fn operands(&self, expr: &Expr) -> Vec<ExprId> {
        match &expr.kind {
            ExprKind::Int(_)
            | ExprKind::Real(_)
            | ExprKind::Symbol(_)
            | ExprKind::Column(_)
            | ExprKind::Random(..)
            | ExprKind::Inline(..) => Vec::new(),
            ExprKind::Unary(_, a)
            | ExprKind::Transpose(a)
            | ExprKind::Slice(a, ..)
            | ExprKind::Conditional(a, ..) => vec![*a],
            ExprKind::Binary(op, a, b) if self.is_guard(*op, *b) => vec![*a],
            ExprKind::Binary(_, a, b) | ExprKind::Gather(a, _, b) => vec![*a, *b],
            ExprKind::Call(_, args)
            | ExprKind::LogDensity(_, args)
            | ExprKind::Cumulative(_, _, args) => args.clone(),
            ExprKind::RowVector(items) | ExprKind::Array(items) => items.clone(),
            ExprKind::Index(base, at) => {
                let mut all = vec![*base];
                all.extend(at.iter().flatten());
                all
            }
        }
    }

    /// Whether the left side of this operator decides if the right side, which is more than
    /// arithmetic, is computed.
    fn is_guard(&self, op: BinaryOp, right: ExprId) -> bool {
        matches!(op, BinaryOp::And | BinaryOp::Or) && !self.is_arithmetic(right)
    }

    /// Whether an expression is made of names, numbers and operators alone.
    fn is_arithmetic(&self, root: ExprId) -> bool {
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            match &self.model.exprs[id].kind {
                ExprKind::Int(_) | ExprKind::Real(_) | ExprKind::Symbol(_) => {}
                ExprKind::Unary(_, a) => open.push(*a),
                ExprKind::Binary(_, a, b) => open.extend([*a, *b]),
                _ => return false,
            }
        }
        true
    }

    /// Every expression that `root` needs, operands first.
    fn parts(&self, root: ExprId) -> Vec<ExprId> {
        let mut parts = Vec::new();
        let mut seen = HashSet::new();
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                parts.push(id);
                open.extend(self.operands(&self.model.exprs[id]));
            }
        }
        parts.sort_unstable();
        parts
    }

    fn one(&mut self, id: ExprId, expr: &Expr, of: &dyn Fn(ExprId) -> ValueId) -> ValueId {
        let model = self.model;
        match &expr.kind {
            ExprKind::Int(k) => self.b().int(*k),
            ExprKind::Real(x) => self.b().real(*x),
            ExprKind::Symbol(symbol) => self.lookup(Name::Symbol(*symbol)),
            ExprKind::Unary(op, a) => self.unary(*op, of(*a)),
            ExprKind::Binary(op, a, c) if self.is_guard(*op, *c) => self.guarded(*op, of(*a), *c),
            ExprKind::Binary(op, a, c) => {
                let types = (&model.exprs[*a].ty, &model.exprs[*c].ty);
                self.binary(*op, of(*a), of(*c), types)
            }
            ExprKind::Transpose(a) => match model.exprs[*a].ty.shape {
                Shape::Matrix(..) => self.b().transpose(of(*a)),
                _ => of(*a),
            },
            ExprKind::Call(function, args) => {
                let Meaning::Ops(lower) = function.meaning else {
                    unreachable!("parts are slices and indices by now")
                };
                let arg_types = args.iter().map(|&arg| &model.exprs[arg].ty).collect();
                let types = Types { args: arg_types, result: &expr.ty };
                let args: Vec<ValueId> = args.iter().map(|&arg| of(arg)).collect();
                lower(self.b(), &args, &types)
            }
            ExprKind::LogDensity(distribution, args) => {
                let args: Vec<ValueId> = args.iter().map(|&arg| of(arg)).collect();
                let terms = self.terms(distribution, args[0], &args[1..]);
                self.b().sum(terms)
            }
            ExprKind::Cumulative(distribution, tail, args) => {
                let args: Vec<ValueId> = args.iter().map(|&arg| of(arg)).collect();
                let terms = self.cumulative_terms(distribution, *tail, args[0], &args[1..]);
                self.b().sum(terms)
            }
            ExprKind::Conditional(c, a, b) => self.conditional(id, of(*c), *a, *b),
            ExprKind::Inline(statements, value) => {
                self.statements(statements);
                self.expr(*value)
            }
            ExprKind::Random(..) => self.free_random(id),
            ExprKind::Column(datum) => {
                let declared = &model.schema.data[*datum];
                let ty = ValueType { element: expr.ty.element, dims: expr.ty.dims() };
                self.b().input(InputKind::Column(*datum), &declared.name, ty)
            }
            ExprKind::Index(base, at) => {
                let indices = self.indices(*base, at, of);
                self.b().index(of(*base), indices)
            }
            ExprKind::Slice(base, axis, from, length) => {
                self.slice(*base, of(*base), *axis, from, length, expr.span)
            }
            ExprKind::Gather(base, axis, numbers) => {
                self.gather(*base, of(*base), *axis, *numbers, of(*numbers))
            }
            ExprKind::RowVector(items) | ExprKind::Array(items) => {
                let items = items.iter().map(|&item| of(item)).collect();
                self.b().stack(items)
            }
        }
    }

    fn unary(&mut self, op: UnaryOp, a: ValueId) -> ValueId {
        match op {
            UnaryOp::Plus => a,
            UnaryOp::Negate => self.b().neg(a),
            UnaryOp::Not => self.b().unary(op::UnaryOp::Not, a),
        }
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        a: ValueId,
        c: ValueId,
        (left, right): (&Type, &Type),
    ) -> ValueId {
        let b = self.b();
        let elementwise = match op {
            BinaryOp::Multiply => return self.multiply(a, c, left, right),
            BinaryOp::Divide if left.element == Element::Int && right.element == Element::Int => {
                op::BinaryOp::IntDiv
            }
            BinaryOp::And => return both(b, a, c),
            BinaryOp::Or => return either(b, a, c),
            BinaryOp::Greater => return b.binary(op::BinaryOp::Less, c, a),
            BinaryOp::GreaterEqual => return b.binary(op::BinaryOp::LessEqual, c, a),
            BinaryOp::Add => op::BinaryOp::Add,
            BinaryOp::Subtract => op::BinaryOp::Sub,
            BinaryOp::ElementMultiply => op::BinaryOp::Mul,
            BinaryOp::Divide | BinaryOp::ElementDivide => op::BinaryOp::Div,
            BinaryOp::IntegerDivide => op::BinaryOp::IntDiv,
            BinaryOp::Modulo => op::BinaryOp::Rem,
            BinaryOp::Power | BinaryOp::ElementPower => op::BinaryOp::Pow,
            BinaryOp::Equal => op::BinaryOp::Equal,
            BinaryOp::NotEqual => op::BinaryOp::NotEqual,
            BinaryOp::Less => op::BinaryOp::Less,
            BinaryOp::LessEqual => op::BinaryOp::LessEqual,
        };
        b.binary(elementwise, a, c)
    }

    /// `*`: the product of linear algebra, or by a scalar.
    fn multiply(&mut self, a: ValueId, c: ValueId, left: &Type, right: &Type) -> ValueId {
        let b = self.b();
        match (&left.shape, &right.shape) {
            (Shape::RowVector(_), Shape::Vector(_)) => b.dot(a, c),
            (Shape::Matrix(..), Shape::Vector(_)) => b.mat_vec(a, c),
            (Shape::RowVector(_), Shape::Matrix(..)) => b.contract(a, &[1], c, &[1, 0], 1),
            (Shape::Vector(_), Shape::RowVector(_)) => b.contract(a, &[0], c, &[1], 2),
            (Shape::Matrix(..), Shape::Matrix(..)) => b.mat_mul(a, c),
            _ => b.mul(a, c),
        }
    }

    /// Indices counted from zero; those that are not plainly in range are noted for proof.
    pub fn indices(
        &mut self,
        base: ExprId,
        at: &[Option<ExprId>],
        of: &dyn Fn(ExprId) -> ValueId,
    ) -> Vec<Option<ValueId>> {
        let model = self.model;
        let variable = self.variable_name(base);
        self.indices_into(&variable, &model.exprs[base].ty.dims(), at, of)
    }

    /// As [`Lowerer::indices`], into a variable of these dimensions.
    pub fn indices_into(
        &mut self,
        variable: &str,
        dims: &[Size],
        at: &[Option<ExprId>],
        of: &dyn Fn(ExprId) -> ValueId,
    ) -> Vec<Option<ValueId>> {
        let mut indices = Vec::with_capacity(dims.len());
        for (axis, size) in dims.iter().enumerate() {
            let Some(Some(index)) = at.get(axis) else {
                indices.push(None);
                continue;
            };
            let value = of(*index);
            if !self.is_plainly_in_range(size, *index) {
                let span = self.model.exprs[*index].span;
                self.note_index(variable, size, span, value);
            }
            let minus_one = self.b().int(-1);
            indices.push(Some(self.b().add(value, minus_one)));
        }
        indices
    }

    /// `a[from:from + length - 1]` along an axis.
    fn slice(
        &mut self,
        base: ExprId,
        a: ValueId,
        axis: usize,
        from: &Size,
        length: &Size,
        span: Span,
    ) -> ValueId {
        let size = self.b().dims(a)[axis].clone();
        let one = Size::constant(1);
        let offset = from.checked_sub(&one).expect("slices were checked");
        let last = offset.checked_add(length).expect("slices were checked");
        let variable = self.variable_name(base);
        for end in [from, &last] {
            let known = end.as_constant().zip(size.as_constant());
            let is_in_range = known.is_some_and(|(end, size)| (1..=size).contains(&end));
            if !is_in_range && *end != size {
                let (value, count) = (self.b().size(end), self.b().size(length));
                let is_out = self.is_out_of_range(value, &size);
                // A slice of no elements reads nothing.
                let zero = self.b().int(0);
                let reads = self.b().binary(op::BinaryOp::Less, zero, count);
                let is_wrong = self.b().mul(is_out, reads);
                self.note_site(&variable, &size, span, is_wrong, value);
            }
        }
        let b = self.b();
        let start = b.size(&offset);
        b.slice(a, axis as u8, start, length)
    }

    /// `a[numbers]` along an axis.
    fn gather(
        &mut self,
        base: ExprId,
        a: ValueId,
        axis: usize,
        numbers: ExprId,
        indices: ValueId,
    ) -> ValueId {
        let size = self.b().dims(a)[axis].clone();
        let variable = self.variable_name(base);
        let span = self.model.exprs[numbers].span;
        if !self.is_declared_in_range(&size, numbers) {
            self.note_indices(&variable, &size, span, indices);
        }
        let b = self.b();
        let minus_one = b.int(-1);
        let from_zero = b.add(indices, minus_one);
        b.gather(a, from_zero, axis as u8)
    }

    fn variable_name(&self, expr: ExprId) -> String {
        match &self.model.exprs[expr].kind {
            ExprKind::Symbol(symbol) => self.model.symbols[*symbol].name.clone(),
            _ => "this expression".to_string(),
        }
    }

    /// Writes the check that `value`, counted from one, is at most `size`.
    fn note_index(&mut self, variable: &str, size: &Size, span: Span, value: ValueId) {
        let is_out = self.is_out_of_range(value, size);
        self.note_site(variable, size, span, is_out, value);
    }

    /// 1 where `value` is not one of `1, …, size`.
    fn is_out_of_range(&mut self, value: ValueId, size: &Size) -> ValueId {
        let b = self.b();
        let (one, limit) = (b.int(1), b.size(size));
        let too_small = b.binary(op::BinaryOp::Less, value, one);
        let too_large = b.binary(op::BinaryOp::Less, limit, value);
        b.binary(op::BinaryOp::Max, too_small, too_large)
    }

    /// The same for every element of `values`: of the largest and the smallest, which are
    /// infinite on the other side where there is none.
    fn note_indices(&mut self, variable: &str, size: &Size, span: Span, values: ValueId) {
        let b = self.b();
        let largest = b.largest_keeping(values, &[]);
        let minus = b.neg(values);
        let minus_smallest = b.largest_keeping(minus, &[]);
        let smallest = b.neg(minus_smallest);
        let (one, limit) = (b.int(1), b.size(size));
        let is_large = b.binary(op::BinaryOp::Less, limit, largest);
        let is_small = b.binary(op::BinaryOp::Less, smallest, one);
        let is_out = b.binary(op::BinaryOp::Max, is_small, is_large);
        let value = b.select(is_large, largest, smallest);
        self.note_site(variable, size, span, is_out, value);
    }

    fn note_site(
        &mut self,
        variable: &str,
        size: &Size,
        span: Span,
        is_out: ValueId,
        value: ValueId,
    ) {
        self.sites.push(IndexSite { variable: variable.to_string(), size: size.clone(), span });
        let number = self.sites.len() as i64;
        let (site, bad) = (self.lookup(Name::BadSite), self.lookup(Name::BadIndex));
        let b = self.b();
        let (zero, number) = (b.int(0), b.int(number));
        let is_first = b.binary(op::BinaryOp::Equal, site, zero);
        let is_new = b.mul(is_out, is_first);
        let site = b.select(is_new, number, site);
        let bad = b.select(is_new, value, bad);
        self.bind(Name::BadSite, site);
        self.bind(Name::BadIndex, bad);
    }

    fn is_plainly_in_range(&self, size: &Size, index: ExprId) -> bool {
        match &self.model.exprs[index].kind {
            ExprKind::Int(k) => size.as_constant().is_some_and(|n| (1..=n).contains(k)),
            ExprKind::Symbol(symbol) => match &self.model.symbols[*symbol].kind {
                SymbolKind::LoopVariable => {
                    self.full_ranges.iter().any(|(s, range)| s == symbol && range == size)
                }
                _ => self.is_declared_in_range(size, index),
            },
            ExprKind::Index(..) => self.is_declared_in_range(size, index),
            _ => false,
        }
    }

    /// Whether an index is a datum, or of one, whose values were found to number the elements
    /// of this axis when it was read.
    fn is_declared_in_range(&self, size: &Size, index: ExprId) -> bool {
        let mut at = index;
        while let ExprKind::Index(base, _)
        | ExprKind::Slice(base, ..)
        | ExprKind::Gather(base, ..) = &self.model.exprs[at].kind
        {
            at = *base;
        }
        let ExprKind::Symbol(symbol) = self.model.exprs[at].kind else { return false };
        let SymbolKind::Datum(datum) = self.model.symbols[symbol].kind else { return false };
        let schema = &self.model.schema;
        match schema.data[datum].numbered {
            Some(Numbered::Factor(k)) => *size == levels_size(&schema.factors[k].name),
            Some(Numbered::Table(k)) => *size == levels_size(&schema.tables[k].name),
            None => false,
        }
    }
}

/// 1 where both are not zero.
fn both(b: &mut crate::ir::build::Builder, x: ValueId, y: ValueId) -> ValueId {
    let zero = b.real(0.0);
    let x = b.binary(op::BinaryOp::NotEqual, x, zero);
    let y = b.binary(op::BinaryOp::NotEqual, y, zero);
    b.mul(x, y)
}

/// 1 where either is not zero.
fn either(b: &mut crate::ir::build::Builder, x: ValueId, y: ValueId) -> ValueId {
    let zero = b.real(0.0);
    let x = b.binary(op::BinaryOp::NotEqual, x, zero);
    let y = b.binary(op::BinaryOp::NotEqual, y, zero);
    b.binary(op::BinaryOp::Max, x, y)
}
