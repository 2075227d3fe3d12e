"""Writes continuous.csv: log densities of continuous distributions and their gradients.

Needs mpmath. Columns, exactness and scales are those of distributions.csv: arguments are doubles
taken exactly, the value is the sum of the terms of a textbook, and its scale the largest of them
(ratios of gamma functions are one term). At the ends of a support the value is the limit, with
no gradient. Run it in this directory: python3 continuous.py
"""

from itertools import product

import mpmath as mp

mp.mp.dps = 50

LINE = [-1e8, -300.0, -37.5, -8.0, -2.5, -1.0, -0.3, -1e-8, 0.0, 1e-3, 0.7, 1.5, 4.0, 20.0, 700.0, 1e5]
PARTS = [1e-300, 1e-12, 1e-3, 0.2, 0.9, 0.999, 1.0, 1.0001, 1.3, 3.0, 20.0, 1e4]
UNIT = [0.0, 1e-300, 1e-9, 0.01, 0.3, 0.5, 0.62, 0.7, 0.99, 1 - 1e-9, 1 - 2**-53, 1.0, -1e-9, 1.0000001]
LOC_SCALE = [(0.0, 1.0), (-3.3, 1e-3), (1e5, 1e5), (2.0, 1e150), (0.7, 0.3), (-40.0, 250.0), (1e-8, 3e-7),
             (0.25, 1e-150), (-1.0, 2.0), (20.0, 0.125), (699.0, 7.7), (-1e8, 1e3), (1.5, 1e8)]
SHAPES = [1e-3, 0.02, 0.5, 1.0, 1.5, 2.0, 7.5, 30.0, 41.0, 1e3, 1e5, 1e6]
DEGREES = [1e-3, 0.5, 1.0, 2.0, 2.5, 4.0, 30.0, 39.0, 41.0, 120.0, 1e3, 1e5, 1e8]


def ln_gamma_ratio(a, b):
    return mp.loggamma(a) - mp.loggamma(b)


def logistic(x, loc, scale):
    z = (x - loc) / scale
    return [-abs(z), -mp.log(scale), -2 * mp.log1p(mp.exp(-abs(z)))]


def normal(x, loc, scale):
    return [-(((x - loc) / scale) ** 2) / 2, -mp.log(scale), -mp.log(2 * mp.pi) / 2]


def cauchy(x, loc, scale):
    return [-mp.log1p(((x - loc) / scale) ** 2), -mp.log(scale), -mp.log(mp.pi)]


def double_exponential(x, loc, scale):
    return [-abs(x - loc) / scale, -mp.log(2 * scale)]


def gumbel(x, loc, scale):
    z = (x - loc) / scale
    return [-z, -mp.exp(-z), -mp.log(scale)]


def skew_normal(x, loc, scale, skew):
    z = (x - loc) / scale
    return normal(x, loc, scale) + [mp.log(2), mp.log(mp.ncdf(skew * z))]


def student_t(x, df, loc, scale):
    return [ln_gamma_ratio((df + 1) / 2, df / 2), -mp.log(df * mp.pi) / 2, -mp.log(scale),
            -(df + 1) / 2 * mp.log1p(((x - loc) / scale) ** 2 / df)]


def lognormal(x, loc, scale):
    z = (mp.log(x) - loc) / scale
    return [-z * z / 2, -mp.log(x), -mp.log(scale), -mp.log(2 * mp.pi) / 2]


def exponential(x, rate):
    return [mp.log(rate), -rate * x]


def log_power(exponent, x):
    return mp.mpf(0) if exponent == 0 else exponent * mp.log(x) if x != 0 else -exponent * mp.inf


def gamma(x, shape, rate):
    return [shape * mp.log(rate), -mp.loggamma(shape), log_power(shape - 1, x), -rate * x]


def chi_square(x, df):
    return gamma(x, df / 2, mp.mpf(1) / 2)


def inv_gamma(x, shape, scale):
    return [shape * mp.log(scale), -mp.loggamma(shape), -(shape + 1) * mp.log(x), -scale / x]


def inv_chi_square(x, df):
    return inv_gamma(x, df / 2, mp.mpf(1) / 2)


def scaled_inv_chi_square(x, df, scale):
    return [df / 2 * mp.log(df / 2), -mp.loggamma(df / 2), df * mp.log(scale), -(df / 2 + 1) * mp.log(x),
            -df * scale**2 / (2 * x)]


def weibull(x, shape, scale):
    return [mp.log(shape), -mp.log(scale), log_power(shape - 1, x / scale), -((x / scale) ** shape)]


def pareto(x, minimum, shape):
    return [mp.log(shape), -mp.log(x), -shape * mp.log(x / minimum)]


def beta(x, a, c):
    return [log_power(a - 1, x), log_power(c - 1, 1 - x) if x == 1 else (c - 1) * mp.log1p(-x), ln_gamma_ratio(a + c, a) - mp.loggamma(c)]


def uniform(x, lower, upper):
    return [-mp.log(upper - lower)]


def everywhere(*_):
    return "inside"


def positive(x, *_):
    return "inside" if x > 0 else "outside"


def from_zero(x, *_):
    return "inside" if x > 0 else "end" if x == 0 else "outside"


def on(outcomes, settings):
    return list(product(outcomes, settings))


def around(centre, settings, more=()):
    """Multiples of a typical outcome, and some outcomes as they are."""
    return [(part * centre(*s), s) for s in settings for part in PARTS] + on(more, settings)


ENDS = [-1.0, -1e-300, 0.0, 1e-300, 1.0, 17.5]

# For each distribution: terms, support, outcomes with arguments.
TABLE = {
    "normal": (normal, everywhere, on(LINE, LOC_SCALE)),
    "std_normal": (lambda x: normal(x, 0, 1), everywhere, on(LINE + [x / 30 for x in range(-93, 94)], [()])),
    "cauchy": (cauchy, everywhere, on(LINE, LOC_SCALE)),
    "double_exponential": (double_exponential, everywhere, on([x + 0.01 for x in LINE], LOC_SCALE)),
    "logistic": (logistic, everywhere, on(LINE, LOC_SCALE)),
    "gumbel": (gumbel, everywhere, on(LINE, LOC_SCALE)),
    "skew_normal": (skew_normal, everywhere,
                    on(LINE[1:-1:2], [(0.0, 1.0, a) for a in [-1e3, -4.0, -0.5, 0.0, 1e-5, 1.0, 2.5, 30.0, 1e6]]
                       + [(loc, scale, a) for loc, scale in LOC_SCALE[4:7] + LOC_SCALE[8:12] for a in [-3.0, 0.1, 8.0]])),
    "student_t": (student_t, everywhere,
                  on(LINE[::2], [(df, *rest) for df in DEGREES for rest in [(0.0, 1.0), (-3.3, 0.02)]])),
    "lognormal": (lognormal, positive,
                  on([-1.0, 0.0, 1e-300, 1e-12, 1e-3, 0.2, 0.999999, 1.0, 1.7, 6.0, 33.3, 1e3, 1e6, 1e300],
                     [(0.0, 1.0), (-2.0, 0.01), (3.0, 40.0), (0.0, 1e-3), (1.9, 0.1), (5.0, 0.5), (-30.0, 10.0),
                      (0.5, 2.0), (7.0, 1e4), (-690.0, 1e-2), (0.0, 1e3), (12.0, 3.0), (-1.0, 0.3), (1e3, 1.0), (0.1, 1e8)])),
    "exponential": (exponential, lambda x, *_: "inside" if x > 0 else "end" if x == 0 else "outside",
                    on([-1e9, -1e-300, 0.0, 1e-300, 1e-12, 1e-3, 0.2, 1.0, 1.7, 6.0, 33.3, 1e3, 1e6],
                       [(r,) for r in [1.0, 1e-9, 250.0, 0.3, 1e-300, 1e9, 7.0, 0.01, 2.5, 30.0, 1e3, 1e-4, 1e100, 0.9, 5.0, 60.0]])),
    "gamma": (gamma, from_zero, around(lambda s, r: s / r, [(s, r) for s in SHAPES for r in [1.0, 1e-6, 250.0]], ENDS)),
    "chi_square": (chi_square, from_zero, around(lambda df: df, [(df,) for df in DEGREES + [5.0, 17.0, 400.0, 2e6]], ENDS)),
    "inv_gamma": (inv_gamma, positive, around(lambda s, r: r / s, [(s, r) for s in SHAPES for r in [1.0, 1e-6, 250.0]], ENDS)),
    "inv_chi_square": (inv_chi_square, positive, around(lambda df: 1 / df, [(df,) for df in DEGREES + [5.0, 17.0, 400.0, 2e6]], ENDS)),
    "scaled_inv_chi_square": (scaled_inv_chi_square, positive,
                              around(lambda df, s: s * s, [(df, s) for df in DEGREES for s in [1.0, 1e-4, 30.0]], ENDS)),
    "weibull": (weibull, from_zero, around(lambda k, s: s, [(k, s) for k in SHAPES for s in [1.0, 1e-4, 77.7]], ENDS)),
    "pareto": (pareto, lambda x, m, _: "inside" if x > m else "end" if x == m else "outside",
               around(lambda m, k: m, [(m, k) for k in SHAPES for m in [1.0, 1e-5, 333.3]], [1e300, -1.0])),
    "beta": (beta, lambda x, *_: "inside" if 0 < x < 1 else "end" if x in (0, 1) else "outside",
             on(UNIT, [(1.0, 1.0), (0.5, 0.5), (1e-3, 8.0), (40.0, 2.5), (1e6, 3e6), (1.0, 1e4), (2.5, 1e9), (19.0, 1.5),
                       (25.0, 1e-3), (25.0, 25.0), (1e9, 1e9), (1.0, 0.3), (3.0, 1.0), (2.0, 2.0), (1e-3, 1e-3), (1e5, 1.0)])),
    "uniform": (uniform, lambda x, a, b: "inside" if a < x < b else "end" if x in (a, b) else "outside",
                on(LINE, [(-1.0, 1.5), (-1e8, 1e8), (0.0, 1e-3), (-3.0, 700.0), (1.5, 20.0), (-1e8, -299.0), (0.0, 1.0),
                          (-1e-8, 1e-8), (-2.5, 4.0), (-1e3, 1e3), (-40.0, 0.0), (-0.5, 0.5), (0.6, 0.8)])),
}


def digits(x):
    if mp.isinf(x):
        return "inf" if x > 0 else "-inf"
    return mp.nstr(x, 17, min_fixed=0, max_fixed=0)


def derivative(f, k, arguments, step=30, digits_of=100):
    """Of f in argument k, and the scale of its terms."""
    x = arguments[k]
    h = abs(x) * mp.mpf(10) ** -step if x != 0 else mp.mpf(10) ** -step
    with mp.workdps(digits_of):
        at = {n: f(*arguments[:k], x + n * h, *arguments[k + 1:]) for n in (-2, -1, 1, 2)}
        # Central differences with one step of extrapolation: the error is O(h^4).
        slopes = [(8 * (b - a) - (d - c)) / (12 * h) for a, b, c, d in zip(at[-1], at[1], at[-2], at[2])]
    return mp.fsum(slopes), max(abs(s) for s in slopes)


def write(out, name, arguments, terms, gradient):
    written = " ".join(repr(float(a)) for a in arguments)
    if terms is None:
        out.write(f"{name},1,{written},-inf,0,,\n")
        return
    value, scale = mp.fsum(terms), max(abs(t) for t in terms)
    slopes = " ".join("-" if g is None else digits(g[0]) for g in gradient)
    scales = " ".join("-" if g is None else mp.nstr(g[1], 3) for g in gradient)
    out.write(f"{name},1,{written},{digits(value)},{mp.nstr(scale, 3)},{slopes},{scales}\n")


def main():
    with open("continuous.csv", "w", encoding="utf-8") as out:
        out.write("distribution,length,arguments,value,scale,gradient,gradient_scale\n")
        for name, (f, support, points) in TABLE.items():
            for x, rest in points:
                arguments = [mp.mpf(a) for a in (x, *rest)]
                where = support(*arguments)
                if where == "outside":
                    write(out, name, arguments, None, None)
                    continue
                gradient = [None if where == "end" else derivative(f, k, arguments) for k in range(len(arguments))]
                write(out, name, arguments, f(*arguments), gradient)


if __name__ == "__main__":
    main()
