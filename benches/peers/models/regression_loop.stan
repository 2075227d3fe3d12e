// Varying intercepts and slopes: scalar loop over observations
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
  for (j in 1:J) {
    a[j] ~ normal(mu_a, exp(ls_a));
    b[j] ~ normal(mu_b, exp(ls_b));
  }
  for (i in 1:N) y[i] ~ normal(a[group[i]] + b[group[i]] * x[i], exp(ls_y));
}
