//! Planted bad fits: each has to be told from good ones, and by the right reason.

use hbdc::{Column, Covariance, Dataset, Family, Fit, FitConfig, Source, compile, fit};

/// Standard normal numbers (nearly: the sum of twelve uniform ones), by SplitMix64.
fn noise(k: usize) -> f64 {
    let uniform = |j: u64| {
        let mut x = (12 * k as u64 + j + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..12).map(uniform).sum::<f64>() - 6.0
}

fn fitted(text: &str, branches: usize, rows: usize, y: impl Fn(usize, usize) -> f64) -> Fit {
    let config = FitConfig::default();
    fitted_with(text, branches, rows, y, &config)
}

fn fitted_with(
    text: &str,
    branches: usize,
    rows: usize,
    y: impl Fn(usize, usize) -> f64,
    config: &FitConfig,
) -> Fit {
    let each = || (0..branches).flat_map(|i| (0..rows).map(move |j| (i, j)));
    let columns = vec![
        ("g".to_string(), Column::Numbers(each().map(|(i, _)| i as f64).collect())),
        ("y".to_string(), Column::Numbers(each().map(|(i, j)| y(i, j)).collect())),
    ];
    let model = compile(&Source::new("planted.hbd", text)).expect("the model compiles");
    let data = Dataset::from_columns(columns).expect("columns").bind(model.schema());
    fit(&model, &data.expect("the data fit"), config).expect("a fit")
}

#[track_caller]
fn assert_flagged(fit: &Fit, by: &str) {
    let verdict = fit.verdict();
    let found = verdict.reasons.iter().any(|reason| reason.contains(by));
    assert!(!verdict.believable && found, "{by}: {verdict:?}");
}

#[track_caller]
fn assert_believed(fit: &Fit) {
    assert!(fit.verdict().believable, "{:?}", fit.verdict());
}

const NORMAL: &str = "
data { branch g { rows N; vector[N] y; } }
global { real mu ~ normal(0, 5); real<lower=0> tau ~ normal(0, 2); real<lower=0> s ~ normal(0, 2); }
local { real z ~ normal(mu, tau); y ~ normal(z, s); }
";

const POISSON: &str = "
data { branch g { rows N; array[N] int<lower=0> y; } }
global { real mu ~ normal(0, 3); real<lower=0> tau ~ normal(0, 1); }
local { real z ~ normal(mu, tau); y ~ poisson_log(z); }
";

fn level(branch: usize) -> f64 {
    1.5 * noise(1000 + branch)
}

fn normal_data(i: usize, j: usize) -> f64 {
    level(i) + noise(20 * i + j)
}

#[test]
fn tails_that_a_normal_likelihood_has_not_are_seen() {
    assert_believed(&fitted(NORMAL, 20, 8, normal_data));
    let heavy = |i: usize, j: usize| {
        let x = noise(20 * i + j);
        level(i) + x * (0.35 * x * x).exp()
    };
    let fit = fitted(NORMAL, 20, 8, heavy);
    assert_flagged(&fit, "residual of `y`");
}

#[test]
fn counts_that_spread_more_than_poisson_are_seen() {
    let count = |i: usize, j: usize, extra: f64| {
        let rate = (1.2 + 0.3 * level(i) + extra * noise(20 * i + j)).exp();
        (rate + rate.sqrt() * noise(5000 + 20 * i + j)).round().max(0.0)
    };
    assert_believed(&fitted(POISSON, 20, 8, |i, j| count(i, j, 0.0)));
    assert_flagged(&fitted(POISSON, 20, 8, |i, j| count(i, j, 1.2)), "too little spread");
}

#[test]
fn locals_with_two_answers_are_seen() {
    let text = "
data { branch g { rows N; vector[N] y; } }
global { real<lower=0> s ~ normal(0, 2); }
local { real z ~ normal(0.3, 3); y ~ normal(z * z, s); }
";
    let fit = fitted(text, 20, 4, |i, j| (3.0 + noise(i)).powi(2) + noise(90 + 20 * i + j));
    assert_flagged(&fit, "modes that the approximation does not cover");
    let [mean, _] = fit.checks().branches.expect("branches").missed_modes;
    assert!((0.3..0.7).contains(&mean), "about half lies in either mode: {mean}");
}

#[test]
fn ten_steps_and_giant_steps_are_seen() {
    let ten = FitConfig::default().max_steps(10);
    assert_flagged(&fitted_with(NORMAL, 20, 8, normal_data, &ten), "--max-steps");
    let good = fitted(NORMAL, 20, 8, normal_data);
    let giant = FitConfig::default().step_size(5.0).max_steps(3000);
    let giant = fitted_with(NORMAL, 20, 8, normal_data, &giant);
    // It may fall back to small steps by itself, and then has to end where others do.
    let recovered = (giant.elbo().0 - good.elbo().0).abs() < 0.1;
    assert!(!giant.verdict().believable || recovered, "{:?}", giant.verdict());
}

#[test]
fn a_funnel_in_the_linear_form_is_seen() {
    let schools = [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0];
    let text = "
data { branch g { rows N; vector[N] y; } }
global { real mu ~ normal(0, 5); real<lower=0> tau ~ cauchy(0, 5); }
local { real z ~ normal(mu, tau); y ~ normal(z, 12); }
";
    let y = |i: usize, _: usize| schools[i];
    assert_believed(&fitted(text, 8, 1, y));
    let branch = FitConfig::default().family(Family::Branch);
    let fit = fitted_with(text, 8, 1, y, &branch);
    assert!(!fit.verdict().believable, "{:?} {:?}", fit.checks(), fit.elbo());
}

/// Against the references (`tests/reference`) all are far off: tau of eight_schools by 0.1 to 0.8 standard
/// deviations, its own a third to a half of what it should be; a global of tasting by 0.6. Their weights are
/// worth too little to correct them, that of tasting too little to say by how much.
#[test]
fn forms_that_cannot_follow_the_globals_are_seen_with_every_seed() {
    let cases = [
        ("eight_schools", Covariance::Dense, 1..=3),
        ("eight_schools", Covariance::Block, 1..=3),
        ("tasting", Covariance::Block, 4..=4),
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    for (name, covariance, seeds) in cases {
        let text = std::fs::read_to_string(folder.join(format!("{name}.hbd"))).expect("a model");
        let model = compile(&Source::new(name, text)).expect("it compiles");
        let data = Dataset::read_csv(folder.join(format!("{name}.csv"))).expect("its data");
        let data = data.bind(model.schema()).expect("they fit");
        for seed in seeds {
            let config = FitConfig::default().family(Family::Branch).covariance(covariance);
            let fit = fit(&model, &data, &config.seed(seed)).expect("a fit");
            assert!(!fit.verdict().believable, "{name}, {covariance:?}, seed {seed}");
        }
    }
}
