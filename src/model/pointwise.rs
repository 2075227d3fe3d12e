//! The log likelihood row by row, as leave-one-out estimates want it.
//!
//! With one weight for each row the log likelihood of a branch is linear in the weights, so the
//! terms of all rows are its gradient in them: one sweep of reverse mode, whatever the model.

use std::sync::Arc;

use super::CompiledModel;
use super::kernel::{Arguments, Kernel, Pieces};
use super::program::{constrained_pieces, data_error, size_table};
use crate::autodiff::reverse::{Seed, gradient, sources};
use crate::codegen::{self, Scratch};
use crate::data::{BoundData, DataError};
use crate::ir::build::extract;
use crate::ir::op::InputKind;
use crate::model::Backend;

/// What evaluates the likelihood of each row of a branch; a clone shares the code.
#[derive(Clone)]
pub struct Pointwise {
    code: Arc<Code>,
    out: Vec<f64>,
    scratch: Scratch,
}

struct Code {
    kernel: Kernel,
    data: BoundData,
    /// A weight of one for each row.
    weights: Vec<f64>,
}

impl Pointwise {
    /// log p(y_r | θ, zᵢ) of each row r of the branch, in their bound order; zero where the
    /// outcomes of a row are empty.
    pub fn rows(&mut self, branch: usize, shared: &[f64], z: &[f64]) -> &[f64] {
        let Code { kernel, data, weights } = &*self.code;
        let arguments = Arguments { z, shared, branch, mask: weights, ..Arguments::default() };
        let lengths = [data.rows(branch).len()];
        kernel.call_of(&lengths, &arguments, data, &mut self.out, &mut self.scratch);
        &self.out
    }
}

impl CompiledModel {
    /// The likelihood of single rows; none where it is not a sum over rows.
    ///
    /// # Errors
    /// When arrays of these sizes do not fit in memory.
    pub(crate) fn pointwise(&self, data: &BoundData) -> Result<Option<Pointwise>, DataError> {
        if !self.likelihood_is_by_rows() {
            return Ok(None);
        }
        let program = self.program_for(true);
        let likelihood = extract(&program.local, &[2], "likelihood");
        let is_weight = |kind| kind == InputKind::RowMask;
        if sources(&likelihood, is_weight).is_empty() {
            return Ok(None);
        }
        let mut function = gradient(&likelihood, &[], &[(0, Seed::One)], is_weight);
        function.name = "likelihood of rows".to_string();
        let code = match self.options().backend {
            Backend::MachineCode => {
                let codes = codegen::compile(&[&function], &size_table(data));
                codes.map_err(|error| data_error(&error))?.pop()
            }
            Backend::Interpreter => None,
        };
        let pieces = Pieces {
            globals: Vec::new(),
            locals: program
                .local_lengths
                .iter()
                .map(|size| data.size(size, 0))
                .collect::<Result<_, _>>()?,
            shared: constrained_pieces(&program, data).shared,
            statistics: Vec::new(),
        };
        let kernel = Kernel::new(function, code, &pieces, &[], Vec::new(), data);
        let weights = vec![1.0; data.n_rows_total()];
        let code = Arc::new(Code { kernel, data: data.clone(), weights });
        Ok(Some(Pointwise { code, out: Vec::new(), scratch: Scratch::default() }))
    }
}
