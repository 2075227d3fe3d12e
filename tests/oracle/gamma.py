"""Prints the coefficients of src/math/positive_gamma.rs, and how far the polynomials are off.

Chebyshev fits with 60 digits by mpmath:  python3 gamma.py
"""

import mpmath as mp

mp.mp.dps = 60
HALF_LN_2_PI = mp.log(2 * mp.pi) / 2
ROOT = mp.findroot(mp.digamma, mp.mpf("1.4616"))


def near(bound, limit, function):
    """The function, but its limit within the bound of zero."""
    return lambda x: limit(x) if abs(x) < bound else function(x)


def by_square(limit, function):
    """A remainder of Stirling's formula by t = 1/x^2, with its first terms for large x."""
    return lambda t: limit(t) if t < mp.mpf(10) ** -12 else function(1 / mp.sqrt(t))


# ln Gamma(2 + y) / y - 1 = -gamma + y q(y)
log_gamma_core = near(
    mp.mpf(10) ** -15,
    lambda y: (mp.zeta(2) - 1) / 2 - (mp.zeta(3) - 1) / 3 * y + (mp.zeta(4) - 1) / 4 * y**2,
    lambda y: (mp.loggamma(2 + y) / y - 1 + mp.euler) / y,
)
# ln Gamma(x) = (x - 1/2) (ln x - 1) + (ln 2 pi - 1) / 2 + t(1/x^2) / x
log_gamma_tail = by_square(
    lambda t: mp.mpf(1) / 12 - t / 360 + t**2 / 1260,
    lambda x: (mp.loggamma(x) - (x - mp.mpf(1) / 2) * mp.log(x) + x - HALF_LN_2_PI) * x,
)
# psi(x) = (x - root) q(x - 3/2)
digamma_core = lambda v: mp.digamma(v + mp.mpf(3) / 2) / (v + mp.mpf(3) / 2 - ROOT)
# psi(x) = ln x - 1/(2x) - t(1/x^2) / x^2
digamma_tail = by_square(
    lambda t: mp.mpf(1) / 12 - t / 120 + t**2 / 252,
    lambda x: (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) * x**2,
)
# psi_1(x) = q(x - 3/2)
trigamma_core = lambda v: mp.psi(1, v + mp.mpf(3) / 2)
# psi_1(x) = 1/x + 1/(2x^2) + t(1/x^2) / x^3
trigamma_tail = by_square(
    lambda t: mp.mpf(1) / 6 - t / 30 + t**2 / 42,
    lambda x: (mp.psi(1, x) - 1 / x - 1 / (2 * x**2)) * x**3,
)

HALF = mp.mpf(1) / 2
LITTLE_OVER = mp.mpf("1.0001")
for name, function, interval, count in [
    ("LOG_GAMMA_CORE", log_gamma_core, [-LITTLE_OVER, HALF * LITTLE_OVER], 24),
    ("LOG_GAMMA_TAIL", log_gamma_tail, [0, LITTLE_OVER / mp.mpf("2.5") ** 2], 16),
    ("DIGAMMA_CORE", digamma_core, [-HALF * LITTLE_OVER, HALF * LITTLE_OVER], 24),
    ("DIGAMMA_TAIL", digamma_tail, [0, LITTLE_OVER / 4], 16),
    ("TRIGAMMA_CORE", trigamma_core, [-HALF * LITTLE_OVER, HALF * LITTLE_OVER], 24),
    ("TRIGAMMA_TAIL", trigamma_tail, [0, LITTLE_OVER / 4], 20),
]:
    coefficients, error = mp.chebyfit(lambda x: function(mp.mpf(x)), interval, count, error=True)
    print(f"{name}: error {mp.nstr(error, 2)}")
    for coefficient in reversed(coefficients):
        print(f"    {float(coefficient)!r},")
print("root of digamma", mp.nstr(ROOT, 40), "(ln 2 pi - 1) / 2", mp.nstr(HALF_LN_2_PI - HALF, 25))
