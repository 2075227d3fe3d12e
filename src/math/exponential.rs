//! Exponentials, logarithms and what is made of them, without branches, tables or fused operations.
//!
//! Each is plain arithmetic on one number, with choices made between values, so that a loop over
//! a slice becomes vector code of whatever width the machine has ([`crate::kernel`]), and so that
//! every width, on every machine, gives the same bits. The polynomials are near-minimax fits of
//! Chebyshev's kind (`tests/oracle/exponential.py`); errors are about one unit in the last place.

use std::f64::consts::{LN_2, LOG2_E};

/// Adding and subtracting it rounds to a whole number, which then stands in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; whole multiples of the first below 2¹¹ are exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Above it `eˣ` overflows, below it is no normal number, and beneath that zero.
const OVERFLOW: f64 = 709.782_712_893_384;
const SUBNORMAL: f64 = -708.0;
const UNDERFLOW: f64 = -746.0;
/// Beyond it `eˣ - 1` is `eˣ`, or -1.
const FAR: f64 = 40.0;
const ONE: u64 = 0x3ff0_0000_0000_0000;
const FRACTION: u64 = 0x000f_ffff_ffff_ffff;
/// The bits of √½.
const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
const TWO_52: f64 = 4_503_599_627_370_496.0;
const TWO_54: f64 = 18_014_398_509_481_984.0;
const TWO_MINUS_64: f64 = 5.421_010_862_427_522e-20;

/// `x = k ln 2 + r` with whole `k` and `|r| <= ln 2 / 2`: r, and k in the low bits.
#[inline(always)]
fn reduce(x: f64) -> (f64, u64) {
    let shifted = x * LOG2_E + ROUND;
    let k = shifted - ROUND;
    ((x - k * LN_2_HIGH) - k * LN_2_LOW, shifted.to_bits())
}

/// `eʳ - 1 - r` for `|r| <= ln 2 / 2`
#[inline(always)]
fn exp_tail(r: f64) -> f64 {
    let z = r * r;
    let z2 = z * z;
    let c0 = 0.5 + r * 0.166_666_666_666_666_7;
    let c2 = 0.041_666_666_666_666_67 + r * 0.008_333_333_333_326_136;
    let c4 = 0.001_388_888_888_888_374_8 + r * 0.000_198_412_698_748_206_26;
    let c6 = 0.000_024_801_587_325_547_742 + r * 2.755_725_540_020_642_4e-6;
    let c8 = 2.755_727_364_311_03e-7 + r * 2.510_521_700_472_074_5e-8;
    let c10 = 2.091_468_696_808_687_7e-9;
    z * ((c0 + z * c2) + z2 * ((c4 + z * c6) + z2 * (c8 + z * c10)))
}

/// `p · 2ᵏ` for `p` near one, with k in the low bits.
#[inline(always)]
fn scale(p: f64, k: u64) -> f64 {
    f64::from_bits(p.to_bits().wrapping_add(k << 52))
}

/// `eˣ`
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let (r, k) = reduce(x);
    let p = 1.0 + (r + exp_tail(r));
    let is_small = x < SUBNORMAL;
    let lift = if is_small { 64 } else { 0 };
    let back = if is_small { TWO_MINUS_64 } else { 1.0 };
    let y = scale(p, k.wrapping_add(lift)) * back;
    let y = if x < UNDERFLOW { 0.0 } else { y };
    let y = if x > OVERFLOW { f64::INFINITY } else { y };
    if x.is_nan() { x } else { y }
}

/// `eˣ - 1`, accurate near zero
#[inline(always)]
pub fn expm1(x: f64) -> f64 {
    let (r, k) = reduce(x);
    let p = r + exp_tail(r);
    let power = f64::from_bits((k << 52).wrapping_add(ONE));
    let y = power * p + (power - 1.0);
    let y = if x > FAR { scale(1.0 + p, k) } else { y };
    let y = if x < -FAR { -1.0 } else { y };
    let y = if x > OVERFLOW { f64::INFINITY } else { y };
    // Zero keeps its sign.
    if x.is_nan() || x == 0.0 { x } else { y }
}

/// `ln x + correction + lift · ln 2` for normal positive `x` and a small correction, in parts: the
/// first two less the third. The second is `x - 1` near one, where the first is zero.
#[inline(always)]
pub(super) fn log_parts(x: f64, correction: f64, lift: f64) -> [f64; 3] {
    // x = 2ᵏ m with m between √½ and √2, and ln m = 2 atanh(s).
    let above = x.to_bits().wrapping_add(ONE - ROOT_HALF);
    let k = f64::from_bits(TWO_52.to_bits() | (above >> 52)) - (TWO_52 + 1023.0) + lift;
    let f = f64::from_bits((above & FRACTION).wrapping_add(ROOT_HALF)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let z2 = z * z;
    let c0 = 0.666_666_666_666_666_6 + z * 0.400_000_000_000_008_83;
    let c2 = 0.285_714_285_707_998 + z * 0.222_222_223_925_810_46;
    let c4 = 0.181_817_955_475_211_36 + z * 0.153_862_447_376_216_67;
    let c6 = 0.132_686_383_692_668_24 + z * 0.130_880_348_509_275_54;
    let tail = z * ((c0 + z2 * c2) + (z2 * z2) * (c4 + z2 * c6));
    let half = 0.5 * f * f;
    let rest = half - (s * (half + tail) + (k * LN_2_LOW + correction));
    [k * LN_2_HIGH, f, rest]
}

/// `ln x + correction + lift · ln 2` for normal positive `x` and a small correction
#[inline(always)]
fn log_normal(x: f64, correction: f64, lift: f64) -> f64 {
    let [whole, f, rest] = log_parts(x, correction, lift);
    whole - (rest - f)
}

/// `ln x`; NaN below zero
#[inline(always)]
pub fn log(x: f64) -> f64 {
    let is_small = x < f64::MIN_POSITIVE;
    let normal = if is_small { x * TWO_54 } else { x };
    let lift = if is_small { -54.0 } else { 0.0 };
    let y = log_normal(normal, 0.0, lift);
    let y = if x == f64::INFINITY { x } else { y };
    let y = if x == 0.0 { f64::NEG_INFINITY } else { y };
    if x >= 0.0 { y } else { f64::NAN }
}

/// `ln(1 + x)`, accurate near zero; NaN below -1
#[inline(always)]
pub fn log1p(x: f64) -> f64 {
    // What rounding takes from the sum is given back to the logarithm.
    let sum = 1.0 + x;
    let lost = if x > 1.0 { 1.0 - (sum - x) } else { x - (sum - 1.0) };
    let y = log_normal(sum, lost / sum, 0.0);
    let y = if x == f64::INFINITY { x } else { y };
    let y = if x == -1.0 { f64::NEG_INFINITY } else { y };
    let y = if x >= -1.0 { y } else { f64::NAN };
    // Zero keeps its sign.
    if x == 0.0 { x } else { y }
}

/// `1 / (1 + e⁻ˣ)`, with full relative accuracy in both tails
#[inline(always)]
pub fn inv_logit(x: f64) -> f64 {
    // The exponential of a number that is not positive cannot overflow.
    let e = exp(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    numerator / (1.0 + e)
}

/// `ln(1 + eˣ)`, without overflow and with full relative accuracy in the lower tail
#[inline(always)]
pub fn log1p_exp(x: f64) -> f64 {
    let e = exp(-x.abs());
    let above = if x > 0.0 { x } else { 0.0 };
    let sum = 1.0 + e;
    let y = above + log_normal(sum, (e - (sum - 1.0)) / sum, 0.0);
    if x.is_nan() { x } else { y }
}

/// `tanh x`
#[inline(always)]
pub fn tanh(x: f64) -> f64 {
    // Of a number that is not positive: it cannot overflow.
    let less_one = expm1(-2.0 * x.abs());
    (-less_one / (less_one + 2.0)).copysign(x)
}

/// `ln cosh x`, without overflow and with full relative accuracy near zero
#[inline(always)]
pub fn log_cosh(x: f64) -> f64 {
    let magnitude = x.abs();
    // cosh x = 1 + 2 sinh²(x/2) = 1 + (eˣ - 1)² / 2eˣ loses nothing to cancellation near zero,
    // and 2 cosh x = eˣ (1 + 1 / (eˣ)²) overflows nowhere.
    let is_near = magnitude < 1.0;
    let less_one = expm1(magnitude);
    let power = 1.0 + less_one;
    let above = if is_near { less_one * less_one } else { 1.0 };
    let excess = above / (power * if is_near { 2.0 } else { power });
    let sum = 1.0 + excess;
    let log = log_normal(sum, (excess - (sum - 1.0)) / sum, 0.0);
    let y = if is_near { log } else { magnitude + (log - LN_2) };
    if x.is_nan() { x } else { y }
}

/// Whether [`log1m_exp`] holds: below zero, but for the least numbers of all.
#[inline(always)]
pub fn is_below_zero(x: f64) -> bool {
    x <= -f64::MIN_POSITIVE
}

/// `ln(1 - eˣ)` below zero, with full relative accuracy at both ends
#[inline(always)]
pub fn log1m_exp(x: f64) -> f64 {
    // Each form where it loses nothing (Mächler 2012, "Accurately computing log(1 - exp(-|a|))").
    let is_near = x > -LN_2;
    let e = exp(x);
    let rest = 1.0 - e;
    let lost = (1.0 - rest) - e;
    let argument = if is_near { -expm1(x) } else { rest };
    let correction = if is_near { 0.0 } else { lost / rest };
    log_normal(argument, correction, 0.0)
}
