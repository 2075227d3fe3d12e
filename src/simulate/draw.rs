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
    let mut own = Vec::with_capacity(args.len());
    for (k, outcome) in drawn.chunks_mut(length.max(1)).enumerate() {
        arguments(args, lengths, k, &mut own);
        one(distribution, &own, outcome, &|x| allowed.holds(k, x), stream)?;
    }
    if let Allowed::Increasing(length, _) = allowed {
        for vector in drawn.chunks_mut((*length).max(1)) {
            vector.sort_by(f64::total_cmp);
        }
    }
    Ok(drawn)
}

/// One number, the outcome at position `k`; NaN where there is no draw.
pub fn number(
    distribution: &Distribution,
    args: &[Vec<f64>],
    lengths: &[usize],
    k: usize,
    stream: &mut Stream,
) -> f64 {
    let (mut own, mut outcome) = (Vec::with_capacity(args.len()), [0.0]);
    arguments(args, lengths, k, &mut own);
    let drawn = one(distribution, &own, &mut outcome, &|_| true, stream);
    drawn.map_or(f64::NAN, |()| outcome[0])
}

/// The arguments of outcome `k`.
fn arguments<'a>(args: &'a [Vec<f64>], lengths: &[usize], k: usize, own: &mut Vec<&'a [f64]>) {
    own.clear();
    own.extend(args.iter().zip(lengths).map(|(arg, &length)| match arg.len() > length {
        true => &arg[k * length..(k + 1) * length],
        false => arg.as_slice(),
    }));
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
