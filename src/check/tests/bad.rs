//! A table of models, what each is told, and about which text.

use super::told;
use crate::diagnostic::Code;

/// A model with this `local` block.
pub(super) fn in_local(local: &str) -> String {
    format!(
        "data {{ int K; branch school {{ rows N; vector[N] v; array[N] int<lower=0> c; real y; }} }}
         global {{ real m ~ normal(0, 1); real<lower=0> s ~ normal(0, 1); real d = s; }}
         // allow: unused
         local {{ {local} }}"
    )
    .replace("data { int K", "// allow: unused\ndata { int K")
}

fn in_global(global: &str) -> String {
    format!(
        "// allow: unused
         data {{ int K; real x; vector[K] w; branch school {{ rows N; vector[N] v; real y; }} }}
         global {{ {global} }}
         local {{ real z ~ normal(0, 1); y ~ normal(z, 1); v ~ normal(z, 1); }}"
    )
}

fn in_data(whole: &str, branch: &str) -> String {
    format!(
        "// allow: unused
         data {{ {whole} branch school {{ {branch} real y; }} }}
         global {{ real m ~ normal(0, 1); }}
         local {{ real z ~ normal(m, 1); y ~ normal(z, 1); }}"
    )
}

/// All rows of a table at once, so that one run shows every difference.
fn assert_table(rows: impl IntoIterator<Item = (String, &'static str, &'static str)>) {
    let mut wrong = String::new();
    for (text, code, place) in rows {
        let found = told(&text);
        let expected = [(code.to_string(), place.to_string())];
        let is_right = if code.is_empty() { found.is_empty() } else { found == expected };
        if !is_right {
            wrong += &format!("{text}\n  expected {code} at `{place}`, found {found:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn assert_told(text: &str, code: &str, place: &str) {
    let expected = vec![(code.to_string(), place.to_string())];
    assert_eq!(told(text), expected, "{text}");
}

/// `z` is there and has its distribution, `y` has one too.
const REST: &str = "real z ~ normal(m, s); y ~ normal(z, 1);";

#[test]
fn local_blocks() {
    let table = [
        ("yy ~ normal(z, 1);", "unknown-name", "yy"),
        ("real m = 2;", "duplicate-name", "m"),
        ("real z = 2;", "duplicate-name", "z"),
        ("target += late + z; real late = 2;", "used-before-declared", "late"),
        ("y ~ normal(school, 1);", "key-not-datum", "school"),
        ("y ~ normal(z[school], 1);", "branch-index", "school"),
        ("y ~ normal(z[1], 1);", "branch-index", "z[1]"),
        ("for (j in 1:n_school) target += z;", "branch-loop", "n_school"),
        ("target += frob(z);", "unknown-function", "frob"),
        ("v ~ norml(z, 1);", "unknown-distribution", "norml"),
        ("vector[N] e; e ~ normal(0, 1);", "local-size", "N"),
        ("real e = v * 2;", "per-row-value", "v * 2"),
        ("real e ~ normal(v, 1);", "per-row-value", "v"),
        ("vector[2] e = [1, 2];", "type-mismatch", "[1, 2]"),
        ("int k = 2.5;", "type-mismatch", "2.5"),
        ("target += v * v;", "operands", "v * v"),
        ("target += c * 2.0;", "operands", "c * 2.0"),
        ("target += sum([1, 2] + [1, 2, 3]) * z;", "size-mismatch", "[1, 2] + [1, 2, 3]"),
        ("v ~ normal([1, 2], 1); vector[3] e = [1, 2]';", "size-mismatch", "[1, 2]'"),
        ("target += v[1.5] * z;", "index", "1.5"),
        ("target += m[1] * z;", "index", "m[1]"),
        ("target += v[1, 2] * z;", "index", "v[1, 2]"),
        ("target += v[z > 1];", "index-unknown", "z > 1"),
        ("vector[2] b ~ normal(0, 1); target += b[3];", "index-range", "3"),
        ("vector[2] b ~ normal(0, 1); target += b[0];", "index-range", "0"),
        ("vector[2] b ~ normal(0, 1); for (i in 1:3) target += b[i];", "index-range", "i"),
        ("target += z * (1 / 2);", "integer-division", "1 / 2"),
        ("int k ~ poisson_log(z);", "discrete-unknown", "int"),
        ("for (i in 1:2.5) target += z;", "loop-bound", "2.5"),
        ("for (i in 1:c[1]) target += z; // allow: row-order", "loop-bound", "c[1]"),
        ("y = 2;", "assignment", "y"),
        ("z = 2;", "assignment", "z"),
        ("N = 2;", "assignment", "N"),
        ("d = 2;", "assignment", "d"),
        ("for (i in 1:2) { i = 3; }", "assignment", "i"),
        ("target += exp(z, z);", "argument-count", "exp(z, z)"),
        ("target += dot_product(v, z);", "argument-types", "dot_product(v, z)"),
        ("v ~ normal(z);", "argument-count", "normal"),
        ("v ~ normal(z, 0);", "argument-range", "0"),
        ("v ~ normal(z, -1.5);", "argument-range", "-1.5"),
        ("v ~ uniform(1, 0);", "argument-range", "1, 0"),
        ("c ~ bernoulli(2);", "argument-range", "2"),
        ("v ~ normal(0, z);", "argument-support", "z"),
        ("c ~ bernoulli(z);", "argument-support", "z"),
        ("target += normal_lpdf(v, z, 1);", "density-bar", "normal_lpdf(v, z, 1)"),
        ("target += exp(z | 1);", "density-bar", "exp(z | 1)"),
        ("target += normal(v, z, 1);", "density-name", "normal"),
        ("target += normal_lpmf(v | z, 1);", "density-name", "normal_lpmf"),
        ("v ~ normal_lpdf(z, 1);", "density-name", "normal_lpdf"),
        ("v ~ poisson_log(z);", "outcome-type", "v"),
        ("z * m ~ multi_normal_cholesky(v, v * v');", "outcome-type", "z * m"),
        ("real e; e ~ exponential(1);", "outcome-support", "e"),
        ("real e; e ~ uniform(0, 1);", "outcome-support", "e"),
        ("2.5 ~ normal(z, 1);", "sample-left", "2.5"),
        ("m ~ normal(0, 1);", "global-in-local", "m"),
        ("target += normal_lpdf(m | z, 1);", "global-in-local", "m"),
        ("K ~ normal(z, 1);", "whole-data-in-local", "K"),
        ("target += -m;", "target-of-globals", "-m"),
        ("target += d;", "target-of-globals", "d"),
        ("real e;", "no-prior", "e"),
        ("real<lower=0, upper=1> e;", "no-prior", "e"),
        ("z ~ normal(0, 1);", "doubled-prior", "z"),
        ("for (i in 1:2) v ~ normal(z, 1);", "doubled-prior", "v"),
        ("real e; exp(e) ~ normal(z, 1);", "nonlinear-left", "exp(e)"),
        ("real e; e * m ~ normal(z, 1);", "nonlinear-left", "e * m"),
        ("real<lower=0> e ~ normal(m, 1);", "truncated-prior", "e"),
        ("target += v[1] * z;", "row-order", "v[1]"),
        ("for (n in 2:N) v[n] ~ normal(v[n - 1] + z, 1);", "row-order", "v[n - 1]"),
        ("target += floor(z);", "discontinuous", "floor(z)"),
        ("v ~ normal(z > 1, 1);", "discontinuous", "z > 1"),
        ("target += z > 1 ? 1 : 0;", "discontinuous", "z > 1"),
        ("if (z > 1) target += z;", "discontinuous", "z > 1"),
        ("real e = 0; { if (z > 1) e = 1; } target += e;", "discontinuous", "e"),
        ("if (v) target += z;", "per-row-value", "v"),
        ("target += y > 0 ? v : z;", "type-mismatch", "y > 0 ? v : z"),
        ("if (y > 0) target += m;", "", ""),
        ("if (m > 0) target += m; // allow: discontinuous", "target-of-globals", "m"),
        ("if (y > 0) z ~ normal(0, 1);", "doubled-prior", "z"),
        ("target += sum(v[1:2]) * z;", "row-order", "v[1:2]"),
        ("target += sum(v[2:N]) * z;", "row-order", "v[2:N]"),
        ("for (k in 1:3) target += sum(v[k:N]) * z; // allow: row-order", "slice-size", "v[k:N]"),
        ("target += v[{1.5}] * z;", "index", "{1.5}"),
        ("target += mean(z);", "across-branches", "mean(z)"),
        ("y ~ normal(z[school[1]], 1);", "branch-index", "school[1]"),
        ("y ~ normal(z[school - 1], 1);", "across-branches", "school - 1"),
        ("for (a in z) target += a;", "loop-bound", "z"),
        ("return z;", "no-return", "return z;"),
        ("target += normal_rng(z, 1);", "random-call", "normal_rng"),
        ("target += normal_lupdf(v | z, 1);", "density-name", "normal_lupdf"),
        ("target += sum(observed(v)) * z;", "missing", "v"),
        ("target += {1, v}[1] * z;", "bad-type", "v"),
        ("simplex<lower=0>[2] e;", "constraint", "simplex<lower=0>[2]"),
        ("simplex[2] e = [0.5, 0.5]';", "constraint", "simplex[2]"),
        ("vector<lower=v>[2] e ~ normal(0, 1);", "", ""),
        ("ordered[2] e ~ normal([m, 1]', 1);", "truncated-prior", "e"),
        ("vector[3] e = [1, 2, z]'; target += sum(e[2:4]);", "index-range", "4"),
        ("vector[3] e = [1, 2, z]'; target += sum(e[3:1]);", "index", "e[3:1]"),
        ("target += sum(v[c]) * z;", "row-order", "v[c]"),
        ("cholesky_factor_corr[2] e = [[1, 0], [0, 1]];", "constraint", "cholesky_factor_corr[2]"),
        ("real<lower=0> e = 2;", "constraint", "0"),
        ("real<lower=2, upper=1> e ~ normal(0, 1);", "constraint", "real<lower=2, upper=1>"),
        ("real<lower=v> e ~ normal(0, 1);", "constraint", "v"),
        ("vector e ~ normal(0, 1);", "bad-type", "vector"),
        ("vector[2.5] e ~ normal(0, 1);", "size-expression", "2.5"),
        ("vector[size(v) + c[1]] e = v; // allow: row-order", "size-expression", "size(v) + c[1]"),
        ("vector[-1] e ~ normal(0, 1);", "size-expression", "-1"),
        ("target += [1, v] * v;", "bad-type", "v"),
        ("{ real e ~ normal(0, 1); }", "sample-left", "normal"),
    ];
    assert_table(
        table.map(|(statement, code, place)| {
            (in_local(&format!("{REST} {statement}\n")), code, place)
        }),
    );
}

#[test]
fn global_blocks() {
    let table = [
        ("real a ~ normal(y, 1);", "branch-in-global", "y"),
        ("real a ~ normal(z, 1);", "branch-in-global", "z"),
        ("real a ~ normal(N, 1);", "branch-in-global", "N"),
        ("real a;", "flat-prior", "a"),
        ("real<lower=0> a;", "flat-prior", "a"),
        ("real a ~ normal(school, 1);", "key-not-datum", "school"),
        ("vector[N] a ~ normal(0, 1);", "branch-in-global", "N"),
        ("vector[K] a ~ multi_normal_cholesky(w, w);", "argument-types", "w"),
        (
            "cholesky_factor_corr[K] a ~ normal(0, 1); matrix[K, K] e = a; e ~ lkj_corr_cholesky(1);",
            "outcome-type",
            "e",
        ),
        ("cholesky_factor_corr<lower=0>[K] a;", "constraint", "cholesky_factor_corr<lower=0>[K]"),
        ("real<lower=0, upper=100> a ~ uniform(0, 100);", "wide-uniform", "0, 100"),
        ("real<lower=0> a ~ gamma(0.001, 0.001);", "vague-gamma", "0.001, 0.001"),
        ("ordered[K] a;", "flat-prior", "a"),
        ("if (z > 0) target += 1;", "branch-in-global", "z"),
    ];
    assert_table(table.map(|(statement, code, place)| (in_global(statement), code, place)));
}

fn with_functions(functions: &str) -> String {
    format!(
        "// allow: unused
         functions {{ {functions} }}
         data {{ branch school {{ rows N; vector[N] v; real y; }} }}
         global {{ real m ~ normal(0, 1); }}
         local {{ real z ~ normal(m, 1); y ~ normal(z, 1); v ~ normal(z, 1); }}"
    )
}

#[test]
fn definitions_are_checked_without_calls() {
    let table = [
        ("real f(real x) { return x + m; }", "function-scope", "m"),
        ("real f(real x) { return x + q; }", "unknown-name", "q"),
        ("real f(real x) { target += x; return x; }", "function-scope", "target += x;"),
        ("real f(real x) { x ~ normal(0, 1); return x; }", "function-scope", "x ~ normal(0, 1);"),
        ("real f(real x) { x = 2; return x; }", "assignment", "x"),
        ("real f(real x) { return f(x); }", "function-order", "f"),
        ("real f(real x) { return g(x); } real g(real x) { return x; }", "function-order", "g"),
        ("real f(real x) { if (x > 0) return 1; }", "no-return", "f"),
        ("real f(real x) { real y = x; }", "no-return", "f"),
        (
            "real f(vector x) { for (v in x) if (v > 0) return v; return 0; }",
            "no-return",
            "return v;",
        ),
        ("real f(vector x) { return x; }", "type-mismatch", "x"),
        ("int f(real x) { return x; }", "type-mismatch", "x"),
        ("vector f(vector x) { vector[size(x) + 1] r = x; return r; }", "size-mismatch", "x"),
        ("real f(real x) { return normal_rng(x, 1); }", "random-call", "normal_rng"),
        ("vector f_lpdf(real x) { return [x]'; }", "function-type", "vector"),
        ("real f_lpdf(array[] int x) { return 1; }", "density-name", "f_lpdf"),
        ("real normal_lpdf(real x) { return x; }", "duplicate-name", "normal_lpdf"),
        ("real f(real x) { return x; } real f(int x) { return x; }", "duplicate-name", "f"),
    ];
    assert_table(table.map(|(functions, code, place)| (with_functions(functions), code, place)));
}

#[test]
fn calls_of_functions() {
    let functions = "
        real f(vector x, int k) { return x[k]; }
        real top(real x) { if (x > 0) return x; return 0; }
        real own_lpdf(real y, real mu) { return -square(y - mu); }
        real own_rng(int k) { return k; }
        vector pair(vector a, vector b) { return a + b; }
        real g0(real x) { return x; }";
    let table = [
        ("target += f(z, 1);", "argument-types", "f(z, 1)"),
        ("target += f(v) * z;", "argument-count", "f(v)"),
        ("target += top(z);", "discontinuous", "top(z)"),
        ("target += own_lpdf(y, z);", "density-bar", "own_lpdf(y, z)"),
        ("target += g0(z | 1);", "density-bar", "g0(z | 1)"),
        ("target += own_lpdf(m | z);", "global-in-local", "m"),
        ("target += own_rng(1) * z;", "random-call", "own_rng"),
        ("y ~ own(z);", "argument-types", "own"),
        ("v ~ own(z);", "argument-types", "own"),
        ("target += sum(pair([1, 2]', [1, z, 3]'));", "size-mismatch", "pair([1, 2]', [1, z, 3]')"),
        ("target += f(v, z > 1 ? 1 : 2);", "index-unknown", "f(v, z > 1 ? 1 : 2)"),
        ("target += tpo(z);", "unknown-function", "tpo"),
    ];
    let rows = table.map(|(local, code, place)| {
        let text = in_local(&format!("{REST} {local}\n"));
        (text.replacen("data {", &format!("functions {{ {functions} }}\ndata {{"), 1), code, place)
    });
    assert_table(rows);
}

#[test]
fn data_blocks() {
    let table = [
        ("int K = J; int J = K;", "", "data-cycle", "K"),
        ("real a = y;", "", "branch-in-whole-data", "y"),
        ("real a = m;", "", "unknown-in-data", "m"),
        ("real a from \"b\";", "", "data-source", "\"b\""),
        ("", "vector[2] a;", "data-source", "vector[2]"),
        ("", "real a from cols(\"b*\");", "data-source", "cols(\"b*\")"),
        ("", "rows N; matrix[N, 2] a;", "data-source", "matrix[N, 2]"),
        ("", "rows N; matrix[2, N] a from cols(\"b*\");", "rows-first", "matrix[2, N]"),
        ("", "rows N; rows M;", "rows", "rows M;"),
        ("rows N;", "", "rows", "rows N;"),
        ("", "rows N; int<upper=N + 1> a;", "data-bound", "N + 1"),
        ("", "rows N; array[N] int b; int<upper=b> a;", "data-bound", "b"),
        ("", "int b; vector[b] a from cols(\"c*\");", "size-expression", "b"),
        ("cholesky_factor_corr[2] a;", "", "bad-type", "cholesky_factor_corr[2]"),
        ("int<lower=2, upper=1> a;", "", "constraint", "int<lower=2, upper=1>"),
        ("vector[2] a from cols(\"b*\");", "", "data-source", "cols(\"b*\")"),
        ("", "simplex[2] a from cols(\"b*\");", "bad-type", "simplex[2]"),
    ];
    assert_table(table.map(|(whole, branch, code, place)| (in_data(whole, branch), code, place)));
}

#[test]
fn factors_and_tables() {
    let table = [
        ("", "rows N; array[N] index(item) a;", "factor", "item"),
        ("factor item;", "rows N; array[N] index(itme) a;", "factor", "itme"),
        ("factor f levels(\"a\", \"b\", \"a\");", "", "factor", "\"a\""),
        ("factor f from (\"a\", \"b\", \"a\");", "", "factor", "\"a\""),
        (
            "factor f from (\"a\", \"b\") levels(\"x\");",
            "",
            "factor",
            "factor f from (\"a\", \"b\") levels(\"x\");",
        ),
        ("factor f; factor f;", "", "duplicate-name", "f"),
        ("factor f; table f by k { real x; }", "", "duplicate-name", "f"),
        ("factor f; index(f) a;", "", "data-source", "index(f)"),
        (
            "factor f;",
            "rows N; array[N] index(f) a = b; array[N] int b;",
            "data-source",
            "array[N] index(f)",
        ),
        ("factor f;", "index(f) a from \"u\" == \"x\";", "data-source", "\"u\" == \"x\""),
        ("factor f from (\"a\", \"b\");", "index(f) c from \"a\";", "data-source", "\"a\""),
        ("table t by k { real a = 2; }", "", "data-source", "a"),
        ("table t by k { matrix[2, 2] a; }", "", "data-source", "matrix[2, 2]"),
        ("table t by k { real a; real a; }", "", "duplicate-name", "a"),
        ("table t by k { real a missing; }", "", "missing", "missing"),
        ("real a missing;", "", "missing", "missing"),
        ("", "real a missing = 2;", "missing", "missing"),
        ("", "int a from \"u\" == \"x\" missing;", "missing", "missing"),
    ];
    assert_table(table.map(|(whole, branch, code, place)| (in_data(whole, branch), code, place)));
    assert_told(&in_global("index(item) a = 2;"), "constraint", "index(item)");
    assert_told(&in_global("index(item) a ~ normal(0, 1);"), "discrete-unknown", "index(item)");
    let alone = |value: &str| {
        in_data(&format!("factor f; table t by k {{ real x; }} real a = {value};"), "")
    };
    assert_told(&alone("f + 1"), "factor", "f");
    assert_told(&alone("sum(t)"), "factor", "t");
}

#[test]
fn columns_as_whole_data() {
    let table = [
        ("real a = mean(column(m));", "", "unknown-in-data", "m"),
        ("real b; real a = mean(column(b));", "", "column", "b"),
        ("real a = mean(column(y + 1));", "", "column", "column(y + 1)"),
        ("real a = mean(column(yy));", "", "unknown-name", "yy"),
        ("real a = standardize(y);", "", "branch-in-whole-data", "y"),
        ("real a = mean(column(b));", "real b = a;", "data-cycle", "a"),
    ];
    let texts = table.map(|(whole, branch, code, place)| (in_data(whole, branch), code, place));
    assert_table(texts);
    assert_told(&in_global("real a = mean(column(v));"), "column", "column(v)");
    assert_told(
        &in_local("real z ~ normal(m, s); y ~ normal(z + mean(column(y)), s);"),
        "column",
        "column(y)",
    );
}

#[test]
fn blocks_and_branches() {
    let global = "global { real m ~ normal(0, 1); }";
    let local = "local { real z ~ normal(m, 1); y ~ normal(z, 1); }";
    let two = "branch a { real y; } branch b { real x; }";
    let nested = "branch a { real y; branch b { real x; } }";
    assert_table([
        (format!("data {{ branch a {{ real y; }} }} {local}"), "missing-block", ""),
        (format!("data {{ real w; }} {global} {local} // allow: unused"), "no-branch", "data"),
        (format!("data {{ {two} }} {global} {local}"), "second-branch", "branch b"),
        (format!("data {{ {nested} }} {global} {local}"), "nested-branch", "branch b"),
    ]);
}

#[test]
fn unused_names() {
    let text = "data { int T; branch g { real x; real y; } }
                global { real a ~ normal(0, 1); real b ~ normal(0, 1); }
                local { real p ~ normal(b, 1); real q ~ normal(b, 1); y ~ normal(p, 1); }";
    let expected = ["T", "x", "a", "q"].map(|name| ("unused".to_string(), name.to_string()));
    assert_eq!(told(text), expected);
}

#[test]
fn several_errors_and_no_cascades() {
    let text = in_local(
        "real z ~ normal(mm, s); real e ~ normal(mm, -1); vector[N] k ~ normal(0, 1);
         real f = k[1] + z * e; y ~ normal(f, zz); real g ~ normal(k, f);",
    );
    let codes: Vec<String> = told(&text).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["unknown-name", "local-size", "unknown-name"]);
}

#[test]
fn allow_comments() {
    let flat = |comment: &str| in_global(&format!("real a; {comment}\n real b = a;"));
    assert_eq!(told(&flat("// allow: flat-prior")), []);
    assert_told(&flat("// allow: unused"), "flat-prior", "a");
    let codes: Vec<String> =
        told(&flat("// allow: flat-pior")).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["flat-prior", "unknown-allow"]);
}

#[test]
fn misspelt_names_get_the_nearest() {
    let (_, diags) = super::checked(
        "data { branch g { real log_radon; } }
         global { real m ~ normal(0, 1); }
         local { real z ~ normal(m, 1); log_radom ~ normal(z, 1); } // allow: unused",
    );
    assert_eq!(diags[0].help.as_deref(), Some("did you mean `log_radon`?"));
}

/// The codes of the checker stand together, and each has a row in a table above.
#[test]
fn every_code_is_shown() {
    let table = include_str!("bad.rs");
    let range = Code::UnknownName as usize..=Code::UnknownAllow as usize;
    let missing: Vec<&str> = Code::ALL[range]
        .iter()
        .map(|code| code.as_str())
        .filter(|name| !table.contains(&format!("\"{name}\"")))
        .collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
}
