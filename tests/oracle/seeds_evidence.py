"""The log evidence of models/seeds.hbd, computed apart from hbdc.

    python tests/oracle/seeds_evidence.py

The effect of each plate is integrated out on a fine grid; over the five globals (sigma as its
logarithm) the integral is taken by importance sampling from a Student t with four degrees of
freedom that is fitted in rounds. Prints the estimate of each round with its standard error; the
last was -63.901 +- 0.004. A declared bound does not renormalise a prior, so sigma's is the
Cauchy density itself. Needs numpy.
"""

import csv
from math import lgamma, log, pi
from pathlib import Path

import numpy as np

DF = 4
DIMENSIONS = 5

path = Path(__file__).resolve().parents[2] / "models" / "seeds.csv"
rows = list(csv.DictReader(path.open()))
column = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
successes, trials = column["germinated"], column["seeds"]
kind, extract = column["seed_type"], column["root_extract"]
design = np.stack([np.ones_like(kind), kind, extract, kind * extract], 1)
log_choose = np.array(
    [lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) for n, k in zip(trials, successes)]
)
# Plate effects in units of sigma.
grid = np.linspace(-9, 9, 721)
log_weights = np.log(grid[1] - grid[0]) - 0.5 * grid**2 - 0.5 * log(2 * pi)


def log_joint(theta):
    """log p(theta, y) with the plates integrated out, one row of theta each."""
    scale = np.exp(theta[:, 4])
    total = (-0.5 * theta[:, :4] ** 2 - 0.5 * log(2 * pi)).sum(1)
    total += -log(pi) - np.log1p(scale**2) + theta[:, 4]
    means = theta[:, :4] @ design.T
    for i, (k, n) in enumerate(zip(successes, trials)):
        eta = means[:, i][:, None] + scale[:, None] * grid
        terms = log_choose[i] - k * np.logaddexp(0, -eta) - (n - k) * np.logaddexp(0, eta)
        terms += log_weights
        top = terms.max(1)
        total += top + np.log(np.exp(terms - top[:, None]).sum(1))
    return total


def main():
    random = np.random.default_rng(7)
    mean = np.array([-0.46, -0.05, 1.19, -0.6, -1.2])
    covariance = np.diag([0.19, 0.3, 0.26, 0.4, 0.6]) ** 2
    for draws in [6000, 6000, 6000, 60000]:
        factor = np.linalg.cholesky(covariance)
        spread = np.sqrt(random.chisquare(DF, draws) / DF)[:, None]
        unit = random.normal(size=(draws, DIMENSIONS)) / spread
        theta = mean + unit @ factor.T
        constant = lgamma((DF + DIMENSIONS) / 2) - lgamma(DF / 2) - DIMENSIONS / 2 * log(DF * pi)
        log_q = constant - np.log(np.diag(factor)).sum()
        log_q = log_q - (DF + DIMENSIONS) / 2 * np.log1p((unit**2).sum(1) / DF)
        parts = [log_joint(theta[at : at + 2000]) for at in range(0, draws, 2000)]
        log_ratio = np.concatenate(parts) - log_q
        top = log_ratio.max()
        weights = np.exp(log_ratio - top)
        error = weights.std() / weights.mean() / np.sqrt(draws)
        print(f"{top + np.log(weights.mean()):.4f} +- {error:.4f}")
        weights /= weights.sum()
        mean = weights @ theta
        centred = theta - mean
        covariance = centred.T @ (centred * weights[:, None])


main()
