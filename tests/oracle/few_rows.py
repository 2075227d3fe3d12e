"""Many branches with few rows: writes few_rows.hbd and few_rows.csv and prints the exact posterior.

    python tests/oracle/few_rows.py            (numpy, scipy; about a minute)
    hbdc fit few_rows.hbd --data few_rows.csv

2000 branches of three rows, y ~ bernoulli_logit(b1 + b2 x), b ~ normal(mu, tau). Both locals are
integrated out by a product of Gauss-Hermite rules on their prior, and means and standard deviations of the
globals come from 400 draws of Student's t at the mode, weighted by importance.
"""

import numpy as np
from scipy.optimize import minimize

MODEL = """data { branch group { rows N; vector[N] x; array[N] int<lower=0, upper=1> y; } }
global { vector[2] mu ~ normal(0, 1); vector<lower=0>[2] tau ~ normal(0, 1); }
local { vector[2] b ~ normal(mu, tau); y ~ bernoulli_logit(b[1] + b[2] * x); }
"""
BRANCHES, ROWS = 2000, 3
NAMES = ["mu[1]", "mu[2]", "tau[1]", "tau[2]"]


def simulate():
    rng = np.random.default_rng(1)
    x, y = np.zeros((BRANCHES, ROWS)), np.zeros((BRANCHES, ROWS), int)
    for i in range(BRANCHES):
        b = np.array([0.5, -0.3]) + np.array([1.0, 0.8]) * rng.normal(size=2)
        for r in range(ROWS):
            x[i, r] = rng.normal()
            y[i, r] = rng.random() < 1 / (1 + np.exp(-(b[0] + b[1] * x[i, r])))
    return x.round(4), y


def log_posterior_of(x, y):
    """Of (mu, log tau), with the Jacobian; but for a constant."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    weights = weights / np.sqrt(2 * np.pi)
    first, second = (grid.ravel() for grid in np.meshgrid(nodes, nodes, indexing="ij"))
    product = np.outer(weights, weights).ravel()
    kept = product > 1e-12
    first, second, product = first[kept], second[kept], product[kept]
    sign = 2 * y - 1

    def log_posterior(t):
        mu, tau = t[:2], np.exp(t[2:])
        slope = mu[1] + tau[1] * second
        eta = mu[0] + tau[0] * first + x[:, :, None] * slope
        log_likelihood = -np.logaddexp(0, -sign[:, :, None] * eta).sum(1)
        of_branches = np.log(np.exp(log_likelihood) @ product).sum()
        return of_branches - 0.5 * (mu @ mu + tau @ tau) + t[2] + t[3]

    return log_posterior


def curvature(f, at, steps):
    unit = np.diag(steps)
    pair = lambda a, b: f(at + a + b) - f(at + a - b) - f(at - a + b) + f(at - a - b)
    return np.array([[-pair(a, b) / (4 * a.sum() * b.sum()) for b in unit] for a in unit])


def main():
    x, y = simulate()
    with open("few_rows.hbd", "w") as file:
        file.write(MODEL)
    with open("few_rows.csv", "w") as file:
        file.write("group,x,y\n")
        for i, r in np.ndindex(x.shape):
            file.write(f"{i},{x[i, r]:.4f},{y[i, r]}\n")
    f = log_posterior_of(x, y)
    options = {"xatol": 1e-4, "fatol": 1e-4}
    start = [0.5, -0.3, 0.0, -0.2]
    mode = minimize(lambda t: -f(t), start, method="Nelder-Mead", options=options).x
    scale = np.linalg.cholesky(1.1 * np.linalg.inv(curvature(f, mode, [0.03, 0.03, 0.05, 0.08])))
    rng, count, freedom = np.random.default_rng(0), 400, 6
    z = rng.normal(size=(count, 4)) * np.sqrt(freedom / rng.chisquare(freedom, count))[:, None]
    draws = mode + z @ scale.T
    log_q = -(freedom + 4) / 2 * np.log1p((z**2).sum(1) / freedom)
    log_weights = np.array([f(t) for t in draws]) - log_q
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    draws[:, 2:] = np.exp(draws[:, 2:])
    mean = weights @ draws
    sd = np.sqrt(weights @ (draws - mean) ** 2)
    print(f"worth {1 / (weights**2).sum():.0f} of {count} draws")
    for name, m, s in zip(NAMES, mean, sd):
        print(f"{name}  {m:.4f} +- {s:.4f}")


if __name__ == "__main__":
    main()
