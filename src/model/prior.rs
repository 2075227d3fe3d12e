//! A Gaussian prior of the locals that is the same for all branches: expanded once per θ.

use std::collections::HashMap;

/// Numbers that are kept in expansions, of as many values of θ as that makes: branch after branch
/// goes through the same draws.
const KEPT: usize = 200_000;

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
    /// Where they are, by [`hash`] of what they were expanded at.
    places: HashMap<u64, usize>,
    /// The place asked for last.
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
        let is_at = |place: &usize| {
            self.kept.get(*place).is_some_and(|prior| same_bits(&prior.shared, shared))
        };
        if !is_at(&self.last) {
            let key = hash(shared);
            let known = self.places.get(&key).copied().filter(is_at);
            self.last = known.unwrap_or_else(|| {
                let zero = vec![0.0; n_local];
                let mut gradient = vec![0.0; n_local];
                let mut precision = vec![0.0; n_local * n_local];
                expand(&zero, &mut gradient, &mut precision);
                self.keep(key, CommonPrior { shared: shared.to_vec(), gradient, precision })
            });
        }
        &self.kept[self.last]
    }

    /// Keeps one more, in the place of the oldest where there is no room; returns its place.
    fn keep(&mut self, key: u64, prior: CommonPrior) -> usize {
        let place = self.next;
        let room = KEPT / (prior.shared.len() + prior.gradient.len() + prior.precision.len());
        self.next = (self.next + 1) % room.max(1);
        match self.kept.get_mut(place) {
            Some(old) => {
                self.places.remove(&hash(&old.shared));
                *old = prior;
            }
            None => self.kept.push(prior),
        }
        self.places.insert(key, place);
        place
    }
}

/// A hash of the bits, in four strands so that it is quick.
fn hash(values: &[f64]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut strands = [1_u64, 2, 3, 4];
    for chunk in values.chunks(strands.len()) {
        for (strand, x) in strands.iter_mut().zip(chunk) {
            *strand = (*strand ^ x.to_bits()).wrapping_mul(ODD).rotate_left(29);
        }
    }
    strands.into_iter().fold(0, |all, strand| (all ^ strand).wrapping_mul(ODD).rotate_left(31))
}

/// Zeros of different signs and NaNs are told apart, so that a hit is exactly a hit.
fn same_bits(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}
