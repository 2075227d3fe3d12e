//! Scores of data that were not fitted, against closed forms and quadrature.

use hbdc::{BoundData, Column, CompiledModel, Dataset, Family, FitConfig, Source, compile, fit};

use super::support;
use super::support::conjugate::{Conjugate, Exact, invert};

const D: usize = 2;

/// Rows of one branch: its number, x row-major, y.
type Rows = (usize, Vec<f64>, Vec<f64>);

/// These rows of a branch.
fn rows(data: &Conjugate, branch: usize, range: std::ops::Range<usize>) -> Rows {
    let x = data.x[branch][range.start * D..range.end * D].to_vec();
    (branch, x, data.y[branch][range].to_vec())
}

fn dataset(rows: &[Rows]) -> Dataset {
    let (mut group, mut y) = (Vec::new(), Vec::new());
    let mut x = vec![Vec::new(); D];
    for (branch, xs, ys) in rows {
        for (row, &outcome) in xs.chunks_exact(D).zip(ys) {
            group.push(*branch as f64);
            y.push(outcome);
            x.iter_mut().zip(row).for_each(|(column, &x)| column.push(x));
        }
    }
    let mut named =
        vec![("group".to_string(), Column::Numbers(group)), ("y".to_string(), Column::Numbers(y))];
    named.extend(x.into_iter().enumerate().map(|(k, c)| (format!("x{k}"), Column::Numbers(c))));
    Dataset::from_columns(named).expect("columns are of one length").set("D", D as f64)
}

fn model() -> CompiledModel {
    compile(&Source::new("conjugate.hbd", support::CONJUGATE)).expect("the model compiles")
}

fn exact(fitted: &[Rows]) -> Exact {
    let (x, y) = fitted.iter().map(|(_, x, y)| (x.clone(), y.clone())).unzip();
    Conjugate { n_local: D, x, y }.exact()
}

/// The log density of outcomes `y` with rows `x` of a branch that has these other rows, which
/// may be none, θ and z integrated out: N(x v, I + x V xᵀ) at y, v and V being mean and covariance of
/// the branch's locals given those.
fn log_predictive(exact: &Exact, other: (&[f64], &[f64]), x: &[f64], y: &[f64]) -> f64 {
    let d = exact.mean.len();
    let (mean, v) = exact.locals(other.0, other.1);
    let rows: Vec<&[f64]> = x.chunks_exact(d).collect();
    let n = rows.len();
    let mut covariance = vec![0.0; n * n];
    for (a, row) in rows.iter().enumerate() {
        for (b, other) in rows.iter().enumerate() {
            let quadratic: f64 = (0..d * d).map(|jk| row[jk / d] * v[jk] * other[jk % d]).sum();
            covariance[a * n + b] = quadratic + f64::from(u8::from(a == b));
        }
    }
    let residual: Vec<f64> = rows
        .iter()
        .zip(y)
        .map(|(row, y)| y - row.iter().zip(&mean).map(|(x, m)| x * m).sum::<f64>())
        .collect();
    let (inverse, log_det) = invert(&covariance, n);
    let quadratic: f64 =
        (0..n * n).map(|ab| residual[ab / n] * inverse[ab] * residual[ab % n]).sum();
    -0.5 * (n as f64 * std::f64::consts::TAU.ln() + log_det + quadratic)
}

/// Ten branches of four rows are fitted; two more rows of each, and two new branches, are not.
struct Case {
    model: CompiledModel,
    fitted: BoundData,
    test: BoundData,
    /// The log likelihood of each branch of the test data.
    expected: Vec<f64>,
}

fn case() -> Case {
    let all = Conjugate::generate(12, 6, D);
    let fitted: Vec<Rows> = (0..10).map(|branch| rows(&all, branch, 0..4)).collect();
    let seen = (0..10).map(|branch| rows(&all, branch, 4..6));
    let new = (10..12).map(|branch| rows(&all, branch, 0..6));
    let test: Vec<Rows> = seen.chain(new).collect();
    let posterior = exact(&fitted);
    let none: (&[f64], &[f64]) = (&[], &[]);
    let given = |branch: usize| match fitted.get(branch) {
        Some((_, x, y)) => (x.as_slice(), y.as_slice()),
        None => none,
    };
    let expected = test
        .iter()
        .map(|(branch, x, y)| log_predictive(&posterior, given(*branch), x, y))
        .collect();
    let model = model();
    let fitted = dataset(&fitted).bind(model.schema()).expect("the data fit");
    let test = dataset(&test).bind_like(model.schema(), &fitted).expect("the data fit");
    Case { model, fitted, test, expected }
}

#[test]
fn scores_of_a_file_are_those_of_the_exact_posterior() {
    let Case { model, fitted, test, expected } = case();
    for family in [Family::Amortized, Family::Branch] {
        let config = FitConfig::default().family(family).test(test.clone());
        let fit = fit(&model, &fitted, &config).expect("the fit starts");
        let scores = fit.scores().expect("a file is scored");
        assert_eq!(scores.branches().len(), 12);
        for (branch, (score, exact)) in scores.branches().iter().zip(&expected).enumerate() {
            let error = score.log_likelihood - exact;
            let what = format!("{family:?}, branch {branch}: off by {error} ± {}", score.se);
            assert_eq!((score.key[0].clone(), score.is_new), (branch.to_string(), branch >= 10));
            assert_eq!(score.n_rows, if branch < 10 { 2 } else { 6 });
            assert!(error.abs() < 4.0 * score.se && score.se < 0.2, "{what}");
        }
        let (seen, new) = (scores.seen().expect("ten"), scores.new_ones().expect("two"));
        assert_eq!((seen.n_rows, seen.n_branches, new.n_rows, new.n_branches), (20, 10, 12, 2));
        let total = scores.total();
        let sum = seen.log_likelihood + new.log_likelihood;
        assert!((total.log_likelihood - sum).abs() < 1e-9 * sum.abs());
        let error = total.log_likelihood - expected.iter().sum::<f64>();
        assert!(error.abs() < 4.0 * total.se, "{family:?}: total off by {error} ± {}", total.se);
    }
}

/// Over seeds the squares of error over standard error average one. A sum of 24 of them is outside
/// these bounds once in a thousand times.
#[test]
fn standard_errors_of_scores_are_what_they_say() {
    let Case { model, fitted, test, expected } = case();
    let exact: f64 = expected.iter().sum();
    let squares = |seed: u64| {
        let config = FitConfig::default().seed(seed).max_steps(25).test(test.clone());
        let fit = fit(&model, &fitted, &config).expect("the fit starts");
        let total = fit.scores().expect("a file is scored").total();
        ((total.log_likelihood - exact) / total.se).powi(2)
    };
    let n = 24;
    let mean = (1..=n).map(squares).sum::<f64>() / n as f64;
    assert!((0.36..2.13).contains(&mean), "{mean}");
}

#[test]
fn branches_that_are_held_out_are_scored_as_new_ones() {
    let all = Conjugate::generate(20, 5, D);
    let each: Vec<Rows> = (0..20).map(|branch| rows(&all, branch, 0..5)).collect();
    let model = model();
    let data = dataset(&each).bind(model.schema()).expect("the data fit");
    let config = FitConfig::default().holdout_branches(0.26).max_steps(25);
    let fit = fit(&model, &data, &config).expect("the fit starts");
    let scores = fit.scores().expect("branches are held out");
    assert!(scores.seen().is_none());
    let out: Vec<usize> =
        scores.branches().iter().map(|branch| branch.key[0].parse().expect("a number")).collect();
    assert_eq!(out.len(), 5);
    assert_eq!(fit.evaluator().data().n_branches(), 15);
    let kept: Vec<Rows> = each.iter().filter(|rows| !out.contains(&rows.0)).cloned().collect();
    let posterior = exact(&kept);
    for score in scores.branches() {
        let (_, x, y) = &each[score.key[0].parse::<usize>().expect("a number")];
        let error = score.log_likelihood - log_predictive(&posterior, (&[], &[]), x, y);
        assert!(error.abs() < 4.0 * score.se, "{score:?}: off by {error}");
    }
}

#[test]
fn rows_and_branches_can_be_held_out_together() {
    let all = Conjugate::generate(20, 5, D);
    let each: Vec<Rows> = (0..20).map(|branch| rows(&all, branch, 0..5)).collect();
    let model = model();
    let data = dataset(&each).bind(model.schema()).expect("the data fit");
    let config = FitConfig::default().holdout(0.2).holdout_branches(0.25).max_steps(25);
    let fit = fit(&model, &data, &config).expect("the fit starts");
    let scores = fit.scores().expect("both are held out");
    let (seen, new) = (scores.seen().expect("rows"), scores.new_ones().expect("branches"));
    assert_eq!((seen.n_rows, seen.n_branches), (15, 15));
    assert_eq!((new.n_rows, new.n_branches), (25, 5));
}

/// New plates of seeds, whose one local is integrated out by quadrature at draws of the posterior.
#[test]
fn new_branches_are_scored_as_by_quadrature() {
    let (model, data) = support::shipped_with_data("seeds");
    let config = FitConfig::default().holdout_branches(0.3);
    let fit = fit(&model, &data, &config).expect("the fit starts");
    let scores = fit.scores().expect("branches are held out");
    let plates = support::shipped_rows("seeds");
    let draws = fit.posterior().draws(1000);
    let column = |name: &str| draws.column(name).expect("a global").to_vec();
    let alpha = ["alpha0", "alpha1", "alpha2", "alpha12"].map(column);
    let sigma = column("sigma");
    let mut expected = 0.0;
    for score in scores.branches() {
        let key: usize = score.key[0].parse().expect("a number");
        let plate = plates.iter().find(|plate| plate[0] as usize == key).expect("a plate");
        let [k, n, x1, x2] = [1, 2, 3, 4].map(|at: usize| plate[at]);
        let marginal = |s: usize| {
            let eta = alpha[0][s] + alpha[1][s] * x1 + alpha[2][s] * x2 + alpha[3][s] * x1 * x2;
            let term = |j: i32| {
                let z = f64::from(j) * 0.05;
                let logit = eta + sigma[s] * z;
                let log_choose =
                    libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
                let log_rows = log_choose + k * logit - n * logit.exp().ln_1p();
                (log_rows - 0.5 * z * z).exp() * 0.05 / std::f64::consts::TAU.sqrt()
            };
            (-160..=160).map(term).sum::<f64>()
        };
        expected += ((0..1000).map(marginal).sum::<f64>() / 1000.0).ln();
    }
    let total = scores.total();
    let error = total.log_likelihood - expected;
    assert!(error.abs() < 0.01 * expected.abs(), "{total:?}, by quadrature {expected}");
    assert!(error.abs() < 6.0 * total.se, "{total:?}, by quadrature {expected}");
}

#[test]
fn a_level_that_was_not_fitted_cannot_be_scored() {
    let text = "data { factor item; branch g { rows N; array[N] index(item) item; vector[N] y; } } global { vector[size(item)] b ~ normal(0, 1); } \
                local { real z ~ normal(0, 1); y ~ normal(z + b[item], 1); }";
    let model = compile(&Source::new("items.hbd", text)).unwrap_or_else(|e| panic!("{e}"));
    let csv = |text: &str| Dataset::from_csv_bytes("items.csv", text.into()).expect("a header");
    let fitted = csv("g,item,y\n1,a,0\n1,c,1\n2,c,2\n").bind(model.schema()).expect("it fits");
    let test = csv("g,item,y\n3,c,0\n").bind_like(model.schema(), &fitted).expect("it fits");
    let which = test.summary().into_iter().find(|datum| datum.name == "item").expect("a datum");
    assert_eq!(which.range, Some((2.0, 2.0)), "c is the second level, as it was");
    let unseen = csv("g,item,y\n3,b,0\n").bind_like(model.schema(), &fitted);
    let error = unseen.expect_err("b is no level").to_string();
    assert!(error.contains("`b` is no level of the factor `item`"), "{error}");
}
