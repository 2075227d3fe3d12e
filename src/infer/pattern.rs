//! Which elements of θ a large q(θ) treats as dependent.

use std::ops::Range;

/// Globals up to which q(θ) is dense.
const DENSE: usize = 400;
/// Elements of a variable that may belong to the core of a larger θ, and of the core.
const SMALL_VARIABLE: usize = 50;
const CORE: usize = 300;

/// An order of the elements of θ in which the first `core` are dense, and each of the rest
/// depends on these alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Positions in θ.
    pub order: Vec<usize>,
    /// How many of the first are dense.
    pub core: usize,
}

impl Pattern {
    /// All dense where θ is small enough. Beyond, the effects of a factor with many levels, and
    /// other long variables, are independent of each other given the short ones.
    pub fn new(n: usize, variables: &[Range<usize>]) -> Self {
        if n <= DENSE {
            return Self { order: (0..n).collect(), core: n };
        }
        let mut by_length: Vec<&Range<usize>> = variables.iter().collect();
        by_length.sort_by_key(|range| range.len());
        let mut core = vec![];
        for range in by_length {
            if range.len() <= SMALL_VARIABLE && core.len() + range.len() <= CORE {
                core.extend(range.clone());
            }
        }
        core.sort_unstable();
        let mut in_core = vec![false; n];
        core.iter().for_each(|&j| in_core[j] = true);
        let n_core = core.len();
        core.extend((0..n).filter(|&j| !in_core[j]));
        Self { order: core, core: n_core }
    }

    /// Whether nothing is left out.
    pub fn is_dense(&self) -> bool {
        self.core == self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_variables_are_left_out_of_a_large_core() {
        let pattern = Pattern::new(1003, &[0..1, 1..1001, 1001..1003]);
        assert_eq!((pattern.core, &pattern.order[..4]), (3, &[0, 1001, 1002, 1][..]));
        assert_eq!(pattern.order.len(), 1003);
        assert!(Pattern::new(20, &[0..1, 1..20]).is_dense());
    }
}
