//! The multivariate normal distribution with a covariance matrix.

use super::{Distribution, Outcome, Param, ParamKind, VectorSupport, draw, multi_normal_cholesky};
use crate::builtin::decompose;
use crate::ir::build::Builder;
use crate::ir::op::ValueId;
use crate::random::Stream;

/// The multivariate normal distribution with a covariance matrix.
pub static MULTI_NORMAL: Distribution = Distribution {
    name: "multi_normal",
    outcome: Outcome::Vector(VectorSupport::Real),
    params: &[
        Param { name: "loc", kind: ParamKind::Vector },
        Param { name: "covariance", kind: ParamKind::Covariance },
    ],
    formula: "-wᵀw/2 - Σ ln Lᵢᵢ - n ln √(2π), L · w = x - loc, L · Lᵀ = covariance",
    log_density,
    cdfs: None,
    sample,
};

/// That of the factor of the covariance, of which the lower triangle is read.
fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, covariance] = args else { unreachable!("the checker counts arguments") };
    let factor = decompose::cholesky(b, covariance);
    multi_normal_cholesky::log_density(b, x, &[loc, factor])
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    let factor = draw::cholesky(args[1], out.len());
    draw::correlated_normals(stream, args[0], &factor, out);
}
