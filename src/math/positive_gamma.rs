//! The logarithm of gamma and its first two derivatives at positive numbers, without branches.
//!
//! As in [`super::exponential`], plain arithmetic on one number, for loops over slices
//! ([`crate::kernel`]) that give the same bits at any width. Each function has a polynomial for
//! small arguments, reached by a step of the recurrence below one, and one for what Stirling's
//! formula lacks of it above. These are near-minimax fits of Chebyshev's kind
//! (`tests/oracle/gamma.py`); errors are within two and a half units in the last place, next to roots
//! too.

use super::exponential::log_parts;

/// Whether the functions of this module hold: not at zero and below, nor at the least numbers of
/// all, which have fewer digits.
#[inline(always)]
pub fn is_common(x: f64) -> bool {
    x >= f64::MIN_POSITIVE
}

/// `ln Γ(x)` of a common number
#[inline(always)]
pub fn lgamma(x: f64) -> f64 {
    let is_below = x < BELOW;
    let y = x - if is_below { 1.0 } else { 2.0 };
    let series = log_gamma_series(y);
    let (below, core) = (lgamma_below(x, y, series), lgamma_core(y, series));
    let near = if is_below { below } else { core };
    let far = lgamma_far(x);
    if x < 2.5 { near } else { far }
}

/// The same of one number, by what is wanted alone
pub fn lgamma_of_one(x: f64) -> f64 {
    if x >= 2.5 {
        lgamma_far(x)
    } else if x < BELOW {
        lgamma_below(x, x - 1.0, log_gamma_series(x - 1.0))
    } else {
        lgamma_core(x - 2.0, log_gamma_series(x - 2.0))
    }
}

/// `ψ(x)` of a common number
#[inline(always)]
pub fn digamma(x: f64) -> f64 {
    let (near, far) = (digamma_near(x), digamma_far(x));
    if x < 2.0 { near } else { far }
}

/// The same of one number, by what is wanted alone
pub fn digamma_of_one(x: f64) -> f64 {
    if x < 2.0 { digamma_near(x) } else { digamma_far(x) }
}

/// `ψ₁(x)` of a common number
#[inline(always)]
pub fn trigamma(x: f64) -> f64 {
    let (near, far) = (trigamma_near(x), trigamma_far(x));
    if x < 2.0 { near } else { far }
}

/// The same of one number, by what is wanted alone
pub fn trigamma_of_one(x: f64) -> f64 {
    if x < 2.0 { trigamma_near(x) } else { trigamma_far(x) }
}

/// From here on to 2½ no step of the recurrence is taken.
const BELOW: f64 = 1.35;

/// What `ln Γ(2 + y) / y` has beyond `1 - γ`
#[inline(always)]
fn log_gamma_series(y: f64) -> f64 {
    y * polynomial(&LOG_GAMMA_CORE, y)
}

/// `ln Γ(2 + y)`
#[inline(always)]
fn lgamma_core(y: f64, series: f64) -> f64 {
    y * ((1.0 - EULER) + series)
}

/// `ln Γ(x) = ln Γ(2 + y) - ln x` with `y = x - 1`
#[inline(always)]
fn lgamma_below(x: f64, y: f64, series: f64) -> f64 {
    // Near one, where the function has a root, y is f and taken from it without loss.
    let [whole, f, rest] = log_parts(x, 0.0, 0.0);
    ((y - f) - whole) + (y * (series - EULER) + rest)
}

#[inline(always)]
fn lgamma_far(x: f64) -> f64 {
    let [whole, f, rest] = log_parts(x, 0.0, 0.0);
    let inverse = 1.0 / x;
    let correction = inverse * polynomial(&LOG_GAMMA_TAIL, inverse * inverse);
    let log_less_one = ((whole - 1.0) + f) - rest;
    (x - 0.5) * log_less_one + (HALF_LN_2PI_LESS_HALF + correction)
}

#[inline(always)]
fn digamma_near(x: f64) -> f64 {
    // ψ(x) = ψ(x + 1) - 1/x
    let is_below = x < 1.0;
    let y = if is_below { x } else { x - 1.0 };
    let from_root = (y - ROOT_LESS_ONE) - ROOT_LOW;
    let core = from_root * polynomial(&DIGAMMA_CORE, y - 0.5);
    if is_below { core - 1.0 / x } else { core }
}

#[inline(always)]
fn digamma_far(x: f64) -> f64 {
    let [whole, f, rest] = log_parts(x, 0.0, 0.0);
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let correction = 0.5 * inverse + square * polynomial(&DIGAMMA_TAIL, square);
    let far = whole - ((rest + correction) - f);
    if x == f64::INFINITY { x } else { far }
}

#[inline(always)]
fn trigamma_near(x: f64) -> f64 {
    // ψ₁(x) = ψ₁(x + 1) + 1/x²
    let is_below = x < 1.0;
    let y = if is_below { x } else { x - 1.0 };
    let core = polynomial(&TRIGAMMA_CORE, y - 0.5);
    let inverse = 1.0 / x;
    if is_below { core + inverse * inverse } else { core }
}

#[inline(always)]
fn trigamma_far(x: f64) -> f64 {
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let correction = 0.5 * square + inverse * square * polynomial(&TRIGAMMA_TAIL, square);
    inverse + correction
}

/// `Σ cₖ xᵏ`, in groups of four, every other of which is summed apart, so that they need not wait
/// for each other; the first term is added last, so that it is rounded once.
#[inline(always)]
fn polynomial<const GROUPS: usize>(coefficients: &[[f64; 4]; GROUPS], x: f64) -> f64 {
    let square = x * x;
    let fourth = square * square;
    let eighth = fourth * fourth;
    let mut sums = [0.0; 2];
    let mut group = GROUPS - 1;
    while group > 0 {
        let [c0, c1, c2, c3] = coefficients[group];
        sums[group % 2] = sums[group % 2] * eighth + ((c0 + x * c1) + square * (c2 + x * c3));
        group -= 1;
    }
    let [c0, c1, c2, c3] = coefficients[0];
    c0 + ((x * c1 + square * (c2 + x * c3)) + (fourth * sums[1] + eighth * sums[0]))
}

const EULER: f64 = 0.577_215_664_901_532_9;
const HALF_LN_2PI_LESS_HALF: f64 = 0.418_938_533_204_672_7;
/// The root of digamma less one, in two parts.
const ROOT_LESS_ONE: f64 = 0.46163214496836236;
const ROOT_LOW: f64 = -1.5522348162858677e-17;

/// `q` in `ln Γ(2 + y) / y - 1 = -γ + y q(y)`, for `y` from -1 to ½.
const LOG_GAMMA_CORE: [[f64; 4]; 6] = [
    [
        0.322_467_033_424_113_2,
        -0.067_352_301_053_197_95,
        0.020_580_808_427_783_74,
        -0.007_385_551_028_701_974,
    ],
    [
        0.002_890_510_330_807_549,
        -0.001_192_753_910_089_763_5,
        0.000_509_669_523_236_879_9,
        -0.000_223_154_801_458_400_04,
    ],
    [
        9.945_751_205_677_931e-05,
        -4.492_561_426_159_662e-05,
        2.050_768_518_474_708_7e-05,
        -9.444_646_714_596_151e-06,
    ],
    [
        4.367_472_233_538_347e-06,
        -2.015_634_838_253_281_7e-06,
        1.008_528_124_097_801e-06,
        -4.942_880_210_825_971e-07,
    ],
    [
        1.132_626_661_351_782_6e-08,
        -1.566_049_824_710_742_8e-07,
        3.996_761_182_993_571_6e-07,
        3.633_180_989_701_131e-07,
    ],
    [
        -9.205_099_939_852_028e-08,
        -4.469_042_732_344_391e-07,
        -3.056_323_255_570_565_5e-07,
        -7.770_742_627_120_965e-08,
    ],
];

/// `t` in `ln Γ(x) = (x - ½) (ln x - 1) + (ln 2π - 1) / 2 + t(1/x²) / x`, for `x` from 2½ on.
const LOG_GAMMA_TAIL: [[f64; 4]; 4] = [
    [
        0.083_333_333_333_333_33,
        -0.002_777_777_777_777_213_7,
        0.000_793_650_793_346_013_6,
        -0.000_595_238_029_172_079_1,
    ],
    [
        0.000_841_743_194_750_582_6,
        -0.001_916_980_544_214_322_2,
        0.006_383_926_137_796_769_5,
        -0.028_640_051_298_598_184,
    ],
    [
        0.155_877_960_035_818_9,
        -0.900_676_478_750_572_6,
        4.851_165_918_112_082,
        -21.949_960_062_671_312,
    ],
    [76.678_365_113_215_5, -189.587_975_135_962_98, 291.860_192_577_087_1, -208.975_072_675_384_75],
];

/// `q` in `ψ(x) = (x - root) q(x - 3/2)`, for `x` from 1 to 2.
const DIGAMMA_CORE: [[f64; 4]; 6] = [
    [
        0.951_055_876_031_832_8,
        -0.423_627_421_281_460_47,
        0.240_542_484_240_787_36,
        -0.148_404_923_053_917_61,
    ],
    [
        0.094_988_724_452_829_83,
        -0.061_922_133_271_656_944,
        0.040_760_833_944_638_82,
        -0.026_975_796_844_283_532,
    ],
    [
        0.017_907_248_195_547_71,
        -0.011_908_215_172_303_057,
        0.007_927_024_076_373_704,
        -0.005_280_017_826_507_049,
    ],
    [
        0.003_518_079_970_862_646_7,
        -0.002_344_650_012_855_334,
        0.001_563_568_802_194_968_2,
        -0.001_042_262_107_465_051_6,
    ],
    [
        0.000_689_967_585_329_020_7,
        -0.000_459_959_717_937_286_35,
        0.000_326_819_985_608_709_45,
        -0.000_217_877_002_009_596_46,
    ],
    [
        9.171_048_937_859_689e-05,
        -6.113_986_383_929_156e-05,
        0.000_122_327_639_275_816_32,
        -8.155_166_220_944_515e-05,
    ],
];

/// `t` in `ψ(x) = ln x - 1/(2x) - t(1/x²) / x²`, for `x` from 2 on.
const DIGAMMA_TAIL: [[f64; 4]; 4] = [
    [
        0.083_333_333_333_333_12,
        -0.008_333_333_332_885_478,
        0.003_968_253_812_269_682,
        -0.004_166_644_744_322_804,
    ],
    [
        0.007_574_100_169_886_411,
        -0.021_014_666_965_458_572,
        0.080_812_683_279_242_03,
        -0.383_572_695_602_708_07,
    ],
    [
        1.948_557_033_424_277_4,
        -9.281_844_467_928_527,
        37.590_791_345_912_315,
        -120.630_617_951_348_46,
    ],
    [288.519_476_003_296_1, -478.086_626_948_656_15, 486.701_308_886_879_1, -228.460_487_359_498_9],
];

/// `q` in `ψ₁(x) = q(x - 3/2)`, for `x` from 1 to 2.
const TRIGAMMA_CORE: [[f64; 4]; 6] = [
    [
        0.934_802_200_544_679_3,
        -0.828_796_644_234_32,
        0.704_545_517_001_230_1,
        -0.579_041_637_777_878_9,
    ],
    [
        0.463_064_525_099_292_7,
        -0.362_149_365_023_681_4,
        0.278_080_813_493_222_3,
        -0.210_309_873_136_575_43,
    ],
    [
        0.157_053_195_588_973_15,
        -0.116_040_722_013_502_27,
        0.084_968_934_337_271,
        -0.061_740_457_449_893_545,
    ],
    [
        0.044_564_553_608_929_47,
        -0.031_984_961_046_121_19,
        0.022_861_749_720_751_19,
        -0.016_255_041_299_293_95,
    ],
    [
        0.011_388_541_955_969_531,
        -0.008_040_243_645_673_597,
        0.006_179_245_584_333_809,
        -0.004_331_745_178_197_853,
    ],
    [
        0.001_649_118_655_890_868_7,
        -0.001_158_978_938_443_704_9,
        0.002_915_141_848_513_214_6,
        -0.002_022_891_336_656_137,
    ],
];

/// `t` in `ψ₁(x) = 1/x + 1/(2x²) + t(1/x²) / x³`, for `x` from 2 on.
const TRIGAMMA_TAIL: [[f64; 4]; 5] = [
    [
        0.166_666_666_666_666_63,
        -0.033_333_333_333_190_99,
        0.023_809_523_732_218_08,
        -0.033_333_316_374_705_85,
    ],
    [
        0.075_755_569_067_221_14,
        -0.252_964_988_713_307_4,
        1.159_119_302_261_847_8,
        -6.811_096_699_551_168,
    ],
    [46.871_416_288_953_76, -338.853_926_075_995_84, 2_333.392_718_523_211, -14_256.587_102_989_99],
    [
        73_712.934_125_418_38,
        -311_885.756_901_145_1,
        1_049_406.263_135_838_8,
        -2_722_733.630_889_218_3,
    ],
    [5_230_464.487_706_038, -6_986_399.018_439_114, 5_781_566.632_368_05, -2_229_327.117_604_606_3],
];
