//! Statistics in place of rows: the same densities, without the rows.

use super::super::condense::triangle;
use super::data::{bound, rows};
use super::{Backend, CompileOptions, Evaluator, compile_with};
use crate::ir::op::InputKind;
use crate::source::Source;
use crate::target::Target;

/// What one branch's log likelihood is computed from, in the text of the model after `data`.
fn evaluator(text: &str, csv: &str, backend: Backend) -> Evaluator {
    let source = Source::new("condense.hbd", text);
    let model = compile_with(&source, &CompileOptions { backend }).expect("it compiles");
    model.evaluator(&bound(&model, rows(csv))).expect("it fits in memory")
}

/// Whether the gradient of a branch reads no data but statistics.
fn reads_statistics_alone(evaluator: &Evaluator) -> bool {
    let inputs = evaluator.kernels.gradient.function().inputs.iter();
    let kinds: Vec<InputKind> = inputs.map(|input| input.kind).collect();
    let is = |wanted: fn(InputKind) -> bool| kinds.iter().any(|&kind| wanted(kind));
    is(|kind| matches!(kind, InputKind::Statistic(_)))
        && !is(|kind| matches!(kind, InputKind::Datum(_)))
}

/// Ten rows in two branches, a number and a count for each.
fn csv(offset: f64) -> String {
    let mut csv = "g,x,w,y,k,n\n".to_string();
    for row in 0..20 {
        let (x, w) = (f64::from(row * row % 7) - 2.5, 0.5 + f64::from(row % 3));
        let y = offset + 0.75 * x + f64::from(row * 5 % 11) / 8.0;
        csv += &format!("{},{x},{w},{y},{},{}\n", row % 2, row % 4, 4 + row % 5);
    }
    csv
}

const HEAD: &str = "
data { branch g { rows N; vector[N] x; vector<lower=0>[N] w; vector[N] y;
  array[N] int<lower=0> k; array[N] int<lower=0> n; } }
global { real m ~ normal(0, 1); real<lower=0> s ~ normal(0, 1); vector[2] c ~ normal(0, 1); }
";

/// Local blocks, and whether their rows are condensed away.
const LOCALS: [(&str, bool); 8] = [
    ("real a ~ normal(m, 1); real b ~ normal(0, s); y ~ normal(a + b * x, s);", true),
    ("real a ~ normal(m, 1); y ~ normal(a + (m * x + c[1]) ./ w, s);", true),
    ("real a ~ normal(m, 1); y ~ normal(a - m * x .* x, s * w);", false),
    ("real a ~ normal(m, 1); y ~ student_t(4, a, s);", false),
    ("real a ~ normal(m, 1); k ~ poisson_log(a + m * x);", false),
    ("real a ~ normal(m, 1); k ~ binomial_logit(n, a + m * x);", false),
    ("vector[2] z ~ normal(m, s); y ~ normal(append_col(x, w) * (z + c), s);", true),
    ("real a ~ normal(m, 1); y ~ normal(a, s); x ~ normal(a + c[2], 2);", true),
];

#[test]
fn statistics_give_the_densities_of_rows() {
    for (local, is_condensed) in LOCALS {
        for backend in [Backend::MachineCode, Backend::Interpreter] {
            let text = format!("{HEAD}local {{ {local} }}");
            let mut condensed = evaluator(&text, &csv(0.0), backend);
            assert_eq!(reads_statistics_alone(&condensed), is_condensed, "{local}");
            let mut by_row = condensed.row_by_row();
            assert!(!reads_statistics_alone(&by_row), "{local}");
            let position: Vec<f64> =
                (0..condensed.dimension()).map(|k| 0.3 - 0.17 * (k % 5) as f64).collect();
            let (value, gradient) = condensed.log_density_gradient(&position).expect("long enough");
            let (expected, by_rows) = by_row.log_density_gradient(&position).expect("long enough");
            let is_close = |x: f64, y: f64| (x - y).abs() <= 1e-12 * (1.0 + y.abs());
            assert!(is_close(value, expected), "{local}: {value} {expected}");
            for (x, y) in gradient.iter().zip(&by_rows) {
                assert!(is_close(*x, *y), "{local}: {gradient} {by_rows}");
            }
        }
    }
}

/// Outcomes around a million that a line misses by less than one: sums of their squares would have
/// lost the last digits that the rows still have.
#[test]
fn small_residuals_of_large_numbers_keep_their_digits() {
    let local = "real a ~ normal(m, 1); real b ~ normal(0, s); y ~ normal(a + b * x, s);";
    let text =
        format!("{HEAD}local {{ {local} }}").replace("m ~ normal(0, 1)", "m ~ normal(0, 1e7)");
    let mut condensed = evaluator(&text, &csv(1e6), Backend::MachineCode);
    assert!(reads_statistics_alone(&condensed));
    let mut by_row = condensed.row_by_row();
    let mut position = vec![0.0; condensed.dimension()];
    (position[0], position[1]) = (1e6, -1.0);
    for branch in 0..2 {
        let start = condensed.n_global() + 2 * branch;
        (position[start], position[start + 1]) = (1e6 + 0.6, 0.75);
    }
    let (value, gradient) = condensed.log_density_gradient(&position).expect("long enough");
    let (expected, by_rows) = by_row.log_density_gradient(&position).expect("long enough");
    // Both round y to 1e-10, some tens of times, and square.
    assert!((value - expected).abs() < 1e-8, "{value} {expected}");
    let far = gradient.iter().zip(&by_rows).any(|(x, y)| (x - y).abs() > 1e-8 * (1.0 + y.abs()));
    assert!(!far, "{gradient} {by_rows}");
}

#[test]
fn an_outcome_outside_the_support_is_still_impossible() {
    let local = "real a ~ normal(m, 1); k ~ binomial_logit(n, a);";
    let text = format!("{HEAD}local {{ {local} }}");
    let impossible = csv(0.0).replace(",0,4\n", ",5,4\n");
    assert_ne!(impossible, csv(0.0));
    for (csv, is_possible) in [(csv(0.0), true), (impossible, false)] {
        let mut evaluator = evaluator(&text, &csv, Backend::MachineCode);
        let position = vec![0.1; evaluator.dimension()];
        let (value, _) = evaluator.log_density_gradient(&position).expect("long enough");
        assert_eq!(value.is_finite(), is_possible, "{value}");
        assert!(is_possible || value == f64::NEG_INFINITY, "{value}");
    }
}

#[test]
fn a_triangle_has_the_cross_products_of_its_columns() {
    let entry = |row: usize, column: usize| ((row * 7 + column * 3) % 11) as f64 - 4.5;
    for (n_rows, n_columns) in [(0, 2), (1, 1), (1, 3), (5, 5), (12, 4), (3, 4)] {
        let mut columns: Vec<f64> = Vec::new();
        for column in 0..n_columns {
            // The last column is the first once more, so the rank is not full.
            let column = if column == n_columns - 1 { 0 } else { column };
            columns.extend((0..n_rows).map(|row| entry(row, column)));
        }
        let product = |x: &[f64], n: usize, j: usize, k: usize| -> f64 {
            (0..n).map(|row| x[j * n + row] * x[k * n + row]).sum()
        };
        let before = columns.clone();
        let mut r = vec![f64::NAN; n_columns * n_columns];
        triangle(&mut columns, n_rows, &mut r);
        for j in 0..n_columns {
            for k in 0..n_columns {
                let expected = product(&before, n_rows, j, k);
                let found = product(&r, n_columns, j, k);
                assert!((found - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{j} {k}");
                assert!(k <= j || r[j * n_columns + k] == 0.0, "below the diagonal is nothing");
            }
        }
    }
}
