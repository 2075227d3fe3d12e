//! Adam (Kingma and Ba, 2015), ascending.

/// Forgets the start in a hundred steps.
const BETA_2: f64 = 0.99;
const BETA_1: f64 = 0.9;

/// Running moments of a gradient.
#[derive(Clone, Debug)]
pub struct Adam {
    mean: Vec<f64>,
    square: Vec<f64>,
    steps: i32,
}

impl Adam {
    /// Before the first step of `n` parameters.
    pub fn new(n: usize) -> Self {
        Self { mean: vec![0.0; n], square: vec![0.0; n], steps: 0 }
    }

    /// Turns the gradient into the step to take. Where the gradient's size falls below `floor`
    /// the step shrinks with it, so that noise-free problems settle.
    pub fn step(&mut self, gradient: &mut [f64], step_size: f64, floor: f64) {
        self.steps = self.steps.saturating_add(1);
        let mean_correction = 1.0 / (1.0 - BETA_1.powi(self.steps));
        let square_correction = 1.0 / (1.0 - BETA_2.powi(self.steps));
        for (k, g) in gradient.iter_mut().enumerate() {
            self.mean[k] += (1.0 - BETA_1) * (*g - self.mean[k]);
            self.square[k] += (1.0 - BETA_2) * (*g * *g - self.square[k]);
            let size = (self.square[k] * square_correction).sqrt() + floor;
            *g = step_size * self.mean[k] * mean_correction / size;
        }
    }
}
