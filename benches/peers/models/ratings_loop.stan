// Ratings by users with ten tastes each: scalar loop over ratings
data {
  int<lower=1> I; int<lower=1> R; int<lower=1> M; int<lower=1> D;
  matrix[M, D] X;
  array[I] int start; array[I] int n;            // start is 1-based
  array[R] int<lower=1, upper=M> movie;
  array[R] int<lower=0, upper=1> y;
}
parameters {
  vector[D] mu;
  vector[(D * (D + 1)) %/% 2] psi;                // row-major lower triangle, log on the diagonal
  array[I] vector[D] z;
}
transformed parameters {
  matrix[D, D] L = rep_matrix(0, D, D);
  {
    int k = 1;
    for (a in 1:D) for (b in 1:a) {
      L[a, b] = a == b ? exp(psi[k]) : psi[k];
      k += 1;
    }
  }
}
model {
  mu ~ std_normal();
  psi ~ std_normal();
  for (i in 1:I) {
    z[i] ~ multi_normal_cholesky(mu, L);
    for (r in start[i]:(start[i] + n[i] - 1))
      y[r] ~ bernoulli_logit(X[movie[r]] * z[i]);
  }
}
