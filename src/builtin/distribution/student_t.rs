//! Student's distribution with `df` degrees of freedom.

use super::{Distribution, Outcome, Param, ParamKind, Support, standardised};
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::ty::Element;

const LN_PI: f64 = 1.144_729_885_849_400_2;

/// Student's distribution with `df` degrees of freedom.
pub static STUDENT_T: Distribution = Distribution {
    name: "student_t",
    outcome: Outcome::Univariate(Element::Real, Support::Real),
    params: &[
        Param { name: "df", kind: ParamKind::Positive },
        Param { name: "loc", kind: ParamKind::Real },
        Param { name: "scale", kind: ParamKind::Positive },
    ],
    log_density,
};

/// `ln Γ((ν+1)/2) - ln Γ(ν/2) - ln(νπ)/2 - ln scale - (ν+1)/2 · ln(1 + z²/ν)`, `ν = df`.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[df, loc, scale] = args else { unreachable!("the checker counts arguments") };
    let z = standardised(b, x, loc, scale);
    let square = b.square(z);
    let ratio = b.div(square, df);
    let log_kernel = b.log1p(ratio);
    let half_df = b.scale(df, 0.5);
    let exponent = b.offset(half_df, 0.5);
    let kernel = b.mul(exponent, log_kernel);
    let constant = log_constant(b, df, half_df, exponent);
    let log_scale = b.log(scale);
    let constant = b.sub(constant, log_scale);
    b.sub(constant, kernel)
}

/// `ln Γ((ν+1)/2) - ln Γ(ν/2) - ln(νπ)/2`
fn log_constant(b: &mut Builder, df: ValueId, half_df: ValueId, exponent: ValueId) -> ValueId {
    let upper = b.lgamma(exponent);
    let lower = b.lgamma(half_df);
    let gammas = b.sub(upper, lower);
    let log_df = b.log(df);
    let log_df_pi = b.offset(log_df, LN_PI);
    let half = b.scale(log_df_pi, 0.5);
    b.sub(gammas, half)
}
