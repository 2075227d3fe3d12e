//! Convergence of chains: rank-normalised split R̂ and effective sample sizes, as in Vehtari,
//! Gelman, Simpson, Carpenter and Bürkner (2021), "Rank-normalization, folding, and localization".
//!
//! Chains are of one length, and are split in halves here.

/// What chains of one scalar say of themselves.
#[derive(Clone, Copy, Debug)]
pub struct Diagnostics {
    /// The larger of R̂ of ranks and R̂ of folded ranks.
    pub rhat: f64,
    /// Effective sample size of ranks.
    pub ess_bulk: f64,
    /// The smaller of those of the 5 % and the 95 % quantile.
    pub ess_tail: f64,
}

impl Diagnostics {
    /// None where the scalar is constant.
    pub fn of(chains: &[Vec<f64>]) -> Option<Diagnostics> {
        let first = chains[0][0];
        if chains.iter().flatten().all(|&x| x == first) {
            return None;
        }
        let halves = split(chains);
        let mut sorted: Vec<f64> = halves.iter().flatten().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let middle = quantile(&sorted, 0.5);
        let folded = map(&halves, |x| (x - middle).abs());
        let ranks = normal_ranks(&halves);
        let tail = |p: f64| {
            let bound = quantile(&sorted, p);
            effective_size(&map(&halves, |x| f64::from(u8::from(x <= bound))))
        };
        Some(Diagnostics {
            rhat: rhat(&ranks).max(rhat(&normal_ranks(&folded))),
            ess_bulk: effective_size(&ranks),
            ess_tail: tail(0.05).min(tail(0.95)),
        })
    }
}

/// The quantile of sorted numbers, by linear interpolation.
pub fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

fn map(chains: &[Vec<f64>], f: impl Fn(f64) -> f64) -> Vec<Vec<f64>> {
    chains.iter().map(|chain| chain.iter().map(|&x| f(x)).collect()).collect()
}

fn split(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let half = chains[0].len() / 2;
    let halves = |chain: &Vec<f64>| [chain[..half].to_vec(), chain[chain.len() - half..].to_vec()];
    chains.iter().flat_map(halves).collect()
}

/// Normal scores of the ranks among all chains; ties share their mean rank.
fn normal_ranks(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let length = chains[0].len();
    let values: Vec<f64> = chains.iter().flatten().copied().collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&j, &k| values[j].total_cmp(&values[k]));
    let mut scores = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start]];
        let ties = order[start..].iter().take_while(|&&k| values[k] == value).count();
        let rank = start as f64 + 0.5 * (ties as f64 + 1.0);
        let score = normal_quantile((rank - 0.375) / (values.len() as f64 + 0.25));
        order[start..start + ties].iter().for_each(|&k| scores[k] = score);
        start += ties;
    }
    scores.chunks_exact(length).map(<[f64]>::to_vec).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let middle = mean(values);
    values.iter().map(|x| (x - middle).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

/// √(pooled variance / variance within chains).
fn rhat(chains: &[Vec<f64>]) -> f64 {
    let n = chains[0].len() as f64;
    let within = mean(&chains.iter().map(|c| variance(c)).collect::<Vec<_>>());
    let between = variance(&chains.iter().map(|c| mean(c)).collect::<Vec<_>>());
    ((within * (n - 1.0) / n + between) / within).sqrt()
}

/// Effective sample size by Geyer's initial monotone sequence.
fn effective_size(chains: &[Vec<f64>]) -> f64 {
    let length = chains[0].len();
    let n = length as f64;
    let total = n * chains.len() as f64;
    let means: Vec<f64> = chains.iter().map(|chain| mean(chain)).collect();
    let autocovariance = |lag: usize| {
        let of = |(chain, m): (&Vec<f64>, &f64)| {
            let pairs = chain.iter().zip(&chain[lag..]);
            pairs.map(|(x, y)| (x - m) * (y - m)).sum::<f64>() / n
        };
        chains.iter().zip(&means).map(of).sum::<f64>() / chains.len() as f64
    };
    let within = autocovariance(0) * n / (n - 1.0);
    let pooled = within * (n - 1.0) / n + variance(&means);
    if pooled == 0.0 {
        return total;
    }
    let correlation = |lag: usize| 1.0 - (within - autocovariance(lag)) / pooled;
    // Sums of neighbours decrease and stay positive, as those of a reversible chain do.
    let mut tau = -1.0;
    let mut last = f64::INFINITY;
    for lag in (0..length.saturating_sub(2)).step_by(2) {
        let first = if lag == 0 { 1.0 } else { correlation(lag) };
        let pair = first + correlation(lag + 1);
        if pair <= 0.0 {
            // The next even term of an alternating chain still counts.
            tau += first.max(0.0).min(last);
            break;
        }
        last = last.min(pair);
        tau += 2.0 * last;
    }
    // Alternating chains beat independent draws, but not without bound.
    total / tau.max(1.0 / total.log10())
}

/// The quantile function of the standard normal distribution (Acklam's approximation, relative
/// error below 2·10⁻⁹).
fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.383577518672690e2,
        -3.066479806614716e1,
        2.506628277459239,
    ];
    const B: [f64; 6] = [
        -5.447609879822406e1,
        1.615858368580409e2,
        -1.556989798598866e2,
        6.680131188771972e1,
        -1.328068155288572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277732838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    ];
    const D: [f64; 5] =
        [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1.0];
    let polynomial = |c: &[f64], x: f64| c.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |p: f64| {
        let x = (-2.0 * p.ln()).sqrt();
        polynomial(&C, x) / polynomial(&D, x)
    };
    match p {
        _ if p < 0.02425 => tail(p),
        _ if p > 1.0 - 0.02425 => -tail(1.0 - p),
        _ => {
            let x = p - 0.5;
            x * polynomial(&A, x * x) / polynomial(&B, x * x)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nuts_rs::rand::SeedableRng;
    use nuts_rs::rand::rngs::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    /// Four stationary AR(1) chains.
    fn chains(rho: f64, length: usize) -> Vec<Vec<f64>> {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let mut chain = || {
            let mut x = normal();
            let mut next = || {
                x = rho * x + (1.0 - rho * rho).sqrt() * normal();
                x
            };
            (0..length).map(|_| next()).collect()
        };
        (0..4).map(|_| chain()).collect()
    }

    #[test]
    fn quantiles_of_the_normal_distribution_are_the_tabulated_ones() {
        for (p, x) in [(0.5, 0.0), (0.975, 1.959963984540054), (0.001, -3.090232306167813)] {
            assert!((normal_quantile(p) - x).abs() < 1e-8, "{p}");
        }
    }

    #[test]
    fn effective_sizes_are_those_of_autoregressive_chains() {
        for rho in [-0.3, 0.0, 0.5, 0.9] {
            let found = Diagnostics::of(&chains(rho, 20_000)).expect("they vary");
            let exact = 80_000.0 * (1.0 - rho) / (1.0 + rho);
            let ratio = found.ess_bulk / exact;
            assert!((0.9..1.1).contains(&ratio), "{rho}: {ratio}");
            assert!(found.rhat < 1.005, "{rho}: {}", found.rhat);
        }
    }

    #[test]
    fn a_chain_elsewhere_and_a_wider_chain_are_seen() {
        let good = chains(0.0, 1000);
        let mut shifted = good.clone();
        shifted[2].iter_mut().for_each(|x| *x += 1.0);
        let mut wider = good.clone();
        wider[2].iter_mut().for_each(|x| *x *= 3.0);
        for chains in [shifted, wider] {
            assert!(Diagnostics::of(&chains).expect("they vary").rhat > 1.05);
        }
    }
}
