//! What makes two values the same.

use super::super::op::{BinaryOp, Op, UnaryOp, ValueId, ValueType};
use crate::ty::Size;

/// Equal keys: equal values.
#[derive(PartialEq, Eq, Hash)]
pub struct Key {
    words: Vec<u64>,
    dims: Vec<Size>,
    size: Option<Size>,
}

/// The key of an op, or `None` for ops that are never shared.
pub fn key(op: &Op, ty: &ValueType) -> Option<Key> {
    let mut words = vec![tag(op)?, ty.element as u64];
    words.extend(op.operands().into_iter().map(word));
    let mut size = None;
    match op {
        Op::Real(x) | Op::Fill(x) => words.push(x.to_bits()),
        Op::Int(k) => words.push(k.cast_unsigned()),
        Op::SizeOf(s) | Op::Eye { offset: s } => size = Some(s.clone()),
        Op::Unary(op, _) => words.extend(unary_words(*op)),
        Op::Broadcast(_, axes) | Op::Sum(_, axes) | Op::Largest(_, axes) => {
            words.extend(bytes(axes))
        }
        Op::Binary(op, ..) => words.extend(binary_words(*op)),
        Op::Contract { a_axes, b_axes, .. } => {
            words.extend(bytes(a_axes));
            words.push(u64::MAX);
            words.extend(bytes(b_axes));
        }
        Op::Index(_, at) | Op::Set { at, .. } | Op::AddAt { at, .. } => {
            words.extend(at.iter().map(|i| u64::from(i.is_some())));
        }
        Op::CumulativeSum { axis, exclusive, reverse, .. } => {
            words.extend([u64::from(*axis), u64::from(*exclusive), u64::from(*reverse)]);
        }
        Op::Gather { axis, .. } | Op::ScatterAdd { axis, .. } => words.push(u64::from(*axis)),
        Op::SolveLower { transpose, .. } => words.push(u64::from(*transpose)),
        Op::Result(_, k) => words.push(*k as u64),
        _ => {}
    }
    Some(Key { words, dims: ty.dims.clone(), size })
}

fn word(value: ValueId) -> u64 {
    value.index() as u64
}

fn bytes(axes: &[u8]) -> impl Iterator<Item = u64> {
    axes.iter().map(|&axis| u64::from(axis))
}

fn unary_words(op: UnaryOp) -> [u64; 2] {
    match op {
        UnaryOp::Polygamma(n) => [1, u64::from(n)],
        UnaryOp::LogPhi(n) => [2, u64::from(n)],
        other => {
            let position = UnaryOp::ALL.iter().position(|&known| known == other);
            [0, position.expect("every op is listed") as u64]
        }
    }
}

fn binary_words(op: BinaryOp) -> [u64; 4] {
    let plain = |position: u64| [position, 0, 0, 0];
    match op {
        BinaryOp::Add => plain(0),
        BinaryOp::Sub => plain(1),
        BinaryOp::Mul => plain(2),
        BinaryOp::Div => plain(3),
        BinaryOp::Pow => plain(4),
        BinaryOp::Min => plain(5),
        BinaryOp::Max => plain(6),
        BinaryOp::IntDiv => plain(7),
        BinaryOp::Rem => plain(8),
        BinaryOp::Equal => plain(9),
        BinaryOp::NotEqual => plain(10),
        BinaryOp::Less => plain(11),
        BinaryOp::LessEqual => plain(12),
        BinaryOp::Atan2 => plain(13),
        BinaryOp::Hypot => plain(14),
        BinaryOp::LogBeta => plain(15),
        BinaryOp::Partial(f, i, j) => [16, f as u64, u64::from(i), u64::from(j)],
    }
}

fn tag(op: &Op) -> Option<u64> {
    Some(match op {
        Op::Input(_) | Op::Loop(_) => return None,
        Op::Real(_) => 0,
        Op::Int(_) => 1,
        Op::SizeOf(_) => 2,
        Op::Fill(_) => 3,
        Op::Iota => 4,
        Op::Eye { .. } => 5,
        Op::Unary(..) => 6,
        Op::Binary(..) => 7,
        Op::Select(..) => 8,
        Op::Broadcast(..) => 9,
        Op::Sum(..) => 10,
        Op::Contract { .. } => 11,
        Op::Index(..) => 12,
        Op::Set { .. } => 13,
        Op::AddAt { .. } => 14,
        Op::Stack(_) => 15,
        Op::Diagonal(_) => 16,
        Op::DiagonalMatrix(_) => 17,
        Op::LowerTriangle(_) => 18,
        Op::UnpackStrictLower(_) => 19,
        Op::PackStrictLower(_) => 20,
        Op::CumulativeSum { .. } => 21,
        Op::SolveLower { .. } => 22,
        Op::Result(..) => 23,
        Op::Largest(..) => 24,
        Op::Reshape(_) => 25,
        Op::Gather { .. } => 26,
        Op::ScatterAdd { .. } => 27,
    })
}
