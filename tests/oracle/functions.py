"""Writes functions.csv: values and gradients of the built-in functions to 17 digits.

Arguments are the doubles nearest to what is written here, taken exactly; the rest is computed
with 50 digits by mpmath, gradients by differences with 450. Columns: function; types of the
arguments
(`r` real, `i` int, `n` an int that is a size, `v3` vector, `w3` row vector, `m2x3` matrix, `a3`
array of reals, `k3` array of ints, `b2x3` array of arrays); elements of all arguments
row-major; elements of the result row-major; slopes of the result's first element in every
element of the real arguments, or nothing; the largest term of the sum that the function is,
to which errors are relative besides the value and one.
Needs mpmath. Run it in this directory: python3 functions.py
"""

import random

import mpmath as mp

mp.mp.dps = 50
rng = random.Random(20)

# Points


def grid(low, high, n):
    return [low + (high - low) * k / (n - 1) for k in range(n)]


def powers(low, high, n):
    return [10.0 ** x for x in grid(low, high, n)]


def both_signs(points):
    return points + [-x for x in points]


NEAR_ZERO = powers(-300, -1, 40)
LINE = both_signs(NEAR_ZERO + grid(0.013, 6.01, 50) + powers(0.8, 2.8, 15))
WIDE = both_signs(NEAR_ZERO + grid(0.013, 6.01, 40) + powers(0.8, 15, 25))
POSITIVE = NEAR_ZERO + grid(0.0123, 7.9, 110) + powers(1, 300, 52)
UNIT = NEAR_ZERO + grid(0.011, 0.993, 120) + [1 - x for x in powers(-15.9, -2, 42)]
SIGNED_UNIT = both_signs(NEAR_ZERO + grid(0.011, 0.993, 45) + [1 - x for x in powers(-15.9, -2, 20)])
BELOW_ZERO = [-x for x in NEAR_ZERO + grid(0.0123, 4.9, 110) + powers(0.7, 2.8, 52)]


# Functions of one number: how to compute, where, and the largest term of a sum

half_away = lambda x: mp.sign(x) * mp.floor(abs(x) + mp.mpf(1) / 2)
log1p_exp = lambda x: x + mp.log1p(mp.exp(-x)) if x > 0 else mp.log1p(mp.exp(x))
phi = lambda x: mp.erfc(-x / mp.sqrt(2)) / 2
phi_approx = lambda x: 1 / (1 + mp.exp(-(mp.mpf(0.07056) * x ** 3 + mp.mpf(1.5976) * x)))


def inv_phi(p):
    """By Newton steps from the asymptote; the slope needs no differences."""
    if p == mp.mpf(1) / 2:
        return mp.mpf(0)
    tail = min(p, 1 - p)
    x = -mp.sqrt(-2 * mp.log(tail)) if tail < 0.1 else mp.mpf(0)
    for _ in range(200):
        step = (phi(x) - tail) / (mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi))
        x -= step / max(1, abs(step))
        if abs(step) < mp.mpf(10) ** (-mp.mp.dps + 8):
            break
    return x if p < 0.5 else -x


SMOOTH = {
    "exp": (mp.exp, LINE),
    "expm1": (mp.expm1, LINE),
    "log": (mp.log, POSITIVE),
    "log2": (lambda x: mp.log(x) / mp.log(2), POSITIVE),
    "log10": (mp.log10, POSITIVE),
    "log1p": (mp.log1p, POSITIVE[::2] + [-x for x in UNIT[::2]]),
    "log1m": (lambda x: mp.log1p(-x), [-x for x in POSITIVE[::2]] + UNIT[::2]),
    "log1p_exp": (log1p_exp, LINE),
    "log1m_exp": (lambda x: mp.log(-mp.expm1(x)), BELOW_ZERO),
    "sqrt": (mp.sqrt, POSITIVE),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), both_signs(POSITIVE[::2])),
    "square": (lambda x: x * x, both_signs([x for x in POSITIVE[::2] if 1e-150 < x < 1e150])),
    "inv": (lambda x: 1 / x, both_signs(POSITIVE[20::2])),
    "inv_sqrt": (lambda x: 1 / mp.sqrt(x), POSITIVE[5:]),
    "inv_square": (lambda x: 1 / x ** 2, both_signs([x for x in POSITIVE[20::2] if x < 1e90])),
    "logit": (lambda x: mp.log(x) - mp.log1p(-x), UNIT),
    "inv_logit": (lambda x: 1 / (1 + mp.exp(-x)), LINE),
    "log_inv_logit": (lambda x: -log1p_exp(-x), LINE),
    "log1m_inv_logit": (lambda x: -log1p_exp(x), LINE),
    "cloglog": (lambda x: mp.log(-mp.log1p(-x)), UNIT),
    "inv_cloglog": (lambda x: -mp.expm1(-mp.exp(x)), both_signs(grid(0.013, 6.01, 80) + powers(0.8, 2.8, 20))),
    "Phi": (phi, both_signs(NEAR_ZERO + grid(0.013, 9.01, 65))),
    "Phi_approx": (phi_approx, both_signs(NEAR_ZERO + grid(0.013, 9.01, 65))),
    "inv_Phi": (inv_phi, UNIT),
    "erf": (mp.erf, both_signs(NEAR_ZERO + grid(0.013, 6.5, 65))),
    "erfc": (mp.erfc, both_signs(NEAR_ZERO + grid(0.013, 26.0, 65))),
    "sin": (mp.sin, LINE),
    "cos": (mp.cos, LINE),
    "tan": (mp.tan, LINE),
    "asin": (mp.asin, SIGNED_UNIT),
    "acos": (mp.acos, SIGNED_UNIT),
    "atan": (mp.atan, WIDE),
    "sinh": (mp.sinh, LINE),
    "cosh": (mp.cosh, LINE),
    "tanh": (mp.tanh, LINE),
    "asinh": (mp.asinh, WIDE),
    "acosh": (mp.acosh, [1 + x for x in powers(-15, -1, 60) + grid(0.11, 9, 80) + powers(1, 150, 62)]),
    "atanh": (mp.atanh, SIGNED_UNIT),
    "lgamma": (lambda x: mp.loggamma(x), POSITIVE[:-4]),
    "digamma": (lambda x: mp.digamma(x), POSITIVE[20:]),
    "trigamma": (lambda x: mp.polygamma(1, x), POSITIVE[25:]),
    "exp2": (lambda x: mp.mpf(2) ** x, LINE),
}
SLOPES = {
    "inv_Phi": lambda x: mp.sqrt(2 * mp.pi) * mp.exp(inv_phi(x) ** 2 / 2),
    "lgamma": lambda x: mp.digamma(x),
    "digamma": lambda x: mp.polygamma(1, x),
    "trigamma": lambda x: mp.polygamma(2, x),
    "Phi": lambda x: mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi),
}
SIGNS = both_signs(NEAR_ZERO[::4] + grid(0.125, 6.125, 49) + [0.49999999999999994, 4503599627370497.0] + powers(0.8, 15, 40))
FLAT = {
    "abs": abs,
    "fabs": abs,
    "floor": mp.floor,
    "ceil": mp.ceil,
    "round": half_away,
    "trunc": lambda x: mp.sign(x) * mp.floor(abs(x)),
    "step": lambda x: mp.mpf(1 if x >= 0 else 0),
    "int_step": lambda x: mp.mpf(1 if x > 0 else 0),
    "is_nan": lambda x: mp.mpf(0),
    "is_inf": lambda x: mp.mpf(0),
}

# Functions of two numbers: value, slopes, points, largest term


def log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def log_choose(n, k):
    return mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)


def log_add(a, b):
    high, low = max(a, b), min(a, b)
    return high + mp.log1p(mp.exp(low - high))


def pairs(xs, ys, n=220):
    """Without ties, where some functions have a kink."""
    found = [(rng.choice(xs), rng.choice(ys)) for _ in range(n)]
    return [(x, y) for x, y in found if x != y]


LOGS = both_signs(grid(0.1, 30, 60) + powers(1.5, 8, 20))
SHAPES = powers(-12, -1, 25) + grid(0.21, 12.3, 40) + powers(1.1, 10, 40)
HUGE_N = [float(int(x)) for x in powers(0.7, 15, 60)]
DIFFERENCES = powers(-14, 2.5, 40)
BINARY = {
    "pow": (lambda x, y: x ** y, lambda x, y: [y * x ** (y - 1), x ** y * mp.log(x)],
            pairs(powers(-8, 8, 50) + grid(0.1, 5, 50), both_signs(grid(0.07, 12, 60))), None),
    "fmin": (min, lambda x, y: [1, 0] if x < y else [0, 1], pairs(LINE, LINE), None),
    "fmax": (max, lambda x, y: [1, 0] if x > y else [0, 1], pairs(LINE, LINE), None),
    "min": (min, lambda x, y: [1, 0] if x < y else [0, 1], pairs(LINE, LINE), None),
    "max": (max, lambda x, y: [1, 0] if x > y else [0, 1], pairs(LINE, LINE), None),
    "fdim": (lambda x, y: max(x - y, 0), lambda x, y: [1, -1] if x > y else [0, 0], pairs(LINE, LINE), lambda x, y: max(abs(x), abs(y))),
    "hypot": (mp.hypot, lambda x, y: [x / mp.hypot(x, y), y / mp.hypot(x, y)], pairs(WIDE, WIDE), None),
    "atan2": (mp.atan2, lambda y, x: [x / (x * x + y * y), -y / (x * x + y * y)],
              pairs(both_signs(powers(-5, 5, 60)), both_signs(powers(-5, 5, 60))), None),
    "lbeta": (log_beta, lambda a, b: [mp.digamma(a) - mp.digamma(a + b), mp.digamma(b) - mp.digamma(a + b)],
              pairs(SHAPES, SHAPES, 300), None),
    "lchoose": (log_choose, lambda n, k: [mp.digamma(n + 1) - mp.digamma(n - k + 1), mp.digamma(n - k + 1) - mp.digamma(k + 1)],
                [(n, float(min(n, int(n * q)))) for n in HUGE_N for q in (0.0, 0.003, 0.5, 0.97, 1.0)] + [(1e15, 2.0), (2.5, 1.25)], None),
    "log_sum_exp": (log_add, lambda a, b: [1 / (1 + mp.exp(b - a)), 1 / (1 + mp.exp(a - b))],
                    pairs(LOGS, LOGS) + [(x, x) for x in LOGS[:20]] + [(x, x + 1e-9) for x in LOGS[:20]], lambda a, b: max(abs(a), abs(b))),
    "log_diff_exp": (lambda a, b: a + mp.log(-mp.expm1(b - a)), lambda a, b: [-1 / mp.expm1(b - a), mp.exp(b - a) / mp.expm1(b - a)],
                     [(x + d, x) for x, d in pairs(LOGS, DIFFERENCES, 250) if x + d > x], lambda a, b: max(abs(a), abs(b))),
    "multiply_log": (lambda x, y: x * mp.log(y), lambda x, y: [mp.log(y), x / y], pairs(LINE, powers(-8, 8, 80)), None),
    "lmultiply": (lambda x, y: x * mp.log(y), lambda x, y: [mp.log(y), x / y], pairs(LINE, powers(-8, 8, 80)), None),
}


def mix(p, a, b):
    high = max(a, b)
    return high + mp.log(p * mp.exp(a - high) + (1 - p) * mp.exp(b - high))


def mix_slopes(p, a, b):
    high = max(a, b)
    first, second = mp.exp(a - high), mp.exp(b - high)
    total = p * first + (1 - p) * second
    return [(first - second) / total, p * first / total, (1 - p) * second / total]


# Writing


def text(x):
    x = mp.mpf(x)
    if mp.isnan(x):
        return "NaN"
    if mp.isinf(x):
        return "inf" if x > 0 else "-inf"
    return "0" if x == 0 else mp.nstr(x, 17, min_fixed=-3, max_fixed=6)


def write(out, name, types, arguments, result, slopes=None, scale=1):
    too_large = lambda values: any(mp.mpf("1.7e308") < abs(x) < mp.inf for x in values)
    if too_large(result) or (slopes is not None and too_large(slopes)):
        return
    numbers = " ".join(repr(float(x)) for x in arguments)
    slopes = "" if slopes is None else " ".join(map(text, slopes))
    out.write(f"{name},{types},{numbers},{' '.join(map(text, result))},{slopes},{mp.nstr(mp.mpf(scale), 3)}\n")


def slope(name, f, x):
    if name in SLOPES:
        return SLOPES[name](x)
    with mp.workdps(450):
        h = abs(x) * mp.mpf(10) ** -40
        return (f(x + h) - f(x - h)) / (2 * h)


def elementwise(out):
    for name, (f, points) in SMOOTH.items():
        values = [f(mp.mpf(x)) for x in points]
        slopes = [slope(name, f, mp.mpf(x)) for x in points]
        for x, value, gradient in zip(points, values, slopes):
            write(out, name, "r", [x], [value], [gradient])
        some = [k for k in range(0, len(points), len(points) // 6) if abs(values[k]) < 1e300][:6]
        picked, of_picked = [points[k] for k in some], [values[k] for k in some]
        for types in ("v6", "w6", "a6", "m2x3", "b3x2"):
            write(out, name, types, picked, of_picked, [slopes[some[0]]] + [0] * 5)
    for name, f in FLAT.items():
        for x in SIGNS:
            gradient = [mp.sign(mp.mpf(x))] if name in ("abs", "fabs") else [0]
            write(out, name, "r", [x], [f(mp.mpf(x))], gradient)
        kind = "a5" if name in ("int_step", "is_nan", "is_inf") else "v5"
        write(out, name, kind, SIGNS[:5], [f(mp.mpf(x)) for x in SIGNS[:5]])
    write(out, "abs", "i", [-3.0], [3])
    write(out, "sqrt", "r", [0.0], [0])
    write(out, "log", "r", [0.0], [mp.ninf])
    write(out, "inv_Phi", "v3", [0.0, 0.5, 1.0], [mp.ninf, 0, mp.inf])
    write(out, "log1m_exp", "r", [0.0], [mp.ninf])
    for name, (f, slopes, points, scale) in BINARY.items():
        for x, y in points:
            a, b = mp.mpf(x), mp.mpf(y)
            write(out, name, "r r", [x, y], [f(a, b)], slopes(a, b), scale(a, b) if scale else 1)
        some = points[:6]
        xs, ys = [x for x, _ in some], [y for _, y in some]
        values = [f(mp.mpf(x), mp.mpf(y)) for x, y in some]
        largest = max(scale(mp.mpf(x), mp.mpf(y)) for x, y in some) if scale else 1
        for kind in ("v6", "w6", "a6", "m2x3"):
            write(out, name, f"{kind} {kind}", xs + ys, values, scale=largest)
        if name not in ("log_diff_exp", "lchoose"):
            left = [f(mp.mpf(xs[0]), mp.mpf(y)) for y in ys]
            right = [f(mp.mpf(x), mp.mpf(ys[0])) for x in xs]
            largest = max(abs(v) for v in left + right) if scale else 1
            write(out, name, "r v6", xs[:1] + ys, left, scale=largest)
            write(out, name, "v6 r", xs + ys[:1], right, scale=largest)
    # Edges: a base of zero has no slope in either argument, outside the range nothing is chosen.
    for exponent in (0.25, 0.5, 1.5, 2.0, 3.5):
        write(out, "pow", "r r", [0.0, exponent], [0], [0, 0])
    write(out, "pow", "r r", [0.0, 0.0], [1])
    write(out, "pow", "r r", [-1.5, 3.0], [mp.mpf(-1.5) ** 3])
    for n, k in ((3.0, 4.0), (3.0, 7.0), (3.0, -1.0), (0.0, 2.0)):
        write(out, "lchoose", "i i", [n, k], [mp.ninf])
    write(out, "lbeta", "r r", [0.0, 2.0], [mp.inf])
    write(out, "log_sum_exp", "r r", [-mp.inf, -mp.inf], [mp.ninf], [1, 0])
    write(out, "log_sum_exp", "r r", [-mp.inf, 2.0], [2], [0, 1])
    write(out, "log_sum_exp", "r r", [2.0, -mp.inf], [2], [1, 0])
    write(out, "log_diff_exp", "r r", [2.0, 2.0], [mp.ninf])
    write(out, "log_diff_exp", "r r", [2.0, -mp.inf], [2], [1, 0])
    write(out, "multiply_log", "r r", [0.0, 0.0], [0])
    write(out, "lmultiply", "r r", [0.0, 0.0], [0])
    write(out, "hypot", "r r", [0.0, 0.0], [0], [0, 0])
    write(out, "min", "i i", [3.0, -2.0], [-2])
    write(out, "max", "i i", [3.0, -2.0], [3])
    for x, y, z in zip(LINE[::3], rng.sample(LINE, 70), rng.sample(LINE, 70)):
        a, b, c = mp.mpf(x), mp.mpf(y), mp.mpf(z)
        write(out, "fma", "r r r", [x, y, z], [a * b + c], [b, a, 1], max(abs(a * b), abs(c)))
    write(out, "fma", "v2 r v2", [2.0, 3.0, 3.5, -1.0, 4.0], [6, mp.mpf(14.5)])
    weights = powers(-300, -1, 20) + grid(0.1, 0.9, 20) + [1 - x for x in powers(-15.9, -1, 20)]
    for _ in range(220):
        p, a, b = rng.choice(weights), rng.choice(LOGS), rng.choice(LOGS)
        x = [mp.mpf(v) for v in (p, a, b)]
        write(out, "log_mix", "r r r", [p, a, b], [mix(*x)], mix_slopes(*x), max(abs(a), abs(b)))
    for p, a, b in ((0.0, 1.0, -2.0), (0.0, -800.0, 3.0), (1.0, 1.0, -2.0), (1.0, -300.0, 3.0), (0.0, 800.0, 3.0), (1.0, 2.0, 2.0)):
        x = [mp.mpf(v) for v in (p, a, b)]
        slopes = mix_slopes(*x) if abs(a - b) < 400 else None
        write(out, "log_mix", "r r r", [p, a, b], [mix(*x)], slopes, max(abs(a), abs(b)))


# Containers


def exact(values):
    return [mp.mpf(v) for v in values]


def random_vector(n, spread=3.0, shift=0.0):
    return [rng.gauss(shift, spread) for _ in range(n)]


def rows_of(flat, columns):
    return [flat[k:k + columns] for k in range(0, len(flat), columns)]


def flat(matrix):
    return [x for row in matrix for x in row]


def transposed(matrix):
    return [list(column) for column in zip(*matrix)]


def product(a, b):
    return [[mp.fsum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def gradient(f, arguments):
    """By central differences of the first element, with many digits."""
    with mp.workdps(110):
        slopes = []
        for k in range(len(arguments)):
            h = mp.mpf(10) ** -40
            up, down = [mp.mpf(v) for v in arguments], [mp.mpf(v) for v in arguments]
            up[k] += h
            down[k] -= h
            slopes.append((f(up)[0] - f(down)[0]) / (2 * h))
        return slopes


def check(out, name, types, arguments, f, scale=None, slopes=True):
    """`f` maps all elements to those of the result."""
    x = exact(arguments)
    largest = scale if scale is not None else max([1] + [abs(v) for v in x])
    write(out, name, types, arguments, f(x), gradient(f, arguments) if slopes else None, largest)


def mean(x):
    return mp.fsum(x) / len(x)


def variance(x):
    centre = mean(x)
    return mp.fsum((v - centre) ** 2 for v in x) / (len(x) - 1) if len(x) > 1 else mp.mpf(0)


def log_sum(x):
    high = max(x)
    return high + mp.log(mp.fsum(mp.exp(v - high) for v in x))


def softmax(x):
    total = log_sum(x)
    return [mp.exp(v - total) for v in x]


def prod(x):
    result = mp.mpf(1)
    for v in x:
        result *= v
    return result


def column_major(x, columns):
    return flat(transposed(rows_of(x, columns)))


def reductions(out):
    shapes = [("v1", 1), ("v2", 2), ("v5", 5), ("w4", 4), ("a3", 3), ("m2x3", 6), ("m4x4", 16), ("v40", 40)]
    one_number = {
        "sum": lambda x: [mp.fsum(x)],
        "prod": lambda x: [prod(x)],
        "mean": lambda x: [mean(x)],
        "variance": lambda x: [variance(x)],
        "log_sum_exp": lambda x: [log_sum(x)],
        "min": lambda x: [min(x)],
        "max": lambda x: [max(x)],
    }
    for name, f in one_number.items():
        for types, n in shapes:
            for spread, shift in ((1.0, 0.0), (3.0, 0.0), (1.0, 1e6), (1e-6, 1.0), (200.0, -500.0)):
                x = random_vector(n, spread, shift)
                if name == "prod" and n > 6:
                    x = random_vector(n, 0.2, 1.0)
                squared = name == "variance"
                scale = max([1] + [abs(v) for v in x])
                scale = n * scale ** 2 * mp.mpf(1) / (1e10 if squared and shift == 1e6 else 1) if squared else scale * n
                check(out, name, types, x, f, scale if name != "prod" else max(1, abs(prod(exact(x)))))
    for n in (2, 3, 5, 12):
        x = random_vector(n)
        for types in (f"v{n}", f"a{n}"):
            check(out, "sd", types, x, lambda x: [mp.sqrt(variance(x))])
        for name, f in (
            ("norm2", lambda x: [mp.sqrt(mp.fsum(v * v for v in x))]),
            ("norm1", lambda x: [mp.fsum(abs(v) for v in x)]),
            ("dot_self", lambda x: [mp.fsum(v * v for v in x)]),
            ("cumulative_sum", lambda x: [mp.fsum(x[:k + 1]) for k in range(len(x))]),
            ("softmax", softmax),
            ("log_softmax", lambda x: [v - log_sum(x) for v in x]),
        ):
            for spread, shift in ((1.0, 0.0), (30.0, 0.0), (1.0, 1e5), (1000.0, 0.0)):
                x = random_vector(n, spread, shift)
                check(out, name, f"v{n}", x, f, max(abs(v) for v in x) ** (2 if name == "dot_self" else 1))
            check(out, name, f"w{n}", random_vector(n), f)
        half = lambda x: (x[:len(x) // 2], x[len(x) // 2:])
        for name, f in (
            ("dot_product", lambda x: [mp.fsum(a * b for a, b in zip(*half(x)))]),
            ("squared_distance", lambda x: [mp.fsum((a - b) ** 2 for a, b in zip(*half(x)))]),
            ("distance", lambda x: [mp.sqrt(mp.fsum((a - b) ** 2 for a, b in zip(*half(x))))]),
        ):
            for types in (f"v{n} v{n}", f"v{n} w{n}"):
                check(out, name, types, random_vector(2 * n), f, 100)
    for size, weights in ((2, [0.25, 0.75]), (3, [0.2, 0.5, 0.3]), (3, [1e-200, 0.999, 1e-3])):
        def mixed(x, size=size):
            return [log_sum([mp.log(w) + l for w, l in zip(x[:size], x[size:])])]
        for spread in (1.0, 30.0, 300.0):
            logs = random_vector(size, spread)
            x = weights + logs
            total = mixed(exact(x))[0]
            slopes = [mp.exp(mp.mpf(l) - total) for l in logs]
            slopes += [mp.mpf(w) * s for w, s in zip(weights, slopes)]
            write(out, "log_mix", f"v{size} v{size}", x, [total], slopes, max(abs(l) for l in logs))
    write(out, "log_mix", "v3 v3", [0.0, 0.4, 0.6, 1.0, 2.0, 0.5],
          [log_sum([mp.log(mp.mpf(0.4)) + 2, mp.log(mp.mpf(0.6)) + mp.mpf(0.5)])], None, 2)
    # Edges: nothing but zeros, ties, one element.
    low = -mp.inf
    write(out, "log_sum_exp", "v2", [low, low], [mp.ninf], [0, 0])
    write(out, "log_sum_exp", "v2", [low, 1.5], [1.5], [0, 1])
    write(out, "max", "v3", [2.0, 2.0, 1.0], [2], [0.5, 0.5, 0])
    write(out, "min", "v3", [2.0, 1.0, 1.0], [1], [0, 0.5, 0.5])
    write(out, "max", "k3", [2.0, 7.0, -1.0], [7])
    write(out, "min", "k3", [2.0, 7.0, -1.0], [-1])
    write(out, "sum", "k3", [2.0, 7.0, -1.0], [8])
    write(out, "prod", "k3", [2.0, 7.0, -1.0], [-14])
    write(out, "prod", "v3", [0.0, 7.0, 2.0], [0], [14, 0, 0])
    write(out, "mean", "k4", [2.0, 7.0, -1.0, 3.0], [2.75])
    write(out, "sd", "v3", [1.5, 1.5, 1.5], [0], [0, 0, 0])
    write(out, "sd", "v1", [1.5], [0], [0])
    write(out, "distance", "v2 v2", [1.5, 2.0, 1.5, 2.0], [0], [0, 0, 0, 0])


def compositions(out):
    x = [0.5, -1.25, 3.0, 0.1, 7.0, -2.5]
    check(out, "to_vector", "m2x3", x, lambda x: column_major(x, 3))
    check(out, "to_row_vector", "m3x2", x, lambda x: column_major(x, 2))
    check(out, "to_array_1d", "m2x3", x, lambda x: column_major(x, 3))
    check(out, "to_array_1d", "b2x3", x, lambda x: x)
    for types in ("v6", "w6", "a6"):
        for name in ("to_vector", "to_row_vector", "to_array_1d"):
            check(out, name, types, x, lambda x: x)
    write(out, "to_vector", "k3", [3.0, -1.0, 4.0], [3, -1, 4])
    write(out, "to_array_1d", "k2x2", [3.0, -1.0, 4.0, 2.0], [3, -1, 4, 2])
    check(out, "to_matrix", "b2x3", x, lambda x: x)
    check(out, "to_matrix", "v6", x, lambda x: x)
    check(out, "to_matrix", "w6", x, lambda x: x)
    check(out, "to_matrix", "m2x3", x, lambda x: x)
    write(out, "to_matrix", "v6 n n", x + [2.0, 3.0], column_major(exact(x), 2), [1, 0, 0, 0, 0, 0])
    write(out, "rep_vector", "r n", [2.5, 3.0], [2.5] * 3, [1])
    write(out, "rep_row_vector", "r n", [2.5, 4.0], [2.5] * 4, [1])
    write(out, "rep_matrix", "r n n", [2.5, 2.0, 3.0], [2.5] * 6, [1])
    write(out, "rep_matrix", "v2 n", [2.5, -1.0, 2.0], [2.5, 2.5, -1, -1], [1, 0])
    write(out, "rep_matrix", "w2 n", [2.5, -1.0, 2.0], [2.5, -1, 2.5, -1], [1, 0])
    write(out, "rep_array", "r n", [2.5, 3.0], [2.5] * 3, [1])
    write(out, "rep_array", "i n n", [7.0, 2.0, 2.0], [7] * 4)
    write(out, "rep_array", "v2 n", [2.5, -1.0, 3.0], [2.5, -1] * 3, [1, 0])
    write(out, "rep_array", "r n n n", [2.5, 1.0, 2.0, 3.0], [2.5] * 6, [1])
    write(out, "zeros_vector", "n", [3.0], [0] * 3)
    write(out, "ones_vector", "n", [3.0], [1] * 3)
    write(out, "identity_matrix", "n", [2.0], [1, 0, 0, 1])
    for n, a, b in ((5, -1.0, 2.5), (2, 3.0, 1.0), (11, 0.1, 1e6)):
        step = (mp.mpf(b) - mp.mpf(a)) / (n - 1)
        write(out, "linspaced_vector", "n r r", [float(n), a, b], [mp.mpf(a) + k * step for k in range(n)], [1, 0], abs(b))
    write(out, "linspaced_vector", "n r r", [1.0, 3.0, 8.0], [8], [0, 1])
    write(out, "size", "v5", x[:5], [5])
    write(out, "size", "k3", x[:3], [3])
    write(out, "num_elements", "m2x3", x, [6])
    write(out, "num_elements", "v5", x[:5], [5])
    write(out, "rows", "m2x3", x, [2])
    write(out, "rows", "v5", x[:5], [5])
    write(out, "cols", "m2x3", x, [3])
    write(out, "cols", "w5", x[:5], [5])


def lower(matrix):
    return [[x if j <= i else mp.mpf(0) for j, x in enumerate(row)] for i, row in enumerate(matrix)]


def solve(a, b):
    return mp.matrix(a) ** -1 * mp.matrix(b)


def matrices(out):
    for n in (1, 2, 3, 5):
        square = [[rng.gauss(0, 1) + (3 if i == j else 0) for j in range(n)] for i in range(n)]
        other = [[rng.gauss(0, 2) for _ in range(n + 1)] for _ in range(n)]
        vector = random_vector(n)
        s, o, v = flat(square), flat(other), vector
        of = lambda x, n=n: rows_of(x[:n * n], n)
        check(out, "diag_matrix", f"v{n}", v, lambda x: [x[i] if i == j else mp.mpf(0) for i in range(n) for j in range(n)])
        check(out, "diagonal", f"m{n}x{n}", s, lambda x: [of(x)[i][i] for i in range(n)])
        check(out, "trace", f"m{n}x{n}", s, lambda x: [mp.fsum(of(x)[i][i] for i in range(n))])
        check(out, "add_diag", f"m{n}x{n} v{n}", s + v,
              lambda x: [x[n * i + j] + (x[n * n + i] if i == j else 0) for i in range(n) for j in range(n)])
        check(out, "add_diag", f"m{n}x{n} r", s + [0.75],
              lambda x: [x[n * i + j] + (x[n * n] if i == j else 0) for i in range(n) for j in range(n)])
        check(out, "diag_pre_multiply", f"v{n} m{n}x{n + 1}", v + o,
              lambda x: [x[i] * x[n + (n + 1) * i + j] for i in range(n) for j in range(n + 1)], 100)
        check(out, "diag_post_multiply", f"m{n + 1}x{n} v{n}", o + v,
              lambda x: [x[n * i + j] * x[n * (n + 1) + j] for i in range(n + 1) for j in range(n)], 100)
        check(out, "quad_form", f"m{n}x{n} v{n}", s + v,
              lambda x: [mp.fsum(x[n * n + i] * x[n * i + j] * x[n * n + j] for i in range(n) for j in range(n))], 100)
        check(out, "quad_form", f"m{n}x{n} m{n}x{n + 1}", s + o,
              lambda x: flat(product(transposed(rows_of(x[n * n:], n + 1)), product(of(x), rows_of(x[n * n:], n + 1)))), 100)
        check(out, "quad_form_diag", f"m{n}x{n} v{n}", s + v,
              lambda x: [x[n * n + i] * x[n * i + j] * x[n * n + j] for i in range(n) for j in range(n)], 100)
        check(out, "crossprod", f"m{n}x{n + 1}", o, lambda x: flat(product(transposed(rows_of(x, n + 1)), rows_of(x, n + 1))), 100)
        check(out, "tcrossprod", f"m{n}x{n + 1}", o, lambda x: flat(product(rows_of(x, n + 1), transposed(rows_of(x, n + 1)))), 100)
        check(out, "multiply_lower_tri_self_transpose", f"m{n}x{n}", s,
              lambda x: flat(product(lower(of(x)), transposed(lower(of(x))))), 100)
        check(out, "mdivide_left_tri_low", f"m{n}x{n} v{n}", s + v, lambda x: list(solve(lower(of(x)), [[v] for v in x[n * n:]])), 10)
        check(out, "mdivide_left_tri_low", f"m{n}x{n} m{n}x{n + 1}", s + o, lambda x: list(solve(lower(of(x)), rows_of(x[n * n:], n + 1))), 10)
        check(out, "mdivide_right_tri_low", f"w{n} m{n}x{n}", v + s,
              lambda x: list(mp.matrix([x[:n]]) * mp.matrix(lower(rows_of(x[n:], n))) ** -1), 10)
        check(out, "mdivide_right_tri_low", f"m{n + 1}x{n} m{n}x{n}", o + s,
              lambda x: list(mp.matrix(rows_of(x[:n * (n + 1)], n)) * mp.matrix(lower(rows_of(x[n * (n + 1):], n))) ** -1), 10)
        more = random_vector(n * (n + 1))
        halves = lambda x: (rows_of(x[:len(x) // 2], n + 1), rows_of(x[len(x) // 2:], n + 1))
        dots = lambda a, b: [mp.fsum(x * y for x, y in zip(p, q)) for p, q in zip(a, b)]
        check(out, "rows_dot_product", f"m{n}x{n + 1} m{n}x{n + 1}", o + more, lambda x: dots(*halves(x)), 100)
        check(out, "columns_dot_product", f"m{n}x{n + 1} m{n}x{n + 1}", o + more,
              lambda x: dots(*[transposed(half) for half in halves(x)]), 100)


def decompositions(out):
    def cholesky(a):
        n = len(a)
        factor = [[mp.mpf(0)] * n for _ in range(n)]
        for i in range(n):
            for j in range(i + 1):
                rest = a[i][j] - mp.fsum(factor[i][k] * factor[j][k] for k in range(j))
                factor[i][j] = mp.sqrt(rest) if i == j else rest / factor[j][j]
        return factor

    for n in (1, 2, 3, 5, 8):
        of = lambda x, n=n: rows_of(x, n)
        for _ in range(3):
            root = [random_vector(n) for _ in range(n)]
            spd = [[float(mp.fsum(a * b for a, b in zip(p, q))) + (i == j) for j, q in enumerate(root)] for i, p in enumerate(root)]
            check(out, "cholesky_decompose", f"m{n}x{n}", flat(spd), lambda x: flat(cholesky(of(x))), max(map(abs, flat(spd))))
            # Rows out of order and small first elements, so that pivots matter.
            square = [random_vector(n) for _ in range(n)]
            square[0][0] *= 1e-6
            values = flat(square)
            condition = mp.norm(mp.matrix(square), mp.inf) * mp.norm(mp.matrix(square) ** -1, mp.inf)
            check(out, "inverse", f"m{n}x{n}", values, lambda x: list(mp.matrix(of(x)) ** -1), condition)
            check(out, "log_determinant", f"m{n}x{n}", values, lambda x: [mp.log(abs(mp.det(mp.matrix(of(x)))))], condition)
    write(out, "log_determinant", "m2x2", [1.0, 2.0, 2.0, 4.0], [mp.ninf])


def appended(out):
    identity = lambda x: x
    for types in ("v2 v3", "r v2", "v2 r", "m2x3 m1x3", "w2 m3x2", "m1x2 w2", "w3 w3"):
        n = sum(prod([int(k) for k in t[1:].split("x")]) if t != "r" else 1 for t in types.split())
        check(out, "append_row", types, random_vector(int(n)), identity)
    for types in ("w2 w3", "r w2", "w2 r"):
        n = sum(int(t[1:]) if t != "r" else 1 for t in types.split())
        check(out, "append_col", types, random_vector(n), identity)
    columns = lambda n, left: lambda x: flat([a + b for a, b in zip(rows_of(x[:n * left], left), rows_of(x[n * left:], (len(x) - n * left) // n))])
    for types, n, left, total in (("m2x3 m2x2", 2, 3, 10), ("v2 m2x3", 2, 1, 8), ("m2x3 v2", 2, 3, 8), ("v3 v3", 3, 1, 6)):
        check(out, "append_col", types, random_vector(total), columns(n, left))
    check(out, "append_array", "a2 a3", random_vector(5), identity)
    check(out, "append_array", "b2x2 b1x2", random_vector(6), identity)
    write(out, "append_array", "k2 k1", [3.0, -1.0, 4.0], [3, -1, 4])
    write(out, "append_row", "v2 v2", [-mp.inf, 1.0, mp.inf, 2.0], [mp.ninf, 1, mp.inf, 2], [1, 0, 0, 0])
    for types in ("v1", "v4", "w3", "a5"):
        check(out, "reverse", types, random_vector(int(types[1:])), lambda x: x[::-1])
    check(out, "reverse", "b2x2", random_vector(4), lambda x: x[2:] + x[:2])
    write(out, "reverse", "k3", [3.0, -1.0, 4.0], [4, -1, 3])


with open("functions.csv", "w", encoding="utf-8") as out:
    out.write("function,types,arguments,result,gradient,scale\n")
    elementwise(out)
    reductions(out)
    compositions(out)
    matrices(out)
    decompositions(out)
    appended(out)
