// The model of models/rats.hbd: growth lines of rats, vectorised.
data {
  int<lower=1> J; int<lower=1> N;
  array[N] int<lower=1, upper=J> rat;
  vector[N] age; vector[N] weight;
}
parameters {
  real mu_alpha; real mu_beta;
  real<lower=0> sigma_y; real<lower=0> sigma_alpha; real<lower=0> sigma_beta;
  vector[J] alpha; vector[J] beta;
}
model {
  mu_alpha ~ normal(0, 100);
  mu_beta ~ normal(0, 100);
  alpha ~ normal(mu_alpha, sigma_alpha);
  beta ~ normal(mu_beta, sigma_beta);
  weight ~ normal(alpha[rat] + beta[rat] .* age, sigma_y);
}
