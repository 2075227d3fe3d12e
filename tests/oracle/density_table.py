"""What the scripts of density tables share: derivatives, and lines of a table.

A density is a list of terms, as in a textbook; their sum is the value, and the magnitude of
the largest is the scale against which an error counts (so it is for derivatives). Binomial
coefficients, beta functions and ratios of gamma functions are one term each.

Columns: distribution, length of the outcome or of the vector that each outcome has (else 1),
outcome and arguments (row-major, separated by spaces), value, scale, gradient in all of these
(`-` where the argument is a whole number or the derivative is not compared, nothing outside
the support), scales of these.
"""

import mpmath as mp

mp.mp.dps = 50

HEADER = "distribution,length,arguments,value,scale,gradient,gradient_scale\n"


def digits(x):
    return mp.nstr(x, 17, min_fixed=0, max_fixed=0) if mp.isfinite(x) else "-inf"


def derivative(f, k, arguments, dps=400):
    """Of the terms f in argument k, and the scale of these derivatives."""
    x = arguments[k]
    with mp.workdps(dps):
        # A step relative to the argument where that is small: some are 1e-300, and at zero
        # other arguments may be.
        h = (min(abs(x), 1) if x != 0 else mp.mpf(10) ** -300) * mp.mpf(10) ** -20
        at = lambda step: f(*arguments[:k], x + step, *arguments[k + 1:])
        ups, downs, far_ups, far_downs = at(h), at(-h), at(2 * h), at(-2 * h)
        # Central differences with one step of extrapolation: the error is O(h^4).
        slopes = [(4 * (a - b) / (2 * h) - (c - d) / (4 * h)) / 3
                  for a, b, c, d in zip(ups, downs, far_ups, far_downs)]
    return mp.fsum(slopes), max(abs(s) for s in slopes)


def write(out, name, n, arguments, terms, gradient):
    written = " ".join(repr(float(a)).removesuffix(".0") for a in arguments)
    if terms is None:
        out.write(f"{name},{n},{written},-inf,0,,\n")
        return
    value, scale = mp.fsum(terms), max(abs(t) for t in terms)
    slopes = " ".join("-" if g is None else digits(g[0]) for g in gradient)
    scales = " ".join("-" if g is None else mp.nstr(g[1], 5) for g in gradient)
    out.write(f"{name},{n},{written},{digits(value)},{mp.nstr(scale, 5)},{slopes},{scales}\n")


def log1p_exp(eta):
    # e^-745 needs more digits than 50 beside one.
    return mp.log1p(mp.exp(eta)) if eta < 0 else eta + mp.log1p(mp.exp(-eta))


def times_log(x, y):
    """x ln y, zero where x is."""
    return x * mp.log(y) if x != 0 else mp.mpf(0)
