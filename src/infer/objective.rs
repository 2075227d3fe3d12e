//! What the start search climbs: log p(θ) plus each branch's ELBO under the default guide, on a fixed
//! symmetric set of ε (a Laplace marginal when that set is {0}).

use super::conditional::PriorAdjoint;
use super::elbo::{self, Centres};
use super::linalg::axpy;
use super::local::LocalGuide;
use super::shards::Shards;
use super::site::Quadrature;
use super::worker::{LocalWorker, Particle};
use crate::random::{Purpose, Stream};
use crate::target::Target;

/// Axes of a site along which its motion with θ is followed.
const SITE_AXES: usize = 6;
/// Pairs of points that stand for independent Gaussians.
const SIDES: usize = 2;

/// The log density of θ with every branch's own part under the default guide, on some branches.
pub struct Objective<'a, T> {
    shards: &'a mut Shards<T>,
    branches: &'a [usize],
    weight: f64,
    /// Number of globals.
    pub n: usize,
    centres: Centres,
    /// The fixed ε, one row each.
    noise: Vec<f64>,
    /// How many rows these are; one, of no elements, where there are no locals.
    n_noise: usize,
    /// Whether gradients follow how sites move with θ, at twelve more gradients a branch;
    /// regions and scales are found without.
    pub follow: bool,
    /// Where given, values and gradients are means over points as far as this from θ, element
    /// by element.
    pub spread: Option<Vec<f64>>,
    /// How often it was evaluated.
    pub evaluations: usize,
}

impl<'a, T: Target> Objective<'a, T> {
    /// Over `branches`, each of which stands for `weight` branches.
    pub fn new(shards: &'a mut Shards<T>, branches: &'a [usize], weight: f64) -> Self {
        let target = shards.target();
        let (n, d) = (target.n_global(), target.n_local());
        let centres = Centres::new(target);
        let (noise, n_noise) = match d {
            1..=4 => (Quadrature::cubature(d).nodes, 2 * d),
            _ => (vec![0.0; d], 1),
        };
        Self {
            shards,
            branches,
            weight,
            n,
            centres,
            noise,
            n_noise,
            follow: false,
            spread: None,
            evaluations: 0,
        }
    }

    /// Value and gradient; `None` where not finite.
    pub fn at(&mut self, theta: &[f64]) -> Option<(f64, Vec<f64>)> {
        match self.spread.clone() {
            None => self.at_point(theta),
            Some(spread) => self.mean_at(theta, &spread).map(|(value, g, _)| (value, g)),
        }
    }

    /// The ELBO, less a constant, of independent Gaussians of these means and logarithms of
    /// standard deviations, and its gradient.
    pub fn spread_at(&mut self, at: &[f64]) -> Option<(f64, Vec<f64>)> {
        let (theta, log_scales) = at.split_at(self.n);
        let spread: Vec<f64> = log_scales.iter().map(|log_scale| log_scale.exp()).collect();
        let (value, mut gradient, slopes) = self.mean_at(theta, &spread)?;
        gradient.extend(slopes.iter().zip(&spread).map(|(slope, scale)| slope * scale + 1.0));
        Some((value + log_scales.iter().sum::<f64>(), gradient))
    }

    /// Means of value and gradient over points one `spread` away from θ in every element, to
    /// fixed random sides and their opposites; also the derivative in the spread.
    fn mean_at(&mut self, theta: &[f64], spread: &[f64]) -> Option<(f64, Vec<f64>, Vec<f64>)> {
        let n = self.n;
        let share = 1.0 / (2 * SIDES) as f64;
        let (mut value, mut gradient, mut slopes) = (0.0, vec![0.0; n], vec![0.0; n]);
        for k in 0..SIDES {
            let mut stream = Stream::new(0, Purpose::Start, k, 1, 0);
            let sides: Vec<f64> =
                (0..n).map(|_| if stream.uniform() < 0.5 { -1.0 } else { 1.0 }).collect();
            for sign in [-1.0, 1.0] {
                let moved = |j: usize| theta[j] + sign * sides[j] * spread[j];
                let (there, g) = self.at_point(&(0..n).map(moved).collect::<Vec<_>>())?;
                value += share * there;
                axpy(share, &g, &mut gradient);
                (0..n).for_each(|j| slopes[j] += share * sign * sides[j] * g[j]);
            }
        }
        Some((value, gradient, slopes))
    }

    fn at_point(&mut self, theta: &[f64]) -> Option<(f64, Vec<f64>)> {
        self.evaluations += 1;
        let (shared, log_prior) = elbo::shared_at(self.shards.target(), theta);
        let noise = vec![0.0; self.n];
        let at = Particle {
            noise,
            theta: theta.to_vec(),
            whitened: vec![],
            shared,
            log_prior,
            log_q: 0.0,
        };
        if !log_prior.is_finite() {
            return None;
        }
        let (all_noise, n_noise) = (&self.noise, self.n_noise);
        let (centres, follow) = (&self.centres, self.follow);
        let guide = LocalGuide::Amortized(None);
        let sums = self.shards.map(self.branches, |target, shard| {
            let d = target.n_local();
            let weight = 1.0 / n_noise as f64;
            let mut worker = LocalWorker::new(&guide, target);
            let mut dshared = vec![0.0; target.n_shared()];
            let mut prior = PriorAdjoint::new(target.n_local());
            let (mut total, mut found) = (0.0, vec![]);
            for &branch in shard {
                let open = worker.open(target, branch, &at.shared, centres.get(branch));
                if !(open && worker.at(target, &at)) {
                    return (f64::NAN, dshared, found);
                }
                for k in 0..n_noise {
                    let noise = &all_noise[k * d..(k + 1) * d];
                    let weights = (weight, weight);
                    let value = worker.gradient(target, &at, noise, weights, &mut dshared, &mut []);
                    total += weight * value;
                }
                if follow && d > 4 {
                    worker.follow_site(target, &at, d.min(SITE_AXES));
                }
                worker.finish(target, &at, &mut dshared, &mut prior);
                found.extend(worker.site().map(|site| (branch, site.centre.clone())));
            }
            prior.finish(target, &at.shared, &mut dshared);
            (total, dshared, found)
        });
        let mut value = log_prior;
        let mut dshared = vec![0.0; at.shared.len()];
        for (total, part, _) in &sums {
            value += self.weight * total;
            axpy(self.weight, part, &mut dshared);
        }
        let mut gradient = vec![0.0; self.n];
        self.shards.target().shared_vjp(theta, &dshared, &mut gradient);
        if !value.is_finite() || gradient.iter().any(|x| !x.is_finite()) {
            return None;
        }
        for (_, _, found) in &sums {
            self.centres.store(found);
        }
        Some((value, gradient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::tests::models;

    #[test]
    fn the_gradient_follows_the_sites_as_they_move() {
        let target = models::logistic(30, 40, 6);
        let branches: Vec<usize> = (0..30).collect();
        let mut shards = Shards::new(&target, None);
        let mut objective = Objective::new(&mut shards, &branches, 1.0);
        objective.follow = true;
        let theta = [0.3, 0.2, 0.4, 0.3, 0.1, 0.3, -0.4, -0.2, -0.5, -0.3, -0.1, -0.4];
        let (_, gradient) = objective.at(&theta).expect("finite");
        for j in 0..12 {
            let mut value = |h: f64| {
                let mut moved = theta;
                moved[j] += h;
                objective.at(&moved).expect("finite").0
            };
            let slope = (value(1e-3) - value(-1e-3)) / 2e-3;
            let error = (slope - gradient[j]).abs();
            assert!(error < 0.01 + 0.01 * slope.abs(), "{j}: {slope} {}", gradient[j]);
        }
    }
}
