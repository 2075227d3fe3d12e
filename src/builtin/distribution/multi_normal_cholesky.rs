//! The multivariate normal distribution with covariance `factor · factorᵀ`.

use super::{Distribution, Outcome, Param, ParamKind, VectorSupport, draw};
use crate::ir::build::Builder;
use crate::ir::op::{UnaryOp, ValueId};
use crate::random::Stream;

const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// The multivariate normal distribution with covariance `factor · factorᵀ`.
pub static MULTI_NORMAL_CHOLESKY: Distribution = Distribution {
    name: "multi_normal_cholesky",
    outcome: Outcome::Vector(VectorSupport::Real),
    params: &[
        Param { name: "loc", kind: ParamKind::Vector },
        Param { name: "factor", kind: ParamKind::LowerTriangle },
    ],
    formula: "-wᵀw/2 - Σ ln |factorᵢᵢ| - n ln √(2π), factor · w = x - loc",
    log_density,
    cdfs: None,
    sample,
};

/// `-wᵀw/2 - Σ ln |factorᵢᵢ| - n ln √(2π)` with `factor w = x - loc`.
pub fn log_density(b: &mut Builder, x: ValueId, args: &[ValueId]) -> ValueId {
    let &[loc, factor] = args else { unreachable!("the checker counts arguments") };
    let centred = b.sub(x, loc);
    let whitened = b.solve_lower(factor, centred, false);
    let square = b.dot(whitened, whitened);
    let kernel = b.scale(square, -0.5);
    let diagonal = b.diagonal(factor);
    let magnitude = b.unary(UnaryOp::Abs, diagonal);
    let logs = b.log(magnitude);
    let per_element = b.offset(logs, LN_SQRT_TWO_PI);
    let constant = b.sum(per_element);
    b.sub(kernel, constant)
}

fn sample(stream: &mut Stream, args: &[&[f64]], out: &mut [f64]) {
    draw::correlated_normals(stream, args[0], args[1], out);
}
