//! Models on made-up data that are dominated by one kernel each, for the benchmarks of kernels: shared by those that measure
//! time and those that count instructions.

use hbdc::{Column, Dataset, Evaluator, Source, compile};

const N_BRANCHES: usize = 100;
const N_ROWS: usize = 100;
const N_LEVELS: usize = 1000;

/// Name, and the text of the model. Fourth powers, since rows of a normal outcome are summed once, when data are bound.
pub const MODELS: [(&str, &str); 7] = [
    (
        "exponential",
        "data { branch g { rows N; vector[N] x1; } }
         global { real mu ~ normal(0, 1); }
         local { real z ~ normal(mu, 1); target += sum(exp(z * x1)); }",
    ),
    (
        "logarithm",
        "data { branch g { rows N; vector[N] x1; } }
         global { real mu ~ normal(0, 1); }
         local { real z ~ normal(mu, 1); target += sum(log(2 + square(z * x1))); }",
    ),
    (
        "logistic",
        "data { branch g { rows N; vector[N] x1; array[N] int<lower=0, upper=1> y; } }
         global { real mu ~ normal(0, 1); }
         local { real z ~ normal(mu, 1); y ~ bernoulli_logit(z * x1); }",
    ),
    (
        "gamma",
        "data { branch g { rows N; vector[N] x1; } }
         global { real mu ~ normal(0, 1); }
         local { real z ~ normal(mu, 1); target += -sum(lgamma(0.5 + square(5 + z + 5 * x1))); }",
    ),
    (
        "counts",
        "data { branch g { rows N; vector[N] x1; array[N] int<lower=0> y; } }
         global { real mu ~ normal(0, 1); real<lower=0> phi ~ gamma(2, 0.5); }
         local { real z ~ normal(mu, 1); y ~ neg_binomial_2_log(z * x1, phi); }",
    ),
    (
        "product",
        "data { branch g { rows N; matrix[N, 10] x from cols(\"x*\"); vector[N] w; } }
         global { real mu ~ normal(0, 1); }
         local { vector[10] z ~ normal(mu, 1); target += -sum(square(square(w - x * z))); }",
    ),
    (
        "gather",
        "data {
           table items by item { row_vector[10] x from cols(\"x*\"); }
           branch g { rows N; array[N] index(items) item; vector[N] w; }
         }
         global { real mu ~ normal(0, 1); }
         local { vector[10] z ~ normal(mu, 1); target += -sum(square(square(w - items.x[item] * z))); }",
    ),
];

/// An evaluator of one of them, on data that are the same every time.
pub fn evaluator(name: &str) -> Evaluator {
    let text = MODELS.iter().find(|(known, _)| *known == name).expect("a model of the list").1;
    let model = compile(&Source::new(name, text)).expect("the model compiles");
    let n = N_BRANCHES * N_ROWS;
    let column =
        |seed: f64| (0..n).map(|k| (seed + 12.9898 * k as f64).sin()).collect::<Vec<f64>>();
    let whole = |f: fn(usize) -> usize| (0..n).map(|k| f(k) as f64).collect::<Vec<f64>>();
    let mut columns = vec![
        ("g".to_string(), Column::Numbers(whole(|k| k / N_ROWS))),
        ("y".to_string(), Column::Numbers(whole(|k| k * 7 / 3 % 2))),
        ("item".to_string(), Column::Numbers(whole(|k| k * 7919 % N_LEVELS))),
        ("w".to_string(), Column::Numbers(column(0.5))),
    ];
    let features = |n: usize| {
        (1..=10).map(move |j| {
            let values = (0..n).map(|k| (j as f64 + 78.233 * k as f64).sin()).collect();
            (format!("x{j}"), Column::Numbers(values))
        })
    };
    columns.extend(features(n));
    let mut items =
        vec![("item".to_string(), Column::Numbers((0..N_LEVELS).map(|k| k as f64).collect()))];
    items.extend(features(N_LEVELS));
    let mut data = Dataset::from_columns(columns).expect("columns of one length");
    if name == "gather" {
        data = data.table("items", Dataset::from_columns(items).expect("columns of one length"));
    }
    let data = data.bind(model.schema()).expect("the data fit");
    model.evaluator(&data).expect("the arrays fit in memory")
}

/// A position at which nothing overflows.
pub fn position(evaluator: &Evaluator) -> Vec<f64> {
    (0..evaluator.dimension()).map(|k| 0.3 * (k as f64).sin()).collect()
}
