// Varying intercepts and slopes: vectorised
data {
  int<lower=1> J; int<lower=1> N;
  vector[N] x; vector[N] y;
  array[N] int<lower=1, upper=J> group;
  array[J] int start; array[J] int n;            // start is 1-based
}
parameters {
  real mu_a; real mu_b; real ls_a; real ls_b; real ls_y;   // ls_*: log standard deviations
  vector[J] a; vector[J] b;
}
model {
  mu_a ~ normal(0, 10); mu_b ~ normal(0, 10);
  ls_a ~ std_normal(); ls_b ~ std_normal(); ls_y ~ std_normal();
  a ~ normal(mu_a, exp(ls_a));
  b ~ normal(mu_b, exp(ls_b));
  y ~ normal(a[group] + b[group] .* x, exp(ls_y));
}
