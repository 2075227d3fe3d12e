//! Exponentials and logarithms of every element of a slice, in place.
//!
//! Each element becomes what the function of one number in [`crate::math`] gives, to the bit.

use multiversion::multiversion;

use crate::math::exponential;

/// Elements that go through together: a vector of the widest machines, two or four of others.
const BLOCK: usize = 8;

/// Applies `f` to every element. What does not fill a block is done first, in a block that ends
/// with the slice and overlaps the one before.
#[inline(always)]
pub(super) fn apply(values: &mut [f64], f: impl Fn(f64) -> f64) {
    let Some(last) = values.last_chunk::<BLOCK>() else {
        for x in values {
            *x = f(*x);
        }
        return;
    };
    let mut tail = *last;
    let is_ragged = !values.len().is_multiple_of(BLOCK);
    if is_ragged {
        for x in &mut tail {
            *x = f(*x);
        }
    }
    for block in values.as_chunks_mut::<BLOCK>().0 {
        for x in block {
            *x = f(*x);
        }
    }
    if let (true, Some(last)) = (is_ragged, values.last_chunk_mut()) {
        *last = tail;
    }
}

macro_rules! slices {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])*
        #[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
        pub fn $name(values: &mut [f64]) {
            // The function itself: a closure would be compiled apart, for the narrowest vectors.
            apply(values, exponential::$name);
        })*
    };
}

slices! {
    /// `eˣ`
    exp;
    /// `eˣ - 1`
    expm1;
    /// `ln x`
    log;
    /// `ln(1 + x)`
    log1p;
    /// `1 / (1 + e⁻ˣ)`
    inv_logit;
    /// `ln(1 + eˣ)`
    log1p_exp;
}
