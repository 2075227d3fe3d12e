//! A Gaussian prior of the locals that is the same for all branches: expanded once per θ.

/// Values of θ whose expansions are kept: those of a step, of its mean and of a few more.
const KEPT: usize = 64;

/// `log p(z|θ) = gᵀz - zᵀPz/2 + …` for some θ.
#[derive(Clone, Debug)]
pub struct CommonPrior {
    shared: Vec<f64>,
    gradient: Vec<f64>,
    precision: Vec<f64>,
}

/// The expansions met last.
#[derive(Clone, Debug, Default)]
pub struct CommonPriors {
    kept: Vec<CommonPrior>,
    next: usize,
}

impl CommonPrior {
    /// The gradient `g - Pz` and the curvature `P` at z.
    pub fn expand(&self, z: &[f64], gradient: &mut [f64], curvature: &mut [f64]) {
        curvature.copy_from_slice(&self.precision);
        let rows = self.precision.chunks_exact(z.len().max(1));
        for ((slope, row), start) in gradient.iter_mut().zip(rows).zip(&self.gradient) {
            *slope = start - row.iter().zip(z).map(|(p, z)| p * z).sum::<f64>();
        }
    }
}

impl CommonPriors {
    /// The expansion at these shared values; `expand` computes gradient and curvature at a z
    /// of zeros where they are new.
    pub fn at(
        &mut self,
        shared: &[f64],
        n_local: usize,
        expand: impl FnOnce(&[f64], &mut [f64], &mut [f64]),
    ) -> &CommonPrior {
        let known = self.kept.iter().position(|prior| same_bits(&prior.shared, shared));
        let position = known.unwrap_or_else(|| {
            let zero = vec![0.0; n_local];
            let mut gradient = vec![0.0; n_local];
            let mut precision = vec![0.0; n_local * n_local];
            expand(&zero, &mut gradient, &mut precision);
            let prior = CommonPrior { shared: shared.to_vec(), gradient, precision };
            let position = self.next;
            self.next = (self.next + 1) % KEPT;
            match self.kept.get_mut(position) {
                Some(old) => *old = prior,
                None => self.kept.push(prior),
            }
            position
        });
        &self.kept[position]
    }
}

/// Zeros of different signs and NaNs are told apart, so that a hit is exactly a hit.
fn same_bits(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}
