//! Importance weights of θ, with each branch's locals integrated out by weights of their own.
//!
//! ```text
//! log w_s = log p(θ_s) + Σᵢ log (1/K) Σ_k p(z_ik, yᵢ|θ_s)/q(z_ik|θ_s) − log q(θ_s)
//! ```
//!
//! Their mean estimates the evidence without bias, and where their effective size is good the
//! weighted draws of θ correct what the Gaussian q(θ) misses. A Gaussian's tails are too light to
//! be sure of that, so for half of the draws one element of ε₀, each in turn, comes from Student's
//! t with two degrees of freedom, and all are weighed against the mixture (Hesterberg 1995). What
//! is said of the guide itself rests on the Gaussian half and its own weights.

use super::elbo::{self, Guide, Noise};
use super::estimate::chunk_size;
use super::pareto;
use super::shards::Shards;
use super::worker::{LocalWorker, Particle};
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// Draws of each zᵢ for one draw of θ, unless their noise asks for another number.
pub const CANDIDATES: usize = 8;
/// Fewer and more of them.
const FEWEST_CANDIDATES: usize = 2;
const MOST_CANDIDATES: usize = 32;
/// Draws of θ below which weights tell nothing.
pub const LEAST_DRAWS: usize = 200;
/// Variance of a log weight that may come from the finite number of draws of the locals.
const LOCAL_NOISE: f64 = 0.2;
/// Relative effective size from which weighted summaries replace plain ones.
const USABLE: f64 = 0.02;
/// Effective draws they need besides, the error of a mean being 0.07 standard deviations then, and the
/// share of all draws that these must be: weights of a poor guide are worth less than they seem.
const ENOUGH_DRAWS: f64 = 200.0;
const ENOUGH_OF_ALL: f64 = 0.025;
/// Draws of the guide from which, and globals up to which, weights that correct nothing speak against it.
const PLENTY_OF_DRAWS: usize = 1000;
const MANY_GLOBALS: usize = 50;
/// Effective draws below which weights cannot tell where a single global lies.
const TELLING_DRAWS: f64 = 30.0;
/// Variance of log weights from the locals' draws above which they say nothing of θ.
const NOISY: f64 = 1.0;

/// Weighted draws of θ.
#[derive(Clone, Debug)]
pub struct Importance {
    n_global: usize,
    /// Draws of θ from the mixture, one row each; mirrored pairs.
    pub theta: Vec<f64>,
    /// Normalised weights, Pareto-smoothed, which sum to one.
    pub weights: Vec<f64>,
    /// log of the mean weight: the log evidence.
    pub log_evidence: f64,
    /// Its standard error (delta method).
    pub log_evidence_se: f64,
    /// (Σw)² / Σw² over the number of draws, of q's draws and Pareto-smoothed weights.
    pub relative_ess: f64,
    /// Σw² ⁻¹ of the normalised weights of the mixture: how many draws they are worth.
    pub effective_draws: f64,
    /// log mean w − mean log w of q's draws, in nats: an estimate, from below, of how far q(θ) is
    /// from the posterior (Kullback and Leibler's divergence).
    pub gap: f64,
    /// The variance of log w over q's draws that the draws of the locals make by themselves.
    pub local_noise: f64,
    /// The mean of log w over q's draws: E_q of the per-branch importance-weighted bound, which
    /// is at least the ELBO and at most the log evidence.
    pub bound: f64,
    /// k̂ of q's draws.
    pub khat: f64,
    /// How many draws these are.
    pub n_draws: usize,
    /// Draws whose weight was not finite, counted as zero.
    pub non_finite: usize,
}

impl Importance {
    /// Whether weighted summaries should be the reported ones.
    pub fn is_usable(&self) -> bool {
        let enough = ENOUGH_DRAWS.max(ENOUGH_OF_ALL * self.weights.len() as f64);
        self.relative_ess > USABLE
            && self.effective_draws > enough
            && self.log_evidence.is_finite()
            && self.non_finite == 0
            && !self.is_noise()
    }

    /// Whether the weights, though of many draws of few globals, cannot correct the summaries: the guide is
    /// then off. With many globals weights may be uneven though each global is well approximated.
    pub fn is_poor(&self) -> bool {
        let is_telling = self.n_draws >= PLENTY_OF_DRAWS && self.n_global <= MANY_GLOBALS;
        is_telling && !self.is_noise() && !self.is_usable()
    }

    /// Whether the draws of the locals alone make the weights uneven, so that they say nothing of θ.
    pub fn is_noise(&self) -> bool {
        self.local_noise > NOISY
    }

    /// Whether weighted moments of single globals mean anything: a handful of draws put them
    /// anywhere.
    pub fn tells_moments(&self) -> bool {
        !self.is_noise() && self.effective_draws >= TELLING_DRAWS
    }

    /// `count` draws of equal weight, one row each, by systematic resampling, in random
    /// order.
    pub fn resample(&self, count: usize, seed: u64) -> Vec<f64> {
        resample(self.n_global, &self.theta, &self.weights, count, seed)
    }

    /// θ of these draws, one row each.
    pub fn rows(&self, draws: &[usize]) -> Vec<f64> {
        rows(self.n_global, &self.theta, draws)
    }

    /// Which draws [`Self::resample`] takes.
    pub fn resampled(&self, count: usize, seed: u64) -> Vec<usize> {
        resampled(&self.weights, count, seed)
    }
}

/// `count` draws of equal weight from weighted draws of θ (`n` numbers each), one row each, by
/// systematic resampling, in random order.
pub fn resample(n: usize, theta: &[f64], weights: &[f64], count: usize, seed: u64) -> Vec<f64> {
    rows(n, theta, &resampled(weights, count, seed))
}

fn rows(n: usize, theta: &[f64], draws: &[usize]) -> Vec<f64> {
    draws.iter().flat_map(|&draw| &theta[draw * n..draw * n + n]).copied().collect()
}

fn resampled(weights: &[f64], count: usize, seed: u64) -> Vec<usize> {
    let offset = Stream::new(seed, Purpose::Resample, 0, 0, 0).uniform();
    let mut chosen = Vec::with_capacity(count);
    let (mut draw, mut sum) = (0, weights[0]);
    for k in 0..count {
        let mark = (k as f64 + offset) / count as f64;
        while mark > sum && draw + 1 < weights.len() {
            draw += 1;
            sum += weights[draw];
        }
        chosen.push(draw);
    }
    Stream::new(seed, Purpose::Resample, 1, 0, 0).shuffle(&mut chosen);
    chosen
}

/// Weighs `n_draws` draws of θ, fewer where the time is over before; none where that leaves too
/// few. How many draws of the locals go into each is settled by the noise of the first ones.
pub fn weigh<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    seed: u64,
    n_draws: usize,
    is_over: &dyn Fn() -> bool,
) -> Option<Importance> {
    let chunk = chunk_size(shards.target()) & !3;
    let mut draws = Draws::default();
    let (mut step, mut wanted, mut candidates) = (0, n_draws, CANDIDATES);
    while draws.by_mixture.len() < wanted {
        if is_over() {
            break;
        }
        let (global, local) = (Purpose::GlobalDraws, Purpose::WeightLocal);
        let noise = Noise { seed, global, local, step };
        let count = chunk.min(wanted - draws.by_mixture.len());
        weigh_chunk(shards, guide, noise, count, candidates, &mut draws);
        if step == 0 {
            candidates = candidates_for(median(&draws.local_noise));
            // More candidates cost draws, as far as enough of these are left.
            let affordable = n_draws * CANDIDATES / candidates.max(CANDIDATES);
            wanted = (affordable.max(LEAST_DRAWS * 2).min(n_draws)) & !3;
        }
        step += 1;
    }
    let is_enough = draws.by_mixture.len() >= LEAST_DRAWS.min(n_draws);
    is_enough.then(|| summarise(draws, guide.global.n()))
}

/// The power of two that brings the variance seen with [`CANDIDATES`] draws to [`LOCAL_NOISE`].
fn candidates_for(variance: f64) -> usize {
    let wanted = (CANDIDATES as f64 * variance / LOCAL_NOISE).ceil();
    match wanted.is_finite() {
        true => (wanted as usize).clamp(FEWEST_CANDIDATES, MOST_CANDIDATES).next_power_of_two(),
        false => CANDIDATES,
    }
}

/// The middle one; NaN of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[derive(Default)]
struct Draws {
    theta: Vec<f64>,
    /// log weights of all draws against the mixture.
    by_mixture: Vec<f64>,
    /// log weights of the Gaussian draws against q.
    by_guide: Vec<f64>,
    /// For each of them, the variance that the draws of the locals leave.
    local_noise: Vec<f64>,
}

/// Whether draw `p` is of the heavy-tailed half: every other mirrored pair.
pub fn is_heavy(p: usize) -> bool {
    p % 4 >= 2
}

/// Draws of the mixture.
fn draw_mixture<T: Target>(
    target: &mut T,
    guide: &Guide,
    noise: Noise,
    count: usize,
) -> Vec<Particle> {
    let n = guide.global.n();
    let draw = |p: usize| {
        let mut epsilon = vec![0.0; n];
        noise.global(p, &mut epsilon);
        if is_heavy(p) && n > 0 {
            let stretched = (p / 4 + noise.step) % n;
            epsilon[stretched] = student(epsilon[stretched]);
        }
        elbo::particle_at(target, &guide.global, epsilon)
    };
    (0..count).map(draw).collect()
}

/// Carries a standard normal number to Student's t with two degrees of freedom, by quantiles:
/// x = (2u − 1)/√(2u(1 − u)), with 2u − 1 = erf(ε/√2) and 1 − u taken from the tail.
fn student(epsilon: f64) -> f64 {
    let size = epsilon.abs() / std::f64::consts::SQRT_2;
    let tail = 0.5 * libm::erfc(size).max(f64::MIN_POSITIVE);
    (libm::erf(size) / (2.0 * tail * (1.0 - tail)).sqrt()).copysign(epsilon)
}

/// log of the mixture's density over that of q at ε: ½ + ½ Σ_j t(ε_j)/φ(ε_j) / n, with
/// t(x) = (2 + x²)^(−3/2).
fn log_mixture_ratio(epsilon: &[f64]) -> f64 {
    if epsilon.is_empty() {
        return 0.0;
    }
    let half_log_tau = 0.5 * std::f64::consts::TAU.ln();
    let log_ratio = |&x: &f64| -1.5 * (2.0 + x * x).ln() + 0.5 * x * x + half_log_tau;
    let ratios: Vec<f64> = epsilon.iter().map(log_ratio).collect();
    log_mean_exp(&[0.0, log_mean_exp(&ratios)])
}

fn weigh_chunk<T: Target>(
    shards: &mut Shards<T>,
    guide: &Guide,
    noise: Noise,
    count: usize,
    candidates: usize,
    draws: &mut Draws,
) {
    let particles = draw_mixture(shards.target(), guide, noise, count);
    let (shared_mean, _) = elbo::shared_at(shards.target(), &guide.global.mean());
    let branches: Vec<usize> = (0..shards.target().n_branches()).collect();
    let sums = shards.map(&branches, |target, shard| {
        weigh_shard(target, guide, noise, shard, &particles, &shared_mean, candidates)
    });
    for (p, particle) in particles.iter().enumerate() {
        draws.theta.extend(&particle.theta);
        let local: f64 = sums.iter().map(|sums| sums[p].value).sum();
        let log_weight = particle.log_prior - particle.log_q + local;
        draws.by_mixture.push(log_weight - log_mixture_ratio(&particle.noise));
        if !is_heavy(p) {
            draws.by_guide.push(log_weight);
            draws.local_noise.push(sums.iter().map(|sums| sums[p].variance).sum());
        }
    }
}

/// The locals' share of one log weight, and its Monte Carlo variance.
#[derive(Clone, Copy, Default)]
struct LocalSum {
    value: f64,
    variance: f64,
}

/// Σᵢ log (1/K) Σ_k p(z_ik, yᵢ|θ)/q(z_ik|θ) over a shard, for each draw of θ.
fn weigh_shard<T: Target>(
    target: &mut T,
    guide: &Guide,
    noise: Noise,
    shard: &[usize],
    particles: &[Particle],
    shared_mean: &[f64],
    candidates: usize,
) -> Vec<LocalSum> {
    let mut worker = LocalWorker::within(&guide.local, &guide.global, target);
    let mut epsilon = vec![0.0; target.n_local()];
    let mut ratios = vec![0.0; candidates];
    let mut sums = vec![LocalSum::default(); particles.len()];
    for &branch in shard {
        let open = worker.open(target, branch, shared_mean, None);
        for (sum, (p, particle)) in sums.iter_mut().zip(particles.iter().enumerate()) {
            if !(open && worker.at(target, particle)) {
                sum.value = f64::NAN;
                continue;
            }
            for (k, ratio) in ratios.iter_mut().enumerate() {
                noise.local(branch, p * candidates + k, &mut epsilon);
                *ratio = worker.value(target, &particle.shared, &epsilon);
            }
            sum.value += log_mean_exp(&ratios);
            // Delta method: Var log w̄ is (Σw²/(Σw)² − 1/K) K/(K − 1).
            let k = candidates as f64;
            sum.variance += (normalise(&ratios).squares - 1.0 / k) * k / (k - 1.0);
        }
    }
    sums
}

fn summarise(draws: Draws, n_global: usize) -> Importance {
    let evidence = normalise(&draws.by_mixture);
    // A single draw far out must decide neither a summary nor what is said of the guide.
    let mut smoothed_mixture = draws.by_mixture.clone();
    pareto::smooth(&mut smoothed_mixture);
    let mixture = normalise(&smoothed_mixture);
    let mut smoothed = draws.by_guide.clone();
    let khat = pareto::smooth(&mut smoothed);
    let own = normalise(&smoothed);
    let n = draws.by_mixture.len() as f64;
    let finite = || draws.by_guide.iter().filter(|x| x.is_finite());
    // Far out, where only the heavy tails reach, a density may overflow; that costs the guide
    // nothing, so failures are counted among its own draws.
    let non_finite = draws.by_guide.len() - finite().count();
    let all_finite: Vec<f64> = finite().copied().collect();
    let mean_log = all_finite.iter().sum::<f64>() / all_finite.len() as f64;
    Importance {
        n_global,
        gap: own.log_mean - mean_log,
        bound: mean_log,
        local_noise: median(&draws.local_noise),
        khat,
        n_draws: draws.by_guide.len(),
        theta: draws.theta,
        weights: mixture.weights,
        log_evidence: evidence.log_mean,
        log_evidence_se: ((evidence.squares * n - 1.0).max(0.0) / n).sqrt(),
        relative_ess: 1.0 / (own.squares * draws.by_guide.len() as f64),
        effective_draws: 1.0 / mixture.squares,
        non_finite,
    }
}

/// Weights brought to a sum of one.
pub struct Normalised {
    /// Of which each is at least zero.
    pub weights: Vec<f64>,
    /// The sum of their squares: one over the effective number of draws.
    pub squares: f64,
    /// log of the mean of the weights as they were.
    pub log_mean: f64,
}

/// Weights that sum to one; what is not finite weighs nothing.
pub fn normalise(log_weights: &[f64]) -> Normalised {
    let finite = log_weights.iter().copied().filter(|x| x.is_finite());
    let largest = finite.fold(f64::NEG_INFINITY, f64::max);
    let raw = |&x: &f64| if x.is_finite() { (x - largest).exp() } else { 0.0 };
    let sum: f64 = log_weights.iter().map(raw).sum();
    let weights: Vec<f64> = log_weights.iter().map(|x| raw(x) / sum).collect();
    let squares = weights.iter().map(|w| w * w).sum();
    Normalised { weights, squares, log_mean: largest + (sum / log_weights.len() as f64).ln() }
}

/// log of the mean of exponentials; NaN if any is NaN.
pub fn log_mean_exp(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY || values.iter().any(|x| x.is_nan()) {
        return if values.iter().any(|x| x.is_nan()) { f64::NAN } else { largest };
    }
    let sum: f64 = values.iter().map(|x| (x - largest).exp()).sum();
    largest + (sum / values.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights whose logarithms are normal with this standard deviation, from as many draws.
    fn lognormal_weights(sd: f64, count: usize, local_noise: f64) -> Importance {
        let mut stream = Stream::new(5, Purpose::Resample, 2, 0, 0);
        let mut log_weights = || (0..count).map(|_| sd * stream.normal()).collect::<Vec<f64>>();
        let (by_mixture, by_guide) = (log_weights(), log_weights());
        let theta = vec![0.0; count];
        let local_noise = vec![local_noise; count];
        summarise(Draws { theta, by_mixture, by_guide, local_noise }, 1)
    }

    #[test]
    fn weights_worth_a_handful_of_draws_tell_no_moments() {
        assert!(lognormal_weights(0.5, 4000, 0.1).tells_moments());
        let uneven = lognormal_weights(5.0, 200, 0.1);
        assert!(uneven.effective_draws < 30.0 && !uneven.tells_moments());
        let noise = lognormal_weights(0.5, 4000, 1.2);
        assert!(noise.effective_draws > 1000.0 && !noise.tells_moments() && !noise.is_usable());
    }

    /// A few hundred effective draws correct a summary where they are not too small a share of all.
    #[test]
    fn summaries_are_corrected_by_enough_of_the_draws() {
        let worth = |effective: f64, count: usize, n_draws: usize| {
            let mut weights = lognormal_weights(0.5, count, 0.1);
            (weights.effective_draws, weights.n_draws) = (effective, n_draws);
            (weights.is_usable(), weights.is_poor())
        };
        assert_eq!(worth(450.0, 20_000, 10_000), (false, true));
        assert_eq!(worth(550.0, 20_000, 10_000), (true, false));
        assert_eq!(worth(250.0, 800, 400), (true, false));
        // Few draws say nothing against the fit.
        assert_eq!(worth(150.0, 800, 400), (false, false));
    }

    #[test]
    fn no_single_draw_decides_a_summary() {
        let mut stream = Stream::new(7, Purpose::Resample, 3, 0, 0);
        let mut by_mixture: Vec<f64> = (0..4000).map(|_| 0.5 * stream.normal()).collect();
        by_mixture[17] = 5.0;
        let alone = normalise(&by_mixture);
        let draws = Draws {
            theta: vec![0.0; 4000],
            by_guide: by_mixture.clone(),
            local_noise: vec![0.0; 4000],
            by_mixture,
        };
        let importance = summarise(draws, 1);
        assert!(alone.weights[17] > 0.03);
        assert!(importance.weights[17] < 0.5 * alone.weights[17]);
        // The evidence is the plain mean, which no smoothing may bias.
        assert_eq!(importance.log_evidence, alone.log_mean);
    }

    #[test]
    fn student_has_the_quantiles_of_two_degrees_of_freedom() {
        // P(T < x) = ½ + x / (2√(2 + x²)).
        for (epsilon, probability) in
            [(0.0, 0.5), (1.0, 0.841344746068543), (-2.0, 0.0227501319481792)]
        {
            let x: f64 = student(epsilon);
            let cumulative = 0.5 + 0.5 * x / (2.0 + x * x).sqrt();
            assert!((cumulative - probability).abs() < 1e-12, "{epsilon}");
        }
        assert!(student(40.0).is_finite());
    }

    #[test]
    fn the_mixture_is_a_density() {
        // E_q[mixture / q] = 1 where the mixture is normalised; here by quadrature in one
        // dimension.
        let h = 0.01;
        let mass: f64 = (-20_000..=20_000)
            .map(|k| {
                let x = f64::from(k) * h;
                let log_q = -0.5 * x * x - 0.5 * std::f64::consts::TAU.ln();
                h * (log_mixture_ratio(&[x]) + log_q).exp()
            })
            .sum();
        // The grid ends at 200, beyond which t keeps 1/200² of its half.
        assert!((mass - 1.0).abs() < 2e-5, "{mass}");
    }

    #[test]
    fn log_mean_exp_survives_extremes() {
        assert!((log_mean_exp(&[1e4, 1e4 + 2.0f64.ln()]) - (1e4 + 1.5f64.ln())).abs() < 1e-11);
        assert_eq!(log_mean_exp(&[f64::NEG_INFINITY; 2]), f64::NEG_INFINITY);
        assert!(log_mean_exp(&[0.0, f64::NAN]).is_nan());
    }
}
