"""Writes functions.csv: values of the built-in functions to 17 digits.

Arguments are the doubles nearest to what is written here, taken exactly; the rest is computed
with 40 digits by mpmath. Columns: function, dimensions of each argument (`s` for a scalar,
else as in `2x3`), elements of all arguments row-major, elements of the result row-major.
Run it in this directory: python3 functions.py
"""

import mpmath as mp

mp.mp.dps = 40

LINE = [-30.0, -4.25, -1.5, -1.0, -0.5, -1e-9, 0.0, 1e-12, 0.3, 0.5, 1.0, 2.5, 3.0, 12.75, 40.0]
POSITIVE = [1e-300, 1e-6, 0.1, 0.5, 0.75, 1.0, 1.5, 2.0, 3.25, 10.0, 1234.5, 1e10]
UNIT = [1e-20, 1e-6, 0.01, 0.25, 0.5, 0.6, 0.999]
log1p_exp = lambda x: mp.log1p(mp.exp(x))
half_away = lambda x: mp.sign(x) * mp.floor(abs(x) + mp.mpf(1) / 2)

UNARY = {
    "exp": (mp.exp, LINE + [700.0, -740.0]),
    "expm1": (mp.expm1, LINE),
    "log": (mp.log, POSITIVE),
    "log1p": (mp.log1p, [-0.999, -0.5, -1e-10, 0.0, 1e-15, 0.7, 1e8]),
    "log1m": (lambda x: mp.log1p(-x), [-7.0, -1e-10, 0.0, 1e-15, 0.5, 0.999]),
    "log1p_exp": (log1p_exp, LINE + [800.0, -700.0]),
    "sqrt": (mp.sqrt, [0.0] + POSITIVE),
    "square": (lambda x: x * x, LINE),
    "inv": (lambda x: 1 / x, POSITIVE + [-0.3, -8.0]),
    "logit": (lambda x: mp.log(x) - mp.log1p(-x), UNIT),
    "inv_logit": (lambda x: 1 / (1 + mp.exp(-x)), LINE + [700.0, -700.0]),
    "log_inv_logit": (lambda x: -log1p_exp(-x), LINE + [700.0, -700.0]),
    "log1m_inv_logit": (lambda x: -log1p_exp(x), LINE + [700.0, -700.0]),
    "Phi": (mp.ncdf, [-8.0, -3.5, -1.0, -0.2, 0.0, 0.7, 2.0, 6.0]),
    "sin": (mp.sin, LINE),
    "cos": (mp.cos, LINE),
    "tan": (mp.tan, LINE),
    "atan": (mp.atan, LINE),
    "tanh": (mp.tanh, LINE),
    "lgamma": (mp.loggamma, POSITIVE),
    "digamma": (mp.digamma, POSITIVE),
    "abs": (abs, LINE),
    "floor": (mp.floor, LINE),
    "ceil": (mp.ceil, LINE),
    "round": (half_away, LINE + [0.49999999999999994, -2.5, 1.5]),
    "trunc": (lambda x: mp.sign(x) * mp.floor(abs(x)), LINE),
    "step": (lambda x: mp.mpf(1 if x >= 0 else 0), LINE),
}
PAIRS = [(2.0, 0.5), (0.3, -1.7), (1.0, 9.0), (7.25, 2.0), (1e-3, 3.0), (4.0, 4.0), (2.5, 1.0), (9.0, 0.0)]
BINARY = {"pow": mp.power, "fmin": min, "fmax": max}
VECTOR = [0.5, -1.25, 3.0, 0.1, 7.0]
OTHER = [2.0, 0.25, -0.75, 11.0, 1e-3]
MATRIX = [[1.0, 0.3, -2.0], [0.1, 5.0, 0.7]]
SQUARE = [[4.0, 0.1, 0.2], [-1.0, 0.5, 9.0], [3.0, 2.0, 1.5]]


def exact(values):
    return [[mp.mpf(v) for v in row] if isinstance(row, list) else mp.mpf(row) for row in values for row in [row]]


def write(out, name, dims, arguments, result):
    numbers = " ".join(repr(float(x)) for x in arguments)
    values = " ".join(mp.nstr(mp.mpf(x), 17, min_fixed=0, max_fixed=0) for x in result)
    out.write(f"{name},{dims},{numbers},{values}\n")


def containers(out):
    v, w, m, s = exact(VECTOR), exact(OTHER), exact(MATRIX), exact(SQUARE)
    mean = mp.fsum(v) / 5
    variance = mp.fsum((x - mean) ** 2 for x in v) / 4
    flat = lambda matrix: [x for row in matrix for x in row]
    write(out, "sum", "5", v, [mp.fsum(v)])
    write(out, "sum", "2x3", flat(m), [mp.fsum(flat(m))])
    write(out, "mean", "5", v, [mean])
    write(out, "variance", "5", v, [variance])
    write(out, "sd", "5", v, [mp.sqrt(variance)])
    write(out, "dot_self", "5", v, [mp.fsum(x * x for x in v)])
    write(out, "dot_product", "5 5", v + w, [mp.fsum(x * y for x, y in zip(v, w))])
    write(out, "diag_pre_multiply", "2 2x3", v[:2] + flat(m), [v[i] * m[i][j] for i in range(2) for j in range(3)])
    write(out, "diag_post_multiply", "2x3 3", flat(m) + v[:3], [v[j] * m[i][j] for i in range(2) for j in range(3)])
    write(out, "diag_matrix", "3", v[:3], [v[i] if i == j else 0 for i in range(3) for j in range(3)])
    write(out, "diagonal", "3x3", flat(s), [s[i][i] for i in range(3)])
    write(out, "cumulative_sum", "5", v, [mp.fsum(v[: i + 1]) for i in range(5)])
    write(out, "crossprod", "2x3", flat(m),
          [mp.fsum(m[k][i] * m[k][j] for k in range(2)) for i in range(3) for j in range(3)])
    write(out, "size", "5", v, [5])
    write(out, "rows", "2x3", flat(m), [2])
    write(out, "cols", "2x3", flat(m), [3])


with open("functions.csv", "w", encoding="utf-8") as out:
    out.write("function,dimensions,arguments,result\n")
    for name, (f, points) in UNARY.items():
        values = [f(mp.mpf(x)) for x in points]
        for x, y in zip(points, values):
            write(out, name, "s", [x], [y])
        write(out, name, f"{len(points)}", points, values)
        write(out, name, "2x3", points[:6], values[:6])
    for name, f in BINARY.items():
        values = [f(mp.mpf(x), mp.mpf(y)) for x, y in PAIRS]
        for (x, y), value in zip(PAIRS, values):
            write(out, name, "s s", [x, y], [value])
        xs, ys = [x for x, _ in PAIRS], [y for _, y in PAIRS]
        write(out, name, f"{len(xs)} {len(ys)}", xs + ys, values)
        write(out, name, f"{len(xs)} s", xs + [1.25], [f(mp.mpf(x), mp.mpf(1.25)) for x in xs])
        write(out, name, f"s {len(ys)}", [1.25] + ys, [f(mp.mpf(1.25), mp.mpf(y)) for y in ys])
    write(out, "fma", "s s s", [2.0, 3.5, -1.0], [6])
    write(out, "fma", "2 s 2", [2.0, 3.0, 3.5, -1.0, 4.0], [6, 14.5])
    containers(out)
