"""Prints the coefficients of src/math/exponential.rs, and how far the polynomials are off.

Chebyshev fits with 60 digits by mpmath:  python3 exponential.py
"""

import mpmath as mp

mp.mp.dps = 60

# e^r = 1 + r + r^2 q(r) for |r| <= ln 2 / 2
HALF_LN_2 = mp.log(2) / 2 * mp.mpf("1.0001")
# ln(1 + f) = 2 atanh(s) = 2 s + s z t(z) with s = f / (2 + f), z = s^2, for 1 + f within a root of two of one
LARGEST_Z = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.001")


def exponential(r):
    r = mp.mpf(r)
    return mp.mpf(1) / 2 + r / 6 if abs(r) < mp.mpf(10) ** -25 else (mp.exp(r) - 1 - r) / r**2


def logarithm(z):
    z = mp.mpf(z)
    s = mp.sqrt(z)
    return mp.mpf(2) / 3 if z < mp.mpf(10) ** -25 else 2 * (mp.atanh(s) / s - 1) / z


for name, function, interval, count, factor in [
    ("exp_tail", exponential, [-HALF_LN_2, HALF_LN_2], 11, HALF_LN_2**2),
    ("log_normal", logarithm, [0, LARGEST_Z], 8, LARGEST_Z),
]:
    coefficients, error = mp.chebyfit(function, interval, count, error=True)
    print(f"{name}: error {mp.nstr(error * factor, 2)}")
    for k, coefficient in enumerate(reversed(coefficients)):
        print(f"  {k}: {mp.nstr(coefficient, 20)}")
