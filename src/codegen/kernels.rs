//! Calls of precompiled kernels, for what costs too much element by element.

use cranelift::prelude::*;
use cranelift_jit::JITBuilder;
use cranelift_module::{Linkage, Module};

use super::emit::{Emit, Emitter, Num, Place, Scope, View};
use crate::ir::op::{BinaryOp, Function, Op, UnaryOp, ValueId};
use crate::kernel::{ELEMENTARY, GATHER, PRODUCT, TIMES_VECTOR, WEIGHTED_SUM};

/// The kernel that computes an op for whole arrays.
pub(super) fn elementary(op: UnaryOp) -> Option<&'static str> {
    Some(match op {
        UnaryOp::Exp => "exp",
        UnaryOp::Expm1 => "expm1",
        UnaryOp::Log => "log",
        UnaryOp::Log1p => "log1p",
        UnaryOp::InvLogit => "inv_logit",
        UnaryOp::Log1pExp => "log1p_exp",
        UnaryOp::Tanh => "tanh",
        UnaryOp::LogCosh => "log_cosh",
        UnaryOp::Log1mExp => "log1m_exp",
        UnaryOp::Lgamma => "lgamma",
        UnaryOp::Polygamma(0) => "digamma",
        UnaryOp::Polygamma(1) => "trigamma",
        _ => return None,
    })
}

/// A contraction that is a product of two matrices: of each operand one axis is the result's and
/// one is summed over. A vector is a matrix of one row or one column.
#[derive(Debug)]
pub(super) struct MatrixProduct {
    pub left: Factor,
    pub right: Factor,
}

/// An operand of a product, and which of its axes are its rows and its columns.
#[derive(Debug)]
pub(super) struct Factor {
    pub value: ValueId,
    axes: [Option<usize>; 2],
}

impl Factor {
    fn new(value: ValueId, labels: &[u8], [row, column]: [u8; 2]) -> Factor {
        let axis = |label: u8| labels.iter().position(|l| *l == label);
        Factor { value, axes: [axis(row), axis(column)] }
    }

    fn strides(&self, view: &View) -> [Num; 2] {
        self.axes.map(|axis| axis.map_or(Num::Const(0), |axis| view.strides[axis]))
    }

    /// The vector and the matrix that this factor is the product of, where it is a matrix scaled
    /// along the axis with this label: the kernel takes both.
    fn scaled(&self, function: &Function, terms: usize) -> Option<(ValueId, ValueId)> {
        let [Some(_), Some(_)] = self.axes else { return None };
        let Op::Binary(BinaryOp::Mul, x, y) = function.values[self.value].op else { return None };
        [(x, y), (y, x)].into_iter().find_map(|(weights, rest)| {
            match &function.values[weights].op {
                Op::Broadcast(vector, axes) if axes.len() == 1 => {
                    (Some(usize::from(axes[0])) == self.axes[terms]).then_some((*vector, rest))
                }
                _ => None,
            }
        })
    }
}

impl MatrixProduct {
    /// The product that an op with a result of this rank is, if it is one whose operands lie in
    /// memory as the kernel likes them, once they are computed.
    pub fn of(op: &Op, rank: usize) -> Option<MatrixProduct> {
        let Op::Contract { a, a_axes, b, b_axes } = op else { return None };
        let [a, b] = [(*a, &a_axes[..]), (*b, &b_axes[..])];
        // The label of a vector's missing axis.
        const NONE: u8 = u8::MAX;
        let product =
            |left: (ValueId, &[u8]), right: (ValueId, &[u8]), [row, sum, column]: [u8; 3]| {
                let left = Factor::new(left.0, left.1, [row, sum]);
                Some(MatrixProduct { left, right: Factor::new(right.0, right.1, [sum, column]) })
            };
        match (rank, a.1, b.1) {
            (2, [0, 2] | [2, 0], [2, 1]) => product(a, b, [0, 2, 1]),
            (2, [2, 1], [0, 2] | [2, 0]) => product(b, a, [0, 2, 1]),
            (1, [0, 1], [1]) => product(a, b, [0, 1, NONE]),
            (1, [1], [0, 1]) => product(b, a, [0, 1, NONE]),
            (1, [1, 0], [1]) => product(b, a, [NONE, 1, 0]),
            (1, [1], [1, 0]) => product(a, b, [NONE, 1, 0]),
            _ => None,
        }
    }

    /// The factor that is a scaled matrix, as vector and matrix.
    fn scaled(&self, function: &Function) -> Option<(ValueId, [ValueId; 2])> {
        let left = self.left.scaled(function, 1).map(|parts| (self.left.value, parts));
        let right = || self.right.scaled(function, 0).map(|parts| (self.right.value, parts));
        left.or_else(right).map(|(value, (vector, matrix))| (value, [vector, matrix]))
    }

    /// The values that the kernel reads.
    pub fn reads(&self, function: &Function) -> Vec<ValueId> {
        let mut reads = vec![self.left.value, self.right.value];
        if let Some((scaled, parts)) = self.scaled(function) {
            reads.retain(|value| *value != scaled);
            reads.extend(parts);
        }
        reads
    }
}

/// Tells the linker where kernels are.
pub(super) fn define_symbols(builder: &mut JITBuilder) {
    for (name, kernel) in ELEMENTARY {
        builder.symbol(symbol(name), kernel as *const u8);
    }
    builder.symbol(symbol(PRODUCT.0), PRODUCT.1 as *const u8);
    for (name, kernel) in [GATHER, TIMES_VECTOR, WEIGHTED_SUM] {
        builder.symbol(symbol(name), kernel as *const u8);
    }
}

fn symbol(name: &str) -> String {
    format!("hbdc_kernel_{name}")
}

impl Emitter<'_> {
    /// An elementary function of every element of `a`, to the memory of its result.
    pub fn emit_elementary(
        &mut self,
        scope: &Scope,
        kernel: &'static str,
        a: ValueId,
        (target, dims): (&View, &[Num]),
    ) {
        // What lies in memory without gaps is read there.
        let source = match scope.place(a) {
            Place::View(view) if view.strides == target.strides => view.base,
            _ => {
                self.write_elements(scope, a, target, dims);
                target.base
            }
        };
        let length = dims.iter().fold(Num::Const(1), |length, dim| self.mul(length, *dim));
        let length = self.int_value(length);
        self.call_kernel(kernel, &[source, target.base, length]);
    }

    /// A product of matrices into `target`, where their memory suits the kernel; else false.
    pub fn emit_product(&mut self, scope: &Scope, id: ValueId, target: &View) -> Emit<bool> {
        let Some(product) = MatrixProduct::of(scope.op(id), scope.dims(id).len()) else {
            return Ok(false);
        };
        let in_memory = |value: ValueId| match scope.place(value) {
            Place::View(view) => Some(view.clone()),
            _ => None,
        };
        // A scaled factor that has memory of its own may outlive what it was computed from.
        let scaled = product.scaled(scope.function);
        let scaled = scaled.filter(|(value, _)| matches!(scope.place(*value), Place::Virtual(_)));
        let matrix = |factor: &Factor| match scaled {
            Some((value, [_, matrix])) if value == factor.value => in_memory(matrix),
            _ => in_memory(factor.value),
        };
        let (Some(a), Some(b)) = (matrix(&product.left), matrix(&product.right)) else {
            return Ok(false);
        };
        let weights = match scaled {
            None => self.int(0),
            Some((_, [vector, _])) => match in_memory(vector) {
                Some(view) if view.strides[0] == Num::Const(1) => view.base,
                _ => return Ok(false),
            },
        };
        let MatrixProduct { left, right } = product;
        let (a_strides, b_strides) = (left.strides(&a), right.strides(&b));
        let one = Num::Const(1);
        let suits = match right.axes[1] {
            Some(_) => b_strides[1] == one,
            None => a_strides[1] == one && b_strides[0] == one,
        };
        if !suits {
            return Ok(false);
        }
        let [a_base, b_base] = [a.base, b.base];
        let rows = self.extent_along(scope, &left, 0)?;
        let columns = self.extent_along(scope, &right, 1)?;
        let terms = self.extent_along(scope, &left, 1)?;
        let numbers = [rows, columns, terms].into_iter().chain(a_strides).chain(b_strides);
        let mut call = vec![a_base, b_base, weights, target.base];
        for number in numbers {
            call.push(self.int_value(number));
        }
        // The fields of `kernel::ProductCall`, in its order.
        self.call_kernel_with(PRODUCT.0, call);
        Ok(true)
    }

    /// Calls a kernel with the address of these fields.
    pub fn call_kernel_with(&mut self, name: &'static str, fields: Vec<Value>) {
        let size = 8 * fields.len() as u32;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 3);
        let slot = self.b.create_sized_stack_slot(slot);
        for (k, field) in fields.into_iter().enumerate() {
            self.b.ins().stack_store(types::I64, field, slot, 8 * k as i32);
        }
        let fields = self.b.ins().stack_addr(types::I64, slot, 0);
        self.call_kernel(name, &[fields]);
    }

    /// The rows or columns of a factor.
    fn extent_along(&mut self, scope: &Scope, factor: &Factor, axis: usize) -> Emit<Num> {
        match factor.axes[axis] {
            Some(axis) => self.extent(&scope.dims(factor.value)[axis]),
            None => Ok(Num::Const(1)),
        }
    }

    /// Calls a kernel with addresses and whole numbers.
    fn call_kernel(&mut self, name: &'static str, arguments: &[Value]) {
        let mut signature = self.module.make_signature();
        signature.params.extend(arguments.iter().map(|_| AbiParam::new(types::I64)));
        let id = self
            .module
            .declare_function(&symbol(name), Linkage::Import, &signature)
            .expect("each kernel is declared with one signature");
        let kernel = self.module.declare_func_in_func(id, self.b.func);
        self.b.ins().call(kernel, arguments);
    }
}
