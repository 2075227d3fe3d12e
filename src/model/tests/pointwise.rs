//! The likelihood of single rows: what holding out one row takes away, and in sum all of it.

use super::*;

const ROWS: &str = "
g,x,y,w,v1,v2,n
a,0.5,1.2,1,0.1,0.2,1
a,-0.3,,2,0.3,-0.4,2
a,0.8,0.4,3,0.5,0.6,1
b,1.5,-0.6,2,-0.7,0.8,2
b,0.1,2.2,1,0.9,1.0,1
c,-0.9,0.7,3,1.1,-1.2,2
";

const HEAD: &str = r#"
data {
  branch g {
    rows N;
    vector[N] x;
    vector[N] y missing;
    array[N] int<lower=1> w;
    matrix[N, 2] v from cols("v*");
  }
}
global { real m ~ normal(0, 1); real<lower=0> s ~ normal(0, 1); }
"#;

/// Ways to say what a row's outcome is, and where a term is of no row.
const BY_ROWS: [&str; 5] = [
    "real b ~ normal(m, 1); y ~ normal(b + x, s);",
    "real b ~ normal(m, 1); for (n in 1:N) { y[n] ~ normal(b * x[n], s); }",
    "real b ~ normal(m, 1); for (n in 1:N) { if (x[n] > 0) { w[n] ~ poisson_log(b); } }",
    "real b ~ normal(m, 1); y ~ normal(b, s); w ~ poisson_log(b * x);",
    "vector[2] b ~ normal(m, 1); for (n in 1:N) { v[n] ~ normal(b', s); }",
];

fn with_data(text: &str, backend: Backend) -> (CompiledModel, BoundData) {
    let source = Source::new("rows.hbd", text);
    let model = compile_with(&source, &CompileOptions { backend })
        .unwrap_or_else(|error| panic!("{}", error.render(false)));
    let csv = ROWS.trim_start().to_string().into_bytes();
    let data = Dataset::from_csv_bytes("rows.csv", csv).expect("a good table");
    let data = data.bind(model.schema()).unwrap_or_else(|error| panic!("{error}"));
    (model, data)
}

#[test]
fn each_row_is_what_holding_it_out_takes_away() {
    for local in BY_ROWS {
        let text = format!("{HEAD}local {{ {local} }}");
        let (model, data) = with_data(&text, Backend::Interpreter);
        let mut evaluator = model.evaluator(&data).expect("small sizes");
        let z: Vec<f64> = (0..evaluator.n_local()).map(|k| 0.3 - 0.5 * k as f64).collect();
        let mut shared = vec![0.0; evaluator.n_shared()];
        evaluator.shared(&[0.2, -0.4], &mut shared);
        let mut expected = Vec::new();
        for branch in 0..data.n_branches() {
            for row in data.rows(branch) {
                let mut mask = vec![1.0; data.n_rows_total()];
                mask[row] = 0.0;
                let without = model.evaluator_with_held_out(&data, Some(mask));
                expected.push(without.expect("small sizes").held_out(branch, &shared, &z));
            }
        }
        assert!(expected.iter().any(|term| *term != 0.0), "{local}");
        for backend in [Backend::Interpreter, Backend::MachineCode] {
            let (model, data) = with_data(&text, backend);
            let found = model.pointwise(&data).expect("small sizes");
            let mut found = found.expect("a likelihood of rows");
            let rows: Vec<f64> = (0..data.n_branches())
                .flat_map(|branch| found.rows(branch, &shared, &z).to_vec())
                .collect();
            assert_close(&format!("{local} {backend:?}"), &rows, &expected, 1e-12);
        }
    }
}

#[test]
fn rows_sum_to_the_likelihood_of_their_branch() {
    let mut n_models = 0;
    for case in cases() {
        let mut evaluator = case.evaluator(Backend::MachineCode);
        let (model, data) = (case.compiled(), evaluator.data().clone());
        let Some(mut pointwise) = model.pointwise(&data).expect("small sizes") else { continue };
        n_models += 1;
        for position in case.positions(&mut evaluator) {
            let (shared, locals) = cut(&mut evaluator, &position);
            for (branch, z) in locals.iter().enumerate() {
                let rows = pointwise.rows(branch, &shared, z);
                assert_eq!(rows.len(), data.rows(branch).len());
                let sum = rows.iter().sum();
                let all = evaluator.density(branch, &shared, z).likelihood;
                assert_close(&format!("{} branch {branch}", case.name), &[sum], &[all], 1e-12);
            }
        }
    }
    assert!(n_models >= 2, "{n_models} models have a likelihood of rows");
}

#[test]
fn a_likelihood_of_more_than_rows_is_not_parted() {
    let whole = "real b ~ normal(m, 1); target += normal_lpdf(sum(x) | b, s);";
    let beside = "real b ~ normal(m, 1); w ~ poisson_log(b); target += -square(b - sum(x));";
    for local in [whole, beside] {
        let (model, data) = with_data(&format!("{HEAD}local {{ {local} }}"), Backend::Interpreter);
        assert!(model.pointwise(&data).expect("small sizes").is_none(), "{local}");
    }
}
