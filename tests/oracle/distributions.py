"""Writes distributions.csv: log densities and their gradients to 17 digits.

Arguments are the doubles nearest to what is written here, taken exactly; everything else is
computed with 50 digits by mpmath. Each density is a list of terms, as in a textbook; their sum
is the value, and the magnitude of the largest is the scale against which an error counts (so
it is for derivatives). Binomial coefficients, beta functions and ratios of gamma functions
are one term each. The constant of the LKJ density comes from numerical integration.
Run it in this directory: python3 distributions.py

Columns: distribution, length of the outcome (for distributions over containers, else 1),
outcome and arguments (row-major, separated by spaces), value, scale, gradient in all of these
(`-` where the argument is a whole number, nothing outside the support), scales of these.
"""

from itertools import product

import mpmath as mp

mp.mp.dps = 50

LINE = [-1e8, -300.0, -37.5, -8.0, -2.5, -1.0, -0.3, -1e-8, 0.0, 1e-3, 0.7, 1.5, 4.0, 20.0, 700.0, 1e5]
LOG_ODDS = [-745.0, -300.0, -36.0, -5.5, -1.0, -1e-9, 0.0, 0.3, 2.0, 9.0, 40.0, 500.0]
POSITIVE = [1e-300, 1e-12, 1e-3, 0.2, 0.999999, 1.0, 1.7, 6.0, 33.3, 1e3, 1e6]
UNIT = [1e-300, 1e-9, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-9]


def normal(x, loc, scale):
    return [-(((x - loc) / scale) ** 2) / 2, -mp.log(scale), -mp.log(2 * mp.pi) / 2]


def std_normal(x):
    return normal(x, 0, 1)


def cauchy(x, loc, scale):
    return [-mp.log1p(((x - loc) / scale) ** 2), -mp.log(scale), -mp.log(mp.pi)]


def double_exponential(x, loc, scale):
    return [-abs(x - loc) / scale, -mp.log(2 * scale)]


def student_t(x, df, loc, scale):
    return [
        mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2),
        -mp.log(df * mp.pi) / 2,
        -mp.log(scale),
        -(df + 1) / 2 * mp.log1p(((x - loc) / scale) ** 2 / df),
    ]


def lognormal(x, loc, scale):
    z = (mp.log(x) - loc) / scale
    return [-z * z / 2, -mp.log(x), -mp.log(scale), -mp.log(2 * mp.pi) / 2]


def exponential(x, rate):
    return [mp.log(rate), -rate * x]


def gamma(x, shape, rate):
    return [shape * mp.log(rate), -mp.loggamma(shape), (shape - 1) * mp.log(x), -rate * x]


def beta(x, a, c):
    return [
        (a - 1) * mp.log(x),
        (c - 1) * mp.log1p(-x),
        mp.loggamma(a + c) - mp.loggamma(a) - mp.loggamma(c),
    ]


def uniform(x, lower, upper):
    return [-mp.log(upper - lower)]


def bernoulli(x, chance):
    return [mp.log(chance) if x == 1 else mp.log1p(-chance)]


def bernoulli_logit(x, eta):
    return [-log1p_exp(-eta if x == 1 else eta)]


def binomial_logit(x, trials, eta):
    return [
        mp.loggamma(trials + 1) - mp.loggamma(x + 1) - mp.loggamma(trials - x + 1),
        -x * log1p_exp(-eta),
        -(trials - x) * log1p_exp(eta),
    ]


def poisson_log(x, eta):
    return [x * eta, -mp.exp(eta), -mp.loggamma(x + 1)]


def log1p_exp(eta):
    # e^-745 needs more digits than 50 beside one.
    return mp.log1p(mp.exp(eta)) if eta < 0 else eta + mp.log1p(mp.exp(-eta))


def always(*_):
    return True


# For each distribution: terms, support, which arguments are whole, outcomes and arguments.
UNIVARIATE = {
    "normal": (normal, always, "", LINE, [(0.0, 1.0), (-3.3, 1e-3), (1e5, 1e5), (0.4, 1e-150), (2.0, 1e150)]),
    "std_normal": (std_normal, always, "", LINE + [-x / 7 for x in LINE], [()]),
    "cauchy": (cauchy, always, "", LINE, [(0.0, 1.0), (-3.3, 1e-3), (1e5, 1e5), (2.0, 1e150)]),
    "double_exponential": (double_exponential, always, "", LINE, [(0.1, 1.0), (-3.3, 1e-3), (1e5 + 1, 1e5)]),
    "student_t": (student_t, always, "", LINE[::2],
                  [(df, loc, scale) for df in [1e-3, 0.5, 1.0, 4.0, 30.0, 39.0, 41.0, 120.0, 1e4, 1e9]
                   for loc, scale in [(0.0, 1.0), (-3.3, 0.02)]]),
    "lognormal": (lognormal, lambda x, *_: x > 0, "", [-1.0, 0.0] + POSITIVE, [(0.0, 1.0), (-2.0, 0.01), (3.0, 40.0)]),
    "exponential": (exponential, lambda x, *_: x >= 0, "", [-1e9, -1e-300, 0.0] + POSITIVE, [(1.0,), (1e-9,), (250.0,)]),
    "gamma": (gamma, lambda x, *_: x > 0, "", [-1.0, -1e-300] + POSITIVE,
              [(1.0, 1.0), (1e-3, 2.0), (0.5, 1e-6), (7.5, 30.0), (1e6, 1e3)]),
    "beta": (beta, lambda x, *_: 0 < x < 1, "", [-1e-9, 1.0000001] + UNIT,
             [(1.0, 1.0), (0.5, 0.5), (1e-3, 8.0), (40.0, 2.5), (1e6, 3e6), (1.0, 1e4), (2.5, 1e9), (19.0, 1.5), (25.0, 1e-3), (25.0, 25.0), (1e9, 1e9)]),
    "uniform": (uniform, lambda x, lower, upper: lower <= x <= upper, "", LINE,
                [(-1.0, 1.5), (-1e8, 1e8), (0.0, 1e-3)]),
    "bernoulli": (bernoulli, always, "x", [0, 1], [(p,) for p in UNIT + [1e-20, 0.123, 0.4, 0.6, 0.9, 0.9999, 0.05, 0.2]]),
    "bernoulli_logit": (bernoulli_logit, always, "x", [0, 1], [(eta,) for eta in LOG_ODDS + [-100.0, -0.5, 1.0, 700.0]]),
    "binomial_logit": (binomial_logit, lambda x, n, _: 0 <= x <= n, "xn", [-1, 0, 1, 3, 10, 1000],
                       [(n, eta) for n in [0, 1, 10, 19, 45, 1000, 10**7] for eta in LOG_ODDS[::2] + [0.3]]),
    "poisson_log": (poisson_log, lambda x, *_: x >= 0, "x", [-1, 0, 1, 2, 17, 1000, 10**7],
                    [(eta,) for eta in [-700.0, -20.0, -1.0, 0.0, 0.5, 3.0, 12.0, 50.0]]),
}


def digits(x):
    return mp.nstr(x, 17, min_fixed=0, max_fixed=0) if mp.isfinite(x) else "-inf"


def derivative(f, k, arguments):
    """Of f in argument k, and the scale of its terms."""
    def of_term(j, value):
        return f(*arguments[:k], value, *arguments[k + 1:])[j]
    # A step relative to the argument: some are 1e-300, some 1e8.
    x = arguments[k]
    h = abs(x) * mp.mpf(10) ** -15 if x != 0 else mp.mpf(10) ** -15
    slopes = []
    with mp.workdps(100):
        for j in range(len(f(*arguments))):
            # Central differences with one step of extrapolation: the error is O(h^4).
            slope = lambda h: (of_term(j, x + h) - of_term(j, x - h)) / (2 * h)
            slopes.append((4 * slope(h) - slope(2 * h)) / 3)
    return mp.fsum(slopes), max(abs(s) for s in slopes)


def write(out, name, n, arguments, terms, gradient):
    written = " ".join(repr(float(a)) for a in arguments)
    if terms is None:
        out.write(f"{name},{n},{written},-inf,0,,\n")
        return
    value, scale = mp.fsum(terms), max(abs(t) for t in terms)
    slopes = " ".join("-" if g is None else digits(g[0]) for g in gradient)
    scales = " ".join("-" if g is None else mp.nstr(g[1], 5) for g in gradient)
    out.write(f"{name},{n},{written},{digits(value)},{mp.nstr(scale, 5)},{slopes},{scales}\n")


def univariate(out):
    for name, (f, support, whole, outcomes, settings) in UNIVARIATE.items():
        for x, rest in product(outcomes, settings):
            arguments = [mp.mpf(a) for a in (x, *rest)]
            if not support(*arguments):
                write(out, name, 1, arguments, None, None)
                continue
            # At the kink of |x| and the ends of the support there is no derivative.
            gradient = [None if k < len(whole) else derivative(f, k, arguments) for k in range(len(arguments))]
            write(out, name, 1, arguments, f(*arguments), gradient)


FACTOR = [
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    [[0.5, 0.0, 0.0], [0.3, 2.0, 0.0], [-0.7, 1.1, 1e-2]],
    [[1e3, 0.0, 0.0], [-2e3, 1e-3, 0.0], [5.0, 0.25, 30.0]],
    [[-2.0, 0.0, 0.0], [0.4, 0.8, 0.0], [3.0, -3.0, 1.5]],
    [[1e-100, 0.0, 0.0], [0.0, 1e100, 0.0], [0.0, 1.0, 1.0]],
    [[1.25, 9.0, 9.0], [1.0, 0.75, 9.0], [0.5, 0.25, 0.5]],
]
VECTORS = [[0.0, 0.0, 0.0], [1.0, -2.0, 0.5], [1e-3, 40.0, -7.0], [-0.2, 0.3, 0.9], [100.0, 3.0, -1e4]]


def multi_normal_terms(*flat):
    x, loc, factor = flat[:3], flat[3:6], [flat[6 + 3 * i: 9 + 3 * i] for i in range(3)]
    w = []
    for i in range(3):
        w.append((x[i] - loc[i] - mp.fsum(factor[i][j] * w[j] for j in range(i))) / factor[i][i])
    return [-v * v / 2 for v in w] + [-mp.log(abs(factor[i][i])) for i in range(3)] + [-1.5 * mp.log(2 * mp.pi)]


def multi_normal(out):
    for factor, x, loc in product(FACTOR, VECTORS, VECTORS[:2]):
        arguments = [mp.mpf(a) for a in x + loc + sum(factor, [])]
        gradient = [derivative(multi_normal_terms, k, arguments) for k in range(len(arguments))]
        write(out, "multi_normal_cholesky", 3, arguments, multi_normal_terms(*arguments), gradient)


def lkj_row(k, exponent, power):
    """The integral of (1 - |u|^2)^(exponent / 2) over the unit ball of k dimensions, with
    |u| = cos t; times ln(1 - |u|^2)^power within."""
    surface = 2 * mp.pi ** (mp.mpf(k) / 2) / mp.gamma(mp.mpf(k) / 2)
    f = lambda t: mp.sin(t) ** (exponent + 1) * mp.cos(t) ** (k - 1) * (2 * mp.log(mp.sin(t))) ** power
    return surface * mp.quad(f, [0, mp.pi / 4, mp.pi / 2])


def lkj(out):
    rows = {
        1: [[]],
        2: [[0.3], [-0.999]],
        3: [[0.1, 0.2, -0.6], [-0.8, 0.05, 0.3]],
        5: [[0.1, 0.2, -0.6, 0.3, 0.3, 0.3, -0.1, 0.0, 0.9, 0.2]],
    }
    for n, etas in product(rows, [0.3, 0.5, 1.0, 2.0, 7.5, 60.0]):
        eta = mp.mpf(etas)
        normaliser, slope = mp.mpf(0), mp.mpf(0)
        for i in range(2, n + 1):
            exponent = n - i + 2 * eta - 2
            z = lkj_row(i - 1, exponent, 0)
            normaliser += mp.log(z)
            slope += lkj_row(i - 1, exponent, 1) / z
        for entries in rows[n]:
            factor = [[mp.mpf(0)] * n for _ in range(n)]
            rest = iter(entries)
            for i in range(n):
                for j in range(i):
                    factor[i][j] = mp.mpf(next(rest))
                square = mp.fsum(v * v for v in factor[i])
                factor[i][i] = mp.mpf(float(mp.sqrt(1 - square)))
            terms = [(n - i - 3 + 2 * eta) * mp.log(factor[i][i]) for i in range(1, n)] + [-normaliser]
            gradient = []
            for i, j in product(range(n), range(n)):
                g = (n - i - 3 + 2 * eta) / factor[i][i] if i == j and i > 0 else mp.mpf(0)
                gradient.append(None if (i, j) == (0, 0) else (g, abs(g)))
            logs = mp.fsum(2 * mp.log(factor[i][i]) for i in range(1, n))
            gradient.append((logs - slope, max(abs(logs), abs(slope))))
            arguments = sum(factor, []) + [eta]
            write(out, "lkj_corr_cholesky", n, arguments, terms, gradient)


with open("distributions.csv", "w", encoding="utf-8") as out:
    out.write("distribution,length,arguments,value,scale,gradient,gradient_scale\n")
    univariate(out)
    multi_normal(out)
    lkj(out)
