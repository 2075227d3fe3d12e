//! Fits of models whose posterior is known: in closed form, or from a long run of another
//! method. The figures behind these bounds are printed by `cargo run --release --example figures`.

#[path = "fit/scores.rs"]
mod scores;
mod support;

use std::path::Path;

use hbdc::{Column, Dataset, Family, Fit, FitConfig, Source, compile, fit};
use support::conjugate::Conjugate;

const FAMILIES: [Family; 2] = [Family::Branch, Family::Amortized];

fn fitted(name: &str, family: Family) -> Fit {
    let (model, bound) = support::shipped_with_data(name);
    fit(&model, &bound, &FitConfig::default().family(family)).expect("the fit starts")
}

/// The ELBO ends at log p(y|x), and is never above it beyond three standard errors.
fn assert_reaches(fit: &Fit, exact: f64, within: f64, what: &str) {
    let (elbo, se) = fit.elbo();
    assert!(elbo > exact - within, "{what}: ELBO {elbo} ± {se}, exact {exact}");
    let rounding = 1e-9 * exact.abs();
    assert!(elbo <= exact + 3.0 * se + rounding, "{what}: ELBO {elbo} ± {se} above {exact}");
}

#[test]
fn conjugate_models_are_fitted_exactly() {
    for (n, rows, d) in [(10, 100, 10), (10, 5, 10)] {
        let data = Conjugate::generate(n, rows, d);
        let exact = data.exact();
        let (model, bound) = support::conjugate(&data);
        for family in FAMILIES {
            let config = FitConfig::default().family(family);
            let fit = fit(&model, &bound, &config).expect("the fit starts");
            let what = format!("({n}, {rows}, {d}) {family:?}");
            assert!(fit.verdict().believable, "{what}: {:?}", fit.verdict());
            assert_reaches(&fit, exact.log_evidence, 0.01, &what);
            let (covariance, _) = support::conjugate::invert(&exact.precision, d);
            let summary = fit.posterior().summary();
            for (k, row) in summary.rows().iter().enumerate() {
                let sd = covariance[k * d + k].sqrt();
                let z = (row.mean - exact.mean[k]) / sd;
                assert!(z.abs() < 0.02, "{what}: mean of {} off by {z} sd", row.name);
                let ratio = row.sd / sd;
                assert!((ratio - 1.0).abs() < 0.02, "{what}: sd of {} × {ratio}", row.name);
            }
        }
    }
}

#[test]
fn a_thousand_small_branches_are_fitted_too() {
    let data = Conjugate::generate(1000, 5, 10);
    let exact = data.exact().log_evidence;
    let (model, bound) = support::conjugate(&data);
    let branch = FitConfig::default().family(Family::Branch);
    let free = fit(&model, &bound, &branch).expect("the fit starts");
    assert!(free.verdict().believable, "{:?}", free.verdict());
    assert_reaches(&free, exact, 0.05, "branch");
    // The default starts near the answer here, but needs more steps to know that it is there.
    let few = fit(&model, &bound, &FitConfig::default().max_steps(400)).expect("the fit starts");
    assert_reaches(&few, exact, 0.01, "amortized");
    assert!(!few.verdict().believable, "400 steps are too few to say that it converged");
}

#[test]
fn published_posteriors_are_met_by_the_default() {
    for name in ["rats", "seeds", "eight_schools"] {
        let fit = fitted(name, Family::Amortized);
        assert!(fit.verdict().believable, "{name}: {:?}", fit.verdict());
        for c in support::compare(name, &fit, true) {
            assert!(c.z.abs() < 0.1, "{name}: {} reported off by {:.3} sd", c.name, c.z);
            let ratio = c.sd_ratio;
            assert!((0.9..1.1).contains(&ratio), "{name}: sd of {} reported × {ratio}", c.name);
        }
        for c in support::compare(name, &fit, false) {
            assert!(c.z.abs() < 0.1, "{name}: {} of the guide off by {:.3} sd", c.name, c.z);
            let ratio = c.sd_ratio;
            assert!((0.9..1.1).contains(&ratio), "{name}: sd of {} × {ratio}", c.name);
        }
    }
}

#[test]
fn free_linear_branches_cannot_follow_a_scale() {
    let fit = fitted("seeds", Family::Branch);
    let compared = support::compare("seeds", &fit, false);
    let sigma = compared.iter().find(|c| c.name == "sigma").expect("sigma is a global");
    assert!((0.4..0.6).contains(&sigma.sd_ratio), "sd of sigma × {}", sigma.sd_ratio);
    let (elbo, _) = fit.elbo();
    let (default, _) = fitted("seeds", Family::Amortized).elbo();
    assert!(elbo < default - 0.4, "{elbo} against {default}");
}

/// Straight lines with flat priors, whose posterior only changes its units with those of y.
const LINES: &str = "\
// allow: flat-prior
data { branch rat { rows N; vector[N] day; vector[N] weight; } }
global { vector[2] mu; vector<lower=0>[2] tau; real<lower=0> sigma; }
local {
  vector[2] b ~ normal(mu, tau);
  weight ~ normal(b[1] + b[2] * day, sigma);
}
";

#[test]
fn the_units_of_the_data_do_not_matter() {
    let rows = support::shipped_rows("rats");
    let summary = |factor: f64| {
        let column = |k: usize, by: f64| Column::Numbers(rows.iter().map(|r| r[k] * by).collect());
        let named = ["rat", "day", "weight"].map(String::from);
        let [rat, day, weight] = named;
        let columns =
            vec![(rat, column(0, 1.0)), (day, column(1, 1.0)), (weight, column(2, factor))];
        let model = compile(&Source::new("lines.hbd", LINES)).expect("the model compiles");
        let data = Dataset::from_columns(columns).expect("columns").bind(model.schema());
        let fit = fit(&model, &data.expect("the data fit"), &FitConfig::default());
        fit.expect("the fit starts").posterior().summary()
    };
    let plain = summary(1.0);
    for factor in [1e6, 1e-6] {
        for (scaled, plain) in summary(factor).rows().iter().zip(plain.rows()) {
            let z = (scaled.mean / factor - plain.mean) / plain.sd;
            let ratio = scaled.sd / factor / plain.sd;
            assert!(z.abs() < 0.02, "{} × {factor}: mean off by {z} sd", plain.name);
            assert!((ratio - 1.0).abs() < 0.02, "{} × {factor}: sd × {ratio}", plain.name);
        }
    }
}

#[test]
fn sleepstudy_meets_the_published_fixed_effects() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("../shared/data/sleepstudy/sleepstudy.csv");
    if !path.exists() {
        println!("not run: {} is not there", path.display());
        return;
    }
    let (model, bound) = support::shipped("sleepstudy", &path);
    let fit = fit(&model, &bound, &FitConfig::default()).expect("the fit starts");
    assert!(fit.verdict().believable, "{:?}", fit.verdict());
    let summary = fit.posterior().summary();
    // REML estimates and standard errors of the R package lme4.
    for (name, published, se) in [("mu[1]", 251.405, 6.825), ("mu[2]", 10.467, 1.546)] {
        let z = (summary.get(name).expect("a global").mean - published) / se;
        assert!(z.abs() < 0.3, "{name}: off by {z} standard errors");
    }
}

/// Complete pooling: no locals at all. The posterior is that of a linear regression.
#[test]
fn a_model_without_locals_is_a_regression() {
    let text = "data { branch rat { rows N; vector[N] day; vector[N] weight; } }
        global { real a ~ normal(0, 1000); real b ~ normal(0, 1000); }
        local { weight ~ normal(a + b * day, 16); }";
    let (estimate, sd) = normal_regression(1000.0, 16.0);
    let (model, bound) = support::bound(text, "rats");
    for family in FAMILIES {
        let config = FitConfig::default().family(family);
        let fit = fit(&model, &bound, &config).expect("the fit starts");
        assert!(fit.verdict().believable, "{family:?}: {:?}", fit.verdict());
        let summary = fit.posterior().summary();
        for (k, row) in summary.rows().iter().enumerate() {
            assert!((row.mean - estimate[k]).abs() < 0.02 * sd[k], "{family:?} {}", row.name);
            assert!((row.sd / sd[k] - 1.0).abs() < 0.02, "{family:?} {}", row.name);
        }
    }
}

/// No globals: each branch is a model of its own, with a known normal posterior.
#[test]
fn a_model_without_globals_is_many_small_ones() {
    let text = "data { branch rat { rows N; vector[N] day; vector[N] weight; } }
        global { }
        local { real a ~ normal(200, 100); weight ~ normal(a + 6 * (day - 22), 10); }";
    let (model, bound) = support::bound(text, "rats");
    for family in FAMILIES {
        let config = FitConfig::default().family(family);
        let fit = fit(&model, &bound, &config).expect("the fit starts");
        assert!(fit.verdict().believable, "{family:?}: {:?}", fit.verdict());
        let branches = fit.posterior().branches();
        let sd = (1.0 / 1e4 + 5.0 / 1e2_f64).sqrt().recip();
        for branch in branches.branches() {
            let row = &branch.as_ref().expect("finite draws").rows[0];
            assert!((row.sd / sd - 1.0).abs() < 0.1, "{family:?}: sd {} for {sd}", row.sd);
        }
    }
}

/// Mean and sd of intercept and slope of all of rats' rows, with normal(0, prior) priors.
fn normal_regression(prior: f64, sigma: f64) -> ([f64; 2], [f64; 2]) {
    let (mut n, mut x, mut xx, mut y, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for row in support::shipped_rows("rats") {
        let (day, weight) = (row[1], row[2]);
        (n, x, xx) = (n + 1.0, x + day, xx + day * day);
        (y, xy) = (y + weight, xy + day * weight);
    }
    let ridge = (sigma / prior).powi(2);
    let determinant = (n + ridge) * (xx + ridge) - x * x;
    let mean =
        [((xx + ridge) * y - x * xy) / determinant, ((n + ridge) * xy - x * y) / determinant];
    let variance = [(xx + ridge) / determinant, (n + ridge) / determinant];
    (mean, variance.map(|v| sigma * v.sqrt()))
}

#[test]
fn threads_do_not_change_a_bit() {
    let (model, bound) = support::shipped_with_data("rats");
    let run = |threads: usize| {
        let config = FitConfig::default().max_steps(60).threads(threads).draws(500);
        let fit = fit(&model, &bound, &config).expect("the fit starts");
        let branches = fit.posterior().branches();
        (fit.elbo(), fit.posterior().summary(), branches.branches().to_vec())
    };
    let one = run(1);
    for threads in [2, 3] {
        assert_eq!(run(threads), one, "{threads} threads");
    }
}

#[test]
fn held_out_rows_are_scored_and_not_fitted() {
    let (model, bound) = support::shipped_with_data("rats");
    let fit = fit(&model, &bound, &FitConfig::default().holdout(0.2)).expect("the fit starts");
    let (log_likelihood, se, n_rows) = fit.held_out().expect("a fifth of five rows is one");
    assert_eq!(n_rows, 30);
    let per_row = log_likelihood / n_rows as f64;
    // A row that was not seen scatters by about 7 to 9: log density near -ln(8 √(2πe)).
    assert!((-4.2..-3.0).contains(&per_row), "{per_row} per row");
    assert!(se < 0.5, "{se}");
}

/// Rows by time, in two branches; the last of each is held out.
const HELD_OUT_ROWS: &str = "g,t,y\na,1,0.3\na,2,-0.4\na,3,1.1\nb,1,0.2\nb,2,0.9\nb,3,-0.5\n";

fn of_rows(statements: &str) -> (hbdc::CompiledModel, hbdc::BoundData) {
    let text = format!(
        "functions {{ real own_lpdf(real y, real m) {{ return normal_lpdf(y | m, 1); }} }}\n\
         data {{ branch g {{ rows N by t; vector[N] y; real t_first = 1; }} }}\n\
         global {{ real mu ~ normal(0, 1); }}\n\
         local {{ real z ~ normal(mu, 1); {statements} }}"
    );
    let model = compile(&Source::new("rows.hbd", text)).expect("the model compiles");
    let data = Dataset::from_csv_bytes("rows.csv", HELD_OUT_ROWS.into()).expect("a good table");
    let bound = data.bind(model.schema()).expect("the data fit");
    (model, bound)
}

#[test]
fn rows_are_held_out_of_every_way_to_write_their_terms() {
    let config = FitConfig::default().holdout(0.34);
    let score = |statements: &str| {
        let (model, bound) = of_rows(statements);
        let fit = fit(&model, &bound, &config).expect("the fit starts");
        let (elbo, _) = fit.elbo();
        (elbo, fit.held_out().expect("rows are held out"))
    };
    let (elbo, (expected, _, n_rows)) = score("for (n in 1:N) y[n] ~ normal(z, 1);");
    assert_eq!(n_rows, 2);
    for statements in [
        "y ~ normal(z, 1);",
        "y[1] ~ normal(z, 1); y[2:N] ~ normal(z, 1);",
        "y[{3, 1, 2}] ~ normal(z, 1);",
        "for (n in 1:N) y[n] ~ own(z);",
    ] {
        let (other, (value, _, n_rows)) = score(statements);
        assert_eq!(n_rows, 2, "{statements}");
        assert!((other - elbo).abs() < 1e-3, "{statements}: ELBO {other}, not {elbo}");
        assert!((value - expected).abs() < 1e-3, "{statements}: {value}, not {expected}");
    }
}

#[test]
fn rows_that_cannot_be_held_out_are_refused() {
    let config = FitConfig::default().holdout(0.34);
    for statements in [
        "for (n in 1:N) target += normal_lpdf(y[n] | z, 1);",
        "mean(y) ~ normal(z, 1);",
        "real total = sum(y); total ~ normal(z, 1);",
    ] {
        let (model, bound) = of_rows(statements);
        let error = fit(&model, &bound, &config).err().expect("rows cannot be held out");
        assert!(error.to_string().contains("cannot be held out"), "{statements}: {error}");
    }
}

/// Effects of a factor and their scale, both global: their joint density has its mode at nought,
/// where there is no mass. The posterior of the scale s is known up to one integral, over s:
/// given s, means of groups are normal(mu, √(s² + 2/n)), and mu is normal(0, 2).
#[test]
fn a_factor_of_little_information_does_not_collapse() {
    const TEXT: &str = "data { factor g; branch id { real y; index(g) g; } }
global { real mu ~ normal(0, 2); real<lower=0> s ~ normal(0, 1); vector[size(g)] b ~ normal(0, s); }
local { real a ~ normal(mu + b[g], 1); y ~ normal(a, 1); }";
    let means = [0.1, 0.7, 1.4, 0.9, 0.4, 1.6, 1.0, 1.3, 0.6, 1.1];
    let n = 6;
    let mut rows = String::from("id,g,y\n");
    for (g, mean) in means.iter().enumerate() {
        for k in 0..n {
            let y = mean + [1.4, -1.4, 0.7, -0.7, 2.0, -2.0][k];
            rows.push_str(&format!("{},{g},{y}\n", g * n + k));
        }
    }
    // log p(means | s), mu integrated out: J means of variance v, and mu of variance 4.
    let log_likelihood = |s: f64| {
        let v = s * s + 2.0 / n as f64;
        let j = means.len() as f64;
        let mean = means.iter().sum::<f64>() / j;
        let squares: f64 = means.iter().map(|x| (x - mean).powi(2)).sum();
        let of_mean = v / j + 4.0;
        -0.5 * (j - 1.0) * v.ln()
            - 0.5 * squares / v
            - 0.5 * of_mean.ln()
            - 0.5 * mean * mean / of_mean
    };
    let grid: Vec<f64> = (1..=4000).map(|k| k as f64 * 1e-3).collect();
    let density: Vec<f64> = grid.iter().map(|s| (log_likelihood(*s) - 0.5 * s * s).exp()).collect();
    let total: f64 = density.iter().sum();
    let moment = |power: i32| -> f64 {
        grid.iter().zip(&density).map(|(s, p)| s.powi(power) * p).sum::<f64>() / total
    };
    let (mean, sd) = (moment(1), (moment(2) - moment(1).powi(2)).sqrt());

    let model = compile(&Source::new("factor.hbd", TEXT)).expect("the model compiles");
    let data = Dataset::from_csv_bytes("factor.csv", rows.into_bytes()).expect("a header");
    let data = data.bind(model.schema()).expect("the data fit");
    let fit = fit(&model, &data, &FitConfig::default()).expect("a fit");
    let summary = fit.posterior().summary();
    let s = summary.get("s").expect("a global");
    // A Gaussian is a poor likeness of a funnel, so the scale is not exact: but it is one.
    assert!((s.mean - mean).abs() < sd, "{} for {mean} ± {sd}", s.mean);
    assert!(s.sd > 0.3 * sd && s.sd < 1.5 * sd, "{} for {sd}", s.sd);
}
