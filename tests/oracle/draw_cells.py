"""Writes draw_cells.csv: the probabilities of cells that draws of counts, categories, vectors and
factors are sorted into, for chi-square tests of the samplers.

Distribution functions are scipy's. The tests together raise a false alarm with probability
1e-4: each has that divided by the number of lines. Needs numpy and scipy; run it in this
directory: python3 draw_cells.py

Columns: distribution, length of the outcome (1 for a number), arguments (separated by `;`,
each its numbers separated by spaces), statistic of a draw, upper ends of all cells but the
last (a cell contains its upper end), their probabilities (the last cell's too), the threshold
of the chi-square statistic.

Statistics: `value` of a number; `combination` with these weights of a vector; `share` of an
element in the sum of it and another; `distance`, the quadratic form of a vector from its
location in its inverse covariance; `correlation` of two variables by their factor.
"""

import numpy as np
from scipy import stats

DRAWS = 20_000
LEVELS = np.concatenate([[0.001, 0.01, 0.05], np.arange(1, 10) / 10, [0.95, 0.99, 0.999]])


def settings():
    """Distribution, length, arguments, statistic, and a frozen distribution of it."""
    for p in [1e-3, 0.37, 0.5, 0.9]:
        yield "bernoulli", 1, [p], "value", stats.bernoulli(p)
    for eta in [-5.0, -0.3, 0.0, 2.5]:
        yield "bernoulli_logit", 1, [eta], "value", stats.bernoulli(1 / (1 + np.exp(-eta)))
    for n, p in [(1, 0.3), (20, 0.5), (20, 0.04), (45, 0.97), (100, 0.3),
                 (1000, 0.011), (10**6, 0.62), (10**9, 4e-9), (10**9, 0.25), (10**9, 1 - 1e-6), (10**15, 0.5)]:
        yield "binomial", 1, [n, p], "value", stats.binom(n, p)
    for n, eta in [(12, 0.4), (80, -3.0), (5000, 2.2), (10**9, -19.0), (10**9, 14.0)]:
        yield "binomial_logit", 1, [n, eta], "value", stats.binom(n, 1 / (1 + np.exp(-eta)))
    for n, a, b in [(1, 2.0, 3.0), (20, 0.3, 0.7), (50, 30.0, 4.0), (1000, 1e-2, 2e-2), (300, 1e8, 3e8)]:
        yield "beta_binomial", 1, [n, a, b], "value", stats.betabinom(n, a, b)
    for rate in [1e-3, 0.6, 3.0, 9.99, 10.0, 13.3, 47.0, 1000.5, 1e6, 1e9, 1e13]:
        yield "poisson", 1, [rate], "value", stats.poisson(rate)
    for eta in [-6.0, 0.0, 2.31, 9.5]:
        yield "poisson_log", 1, [eta], "value", stats.poisson(np.exp(eta))
    for shape, rate in [(1e-3, 0.1), (0.4, 0.2), (3.0, 2.0), (250.0, 0.01), (1e9, 1e8)]:
        yield "neg_binomial", 1, [shape, rate], "value", stats.nbinom(shape, rate / (1 + rate))
    for mean, shape in [(1e-2, 5.0), (3.0, 0.1), (40.0, 2.5), (1e6, 12.0), (30.0, 1e10), (1e5, 1e7)]:
        yield "neg_binomial_2", 1, [mean, shape], "value", stats.nbinom(shape, shape / (shape + mean))
        eta = float(np.log(mean))
        yield "neg_binomial_2_log", 1, [eta, shape], "value", stats.nbinom(shape, shape / (shape + np.exp(eta)))
    for theta in [[0.25, 0.75], [0.999, 0.001], [0.125, 0.0, 0.5, 0.375, 0.0], [0.05] * 20]:
        yield "categorical", 1, [theta], "value", categories(theta)
    for eta in [[0.0, 1.5], [3.0] * 3, [-800.0, 1000.0, 1000.5, 999.0], [0.1 * k for k in range(15)]]:
        weights = np.exp(np.array(eta) - max(eta))
        yield "categorical_logit", 1, [eta], "value", categories(weights / weights.sum())
    for eta, cuts in [(-1.0, [0.5]), (1e5, [1e5, 1e5 + 0.25]), (0.4, [-2.0, 0.0, 0.1, 3.0]), (100.0, [99.0, 101.0])]:
        at_least = np.concatenate([[1], 1 / (1 + np.exp(np.array(cuts) - eta)), [0]])
        yield "ordered_logistic", 1, [eta, cuts], "value", categories(-np.diff(at_least))
    for alpha in [[1.0, 1.0], [1e-3, 2e-3, 1e-3], [0.5, 8.0, 120.0, 3.0], [1e8, 3e8]]:
        whole = sum(alpha)
        for k in [0, len(alpha) - 1]:
            weights = " ".join("1" if j == k else "0" for j in range(len(alpha)))
            yield "dirichlet", len(alpha), [alpha], f"combination {weights}", stats.beta(alpha[k], whole - alpha[k])
        # Shares of the smallest shapes are often both too small for a number.
        if whole > 0.1:
            yield "dirichlet", len(alpha), [alpha], "share 1 0", stats.beta(alpha[1], alpha[0])
    for loc, factor in [([2.0], [[-3.0]]),
                        ([1.0, -1e3], [[1.0, 9.0], [-0.8, 0.6]]),
                        ([0.0, 0.5, -2.0], [[1e3, 0.0, 0.0], [5e2, 1e-2, 0.0], [0.3, -0.7, 2.0]])]:
        lower = np.tril(factor)
        weights = np.array([1.0, -2.0, 0.5])[: len(loc)]
        deviation = np.linalg.norm(weights @ lower)
        written = "combination " + " ".join(str(w) for w in weights)
        combination = stats.norm(weights @ np.array(loc), deviation)
        arguments = [loc, np.array(factor).ravel().tolist()]
        yield "multi_normal_cholesky", len(loc), arguments, written, combination
        yield "multi_normal_cholesky", len(loc), arguments, "distance", stats.chi2(len(loc))
        arguments = [loc, (lower @ lower.T).ravel().tolist()]
        yield "multi_normal", len(loc), arguments, written, combination
        first = "combination " + " ".join(["1"] + ["0"] * (len(loc) - 1))
        yield "multi_normal", len(loc), arguments, first, stats.norm(loc[0], abs(lower[0, 0]))
    for n, eta in [(2, 1.0), (2, 0.2), (3, 2.0), (5, 1.0), (5, 30.0), (5, 0.05)]:
        shape = eta - 1 + n / 2
        for i, j in [(1, 0), (n - 1, 0), (n - 1, n - 2)]:
            yield "lkj_corr_cholesky", n * n, [eta], f"correlation {i} {j}", stats.beta(shape, shape, -1, 2)


def categories(chances):
    return stats.rv_discrete(values=(np.arange(1, len(chances) + 1), chances))


def cells(frozen):
    ends = np.unique(frozen.ppf(LEVELS))
    below = np.concatenate([[0], frozen.cdf(ends), [1]])
    chances = np.diff(below)
    # Cells of fewer than 5 expected draws join the next, the last the one before it.
    kept, sums, open_sum = [], [], 0.0
    for end, chance in zip(ends, chances):
        open_sum += chance
        if open_sum * DRAWS >= 5:
            kept.append(end)
            sums.append(open_sum)
            open_sum = 0.0
    open_sum += chances[-1]
    if open_sum * DRAWS < 5 and kept:
        kept.pop()
        open_sum += sums.pop()
    return kept, sums + [open_sum]


def numbers(values):
    return " ".join(repr(float(v)).removesuffix(".0") for v in values)


lines = list(settings())
with open("draw_cells.csv", "w", encoding="utf-8") as out:
    out.write("distribution,length,arguments,statistic,ends,probabilities,threshold\n")
    for name, length, arguments, statistic, frozen in lines:
        ends, chances = cells(frozen)
        threshold = stats.chi2.isf(1e-4 / len(lines), len(ends))
        written = ";".join(numbers(a if isinstance(a, list) else [a]) for a in arguments)
        out.write(f"{name},{length},{written},{statistic},{numbers(ends)},{numbers(chances)},{threshold:.6g}\n")
