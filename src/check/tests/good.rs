//! Models that mean something and are told nothing.

use super::model;

pub(super) const EIGHT_SCHOOLS: &str = "
data { branch school { real y; real<lower=0> sigma; } }
global { real mu ~ normal(0, 5); real<lower=0> tau ~ cauchy(0, 5); }
local { real theta ~ normal(mu, tau); y ~ normal(theta, sigma); }
";

pub(super) const RADON: &str = "
data {
  branch county {
    rows N;
    vector[N] log_radon;
    vector[N] floor;
    real log_uranium;
  }
}
global {
  vector[2] mu ~ normal(0, 10);
  real gamma ~ normal(0, 10);
  vector<lower=0>[2] tau ~ normal(0, 1);
  cholesky_factor_corr[2] L ~ lkj_corr_cholesky(2);
  real<lower=0> sigma ~ normal(0, 1);
  real rho = L[2, 1];
}
local {
  vector[2] b ~ multi_normal_cholesky(mu, diag_pre_multiply(tau, L));
  log_radon ~ normal(b[1] + gamma * log_uranium + b[2] * floor, sigma);
}
";

pub(super) const RATINGS: &str = "
data {
  int K = 10;
  branch user_id {
    rows N;
    matrix[N, K] feature from cols(\"pc*\");
    array[N] int<lower=0, upper=1> liked;
  }
}
global {
  vector[K] mu ~ normal(0, 1);
  vector<lower=0>[K] tau ~ normal(0, 1);
  cholesky_factor_corr[K] L ~ lkj_corr_cholesky(2);
  matrix[K, K] S = diag_pre_multiply(tau, L);
}
local {
  vector[K] z ~ multi_normal_cholesky(mu, S);
  liked ~ bernoulli_logit(feature * z);
}
";

const RATS: &str = "
data {
  vector[5] x = [8, 15, 22, 29, 36]';
  branch rat { vector[5] y from cols(\"day*\"); }
}
global {
  real mu_alpha ~ normal(0, 100);
  real mu_beta ~ normal(0, 100);
  real<lower=0> sigma_y; // allow: flat-prior
  real<lower=0> sigma_alpha; // allow: flat-prior
  real<lower=0> sigma_beta; // allow: flat-prior
  real x_bar = mean(x);
  real alpha0 = mu_alpha - x_bar * mu_beta;
}
local {
  real alpha ~ normal(mu_alpha, sigma_alpha);
  real beta ~ normal(mu_beta, sigma_beta);
  y ~ normal(alpha + beta * (x - x_bar), sigma_y);
}
";

const SEEDS: &str = "
data {
  branch plate {
    int<lower=0> size;
    int<lower=0, upper=size> germinated;
    real seed;
    real extract;
  }
}
global {
  real alpha0 ~ normal(0, 1000);
  real alpha1 ~ normal(0, 1000);
  real alpha2 ~ normal(0, 1000);
  real alpha12 ~ normal(0, 1000);
  real<lower=0> sigma ~ gamma(2, 2);
}
local {
  real b ~ normal(0, sigma);
  real eta = alpha0 + alpha1 * seed + alpha2 * extract + alpha12 * seed * extract + b;
  germinated ~ binomial_logit(size, eta);
}
";

const LOOPS: &str = "
data {
  int T;
  branch animal {
    rows N;
    array[N] int<lower=1, upper=T> visit;
    vector[N] weight;
    int<lower=1, upper=T> first;
  }
}
global {
  vector[T] season ~ normal(0, 1);
  real<lower=0> scale ~ exponential(1);
  vector[T] walk = season;
  for (t in 2:T) { walk[t] = walk[t - 1] + season[t]; }
  real total = 0;
  { real half = 0.5; for (t in 1:T) total += half * season[t]; }
}
local {
  real z ~ std_normal();
  vector[N] mean_weight = rep_zero * weight;
  for (n in 1:N) { mean_weight[n] = z + walk[visit[n]]; weight[n] ~ normal(mean_weight[n], scale); }
  for (t in first:T) for (s in t:T) target += normal_lpdf(z | walk[s], scale);
}
";

#[test]
fn models_of_the_language_page() {
    for text in [EIGHT_SCHOOLS, RADON, RATINGS, RATS, SEEDS] {
        model(text);
    }
}

#[test]
fn loops_and_assignments() {
    model(&LOOPS.replace("rep_zero", "0"));
}

#[test]
fn small_things_that_are_right() {
    let bodies = [
        "real z ~ normal(m, 1); y ~ normal(z + sum(v), 1); v ~ normal(0, 1); c ~ poisson_log(z);",
        "vector[2] b ~ normal(m, 1); y ~ normal(b[1], exp(b[2]));",
        "real z ~ normal(m, 1); target += normal_lpdf(y | z, 1);",
        "real z; target += -0.5 * square(z) - normal_lpdf(z | m, 1); y ~ normal(z, 1);",
        "real<lower=0> z ~ normal(0, exp(m)); y ~ normal(z, 1);",
        "real<lower=0, upper=1> z ~ beta(2, exp(m)); y ~ normal(z, 1);",
        "real z; (z - m) / 2 ~ std_normal(); y ~ normal(z, 1);",
        "real z ~ normal(m, 1); y - z ~ normal(0, 1);",
        "real z ~ normal(m, 1); for (n in 1:N) v[n] ~ normal(z, 1); real raised = z > 1.5;",
        "real z ~ normal(m, 1); matrix[2, 2] a = [[1, 2], [3, z]]; y ~ normal(a[2, 1] + a[1][2], 1);",
        "vector[2] z ~ normal(m, 1); matrix[2, 2] a = [[1, 2], [3, m]]; y ~ normal(z' * a * z, 1);",
        "vector[3] z ~ normal(m, 1); y ~ normal(sum(z[2:3]) + sum(z[:2]) + sum(z[2:]), 1);",
        "vector[2] z ~ normal(m, 1); y ~ normal((z * z')[1, 2] + sum(z .* z), 1);",
    ];
    for body in bodies {
        model(&super::bad::in_local(body));
    }
}

#[test]
fn models_that_are_shipped() {
    let texts = [
        include_str!("../../../models/eight_schools.hbd"),
        include_str!("../../../models/ratings.hbd"),
        include_str!("../../../models/rats.hbd"),
        include_str!("../../../models/seeds.hbd"),
        include_str!("../../../models/sleepstudy.hbd"),
    ];
    for text in texts {
        model(text);
    }
}
