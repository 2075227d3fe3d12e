// Ratings by users with ten tastes each: one bernoulli_logit_glm per user on a materialised design matrix
data {
  int<lower=1> I; int<lower=1> R; int<lower=1> M; int<lower=1> D;
  matrix[M, D] X;
  array[I] int start; array[I] int n;            // start is 1-based
  array[R] int<lower=1, upper=M> movie;
  array[R] int<lower=0, upper=1> y;
}
transformed data {
  matrix[R, D] Xr = X[movie];
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
  z ~ multi_normal_cholesky(mu, L);
  for (i in 1:I) {
    int s = start[i]; int e = start[i] + n[i] - 1;
    y[s:e] ~ bernoulli_logit_glm(Xr[s:e], 0, z[i]);
  }
}
