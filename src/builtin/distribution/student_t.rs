//! Student's distribution with `df` degrees of freedom.

use std::f64::consts::LN_2;

use super::draw::log_gamma;
use super::sampling::is_positive;
use super::support::{log1p_square_over, standardised};
use super::{Cdfs, Distribution, Outcome, Param, ParamKind, Support};
use crate::ir::build::Builder;
use crate::ir::op::{BinaryOp, Bivariate, ValueId};
use crate::random::Stream;
use crate::ty::Element;

const LN_PI: f64 = 1.144_729_885_849_400_2;
const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// Half the degrees of freedom from which on the series is exact to the last place.
const MANY: f64 = 20.0;

/// Student's distribution with `df` degrees of freedom.
pub static STUDENT_T: Distribution = Distribution {
    name: "student_t",
    outcome: Outcome::Univariate(Element::Real, Support::Real),
    params: &[
        Param { name: "df", kind: ParamKind::Positive },
        Param { name: "loc", kind: ParamKind::Real },
        Param { name: "scale", kind: ParamKind::Positive },
    ],
    formula: "ln Γ((df+1)/2) - ln Γ(df/2) - ln(df π)/2 - ln scale - (df+1)/2 · ln(1 + z²/df), z = (x - loc) / scale",
    log_density,
    cdfs: Some(Cdfs { lower, upper }),
    sample,
};

/// `ln Γ((ν+1)/2) - ln Γ(ν/2) - ln(νπ)/2 - ln scale - (ν+1)/2 · ln(1 + z²/ν)`, `ν = df`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[df, loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    let log_kernel = log1p_square_over(b, z, df);
    let half_df = b.scale(df, 0.5);
    let exponent = b.offset(half_df, 0.5);
    let kernel = b.mul(exponent, log_kernel);
    let constant = log_constant(b, df, half_df, exponent);
    let log_scale = b.log(scale);
    let constant = b.sub(constant, log_scale);
    b.sub(constant, kernel)
}

/// `ln Γ((ν+1)/2) - ln Γ(ν/2) - ln(νπ)/2`
///
/// With many degrees of freedom the gamma functions cancel; there it is taken from the series
/// of their ratio in `r = 2/ν`: `-ln √(2π) - r/8 + r³/192 - r⁵/640 + 17 r⁷/14336`.
fn log_constant(b: &mut Builder, df: ValueId, half_df: ValueId, exponent: ValueId) -> ValueId {
    let upper = b.lgamma(exponent);
    let lower = b.lgamma(half_df);
    let gammas = b.sub(upper, lower);
    let log_df = b.log(df);
    let log_df_pi = b.offset(log_df, LN_PI);
    let half = b.scale(log_df_pi, 0.5);
    let of_few = b.sub(gammas, half);
    let bound = b.real(MANY);
    let is_many = b.binary(BinaryOp::Less, bound, half_df);
    // The series is not to overflow where it does not count.
    let many = b.binary(BinaryOp::Max, half_df, bound);
    let r = b.recip(many);
    let square = b.square(r);
    let mut series = b.real(17.0 / 14336.0);
    for coefficient in [-1.0 / 640.0, 1.0 / 192.0, -1.0 / 8.0] {
        let higher = b.mul(series, square);
        series = b.offset(higher, coefficient);
    }
    let correction = b.mul(series, r);
    let of_many = b.offset(correction, -LN_SQRT_TWO_PI);
    b.select(is_many, of_many, of_few)
}

/// `ln P(T <= z)`
fn lower(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[df, loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    b.binary(BinaryOp::Partial(Bivariate::LogStudentT, 0, 0), df, z)
}

/// `ln P(T <= -z)`
fn upper(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[df, loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    let minus = b.neg(z);
    b.binary(BinaryOp::Partial(Bivariate::LogStudentT, 0, 0), df, minus)
}

/// A normal draw over the root of a chi-square draw over `df`.
fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let &[&[df], &[loc], &[scale]] = args else { unreachable!("the checker counts arguments") };
    let z = stream.normal();
    let log_chi_square = LN_2 + log_gamma(stream, 0.5 * df);
    let t = z * libm::exp(0.5 * (libm::log(df) - log_chi_square));
    out[0] = if is_positive(scale) { loc + scale * t } else { f64::NAN };
}
