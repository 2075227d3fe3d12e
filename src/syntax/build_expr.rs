//! Expressions: precedence climbing over the flat lists that the grammar leaves.
//!
//! Chains of any length are built by loops over two stacks; only brackets recurse.

use std::iter::Peekable;

use pest::iterators::{Pair, Pairs};

use super::ast::{BinaryOp, Expr, ExprId, ExprKind, Subscript, UnaryOp};
use super::build::{Builder, ident, idents, span_of};
use super::grammar::Rule;
use crate::diagnostic::Code;
use crate::source::Span;

/// How tightly a prefix operator binds: looser than `^`, tighter than `%/%`.
pub(super) const PREFIX_PRECEDENCE: u8 = 8;

/// An expression and its place with the brackets around it.
#[derive(Clone, Copy)]
struct Operand {
    id: ExprId,
    span: Span,
}

/// An operator that waits for its right operand.
enum Pending {
    Prefix(UnaryOp, Span),
    Infix(BinaryOp),
}

impl Pending {
    fn precedence(&self) -> u8 {
        match self {
            Pending::Prefix(..) => PREFIX_PRECEDENCE,
            Pending::Infix(op) => op.precedence(),
        }
    }
}

/// The two stacks of precedence climbing.
#[derive(Default)]
struct Climb {
    operands: Vec<Operand>,
    pending: Vec<Pending>,
}

impl Climb {
    fn pop(&mut self) -> Operand {
        self.operands.pop().expect("the grammar puts an operand on each side of an operator")
    }
}

type Parts<'i> = Peekable<Pairs<'i, Rule>>;

impl Builder<'_> {
    /// The expression of an `expr` or `arithmetic` pair.
    pub(super) fn expr(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        self.operand(pair).id
    }

    fn operand(&mut self, pair: Pair<'_, Rule>) -> Operand {
        let mut parts = pair.into_inner().peekable();
        // The tests and first branches of `a ? b : c ? d : e`, which is right-associative.
        let mut choices = Vec::new();
        loop {
            let value = self.operation(&mut parts);
            if parts.next().is_none() {
                return self.conditionals(choices, value);
            }
            let then = parts.next().expect("an expression follows `?`");
            choices.push((value, self.operand(then)));
            parts.next();
        }
    }

    fn conditionals(&mut self, choices: Vec<(Operand, Operand)>, last: Operand) -> Operand {
        choices.into_iter().rev().fold(last, |otherwise, (test, then)| {
            let kind = ExprKind::Conditional(test.id, then.id, otherwise.id);
            self.push(kind, test.span.to(otherwise.span))
        })
    }

    /// Takes a chain of operators and operands, up to `?` or the end.
    fn operation(&mut self, parts: &mut Parts<'_>) -> Operand {
        let mut climb = Climb::default();
        while let Some(part) = parts.next_if(|part| part.as_rule() != Rule::question) {
            let span = span_of(&part);
            match part.as_rule() {
                Rule::unary_op => {
                    let op = unary_op(part.as_str());
                    climb.pending.push(Pending::Prefix(op, span));
                }
                Rule::binary_op | Rule::arithmetic_op => {
                    let op = binary_op(part.as_str());
                    self.reduce(&mut climb, op.precedence(), is_right_associative(op));
                    climb.pending.push(Pending::Infix(op));
                }
                Rule::transpose => {
                    let inner = climb.pop();
                    let whole = inner.span.to(span);
                    climb.operands.push(self.push(ExprKind::Transpose(inner.id), whole));
                }
                Rule::subscripts => {
                    let base = climb.pop();
                    let subscripts = self.subscripts(part);
                    let kind = ExprKind::Index { base: base.id, subscripts };
                    climb.operands.push(self.push(kind, base.span.to(span)));
                }
                _ => {
                    let operand = self.primary(part, parts);
                    climb.operands.push(operand);
                }
            }
        }
        self.reduce(&mut climb, 0, false);
        climb.pop()
    }

    /// Applies the waiting operators that bind tighter than `precedence`, or as tightly where
    /// the next operator is left-associative.
    fn reduce(&mut self, climb: &mut Climb, precedence: u8, right_associative: bool) {
        while let Some(pending) = climb.pending.pop() {
            let binds = pending.precedence();
            if binds < precedence || (binds == precedence && right_associative) {
                climb.pending.push(pending);
                return;
            }
            let right = climb.pop();
            let reduced = match pending {
                Pending::Prefix(op, span) => {
                    self.push(ExprKind::Unary(op, right.id), span.to(right.span))
                }
                Pending::Infix(op) => {
                    let left = climb.pop();
                    let kind = ExprKind::Binary(op, left.id, right.id);
                    self.push(kind, left.span.to(right.span))
                }
            };
            climb.operands.push(reduced);
        }
    }

    fn primary(&mut self, part: Pair<'_, Rule>, parts: &mut Parts<'_>) -> Operand {
        let span = span_of(&part);
        match part.as_rule() {
            Rule::number => {
                let kind = self.number(part.as_str(), span);
                self.push(kind, span)
            }
            Rule::name => {
                let is_suffix = |part: &Pair<'_, Rule>| {
                    matches!(part.as_rule(), Rule::arguments | Rule::member)
                };
                match parts.next_if(is_suffix) {
                    Some(member) if member.as_rule() == Rule::member => self.member(&part, member),
                    Some(arguments) => self.call(&part, arguments),
                    None => self.push(ExprKind::Name(part.as_str().to_string()), span),
                }
            }
            Rule::paren => {
                let inner = part.into_inner().next().expect("brackets hold an expression");
                Operand { id: self.expr(inner), span }
            }
            Rule::row_vector => {
                let elements = self.exprs(part.into_inner());
                self.push(ExprKind::RowVector(elements), span)
            }
            _ => {
                let elements = self.exprs(part.into_inner());
                self.push(ExprKind::Array(elements), span)
            }
        }
    }

    fn call(&mut self, name: &Pair<'_, Rule>, arguments: Pair<'_, Rule>) -> Operand {
        let name = ident(name);
        let span = name.span.to(span_of(&arguments));
        let parts = arguments.into_inner();
        let bar = parts.clone().any(|part| part.as_rule() == Rule::bar);
        let args = self.exprs(parts);
        self.push(ExprKind::Call { name, args, bar }, span)
    }

    fn member(&mut self, table: &Pair<'_, Rule>, member: Pair<'_, Rule>) -> Operand {
        let table = ident(table);
        let span = table.span.to(span_of(&member));
        let column = idents(member).pop().expect("a name follows the point");
        self.push(ExprKind::Member { table, column }, span)
    }

    fn subscripts(&mut self, pair: Pair<'_, Rule>) -> Vec<Subscript> {
        let parts = pair.into_inner().filter(|part| part.as_rule() == Rule::subscript);
        let mut subscripts = Vec::new();
        for part in parts {
            subscripts.push(self.subscript(part));
        }
        subscripts
    }

    fn subscript(&mut self, pair: Pair<'_, Rule>) -> Subscript {
        let (mut from, mut to, mut colon) = (None, None, false);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::range_colon => colon = true,
                _ if colon => to = Some(self.expr(part)),
                _ => from = Some(self.expr(part)),
            }
        }
        match from {
            Some(at) if !colon => Subscript::At(at),
            _ => Subscript::Range(from, to),
        }
    }

    /// The value of a number; one that cannot be held is an error and reads as zero.
    fn number(&mut self, written: &str, span: Span) -> ExprKind {
        let digits = written.replace('_', "");
        if !digits.contains(['.', 'e', 'E']) {
            return ExprKind::Int(digits.parse().unwrap_or_else(|_| {
                self.diagnostics
                    .error(Code::Syntax, span, "this whole number is too large")
                    .primary("the largest is 9223372036854775807")
                    .help("write it with a point or an exponent to make it a real number");
                0
            }));
        }
        let value = digits.parse().unwrap_or(f64::INFINITY);
        if value.is_infinite() {
            self.diagnostics
                .error(Code::Syntax, span, "this number is too large")
                .primary("the largest is about 1.8e308");
        }
        ExprKind::Real(if value.is_finite() { value } else { 0.0 })
    }

    fn push(&mut self, kind: ExprKind, span: Span) -> Operand {
        Operand { id: self.ast.exprs.push(Expr { kind, span }), span }
    }
}

/// Whether `a op b op c` means `a op (b op c)`.
pub(super) fn is_right_associative(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Power | BinaryOp::ElementPower)
}

fn unary_op(symbol: &str) -> UnaryOp {
    let mut all = UnaryOp::ALL.into_iter();
    all.find(|op| op.symbol() == symbol).expect("the grammar knows the operators of the tree")
}

fn binary_op(symbol: &str) -> BinaryOp {
    let mut all = BinaryOp::ALL.into_iter();
    all.find(|op| op.symbol() == symbol).expect("the grammar knows the operators of the tree")
}
