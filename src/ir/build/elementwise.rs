//! Constants and elementwise ops.

use super::{Builder, join};
use crate::ir::op::{BinaryOp, Op, UnaryOp, ValueId, ValueType};
use crate::ty::{Element, Size};

impl Builder {
    /// A real constant.
    pub fn real(&mut self, x: f64) -> ValueId {
        self.push(Op::Real(x), ValueType::real())
    }

    /// A whole constant.
    pub fn int(&mut self, k: i64) -> ValueId {
        self.push(Op::Int(k), ValueType::int())
    }

    /// The number that a size comes to.
    pub fn size(&mut self, size: &Size) -> ValueId {
        match size.as_constant() {
            Some(k) => self.int(k),
            None => self.push(Op::SizeOf(size.clone()), ValueType::int()),
        }
    }

    /// An array of equal elements.
    pub fn fill(&mut self, x: f64, dims: Vec<Size>) -> ValueId {
        if dims.is_empty() {
            return self.real(x);
        }
        self.push(Op::Fill(x), ValueType::reals(dims))
    }

    /// Zeros of the dimensions of another value.
    pub fn zeros_like(&mut self, value: ValueId) -> ValueId {
        let dims = self.dims(value).to_vec();
        self.fill(0.0, dims)
    }

    /// The number that every element is, where that is known.
    pub fn constant(&self, value: ValueId) -> Option<f64> {
        match self.op(value) {
            Op::Real(x) | Op::Fill(x) => Some(*x),
            Op::Int(k) => Some(*k as f64),
            _ => None,
        }
    }

    fn is(&self, value: ValueId, x: f64) -> bool {
        self.constant(value) == Some(x)
    }

    /// An elementwise function.
    pub fn unary(&mut self, op: UnaryOp, a: ValueId) -> ValueId {
        if let (UnaryOp::Neg, Op::Unary(UnaryOp::Neg, inner)) = (op, self.op(a)) {
            return *inner;
        }
        if op == UnaryOp::Neg {
            match *self.op(a) {
                Op::Real(x) => return self.real(-x),
                Op::Int(k) => return self.int(-k),
                Op::Fill(x) => {
                    let dims = self.dims(a).to_vec();
                    return self.fill(-x, dims);
                }
                _ => {}
            }
        }
        // A function of a repeated value is the repeated function.
        if let Op::Broadcast(inner, axes) = self.op(a) {
            let (inner, axes) = (*inner, axes.clone());
            let dims = self.dims(a).to_vec();
            let value = self.unary(op, inner);
            return self.broadcast(value, &axes, &dims);
        }
        let element = match op {
            UnaryOp::Neg | UnaryOp::Abs | UnaryOp::Sign | UnaryOp::Not => self.ty(a).element,
            _ => Element::Real,
        };
        let dims = self.dims(a).to_vec();
        self.push(Op::Unary(op, a), ValueType { element, dims })
    }

    /// An elementwise function of two operands of equal dimensions, or of which one is a
    /// scalar.
    pub fn binary(&mut self, op: BinaryOp, a: ValueId, b: ValueId) -> ValueId {
        if let Some(folded) = self.fold_binary(op, a, b) {
            return folded;
        }
        if let Some(shared) = self.binary_of_repeated(op, a, b) {
            return shared;
        }
        if let (BinaryOp::Mul, Some(gathered)) = (op, self.product_of_factors(a, b)) {
            return gathered;
        }
        let (a, b) = self.spread_scalars(a, b);
        let element = match op {
            BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::Less | BinaryOp::LessEqual => {
                Element::Int
            }
            BinaryOp::Div
            | BinaryOp::Pow
            | BinaryOp::Atan2
            | BinaryOp::Hypot
            | BinaryOp::LogBeta => Element::Real,
            _ => join(self.ty(a).element, self.ty(b).element),
        };
        let dims = self.dims(a).to_vec();
        self.push(Op::Binary(op, a, b), ValueType { element, dims })
    }

    /// `s · (t · x)` with s and t repeated alike is `(s · t) · x`: factors of rows are multiplied
    /// once for each row, not for each element. Second derivatives are full of them.
    fn product_of_factors(&mut self, a: ValueId, b: ValueId) -> Option<ValueId> {
        for (factor, product) in [(a, b), (b, a)] {
            let Op::Broadcast(s, axes) = self.op(factor) else { continue };
            let (s, axes) = (*s, axes.clone());
            let Op::Binary(BinaryOp::Mul, x, y) = *self.op(product) else { continue };
            for (other, rest) in [(x, y), (y, x)] {
                let Op::Broadcast(t, other_axes) = self.op(other) else { continue };
                let is_alike = axes == *other_axes && self.dims(factor) == self.dims(other);
                if !is_alike || matches!(self.op(rest), Op::Broadcast(..)) {
                    continue;
                }
                let (t, dims) = (*t, self.dims(other).to_vec());
                let both = self.mul(s, t);
                let both = self.broadcast(both, &axes, &dims);
                return Some(self.mul(both, rest));
            }
        }
        None
    }

    /// Of two values repeated alike (or a repeated scalar and a constant), the result is
    /// computed once.
    fn binary_of_repeated(&mut self, op: BinaryOp, a: ValueId, b: ValueId) -> Option<ValueId> {
        if let (Op::Broadcast(x, x_axes), Op::Broadcast(y, y_axes)) = (self.op(a), self.op(b))
            && x_axes == y_axes
            && self.dims(a) == self.dims(b)
            && self.dims(*x) == self.dims(*y)
        {
            let (x, y, axes, dims) = (*x, *y, x_axes.clone(), self.dims(a).to_vec());
            let value = self.binary(op, x, y);
            return Some(self.broadcast(value, &axes, &dims));
        }
        let dims = if self.rank(a) >= self.rank(b) { self.dims(a) } else { self.dims(b) };
        let dims = dims.to_vec();
        if dims.is_empty() {
            return None;
        }
        let a = self.scalar_source(a)?;
        let b = self.scalar_source(b)?;
        let value = self.binary(op, a, b);
        Some(self.broadcast(value, &[], &dims))
    }

    /// The scalar that a value repeats.
    fn scalar_source(&mut self, value: ValueId) -> Option<ValueId> {
        match self.op(value) {
            Op::Broadcast(inner, axes) if axes.is_empty() => Some(*inner),
            Op::Fill(x) => {
                let x = *x;
                Some(self.real(x))
            }
            _ if self.rank(value) == 0 => Some(value),
            _ => None,
        }
    }

    fn spread_scalars(&mut self, a: ValueId, b: ValueId) -> (ValueId, ValueId) {
        let (rank_a, rank_b) = (self.rank(a), self.rank(b));
        if rank_a == rank_b {
            (a, b)
        } else if rank_a == 0 {
            let dims = self.dims(b).to_vec();
            (self.broadcast(a, &[], &dims), b)
        } else {
            assert_eq!(rank_b, 0, "only scalars spread by themselves");
            let dims = self.dims(a).to_vec();
            (a, self.broadcast(b, &[], &dims))
        }
    }

    fn fold_binary(&mut self, op: BinaryOp, a: ValueId, b: ValueId) -> Option<ValueId> {
        let same_rank = self.rank(a) == self.rank(b);
        let a_fits = same_rank || self.rank(b) == 0;
        let b_fits = same_rank || self.rank(a) == 0;
        if let (Op::Int(x), Op::Int(y)) = (self.op(a), self.op(b)) {
            let folded = fold_ints(op, *x, *y)?;
            return Some(self.int(folded));
        }
        if let (Op::Real(x), Op::Real(y)) = (self.op(a), self.op(b)) {
            let folded = fold_reals(op, *x, *y)?;
            return Some(self.real(folded));
        }
        match op {
            BinaryOp::Add if self.is(b, 0.0) && a_fits => Some(a),
            BinaryOp::Add if self.is(a, 0.0) && b_fits => Some(b),
            BinaryOp::Sub if self.is(b, 0.0) && a_fits => Some(a),
            BinaryOp::Sub if self.is(a, 0.0) && b_fits => Some(self.unary(UnaryOp::Neg, b)),
            BinaryOp::Mul | BinaryOp::Div if self.is(b, 1.0) && a_fits => Some(a),
            BinaryOp::Mul if self.is(a, 1.0) && b_fits => Some(b),
            BinaryOp::Mul | BinaryOp::Div if self.is(b, -1.0) && a_fits => {
                Some(self.unary(UnaryOp::Neg, a))
            }
            BinaryOp::Mul if self.is(a, -1.0) && b_fits => Some(self.unary(UnaryOp::Neg, b)),
            BinaryOp::Mul if a == b => Some(self.unary(UnaryOp::Square, a)),
            BinaryOp::Pow if self.is(b, 2.0) && a_fits => Some(self.unary(UnaryOp::Square, a)),
            BinaryOp::Pow if self.is(b, 1.0) && a_fits => Some(a),
            BinaryOp::Pow if self.is(b, -1.0) && a_fits => Some(self.unary(UnaryOp::Recip, a)),
            BinaryOp::Pow if self.is(b, 0.5) && a_fits => Some(self.unary(UnaryOp::Sqrt, a)),
            _ => None,
        }
    }

    /// `if c ≠ 0 then a else b`; scalars spread.
    pub fn select(&mut self, c: ValueId, a: ValueId, b: ValueId) -> ValueId {
        if let Some(condition) = self.constant(c)
            && self.rank(a) == self.rank(b)
            && self.rank(c) <= self.rank(a)
        {
            return if condition != 0.0 { a } else { b };
        }
        let widest = [c, a, b].into_iter().max_by_key(|&v| self.rank(v)).expect("three values");
        let dims = self.dims(widest).to_vec();
        let mut spread = |v: ValueId| {
            if self.rank(v) < dims.len() { self.broadcast(v, &[], &dims) } else { v }
        };
        let (c, a, b) = (spread(c), spread(a), spread(b));
        let element = join(self.ty(a).element, self.ty(b).element);
        self.push(Op::Select(c, a, b), ValueType { element, dims })
    }
}

fn fold_ints(op: BinaryOp, x: i64, y: i64) -> Option<i64> {
    match op {
        BinaryOp::Add => x.checked_add(y),
        BinaryOp::Sub => x.checked_sub(y),
        BinaryOp::Mul => x.checked_mul(y),
        BinaryOp::Min => Some(x.min(y)),
        BinaryOp::Max => Some(x.max(y)),
        _ => None,
    }
}

fn fold_reals(op: BinaryOp, x: f64, y: f64) -> Option<f64> {
    match op {
        BinaryOp::Add => Some(x + y),
        BinaryOp::Sub => Some(x - y),
        BinaryOp::Mul => Some(x * y),
        BinaryOp::Div => Some(x / y),
        _ => None,
    }
}

macro_rules! shorthands {
    ($($(#[$doc:meta])* $name:ident = unary $op:ident;)* ; $($(#[$doc2:meta])* $name2:ident = binary $op2:ident;)*) => {
        impl Builder {
            $($(#[$doc])* pub fn $name(&mut self, a: ValueId) -> ValueId {
                self.unary(UnaryOp::$op, a)
            })*
            $($(#[$doc2])* pub fn $name2(&mut self, a: ValueId, b: ValueId) -> ValueId {
                self.binary(BinaryOp::$op2, a, b)
            })*
        }
    };
}

shorthands! {
    /// `-a`
    neg = unary Neg;
    /// `eᵃ`
    exp = unary Exp;
    /// `ln a`
    log = unary Log;
    /// `ln(1 + a)`
    log1p = unary Log1p;
    /// `√a`
    sqrt = unary Sqrt;
    /// `a²`
    square = unary Square;
    /// `1 / a`
    recip = unary Recip;
    /// `tanh a`
    tanh = unary Tanh;
    /// `1 / (1 + e⁻ᵃ)`
    inv_logit = unary InvLogit;
    /// `ln(1 + eᵃ)`
    log1p_exp = unary Log1pExp;
    /// `ln Γ(a)`
    lgamma = unary Lgamma;
    ;
    /// `a + b`
    add = binary Add;
    /// `a - b`
    sub = binary Sub;
    /// `a · b`
    mul = binary Mul;
    /// `a / b`
    div = binary Div;
    /// `aᵇ`
    pow = binary Pow;
}

impl Builder {
    /// `a · c`
    pub fn scale(&mut self, a: ValueId, c: f64) -> ValueId {
        let c = self.real(c);
        self.mul(a, c)
    }

    /// `a + c`
    pub fn offset(&mut self, a: ValueId, c: f64) -> ValueId {
        let c = self.real(c);
        self.add(a, c)
    }
}
