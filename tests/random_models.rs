//! Random models: machine code against the interpreter, gradients against central differences.
//!
//! `HBDC_RANDOM_MODELS=10000 cargo test --release --test random_models -- --nocapture` tries
//! more of them; `HBDC_RANDOM_SEED` starts elsewhere.

#[path = "random/generate.rs"]
mod generate;

use generate::{Case, Numbers, case};
use hbdc::{Backend, CompileOptions, Dataset, Evaluator, Source, compile_with};

/// How many models are tried where nothing else is said.
const MODELS: u64 = 150;

/// Largest difference of densities of both evaluators, relative to one or the value.
const AGREEMENT: f64 = 1e-10;

/// Largest difference of gradients and central differences, relative to one or the largest
/// element.
const SLOPE: f64 = 1e-6;

fn setting(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).unwrap_or_default();
    text.parse().unwrap_or(otherwise)
}

fn evaluator(case: &Case, seed: u64, backend: Backend) -> Evaluator {
    let source = Source::new(format!("random {seed}"), case.model.as_str());
    let model = compile_with(&source, &CompileOptions { backend })
        .unwrap_or_else(|error| panic!("{}\n{}", case.model, error.render(false)));
    let data = Dataset::from_csv_bytes("rows.csv", case.csv.clone().into_bytes())
        .expect("a good table")
        .bind(model.schema())
        .unwrap_or_else(|error| panic!("{}\n{error}", case.model));
    model.evaluator(&data).expect("sizes are small")
}

/// The largest errors found.
#[derive(Default)]
struct Worst {
    agreement: f64,
    slope: f64,
}

fn try_one(seed: u64, worst: &mut Worst) {
    let case = case(seed);
    let mut compiled = evaluator(&case, seed, Backend::MachineCode);
    let mut interpreted = evaluator(&case, seed, Backend::Interpreter);
    let mut numbers = Numbers::new(seed ^ 0x5EED);
    let at: Vec<f64> = (0..compiled.dimension()).map(|_| 0.7 * numbers.signed()).collect();
    let (value, gradient) = compiled.log_density_gradient(&at).expect("its dimension");
    let (expected, slopes) = interpreted.log_density_gradient(&at).expect("its dimension");
    let fail = |what: String| panic!("seed {seed}: {what}\n{}\n{}", case.model, case.csv);
    if !value.is_finite() || gradient.iter().any(|g| !g.is_finite()) {
        fail(format!("density {value}, gradient {gradient}"));
    }
    let largest = slopes.iter().fold(1.0_f64, |m, g| m.max(g.abs()));
    let disagreement = gradient.iter().zip(&slopes).map(|(a, b)| (a - b).abs() / largest);
    let disagreement =
        disagreement.fold((value - expected).abs() / expected.abs().max(1.0), f64::max);
    if disagreement > AGREEMENT {
        fail(format!("machine code {value} {gradient}, interpreter {expected} {slopes}"));
    }
    worst.agreement = worst.agreement.max(disagreement);
    for k in 0..at.len() {
        let slope = difference(&mut compiled, &at, k);
        let error = (gradient[k] - slope).abs() / largest.max(1e-3 * value.abs());
        if error > SLOPE {
            fail(format!("element {k} of the gradient is {}, by differences {slope}", gradient[k]));
        }
        worst.slope = worst.slope.max(error);
    }
}

/// The central difference of fourth order.
fn difference(evaluator: &mut Evaluator, at: &[f64], k: usize) -> f64 {
    let h = 2e-4;
    let mut moved = |by: f64| {
        let mut place = at.to_vec();
        place[k] += by;
        evaluator.log_density_gradient(&place).expect("its dimension").0
    };
    let near = moved(h) - moved(-h);
    let far = moved(2.0 * h) - moved(-2.0 * h);
    (8.0 * near - far) / (12.0 * h)
}

#[test]
fn compiled_interpreted_and_differentiated_models_agree() {
    let (n, first) = (setting("HBDC_RANDOM_MODELS", MODELS), setting("HBDC_RANDOM_SEED", 1));
    let mut worst = Worst::default();
    for seed in first..first + n {
        try_one(seed, &mut worst);
    }
    println!(
        "{n} models from seed {first}: machine code and interpreter within {:.1e}, gradients and \
         differences within {:.1e}",
        worst.agreement, worst.slope
    );
}
