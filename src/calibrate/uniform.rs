//! Whether ranks are uniform.

use crate::math::log_incomplete_gamma;
use crate::random::{Purpose, Stream};

/// Draws from the law of the second statistic when ranks are uniform.
const NULL_DRAWS: usize = 20_000;
/// Bins of the first statistic hold at least so many ranks on average, and are at most so many.
const LEAST_EXPECTED: usize = 5;
const MOST_BINS: usize = 20;

/// Tests of `n` ranks among `n_draws` draws each; what does not depend on the ranks is computed
/// once.
pub struct UniformTest {
    n: usize,
    /// Ranks run from 0 to this less one.
    n_ranks: usize,
    /// For each i below `n_ranks` the cdf of the number of ranks below i at 0 ..= n.
    cdfs: Vec<Vec<f64>>,
    /// What the second statistic is when ranks are uniform, in ascending order.
    null: Vec<f64>,
}

impl UniformTest {
    /// For so many ranks.
    pub fn new(n: usize, n_draws: usize) -> Self {
        let n_ranks = n_draws + 1;
        let share = |i: usize| i as f64 / n_ranks as f64;
        let cdfs = (0..n_ranks).map(|i| binomial_cdf(n, share(i))).collect();
        let mut test = UniformTest { n, n_ranks, cdfs, null: Vec::new() };
        let statistic = |draw: usize| {
            let mut stream = Stream::new(0, Purpose::Calibrate, draw, 0, 0);
            let ranks: Vec<usize> = (0..n).map(|_| stream.below(n_ranks)).collect();
            test.deviation(&ranks)
        };
        let mut null: Vec<f64> = (0..NULL_DRAWS).map(statistic).collect();
        null.sort_by(f64::total_cmp);
        test.null = null;
        test
    }

    /// Pearson's test: the probability of bins as uneven as these, or more. The number of bins
    /// divides the number of ranks. None where there are too few ranks for two bins.
    pub fn chi_square(&self, ranks: &[usize]) -> Option<f64> {
        let most = MOST_BINS.min(self.n / LEAST_EXPECTED);
        let bins = (2..=most).rev().find(|bins| self.n_ranks.is_multiple_of(*bins))?;
        let width = self.n_ranks / bins;
        let mut counts = vec![0.0; bins];
        ranks.iter().for_each(|rank| counts[rank / width] += 1.0);
        let expected = self.n as f64 / bins as f64;
        let statistic: f64 =
            counts.iter().map(|count: &f64| (count - expected).powi(2) / expected).sum();
        let freedom = (bins - 1) as f64;
        Some(log_incomplete_gamma(true, 0, 0, 0.5 * freedom, 0.5 * statistic).exp())
    }

    /// The probability of an empirical distribution as far from the uniform one as this, or
    /// farther, at its most improbable point (Säilynoja, Bürkner and Vehtari 2022), which needs no
    /// bins; by simulation.
    pub fn ecdf(&self, ranks: &[usize]) -> f64 {
        let deviation = self.deviation(ranks);
        let as_far = self.null.partition_point(|&null| null <= deviation);
        (as_far + 1) as f64 / (self.null.len() + 1) as f64
    }

    /// The least of the pointwise two-sided probabilities.
    fn deviation(&self, ranks: &[usize]) -> f64 {
        let mut counts = vec![0; self.n_ranks];
        ranks.iter().for_each(|&rank| counts[rank] += 1);
        let (mut below, mut least) = (0, 1.0_f64);
        for i in 1..self.n_ranks {
            below += counts[i - 1];
            let cdf = &self.cdfs[i];
            let up_to = cdf[below];
            let from = 1.0 - if below == 0 { 0.0 } else { cdf[below - 1] };
            least = least.min(2.0 * up_to.min(from));
        }
        least
    }
}

/// The cdf of the binomial distribution of `n` trials at 0 ..= n.
fn binomial_cdf(n: usize, share: f64) -> Vec<f64> {
    let log_choose = |k: usize| {
        let factorial = |k: usize| libm::lgamma(k as f64 + 1.0);
        factorial(n) - factorial(k) - factorial(n - k)
    };
    let mass = |k: usize| match (share, k) {
        (0.0, 0) => 1.0,
        (0.0, _) => 0.0,
        _ => (log_choose(k) + k as f64 * share.ln() + (n - k) as f64 * (-share).ln_1p()).exp(),
    };
    let mut sum = 0.0;
    (0..=n)
        .map(|k| {
            sum += mass(k);
            sum.min(1.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranks(n: usize, law: impl Fn(f64) -> f64, seed: u64) -> Vec<usize> {
        let mut stream = Stream::new(seed, Purpose::Simulate, 0, 0, 0);
        (0..n).map(|_| ((100.0 * law(stream.uniform())) as usize).min(99)).collect()
    }

    /// 100 ranks with 10 in the first of 20 bins, none in the second, 5 in each other:
    /// statistic 10, and P(χ²₁₉ > 10) by scipy.stats.chi2.sf.
    #[test]
    fn pearsons_test_is_that_of_the_book() {
        let test = UniformTest::new(100, 99);
        let mut ranks: Vec<usize> = (0..100).collect();
        ranks.iter_mut().filter(|rank| (5..10).contains(*rank)).for_each(|rank| *rank -= 5);
        let p = test.chi_square(&ranks).expect("there are enough");
        assert!((p - 0.952_946).abs() < 1e-6, "{p}");
        assert_eq!(UniformTest::new(9, 99).chi_square(&ranks[..9]), None);
    }

    /// Over 400 uniform samples each test rejects at one in ten about 40 times: outside 20 to 62
    /// with a probability below one in a thousand.
    #[test]
    fn uniform_ranks_are_rejected_as_often_as_the_tests_say() {
        let test = UniformTest::new(100, 99);
        let samples = || (0..400).map(|seed| ranks(100, |u| u, seed));
        let by_ecdf = samples().filter(|ranks| test.ecdf(ranks) < 0.1).count();
        let by_bins = samples().filter(|ranks| test.chi_square(ranks).expect("bins") < 0.1).count();
        assert!((20..62).contains(&by_ecdf) && (20..62).contains(&by_bins), "{by_ecdf} {by_bins}");
    }

    #[test]
    fn ranks_that_are_shifted_or_gather_at_the_ends_are_found() {
        let test = UniformTest::new(200, 99);
        let shifted = ranks(200, |u| u.sqrt(), 1);
        let ends = ranks(200, |u| 0.5 - 0.5 * (std::f64::consts::PI * u).cos(), 1);
        assert!(test.ecdf(&shifted) < 1e-3 && test.ecdf(&ends) < 1e-2);
    }
}
