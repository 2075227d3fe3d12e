"""Writes cdfs.csv: logarithms of distribution functions and of what they leave, with gradients.

Needs mpmath. Columns and exactness are those of continuous.csv, from which the rest is taken; the
scale of a value is its magnitude. Student's distribution with many degrees of freedom is
integrated numerically, Poisson's is summed, the others are closed forms or mpmath's incomplete
functions. Run it in this directory: python3 cdfs.py
"""

from functools import lru_cache

import mpmath as mp

from continuous import DEGREES, LINE, LOC_SCALE, SHAPES, around, derivative, on, write

mp.mp.dps = 50


def log_phi(z):
    if z < -1e6:
        # The asymptotic series (Abramowitz and Stegun 26.2.12) has 60 digits here.
        series = mp.fsum((-1) ** k * mp.fac2(2 * k - 1) / z ** (2 * k) for k in range(9))
        return -z * z / 2 - mp.log(2 * mp.pi) / 2 - mp.log(-z) + mp.log(series)
    return mp.log(mp.ncdf(z)) if z <= 0 else mp.log1p(-mp.exp(log_phi(-z)))


def log1p_exp(z):
    return mp.log1p(mp.exp(z)) if z < 0 else z + mp.log1p(mp.exp(-z))


def log1m_exp(u):
    """ln(1 - e^-u), zero where it is less than any double"""
    return mp.log(-mp.expm1(-u)) if u < 2000 else mp.mpf(0)


def student_tail(df, z):
    """ln P(T > z)"""
    if z < 0:
        return mp.log1p(-mp.exp(student_tail(df, -z)))
    return upper_student_tail(df, z)


@lru_cache(maxsize=None)
def upper_student_tail(df, z):
    if df <= 200:
        return mp.log(mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + z * z), regularized=True) / 2)
    kernel = lambda t: -(df + 1) / 2 * mp.log1p(t * t / df)
    start = kernel(z)
    width = mp.mpf(float(1 / (z * (df + 1) / (df + z * z) + mp.sqrt((df + 1) / (df + z * z)))))
    edges = [z + width * m for m in (0, 1, 3, 8, 20, 60, 200)]
    with mp.workdps(36):
        integral = mp.quad(lambda t: mp.exp(kernel(t) - start), edges)
    constant = mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2) - mp.log(df * mp.pi) / 2
    return constant + start + mp.log(integral)


def student_gradient(sign, x, df, loc, scale):
    """By the density in z; by differences in the degrees of freedom."""
    z = sign * (x - loc) / scale
    step = df * mp.mpf(10) ** -7
    f = {n: student_tail(df + n * step, z) for n in (-2, -1, 0, 1, 2)}
    in_df = (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * step)
    constant = mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2) - mp.log(df * mp.pi) / 2
    in_z = -mp.exp(constant - (df + 1) / 2 * mp.log1p(z * z / df) - f[0])
    slopes = [sign * in_z / scale, in_df, -sign * in_z / scale, -z * in_z / scale]
    return [(slope, abs(slope)) for slope in slopes]


def poisson_gradient(sign, x, rate):
    """By the mass at x."""
    mass = x * mp.log(rate) - rate - mp.loggamma(x + 1)
    slope = sign * mp.exp(mass - poisson_sum(x, rate, sign > 0))
    return [None, (slope, abs(slope))]


def poisson_sum(x, rate, above):
    """ln of the sum of e^-rate rate^k / k! over k <= x, or k > x."""
    x = int(x)
    if above:
        term, total, k = mp.mpf(1), mp.mpf(0), x + 1
        while k < rate or term > total * mp.mpf(10) ** -60:
            total += term
            k += 1
            term *= rate / k
        first = x + 1
    else:
        term, total = mp.mpf(1), mp.mpf(0)
        for k in range(x, -1, -1):
            total += term
            term *= k / rate
            if term < total * mp.mpf(10) ** -60:
                break
        first = x
    return first * mp.log(rate) - rate - mp.loggamma(first + 1) + mp.log(total)


def gamma_p(a, x):
    return mp.log(mp.gammainc(a, 0, x, regularized=True))


def gamma_q(a, x):
    return mp.log(mp.gammainc(a, x, mp.inf, regularized=True))


def std(f, sign=1):
    return lambda x, loc, scale: f(sign * (x - loc) / scale)


def laplace_lower(z):
    return z - mp.log(2) if z < 0 else mp.log1p(-mp.exp(-z) / 2)


def cauchy_lower(z):
    return mp.log(mp.atan(-1 / z) / mp.pi) if z < 0 else mp.log(mp.mpf(1) / 2 + mp.atan(z) / mp.pi)


def everywhere(*_):
    return 0


def positive(x, *_):
    return 0 if x > 0 else -1


GRID = [x / 8 for x in range(-44, 45, 4)] + [-40.0, 40.0, -15.3, 14.9]
MORE = [(1.5, 0.25), (-7.0, 3.0)]
GENTLE = [s for s in LOC_SCALE if 1e-100 < s[1] < 1e100]
SMALL = [0.1, 0.5, 1.0, 1.5, 2.0, 7.5, 30.0, 41.0, 300.0]
MEANS = [1e-3, 0.2, 1.0, 3.7, 19.0, 20.5, 150.0, 1e3, 2e4]
COUNTS = [-1, 0, 1, 2, 5, 17, 40, 140, 151, 990, 1010, 1100, 3000, 19800, 20000, 20300]

# For each: lower, upper, side of the support, points.
TABLE = {
    "normal": (std(log_phi), std(log_phi, -1), everywhere, on(LINE, LOC_SCALE) + on(GRID, MORE)),
    "std_normal": (log_phi, lambda x: log_phi(-x), everywhere, on(LINE + [x / 20 for x in range(-93, 94)], [()])),
    "logistic": (lambda *a: -std(log1p_exp, -1)(*a), lambda *a: -std(log1p_exp)(*a), everywhere, on(LINE, LOC_SCALE)),
    "cauchy": (std(cauchy_lower), std(cauchy_lower, -1), everywhere, on(LINE, LOC_SCALE)),
    "double_exponential": (std(laplace_lower), std(laplace_lower, -1), everywhere, on([x + 0.01 for x in LINE], LOC_SCALE)),
    "gumbel": (lambda *a: -mp.exp(std(lambda z: -z)(*a)), lambda *a: log1m_exp(mp.exp(std(lambda z: -z)(*a))), everywhere,
               [(x, (m, s)) for x, (m, s) in on(LINE + GRID, LOC_SCALE) if -500 < (x - m) / s < 1e5]),
    "exponential": (lambda x, r: log1m_exp(r * x), lambda x, r: -r * x, positive,
                    on([-1e9, -1e-300, 0.0, 1e-300, 1e-12, 1e-3, 0.2, 1.0, 1.7, 6.0, 33.3, 1e3, 1e6],
                       [(r,) for r in [1.0, 1e-9, 250.0, 0.3, 1e-300, 1e9, 7.0, 0.01, 2.5, 30.0, 1e3, 1e-4, 1e100, 0.9, 5.0, 60.0]])),
    "weibull": (lambda x, k, s: log1m_exp((x / s) ** k), lambda x, k, s: -((x / s) ** k), positive,
                around(lambda k, s: s, [(k, s) for k in SHAPES for s in [1.0, 77.7]], [-1.0, 0.0, 17.5])),
    "pareto": (lambda x, m, k: log1m_exp(k * mp.log(x / m)), lambda x, m, k: -k * mp.log(x / m),
               lambda x, m, k: 0 if x > m else -1,
               around(lambda m, k: m, [(m, k) for k in SHAPES for m in [1.0, 333.3]], [-1.0, 0.0, 1e9])),
    "lognormal": (lambda x, m, s: log_phi((mp.log(x) - m) / s), lambda x, m, s: log_phi((m - mp.log(x)) / s), positive,
                  on([-1.0, 0.0, 1e-300, 1e-12, 1e-3, 0.2, 0.999999, 1.0, 1.7, 6.0, 33.3, 1e3, 1e6, 1e300],
                     [(0.0, 1.0), (-2.0, 0.01), (3.0, 40.0), (0.0, 1e-3), (1.9, 0.1), (5.0, 0.5), (-30.0, 10.0),
                      (0.5, 2.0), (7.0, 1e4), (-690.0, 1e-2), (0.0, 1e3), (12.0, 3.0), (-1.0, 0.3), (1e3, 1.0), (0.1, 1e8)])),
    "uniform": (lambda x, a, b: mp.log((x - a) / (b - a)), lambda x, a, b: mp.log((b - x) / (b - a)),
                lambda x, a, b: -1 if x <= a else 1 if x >= b else 0,
                on(LINE, [(-1.0, 1.5), (-1e8, 1e8), (0.0, 1e-3), (-3.0, 700.0), (1.5, 20.0), (-1e8, -299.0), (0.0, 1.0),
                          (-1e-8, 1e-8), (-2.5, 4.0), (-1e3, 1e3), (-40.0, 0.0), (-0.5, 0.5), (0.6, 0.8)])),
    "student_t": (lambda x, df, m, s: student_tail(df, (m - x) / s), lambda x, df, m, s: student_tail(df, (x - m) / s), everywhere,
                  on([-1e5, -40.0, -8.0, -2.5, -0.3, 0.0, 1e-3, 0.7, 4.0, 20.0, 700.0],
                     [(df, *rest) for df in DEGREES[1:] for rest in [(0.0, 1.0), (-0.5, 3.0)]])),
    "gamma": (lambda x, a, r: gamma_p(a, r * x), lambda x, a, r: gamma_q(a, r * x), positive,
              [(m * a / r, (a, r)) for a in SMALL for r in [1.0, 250.0] for m in [1e-12, 1e-3, 0.2, 0.7, 0.9, 0.999, 1.0, 1.1, 1.3, 2.0, 5.0]]
              + on([-1.0, 0.0], [(2.0, 1.0)])),
    "chi_square": (lambda x, d: gamma_p(d / 2, x / 2), lambda x, d: gamma_q(d / 2, x / 2), positive,
                   [(m * d, (d,)) for d in SMALL + [0.3, 3.0, 4.0, 5.0, 10.0, 15.0, 20.0, 60.0, 100.0, 150.0]
                    for m in [1e-12, 1e-3, 0.2, 0.7, 0.9, 0.999, 1.0, 1.1, 1.3, 2.0, 5.0]] + on([-1.0, 0.0], [(2.0,)])),
    "poisson": (lambda x, r: poisson_sum(x, r, False), lambda x, r: poisson_sum(x, r, True),
                lambda x, *_: 0 if x >= 0 else -1,
                on(COUNTS, [(r,) for r in MEANS + [0.9, 7.0, 60.0, 400.0, 1010.0]])),
}


GRADIENT = {"student_t": student_gradient, "poisson": poisson_gradient}


def main():
    with open("cdfs.csv", "w", encoding="utf-8") as out:
        out.write("function,length,arguments,value,scale,gradient,gradient_scale\n")
        for name, (lower, upper, support, points) in TABLE.items():
            for suffix, f, certain in [("lcdf", lower, 1), ("lccdf", upper, -1)]:
                for x, rest in points:
                    arguments = [mp.mpf(a) for a in (x, *rest)]
                    side = support(*arguments)
                    if side == 0:
                        terms = lambda *a: [f(*a)]
                        if name in GRADIENT:
                            gradient = GRADIENT[name](-certain, *arguments)
                        else:
                            gradient = [derivative(terms, k, arguments, 14, 70) for k in range(len(arguments))]
                        write(out, f"{name}_{suffix}", arguments, terms(*arguments), gradient)
                    elif side == certain:
                        write(out, f"{name}_{suffix}", arguments, [mp.mpf(0)], [(mp.mpf(0), mp.mpf(0))] * len(arguments))
                    else:
                        write(out, f"{name}_{suffix}", arguments, None, None)


if __name__ == "__main__":
    main()
