//! Random counts that several distributions are drawn from: binomial and Poisson variables, by
//! inversion where the mean is small and by transformed rejection (Hörmann 1993) elsewhere.
//!
//! Ratios of probabilities are taken from their saddle points (Loader 2000), which keeps them
//! exact for counts that have no room for `ln Γ`.

use std::f64::consts::TAU;

use crate::random::Stream;

/// From this mean on, rejection is faster than inversion.
const LARGE_MEAN: f64 = 10.0;
/// A count that inversion reaches by rounding alone: its probability is below 1e-70.
const LONGEST_SEARCH: f64 = 150.0;

/// A Poisson count of this mean; NaN unless the mean is finite and not negative.
pub fn poisson(stream: &mut Stream, mean: f64) -> f64 {
    if !mean.is_finite() || mean < 0.0 {
        return f64::NAN;
    }
    if mean < LARGE_MEAN {
        return by_inversion(stream, libm::exp(-mean), |k| mean / (k + 1.0));
    }
    poisson_by_rejection(stream, mean)
}

/// Successes in `trials` trials of this chance; NaN unless `trials` is finite and not negative
/// and the chance is from 0 to 1.
pub fn binomial(stream: &mut Stream, trials: f64, chance: f64) -> f64 {
    let is_valid = trials >= 0.0 && trials.is_finite() && (0.0..=1.0).contains(&chance);
    if !is_valid {
        return f64::NAN;
    }
    if chance > 0.5 {
        return trials - binomial(stream, trials, 1.0 - chance);
    }
    if trials * chance < LARGE_MEAN {
        let none = libm::exp(trials * libm::log1p(-chance));
        let odds = chance / (1.0 - chance);
        return by_inversion(stream, none, |k| (trials - k) / (k + 1.0) * odds);
    }
    binomial_by_rejection(stream, trials, chance)
}

/// The first count whose distribution function exceeds a uniform number: `first` is the
/// probability of 0, `ratio(k)` that of `k + 1` over that of `k`.
fn by_inversion(stream: &mut Stream, first: f64, ratio: impl Fn(f64) -> f64) -> f64 {
    loop {
        let mut left = stream.uniform();
        let (mut k, mut probability) = (0.0, first);
        while k < LONGEST_SEARCH {
            if left < probability {
                return k;
            }
            left -= probability;
            probability *= ratio(k);
            k += 1.0;
        }
    }
}

/// Algorithm PTRS of Hörmann, *The transformed rejection method for generating Poisson random
/// variables*, 1993, in its symbols.
fn poisson_by_rejection(stream: &mut Stream, mean: f64) -> f64 {
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let certain = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = stream.uniform() - 0.5;
        let v = stream.uniform();
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
        if us >= 0.07 && v <= certain {
            return k;
        }
        if k < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        let height = libm::log(v * inverse_alpha / (a / (us * us) + b));
        if height <= log_poisson(k, mean) {
            return k;
        }
    }
}

/// Algorithm BTRS of Hörmann, *The generation of binomial random variates*, 1993, in its
/// symbols; the chance is at most a half.
fn binomial_by_rejection(stream: &mut Stream, n: f64, p: f64) -> f64 {
    let deviation = (n * p * (1.0 - p)).sqrt();
    let b = 1.15 + 2.53 * deviation;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let alpha = (2.83 + 5.1 / b) * deviation;
    let certain = 0.92 - 4.2 / b;
    let mode = ((n + 1.0) * p).floor();
    let of_mode = log_binomial(mode, n, p);
    loop {
        let u = stream.uniform() - 0.5;
        let v = stream.uniform();
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + n * p + 0.5).floor();
        if us >= 0.07 && v <= certain {
            return k;
        }
        if k < 0.0 || k > n {
            continue;
        }
        let height = libm::log(v * alpha / (a / (us * us) + b));
        if height <= log_binomial(k, n, p) - of_mode {
            return k;
        }
    }
}

/// The logarithm of the Poisson probability of `k`.
fn log_poisson(k: f64, mean: f64) -> f64 {
    if k == 0.0 {
        return -mean;
    }
    -stirling_error(k) - deviance(k, mean) - 0.5 * libm::log(TAU * k)
}

/// The logarithm of the binomial probability of `k`.
fn log_binomial(k: f64, n: f64, p: f64) -> f64 {
    if k == 0.0 {
        return n * libm::log1p(-p);
    }
    if k == n {
        return n * libm::log(p);
    }
    let rest = n - k;
    let errors = stirling_error(n) - stirling_error(k) - stirling_error(rest);
    let deviances = deviance(k, n * p) + deviance(rest, n * (1.0 - p));
    errors - deviances - 0.5 * libm::log(TAU * k * (rest / n))
}

/// `ln k! - (k + 1/2) ln k + k - ln √(2π)` for a positive count.
fn stirling_error(k: f64) -> f64 {
    if k < 16.0 {
        return libm::lgamma(k + 1.0) - (k + 0.5) * libm::log(k) + k - 0.5 * libm::log(TAU);
    }
    let r = 1.0 / k;
    let square = r * r;
    r * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0))))
}

/// `x ln(x / m) + m - x`, without cancellation where `x` is near `m`.
fn deviance(x: f64, m: f64) -> f64 {
    let relative = (x - m) / (x + m);
    if relative.abs() >= 0.1 {
        return x * libm::log(x / m) + m - x;
    }
    // ln(x / m) = 2 artanh(relative), whose first term combines with m - x.
    let square = relative * relative;
    let mut term = 2.0 * x * relative;
    let mut sum = (x - m) * relative;
    for j in 1..20 {
        term *= square;
        sum += term / f64::from(2 * j + 1);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against `ln Γ`, where that has digits enough.
    #[test]
    fn probabilities_from_saddle_points_agree_with_factorials() {
        let factorial = |k: f64| libm::lgamma(k + 1.0);
        for mean in [0.3, 10.0, 30.5, 200.0, 1000.0] {
            for k in [0.0, 1.0, 2.0, 9.0, 15.0, 16.0, 31.0, 180.0, 205.0, 1000.0, 1200.0] {
                let expected = k * libm::log(mean) - mean - factorial(k);
                let scale = 1.0 + mean + factorial(k) + k * libm::log(mean).abs();
                assert!((log_poisson(k, mean) - expected).abs() < 1e-14 * scale, "{k} {mean}");
            }
        }
        for (n, p) in [(1.0, 0.5), (20.0, 0.5), (100.0, 0.13), (1000.0, 0.02)] {
            for k in [0.0, 1.0, 7.0, 13.0, 19.0, 20.0, 87.0, 100.0, 999.0] {
                if k > n {
                    continue;
                }
                let ways = factorial(n) - factorial(k) - factorial(n - k);
                let expected = ways + k * libm::log(p) + (n - k) * libm::log1p(-p);
                let scale = 1.0 + factorial(n) - n * libm::log(p);
                let difference = log_binomial(k, n, p) - expected;
                assert!(difference.abs() < 1e-14 * scale, "{k} {n} {p}: {difference:e}");
            }
        }
    }
}
