"""Log densities of programs of the language suite on factors, tables, branches, conditions,
functions and mixtures, written out by hand; lang_densities.py compares them.

Numbers of levels, looked-up values and rows in order are put down here as the rules of the language
have them, not computed from the files. Needs numpy and scipy.
"""

import numpy as np
from numpy import exp, log
from scipy import special, stats
from scipy.special import expit, gammaln, log_expit

MODELS = {}
Y = [1.5, -0.3]


def model(name):
    def register(function):
        MODELS[name] = function
        return function

    return register


def normal(x, loc=0.0, scale=1.0):
    return np.sum(stats.norm.logpdf(np.asarray(x, dtype=float), loc, scale))


def binomial_logit(k, n, eta):
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return choose + k * log_expit(eta) + (n - k) * log_expit(-eta)


def ordered_logistic(k, eta, c):
    ends = np.concatenate([[-np.inf], c, [np.inf]])
    return log(expit(eta - ends[k - 1]) - expit(eta - ends[k]))


def dirichlet(x, alpha):
    return gammaln(np.sum(alpha)) - np.sum(gammaln(alpha)) + np.sum((alpha - 1) * log(x))


def of_levels(p, rows):
    """Rows of a branch as pairs of a level, from one, and an outcome."""
    total = normal(p["b"])
    for z, own in zip(p["z"], rows):
        total += normal(z) + sum(normal(y, z + p["b"][level - 1]) for level, y in own)
    return total


def chain(p, terms):
    """mu and z standard below mu; each branch adds a term of z."""
    prior = normal(p["mu"]) + sum(normal(z, p["mu"]) for z in p["z"])
    return prior + sum(term(z) for z, term in zip(p["z"], terms))


def outcomes(p, mean, scale=1.0):
    return chain(p, [lambda z, y=y: normal(y, mean(z, y), scale) for y in Y])


# ---- factors ----


@model("data/factor_numbers_numbers_by_value")
def _(p, d):
    return of_levels(p, [[(3, 1), (2, 2)], [(1, 3), (3, 0)]])


@model("data/factor_numbers_text_by_bytes")
def _(p, d):
    return of_levels(p, [[(3, 1), (2, 2)], [(1, 3), (3, 0)]])


@model("data/factor_has_the_order_of_its_levels")
def _(p, d):
    return of_levels(p, [[(3, 1), (1, 2)], [(2, 3), (1, 0)]])


@model("data/factor_may_list_levels_that_no_row_has")
def _(p, d):
    return of_levels(p, [[(3, 1)], [(1, 0)]])


@model("data/factor_numbers_combinations_that_occur")
def _(p, d):
    # (w, 2), (x, 9), (x, 10)
    return of_levels(p, [[(3, 1), (1, 2)], [(2, 3), (3, 0)]])


@model("data/factor_pools_the_files_that_have_its_column")
def _(p, d):
    # comedy, drama, western
    b, (u, v) = p["b"], p["z"]
    total = normal(b) + normal(p["z"])
    total += normal(1, u + b[0] + b[1]) + normal(2, u + b[1] + b[2])
    return total + normal(3, v + b[0] + b[2])


@model("data/factor_may_number_a_branch_value")
def _(p, d):
    # north, south
    of_region = p["b"][[1, 0, 1]]
    return normal(p["b"]) + normal(p["z"], of_region) + normal([1, 2, 0], p["z"])


@model("data/factor_leaves_its_column_a_column")
def _(p, d):
    b, (u, v) = p["b"], p["z"]
    total = normal(b) + normal(p["z"])
    return total + normal([1, 2], [u * 10 + b[2], u * 2 + b[0]]) + normal(3, v * 5 + b[1])


@model("density/factor_treatment_coding")
def _(p, d):
    a, (u, v) = np.append(0, p["b"]), p["z"]
    return normal(p["b"]) + normal(p["z"]) + normal([1, 2], u + a[[0, 2]]) + normal(3, v + a[1])


# ---- tables ----


@model("data/table_is_looked_up_by_its_key")
def _(p, d):
    return chain(p, [lambda z: normal([1, 2], [1.5 * z, -0.5 * z]), lambda z: normal(3, 1.5 * z)])


@model("data/table_column_is_whole_data")
def _(p, d):
    effect = p["mu"] * np.array([1.5 - 1, -0.5 - 1])
    return normal(p["mu"]) + normal(p["z"]) + normal([1, 2], p["z"] + effect)


@model("data/table_gathers_columns")
def _(p, d):
    u, v = p["z"]
    total = normal(p["mu"]) + normal(p["z"], p["mu"])
    return total + normal([1, 2], [u @ [1.5, 0.5], u @ [-0.5, 2]]) + normal(3, v @ [2, 1])


# ---- columns ----


@model("data/column_has_one_value_per_row")
def _(p, d):
    return chain(p, [lambda z: normal([1, 2], [-2 * z, -z]), lambda z: normal(3, 3 * z)])


@model("data/column_has_one_value_per_branch")
def _(p, d):
    means = p["mu"] * np.array([1 - 3.5, 6 - 3.5])
    u, v = p["z"]
    return normal(p["mu"]) + normal(p["z"], means) + normal([1, 2], u) + normal(3, v)


def standardized(x):
    x = np.asarray(x, dtype=float)
    return (x - np.mean(x)) / np.std(x, ddof=1)


@model("data/standardize_may_stand_in_local")
@model("data/standardize_centres_and_scales_over_all_rows")
def _(p, d):
    s = standardized([1, 2, 6])
    return chain(p, [lambda z: normal([1, 2], z * s[:2]), lambda z: normal(3, z * s[2])])


@model("data/standardize_treats_columns_one_by_one")
def _(p, d):
    s, t = standardized([1, 2, 6]), standardized([10, 30, -5])
    first = lambda z: normal([1, 2], z * s[:2] + t[:2])
    return chain(p, [first, lambda z: normal(3, z * s[2] + t[2])])


@model("data/standardize_counts_a_branch_value_once")
def _(p, d):
    s = standardized([1, 6, 3])
    u, v, w = p["z"]
    total = normal(p["mu"]) + normal(p["z"], p["mu"] * s)
    return total + normal([1, 2], u) + normal(3, v) + normal(0, w)


# ---- branches ----


@model("data/branch_without_rows_counts")
def _(p, d):
    means = p["mu"] * (np.array([1.5, 0.5, -1]) - 1 / 3)
    return normal(p["mu"]) + normal(p["z"], means) + normal(1, p["z"][0]) + normal([2, 3], p["z"][2])


@model("data/branch_values_come_from_either_file")
def _(p, d):
    means, scales = p["mu"] * np.array([4, 5]), np.array([3, 2])
    return normal(p["mu"]) + normal(p["z"], means, scales) + normal([1, 2], p["z"])


@model("data/text_is_compared_cell_by_cell")
def _(p, d):
    mu, (u, v) = p["mu"], p["z"]
    total = normal(mu) + normal(p["z"]) + normal([1, 2], [u + mu, u]) + normal(3, v + mu)
    return total + log_expit(u) + log_expit(-u) + log_expit(-v)


@model("data/text_of_a_branch_is_compared")
def _(p, d):
    return normal(p["mu"]) + normal(p["z"], [p["mu"], 0]) + normal([1, 3], p["z"])


@model("data/empty_outcome_leaves_its_term_out")
def _(p, d):
    mu, (u, v) = p["mu"], p["z"]
    return normal(mu) + normal(u, 2 * mu) + normal(v, mu) + normal(1, u)


@model("data/observed_tells_which_cells_are_there")
def _(p, d):
    first = lambda z: normal(1, z) + normal([2, 3], [z, 0])
    return chain(p, [first, lambda z: normal(2, z) + normal(4, z)])


@model("data/bound_may_be_a_datum_of_the_same_row")
def _(p, d):
    first = lambda z: binomial_logit(2, 5, z) + binomial_logit(3, 3, z)
    return chain(p, [first, lambda z: binomial_logit(0, 1, z)])


# ---- conditions ----


@model("density/if_chooses_by_data")
def _(p, d):
    return chain(
        p, [lambda z: normal(1.5, z), lambda z: normal(-0.3, 2 * z, 2), lambda z: -(z**2)]
    )


@model("density/if_needs_no_else")
def _(p, d):
    return chain(p, [lambda z: z + normal(1.5, z), lambda z: normal(-0.3, z)])


@model("density/if_in_a_loop_chooses_row_by_row")
def _(p, d):
    first = lambda z: z - 1.5 * exp(z) - 2.5 * exp(z)
    return chain(p, [first, lambda z: -0.3 * exp(z)])


@model("density/if_assigns_in_one_branch_of_two")
def _(p, d):
    return chain(p, [lambda z: normal(1.5, exp(z)), lambda z: normal(-0.3, z)])


@model("density/conditional_expression_evaluates_one_side")
def _(p, d):
    return chain(p, [lambda z: normal(1.5, z), lambda z: normal(-0.3, -z, log(2.8))])


@model("density/conditional_expressions_chain")
def _(p, d):
    return chain(
        p, [lambda z: normal(1.5, z), lambda z: normal(-0.3, 2 * z), lambda z: normal(0, 3 * z)]
    )


@model("density/condition_guards_a_subscript")
def _(p, d):
    # Groups 4, 4, 5 and 4: the last of each counts once, a second one once more.
    first = lambda z: normal(2, z) + normal(2, z + 1, 2) + normal(0.5, z)
    return chain(p, [first, lambda z: normal(3, z)])


@model("density/conditional_expression_guards_a_subscript")
def _(p, d):
    return chain(p, [lambda z: normal(1, z) + normal(2, z * 1), lambda z: normal(3, z)])


@model("density/loop_over_a_vector")
def _(p, d):
    total = normal(p["mu"], 1, 2) + normal(p["z"])
    return total + sum(normal(y, m * z) for y, z in zip(Y, p["z"]) for m in p["mu"])


@model("density/loop_over_an_array")
def _(p, d):
    first = lambda z: normal([1.5, 1], z) - (z - 2) ** 2 - (z - 3) ** 2 + 2 * z
    return chain(p, [first, lambda z: normal(-0.3, z) - (z - 4) ** 2 + 2 * z])


@model("density/loop_over_a_matrix")
def _(p, d):
    m, z = np.asarray(p["m"]), p["z"]
    total = normal(m) + normal(z) + sum(normal(1.5, x + z[0]) for x in m.flatten())
    return total, {"s": sum((k + 1) * x for k, x in enumerate(m.flatten(order="F")))}


@model("density/truncation_by_its_lost_mass")
def _(p, d):
    mu, tau, z = p["mu"], p["tau"], p["z"]
    kept = normal(z, mu, tau) - stats.norm.logsf(0.3, mu, tau)
    return normal(mu) + stats.expon.logpdf(tau) + kept + normal(1.2, z)


# ---- functions ----


@model("density/function_of_numbers")
def _(p, d):
    return outcomes(p, lambda z, y: z**2 / 3)


@model("density/function_takes_containers_of_any_size")
def _(p, d):
    mu, (u, v) = p["mu"], p["z"]
    total = normal(mu) + normal(p["z"], np.mean(mu))
    total += normal([1.5, 1], [mu[0] * 2 * u + 2.5, mu[2] * 3 * u + 2.5])
    return total + normal(-0.3, mu[1] * 4 * v + 4)


@model("density/function_may_loop_and_assign")
def _(p, d):
    return outcomes(p, lambda z, y: z + z**2 / 2 + z**3 / 6 + z**4 / 24)


@model("density/function_may_return_in_both_cases")
def _(p, d):
    return outcomes(p, lambda z, y: exp(z) if y > 0 else 1 - z)


@model("density/function_calls_an_earlier_one")
def _(p, d):
    return outcomes(p, lambda z, y: z**3 + p["mu"] ** 3)


@model("density/function_that_is_a_density")
def _(p, d):
    return chain(p, [lambda z, y=y: 2 * log(0.5) - abs(y - z) - abs(y - z - 3) for y in Y])


@model("density/function_that_is_a_mass")
def _(p, d):
    waits = lambda k: lambda z: len(k) * log_expit(z) + sum(k) * log_expit(-z)
    return chain(p, [waits([2, 0]), waits([1])])


@model("density/function_may_draw_for_its_distribution")
def _(p, d):
    return outcomes(p, lambda z, y: z + 1, 2)


@model("density/function_name_leaves_data_their_names")
def _(p, d):
    return outcomes(p, lambda z, y: 2 * z)


# ---- subscripts ----


@model("density/subscript_with_an_array_picks_elements")
def _(p, d):
    b, (u, v) = p["b"], p["z"]
    total = normal(b) + normal(p["z"], b[0] + 2 * b[2])
    return total + normal([1, 2], [u + b[2], u + b[0]]) + normal(3, v + b[2])


@model("density/subscript_with_two_arrays_is_a_submatrix")
def _(p, d):
    total = p["mu"] * 2 + 9 + 2 + 2 + 3
    return normal(p["mu"]) + normal(p["z"]) + normal(Y, p["z"] * total, 10)


@model("density/slices_may_end_where_data_say")
def _(p, d):
    first = lambda z: normal(1, z) + normal(2, z) + normal(4, 2 * z)
    return chain(p, [first, lambda z: normal(3, z)])


@model("derived/empty_slice_sums_to_nothing")
def _(p, d):
    return outcomes(p, lambda z, y: z), {"none": 0.0, "n": 0.0}


@model("derived/array_literals_hold_containers")
def _(p, d):
    return outcomes(p, lambda z, y: z), {"a": p["mu"] + 3, "b": 6.0}


# ---- mixtures and constrained unknowns ----


def mixed(weights, densities):
    return log(sum(w * exp(density) for w, density in zip(weights, densities)))


@model("density/mixture_of_two_by_log_mix")
def _(p, d):
    p_ = p["p"]
    total = stats.beta.logpdf(p_, 2, 2) + normal(p["z"])
    pairs = zip(p["z"], Y)
    return total + sum(mixed([p_, 1 - p_], [normal(y, z), normal(y, -z, 3)]) for z, y in pairs)


@model("density/mixture_of_several_by_log_mix")
def _(p, d):
    total = dirichlet(p["w"], np.array([2, 2, 3])) + normal(p["z"])
    for z, y in zip(p["z"], Y):
        total += mixed(p["w"], [normal(y, z), normal(y, -z, 3), normal(y, 0, 5)])
    return total


@model("density/mixture_by_log_sum_exp")
def _(p, d):
    total = dirichlet(p["w"], np.ones(2)) + normal(p["z"])
    for z, own in zip(p["z"], [[1.5, 2], [-0.3]]):
        total += sum(mixed(p["w"], [normal(y, z), normal(y, -z, 3)]) for y in own)
    return total


@model("density/discrete_local_is_summed_out")
def _(p, d):
    omega, (u, v) = p["omega"], p["z"]
    total = normal(p["z"]) + mixed([omega, 1 - omega], [binomial_logit(0, 5, u), 0])
    return total + log(omega) + binomial_logit(3, 5, v)


@model("density/cutpoints_may_differ_row_by_row")
def _(p, d):
    c, (u, v) = p["c"], p["z"]
    total = normal(c, 0, 2) + normal(p["z"])
    total += ordered_logistic(3, u, c[0]) + ordered_logistic(1, u, c[1])
    return total + ordered_logistic(2, v, c[1])


def multi_normal(x, mean, covariance):
    return np.sum(stats.multivariate_normal.logpdf(x, mean, covariance))


@model("density/multivariate_outcome_may_be_an_array_of_vectors")
def _(p, d):
    total = multi_normal(p["mu"], [0, 1], [[2, 0.5], [0.5, 1]])
    total += sum(multi_normal(z, p["mu"][0] - p["mu"][1], [[1, 0.3], [0.3, 2]]) for z in p["z"])
    return total + normal(Y, np.sum(p["z"], axis=1))


@model("density/simplex_may_be_local")
def _(p, d):
    alpha, (u, v) = np.full(3, p["alpha"]), p["theta"]
    total = stats.expon.logpdf(p["alpha"]) + dirichlet(u, alpha) + dirichlet(v, alpha)
    return total + log(u[1]) + log(v[2])


@model("density/ordered_may_be_local")
def _(p, d):
    u, v = p["c"]
    total = normal(p["mu"]) + normal(p["c"], p["mu"])
    return total + ordered_logistic(2, 0.3, u) + ordered_logistic(3, 0.3, v)


@model("density/positive_ordered_starts_above_zero")
def _(p, d):
    d_ = p["d"]
    return np.sum(stats.expon.logpdf(d_)) + normal(p["z"], 0, d_[0]) + normal(Y, p["z"], d_[1])


@model("density/covariance_may_be_an_unknown")
def _(p, d):
    total = -np.trace(p["S"]) + sum(multi_normal(z, [0, 0], p["S"]) for z in p["z"])
    return total + normal(Y, np.sum(p["z"], axis=1))


# ---- idioms and words ----


@model("data/words_of_the_data_block_are_names")
def _(p, d):
    mu, (u, v) = p["table"], p["z"]
    return normal(mu) + normal(p["z"], mu) + normal(1.5, u, 2) + normal(-0.3, 3 * v, 4)


@model("data/cols_of_a_branch_make_an_array")
def _(p, d):
    first = lambda z: 2 * log_expit(z) + log_expit(-z)
    return chain(p, [first, lambda z: log_expit(z) + 2 * log_expit(-z)])


@model("data/branches_without_rows_alone")
def _(p, d):
    return chain(p, [lambda z: normal(1.5, z + 1), lambda z: normal(-0.3, z)])


@model("data/settings_may_be_read_in_data")
def _(p, d):
    return chain(p, [lambda z: normal(0.15, z), lambda z: normal(-0.03, z)])


@model("density/array_of_vectors_counts_element_by_element")
def _(p, d):
    mu = p["mu"]
    return normal(mu, 1, 2) + normal(p["z"], mu[0, 1] + mu[1, 0]) + normal(Y, p["z"])


@model("density/power_of_zero_is_flat")
def _(p, d):
    h, (u, v) = p["h"], p["z"]
    return stats.expon.logpdf(h) + normal(p["z"]) + normal(1.5, u) + normal(-0.3, v + 2**h)


@model("density/slopes_of_a_factor")
def _(p, d):
    # u, v
    s, (a, b) = p["s"], p["z"]
    total = normal(s) + normal(p["z"])
    return total + normal([1, 2], [a + s[1] * 2, a + s[0] * 3]) + normal(3, b + s[1] * 4)


@model("density/effects_of_a_factor_may_be_vectors")
def _(p, d):
    (s, t), (a, b) = p["u"], p["z"]
    total = normal(p["z"]) + multi_normal(p["u"], [0, 0], [[1, 0.5], [0.5, 1]])
    total += normal([1, 2], [a + t[0] + t[1] * 2, a + s[0] + s[1] * 3])
    return total + normal(3, b + t[0] + t[1] * 4)


@model("density/recurrence_differentiates")
def _(p, d):
    phi, (u, v) = p["phi"], p["z"]
    second = phi * u + exp(-u)
    third = phi * second + exp(-second)
    return normal(phi) + normal(p["z"]) + normal([1, 2, 4], [u, second, third]) + normal(3, v)


@model("density/forward_algorithm_sums_over_paths")
def _(p, d):
    mu, P = p["mu"], np.array([[0.8, 0.2], [0.3, 0.7]])
    total = normal(mu, 0, 3) + normal(p["z"])
    for z, ys in zip(p["z"], [[1, 2, -1], [3]]):
        paths = 0.0
        for path in np.ndindex(*[2] * len(ys)):
            chance = 0.5 * np.prod([P[i, j] for i, j in zip(path, path[1:])])
            paths += chance * exp(sum(normal(y, mu[k] + z) for y, k in zip(ys, path)))
        total += log(paths)
    return total


@model("density/distribution_functions_censor")
def _(p, d):
    above = lambda z: stats.norm.logsf(1, z, 2)
    return chain(p, [above, lambda z: stats.norm.logcdf(-0.3, z, 2)])


@model("density/comparison_of_unknowns_is_reported")
def _(p, d):
    return outcomes(p, lambda z, y: z), {"up": [1.0, 0.0]}


# ---- every other distribution ----


@model("density/more_distributions_of_counts")
def _(p, d):
    mu, total = p["mu"], stats.expon.logpdf(p["mu"]) + normal(p["z"], p["mu"])
    for k, z in zip([2, 3], p["z"]):
        rate, eta = exp(z), np.array([z, 2 * z, mu])
        total += stats.betabinom.logpmf(k, 5, rate, mu) + stats.binom.logpmf(k, 5, expit(z))
        total += eta[k - 1] - special.logsumexp(eta)
        total += stats.nbinom.logpmf(k, rate, mu / (1 + mu))
        total += 2 * stats.nbinom.logpmf(k, mu, mu / (mu + rate)) + stats.poisson.logpmf(k, rate)
    return total


@model("density/more_distributions_of_numbers")
def _(p, d):
    mu, total = p["mu"], stats.expon.logpdf(p["mu"]) + normal(p["z"], p["mu"])
    for y, z in zip([1.5, 2.3], p["z"]):
        df, s = exp(z), 1 + mu
        total += stats.chi2.logpdf(y, df) + stats.invgamma.logpdf(y, df / 2, scale=0.5)
        total += stats.invgamma.logpdf(y, df / 2, scale=df * s**2 / 2)
        total += stats.invgamma.logpdf(y, df, scale=s) + stats.gumbel_r.logpdf(y, z, s)
        total += stats.logistic.logpdf(y, z, s) + stats.skewnorm.logpdf(y, 2, z, s)
        total += stats.pareto.logpdf(y, df, scale=0.5) + stats.weibull_min.logpdf(y, s, scale=df)
    return total
