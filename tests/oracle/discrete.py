"""Writes discrete.csv: log masses of counts and categories and their gradients to 17 digits.

Arguments are the doubles nearest to what is written here, taken exactly; everything else is
computed with 50 digits (more where tails need it) by mpmath. See density_table.py for the
columns. Needs mpmath; run it in this directory: python3 discrete.py
"""

import random
from itertools import product

import mpmath as mp

from density_table import HEADER, derivative, log1p_exp, times_log, write

COUNTS = [-1, 0, 1, 2, 3, 7, 20, 100, 1000, 10**6, 10**9]
LOG_ODDS = [-745.0, -300.0, -100.0, -36.0, -5.5, -1.0, -1e-9, 0.0, 0.3, 2.0, 9.0, 40.0, 500.0, 700.0]
CHANCES = [1e-300, 1e-20, 1e-9, 1e-3, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-9]
RATES = [0.0, 1e-300, 1e-12, 1e-3, 0.2, 0.999999, 1.0, 1.7, 6.0, 19.5, 33.3, 1e3, 1.0001e3, 1e6, 1e9, 3e10, 1e15, 1e100, 1e300]
SHAPES = [1e-300, 1e-12, 1e-3, 0.5, 1.0, 3.7, 19.9, 20.0, 30.0, 1e3, 1e6, 1e8, 1e10]


def choose(n, x):
    return mp.loggamma(n + 1) - mp.loggamma(x + 1) - mp.loggamma(n - x + 1)


def multichoose(a, x):
    return mp.loggamma(a + x) - mp.loggamma(a) - mp.loggamma(x + 1) if x != 0 else mp.mpf(0)


def bernoulli(x, p):
    return [mp.log(p) if x == 1 else mp.log1p(-p)]


def bernoulli_logit(x, eta):
    return [-log1p_exp(-eta if x == 1 else eta)]


def binomial(x, n, p):
    return [choose(n, x), times_log(x, p), times_log(n - x, 1 - p)]


def binomial_logit(x, n, eta):
    return [choose(n, x), -x * log1p_exp(-eta), -(n - x) * log1p_exp(eta)]


def beta_binomial(x, n, a, b):
    return [multichoose(a, x), multichoose(b, n - x), -multichoose(a + b, n)]


def poisson(x, rate):
    return [times_log(x, rate), -rate, -mp.loggamma(x + 1)]


def poisson_log(x, eta):
    return [x * eta, -mp.exp(eta), -mp.loggamma(x + 1)]


def neg_binomial(x, shape, rate):
    return [multichoose(shape, x), -shape * mp.log1p(1 / rate), -x * mp.log1p(rate)]


def neg_binomial_2(x, mean, shape):
    of_count = -x * mp.log1p(shape / mean) if x != 0 else mp.mpf(0)
    return [multichoose(shape, x), of_count, -shape * mp.log1p(mean / shape)]


def neg_binomial_2_log(x, eta, shape):
    return neg_binomial_2(x, mp.exp(eta), shape)


def is_part(x, n, *_):
    return 0 <= x <= n


def is_count(x, *_):
    return x >= 0


def is_binary(x, *_):
    return x in (0, 1)


# For each distribution: terms, support, how many arguments are whole, outcomes and arguments.
UNIVARIATE = {
    "bernoulli": (bernoulli, is_binary, 1, [-1, 0, 1, 2],
                  [(p,) for p in CHANCES + [k / 40 + 1e-3 for k in range(39)] + [1 - 1e-6, 0.9999]]),
    "bernoulli_logit": (bernoulli_logit, is_binary, 1, [-1, 0, 1, 2],
                        [(eta,) for eta in LOG_ODDS + [k / 2.3 for k in range(-19, 20)]]),
    "binomial": (binomial, lambda x, n, p: is_part(x, n) and (p > 0 or x == 0) and (p < 1 or x == n), 2,
                 COUNTS, [(n, p) for n in [0, 1, 2, 20, 45, 1000, 10**6 + 3, 10**9]
                          for p in [0.0, 1e-300, 1e-9, 0.013, 0.5, 0.87, 1.0]]),
    "binomial_logit": (binomial_logit, is_part, 2, COUNTS,
                       [(n, eta) for n in [0, 1, 3, 20, 45, 1000, 10**9] for eta in LOG_ODDS[::2] + [0.3]]),
    "beta_binomial": (beta_binomial, is_part, 2, COUNTS,
                      [(n, a, b) for n in [0, 1, 7, 45, 10**6]
                       for a, b in [(1.0, 1.0), (1e-12, 2.5), (0.3, 1e-3), (1e-300, 1e-300), (19.0, 33.0), (1e5, 3.0), (1e10, 3e10), (7.0, 1e9)]]),
    "poisson": (poisson, lambda x, rate: x >= 0 and (rate > 0 or x == 0), 1, COUNTS, [(rate,) for rate in RATES]),
    "poisson_log": (poisson_log, is_count, 1, COUNTS,
                    [(eta,) for eta in [-700.0, -300.0, -20.0, -7.5, -1.0, -1e-9, 0.0, 0.1, 0.5, 1.7, 3.0, 6.9, 9.0, 12.0, 13.8, 20.7, 50.0, 300.0, 700.0]]),
    "neg_binomial": (neg_binomial, is_count, 1, COUNTS[:2] + COUNTS[3::2] + [10**9],
                     [(shape, rate) for shape in SHAPES for rate in [1e-300, 1e-9, 0.03, 1.0, 7.5, 1e3, 1e10]]),
    "neg_binomial_2": (neg_binomial_2, lambda x, mean, _: x >= 0 and (mean > 0 or x == 0), 1, COUNTS[:2] + COUNTS[3::2] + [10**9],
                       [(mean, shape) for shape in SHAPES for mean in [0.0, 1e-300, 1e-9, 0.3, 2.0, 65.0, 1e6, 1.0001e9]]),
    "neg_binomial_2_log": (neg_binomial_2_log, is_count, 1, COUNTS[:2] + COUNTS[3::2] + [10**9],
                           [(eta, shape) for shape in SHAPES for eta in [-690.0, -20.0, -1.0, 0.0, 0.7, 4.2, 20.7]]),
}


def univariate(out):
    for name, (f, support, n_whole, outcomes, settings) in UNIVARIATE.items():
        for x, rest in product(dict.fromkeys(outcomes), settings):
            arguments = [mp.mpf(a) for a in (x, *rest)]
            if not support(*arguments):
                write(out, name, 1, arguments, None, None)
                continue
            with mp.workdps(400):
                terms = f(*arguments)
            gradient = [None if k < n_whole else derivative(f, k, arguments)
                        for k in range(len(arguments))]
            write(out, name, 1, arguments, terms, gradient)


def categorical(x, *theta):
    return [mp.log(theta[int(x) - 1])]


def categorical_logit(x, *eta):
    return [eta[int(x) - 1], -mp.log(mp.fsum(mp.exp(e) for e in eta))]


def ordered_logistic(x, eta, *cuts):
    at_least = lambda k: 1 if k == 0 else 0 if k == len(cuts) + 1 else 1 / (1 + mp.exp(cuts[k - 1] - eta))
    return [mp.log(at_least(int(x) - 1) - at_least(int(x)))]


def simplexes(numbers):
    yield [1.0]
    yield from ([p, 1.0 - p] for p in [1e-300, 1e-12, 0.3, 0.5, 0.999])
    yield from ([0.25, 0.75 - p, p] for p in [1e-100, 1e-3, 0.2, 0.7])
    for k in [4, 7, 12, 12]:
        weights = [numbers.random() ** 4 + 1e-12 for _ in range(k)]
        yield [w / sum(weights) for w in weights]
    for k in [30, 45, 50]:
        weights = [numbers.random() for _ in range(k)]
        yield [w / sum(weights) for w in weights]


def logits(numbers):
    yield [0.7]
    yield from ([0.0, d] for d in [0.0, 1e-9, -2.5, 36.0, -400.0, 1500.0])
    yield from ([c - 1.0, c, c + 0.25] for c in [0.0, -800.0, 1e5, 1e15, -1e5])
    yield [-1e9, 1e9, 0.0, 1e9]
    yield [700.0] * 5
    for k, scale in [(4, 3.0), (7, 100.0), (12, 0.1), (20, 5.0), (30, 2.0), (40, 1000.0), (45, 30.0)]:
        yield [numbers.gauss(0.0, scale) for _ in range(k)]


def cut_sets(numbers):
    yield []
    yield [0.4]
    yield [-1.0, 1.0]
    yield [0.0, 1e-9, 1e-3, 0.5]
    yield [-300.0, -30.0, 250.0]
    yield [5.0, 5.0 + 2.0**-40, 6.0, 6.69, 6.70, 300.0]
    yield sorted(numbers.gauss(0.0, 2.0) for _ in range(8))


def per_outcome(out):
    numbers = random.Random(20)
    for name, f, vectors in [("categorical", categorical, simplexes), ("categorical_logit", categorical_logit, logits)]:
        for vector in vectors(numbers):
            for x in range(0, len(vector) + 2):
                arguments = [mp.mpf(a) for a in (x, *vector)]
                write_category(out, name, f, arguments, len(vector), 1, len(vector))
    for cuts in cut_sets(numbers):
        for eta, x in product([-350.0, -37.0, -2.5, 0.0, 1e-9, 0.7, 5.5, 60.0, 299.0], range(0, len(cuts) + 3)):
            arguments = [mp.mpf(a) for a in (x, eta, *cuts)]
            write_category(out, "ordered_logistic", ordered_logistic, arguments, len(cuts), 1, len(cuts) + 1)


def write_category(out, name, f, arguments, width, first, last):
    if not first <= arguments[0] <= last:
        write(out, name, width, arguments, None, None)
        return
    # Differences of chances that are all but equal, down to e^-650.
    with mp.workdps(700):
        terms = f(*arguments)
    slopes = [derivative(f, k, arguments, 700) for k in range(1, len(arguments))]
    write(out, name, width, arguments, terms, [None, *slopes])


with open("discrete.csv", "w", encoding="utf-8") as out:
    out.write(HEADER)
    univariate(out)
    per_outcome(out)
