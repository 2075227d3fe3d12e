// The model of models/ticks.hbd: negative binomial counts with exposure, vectorised.
data {
  int<lower=1> J; int<lower=1> N;
  array[N] int<lower=1, upper=J> plot;
  array[N] int<lower=0> ticks;
  vector[N] log_metres; vector[N] h;
}
parameters {
  real alpha; real beta; real<lower=0> sigma; real<lower=0> phi;
  vector[J] a;
}
model {
  alpha ~ normal(-3, 2);
  beta ~ normal(0, 1);
  sigma ~ normal(0, 1);
  phi ~ gamma(2, 0.5);
  a ~ normal(alpha, sigma);
  ticks ~ neg_binomial_2_log(log_metres + a[plot] + beta * h, phi);
}
