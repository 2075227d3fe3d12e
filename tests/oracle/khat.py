"""Writes khat.csv: k-hat and the effective size of smoothed weights by ArviZ's psislw.

    python tests/oracle/khat.py > tests/oracle/khat.csv

Needs numpy and arviz (0.2x; written with 0.23.4). The log weights are quantiles of named
distributions, so that the test can make the same ones.
"""

import sys

sys.path.pop(0)  # arviz.py of this folder is not the package

import numpy as np
from arviz import psislw


def log_weights(kind, parameter, n):
    p = (np.arange(n) + 0.5) / n
    if kind == "pareto":
        return np.log(((1 - p) ** -parameter - 1) / parameter)
    if kind == "exponential":
        return np.log(-np.log(1 - p)) * parameter
    if kind == "uniform":
        return parameter * p
    if kind == "logistic":
        return parameter * np.log(p / (1 - p))
    raise ValueError(kind)


ROWS = [
    *(("pareto", k, n) for k in (0.1, 0.5, 0.7, 1.3) for n in (101, 1009, 10007)),
    *(("exponential", s, n) for s in (0.5, 3.0) for n in (257, 4001)),
    *(("uniform", s, 1009) for s in (0.01, 2.0, 30.0)),
    *(("logistic", s, 2003) for s in (0.3, 1.0, 2.5)),
]

print("kind,parameter,n,khat,ess")
for kind, parameter, n in ROWS:
    smoothed, khat = psislw(log_weights(kind, parameter, n))
    ess = 1 / np.sum(np.exp(2 * smoothed))
    print(f"{kind},{parameter},{n},{float(khat)!r},{float(ess)!r}")
