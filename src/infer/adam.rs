//! Adam (Kingma and Ba, 2015), ascending.

use serde::{Deserialize, Serialize};

/// Forgets the start in a hundred steps.
const BETA_2: f64 = 0.99;
const BETA_1: f64 = 0.9;

/// Running moments of gradients of one or several blocks of parameters. The moments of a block
/// stand still while other blocks move.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Adam {
    /// Parameters of one block.
    n: usize,
    mean: Vec<f64>,
    square: Vec<f64>,
    /// Steps that each block has taken.
    steps: Vec<i32>,
}

impl Adam {
    /// Before the first step of `n` parameters.
    pub fn new(n: usize) -> Self {
        Self::of_blocks(1, n)
    }

    /// Before the first step of `n_blocks` blocks of `n` parameters.
    pub fn of_blocks(n_blocks: usize, n: usize) -> Self {
        let zeros = vec![0.0; n_blocks * n];
        Self { n, mean: zeros.clone(), square: zeros, steps: vec![0; n_blocks] }
    }

    /// Forgets all moments.
    pub fn reset(&mut self) {
        self.mean.fill(0.0);
        self.square.fill(0.0);
        self.steps.fill(0);
    }

    /// Turns the gradient into the step to take. Where the gradient's size falls below `floor`
    /// the step shrinks with it, so that noise-free problems settle.
    pub fn step(&mut self, gradient: &mut [f64], step_size: f64, floor: f64) {
        self.step_block(0, gradient, step_size, floor);
    }

    /// The same for one block.
    pub fn step_block(&mut self, block: usize, gradient: &mut [f64], step_size: f64, floor: f64) {
        let steps = &mut self.steps[block];
        *steps = steps.saturating_add(1);
        let mean_correction = 1.0 / (1.0 - BETA_1.powi(*steps));
        let square_correction = 1.0 / (1.0 - BETA_2.powi(*steps));
        let own = block * self.n..(block + 1) * self.n;
        let moments = self.mean[own.clone()].iter_mut().zip(&mut self.square[own]);
        for (g, (mean, square)) in gradient.iter_mut().zip(moments) {
            *mean += (1.0 - BETA_1) * (*g - *mean);
            *square += (1.0 - BETA_2) * (*g * *g - *square);
            let size = (*square * square_correction).sqrt() + floor;
            *g = step_size * *mean * mean_correction / size;
        }
    }
}
