"""Log densities of the language suite, from SciPy and from textbook formulas.

    python tests/oracle/lang_densities.py            # compare
    python tests/oracle/lang_densities.py --write    # fill in the numbers (`?` stands for none yet)

Each model of tests/lang with a `//! density at` line is written out here by hand as the log
density of a point. Derivatives are Richardson-extrapolated central differences along one
constrained element. Programs on the rules of the language are in lang_rules.py. Needs numpy and
scipy.
"""

import csv
import io
import json
import pathlib
import re
import sys

import lang_rules
import numpy as np
from numpy import exp, log
from scipy import special, stats
from scipy.special import expit, gammaln, log_expit

SUITE = pathlib.Path(__file__).parent.parent / "lang"
MODELS = dict(lang_rules.MODELS)


def model(name):
    def register(function):
        MODELS[name] = function
        return function

    return register


def normal(x, loc=0.0, scale=1.0):
    return np.sum(stats.norm.logpdf(x, loc, scale))


def bernoulli_logit(k, eta):
    return np.sum(np.where(np.asarray(k) == 1, log_expit(eta), log_expit(-np.asarray(eta))))


def binomial_logit(k, n, eta):
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return choose + k * log_expit(eta) + (n - k) * log_expit(-eta)


def lkj_corr_cholesky(factor, eta):
    """Lewandowski, Kurowicka and Joe (2009), equation 16, times the Jacobian of the factor."""
    n = len(factor)
    log_c = sum(
        (2 * eta - 2 + n - k) * (n - k) * log(2)
        + (n - k) * special.betaln(eta + (n - k - 1) / 2, eta + (n - k - 1) / 2)
        for k in range(1, n)
    )
    kernel = sum((n - k + 2 * eta - 2) * log(factor[k - 1, k - 1]) for k in range(2, n + 1))
    return kernel - log_c


def observed(p, d, loc="mu", scale=1.0):
    """z ~ normal(mu, 1); y ~ normal(z, 1), branch by branch."""
    return sum(normal(z, p[loc], scale) + normal(b["y"], z) for z, b in each(p, d))


def each(p, d, name="z"):
    """Pairs of a local and its branch."""
    return zip(p[name], d)


# ---- distributions ----


@model("density/normal")
def _(p, d):
    total = normal(p["mu"], 1, 5) + normal(p["tau"], 0, 2)
    return total + sum(normal(z, p["mu"], p["tau"]) + normal(b["y"], z, 0.7) for z, b in each(p, d))


@model("density/std_normal")
def _(p, d):
    return normal(p["mu"]) + sum(normal(z) + normal(b["y"], p["mu"] + z) for z, b in each(p, d))


@model("density/student_t")
def _(p, d):
    nu, mu, s = p["nu"], p["mu"], p["s"]
    total = stats.gamma.logpdf(nu, 2, scale=10) + normal(mu) + stats.t.logpdf(s, 3, 0, 2.5)
    return total + sum(stats.t.logpdf(z, nu, mu, s) + normal(b["y"], z) for z, b in each(p, d))


@model("density/cauchy")
def _(p, d):
    total = stats.cauchy.logpdf(p["tau"], 0, 5)
    return total + sum(
        stats.cauchy.logpdf(z, -1, p["tau"]) + normal(b["y"], z) for z, b in each(p, d)
    )


@model("density/double_exponential")
def _(p, d):
    total = stats.expon.logpdf(p["b"])
    return total + sum(
        stats.laplace.logpdf(z, 0.5, p["b"]) + normal(b["y"], z) for z, b in each(p, d)
    )


@model("density/exponential")
def _(p, d):
    total = stats.expon.logpdf(p["rate"], scale=2)
    return total + sum(
        stats.expon.logpdf(z, scale=1 / p["rate"]) + normal(b["y"], z) for z, b in each(p, d)
    )


@model("density/gamma")
def _(p, d):
    total = stats.gamma.logpdf(p["a"], 2, scale=10) + stats.gamma.logpdf(p["b"], 3, scale=1 / 4)
    return total + sum(
        stats.gamma.logpdf(z, p["a"], scale=1 / p["b"]) + normal(b["y"], z) for z, b in each(p, d)
    )


@model("density/lognormal")
def _(p, d):
    total = normal(p["m"]) + stats.lognorm.logpdf(p["s"], 0.5)
    return total + sum(
        stats.lognorm.logpdf(z, p["s"], scale=exp(p["m"])) + normal(b["y"], z) for z, b in each(p, d)
    )


@model("density/beta")
def _(p, d):
    total = stats.expon.logpdf(p["a"]) + stats.expon.logpdf(p["b"])
    return total + sum(
        stats.beta.logpdf(q, p["a"], p["b"]) + stats.bernoulli.logpmf(b["k"][0], q)
        for q, b in each(p, d, "p")
    )


@model("density/uniform")
def _(p, d):
    total = stats.uniform.logpdf(p["a"], -1, 4)
    return total + sum(
        stats.uniform.logpdf(z, 0, 2) + normal(b["y"], p["a"] + z) for z, b in each(p, d)
    )


@model("density/bernoulli")
def _(p, d):
    return sum(
        normal(z) + stats.bernoulli.logpmf(b["k"][0], p["p"]) + normal(b["k"], z)
        for z, b in each(p, d)
    )


@model("density/bernoulli_logit")
def _(p, d):
    return normal(p["p"]) + sum(
        normal(z, p["p"], 10) + bernoulli_logit(b["k"], z) for z, b in each(p, d)
    )


@model("density/binomial_logit")
def _(p, d):
    return normal(p["mu"]) + sum(
        normal(z, p["mu"]) + binomial_logit(b["k"][0], b["n"][0], z) for z, b in each(p, d)
    )


@model("density/poisson_log")
def _(p, d):
    return normal(p["mu"]) + sum(
        normal(z, p["mu"]) + stats.poisson.logpmf(b["k"][0], exp(z)) for z, b in each(p, d)
    )


@model("density/multi_normal_cholesky")
def _(p, d):
    factor = np.diag(p["tau"]) @ p["L"]
    total = normal(p["mu"]) + normal(p["tau"]) + lkj_corr_cholesky(p["L"], 2)
    population = stats.multivariate_normal(p["mu"], factor @ factor.T)
    return total + sum(
        population.logpdf(z) + normal(b["y"], z[0] - z[1]) for z, b in each(p, d, "b")
    )


@model("density/lkj_corr_cholesky")
def _(p, d):
    total = stats.expon.logpdf(p["eta"]) + lkj_corr_cholesky(p["L"], p["eta"])
    return total + sum(normal(z, p["L"][2, 0]) + normal(b["y"], z) for z, b in each(p, d))


# ---- what a program means ----


@model("density/tilde_and_target_say_the_same")
def _(p, d):
    return normal(p["mu"]) + observed(p, d)


@model("density/declared_bound_does_not_renormalise")
def _(p, d):
    return normal(p["tau"]) + sum(
        normal(z, 0, p["tau"]) + normal(b["y"], z) for z, b in each(p, d)
    )


@model("density/flat_prior_adds_nothing")
def _(p, d):
    return sum(normal(z, p["b"], p["a"]) + normal(b["y"], z) for z, b in each(p, d))


@model("density/density_outside_the_support_is_zero")
def _(p, d):
    return -np.inf


@model("density/left_side_may_be_an_expression")
def _(p, d):
    return normal(p["mu"]) + sum(
        stats.beta.logpdf((r + 1) / 2, 2, 3) + normal(b["y"] - r, p["mu"])
        for r, b in each(p, d, "r")
    )


def sums(p, d, loc):
    return sum(normal(z, loc) + normal(b["y"], z) for z, b in each(p, d))


@model("density/vectorised_density_is_a_sum")
def _(p, d):
    total = normal(p["mu"]) + sum(normal(p["b"][k], p["mu"], k + 1) for k in range(3))
    return total + sums(p, d, sum(p["b"]))


@model("density/matrix_counts_element_by_element")
def _(p, d):
    return normal(p["m"], 0.1, 2) + sums(p, d, p["m"][0, 1])


@model("density/array_of_unknowns")
def _(p, d):
    return normal(p["q"]) + sums(p, d, p["q"][1])


@model("density/density_of_a_container_is_one_number")
def _(p, d):
    return 0.5 * normal(p["b"]) + sums(p, d, sum(p["b"]))


@model("density/declaration_of_several")
def _(p, d):
    return normal(p["a"], 0, 10) + normal(p["b"], 0, 10) + sums(p, d, p["a"] + p["b"])


@model("density/bounds_may_be_unknowns_above")
def _(p, d):
    return normal(p["a"]) + normal(p["b"]) + sums(p, d, p["a"] + p["b"])


@model("density/upper_bound")
def _(p, d):
    return normal(p["a"]) + sum(
        normal(z, 0, exp(p["a"])) + normal(b["y"], z) for z, b in each(p, d)
    )


@model("density/interval_of_a_vector")
def _(p, d):
    return normal(p["a"]) + sums(p, d, sum(p["a"]))


@model("density/weights_multiply_terms")
def _(p, d):
    return normal(p["mu"]) + sum(
        normal(z, p["mu"]) + sum(w * normal(y, z) for w, y in zip(b["w"], b["y"]))
        for z, b in each(p, d)
    )


@model("density/whole_data_inform_globals_once")
def _(p, d):
    return normal(p["mu"]) + normal(0.7, p["mu"], 0.5) + observed(p, d)


@model("density/global_target_counts_once")
def _(p, d):
    return normal(p["mu"]) - p["mu"] ** 2 + observed(p, d)


@model("density/index_into_globals")
def _(p, d):
    return normal(p["b"], 0, 2) + sum(
        normal(z) + bernoulli_logit(b["correct"], z - p["b"][b["item"].astype(int) - 1])
        for z, b in each(p, d)
    )


# ---- loops and assignment ----


@model("density/loop_without_rounds")
def _(p, d):
    return normal(p["mu"]) + observed(p, d)


@model("density/loops_nest")
def _(p, d):
    cells = [(i, j) for i in (1, 2, 3) for j in (1, 2)]
    return sum(normal(p["a"][i - 1, j - 1], i, j) for i, j in cells) + sums(p, d, p["a"][0, 1])


@model("density/inner_loop_follows_the_outer")
def _(p, d):
    a = p["a"]
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    return normal(a) - sum(a[i] * a[j] * (j + 1) for i, j in pairs) + sums(p, d, a[2])


@model("density/loop_carries_a_value")
def _(p, d):
    total, last = normal(p["mu"]), []
    for z, b in each(p, d):
        total += normal(z, p["mu"])
        level = z
        for y in b["y"]:
            total += normal(y, level)
            level = level / 2 + p["mu"] * y
        last.append(level)
    return total, {"level": last}


@model("density/loop_in_global_carries_a_value")
def _(p, d):
    return normal(p["a"]) + sums(p, d, p["a"] ** 5), {"power": p["a"] ** 5}


@model("density/elements_are_assigned_in_global")
def _(p, d):
    first, second = exp(p["b"])
    a = [0, first, first + second]
    return normal(p["b"]) + sums(p, d, a[2] * a[1]), {"a": a}


@model("density/elements_are_assigned_in_local")
def _(p, d):
    b1, b2 = p["b"]
    return normal(p["b"]) + sum(
        normal(z) + sum(normal(y, b1 + z * b2 * (n + 1)) for n, y in enumerate(b["y"]))
        for z, b in each(p, d)
    )


@model("density/last_assignment_counts")
def _(p, d):
    a = (2 * p["b"] + 1) ** 2
    return normal(p["b"]) + sums(p, d, a), {"a": a}


@model("density/assignment_operators")
def _(p, d):
    b = p["b"]
    a = (1 + b - 3) * b / 4
    v = [1 * b / 2, 2 * 3 / b]
    return normal(b) + sums(p, d, a + sum(v)), {"a": a, "v": v}


@model("density/loop_over_rows_equals_the_vector")
def _(p, d):
    return normal(p["mu"]) + sum(
        normal(z, p["mu"]) + 2 * normal(b["y"], z * b["x"], 2) for z, b in each(p, d)
    )


@model("density/loop_bound_differs_between_branches")
def _(p, d):
    return normal(p["mu"]) + sum(
        normal(z, p["mu"]) - 0.1 * b["m"][0] * (b["m"][0] + 1) / 2 * z**2 + normal(b["y"], z)
        for z, b in each(p, d)
    )


@model("density/temporary_needs_no_value")
def _(p, d):
    return normal(p["mu"]) + sum(
        normal(z) + normal(b["y"], p["mu"] + z * (1 + np.arange(len(b["y"])))) for z, b in each(p, d)
    )


@model("density/row_of_a_matrix_times_a_vector")
def _(p, d):
    return normal(p["b"]) + sum(
        normal(z) + normal(b["y"], z + b["x1"] * p["b"][0] + b["x2"] * p["b"][1])
        for z, b in each(p, d)
    )


@model("density/slice_may_stand_left")
def _(p, d):
    b = p["b"]
    return normal(b[:2]) + normal(b[2], b[0], 2) + sums(p, d, sum(b))


@model("density/vector_may_be_empty")
def _(p, d):
    return normal(p["mu"]) + observed(p, d)


@model("density/branch_needs_no_unknown")
def _(p, d):
    return normal(p["mu"]) + sum(normal(b["y"], p["mu"]) for b in d)


@model("density/model_needs_no_global")
def _(p, d):
    return sums(p, d, 0)


@model("density/scale_may_be_a_vector")
def _(p, d):
    return normal(p["tau"]) + sum(
        normal(z, 0, p["tau"]) + normal(b["y"], sum(z)) for z, b in each(p, d, "b")
    )


@model("density/local_may_depend_on_a_local")
def _(p, d):
    return normal(p["mu"]) + sum(
        normal(z, p["mu"]) + normal(w, z, 2) + normal(b["y"], w)
        for z, w, b in zip(p["z"], p["w"], d)
    )


@model("density/local_bound_may_be_a_global")
def _(p, d):
    return stats.expon.logpdf(p["a"]) + sums(p, d, p["a"])


@model("density/local_bound_may_be_a_datum")
def _(p, d):
    return stats.expon.logpdf(p["a"]) + sum(
        -log(b["top"][0]) + normal(b["y"], p["a"] * z) for z, b in each(p, d)
    )


@model("density/temporary_is_new_in_each_round")
def _(p, d):
    return normal(p["mu"]) + sum(
        normal(z, p["mu"]) + normal(b["y"], 2 * (z + p["mu"])) for z, b in each(p, d)
    )


@model("density/loop_in_a_loop_carries_values")
def _(p, d):
    a, s = p["a"], [0.0, 0.0]
    for i in (1, 2, 3):
        s[0] += a * s[1] + i
        s[1] += a * s[0] + i
        s[0] *= a
    return normal(a) + sums(p, d, s[0] - s[1]), {"s": s}


# ---- derived quantities ----


@model("derived/literals")
def _(p, d):
    return normal(p["a"]) + sums(p, d, p["a"]), {"b": 2004.25}


@model("derived/precedence")
def _(p, d):
    assert p["a"] == 3
    derived = {
        "minus_power": -9,
        "tower": 512,
        "quotient": 2,
        "left": 5,
        "floors": 6,
        "rest": 6,
        "both": 1,
        "either": 1,
        "not": 2,
        "brackets": 8,
    }
    return normal(p["a"]) + sums(p, d, p["a"]), derived


@model("derived/comparisons_are_zero_or_one")
def _(p, d):
    names = "less at_most more at_least same other both either neither count"
    values = dict(zip(names.split(), [0, 1, 1, 0, 1, 0, 0, 1, 0, 3]))
    return normal(p["a"]) + sums(p, d, p["a"]), {**values, "above": [0, 1]}


@model("derived/scalar_functions")
def _(p, d):
    x = p["x"]
    values = [
        exp(x),
        np.expm1(x),
        log(x),
        np.log1p(x),
        np.log1p(-x),
        np.logaddexp(0, x),
        np.sqrt(x),
        x**2,
        1 / x,
        special.logit(x),
        expit(x),
        log_expit(x),
        log_expit(-x),
        special.ndtr(x),
        np.sin(x),
        np.cos(x),
        np.tan(x),
        np.arctan(x),
        np.tanh(x),
        gammaln(x),
        special.digamma(x),
        x**3,
        x,
        0.5,
        2 * x + 3,
        x,
    ]
    terms = sum((k % 5 + 1) * value for k, value in enumerate(values))
    return terms + sums(p, d, x), {f"f{k + 1}": value for k, value in enumerate(values)}


@model("derived/functions_that_jump")
def _(p, d):
    return normal(p["x"]) + sums(p, d, p["x"]), dict(zip("abcdef", [-2, -1, -1, -1, 0, 1.5]))


@model("derived/scalar_functions_work_elementwise")
def _(p, d):
    v = p["v"]
    derived = {"a": exp(v), "m": np.outer(v, v) ** 2, "p": exp(2 * v)}
    return normal(v) + sums(p, d, sum(derived["a"]) + derived["m"][0, 1]), derived


@model("derived/containers")
def _(p, d):
    v, m = p["v"], np.array([[1, 2, 3], [4, 5, 6]])
    r = {
        "s": sum(v),
        "a": np.mean(v),
        "b": np.var(v, ddof=1),
        "c": np.std(v, ddof=1),
        "d": v @ v,
        "e": v @ [1, 2, 3],
        "f": np.diag([2, 3]) @ m,
        "g": m @ np.diag(v),
        "h": np.diag(v),
        "i": np.array([1, 4]),
        "j": np.cumsum(v),
        "k": m.T @ m,
        "l": 323,
    }
    terms = sum(np.sum(value) for name, value in r.items() if name not in "jk")
    return normal(v) + terms + r["j"][1] + r["k"][0, 1] + sums(p, d, r["a"]), r


@model("derived/products_of_matrices")
def _(p, d):
    v, m = p["v"], p["m"]
    r = {
        "a": m @ v,
        "b": v @ m,
        "c": v @ v,
        "d": np.outer(v, v),
        "e": m @ m.T,
        "f": m * m,
        "g": v / [2, 4],
        "h": v**2,
        "i": 2 * m - m / 2,
        "j": 1 - v,
    }
    loc = r["a"][0] + r["b"][1] + r["c"] + r["d"][0, 1] + r["e"][0, 1] + r["f"][1, 1]
    loc += r["g"][0] + r["h"][1] + r["i"][0, 1] + r["j"][0]
    return normal(v) + normal(m) + sums(p, d, loc), r


@model("derived/slices_and_rows")
def _(p, d):
    v, m = p["v"], p["m"]
    r = {
        "a": v[1:3],
        "b": v[1:],
        "c": v[:2],
        "d": m[1],
        "e": m[1],
        "f": m[:, 2],
        "g": m[1, 0],
        "h": v,
    }
    loc = v[1] + v[2] + v[1] * v[1] + sum(m[1]) * m[1, 0] + m[0, 2] + m[1, 0] + v[1]
    return normal(v) + normal(m) + sums(p, d, loc), r


@model("derived/arrays")
def _(p, d):
    a = p["v"][1] + 2 * p["v"][0]
    return normal(p["v"]) + sums(p, d, a), {"a": a, "b": 5}


@model("derived/local_quantities")
def _(p, d):
    a = [[z, b["y"][0] - z] for z, b in each(p, d)]
    return normal(p["mu"]) + observed(p, d), {"a": a}


@model("derived/risk_is_exceeded_or_not")
def _(p, d):
    return normal(p["mu"]) + observed(p, d), {"raised": (exp(p["z"]) > 1.25) * 1}


@model("derived/real_may_hold_a_whole_number")
def _(p, d):
    return normal(p["a"]) + sums(p, d, 3.5 * p["a"]), {"half": 3.5, "w": 2.5}


@model("derived/quotient_of_whole_numbers_is_cut")
def _(p, d):
    derived = {"half": [3, -3], "other": [3, -3], "rest": [1, -1]}
    return normal(p["a"]) + sums(p, d, p["a"]), derived


# ---- data ----


@model("data/order_of_derived_data_does_not_matter")
def _(p, d):
    return normal(p["mu"]) + sum(
        normal(z, p["mu"] + (b["y"][0] + 3.5) * 7 + 3) + normal(b["y"], z) for z, b in each(p, d)
    )


@model("data/row_data_are_computed_row_by_row")
def _(p, d):
    total = normal(p["mu"])
    for z, b in each(p, d):
        centred = log(b["x"]) - np.mean(b["x"])
        total += normal(z, p["mu"]) + normal(b["y"], z * centred + sum(centred) + len(b["y"]))
    return total


@model("data/whole_data_are_numbers_and_arrays")
def _(p, d):
    return normal(p["mu"], 0.5) + sums(p, d, p["mu"] + 3 * 3 + 6)


@model("data/cols_by_pattern_and_by_name")
def _(p, d):
    total = normal(p["mu"])
    for z, b in each(p, d):
        x = np.array([b["x_2"][0], b["x_10"][0], b["x_1"][0]])
        with np.errstate(divide="ignore"):
            total += normal(z, p["mu"] @ x + b["other"][0] / b["x_1"][0]) + normal(b["y"], z)
    return total


@model("data/cols_per_row_make_a_matrix")
def _(p, d):
    total = normal(p["mu"])
    for z, b in each(p, d):
        x = np.stack([b["x1"], b["x2"]], axis=1)
        total += normal(z) + normal(b["y"], x @ p["mu"] + z)
        total += bernoulli_logit(b["k1"], z + p["mu"][0]) + bernoulli_logit(b["k2"], z + p["mu"][1])
    return total


def autoregression(p, branches):
    """`branches` has the values of each branch in the order of its rows."""
    return normal(p["mu"]) + sum(
        normal(z, p["mu"]) + sum(normal(y, z * before) for before, y in zip(ys, ys[1:]))
        for z, ys in zip(p["z"], branches)
    )


@model("data/rows_are_sorted_as_numbers")
def _(p, d):
    return autoregression(p, [[3, 2, 1], [4, 0.5]])


@model("data/rows_are_sorted_as_text")
def _(p, d):
    return autoregression(p, [[3, 1, 2]])


@model("data/rows_are_sorted_by_several_columns")
def _(p, d):
    return autoregression(p, [[3, 2, 4, 1]])


@model("data/rows_keep_the_order_of_the_file")
def _(p, d):
    return autoregression(p, [[1, 5, 3]])


def in_order(p, ys):
    return normal(p["mu"]) + sum(normal(z, p["mu"]) + normal(y, z) for z, y in zip(p["z"], ys))


@model("data/branches_are_in_the_order_of_numbers")
def _(p, d):
    return in_order(p, [3, 2, 1])


@model("data/branches_are_in_the_order_of_bytes")
def _(p, d):
    return in_order(p, [3, 2, 1])


@model("data/branch_key_may_be_compound")
def _(p, d):
    return in_order(p, [3, 2, 1])


@model("data/rows_without_key_keep_their_order")
def _(p, d):
    return in_order(p, [5, 1, 3])


@model("data/rows_of_a_branch_need_not_be_together")
def _(p, d):
    return normal(p["mu"]) + sum(
        normal(z, p["mu"], u) + normal(ys, z)
        for z, u, ys in zip(p["z"], [7, 8], [np.array([1, 3]), np.array([2])])
    )


@model("data/fixed_row_count_sizes_unknowns")
def _(p, d):
    return normal(p["mu"]) + normal(p["z"], p["mu"]) + normal(np.array([[3, 1], [2, 0]]), p["z"])


@model("data/whole_data_size_unknowns")
def _(p, d):
    return normal(p["b"]) + sums(p, d, sum(p["b"]) / 3)


@model("data/dropped_rows_do_not_count")
def _(p, d):
    return normal(p["mu"]) + normal(p["z"][0], p["mu"]) + normal(np.array([1, 3]), p["z"][0] * 2)


# ---- reading and writing programs ----


def rows_of(head):
    """The lines of the file of rows among the directives of a program."""
    words = ("check", "set:", "na:", "density", "derived")
    table, is_open = [], False
    for line in head:
        if line.startswith("data:"):
            table.append(line[5:].strip())
            is_open = True
        elif line.startswith(("branches:", "table ")):
            is_open = False
        elif is_open and not line.startswith(words):
            table.append(line)
    return table


def branches(lines):
    """The rows of the file by branch, in the order of keys; columns as arrays."""
    rows = list(csv.DictReader(io.StringIO("\n".join(lines))))
    key = next(iter(rows[0]))
    groups = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    columns = []
    for name in sorted(groups):
        of = {c: [number(row[c]) for row in groups[name]] for c in rows[0] if c != key}
        columns.append({c: np.array(values) for c, values in of.items()})
    return columns


def number(cell):
    try:
        return float(cell)
    except ValueError:
        return np.nan


def split(text):
    return [item.strip() for item in re.split(r",(?![^\[]*\])(?=[^\]]*(?:\[|$))", text)]


def point_of(text, n_branches, locals_):
    """Values by name; a local without its branch axis holds in every branch."""
    point = {}
    for name, value in re.findall(r"(\w+) = (\[\[.*?\]\]|\[[^\[\]]*\]|[^,]+)", text):
        value = np.array(json.loads(value), dtype=float)
        rank = locals_.get(name)
        shared = rank is not None and value.ndim == rank
        point[name] = np.stack([value] * n_branches) if shared else value
    return point


def moved(point, name, index, step, shared):
    other = {key: value.copy() for key, value in point.items()}
    if shared:
        other[name][(slice(None), *index)] += step
    else:
        other[name][tuple(index)] += step
    return other


def check(name, write):
    path = SUITE / f"{name}.hbd"
    lines = path.read_text().split("\n")
    head = [line[3:].strip() for line in lines if line.startswith("//!")]
    table = rows_of(head)
    data = branches(table)
    local = "\n".join(lines).split("\nlocal")[1]
    declared = re.findall(r"(real|vector)(?:<[^>]*>)?(?:\[\w+\])? (\w+)[ ;]", local)
    ranks = {variable: 0 if kind == "real" else 1 for kind, variable in declared}
    if "branch {" in "\n".join(lines):
        data = [None] * (len(table) - 1)
    wrong, derived = [], {}
    for k, line in enumerate(lines):
        if line.startswith("//! density at"):
            values, expected = line[len("//! density at ") :].rsplit(":", 1)
            point = point_of(values, len(data), ranks)
            evaluate = lambda at: parts(MODELS[name](at, data))[0]
            with np.errstate(all="ignore"):
                log_density, derived = parts(MODELS[name](point, data))
            found = [show(log_density)]
            given = re.findall(r"d/d(\w+)(?:\[([\d, ]+)\])?", expected)
            for variable, index in given:
                index = [int(i) - 1 for i in index.split(",")] if index else []
                rank = point[variable].ndim
                shared = variable in ranks and len(index) == rank - 1
                along = lambda h: evaluate(moved(point, variable, index, h, shared))
                label = f"d/d{variable}" + (f"[{', '.join(str(i + 1) for i in index)}]" if index else "")
                found.append(f"{label} {show(slope(along))}")
            new = f"//! density at {values}: {', '.join(found)}"
        elif line.startswith("//! derived:"):
            variable = line[len("//! derived:") :].split("=")[0].strip()
            value = np.asarray(derived[variable], dtype=float).tolist()
            new = f"//! derived: {variable} = {json.dumps(value)}"
        else:
            continue
        if new != line and not same(new, line):
            wrong.append(f"{path.name}:{k + 1}\n  has   {line}\n  wants {new}")
            lines[k] = new
    if write and wrong:
        path.write_text("\n".join(lines))
    return wrong


def parts(result):
    return result if isinstance(result, tuple) else (result, {})


def slope(f, h=1e-3):
    """Central differences at h, h/2, h/4, extrapolated to h = 0."""
    d = [(f(s) - f(-s)) / (2 * s) for s in (h, h / 2, h / 4)]
    e = [(4 * d[1] - d[0]) / 3, (4 * d[2] - d[1]) / 3]
    return round(float((16 * e[1] - e[0]) / 15), 9)


def show(x):
    return "-inf" if x == -np.inf else repr(float(x))


def same(new, old):
    pattern = r"(?<![\w.])-?(?:\d[\d.]*(?:e[-+]?\d+)?|inf)"
    a, b = re.findall(pattern, new), re.findall(pattern, old)
    return len(a) == len(b) and np.allclose([float(x) for x in a], [float(x) for x in b], 1e-8, 1e-8)


def main():
    write = "--write" in sys.argv
    wrong = [fault for name in MODELS for fault in check(name, write)]
    text = [path for path in SUITE.glob("*/*.hbd") if path.read_text().startswith("//! density")]
    known = {str(path.relative_to(SUITE).with_suffix("")) for path in text}
    # lang_functions.py writes these, numbers and all.
    known = {name for name in known if not name.startswith("derived/functions_")}
    wrong += [f"{name}: no oracle" for name in sorted(known - MODELS.keys())]
    print("\n".join(wrong) or f"{len(MODELS)} programs agree")
    return 0 if write or not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
