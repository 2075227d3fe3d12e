// The model of models/survey.hbd: graded responses, vectorised.
data {
  int<lower=1> J; int<lower=1> N; int<lower=1> Q;
  array[N] int<lower=1, upper=J> person;
  array[N] int<lower=1, upper=Q> question;
  array[N] int<lower=1, upper=4> answer;
}
parameters {
  vector<lower=0>[Q] a;
  array[Q] ordered[3] c;
  vector[J] theta;
}
model {
  a ~ lognormal(0, 0.5);
  for (q in 1:Q) c[q] ~ normal(0, 2);
  theta ~ std_normal();
  answer ~ ordered_logistic(a[question] .* theta[person], c[question]);
}
