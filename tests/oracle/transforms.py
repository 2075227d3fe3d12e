"""Writes transforms.csv: constrained values and log-Jacobians to 17 digits.

The log-Jacobian is the determinant of differences of the map to free elements, computed with
mpmath at 200 digits, and not a formula: the first K - 1 of a simplex, the lower triangle of a
symmetric matrix, the strict lower one of a Cholesky factor of a correlation matrix. The maps
follow the transforms chapter of the Stan reference manual, version 2.39. Columns: transform; size;
number of vectors (0 where it is not of vectors); unconstrained elements; constrained elements;
log-Jacobian. Needs mpmath. Run it in this directory: python3 transforms.py
"""

import random

import mpmath as mp

mp.mp.dps = 50
rng = random.Random(39)


def simplex(y):
    """The softmax of an orthonormal basis of vectors with sum zero, times the elements."""
    n = len(y) + 1
    z = [mp.mpf(0)] * n
    for j in range(1, n):
        # 1, ..., 1, -j, 0, ... over its length
        column = [1] * j + [-j] + [0] * (n - j - 1)
        length = mp.sqrt(j * (j + 1))
        z = [a + y[j - 1] * c / length for a, c in zip(z, column)]
    weights = [mp.exp(v) for v in z]
    return [w / mp.fsum(weights) for w in weights]


def ordered(y):
    x = [y[0]]
    for v in y[1:]:
        x.append(x[-1] + mp.exp(v))
    return x


def positive_ordered(y):
    x = [mp.exp(y[0])]
    for v in y[1:]:
        x.append(x[-1] + mp.exp(v))
    return x


def cov_matrix(y):
    n = int(mp.sqrt(2 * len(y)))
    rest = iter(y)
    factor = mp.matrix(n, n)
    for i in range(n):
        for j in range(i):
            factor[i, j] = next(rest)
        factor[i, i] = mp.exp(next(rest))
    product = factor * factor.T
    return [product[i, j] for i in range(n) for j in range(n)]


def cholesky_factor_corr(y):
    n = int((1 + mp.sqrt(1 + 8 * len(y))) / 2)
    rest = iter(y)
    factor = mp.matrix(n, n)
    for i in range(n):
        left = mp.mpf(1)
        for j in range(i):
            factor[i, j] = mp.tanh(next(rest)) * mp.sqrt(left)
            left -= factor[i, j] ** 2
        factor[i, i] = mp.sqrt(left)
    return [factor[i, j] for i in range(n) for j in range(n)]


def vector_elements(n):
    return list(range(n))


TRANSFORMS = {
    "simplex": (simplex, lambda n: n - 1, lambda n: list(range(n - 1)), range(2, 8), True),
    "ordered": (ordered, lambda n: n, vector_elements, range(1, 7), True),
    "positive_ordered": (positive_ordered, lambda n: n, vector_elements, range(1, 7), True),
    "cov_matrix": (cov_matrix, lambda n: n * (n + 1) // 2, lambda n: [n * i + j for i in range(n) for j in range(i + 1)], range(1, 5), False),
    "cholesky_factor_corr": (cholesky_factor_corr, lambda n: n * (n - 1) // 2, lambda n: [n * i + j for i in range(n) for j in range(i)], range(2, 5), False),
}


def log_jacobian(f, free, y):
    with mp.workdps(200):
        h = mp.mpf(10) ** -60
        m = len(y)
        slopes = mp.matrix(m, m)
        for k in range(m):
            up, down = [mp.mpf(v) for v in y], [mp.mpf(v) for v in y]
            up[k] += h
            down[k] -= h
            up, down = f(up), f(down)
            for row, element in enumerate(free):
                slopes[row, k] = (up[element] - down[element]) / (2 * h)
        return mp.log(abs(mp.det(slopes)))


def text(values):
    return " ".join(mp.nstr(mp.mpf(v), 17, min_fixed=-3, max_fixed=6) for v in values)


with open("transforms.csv", "w", encoding="utf-8") as out:
    out.write("transform,size,vectors,unconstrained,constrained,log_jacobian\n")
    for name, (f, n_free, free, ns, is_vector) in TRANSFORMS.items():
        for n in ns:
            # Covariance matrices of the widest spread are singular in double precision.
            spreads = (0.0, 0.3, 1.0, 3.0, 8.0) if is_vector else (0.0, 0.3, 1.0, 3.0)
            for spread in spreads:
                for vectors in (1, 3) if is_vector and spread == 1.0 else (1,):
                    ys = [[round(rng.gauss(0, spread), 12) for _ in range(n_free(n))] for _ in range(vectors)]
                    exact = [[mp.mpf(v) for v in y] for y in ys]
                    x = [element for y in exact for element in f(y)]
                    total = mp.fsum(log_jacobian(f, free(n), y) for y in exact)
                    flat = " ".join(repr(v) for y in ys for v in y)
                    out.write(f"{name},{n},{vectors if is_vector else 0},{flat},{text(x)},{text([total])}\n")
