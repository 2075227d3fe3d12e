//! Log density and gradient of shipped models: machine code beside the interpreter.
//!
//!     cargo bench --bench gradient

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use hbdc::{Backend, CompileOptions, Dataset, Evaluator, Source, compile_with};

fn evaluator(name: &str, backend: Backend) -> Evaluator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let text = std::fs::read_to_string(folder.join(format!("{name}.hbd"))).expect("a model");
    let model = compile_with(&Source::new(name, text), &CompileOptions { backend });
    let model = model.expect("the model compiles");
    let data = Dataset::read_csv(folder.join(format!("{name}.csv"))).expect("its data");
    let data = data.bind(model.schema()).expect("the data fit");
    model.evaluator(&data).expect("the arrays fit in memory")
}

fn gradients(criterion: &mut Criterion) {
    for name in ["rats", "seeds", "eight_schools"] {
        let mut group = criterion.benchmark_group(name);
        for (what, backend) in
            [("machine code", Backend::MachineCode), ("interpreter", Backend::Interpreter)]
        {
            let mut evaluator = evaluator(name, backend);
            let position = vec![0.1; evaluator.dimension()];
            group.bench_function(what, |bencher| {
                bencher.iter(|| {
                    let result = evaluator.log_density_gradient(black_box(&position));
                    black_box(result.expect("the position has the right length"))
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, gradients);
criterion_main!(benches);
