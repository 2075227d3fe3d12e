//! The loops of a sum or a contraction: in which order labels are run through.
//!
//! A reduced label that is innermost is summed in registers; one outside a label of the
//! result is summed into memory that starts at zero.

use crate::ir::op::{Op, ValueId};

/// A sum of products of its operands' elements.
#[derive(Clone, Debug)]
pub(super) struct Reduction {
    /// One or two operands with a label for each axis.
    pub operands: Vec<(ValueId, Vec<u8>)>,
    /// Labels below this are the result's axes.
    pub n_kept: usize,
    /// Every label once, the outermost loop first.
    pub order: Vec<u8>,
    /// How many of the innermost loops are over reduced labels.
    pub n_in_registers: usize,
}

impl Reduction {
    /// The reduction that `op`, with a result of rank `n_kept`, is; if it is one.
    pub fn of(op: &Op, rank_of: impl Fn(ValueId) -> usize, n_kept: usize) -> Option<Reduction> {
        let operands = match op {
            Op::Sum(a, keep) => vec![(*a, sum_labels(rank_of(*a), keep))],
            Op::Contract { a, a_axes, b, b_axes } => {
                vec![(*a, a_axes.clone()), (*b, b_axes.clone())]
            }
            _ => return None,
        };
        let mut reduction = Reduction { operands, n_kept, order: Vec::new(), n_in_registers: 0 };
        reduction.order = reduction.loop_order();
        let innermost = reduction.order.iter().rev();
        reduction.n_in_registers = innermost.take_while(|l| !reduction.is_kept(**l)).count();
        Some(reduction)
    }

    fn is_kept(&self, label: u8) -> bool {
        usize::from(label) < self.n_kept
    }

    /// Whether some reduced label is outside a kept one.
    pub fn sums_into_memory(&self) -> bool {
        self.order[..self.order.len() - self.n_in_registers].iter().any(|l| !self.is_kept(*l))
    }

    /// Whether elements of the operand are needed again after others.
    pub fn repeats(&self, operand: usize) -> bool {
        let labels = &self.operands[operand].1;
        let deepest = self.order.iter().rposition(|label| labels.contains(label));
        deepest.is_some_and(|last| self.order[..last].iter().any(|l| !labels.contains(l)))
    }

    fn loop_order(&self) -> Vec<u8> {
        let mut order: Vec<u8> = Vec::new();
        for (_, labels) in &self.operands {
            merge(&mut order, labels);
        }
        if let Some(innermost) = self.innermost() {
            order.retain(|label| *label != innermost);
            order.push(innermost);
        }
        order
    }

    /// The label along which the larger operands, or the result, lie contiguous in memory.
    fn innermost(&self) -> Option<u8> {
        let rank = self.operands.iter().map(|(_, labels)| labels.len()).max().unwrap_or(0);
        let largest = self.operands.iter().filter(|(_, labels)| labels.len() == rank);
        let last: Vec<u8> = largest.filter_map(|(_, labels)| labels.last().copied()).collect();
        let last_kept = self.n_kept.checked_sub(1).map(|axis| axis as u8);
        let reduced = last.iter().copied().find(|label| !self.is_kept(*label));
        match last_kept {
            Some(kept) if last.contains(&kept) => Some(kept),
            _ => reduced.or(last_kept),
        }
    }
}

/// Labels of a summed operand: kept axes have their place in the result.
fn sum_labels(rank: usize, keep: &[u8]) -> Vec<u8> {
    let mut reduced = keep.len() as u8..;
    let label = |axis: u8| match keep.iter().position(|kept| *kept == axis) {
        Some(place) => place as u8,
        None => reduced.next().expect("fewer than 256 axes"),
    };
    (0..rank as u8).map(label).collect()
}

/// Inserts the labels that `order` lacks after the ones they follow, before the ones they
/// precede.
fn merge(order: &mut Vec<u8>, labels: &[u8]) {
    for (position, label) in labels.iter().enumerate() {
        if order.contains(label) {
            continue;
        }
        let place_of = |l: &u8| order.iter().position(|known| known == l);
        let after = labels[..position].iter().rev().find_map(place_of).map(|place| place + 1);
        let before = labels[position + 1..].iter().find_map(place_of);
        order.insert(after.or(before).unwrap_or(order.len()), *label);
    }
}
