"""Log densities with every constant, log-Jacobians of Stan's transforms at constrained values, and
draws of Cholesky factors, for models.py. Needs numpy and scipy.
"""

import numpy as np
from numpy import exp, log
from scipy import stats
from scipy.special import betaln, gammaln, log_expit

# ---- densities, with every constant ----


def normal(x, loc=0.0, scale=1.0):
    return np.sum(stats.norm.logpdf(x, loc, scale))


def cauchy(x, loc, scale):
    return np.sum(stats.cauchy.logpdf(x, loc, scale))


def lognormal(x, loc, scale):
    return np.sum(stats.norm.logpdf(log(x), loc, scale) - log(x))


def gamma(x, shape, rate):
    return np.sum(shape * log(rate) - gammaln(shape) + (shape - 1) * log(x) - rate * x)


def beta(x, a, b):
    return np.sum((a - 1) * log(x) + (b - 1) * np.log1p(-x) - betaln(a, b))


def student_t(x, df, loc, scale):
    return np.sum(stats.t.logpdf(x, df, loc, scale))


def pareto(x, lowest, shape):
    return log(shape) + shape * log(lowest) - (shape + 1) * log(x)


def dirichlet(x, alpha):
    return gammaln(np.sum(alpha)) - np.sum(gammaln(alpha)) + np.sum((alpha - 1) * log(x))


def poisson_log(k, eta):
    return np.sum(k * eta - exp(eta) - gammaln(k + 1))


def neg_binomial_2_log(k, eta, phi):
    choose = gammaln(k + phi) - gammaln(k + 1) - gammaln(phi)
    total = np.logaddexp(eta, log(phi))
    return np.sum(choose + phi * (log(phi) - total) + k * (eta - total))


def log_choose(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def binomial_logit(k, n, eta):
    return np.sum(log_choose(n, k) + k * log_expit(eta) + (n - k) * log_expit(-eta))


def bernoulli_logit(k, eta):
    return np.sum(np.where(k == 1, log_expit(eta), log_expit(-eta)))


def ordered_logistic(k, eta, cutpoints):
    """Rows of `cutpoints` belong to rows of the outcome; categories from 1."""
    total = 0.0
    for category, location, c in zip(k.astype(int), eta, cutpoints):
        ends = np.concatenate([[-np.inf], c, [np.inf]]) - location
        lower, upper = ends[category - 1], ends[category]
        # P(lower < X <= upper) of the standard logistic.
        log_upper, log_lower = log_expit(upper), log_expit(lower)
        total += log_upper + np.log1p(-exp(log_lower - log_upper))
    return total


def multi_normal_cholesky(x, loc, factor):
    z = np.linalg.solve(factor, x - loc)
    return normal(z) - np.sum(log(np.diag(factor)))


def lkj_corr_cholesky(factor, eta):
    """Lewandowski, Kurowicka and Joe (2009), equation 16, times the Jacobian of the factor."""
    n = len(factor)
    log_c = sum(
        (2 * eta - 2 + n - k) * (n - k) * log(2)
        + (n - k) * betaln(eta + (n - k - 1) / 2, eta + (n - k - 1) / 2)
        for k in range(1, n)
    )
    kernel = sum((n - k + 2 * eta - 2) * log(factor[k - 1, k - 1]) for k in range(2, n + 1))
    return kernel - log_c


# ---- transforms: the log-Jacobian at a constrained value ----


def free(x):
    return 0.0


def above(bound):
    return lambda x: np.sum(log(x - bound))


def between(lower, upper):
    def log_jacobian(x):
        u = (x - lower) / (upper - lower)
        return np.sum(log(upper - lower) + log(u) + np.log1p(-u))

    return log_jacobian


def ordered(x):
    return np.sum(log(np.diff(x, axis=-1)))


def simplex(x):
    x = np.atleast_2d(x)
    return len(x) * 0.5 * log(x.shape[1]) + np.sum(log(x))


def cholesky_corr(factor):
    total = 0.0
    for i in range(1, len(factor)):
        used = 0.0
        for j in range(i):
            partial = factor[i, j] / np.sqrt(1 - used)
            total += np.log1p(-(partial**2)) + (0.5 * np.log1p(-used) if j > 0 else 0.0)
            used += factor[i, j] ** 2
    return total


def random_factor(rng, n):
    covariance = stats.wishart.rvs(n + 4, np.eye(n), random_state=rng)
    sd = np.sqrt(np.diag(covariance))
    return np.linalg.cholesky(covariance / np.outer(sd, sd))
