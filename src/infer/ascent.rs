//! Ways up for the start search: by signs of the gradient, then by L-BFGS.

use super::curvature::two_loops;
use super::linalg::{axpy, dot, lower_times, lower_transposed_times};
use super::objective::Objective;
use crate::target::Target;

const MAX_SIGN_STEPS: usize = 400;
/// Sign steps over which an improvement is looked for.
const SIGN_WINDOW: usize = 20;
const MAX_LBFGS_STEPS: usize = 200;
const LBFGS_MEMORY: usize = 12;

/// Zero, or small points near by where zero is not finite.
pub fn first_finite<T: Target>(objective: &mut Objective<T>) -> Option<Vec<f64>> {
    let mut theta = vec![0.0; objective.n];
    for attempt in 0..8 {
        let size = if attempt == 0 { 0.0 } else { 0.1 * 2.0f64.powi(attempt - 1) };
        for (j, t) in theta.iter_mut().enumerate() {
            *t = if (j + attempt as usize).is_multiple_of(2) { size } else { -size };
        }
        if objective.at(&theta).is_some() {
            return Some(theta);
        }
    }
    None
}

/// A value and its gradient; none where either is not finite.
pub type Climbed = Option<(f64, Vec<f64>)>;

/// Resilient propagation (Riedmiller and Braun, 1993): each θ_j has a step of its own that grows
/// (up to `longest`) while the sign of its derivative lasts and is halved when it turns, so that
/// it reaches any scale in a few dozen steps. Returns the best θ seen and the last steps.
pub fn follow_signs(
    mut theta: Vec<f64>,
    longest: &dyn Fn(usize) -> f64,
    at: &mut dyn FnMut(&[f64]) -> Climbed,
    stop: &mut dyn FnMut() -> bool,
) -> Option<(Vec<f64>, Vec<f64>)> {
    let n = theta.len();
    let (mut value, mut gradient) = at(&theta)?;
    let mut steps = vec![0.1; n];
    let mut last = vec![0.0; n];
    let mut best = (value, theta.clone());
    let mut history = vec![value];
    for _ in 0..MAX_SIGN_STEPS {
        let mut next = theta.clone();
        for j in 0..n {
            let agreement = gradient[j] * last[j];
            if agreement > 0.0 {
                steps[j] = f64::min(1.6 * steps[j], longest(j));
            } else if agreement < 0.0 {
                steps[j] *= 0.4;
            }
            last[j] = if agreement < 0.0 { 0.0 } else { gradient[j] };
            if gradient[j] != 0.0 {
                next[j] += gradient[j].signum() * steps[j];
            }
        }
        match at(&next) {
            Some(found) => {
                theta = next;
                (value, gradient) = found;
            }
            None => {
                steps.iter_mut().for_each(|step| *step *= 0.2);
                last.fill(0.0);
            }
        }
        if value > best.0 {
            best = (value, theta.clone());
        }
        history.push(best.0);
        let old = history.len().checked_sub(SIGN_WINDOW).map(|k| history[k]);
        if old.is_some_and(|old| best.0 - old < 0.1 + 1e-6 * best.0.abs()) || stop() {
            break;
        }
    }
    Some((best.1, steps))
}

/// L-BFGS in the coordinates x of θ = θ₀ + S x. The objective's gradient holds only nearly how
/// sites move with θ, so small falls are tolerated and a stall ends the climb. It ends where the
/// gradient in x is below `near` (root mean square), in nats.
pub fn climb<T: Target>(
    objective: &mut Objective<T>,
    theta: &mut Vec<f64>,
    scale: &[f64],
    near: f64,
    stop: &mut dyn FnMut() -> bool,
) {
    let n = objective.n;
    let whitened = |gradient: &[f64]| {
        let mut out = vec![0.0; n];
        lower_transposed_times(scale, n, gradient, &mut out);
        out
    };
    objective.follow = true;
    climb_following(objective, theta, scale, &whitened, near, stop);
    objective.follow = false;
}

fn climb_following<T: Target>(
    objective: &mut Objective<T>,
    theta: &mut Vec<f64>,
    scale: &[f64],
    whitened: &dyn Fn(&[f64]) -> Vec<f64>,
    near: f64,
    stop: &mut dyn FnMut() -> bool,
) {
    let n = objective.n;
    let Some((mut value, gradient)) = objective.at(theta) else { return };
    let mut gradient = whitened(&gradient);
    let mut memory: Vec<(Vec<f64>, Vec<f64>)> = vec![];
    for _ in 0..MAX_LBFGS_STEPS {
        let size = dot(&gradient, &gradient).sqrt();
        if size < near * (n as f64).sqrt() || stop() {
            return;
        }
        let mut direction = two_loops(&memory, &gradient);
        let mut slope = dot(&direction, &gradient);
        if slope.is_nan() || slope <= 0.0 {
            memory.clear();
            direction = gradient.clone();
            slope = size * size;
        }
        let longest = direction.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        let mut length = (2.0 / longest).min(1.0);
        let taken = loop {
            let mut step = vec![0.0; n];
            lower_times(scale, n, &direction, &mut step);
            let mut next = theta.clone();
            axpy(length, &step, &mut next);
            if let Some((there, g)) = objective.at(&next) {
                let g = whitened(&g);
                let calmer = dot(&g, &g) < 0.8 * size * size;
                let slack = 1e-12 * value.abs() + if calmer { 1e-3 } else { 0.0 };
                if there >= value + 1e-4 * length * slope - slack {
                    break Some((next, there, g));
                }
            }
            length *= 0.4;
            if length * longest < 1e-6 {
                break None;
            }
        };
        let Some((next, there, g)) = taken else {
            if memory.is_empty() {
                return;
            }
            memory.clear();
            continue;
        };
        let s: Vec<f64> = direction.iter().map(|x| length * x).collect();
        let y: Vec<f64> = gradient.iter().zip(&g).map(|(a, b)| a - b).collect();
        if dot(&s, &y) > 1e-8 * dot(&s, &s) {
            memory.push((s, y));
            if memory.len() > LBFGS_MEMORY {
                memory.remove(0);
            }
        }
        (*theta, value, gradient) = (next, there, g);
    }
}
