"""Log densities of models/*.hbd at random points, computed apart from hbdc.

    python tests/oracle/models.py            # compare with what is there
    python tests/oracle/models.py --write    # write tests/reference/NAME/points.json

Each model is written out by hand: distributions with every constant, on the constrained scale,
without Jacobian; bounds do not renormalise. `log_jacobian` is the log absolute Jacobian
determinant of the transforms from unconstrained space as Stan 2.39 has them (lower bound: exp;
interval: inverse logit; ordered: exp of increments; simplex: isometric log ratios; Cholesky factor
of correlations: tanh of partial correlations), globals and all locals together. `files` names the
data, from the root of the project. Needs numpy and scipy.
"""

import csv
import json
import pathlib
import sys
import zlib

import numpy as np
from model_densities import (
    above,
    bernoulli_logit,
    beta,
    between,
    binomial_logit,
    cauchy,
    cholesky_corr,
    dirichlet,
    free,
    gamma,
    lkj_corr_cholesky,
    log_choose,
    lognormal,
    multi_normal_cholesky,
    neg_binomial_2_log,
    normal,
    ordered,
    ordered_logistic,
    pareto,
    poisson_log,
    random_factor,
    simplex,
    student_t,
)
from numpy import exp, log
from scipy import stats
from scipy.special import expit, logit

ROOT = pathlib.Path(__file__).resolve().parents[2]
N_POINTS = 3
CONVENTION = (
    "natural log; constrained scale; no Jacobian in log_global, log_local, log_density; "
    "all constants kept; bounds do not renormalise; locals in key order; log_jacobian of the "
    "transforms of Stan 2.39, globals and locals together"
)
MODELS = {}


def model(name, **files):
    """Registers a function from the branches (and other files) to a `Model`."""

    def register(function):
        MODELS[name] = (files or {"data": f"models/{name}.csv"}, function)
        return function

    return register


class Model:
    """Unknowns as NAME: (transform, draw); densities as functions of values."""

    def __init__(self, branches, globals_, log_global, locals_, log_local):
        self.branches = branches
        self.globals, self.log_global = globals_, log_global
        self.locals, self.log_local = locals_, log_local


# ---- reading ----


def rows_of(path):
    with (ROOT / path).open(newline="") as file:
        return list(csv.DictReader(file))


def number(cell):
    try:
        return float(cell)
    except ValueError:
        return cell


def in_key_order(keys):
    """As numbers if every key is a whole number in its plain form, else by bytes."""
    keys = set(keys)
    plain = all(key.lstrip("-").isdigit() and str(int(key)) == key for key in keys)
    return sorted(keys, key=int) if plain else sorted(keys, key=str.encode)


def grouped(path, key, by=None):
    """Rows by branch in the order of keys, columns as arrays; `key` holds the key itself."""
    rows = rows_of(path)
    branches = []
    for value in in_key_order(row[key] for row in rows):
        own = [row for row in rows if row[key] == value]
        if by:
            own.sort(key=lambda row: float(row[by]))
        columns = {c: np.array([number(row[c]) for row in own]) for c in rows[0] if c != key}
        branches.append({**columns, "key": value})
    return branches


def positions(branches, column):
    """Numbers the distinct texts of a column from zero, in place; how many there are."""
    levels = sorted({str(cell) for b in branches for cell in b[column]}, key=str.encode)
    for b in branches:
        b[column] = np.array([levels.index(str(cell)) for cell in b[column]])
    return len(levels)


# ---- models ----


@model("eight_schools")
def _(files):
    return Model(
        grouped(files["data"], "school"),
        {
            "mu": (free, lambda r: r.normal(0, 5)),
            "tau": (above(0), lambda r: r.lognormal(1, 0.5)),
        },
        lambda g: normal(g["mu"], 0, 5) + cauchy(g["tau"], 0, 5),
        {"theta": (free, lambda r, g: r.normal(g["mu"], g["tau"]))},
        lambda g, z, b: normal(z["theta"], g["mu"], g["tau"]) + normal(b["y"], z["theta"], b["sigma"]),
    )


@model("rats")
def _(files):
    return Model(
        grouped(files["data"], "rat"),
        {
            "mu_alpha": (free, lambda r: r.normal(240, 5)),
            "mu_beta": (free, lambda r: r.normal(6, 0.3)),
            "sigma_y": (above(0), lambda r: r.lognormal(1.8, 0.2)),
            "sigma_alpha": (above(0), lambda r: r.lognormal(2.7, 0.2)),
            "sigma_beta": (above(0), lambda r: r.lognormal(-0.7, 0.2)),
        },
        lambda g: normal(g["mu_alpha"], 0, 100) + normal(g["mu_beta"], 0, 100),
        {
            "alpha": (free, lambda r, g: r.normal(g["mu_alpha"], g["sigma_alpha"])),
            "beta": (free, lambda r, g: r.normal(g["mu_beta"], g["sigma_beta"])),
        },
        lambda g, z, b: normal(z["alpha"], g["mu_alpha"], g["sigma_alpha"])
        + normal(z["beta"], g["mu_beta"], g["sigma_beta"])
        + normal(b["weight"], z["alpha"] + z["beta"] * (b["day"] - 22), g["sigma_y"]),
    )


@model("seeds")
def _(files):
    names = ["alpha0", "alpha1", "alpha2", "alpha12"]

    def log_local(g, z, b):
        kind, extract = b["seed_type"], b["root_extract"]
        eta = g["alpha0"] + g["alpha1"] * kind + g["alpha2"] * extract
        eta += g["alpha12"] * kind * extract + z["b"]
        return normal(z["b"], 0, g["sigma"]) + binomial_logit(b["germinated"], b["seeds"], eta)

    return Model(
        grouped(files["data"], "plate"),
        {
            **{name: (free, lambda r: r.normal(0, 0.7)) for name in names},
            "sigma": (above(0), lambda r: r.lognormal(-1, 0.5)),
        },
        lambda g: sum(normal(g[name]) for name in names) + cauchy(g["sigma"], 0, 1),
        {"b": (free, lambda r, g: r.normal(0, g["sigma"]))},
        log_local,
    )


@model("sleepstudy", data="tests/reference/sleepstudy/data.csv")
def _(files):
    def log_local(g, z, b):
        factor = g["tau"][:, None] * g["L"]
        line = z["b"][0] + z["b"][1] * b["Days"]
        return multi_normal_cholesky(z["b"], g["mu"], factor) + normal(b["Reaction"], line, g["sigma"])

    return Model(
        grouped(files["data"], "Subject"),
        {
            "mu": (free, lambda r: r.normal([250, 10], [10, 2])),
            "tau": (above(0), lambda r: r.lognormal([3, 1.7], 0.2)),
            "L": (cholesky_corr, lambda r: random_factor(r, 2)),
            "sigma": (above(0), lambda r: r.lognormal(3.2, 0.1)),
        },
        lambda g: lkj_corr_cholesky(g["L"], 2),
        {"b": (free, lambda r, g: g["mu"] + g["tau"] * (g["L"] @ r.normal(size=2)))},
        log_local,
    )


@model("ratings", data="tests/reference/ratings/data.csv")
def _(files):
    genres = [f"g_{k:02}" for k in range(1, 20)]

    def log_local(g, z, b):
        factor = g["tau"][:, None] * g["L"]
        eta = z["z"][0] + np.stack([b[name] for name in genres], 1) @ z["z"][1:]
        return multi_normal_cholesky(z["z"], g["mu"], factor) + bernoulli_logit(b["like"], eta)

    return Model(
        grouped(files["data"], "userId"),
        {
            "mu": (free, lambda r: r.normal(0, 1, 20)),
            "tau": (above(0), lambda r: r.lognormal(-0.5, 0.4, 20)),
            "L": (cholesky_corr, lambda r: random_factor(r, 20)),
        },
        lambda g: normal(g["mu"]) + normal(g["tau"]) + lkj_corr_cholesky(g["L"], 2),
        {"z": (free, lambda r, g: g["mu"] + g["tau"] * (g["L"] @ r.normal(size=20)))},
        log_local,
    )


@model("accidents")
def _(files):
    def log_local(g, z, b):
        eta = log(b["traffic"]) + z["a"] + g["beta"] * b["wet"]
        return normal(z["a"], g["alpha"], g["sigma"]) + poisson_log(b["accidents"], eta)

    return Model(
        grouped(files["data"], "junction"),
        {
            "alpha": (free, lambda r: r.normal(0, 0.5)),
            "beta": (free, lambda r: r.normal(0, 0.5)),
            "sigma": (above(0), lambda r: r.lognormal(-0.7, 0.4)),
        },
        lambda g: normal(g["alpha"], 0, 2) + normal(g["beta"]) + normal(g["sigma"]),
        {"a": (free, lambda r, g: r.normal(g["alpha"], g["sigma"]))},
        log_local,
    )


@model("ticks")
def _(files):
    branches = grouped(files["data"], "plot")
    height = np.concatenate([b["height"] for b in branches])
    centre, sd = np.mean(height), np.std(height, ddof=1)

    def log_local(g, z, b):
        eta = log(b["metres"]) + z["a"] + g["beta"] * (b["height"] - centre) / sd
        return normal(z["a"], g["alpha"], g["sigma"]) + neg_binomial_2_log(b["ticks"], eta, g["phi"])

    return Model(
        branches,
        {
            "alpha": (free, lambda r: r.normal(-3, 0.5)),
            "beta": (free, lambda r: r.normal(0, 0.5)),
            "sigma": (above(0), lambda r: r.lognormal(-0.7, 0.4)),
            "phi": (above(0), lambda r: r.lognormal(0.6, 0.5)),
        },
        lambda g: normal(g["alpha"], -3, 2)
        + normal(g["beta"])
        + normal(g["sigma"])
        + gamma(g["phi"], 2, 0.5),
        {"a": (free, lambda r, g: r.normal(g["alpha"], g["sigma"]))},
        log_local,
    )


@model("trials")
def _(files):
    def log_local(g, z, b):
        eta = z["control"] + z["delta"] * b["treated"]
        total = normal(z["control"], g["mu"], g["sigma"]) + normal(z["delta"], g["d"], g["tau"])
        return total + binomial_logit(b["deaths"], b["patients"], eta)

    return Model(
        grouped(files["data"], "trial"),
        {
            "mu": (free, lambda r: r.normal(-2, 0.5)),
            "sigma": (above(0), lambda r: r.lognormal(-0.7, 0.3)),
            "d": (free, lambda r: r.normal(0, 0.3)),
            "tau": (above(0), lambda r: r.lognormal(-1.5, 0.4)),
        },
        lambda g: normal(g["mu"], 0, 2)
        + normal(g["sigma"])
        + normal(g["d"])
        + normal(g["tau"], 0, 0.5),
        {
            "control": (free, lambda r, g: r.normal(g["mu"], g["sigma"])),
            "delta": (free, lambda r, g: r.normal(g["d"], g["tau"])),
        },
        log_local,
    )


@model("litters")
def _(files):
    def log_local(g, z, b):
        mu, kappa, p = g["mu"][int(b["treated"][0])], g["kappa"], z["p"]
        alive, born = b["alive"][0], b["born"][0]
        likelihood = log_choose(born, alive) + alive * log(p) + (born - alive) * np.log1p(-p)
        return beta(p, mu * kappa, (1 - mu) * kappa) + likelihood

    return Model(
        grouped(files["data"], "litter"),
        {
            "mu": (between(0, 1), lambda r: r.beta(4, 2, 2)),
            "kappa": (above(1), lambda r: 1 + r.lognormal(1, 0.5)),
        },
        lambda g: beta(g["mu"], 2, 2) + pareto(g["kappa"], 1, 1.5),
        {"p": (between(0, 1), lambda r, g: r.beta(3, 2))},
        log_local,
    )


@model("exam")
def _(files):
    branches = grouped(files["data"], "person")
    n = positions(branches, "item")

    def log_local(g, z, b):
        eta = g["a"][b["item"]] * (z["theta"] - g["b"][b["item"]])
        return normal(z["theta"]) + bernoulli_logit(b["correct"], eta)

    return Model(
        branches,
        {
            "mu_b": (free, lambda r: r.normal(0, 1)),
            "s_b": (above(0), lambda r: r.lognormal(0, 0.5)),
            "b": (free, lambda r: r.normal(0, 1, n)),
            "a": (above(0), lambda r: r.lognormal(0, 0.4, n)),
        },
        lambda g: normal(g["mu_b"], 0, 5)
        + cauchy(g["s_b"], 0, 2)
        + normal(g["b"], g["mu_b"], g["s_b"])
        + lognormal(g["a"], 0, 0.5),
        {"theta": (free, lambda r, g: r.normal())},
        log_local,
    )


@model("survey")
def _(files):
    branches = grouped(files["data"], "person")
    n = positions(branches, "question")

    def log_local(g, z, b):
        q = b["question"]
        return normal(z["theta"]) + ordered_logistic(b["answer"], g["a"][q] * z["theta"], g["c"][q])

    return Model(
        branches,
        {
            "a": (above(0), lambda r: r.lognormal(0, 0.4, n)),
            "c": (ordered, lambda r: np.sort(r.normal(0, 1.5, (n, 3)))),
        },
        lambda g: lognormal(g["a"], 0, 0.5) + normal(g["c"], 0, 2),
        {"theta": (free, lambda r, g: r.normal())},
        log_local,
    )


@model("survival")
def _(files):
    def log_local(g, z, b):
        k, t = g["shape"], b["years"]
        scale = exp(-(g["alpha"] + g["beta"] * b["treated"] + log(z["frailty"])) / k)
        log_survival = -((t / scale) ** k)
        log_hazard = log(k) - k * log(scale) + (k - 1) * log(t)
        likelihood = np.sum(log_survival + np.where(b["died"] == 1, log_hazard, 0.0))
        return gamma(z["frailty"], g["nu"], g["nu"]) + likelihood

    return Model(
        grouped(files["data"], "clinic"),
        {
            "shape": (above(0), lambda r: r.lognormal(0.2, 0.2)),
            "alpha": (free, lambda r: r.normal(-1, 0.5)),
            "beta": (free, lambda r: r.normal(0, 0.5)),
            "nu": (above(0), lambda r: r.lognormal(1, 0.4)),
        },
        lambda g: lognormal(g["shape"], 0, 0.5)
        + normal(g["alpha"], 0, 2)
        + normal(g["beta"])
        + gamma(g["nu"], 2, 0.2),
        {"frailty": (above(0), lambda r, g: r.gamma(3) / 3)},
        log_local,
    )


@model("tasting")
def _(files):
    def log_local(g, z, b):
        eta = z["b"] + z["s"] * b["warm"] + g["beta"][1] * b["contact"]
        total = normal(z["b"], 0, g["tau"][0]) + normal(z["s"], g["beta"][0], g["tau"][1])
        return total + ordered_logistic(b["rating"], eta, [g["c"]] * len(eta))

    return Model(
        grouped(files["data"], "judge"),
        {
            "c": (ordered, lambda r: np.sort(r.normal(0, 2, 4))),
            "beta": (free, lambda r: r.normal(1, 0.5, 2)),
            "tau": (above(0), lambda r: r.lognormal(-0.3, 0.4, 2)),
        },
        lambda g: normal(g["c"], 0, 3) + normal(g["beta"], 0, 2) + normal(g["tau"]),
        {
            "b": (free, lambda r, g: r.normal(0, g["tau"][0])),
            "s": (free, lambda r, g: r.normal(g["beta"][0], g["tau"][1])),
        },
        log_local,
    )


@model("trees")
def _(files):
    def log_local(g, z, b):
        curve = z["final"] * expit((b["age"] - z["half"]) / g["pace"])
        total = lognormal(z["final"], g["mu_final"], g["s_final"])
        total += normal(z["half"], g["mu_half"], g["s_half"])
        return total + normal(b["girth"], curve, g["sigma"])

    return Model(
        grouped(files["data"], "tree"),
        {
            "mu_final": (free, lambda r: r.normal(3, 0.2)),
            "s_final": (above(0), lambda r: r.lognormal(-1.2, 0.3)),
            "mu_half": (free, lambda r: r.normal(5, 0.5)),
            "s_half": (above(0), lambda r: r.lognormal(-0.3, 0.3)),
            "pace": (above(0), lambda r: r.lognormal(0.5, 0.2)),
            "sigma": (above(0), lambda r: r.lognormal(-0.5, 0.3)),
        },
        lambda g: normal(g["mu_final"], 3, 1)
        + normal(g["s_final"], 0, 0.5)
        + normal(g["mu_half"], 5, 3)
        + normal(g["s_half"])
        + lognormal(g["pace"], 0.5, 0.5)
        + normal(g["sigma"]),
        {
            "final": (above(0), lambda r, g: r.lognormal(g["mu_final"], g["s_final"])),
            "half": (free, lambda r, g: r.normal(g["mu_half"], g["s_half"])),
        },
        log_local,
    )


@model("capture")
def _(files):
    def log_local(g, z, b):
        y, eps, omega = b["y"][0], z["eps"], g["omega"]
        caught = log(omega) + binomial_logit(y, 5, eps)
        likelihood = caught if y > 0 else np.logaddexp(caught, np.log1p(-omega))
        return normal(eps, logit(g["p"]), g["s"]) + likelihood

    return Model(
        grouped(files["data"], "animal"),
        {
            "omega": (between(0, 1), lambda r: r.beta(4, 3)),
            "p": (between(0, 1), lambda r: r.beta(3, 5)),
            "s": (above(0), lambda r: r.lognormal(-0.2, 0.4)),
        },
        lambda g: normal(g["s"], 0, 1.5),
        {"eps": (free, lambda r, g: r.normal(logit(g["p"]), g["s"]))},
        log_local,
    )


@model("topics")
def _(files):
    branches = grouped(files["data"], "document")
    n = positions(branches, "word")

    def log_local(g, z, b):
        chances = z["theta"] @ g["phi"][:, b["word"]]
        return dirichlet(z["theta"], np.ones(3)) + np.sum(b["count"] * log(chances))

    return Model(
        branches,
        {"phi": (simplex, lambda r: r.dirichlet(np.full(n, 1.5), 3))},
        lambda g: sum(dirichlet(topic, np.full(n, 0.5)) for topic in g["phi"]),
        {"theta": (simplex, lambda r, g: r.dirichlet(np.full(3, 1.5)))},
        log_local,
    )


@model("studies")
def _(files):
    return Model(
        grouped(files["data"], "lab"),
        {
            "mu": (free, lambda r: r.normal(0.3, 0.2)),
            "tau": (above(0), lambda r: r.lognormal(-1.5, 0.4)),
            "nu": (above(0), lambda r: r.lognormal(1, 0.5)),
        },
        lambda g: normal(g["mu"]) + normal(g["tau"]) + gamma(g["nu"], 2, 0.1),
        {"theta": (free, lambda r, g: g["mu"] + g["tau"] * r.standard_t(g["nu"]))},
        lambda g, z, b: student_t(z["theta"], g["nu"], g["mu"], g["tau"])
        + normal(b["effect"], z["theta"], b["se"]),
    )


@model("radon", data="models/radon.csv", branches="models/radon.branches.csv")
def _(files):
    houses = {b["key"]: b for b in grouped(files["data"], "county")}
    counties = {row["county"]: float(row["log_uranium"]) for row in rows_of(files["branches"])}
    none = {"log_radon": np.array([]), "floor": np.array([])}
    u_bar = np.mean(list(counties.values()))
    keys = in_key_order(counties)
    branches = [{**houses.get(key, none), "u": counties[key] - u_bar} for key in keys]

    def log_local(g, z, b):
        line = z["b"][0] + g["gamma"] * b["u"] + z["b"][1] * b["floor"]
        total = multi_normal_cholesky(z["b"], g["mu"], g["tau"][:, None] * g["L"])
        return total + normal(b["log_radon"], line, g["sigma"])

    return Model(
        branches,
        {
            "mu": (free, lambda r: r.normal([1.5, -0.6], 0.2)),
            "gamma": (free, lambda r: r.normal(0.7, 0.3)),
            "tau": (above(0), lambda r: r.lognormal(-1.2, 0.3, 2)),
            "L": (cholesky_corr, lambda r: random_factor(r, 2)),
            "sigma": (above(0), lambda r: r.lognormal(-0.3, 0.2)),
        },
        lambda g: normal(g["mu"], 0, 10)
        + normal(g["gamma"], 0, 10)
        + normal(g["tau"])
        + lkj_corr_cholesky(g["L"], 2)
        + normal(g["sigma"]),
        {"b": (free, lambda r, g: g["mu"] + g["tau"] * (g["L"] @ r.normal(size=2)))},
        log_local,
    )


@model("films", data="models/films.csv", movies="models/films.movies.csv")
def _(files):
    feature = {
        int(row["movie_id"]): [float(row[f"pc{k}"]) for k in (1, 2, 3)]
        for row in rows_of(files["movies"])
    }

    def log_local(g, z, b):
        eta = np.array([feature[int(key)] for key in b["movie_id"]]) @ z["z"]
        total = multi_normal_cholesky(z["z"], g["mu"], g["tau"][:, None] * g["L"])
        return total + bernoulli_logit(b["liked"], eta)

    return Model(
        grouped(files["data"], "user_id"),
        {
            "mu": (free, lambda r: r.normal(0, 0.5, 3)),
            "tau": (above(0), lambda r: r.lognormal(-0.5, 0.4, 3)),
            "L": (cholesky_corr, lambda r: random_factor(r, 3)),
        },
        lambda g: normal(g["mu"]) + normal(g["tau"]) + lkj_corr_cholesky(g["L"], 2),
        {"z": (free, lambda r, g: g["mu"] + g["tau"] * (g["L"] @ r.normal(size=3)))},
        log_local,
    )


@model("moods")
def _(files):
    def log_local(g, z, b):
        y, mu, phi = b["mood"], z["mu"], np.tanh(z["r"])
        total = normal(mu, g["m"], g["s"]) + normal(z["r"], g["m_r"], g["s_r"])
        total += normal(y[0], mu, g["sigma"] / np.sqrt(1 - phi**2))
        return total + normal(y[1:], mu + phi * (y[:-1] - mu), g["sigma"])

    return Model(
        grouped(files["data"], "person", by="day"),
        {
            "m": (free, lambda r: r.normal(5, 0.5)),
            "s": (above(0), lambda r: r.lognormal(0, 0.3)),
            "m_r": (free, lambda r: r.normal(0.4, 0.3)),
            "s_r": (above(0), lambda r: r.lognormal(-1, 0.3)),
            "sigma": (above(0), lambda r: r.lognormal(-0.2, 0.3)),
        },
        lambda g: normal(g["m"], 0, 5)
        + normal(g["s"], 0, 2)
        + normal(g["m_r"])
        + normal(g["s_r"])
        + normal(g["sigma"], 0, 2),
        {
            "mu": (free, lambda r, g: r.normal(g["m"], g["s"])),
            "r": (free, lambda r, g: r.normal(g["m_r"], g["s_r"])),
        },
        log_local,
    )


@model("tracking")
def _(files):
    def log_local(g, z, b):
        emission = stats.norm.logpdf(b["log_speed"][:, None], g["mu"] + z["a"], g["sigma"])
        # Products of matrices, scaled as they grow; not the recursion of the model.
        state, scaled = np.array([0.5, 0.5]) * exp(emission[0]), 0.0
        for row in emission[1:]:
            state = (state @ g["P"]) * exp(row)
            scaled += log(np.sum(state))
            state = state / np.sum(state)
        return normal(z["a"], 0, g["tau"]) + scaled + log(np.sum(state))

    return Model(
        grouped(files["data"], "animal", by="hour"),
        {
            "mu": (ordered, lambda r: np.sort(r.normal([-1, 1], 0.4))),
            "sigma": (above(0), lambda r: r.lognormal(-0.4, 0.3, 2)),
            "P": (simplex, lambda r: r.dirichlet([3, 3], 2)),
            "tau": (above(0), lambda r: r.lognormal(-1, 0.3)),
        },
        lambda g: normal(g["mu"], 0, 3)
        + normal(g["sigma"])
        + sum(dirichlet(row, np.full(2, 2.0)) for row in g["P"])
        + normal(g["tau"]),
        {"a": (free, lambda r, g: r.normal(0, g["tau"]))},
        log_local,
    )


# ---- points ----


def draw_point(model, rng):
    g = {name: draw(rng) for name, (_, draw) in model.globals.items()}
    locals_ = [
        {name: draw(rng, g) for name, (_, draw) in model.locals.items()} for _ in model.branches
    ]
    log_global = float(model.log_global(g))
    pairs = list(zip(locals_, model.branches))
    log_local = float(sum(model.log_local(g, z, b) for z, b in pairs))
    log_jacobian = sum(transform(g[name]) for name, (transform, _) in model.globals.items())
    for z in locals_:
        log_jacobian += sum(transform(z[name]) for name, (transform, _) in model.locals.items())
    return {
        "globals": {name: as_list(value) for name, value in g.items()},
        "locals": {name: [as_list(z[name]) for z in locals_] for name in model.locals},
        "log_global": log_global,
        "log_local": log_local,
        "log_density": log_global + log_local,
        "log_jacobian": float(log_jacobian),
    }


def as_list(value):
    return np.asarray(value, dtype=float).tolist()


def points_of(name):
    files, function = MODELS[name]
    model = function(files)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    points = [draw_point(model, rng) for _ in range(N_POINTS)]
    return {"name": name, "convention": CONVENTION, "files": files, "points": points}


def agree(new, old):
    keys = ("log_global", "log_local", "log_density", "log_jacobian")
    values = lambda file: [[point[key] for key in keys] for point in file["points"]]
    return np.allclose(values(new), values(old), rtol=1e-11, atol=1e-11)


def main():
    wrong = []
    for name in MODELS:
        path = ROOT / "tests/reference" / name / "points.json"
        new = points_of(name)
        if "--write" in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(new) + "\n")
        elif not path.exists() or not agree(new, json.loads(path.read_text())):
            wrong.append(f"{path.relative_to(ROOT)} differs")
    models = {path.stem for path in (ROOT / "models").glob("*.hbd")}
    wrong += [f"{name}: no oracle" for name in sorted(models - MODELS.keys())]
    print("\n".join(wrong) or f"{len(MODELS)} models agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
