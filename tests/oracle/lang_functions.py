"""Writes programs of the language suite that call every function that lang_densities.py does not.

Each call is a derived quantity with the value that mpmath gives for it at 40 digits; those that
have a slope are terms of the target, too, so that the suite compares their gradient with
differences. Needs mpmath. Run it in this directory: python3 lang_functions.py
"""

import mpmath as mp

mp.mp.dps = 40

V = [mp.mpf(x) for x in ("0.3", "0.6", "0.45")]
A, B, C = V
M = [[2 + A, mp.mpf(1)], [mp.mpf(1), 3 + B]]
WIDE = [[mp.mpf(1), mp.mpf(2), mp.mpf(3)], [mp.mpf(4), mp.mpf(5), mp.mpf(6)]]
OUTCOMES = [mp.mpf("1.5"), mp.mpf("-0.3")]
Z = mp.mpf("0.4")

phi = lambda x: mp.erfc(-x / mp.sqrt(2)) / 2
log_beta = lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
dot = lambda x, y: mp.fsum(a * b for a, b in zip(x, y))
log_sum = lambda x: mp.log(mp.fsum(map(mp.exp, x)))
mean = mp.fsum(V) / 3
variance = mp.fsum((x - mean) ** 2 for x in V) / 2
product = lambda a, b: [[dot(row, column) for column in zip(*b)] for row in a]
transposed = lambda a: [list(row) for row in zip(*a)]
rows = lambda a: [list(row) for row in a.tolist()]
cholesky = lambda a: rows(mp.cholesky(mp.matrix(a)))
inverse = lambda a: rows(mp.matrix(a) ** -1)
lower = [[M[0][0], mp.mpf(0)], M[1]]
softmax = [mp.exp(x - log_sum(V)) for x in V]

ELEMENTWISE = [
    ("exp2(a)", 2 ** A), ("log2(a)", mp.log(A) / mp.log(2)), ("log10(a)", mp.log10(A)),
    ("log1m_exp(-a)", mp.log(1 - mp.exp(-A))), ("cbrt(a)", mp.cbrt(A)), ("inv_sqrt(a)", 1 / mp.sqrt(A)),
    ("inv_square(a)", 1 / A**2), ("cloglog(a)", mp.log(-mp.log(1 - A))),
    ("inv_cloglog(a)", 1 - mp.exp(-mp.exp(A))), ("Phi_approx(a)", 1 / (1 + mp.exp(-(mp.mpf("0.07056") * A**3 + mp.mpf("1.5976") * A)))),
    ("inv_Phi(a)", mp.findroot(lambda x: phi(x) - A, -0.5)), ("erf(a)", mp.erf(A)), ("erfc(a)", mp.erfc(A)),
    ("asin(a)", mp.asin(A)), ("acos(a)", mp.acos(A)), ("sinh(a)", mp.sinh(A)), ("cosh(a)", mp.cosh(A)),
    ("asinh(a)", mp.asinh(A)), ("acosh(1 + a)", mp.acosh(1 + A)), ("atanh(a)", mp.atanh(A)),
    ("trigamma(a)", mp.polygamma(1, A)), ("fabs(-a)", A),
]
OF_TWO = [
    ("fdim(b, a)", B - A), ("hypot(a, b)", mp.hypot(A, B)), ("atan2(a, b)", mp.atan2(A, B)),
    ("lbeta(a, b)", log_beta(A, B)), ("lchoose(7, 3)", mp.log(35)), ("lchoose(2 + a, b)", -mp.log(3 + A) - log_beta(3 + A - B, 1 + B)),
    ("log_diff_exp(b, a)", mp.log(mp.exp(B) - mp.exp(A))), ("multiply_log(a, b)", A * mp.log(B)),
    ("lmultiply(a, b)", A * mp.log(B)), ("log_sum_exp(a, b)", mp.log(mp.exp(A) + mp.exp(B))),
    ("log_mix(a, b, c)", mp.log(A * mp.exp(B) + (1 - A) * mp.exp(C))), ("min(a, b)", A), ("max(a, b)", B),
]
OF_CONTAINERS = [
    ("prod(v)", A * B * C), ("norm1(v)", A + B + C), ("norm2(v)", mp.sqrt(dot(V, V))), ("min(v)", A), ("max(v)", B),
    ("log_sum_exp(v)", log_sum(V)), ("squared_distance(v, [1, 2, 3]')", (1 - A) ** 2 + (2 - B) ** 2 + (3 - C) ** 2),
    ("distance(v, [1, 2, 3]')", mp.sqrt((1 - A) ** 2 + (2 - B) ** 2 + (3 - C) ** 2)),
    ("log_mix([0.2, 0.3, 0.5]', v)", mp.log(dot([mp.mpf("0.2"), mp.mpf("0.3"), mp.mpf("0.5")], map(mp.exp, V)))),
    ("vector[3] softmax(v)", softmax), ("vector[3] log_softmax(v)", [mp.log(x) for x in softmax]),
]
COMPOSITIONS = [
    ("vector[3] rep_vector(a, 3)", [A] * 3), ("row_vector[2] rep_row_vector(a, 2)", [A] * 2),
    ("matrix[2, 3] rep_matrix(a, 2, 3)", [[A] * 3] * 2), ("matrix[3, 2] rep_matrix(v, 2)", [[x] * 2 for x in V]),
    ("array[2] real rep_array(a, 2)", [A] * 2), ("vector[2] zeros_vector(2)", [0, 0]), ("vector[2] ones_vector(2)", [1, 1]),
    ("matrix[2, 2] identity_matrix(2)", [[1, 0], [0, 1]]), ("vector[3] linspaced_vector(3, a, b)", [A, (A + B) / 2, B]),
    ("vector[4] to_vector(m)", [M[0][0], M[1][0], M[0][1], M[1][1]]), ("row_vector[3] to_row_vector(v)", V),
    ("array[4] real to_array_1d(m)", [M[0][0], M[1][0], M[0][1], M[1][1]]), ("matrix[1, 3] to_matrix(v')", [V]),
    ("vector[4] append_row(a, v)", [A] + V), ("row_vector[4] append_col(v', a)", V + [A]),
    ("matrix[2, 3] append_col(m, [1, 2]')", [M[0] + [1], M[1] + [2]]), ("matrix[3, 2] append_row(m, [1, 2])", M + [[1, 2]]),
    ("array[5] int append_array({1, 2}, {3, 4, 5})", [1, 2, 3, 4, 5]), ("vector[3] reverse(v)", V[::-1]),
    ("vector[2] head(v, 2)", V[:2]), ("vector[2] tail(v, 2)", V[1:]), ("vector[1] segment(v, 2, 1)", V[1:2]),
    ("row_vector[2] row(m, 2)", M[1]), ("vector[2] col(m, 1)", [M[0][0], M[1][0]]),
    ("int num_elements(m)", 4),
]
MATRICES = [
    ("trace(m)", M[0][0] + M[1][1]), ("matrix[2, 2] add_diag(m, a)", [[M[0][0] + A, 1], [1, M[1][1] + A]]),
    ("quad_form(m, head(v, 2))", dot(V[:2], [dot(row, V[:2]) for row in M])),
    ("matrix[2, 2] quad_form_diag(m, head(v, 2))", [[V[i] * M[i][j] * V[j] for j in range(2)] for i in range(2)]),
    ("matrix[2, 2] tcrossprod([[1, 2, 3], [4, 5, 6]])", product(WIDE, transposed(WIDE))),
    ("matrix[2, 2] multiply_lower_tri_self_transpose(m)", product(lower, transposed(lower))),
    ("vector[2] mdivide_left_tri_low(m, head(v, 2))", [A / M[0][0], (B - A / M[0][0]) / M[1][1]]),
    ("row_vector[2] mdivide_right_tri_low(head(v, 2)', m)", [(A - B / M[1][1]) / M[0][0], B / M[1][1]]),
    ("row_vector[2] columns_dot_product(m, m)", [dot(c, c) for c in transposed(M)]),
    ("vector[2] rows_dot_product(m, m)", [dot(r, r) for r in M]), ("matrix[2, 2] cholesky_decompose(m)", cholesky(M)),
    ("matrix[2, 2] inverse(m)", inverse(M)), ("log_determinant(m)", mp.log(mp.det(mp.matrix(M)))),
]
FLAT = [("int int_step(a)", 1), ("int is_nan(a)", 0), ("int is_inf(a)", 0)]


def flat(value):
    return [x for item in value for x in flat(item)] if isinstance(value, list) else [mp.mpf(value)]


def text(value):
    if isinstance(value, list):
        return f"[{', '.join(map(text, value))}]"
    return repr(float(value))


def log_normal(x, mu=0):
    return -((x - mu) ** 2) / 2 - mp.log(2 * mp.pi) / 2


def write(name, calls, without_slope=()):
    density = mp.fsum(map(log_normal, V)) + mp.fsum(log_normal(Z) + log_normal(y, Z) for y in OUTCOMES)
    lines, derived, terms = [], [], []
    for k, (call, value) in enumerate(list(calls) + list(without_slope)):
        head, bracket, rest = call.partition("(")
        words = head.split(" ")
        ty, call = (" ".join(words[:-1]) or "real", words[-1] + bracket + rest)
        lines.append(f"  {ty} x{k} = {call};")
        derived.append(f"//! derived: x{k} = {text(value)}")
        if k < len(calls):
            density += mp.fsum(flat(value))
            terms.append(f"sum(x{k})" if isinstance(value, list) else f"x{k}")
    unused = "".join(f"  real {letter} = v[{k + 1}];\n" for k, letter in enumerate("abc"))
    matrix = "  matrix[2, 2] m = [[2 + a, 1], [1, 3 + b]];\n"
    total = ";\n  target += ".join(" + ".join(terms[k:k + 8]) for k in range(0, len(terms), 8))
    point = f"v = [{', '.join(text(x) for x in V)}], z = {text(Z)}"
    with open(f"../lang/derived/{name}.hbd", "w", encoding="utf-8") as out:
        out.write(f"//! density at {point}: {text(density)}\n" + "\n".join(derived) + "\n")
        out.write("//! data: school,y\n//! a,1.5\n//! b,-0.3\n")
        out.write("data { branch school { real y; } }\nglobal {\n  vector[3] v ~ normal(0, 1);\n")
        out.write(unused + matrix + "\n".join(lines) + f"\n  target += {total};\n}}\n")
        out.write("local { real z ~ normal(0, 1); y ~ normal(z, 1); }\n")


write("functions_of_one_number", ELEMENTWISE, FLAT)
write("functions_of_two_numbers", OF_TWO)
write("functions_of_vectors", OF_CONTAINERS)
write("functions_that_make_containers", COMPOSITIONS)
write("functions_of_matrices", MATRICES)
