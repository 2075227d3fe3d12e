//! Functions of every element of a slice, in place.
//!
//! Each element becomes what the function of one number in [`crate::math`] gives, to the bit.

use multiversion::multiversion;

use crate::math::{self, exponential, positive_gamma};

/// Elements that go through together: a vector of the widest machines, two or four of others.
const BLOCK: usize = 8;
/// From so many elements on a whole block takes less time than they take one by one.
const WORTH_A_BLOCK: usize = 4;

/// A function of one number, in the form that becomes vector code. Its parts are functions of a
/// trait rather than values that are passed: those would be called through a shim, which is
/// compiled apart, for the narrowest vectors.
pub(super) trait Elementary {
    /// Whether [`Self::of_common`] holds at `x`.
    fn is_common(x: f64) -> bool;
    /// At a common number, without branches.
    fn of_common(x: f64) -> f64;
    /// At any number; the same at a common one.
    fn of_any(x: f64) -> f64;
}

/// Applies a function to every element. What does not fill a block is done first, in a block that
/// ends with the slice and overlaps the one before.
#[inline(always)]
pub(super) fn apply<F: Elementary>(values: &mut [f64]) {
    let Some(last) = values.last_chunk::<BLOCK>() else { return apply_to_few::<F>(values) };
    let mut tail = *last;
    let is_ragged = !values.len().is_multiple_of(BLOCK);
    if is_ragged {
        apply_to_block::<F>(&mut tail);
    }
    for block in values.as_chunks_mut::<BLOCK>().0 {
        apply_to_block::<F>(block);
    }
    if let (true, Some(last)) = (is_ragged, values.last_chunk_mut()) {
        *last = tail;
    }
}

/// To less than a block: filled up where that is quicker than one by one.
#[inline(always)]
fn apply_to_few<F: Elementary>(values: &mut [f64]) {
    if values.len() < WORTH_A_BLOCK {
        for x in values {
            *x = F::of_any(*x);
        }
        return;
    }
    let mut block = [1.0; BLOCK];
    for (k, x) in block.iter_mut().enumerate() {
        if k < values.len() {
            *x = values[k];
        }
    }
    apply_to_block::<F>(&mut block);
    for (k, x) in block.iter().enumerate() {
        if k < values.len() {
            values[k] = *x;
        }
    }
}

#[inline(always)]
fn apply_to_block<F: Elementary>(block: &mut [f64; BLOCK]) {
    let given = *block;
    let mut all_common = true;
    for x in given {
        all_common &= F::is_common(x);
    }
    for x in block.iter_mut() {
        *x = F::of_common(*x);
    }
    if !all_common {
        for (x, given) in block.iter_mut().zip(given) {
            if !F::is_common(given) {
                *x = F::of_any(given);
            }
        }
    }
}

#[inline(always)]
fn everywhere(_: f64) -> bool {
    true
}

macro_rules! slices {
    ($($(#[$doc:meta])* $name:ident: $is_common:path => $of_common:path, $of_any:path;)*) => {
        $($(#[$doc])*
        #[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
        pub fn $name(values: &mut [f64]) {
            struct Itself;
            impl Elementary for Itself {
                #[inline(always)]
                fn is_common(x: f64) -> bool {
                    $is_common(x)
                }
                #[inline(always)]
                fn of_common(x: f64) -> f64 {
                    $of_common(x)
                }
                #[inline(always)]
                fn of_any(x: f64) -> f64 {
                    $of_any(x)
                }
            }
            apply::<Itself>(values);
        })*
    };
}

slices! {
    /// `eˣ`
    exp: everywhere => exponential::exp, exponential::exp;
    /// `eˣ - 1`
    expm1: everywhere => exponential::expm1, exponential::expm1;
    /// `ln x`
    log: everywhere => exponential::log, exponential::log;
    /// `ln(1 + x)`
    log1p: everywhere => exponential::log1p, exponential::log1p;
    /// `1 / (1 + e⁻ˣ)`
    inv_logit: everywhere => exponential::inv_logit, exponential::inv_logit;
    /// `ln(1 + eˣ)`
    log1p_exp: everywhere => exponential::log1p_exp, exponential::log1p_exp;
    /// `tanh x`
    tanh: everywhere => exponential::tanh, exponential::tanh;
    /// `ln cosh x`
    log_cosh: everywhere => exponential::log_cosh, exponential::log_cosh;
    /// `ln(1 - eˣ)`
    log1m_exp: exponential::is_below_zero => exponential::log1m_exp, math::log1m_exp;
    /// `ln |Γ(x)|`
    lgamma: positive_gamma::is_common => positive_gamma::lgamma, math::lgamma;
    /// `ψ(x)`
    digamma: positive_gamma::is_common => positive_gamma::digamma, math::digamma;
    /// `ψ₁(x)`
    trigamma: positive_gamma::is_common => positive_gamma::trigamma, math::trigamma;
}
