"""Writes continuous_samplers.csv: for settings of continuous distributions, cut points, the probabilities of
the cells between them, and the critical value of Pearson's chi-square.

Needs scipy. The level of one setting is 1e-4 over the number of settings. Columns: distribution,
arguments, cuts (ascending; a cell is open at its lower end), probabilities of the cells, critical
value. Run it in this directory: python3 continuous_samplers.py
"""

import numpy as np
from scipy import stats

AT = [0.005, 0.02, 0.05] + [k / 10 for k in range(1, 10)] + [0.25, 0.75, 0.95, 0.98, 0.995]

SETTINGS = {
    "beta": (lambda a, b: stats.beta(a, b), [(1.0, 1.0), (0.5, 0.5), (0.05, 8.0), (40.0, 2.5), (1e5, 3e5), (0.2, 0.3)]),
    "cauchy": (lambda m, s: stats.cauchy(m, s), [(0.0, 1.0), (-3.0, 0.01), (5.0, 1e6)]),
    "chi_square": (lambda df: stats.chi2(df), [(0.1,), (1.0,), (2.0,), (7.5,), (1e4,)]),
    "double_exponential": (lambda m, s: stats.laplace(m, s), [(0.0, 1.0), (-3.0, 0.01), (5.0, 1e6)]),
    "exponential": (lambda r: stats.expon(scale=1 / r), [(1.0,), (1e-9,), (250.0,)]),
    "gamma": (lambda a, r: stats.gamma(a, scale=1 / r), [(1.0, 1.0), (0.01, 2.0), (0.3, 1e-6), (0.99, 3.0), (7.5, 30.0), (1e6, 1e3)]),
    "gumbel": (lambda m, s: stats.gumbel_r(m, s), [(0.0, 1.0), (-3.0, 0.01), (5.0, 1e6)]),
    "inv_chi_square": (lambda df: stats.invgamma(df / 2, scale=0.5), [(0.1,), (1.0,), (2.0,), (7.5,), (1e4,)]),
    "inv_gamma": (lambda a, s: stats.invgamma(a, scale=s), [(1.0, 1.0), (0.05, 2.0), (0.5, 1e-6), (7.5, 30.0), (1e5, 1e3)]),
    "logistic": (lambda m, s: stats.logistic(m, s), [(0.0, 1.0), (-3.0, 0.01), (5.0, 1e6)]),
    "lognormal": (lambda m, s: stats.lognorm(s, scale=np.exp(m)), [(0.0, 1.0), (-3.0, 0.01), (2.0, 30.0)]),
    "normal": (lambda m, s: stats.norm(m, s), [(0.0, 1.0), (-3.0, 0.01), (5.0, 1e6)]),
    "pareto": (lambda m, a: stats.pareto(a, scale=m), [(1.0, 1.0), (0.02, 7.0), (40.0, 0.1)]),
    "scaled_inv_chi_square": (lambda df, s: stats.invgamma(df / 2, scale=df * s * s / 2), [(1.0, 1.0), (0.2, 3.0), (9.0, 0.1), (1e4, 20.0)]),
    "skew_normal": (lambda m, s, a: stats.skewnorm(a, m, s), [(0.0, 1.0, 0.0), (1.0, 2.0, 4.0), (-2.0, 0.5, -1.0), (0.0, 1.0, 50.0)]),
    "std_normal": (lambda: stats.norm(0, 1), [()]),
    "student_t": (lambda df, m, s: stats.t(df, m, s), [(1.0, 0.0, 1.0), (0.4, 1.0, 2.0), (4.0, -3.0, 0.1), (30.0, 0.0, 1.0), (1e6, 2.0, 3.0)]),
    "uniform": (lambda a, b: stats.uniform(a, b - a), [(0.0, 1.0), (-3.0, 2.5), (1e6, 1e6 + 1)]),
    "weibull": (lambda k, s: stats.weibull_min(k, scale=s), [(1.0, 1.0), (0.1, 2.0), (3.0, 0.01), (200.0, 50.0)]),
}

n_settings = sum(len(settings) for _, settings in SETTINGS.values())
with open("continuous_samplers.csv", "w", encoding="utf-8") as out:
    out.write("distribution,arguments,cuts,probabilities,critical\n")
    for name, (make, settings) in SETTINGS.items():
        for arguments in settings:
            law = make(*arguments)
            cuts = sorted({float(c) for c in law.ppf(AT) if np.isfinite(c) and abs(c) > 1e-290})
            below = np.concatenate([[0.0], law.cdf(cuts), [1.0]])
            chances = np.diff(below)
            assert chances.min() > 0.001, (name, arguments, chances)
            critical = stats.chi2.isf(1e-4 / n_settings, len(chances) - 1)
            text = lambda xs: " ".join(repr(float(x)) for x in xs)
            out.write(f"{name},{text(arguments)},{text(cuts)},{text(chances)},{critical!r}\n".replace("np.float64(", "").replace(")", ""))
