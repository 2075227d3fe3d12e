//! What the whole language allows: conditions, functions, slices, literals, constraints.

use super::bad::in_local;
use super::model;
use crate::check::typed::Statement;

/// A model with ordered rows, functions, and this `local` block.
fn ordered(functions: &str, local: &str) -> String {
    format!(
        "// allow: unused
         functions {{ {functions} }}
         data {{
           int K; int S; vector[K] w; array[K] int<lower=1, upper=S> kind; matrix[K, S] table;
           branch g {{
             rows N by day;
             vector[N] y; array[N] int<lower=0> c; array[N] int<lower=1, upper=S> s;
             matrix[N, K] x from cols(\"x*\"); int<lower=1, upper=K> first; real u;
           }}
         }}
         global {{
           real m ~ normal(0, 1); real<lower=0> t ~ normal(0, 1);
           vector[S] b ~ normal(0, 1); matrix[S, K] f = rep * w';
         }}
         local {{ real z ~ normal(m, t); {local} }}"
    )
    .replace("rep * w'", "b * w'")
}

fn all_good(functions: &str, bodies: &[&str]) {
    for body in bodies {
        model(&ordered(functions, body));
    }
}

#[test]
fn conditions() {
    all_good(
        "",
        &[
            "if (u > 0) target += z * u; else target += z;",
            "if (u > 0 && first > 1) y ~ normal(z, 1); else y ~ normal(2 * z, 1);",
            "for (n in 1:N) if (n > 1) y[n] ~ normal(y[n - 1] + z, 1); else y[n] ~ normal(z, 1);",
            "for (n in 1:N) if (n == N || c[n + 1] != c[n]) y[n] ~ normal(z, 1);",
            "for (n in 1:N) y[n] ~ normal(n > 1 ? y[n - 1] : z, 1);",
            "y ~ normal(u > 0 ? z : 0, 1);",
            "real e = u > 0 ? 1 : z; y ~ normal(e, 1);",
            "vector[2] e = u > 0 ? [z, 1]' : [0, 0]'; y ~ normal(sum(e), 1);",
            "real raised = z > 1 ? 1 : 0; y ~ normal(z, 1);",
            "real raised = 0; { if (z > 1) raised = 1; } y ~ normal(z, 1);",
            "if (u > 0) { real e = 2 * z; y ~ normal(e, 1); } else if (u < -1) { y ~ normal(z, 1); }",
        ],
    );
    model(&in_local(
        "real z; if (y > 0) z ~ normal(m, 1); else z ~ normal(-m, s); y ~ normal(z, 1);",
    ));
}

#[test]
fn loops_over_containers() {
    all_good(
        "",
        &[
            "for (v in y) v ~ normal(z, 1);",
            "for (k in c) target += k * z;",
            "for (v in 2 * y) target += v * z;",
            "vector[2] e ~ normal(m, t); for (v in e) target += v * z;",
            "for (k in {1, 2, 3}) target += k * z;",
            "for (r in 1:N) for (v in x[r]) target += v * z;",
            "for (t0 in first:K) for (q in t0:K) target += w[q] * z;",
            "int k2 = 2 * K; for (k in 1:k2) target += k * z;",
        ],
    );
}

#[test]
fn slices_and_numbers() {
    all_good(
        "",
        &[
            "y ~ normal(b[s] + z, 1);",
            "y ~ normal(f[s] * w + z, 1);",
            "y ~ normal(x[:, 2] * z, 1);",
            "for (n in 1:N) y[n] ~ normal(x[n] * w + z, 1);",
            "y[2:N] ~ normal(y[1:(N - 1)] + z, 1);",
            "y[2:] ~ normal(y[:(N - 1)] + z, 1);",
            "target += sum(f[kind, kind]) * z;",
            "target += sum(table[2:K, kind]) * z + sum(table[1, 2:S]) * z;",
            "target += sum(w[1:0]) * z;",
            "vector[K] r = w; { r[2:K] = 2 * w[1:(K - 1)]; r[kind] = w; r[1:2] += [z, 1]'; } target += sum(r);",
            "matrix[K, S] q = table; { q[2] = b'; q[, 1] = w; q[1, 2:S] = b'[2:S]; } target += sum(q) * z;",
            "target += c[s][1] * z + b[s][1];",
            "int half = (K * (K + 1)) %/% 2; { vector[half] e; for (k in 1:half) e[k] = z; target += sum(e); }",
        ],
    );
}

#[test]
fn literals() {
    all_good(
        "",
        &[
            "array[2] real e = {1, 2.5}; target += e[1] * z;",
            "array[2, 2] int e = {{1, 2}, {3, 4}}; target += e[1, 2] * z;",
            "array[2] vector[2] e = {[z, 1]', [2, 3]'}; target += sum(e[2]);",
            "matrix[2, 2] e = [[1, 2], [3, z]]; target += sum(e[2]');",
        ],
    );
}

#[test]
fn constraints() {
    model(
        "data { int K; int I; branch g { rows N; array[N] int<lower=1, upper=I> item; vector[N] y; } }
         global {
           simplex[K] p; // allow: flat-prior
           ordered[K] c ~ normal(0, 1);
           array[I] positive_ordered[K] d; // allow: flat-prior
           cov_matrix[K] S; // allow: flat-prior
           vector[I] low ~ normal(0, 1);
           vector<lower=low>[I] high ~ normal(0, 1);
           real<lower=max_of, upper=max_of + 1> e;
         }
         local {
           ordered[2] z ~ normal(p[1], 1);
           y ~ normal(z[1] + high[item] + c[2] + d[1, 1] + S[1, 1] + e, 1);
         }"
        .replace("max_of", "c[1]")
        .as_str(),
    );
}

#[test]
fn functions_of_the_file() {
    let functions = "
      real twice(real x) { return 2 * x; }
      real larger(real x, real y) { if (x > y) return x; return y; }
      real sign3(real x) { if (x > 0) return 1; else if (x < 0) { return -1; } else return 0; }
      vector walk(vector x, int n) {
        vector[size(x) + n] r;
        int total = size(x) + n;
        for (k in 1:total) r[k] = k <= size(x) ? x[k] : 0;
        return r;
      }
      matrix outer(vector a, vector b) { return a * b'; }
      int count(array[] int c) { int total = 0; for (k in c) if (k > 0) total += 1; return total; }
      real own_lpdf(real y, real mu, real s) { return normal_lpdf(y | mu, s) - log(2); }
      real own_rng(real mu, real s) { return normal_rng(mu, s); }
      real pair_lpdf(vector y, real mu) { real lp = 0; for (v in y) lp += own_lpdf(v | mu, 1); return lp; }
      real picked(vector x, int k) { real r = 0; { int j = k + 1; r = x[j]; } return r; }
      real late(real x) { if (x > 0) { if (x > 1) return 1; } return 0; }
    ";
    all_good(
        functions,
        &[
            "y ~ normal(twice(z), 1);",
            "u ~ own(z, t);",
            "for (n in 1:N) y[n] ~ own(z, t);",
            "y ~ pair(z);",
            "target += own_lpdf(u | z, 1);",
            "y ~ normal(larger(u, 2) + sign3(u) * z, 1);",
            "vector[N + 2] e = walk(y, 2); target += sum(e) * z;",
            "matrix[K, S] e = outer(w, b); target += sum(e) * z;",
            "y ~ normal(count(c) * z + twice(twice(z)), 1);",
            "y ~ normal(z + picked(w, 1) + late(u), 1);",
            "for (k in 1:(K - 1)) target += picked(w, k) * z;",
            "real e = late(z); y ~ normal(z, 1);",
        ],
    );
    model(
        "functions { real twice(real x) { return 2 * x; } }
         data { int K; real w = twice(K); branch g { real y; real v = twice(y); } }
         global { real m ~ normal(w, 1); real e = twice(m); }
         local { real z ~ normal(m, 1); v ~ normal(z, 1); }",
    );
}

#[test]
fn distributions_over_arrays() {
    model(
        "data { int K; branch g { rows N; matrix[N, K] x from cols(\"x*\"); } }
         global {
           vector[K] mu ~ normal(0, 1);
           matrix[K, K] L = diag_matrix(mu);
           array[3] vector[K] b ~ multi_normal_cholesky(mu, L);
           array[3] vector[K] d ~ multi_normal_cholesky(b, L);
           array[3] vector[K] e ~ normal(0, 1);
         }
         local { vector[K] z ~ normal(d[1] + e[1], 1); x ~ normal(z[1], 1); }",
    );
}

/// Each function calls the one before twice, so that the last would expand to 2³⁰ of the first.
#[test]
fn calls_do_not_grow_without_limit() {
    let mut functions = "real f0(real x) { return x; }".to_string();
    for k in 1..30 {
        functions += &format!(" real f{k}(real x) {{ return f{0}(x) + f{0}(x); }}", k - 1);
    }
    let codes: Vec<String> =
        super::told(&ordered(&functions, "y ~ normal(z, 1);")).into_iter().map(|t| t.0).collect();
    assert_eq!(codes.first().map(String::as_str), Some("nesting"));
}

/// As many conditions that may return as fit, each with the rest on both sides.
#[test]
fn returns_do_not_grow_without_limit() {
    let ifs = "if (x > 0) { if (x > 1) return 1; } ".repeat(40);
    let function = format!("real f(real x) {{ {ifs} return 0; }}");
    let codes: Vec<String> =
        super::told(&ordered(&function, "y ~ normal(z, 1);")).into_iter().map(|t| t.0).collect();
    assert_eq!(codes.first().map(String::as_str), Some("nesting"));
}

#[test]
fn long_chains_of_conditions_are_refused() {
    let chain = "u > 0 ? 1 : ".repeat(300);
    let text = ordered("", &format!("y ~ normal(z + ({chain} 0), 1);"));
    assert_eq!(super::told(&text)[0].0, "nesting");
    let chain = "u > 0 ? 1 : ".repeat(200);
    model(&ordered("", &format!("y ~ normal(z + ({chain} 0), 1);")));
}

/// The value of a function has its declared type, whatever it returns.
#[test]
fn whole_numbers_become_real_where_they_are_wanted() {
    let functions = "real one(real x) { return 1; } real half(real x) { return x / 2; }";
    all_good(
        functions,
        &[
            "y ~ normal(z + one(u) / 2, 1);",
            "y ~ normal(z + half(1), 1);",
            "real e = 1; y ~ normal(z + e / 2, 1);",
        ],
    );
}

/// The models of the language's description that need more than one file or a condition.
const DESCRIBED: [&str; 4] = [
    "data {
       real u_bar = mean(column(log_uranium));
       branch county { rows N; vector[N] log_radon; vector[N] floor; real log_uranium; }
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
       log_radon ~ normal(b[1] + gamma * (log_uranium - u_bar) + b[2] * floor, sigma);
     }",
    "data {
       table movies by movie_id { row_vector[10] feature from cols(\"pc*\"); }
       branch user_id {
         rows N;
         array[N] index(movies) movie_id;
         array[N] int<lower=0, upper=1> liked;
       }
     }
     global {
       vector[10] mu ~ normal(0, 1);
       vector<lower=0>[10] tau ~ normal(0, 1);
       cholesky_factor_corr[10] L ~ lkj_corr_cholesky(2);
       matrix[10, 10] S = diag_pre_multiply(tau, L);
     }
     local {
       vector[10] z ~ multi_normal_cholesky(mu, S);
       liked ~ bernoulli_logit(movies.feature[movie_id] * z);
     }",
    "data { factor item;
           branch person { rows N; array[N] index(item) item;
                           array[N] int<lower=0,upper=1> correct; } }
     global { real mu_b ~ normal(0, 5); real<lower=0> s_b ~ cauchy(0, 2);
              vector[size(item)] b ~ normal(mu_b, s_b);
              vector<lower=0>[size(item)] a ~ lognormal(0, 0.5); }
     local  { real theta ~ std_normal();
              correct ~ bernoulli_logit(a[item] .* (theta - b[item])); }",
    "data { int T = 5; branch animal { int<lower=0,upper=T> y; } }
     global { real<lower=0,upper=1> omega; real<lower=0,upper=1> p;
              real<lower=0> s ~ normal(0, 1.5); }
     local  { real eps ~ normal(logit(p), s);
              if (y > 0) target += log(omega) + binomial_logit_lpmf(y | T, eps);
              else target += log_mix(omega, binomial_logit_lpmf(0 | T, eps), 0); }",
];

#[test]
fn models_of_the_description() {
    for text in DESCRIBED {
        model(text);
    }
}

#[test]
fn columns_with_empty_cells() {
    let text = |local: &str| {
        format!(
            "data {{ branch g {{ rows N by day; vector[N] y missing; vector[N] x; }} }}
             global {{ real m ~ normal(0, 1); }}
             local {{ real z ~ normal(m, 1); x ~ normal(z, 1); {local} }}"
        )
    };
    let outcomes = [
        ("y ~ normal(z, 1);", 0),
        ("for (n in 1:N) y[n] ~ normal(z, 1);", 0),
        ("y[2:N] ~ normal(z, 1);", 0),
        ("(y - 1) / 2 ~ normal(z, 1);", 0),
        ("for (v in y) v ~ normal(z, 1);", 0),
        ("y ~ normal(z, 1); for (v in y) target += v * z;", 1),
        ("y ~ normal(z, 1); target += sum(observed(y)) * z;", 0),
        ("y ~ normal(z, 1); target += size(y) * z;", 0),
        ("y ~ normal(z, 1); target += sum(y) * z;", 1),
        ("for (n in 2:N) y[n] ~ normal(z + y[n - 1], 1);", 1),
    ];
    for (local, n_reads) in outcomes {
        let model = model(&text(local));
        assert_eq!(model.schema.missing_reads.len(), n_reads, "{local}");
        assert!(has_observed(&model.local), "{local}");
    }
}

fn has_observed(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| match statement {
        Statement::Sample { observed, .. } => observed.is_some(),
        Statement::For { body, .. } | Statement::Block(body) => has_observed(body),
        _ => false,
    })
}
