//! Random well-typed models, as text, with data for them.
//!
//! Expressions are built so that they stay of moderate size: products are of bounded factors,
//! scales are positive, and no function has a kink where an unknown moves. So densities are
//! finite, and central differences are close to derivatives.

use std::fmt::Write;

/// Uniform numbers by xorshift.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        let mut numbers = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        (0..8).for_each(|_| {
            numbers.below(2);
        });
        numbers
    }

    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() >> 33) as usize % n
    }

    /// Between -1 and 1.
    pub fn signed(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// A model and rows for it.
pub struct Case {
    pub model: String,
    pub csv: String,
}

/// Names in force, by what they are.
#[derive(Clone, Default)]
struct Scope {
    /// Real numbers.
    scalars: Vec<String>,
    /// Positive numbers.
    positive: Vec<String>,
    /// `vector[3]`.
    vectors: Vec<String>,
    /// `vector[N]`, in `local` alone.
    columns: Vec<String>,
    /// `matrix[3, 3]`.
    matrices: Vec<String>,
    /// Conditions that no unknown moves.
    conditions: Vec<String>,
}

/// Writes one model.
struct Writer<'a> {
    numbers: &'a mut Numbers,
    scope: Scope,
    n_names: usize,
    indent: usize,
    text: String,
}

/// A random model.
pub fn case(seed: u64) -> Case {
    let mut numbers = Numbers::new(seed);
    let csv = rows(&mut numbers);
    let mut writer = Writer {
        numbers: &mut numbers,
        scope: Scope::default(),
        n_names: 0,
        indent: 0,
        text: String::new(),
    };
    writer.model();
    Case { model: writer.text, csv }
}

const HEAD: &str = "\
functions {
  real bend(real a, real b) {
    if (b > 0) return a / (1 + exp(tanh(b)));
    real c = square(a);
    for (k in 1:3) c += tanh(a * k) / k;
    return c / 4;
  }
  vector scaled(vector v, real s) {
    vector[size(v)] r;
    for (i in 1:size(v)) r[i] = v[i] * tanh(s);
    return r;
  }
  real own_lpdf(real y, real m) {
    return -log1p(square(y - m));
  }
}
data {
  int K = 3;
  factor g;
  real x_bar = mean(column(x));
  branch id {
    rows N by t;
    vector[N] t;
    vector[N] x;
    vector[N] y;
    vector<lower=0>[N] w;
    array[N] int<lower=0> c;
    array[N] int<lower=0, upper=1> b;
    array[N] int<lower=1, upper=3> k;
    array[N] index(g) g;
    real u;
    vector[3] f from cols(\"f_*\");
  }
}
";

fn rows(numbers: &mut Numbers) -> String {
    let mut csv = "id,t,x,y,w,c,b,k,g,u,f_1,f_2,f_3\n".to_string();
    for (branch, n_rows) in [(1, 1), (2, 4), (3, 3)] {
        let u = numbers.signed();
        let f: Vec<f64> = (0..3).map(|_| numbers.signed()).collect();
        for row in 0..n_rows {
            let (x, y, w) = (numbers.signed(), 2.0 * numbers.signed(), 1.1 + numbers.signed());
            let (c, b, k) = (numbers.below(6), numbers.below(2), 1 + numbers.below(3));
            let level = ["p", "q", "r", "s"][(row + branch) % 4];
            let t = 10 - row;
            let (f1, f2, f3) = (f[0], f[1], f[2]);
            writeln!(csv, "{branch},{t},{x},{y},{w},{c},{b},{k},{level},{u},{f1},{f2},{f3}")
                .expect("text grows");
        }
    }
    csv
}

impl Writer<'_> {
    fn model(&mut self) {
        self.text.push_str(HEAD);
        self.scope.conditions = vec!["x_bar > 0.1".into(), "K == 3".into(), "size(g) < 3".into()];
        self.line("global {");
        for _ in 0..2 + self.numbers.below(4) {
            self.global();
        }
        for _ in 0..self.numbers.below(3) {
            self.derived();
        }
        self.line("}");
        self.line("local {");
        for name in ["u", "x_bar"] {
            self.scope.scalars.push(name.into());
        }
        self.scope.vectors.push("f".into());
        self.scope.columns.extend(["x".into(), "(t / 10)".into()]);
        self.scope.conditions.extend(["u > 0".into(), "N > 2".into(), "sum(b) == 1".into()]);
        for _ in 0..1 + self.numbers.below(2) {
            self.local();
        }
        for _ in 0..self.numbers.below(4) {
            self.derived();
        }
        for _ in 0..1 + self.numbers.below(3) {
            self.outcome();
        }
        self.line("}");
    }

    fn line(&mut self, text: &str) {
        if text.starts_with('}') {
            self.indent -= 2;
        }
        let _ = writeln!(self.text, "{:1$}{text}", "", self.indent);
        if text.ends_with('{') {
            self.indent += 2;
        }
    }

    fn name(&mut self) -> String {
        self.n_names += 1;
        format!("v{}", self.n_names)
    }

    fn global(&mut self) {
        let name = self.name();
        match self.numbers.below(11) {
            0 | 1 => {
                let (m, s) = (self.scalar(1), self.positive(1));
                let law =
                    self.numbers.pick(&["normal", "cauchy", "double_exponential", "logistic"]);
                self.line(&format!("real {name} ~ {law}({m}, {s});"));
                self.scope.scalars.push(name);
            }
            2 | 3 => {
                let s = self.positive(1);
                let law = match self.numbers.below(6) {
                    0 => format!("gamma(2, {s})"),
                    1 => format!("exponential({s})"),
                    2 => format!("lognormal(0, {s})"),
                    3 => format!("inv_gamma(3, {s})"),
                    4 => format!("weibull(1.5, {s})"),
                    _ => "normal(0, 1)".to_string(),
                };
                self.line(&format!("real<lower=0> {name} ~ {law};"));
                self.scope.positive.push(name);
            }
            4 => {
                self.line(&format!("real<lower=-1, upper=2> {name};"));
                self.scope.scalars.push(name);
            }
            5 => {
                let s = self.positive(1);
                self.line(&format!("vector[K] {name} ~ student_t(4, 0, {s});"));
                self.scope.vectors.push(name);
            }
            6 => {
                self.line(&format!("ordered[K] {name} ~ normal(0, 2);"));
                self.scope.vectors.push(name);
            }
            7 => {
                self.line(&format!("simplex[K] {name} ~ dirichlet(rep_vector(2, K));"));
                self.scope.vectors.push(name);
            }
            8 => {
                self.line(&format!("cholesky_factor_corr[K] {name} ~ lkj_corr_cholesky(2);"));
                self.scope.matrices.push(name);
            }
            9 => {
                let s = self.positive(1);
                self.line(&format!("vector[size(g)] {name} ~ normal(0, {s});"));
                self.scope.vectors.push(format!("head({name}, 3)"));
                self.scope.conditions.push("K > 3".to_string());
            }
            _ => {
                self.line(&format!("positive_ordered[K] {name} ~ exponential(1);"));
                self.scope.vectors.push(name);
            }
        }
    }

    fn local(&mut self) {
        let name = self.name();
        match self.numbers.below(7) {
            0 | 1 => {
                let (m, s) = (self.scalar(2), self.positive(1));
                self.line(&format!("real {name} ~ normal({m}, {s});"));
                self.scope.scalars.push(name);
            }
            2 => {
                let (m, s) = (self.scalar(1), self.positive(1));
                self.line(&format!("real {name} ~ student_t(5, {m}, {s});"));
                self.scope.scalars.push(name);
            }
            3 => {
                let (a, b) = (self.positive(1), self.positive(1));
                self.line(&format!("real<lower=0> {name} ~ gamma({a}, {b});"));
                self.scope.positive.push(name);
            }
            4 => {
                let (m, l) = (self.vector(1), self.factor());
                self.line(&format!("vector[K] {name} ~ multi_normal_cholesky({m}, {l});"));
                self.scope.vectors.push(name);
            }
            5 => {
                let (a, b) = (self.positive(1), self.positive(1));
                self.line(&format!("real<lower=0, upper=1> {name} ~ beta({a}, {b});"));
                self.scope.scalars.push(name);
            }
            _ => {
                let s = self.positive(1);
                self.line(&format!("simplex[K] {name} ~ dirichlet(rep_vector({s}, K));"));
                self.scope.vectors.push(name);
            }
        }
    }

    /// A derived quantity, or one that a loop or a condition fills.
    fn derived(&mut self) {
        let name = self.name();
        match self.numbers.below(6) {
            0 => {
                let value = self.scalar(3);
                self.line(&format!("real {name} = {value};"));
                self.scope.scalars.push(name);
            }
            1 => {
                let value = self.vector(2);
                self.line(&format!("vector[K] {name} = {value};"));
                self.scope.vectors.push(name);
            }
            2 => {
                let (condition, start) = (self.condition(), self.scalar(1));
                self.line(&format!("real {name} = {start};"));
                let (a, b) = (self.scalar(2), self.scalar(2));
                self.line(&format!("if ({condition}) {{"));
                self.line(&format!("{name} = {a};"));
                self.line("} else {");
                self.line(&format!("{name} += tanh({b});"));
                self.line("}");
                self.scope.scalars.push(name);
            }
            3 => {
                let value = self.vector(1);
                self.line(&format!("vector[K] {name} = {value};"));
                let step = self.scalar(1);
                self.line("for (i in 2:K) {");
                self.line(&format!("{name}[i] = 0.5 * {name}[i - 1] + tanh({step}) * i;"));
                self.line("}");
                self.scope.vectors.push(name);
            }
            4 => {
                let value = self.scalar(1);
                self.line(&format!("real {name} = 0;"));
                let over = self.vector(1);
                self.line(&format!("for (e in {over}) {{"));
                self.line(&format!("{name} += tanh(e) * {value};"));
                self.line("}");
                self.scope.scalars.push(name);
            }
            _ => {
                let (l, m) = (self.factor(), self.vector(1));
                self.line(&format!("vector[K] {name} = tanh({l} * {m});"));
                self.scope.vectors.push(name);
            }
        }
    }

    fn outcome(&mut self) {
        match self.numbers.below(13) {
            0 | 1 => {
                let (m, s) = (self.column(3), self.positive(2));
                self.line(&format!("y ~ normal({m}, {s});"));
            }
            2 => {
                let (m, s) = (self.column(2), self.positive(1));
                self.line(&format!("y ~ student_t(3, {m}, {s});"));
            }
            3 => {
                let m = self.column(2);
                self.line(&format!("c ~ poisson_log({m});"));
            }
            4 => {
                let (m, s) = (self.column(2), self.positive(1));
                self.line(&format!("c ~ neg_binomial_2_log({m}, {s});"));
            }
            5 => {
                let m = self.column(3);
                self.line(&format!("b ~ bernoulli_logit({m});"));
            }
            6 => {
                let (a, s) = (self.positive(1), self.positive(1));
                self.line(&format!("w ~ gamma({a}, {s});"));
            }
            7 => {
                let m = self.vector(2);
                self.line(&format!("k ~ categorical_logit({m});"));
            }
            8 => {
                let (r, s) = (self.scalar(1), self.positive(1));
                self.line("for (n in 2:N) {");
                self.line(&format!("y[n] ~ normal(tanh({r}) * y[n - 1], {s});"));
                self.line("}");
            }
            9 => {
                let (p, a, c, s) =
                    (self.scalar(1), self.scalar(2), self.scalar(1), self.positive(1));
                self.line("for (n in 1:N) {");
                self.line(&format!(
                    "target += log_mix(inv_logit({p}), normal_lpdf(y[n] | {a}, {s}), \
                     normal_lpdf(y[n] | {c}, 2));"
                ));
                self.line("}");
            }
            10 => {
                let (a, s) = (self.scalar(2), self.positive(1));
                self.line("for (n in 1:N) {");
                self.line("if (b[n] == 1) {");
                self.line(&format!("w[n] ~ lognormal({a}, {s});"));
                self.line("} else {");
                self.line(&format!("target += normal_lccdf(w[n] | {a}, {s});"));
                self.line("}");
                self.line("}");
            }
            11 => {
                let m = self.scalar(2);
                self.line(&format!("for (n in 1:N) y[n] ~ own({m});"));
            }
            _ => {
                let (m, v) = (self.vector(1), self.vector(1));
                self.line("{");
                self.line("array[3, 3] real lp;");
                self.line("for (i in 1:3) for (j in 1:3) {");
                self.line(&format!("lp[i, j] = tanh(({m})[i]) * j - abs(i - j) * 0.3;"));
                self.line("}");
                self.line(&format!("vector[3] forward = log_softmax({v});"));
                self.line("for (n in 1:N) {");
                self.line("vector[3] next;");
                self.line("for (j in 1:3) {");
                self.line("next[j] = log_sum_exp(forward + to_vector(lp[, j]))");
                self.line("  + normal_lpdf(y[n] | j - 2, 1.5);");
                self.line("}");
                self.line("forward = next;");
                self.line("}");
                self.line("target += log_sum_exp(forward);");
                self.line("}");
            }
        }
    }

    fn condition(&mut self) -> String {
        let n = self.scope.conditions.len();
        let first = self.scope.conditions[self.numbers.below(n)].clone();
        match self.numbers.below(4) {
            0 => format!("!({first})"),
            1 => {
                let second = self.scope.conditions[self.numbers.below(n)].clone();
                let op = self.numbers.pick(&["&&", "||"]);
                format!("{first} {op} {second}")
            }
            _ => first,
        }
    }

    fn number(&mut self) -> String {
        let x = self.numbers.signed();
        match x < 0.0 {
            true => format!("({x:.3})"),
            false => format!("{x:.3}"),
        }
    }

    fn known(&mut self, kind: fn(&Scope) -> &Vec<String>) -> Option<String> {
        let n = kind(&self.scope).len();
        (n > 0).then(|| kind(&self.scope)[self.numbers.below(n)].clone())
    }

    /// A real number of moderate size.
    fn scalar(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.numbers.below(5) {
                0 => self.number(),
                1 => match self.known(|s| &s.vectors) {
                    Some(vector) => format!("({vector})[{}]", 1 + self.numbers.below(3)),
                    None => self.number(),
                },
                2 => match self.known(|s| &s.matrices) {
                    Some(matrix) => format!("{matrix}[3, {}]", 1 + self.numbers.below(3)),
                    None => self.number(),
                },
                _ => self.known(|s| &s.scalars).unwrap_or_else(|| self.number()),
            };
        }
        let inner = depth - 1;
        match self.numbers.below(18) {
            0 | 1 => format!("({} + {})", self.scalar(inner), self.scalar(inner)),
            2 => format!("({} - {})", self.scalar(inner), self.scalar(inner)),
            3 => format!("(tanh({}) * {})", self.scalar(inner), self.scalar(inner)),
            4 => format!("({} / (1 + square({})))", self.scalar(inner), self.scalar(inner)),
            5 => {
                let function = self.numbers.pick(&[
                    "tanh",
                    "inv_logit",
                    "sin",
                    "cos",
                    "atan",
                    "log1p_exp",
                    "Phi",
                    "log_inv_logit",
                    "asinh",
                    "Phi_approx",
                ]);
                format!("{function}({})", self.scalar(inner))
            }
            6 => format!("log({})", self.positive(inner)),
            7 => format!("lgamma(1 + {})", self.positive(inner)),
            8 => format!("log_sum_exp({}, {})", self.scalar(inner), self.scalar(inner)),
            9 => format!("fma(tanh({}), 0.5, {})", self.scalar(inner), self.scalar(inner)),
            10 => format!("(dot_product({}, {}) / 3)", self.vector(inner), self.vector(0)),
            11 => format!("{}({})", self.numbers.pick(&["sum", "mean"]), self.vector(inner)),
            12 => format!("log_sum_exp({})", self.vector(inner)),
            13 => {
                let condition = self.condition();
                format!("({condition} ? {} : {})", self.scalar(inner), self.scalar(inner))
            }
            14 => format!("bend({}, {})", self.scalar(inner), self.number()),
            15 => format!("pow({}, tanh({}))", self.positive(inner), self.scalar(inner)),
            16 => format!("dot_self(tanh({}))", self.vector(inner)),
            _ => format!("(-{})", self.scalar(inner)),
        }
    }

    /// A number between about 0.2 and 5.
    fn positive(&mut self, depth: usize) -> String {
        match self.numbers.below(4) {
            0 => format!("exp(tanh({}))", self.scalar(depth.saturating_sub(1))),
            1 => match self.known(|s| &s.positive) {
                Some(name) => format!("(0.2 + {name})"),
                None => "0.7".to_string(),
            },
            2 => format!("{:.3}", 1.2 + self.numbers.signed()),
            _ => format!("(0.3 + inv_logit({}))", self.scalar(depth.saturating_sub(1))),
        }
    }

    /// A `vector[3]`.
    fn vector(&mut self, depth: usize) -> String {
        if depth == 0 {
            let (a, b, c) = (self.number(), self.number(), self.number());
            return self.known(|s| &s.vectors).unwrap_or(format!("[{a}, {b}, {c}]'"));
        }
        let inner = depth - 1;
        match self.numbers.below(11) {
            0 => format!("({} + {})", self.vector(inner), self.vector(inner)),
            1 => format!("(tanh({}) .* {})", self.vector(inner), self.vector(inner)),
            2 => format!("(tanh({}) * {})", self.scalar(inner), self.vector(inner)),
            3 => format!("({} - {})", self.vector(inner), self.scalar(inner)),
            4 => format!("{}({})", self.numbers.pick(&["softmax", "tanh"]), self.vector(inner)),
            5 => format!("[{}, {}, {}]'", self.scalar(inner), self.number(), self.scalar(inner)),
            6 => format!("scaled({}, {})", self.vector(inner), self.scalar(inner)),
            7 => format!("append_row({}, ({})[2:3])", self.scalar(inner), self.vector(inner)),
            8 => format!("reverse({})", self.vector(inner)),
            9 => format!("(cumulative_sum({}) / 2)", self.vector(inner)),
            _ => format!("({})[{{3, 1, 2}}]", self.vector(inner)),
        }
    }

    /// A lower triangular `matrix[3, 3]` with a positive diagonal.
    fn factor(&mut self) -> String {
        let matrix = self.known(|s| &s.matrices).unwrap_or("diag_matrix(rep_vector(1, K))".into());
        match self.numbers.below(2) {
            0 => format!("diag_pre_multiply(exp(tanh({})), {matrix})", self.vector(1)),
            _ => matrix,
        }
    }

    /// A `vector[N]`.
    fn column(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.known(|s| &s.columns) {
                Some(column) => column,
                None => "x".to_string(),
            };
        }
        let inner = depth - 1;
        match self.numbers.below(8) {
            0 => format!("({} + {})", self.column(inner), self.column(inner)),
            1 => format!("(tanh({}) * {})", self.scalar(inner), self.column(inner)),
            2 => format!("({} + {})", self.scalar(inner), self.column(inner)),
            3 => format!("tanh({})", self.column(inner)),
            4 => format!("({})[k]", self.vector(inner)),
            5 => format!("(tanh({})[k] .* {})", self.vector(inner), self.column(inner)),
            6 => format!("scaled({}, {})", self.column(inner), self.scalar(inner)),
            _ => format!("(to_vector(b) * tanh({}))", self.scalar(inner)),
        }
    }
}
