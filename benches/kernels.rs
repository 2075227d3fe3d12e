//! Each function of models that are dominated by one kernel: seconds of one pass over 10 000 rows in 100 branches, on one thread.
//!
//!     cargo bench --bench kernels
//!
//! `likelihood_expansion` of the model `product` is dominated by XᵀWX. Instructions of the same are counted by the package
//! in `benches/instructions`.

#[path = "support/kernels.rs"]
mod support;

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

fn kernels(criterion: &mut Criterion) {
    for (name, _) in support::MODELS {
        let mut evaluator = support::evaluator(name);
        let position = support::position(&evaluator);
        let mut group = criterion.benchmark_group(name);
        for pass in ["density", "gradient", "likelihood_expansion"] {
            group.bench_function(pass, |bencher| {
                // All passes are run, one is counted.
                bencher.iter_custom(|times| {
                    let seconds: f64 = (0..times)
                        .flat_map(|_| evaluator.pass_seconds(&position))
                        .filter_map(|(known, seconds)| (known == pass).then_some(seconds))
                        .sum();
                    Duration::from_secs_f64(seconds)
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
