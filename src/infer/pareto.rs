//! k̂: the shape of the generalised Pareto distribution that fits the largest importance weights
//! (Vehtari, Simpson, Gelman, Yao and Gabry, "Pareto smoothed importance sampling", JMLR 2024).
//!
//! Weights have about 1/k̂ finite moments. Below 0.7 averages over so many draws can be relied
//! on; above it, rare draws that were not seen would change them.

/// Shape above which weights are not to be relied on.
pub const KHAT_LIMIT: f64 = 0.7;
/// Fewer weights in the tail than this tell nothing of its shape.
const LEAST_TAIL: usize = 5;
/// log weights that differ by less are equal but for rounding.
const EQUAL: f64 = 1e-9;

/// k̂ of unnormalised log weights. Zero where they are all equal, infinite where too few are
/// finite or stand out; what is not finite weighs nothing.
pub fn khat(log_weights: &[f64]) -> f64 {
    smooth(&mut log_weights.to_vec())
}

/// Replaces the largest log weights by quantiles of the distribution that fits them, none above
/// the largest, so that no single draw decides; returns k̂, as [`khat`].
pub fn smooth(log_weights: &mut [f64]) -> f64 {
    let n = log_weights.len();
    let mut order: Vec<usize> = (0..n).filter(|&i| log_weights[i].is_finite()).collect();
    order.sort_by(|&i, &j| log_weights[i].total_cmp(&log_weights[j]));
    let (Some(&first), Some(&last)) = (order.first(), order.last()) else {
        return f64::INFINITY;
    };
    let largest = log_weights[last];
    if order.len() == n && largest - log_weights[first] < EQUAL {
        return 0.0;
    }
    let tail_length = (n as f64 / 5.0).min(3.0 * (n as f64).sqrt()).ceil() as usize;
    if order.len() <= tail_length {
        return f64::INFINITY;
    }
    let cutoff = log_weights[order[order.len() - tail_length - 1]] - largest;
    let cutoff = cutoff.max(f64::MIN_POSITIVE.ln());
    order.retain(|&i| log_weights[i] - largest > cutoff);
    if order.len() < LEAST_TAIL {
        return f64::INFINITY;
    }
    let exceedance = |&i: &usize| (log_weights[i] - largest).exp() - cutoff.exp();
    let (khat, scale) = shape_and_scale(&order.iter().map(exceedance).collect::<Vec<f64>>());
    let count = order.len() as f64;
    for (rank, &i) in order.iter().enumerate() {
        let left = 1.0 - (rank as f64 + 0.5) / count;
        let quantile = match khat.abs() < 1e-12 {
            true => -scale * left.ln(),
            false => scale * (-khat * left.ln()).exp_m1() / khat,
        };
        log_weights[i] = largest + (quantile + cutoff.exp()).ln().min(0.0);
    }
    khat
}

/// Shape and scale of the generalised Pareto distribution of positive values in increasing order:
/// the posterior mean of Zhang and Stephens (Technometrics 2009), the shape drawn towards ½ as
/// ten more values would.
fn shape_and_scale(sorted: &[f64]) -> (f64, f64) {
    const PRIOR_SCALE: f64 = 3.0;
    const PRIOR_WEIGHT: f64 = 10.0;
    let n = sorted.len() as f64;
    let quartile = sorted[(n / 4.0 + 0.5) as usize - 1];
    let largest = sorted[sorted.len() - 1];
    let n_grid = 30 + n.sqrt() as usize;
    let shape_at = |b: f64| sorted.iter().map(|x| (-b * x).ln_1p()).sum::<f64>() / n;
    let grid: Vec<(f64, f64)> = (1..=n_grid)
        .map(|j| {
            let spread = 1.0 - (n_grid as f64 / (j as f64 - 0.5)).sqrt();
            let b = spread / (PRIOR_SCALE * quartile) + 1.0 / largest;
            let k = shape_at(b);
            (b, n * ((-b / k).ln() - k - 1.0))
        })
        .collect();
    let best = grid.iter().map(|&(_, l)| l).fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = grid.iter().map(|&(_, l)| (l - best).exp()).collect();
    let total: f64 = weights.iter().sum();
    let b = grid.iter().zip(&weights).map(|(&(b, _), w)| b * w).sum::<f64>() / total;
    let shape = shape_at(b);
    ((n * shape + 0.5 * PRIOR_WEIGHT) / (n + PRIOR_WEIGHT), -shape / b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log weights behind a row of the table: quantiles, so that they need no generator.
    fn log_weights(kind: &str, parameter: f64, n: usize) -> Vec<f64> {
        let at = |i: usize| {
            let p = (i as f64 + 0.5) / n as f64;
            match kind {
                "pareto" => (((1.0 - p).powf(-parameter) - 1.0) / parameter).ln(),
                "exponential" => (-(1.0 - p).ln()).ln() * parameter,
                "uniform" => parameter * p,
                "logistic" => parameter * (p / (1.0 - p)).ln(),
                _ => panic!("{kind} is no kind"),
            }
        };
        // Out of order, as draws are.
        (0..n).map(|i| at(i * 7 % n)).collect()
    }

    #[test]
    fn khat_is_that_of_arviz() {
        let table = include_str!("../../tests/oracle/khat.csv");
        let mut n_rows = 0;
        for line in table.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let number = |k: usize| cells[k].parse::<f64>().expect("a number");
            let found = khat(&log_weights(cells[0], number(1), number(2) as usize));
            let expected = number(3);
            assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{line}: {found}");
            n_rows += 1;
        }
        assert!(n_rows >= 12);
    }

    #[test]
    fn smoothed_weights_are_those_of_arviz() {
        // The table's last column is the effective size of the smoothed weights.
        let table = include_str!("../../tests/oracle/khat.csv");
        for line in table.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let number = |k: usize| cells[k].parse::<f64>().expect("a number");
            let mut log_weights = log_weights(cells[0], number(1), number(2) as usize);
            smooth(&mut log_weights);
            let sum: f64 = log_weights.iter().map(|x| x.exp()).sum();
            let squares: f64 = log_weights.iter().map(|x| (2.0 * x).exp()).sum();
            let (found, expected) = (sum * sum / squares, number(4));
            assert!((found / expected - 1.0).abs() < 1e-9, "{line}: {found}");
        }
    }

    #[test]
    fn khat_recovers_the_shape_of_a_generalised_pareto_distribution() {
        for k in [0.1, 0.5, 0.9] {
            let found = khat(&log_weights("pareto", k, 99_991));
            assert!((found - k).abs() < 0.03, "{k}: {found}");
        }
    }

    #[test]
    fn equal_weights_have_no_tail_and_missing_ones_no_shape() {
        assert_eq!(khat(&[3.0; 100]), 0.0);
        assert_eq!(khat(&[f64::NAN; 100]), f64::INFINITY);
        assert_eq!(khat(&[]), f64::INFINITY);
        let mut one = [0.0; 100];
        one[7] = 50.0;
        assert_eq!(khat(&one), f64::INFINITY);
    }
}
