//! Draws of outcomes that a declared constraint allows.

use crate::builtin::Distribution;
use crate::random::Stream;

/// How often a draw is tried before it is given up.
const TRIES: usize = 10_000;

/// What a declaration allows an outcome to be.
pub enum Allowed {
    /// Anything.
    All,
    /// Between bounds, one for each outcome or one for all; `None` is no bound.
    Between(Option<Vec<f64>>, Option<Vec<f64>>),
    /// Vectors of this length whose elements increase from a least one on. Independent draws
    /// from one distribution are put in order.
    Increasing(usize, f64),
}

/// Why there is no draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDraw {
    /// An argument is outside its domain.
    Argument,
    /// No draw was within the bounds.
    Bounds,
    /// Elements that increase have different arguments.
    Different,
}

/// Draws `n` outcomes of `length` numbers each, one after another. Arguments have one value for
/// each outcome, or one for all; `lengths` are those of one argument of one outcome.
pub fn outcomes(
    distribution: &Distribution,
    (n, length): (usize, usize),
    args: &[Vec<f64>],
    lengths: &[usize],
    allowed: &Allowed,
    stream: &mut Stream,
) -> Result<Vec<f64>, NoDraw> {
    let mut drawn = vec![0.0; n * length];
    if matches!(allowed, Allowed::Increasing(..))
        && args.iter().zip(lengths).any(|(arg, length)| arg.len() != *length)
    {
        return Err(NoDraw::Different);
    }
    for (k, outcome) in drawn.chunks_mut(length.max(1)).enumerate() {
        let own = own(args, lengths, k);
        one(distribution, &own, outcome, &|x| allowed.holds(k, x), stream)?;
    }
    if let Allowed::Increasing(length, _) = allowed {
        for vector in drawn.chunks_mut((*length).max(1)) {
            vector.sort_by(f64::total_cmp);
        }
    }
    Ok(drawn)
}

/// The arguments of outcome `k`.
pub fn own<'a>(args: &'a [Vec<f64>], lengths: &[usize], k: usize) -> Vec<&'a [f64]> {
    let of_outcome = |(arg, &length): (&'a Vec<f64>, &usize)| match arg.len() > length {
        true => &arg[k * length..(k + 1) * length],
        false => arg.as_slice(),
    };
    args.iter().zip(lengths).map(of_outcome).collect()
}

fn one(
    distribution: &Distribution,
    args: &[&[f64]],
    outcome: &mut [f64],
    holds: &dyn Fn(f64) -> bool,
    stream: &mut Stream,
) -> Result<(), NoDraw> {
    for _ in 0..TRIES {
        (distribution.sample)(stream, args, outcome);
        if outcome.iter().any(|x| x.is_nan()) {
            return Err(NoDraw::Argument);
        }
        if outcome.iter().all(|&x| holds(x)) {
            return Ok(());
        }
    }
    Err(NoDraw::Bounds)
}

impl Allowed {
    fn holds(&self, k: usize, x: f64) -> bool {
        let bound = |values: &Option<Vec<f64>>| {
            values.as_ref().map(|values| values[if values.len() == 1 { 0 } else { k }])
        };
        match self {
            Allowed::All => true,
            Allowed::Between(lower, upper) => {
                bound(lower).is_none_or(|low| x >= low) && bound(upper).is_none_or(|high| x <= high)
            }
            Allowed::Increasing(_, least) => x >= *least,
        }
    }
}
