//! Which values of a function depend on data alone.

use crate::index::Arena;
use crate::ir::op::{Function, Input, InputKind, Op, Value, ValueId};

/// What is known of the values of a function, which may still grow.
#[derive(Default)]
pub struct Known {
    is_data: Vec<bool>,
}

impl Known {
    /// Of all values of a function.
    pub fn of(function: &Function) -> Known {
        let mut known = Known::default();
        known.update(function);
        known
    }

    /// Takes note of values that were added.
    pub fn update(&mut self, function: &Function) {
        let Function { inputs, values, .. } = function;
        for position in self.is_data.len()..values.len() {
            self.is_data.push(self.depends_on_data_alone(
                inputs,
                values,
                ValueId::from_index(position),
            ));
        }
    }

    fn depends_on_data_alone(&self, inputs: &[Input], values: &Arena<Value>, id: ValueId) -> bool {
        match &values[id].op {
            Op::Input(k) => matches!(inputs[*k].kind, InputKind::Datum(_)),
            op => op.operands().iter().all(|operand| self.is_data[operand.index()]),
        }
    }

    /// Whether it depends on nothing but data; constants do.
    pub fn is_data(&self, id: ValueId) -> bool {
        self.is_data[id.index()]
    }
}
