//! Instructions of one value and gradient of models that are dominated by one kernel each: 10 000 rows in 100 branches.
//!
//!     cargo install gungraun-runner --version 0.20.0        (once; valgrind from the system's packages)
//!     cd benches/instructions && RAYON_NUM_THREADS=1 cargo bench
//!
//! Valgrind offers AVX2 at most, so kernels are those of AVX2. A count that differs from that of the run before is shown as such.

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use hbdc::Evaluator;
use hbdc_instructions::models;

/// Compiled and called once, so that what happens once is not counted.
fn ready(name: &str) -> (Evaluator, Vec<f64>) {
    let mut evaluator = models::evaluator(name);
    let position = models::position(&evaluator);
    evaluator.log_density_gradient(&position).expect("the position has the right length");
    (evaluator, position)
}

#[library_benchmark]
#[bench::exponential(ready("exponential"))]
#[bench::logarithm(ready("logarithm"))]
#[bench::logistic(ready("logistic"))]
#[bench::gamma(ready("gamma"))]
#[bench::counts(ready("counts"))]
#[bench::product(ready("product"))]
#[bench::gather(ready("gather"))]
fn gradient((mut evaluator, position): (Evaluator, Vec<f64>)) -> f64 {
    let found = evaluator.log_density_gradient(black_box(&position));
    found.expect("the position has the right length").0
}

library_benchmark_group!(name = kernels; benchmarks = gradient);
main!(library_benchmark_groups = kernels);
