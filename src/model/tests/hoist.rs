//! What branches compute of θ alone is computed once for each θ, and is the same.

use super::data::{bound, rows};
use super::{Backend, CompileOptions, compile_with};
use crate::ir::op::{Op, UnaryOp};
use crate::source::Source;
use crate::target::Target;

const MODEL: &str = "
data { branch g { rows N; vector[N] y; } }
global {
  vector[2] mu ~ normal(0, 1);
  vector<lower=0>[2] tau ~ normal(0, 1);
  real<lower=-1, upper=1> rho ~ uniform(-1, 1);
  real<lower=0> sigma ~ normal(0, 1);
  matrix[2, 2] S = [[square(tau[1]), rho * tau[1] * tau[2]], [rho * tau[1] * tau[2], square(tau[2])]];
}
local {
  vector[2] z ~ multi_normal(mu, S);
  y ~ normal(z[1] + z[2], sigma);
}";

/// log of the bivariate normal density, as textbooks have it.
fn log_bivariate(z: [f64; 2], mu: [f64; 2], tau: [f64; 2], rho: f64) -> f64 {
    let d = [(z[0] - mu[0]) / tau[0], (z[1] - mu[1]) / tau[1]];
    let left = 1.0 - rho * rho;
    let square = (d[0] * d[0] - 2.0 * rho * d[0] * d[1] + d[1] * d[1]) / left;
    -0.5 * square - (std::f64::consts::TAU * tau[0] * tau[1] * left.sqrt()).ln()
}

#[test]
fn what_all_branches_share_is_computed_once_and_is_the_same() {
    for backend in [Backend::MachineCode, Backend::Interpreter] {
        let source = Source::new("hoist.hbd", MODEL);
        let model = compile_with(&source, &CompileOptions { backend }).expect("it compiles");
        let local = &model.program().local;
        let is_left = local.values.iter().any(|(_, value)| {
            matches!(value.op, Op::Loop(_) | Op::Unary(UnaryOp::Log | UnaryOp::Exp, _))
        });
        assert!(!is_left, "branches factor no matrix and take no logarithm:\n{local}");

        let data = bound(&model, rows("g,y\na,0.5\na,1.5\nb,-1\n"));
        let mut evaluator = model.evaluator(&data).expect("they fit in memory");
        let theta = [0.3, -0.2, 0.4_f64, -0.5, 0.6, 0.1];
        let mut shared = vec![0.0; evaluator.n_shared()];
        evaluator.log_prior(&theta, &mut shared);
        let (tau, sigma) = ([0.4_f64.exp(), (-0.5_f64).exp()], 0.1_f64.exp());
        let rho = 2.0 / (1.0 + (-0.6_f64).exp()) - 1.0;
        let z = [0.7, 0.1];
        let [prior, _, likelihood] = evaluator.log_local(0, &shared, &z);
        let expected = log_bivariate(z, [0.3, -0.2], tau, rho);
        assert!((prior - expected).abs() < 1e-13, "{prior} {expected}");
        let of_row = |y: f64| {
            let d = (y - 0.8) / sigma;
            -0.5 * d * d - (sigma * std::f64::consts::TAU.sqrt()).ln()
        };
        let expected = of_row(0.5) + of_row(1.5);
        assert!((likelihood - expected).abs() < 1e-13, "{likelihood} {expected}");
    }
}
