"""Writes special_functions.csv: values of the special functions to 17 digits.

The argument is the double nearest to what is written here, taken exactly, and the value is
computed with 60 digits by mpmath. Run it in this directory: python3 special_functions.py
"""

import mpmath as mp

mp.mp.dps = 60

POSITIVE = [
    1e-300, 1e-100, 1e-20, 1e-8, 1e-5, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7,
    0.75, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0, 1.001, 1.01, 1.1, 1.2, 1.25, 1.3, 1.4, 1.4616321449683623,
    1.5, 1.6, 1.75, 1.9, 1.99, 2.0, 2.01, 2.1, 2.5, 3.0, 3.3, 4.0, 5.0, 5.5, 6.0, 7.25, 8.0, 9.9,
    10.0, 12.0, 14.9, 15.0, 15.1, 17.0, 18.9, 20.0, 25.0, 33.3, 50.0, 100.0, 170.6, 1e3, 1e5, 1e8, 1e15,
]
# Next to the roots of ln gamma and digamma, where formulas change, and at both ends.
ROOTS = [
    1 - 2**-40, 1 - 2**-20, 1 - 1e-4, 1 + 2**-52, 1 + 2**-40, 1 + 2**-20, 1 + 1e-4, 2 - 2**-40, 2 - 2**-20, 2 - 1e-4,
    2 + 2**-51, 2 + 2**-40, 2 + 2**-20, 2 + 1e-4, 1.349, 1.351, 1.4616, 1.4616321449683624, 1.46164, 1.999, 2.499, 2.501,
    2.3e-308, 1e-320, 5e-324, 3e-8, 1e20, 1e100, 1e300,
]
NEGATIVE = [-0.001, -0.1, -0.25, -0.5, -0.75, -0.9, -1.1, -1.5, -1.9, -2.5, -3.3, -5.7, -10.5, -20.25]
LINE = [
    0.0, 1e-300, 1e-20, 1e-10, 1e-5, 1e-3, 0.01, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.999, 1.0, 1.001,
    1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.5, 8.2, 10.0, 12.0, 15.0, 18.0, 20.0, 25.0, 30.0, 35.0, 37.0,
]
WIDE = [50.0, 100.0, 300.0, 700.0]


def both_signs(points):
    return points + [-x for x in points if x != 0.0]


def log_gamma(x):
    return mp.log(abs(mp.gamma(x))) if x < 171 else mp.loggamma(x)


def polygamma(n):
    return lambda x: mp.polygamma(n, x)


def log_phi(n):
    """The n-th derivative of ln of the normal distribution function, by h = phi / Phi."""
    def value(x):
        h = mp.npdf(x) / mp.ncdf(x)
        return [mp.log(mp.ncdf(x)) if x < 0 else mp.log1p(-mp.ncdf(-x)), h, -h * (h + x), h * ((h + x) * (2 * h + x) - 1)][n]
    return value


FUNCTIONS = {
    "lgamma": (log_gamma, POSITIVE + ROOTS),
    "lgamma_below": (log_gamma, NEGATIVE),
    "digamma": (polygamma(0), POSITIVE + ROOTS),
    "digamma_below": (polygamma(0), NEGATIVE),
    "trigamma": (polygamma(1), POSITIVE[1:] + ROOTS),
    "trigamma_below": (polygamma(1), NEGATIVE),
    "polygamma2": (polygamma(2), POSITIVE[1:] + NEGATIVE),
    "polygamma3": (polygamma(3), POSITIVE[2:] + NEGATIVE),
    "polygamma4": (polygamma(4), POSITIVE[2:] + NEGATIVE),
    "exp": (mp.exp, both_signs(LINE + WIDE) + [709.5, -708.3, -720.0, -745.0]),
    "expm1": (mp.expm1, both_signs(LINE + WIDE) + [0.34, 0.35, -0.34, -0.35, 1.03, 1.04, 39.9, 40.1]),
    "log": (mp.log, POSITIVE + [5e-324, 1e-310, 0.7071, 0.7072, 1.4142, 1.4143, 1e300]),
    "log1p": (mp.log1p, LINE + WIDE + [-x for x in LINE if 0.0 < x < 1.0] + [0.41, 0.42, -0.29, -0.3, 1e10, 1e16, 1e300]),
    "log1p_exp": (lambda x: mp.log1p(mp.exp(x)), both_signs(LINE + WIDE)),
    "inv_logit": (lambda x: 1 / (1 + mp.exp(-x)), both_signs(LINE + WIDE)),
    "log_cosh": (lambda x: mp.log(mp.cosh(x)), both_signs(LINE[3:] + WIDE)),
    "tanh": (mp.tanh, both_signs(LINE + WIDE[:1])),
    "log1m_exp": (
        lambda x: mp.log(-mp.expm1(x)) if x > -1 else mp.log1p(-mp.exp(x)),
        [-x for x in LINE + WIDE if x > 0.0] + [-0.69, -0.6932, -0.35, -38.0, -1e-310, -2.3e-308],
    ),
    **{f"log_phi{n}": (log_phi(n), both_signs(LINE)) for n in range(4)},
    "phi": (lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, both_signs(LINE)),
}


def main():
    with open("special_functions.csv", "w") as out:
        out.write("function,x,value\n")
        for name, (function, points) in FUNCTIONS.items():
            for x in points:
                value = function(mp.mpf(x))
                if value == 0 or 1e-307 < abs(value) < 1e308:
                    out.write(f"{name},{x!r},{mp.nstr(value, 20, strip_zeros=False)}\n")


main()
