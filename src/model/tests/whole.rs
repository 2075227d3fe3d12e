//! Density and gradient of the whole model: the sum over branches, whatever the threads.

use super::data::{bound, rows};
use super::{Backend, CompileOptions, compile_with};
use crate::codegen::tests::Numbers;
use crate::source::Source;
use crate::target::Target;

const MODEL: &str = "
data { branch g { rows N; vector[N] x; vector[N] y; } }
global { real mu ~ normal(0, 1); real<lower=0> tau ~ normal(0, 1); }
local { real b ~ normal(mu, tau); y ~ normal(b * x, 1); }";

/// Branches of one to 130 rows, enough of them that threads pay.
fn csv() -> String {
    let mut numbers = Numbers(5);
    let mut csv = String::from("g,x,y\n");
    for branch in 0..400 {
        for _ in 0..1 + numbers.below(130) {
            csv.push_str(&format!("{branch},{},{}\n", numbers.next(), numbers.next()));
        }
    }
    csv
}

#[test]
fn threads_change_no_bit_of_the_gradient_which_is_the_sum_over_branches() {
    let options = CompileOptions { backend: Backend::MachineCode };
    let model = compile_with(&Source::new("whole.hbd", MODEL), &options).expect("it compiles");
    let data = bound(&model, rows(&csv()));
    let mut evaluator = model.evaluator(&data).expect("they fit in memory");
    let mut numbers = Numbers(11);
    let position: Vec<f64> = (0..evaluator.dimension()).map(|_| numbers.next()).collect();
    let bits = |threads: usize| -> Vec<u64> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let mut evaluator = evaluator.clone();
        let found = pool.install(|| evaluator.log_density_gradient(&position));
        let (density, gradient) = found.expect("the position has the right length");
        std::iter::once(density).chain(gradient).map(f64::to_bits).collect()
    };
    let one = bits(1);
    for threads in [2, 3, 8] {
        assert_eq!(bits(threads), one, "{threads} threads");
    }

    let mut shared = vec![0.0; evaluator.n_shared()];
    let mut sum = evaluator.shared(&position[..2], &mut shared);
    for branch in 0..evaluator.n_branches() {
        let z = &position[2 + branch..3 + branch];
        let (mut dz, mut dshared) = ([0.0], vec![0.0; shared.len()]);
        sum += evaluator.gradient(branch, &shared, z, 1.0, &mut dz, &mut dshared).total();
        assert_eq!(dz[0].to_bits(), one[3 + branch], "branch {branch}");
    }
    assert!((sum - f64::from_bits(one[0])).abs() < 1e-10 * sum.abs());
}
