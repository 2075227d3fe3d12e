//! Made-up rows obey the declarations they are made from.

use crate::data::SetValue;
use crate::model::compile;
use crate::source::Source;

#[test]
fn made_up_rows_have_the_columns_of_patterns_and_values_within_bounds() {
    let text = "
        data {
          int<lower=1> K;
          int M = K + 1;
          branch (a, b) {
            rows N = 4 by t;
            matrix[N, M] x from cols(\"x_*\", \"extra\");
            real<lower=0.5, upper=1> share;
            int<lower=0> trials;
            int<lower=0, upper=trials> wins;
            vector[N] x_first;
            array[N] int<lower=1, upper=K> kind;
            vector[N] half = x_first / 2;
          }
        }
        global { vector[M] beta ~ normal(0, 1); vector[K] alpha ~ normal(0, 1); }
        local {
          real z ~ normal(share, 1);
          wins ~ binomial_logit(trials, z);
          half ~ normal(x * beta + z, 1);
          for (n in 1:N) x_first[n] ~ normal(alpha[kind[n]], 1);
        }";
    let model = compile(&Source::new("m.hbd", text)).expect("the model is good");
    let settings = [("K".to_string(), SetValue::from(3.0))];
    let data = model.schema().synthetic_data(&settings).expect("made-up rows bind");
    assert_eq!((data.n_branches(), data.n_rows_total()), (2, 8));
    let datum = |name: &str| {
        let found = data.schema().data.iter().position(|datum| datum.name == name);
        found.expect("the datum is declared")
    };
    assert_eq!(data.columns(datum("x")).len(), 4, "x_first and extra count too");
    assert!(data.values(datum("share")).iter().all(|x| (0.5..=1.0).contains(x)));
    let timings = model.time_first_gradient(&settings).expect("the rows are good");
    let stages: Vec<&str> = timings.stages().iter().map(|(stage, _)| *stage).collect();
    assert_eq!(stages, ["parse", "check", "lower", "differentiate", "code", "gradient"]);
    assert!(model.time_first_gradient(&[]).is_err(), "K is not set");
}
