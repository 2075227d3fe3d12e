"""Writes multivariate.csv: log densities of vectors and factors and their gradients.

Arguments are the doubles nearest to what is written here, taken exactly; everything else is
computed with 50 digits or more by mpmath. The constant of the LKJ density comes from numerical
integration. See density_table.py for the columns. Needs mpmath; run it in this directory:
python3 multivariate.py
"""

import random
from functools import cache
from itertools import product

import mpmath as mp

from density_table import HEADER, derivative, times_log, write

numbers = random.Random(30)


def uniform_signs(n, scale):
    return [numbers.uniform(-scale, scale) for _ in range(n)]


def dirichlet_terms(n):
    def terms(*flat):
        x, alpha = flat[:n], flat[n:]
        normaliser = mp.loggamma(mp.fsum(alpha)) - mp.fsum(mp.loggamma(a) for a in alpha)
        return [times_log(a - 1, v) for a, v in zip(alpha, x)] + [normaliser]
    return terms


ALPHAS = {
    1: [[0.3], [1.0], [1e5]],
    2: [[1.0, 1.0], [1e-3, 1e-3], [0.5, 40.0], [1e9, 3e9], [1e-6, 1e8], [19.0, 21.0], [2.5, 1.0]],
    3: [[1.0, 1.0, 1.0], [0.2, 0.2, 0.2], [1e-4, 3.0, 1e7], [25.0, 1e-9, 4.0], [1e10, 2.5, 1e10], [1e3, 2e3, 3e3]],
    6: [[0.1] * 6, [5.0, 0.01, 300.0, 1.0, 1e6, 22.0], [1e-8] * 6, [1e5] * 6],
}


def shares(n):
    yield [1.0 / n] * n
    for power in [1.0, 4.0, 40.0, 600.0] if n > 1 else []:
        weights = [max(numbers.random() ** power, 1e-300) for _ in range(n)]
        yield [w / sum(weights) for w in weights]


def dirichlet(out):
    for n, alphas in ALPHAS.items():
        f = dirichlet_terms(n)
        for alpha, repeat in product(alphas, range(3)):
            for x in shares(n):
                arguments = [mp.mpf(a) for a in x + alpha]
                if any(v == 0 for v in x):
                    continue
                gradient = [derivative(f, k, arguments) for k in range(2 * n)]
                write(out, "dirichlet", n, arguments, f(*arguments), gradient)
    # Outside, and at an edge that exponents of zero allow.
    for x, alpha in product([[-0.1, 1.1], [0.5, 0.6], [0.2, 0.2]], [[1.0, 1.0], [3.0, 0.5]]):
        write(out, "dirichlet", 2, [mp.mpf(a) for a in x + alpha], None, None)
    write(out, "dirichlet", 2, [mp.mpf(a) for a in [0.0, 1.0, 2.0, 0.5]], None, None)
    edge = [mp.mpf(a) for a in [0.0, 1.0, 1.0, 1.0]]
    write(out, "dirichlet", 2, edge, [mp.mpf(0)], [None] * 4)


def split(flat, n):
    matrix = flat[2 * n:]
    return flat[:n], flat[n:2 * n], [matrix[n * i:n * i + n] for i in range(n)]


def normal_terms(n):
    def terms(*flat):
        x, loc, factor = split(flat, n)
        w = []
        for i in range(n):
            w.append((x[i] - loc[i] - mp.fsum(factor[i][j] * w[j] for j in range(i))) / factor[i][i])
        return [-v * v / 2 for v in w] + [-mp.log(abs(factor[i][i])) for i in range(n)] + [-n * mp.log(2 * mp.pi) / 2]
    return terms


def random_factor(n, spread, above):
    rows = [[numbers.gauss(0.0, 1.0) if j < i else above if j > i else 0.0 for j in range(n)] for i in range(n)]
    for i in range(n):
        rows[i][i] = numbers.choice([1.0, 1.0, -1.0]) * 10.0 ** numbers.uniform(-spread, spread)
    return rows


def multi_normal_cholesky(out):
    for n, count in {1: 30, 2: 60, 4: 30, 5: 24}.items():
        f = normal_terms(n)
        for repeat in range(count):
            spread = [0.3, 1.0, 4.0][repeat % 3]
            factor = random_factor(n, spread, [0.0, 9.0][repeat % 2])
            x, loc = uniform_signs(n, 10.0 ** (repeat % 5 - 1)), uniform_signs(n, 3.0)
            arguments = [mp.mpf(a) for a in x + loc + sum(factor, [])]
            gradient = [derivative(f, k, arguments) for k in range(len(arguments))]
            write(out, "multi_normal_cholesky", n, arguments, f(*arguments), gradient)


def covariance_terms(n):
    """Of multi_normal, of whose covariance the lower triangle is read."""
    def terms(*flat):
        x, loc, rows = split(flat, n)
        covariance = mp.matrix(n, n)
        for i, j in product(range(n), range(n)):
            covariance[i, j] = rows[max(i, j)][min(i, j)]
        factor = mp.cholesky(covariance)
        lower = [factor[i, j] for i in range(n) for j in range(n)]
        return normal_terms(n)(*x, *loc, *lower)
    return terms


def multi_normal(out):
    for n, count in {1: 30, 2: 80, 3: 70, 4: 30}.items():
        f = covariance_terms(n)
        for repeat in range(count):
            scales = [10.0 ** numbers.uniform(-2, 2) for _ in range(n)]
            # Near dependence costs digits in proportion, in any way to compute: it is avoided.
            factor = random_factor(n, [0.02, 0.1, 0.2][repeat % 3], 0.0)
            for i, j in product(range(n), range(n)):
                factor[i][j] *= 1.0 if i == j else 0.4
            covariance = [[scales[i] * scales[j] * sum(a * b for a, b in zip(factor[i], factor[j]))
                           for j in range(n)] for i in range(n)]
            x, loc = uniform_signs(n, 10.0 ** (repeat % 4 - 1)), uniform_signs(n, 3.0)
            arguments = [mp.mpf(a) for a in x + loc + sum(covariance, [])]
            gradient = [derivative(f, k, arguments) for k in range(len(arguments))]
            write(out, "multi_normal", n, arguments, f(*arguments), gradient)


@cache
def lkj_row(k, exponent, power):
    """The integral of (1 - |u|^2)^(exponent / 2) over the unit ball of k dimensions, with
    |u| = cos t; times ln(1 - |u|^2)^power within."""
    surface = 2 * mp.pi ** (mp.mpf(k) / 2) / mp.gamma(mp.mpf(k) / 2)
    # With t = v^(1/p), which takes away the pole of small exponents at zero.
    p = min(exponent + 2, mp.mpf(1))

    def f(v):
        t = v ** (1 / p)
        weight = mp.sin(t) ** (exponent + 1) * t ** (1 - p) / p
        return weight * mp.cos(t) ** (k - 1) * (2 * mp.log(mp.sin(t))) ** power

    # Large exponents gather everything at the right end.
    near = mp.pi / 2 - min(mp.pi / 4, 12 / mp.sqrt(exponent + 2))
    ends = [0, near / 2, near, (near + mp.pi / 2) / 2, mp.pi / 2]
    return surface * mp.quad(f, [end ** p for end in ends])


def correlation_factor(n, spread):
    rows = [[mp.mpf(0)] * n for _ in range(n)]
    for i in range(n):
        direction = [numbers.gauss(0.0, 1.0) for _ in range(i)]
        length = numbers.random() ** spread
        norm = sum(v * v for v in direction) ** 0.5 or 1.0
        for j in range(i):
            rows[i][j] = mp.mpf(direction[j] / norm * length)
        square = mp.fsum(v * v for v in rows[i])
        rows[i][i] = mp.mpf(float(mp.sqrt(1 - square)))
    return rows


def lkj_corr_cholesky(out):
    for n, eta in product([1, 2, 3, 4, 6], [0.1, 0.5, 1.0, 1.75, 2.0, 7.5, 60.0, 1000.0]):
        normaliser, slope = mp.mpf(0), mp.mpf(0)
        for i in range(2, n + 1):
            exponent = n - i + 2 * mp.mpf(eta) - 2
            z = lkj_row(i - 1, exponent, 0)
            normaliser += mp.log(z)
            slope += lkj_row(i - 1, exponent, 1) / z
        for spread in [0.1, 0.5, 1.0, 3.0, 12.0] if n > 1 else [1.0]:
            factor = correlation_factor(n, spread)
            exponents = [n - i - 3 + 2 * mp.mpf(eta) for i in range(n)]
            terms = [exponents[i] * mp.log(factor[i][i]) for i in range(1, n)] + [-normaliser]
            gradient = []
            for i, j in product(range(n), range(n)):
                g = exponents[i] / factor[i][i] if i == j and i > 0 else mp.mpf(0)
                gradient.append(None if (i, j) == (0, 0) else (g, abs(g)))
            logs = mp.fsum(2 * mp.log(factor[i][i]) for i in range(1, n))
            gradient.append((logs - slope, max(abs(logs), abs(slope))))
            write(out, "lkj_corr_cholesky", n, sum(factor, []) + [mp.mpf(eta)], terms, gradient)


with open("multivariate.csv", "w", encoding="utf-8") as out:
    out.write(HEADER)
    dirichlet(out)
    multi_normal_cholesky(out)
    lkj_corr_cholesky(out)
    multi_normal(out)
