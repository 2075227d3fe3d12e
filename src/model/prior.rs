//! A Gaussian prior of the locals that is the same for all branches: expanded once per θ.

/// Numbers that are kept in expansions, of as many values of θ as that makes: branch after branch
/// goes through the same draws.
const KEPT: usize = 2_000_000;

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
    /// The one asked for last.
    last: usize,
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
        let known = self.position(shared);
        let position = known.unwrap_or_else(|| {
            let zero = vec![0.0; n_local];
            let mut gradient = vec![0.0; n_local];
            let mut precision = vec![0.0; n_local * n_local];
            expand(&zero, &mut gradient, &mut precision);
            let prior = CommonPrior { shared: shared.to_vec(), gradient, precision };
            let position = self.next;
            let length = shared.len() + n_local * (n_local + 1);
            self.next = (self.next + 1) % (KEPT / length.max(1)).max(1);
            match self.kept.get_mut(position) {
                Some(old) => *old = prior,
                None => self.kept.push(prior),
            }
            position
        });
        self.last = position;
        &self.kept[position]
    }

    /// Draws come in the same order again and again, so what comes next is mostly known.
    fn position(&self, shared: &[f64]) -> Option<usize> {
        let is_at =
            |k: &usize| self.kept.get(*k).is_some_and(|prior| same_bits(&prior.shared, shared));
        let likely = [self.last, self.last + 1, 0];
        likely.into_iter().find(is_at).or_else(|| (0..self.kept.len()).find(is_at))
    }
}

/// Zeros of different signs and NaNs are told apart, so that a hit is exactly a hit.
fn same_bits(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}
