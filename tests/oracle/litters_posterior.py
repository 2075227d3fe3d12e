"""The posterior of models/litters.hbd by quadrature: the beta-distributed chances integrate out.

    python tests/oracle/litters_posterior.py > tests/reference/litters/posterior.json

Given kappa the means of the two treatments are independent, so everything is a sum over a grid of
log(kappa - 1) and of each mean. NUTS (tests/oracle/nuts) agrees, but diverges where kappa is large
and the chances of a treatment are nearly one. kappa's density falls as kappa^-2.5, so that it has no
standard deviation: null. Needs numpy and scipy.
"""

import csv
import json
import pathlib

import numpy as np
from scipy.special import betaln, gammaln

ROOT = pathlib.Path(__file__).resolve().parents[2]
KAPPAS, MEANS = 600, 2000


def rounded(x):
    return float(f"{x:.5e}")


def quantiles(grid, mass):
    """5 %, 50 % and 95 % of masses that belong to cells around the points of a grid."""
    middle = np.cumsum(mass) - mass / 2
    return [float(np.interp(p, middle / mass.sum(), grid)) for p in (0.05, 0.5, 0.95)]


def entry(mean, second, q):
    sd = np.sqrt(second - mean**2)
    q5, q50, q95 = map(rounded, q)
    return {"mean": rounded(mean), "sd": rounded(sd), "q5": q5, "q50": q50, "q95": q95}


def main():
    with open(ROOT / "models/litters.csv") as file:
        rows = [{k: int(v) for k, v in row.items()} for row in csv.DictReader(file)]
    rows.sort(key=lambda row: row["litter"])
    u = np.linspace(-12, 16, KAPPAS)
    kappa = 1 + np.exp(u)
    mu = (np.arange(MEANS) + 0.5) / MEANS
    # pareto(1, 1.5), and the Jacobian of u.
    log_weight = -2.5 * np.log(kappa) + u
    a, b = kappa[:, None] * mu, kappa[:, None] * (1 - mu)
    masses = []
    for treated in (0, 1):
        log_f = np.log(mu * (1 - mu)) * np.ones((KAPPAS, 1))
        for row in rows:
            if row["treated"] == treated:
                y, n = row["alive"], row["born"]
                log_f += betaln(a + y, b + n - y) - betaln(a, b)
        top = log_f.max(axis=1)
        log_weight += top
        masses.append(np.exp(log_f - top[:, None]))
    evidence = [mass.sum(axis=1) for mass in masses]
    log_weight += np.log(evidence[0]) + np.log(evidence[1])
    top = log_weight.max()
    weight = np.exp(log_weight - top)
    scale = weight.sum()
    weight /= scale
    given = [mass / e[:, None] for mass, e in zip(masses, evidence)]
    binomials = sum(
        gammaln(r["born"] + 1) - gammaln(r["alive"] + 1) - gammaln(r["born"] - r["alive"] + 1)
        for r in rows
    )
    # Steps of the grids, beta(2, 2) = 6 mu (1 - mu), and pareto's 1.5.
    log_evidence = top + np.log(scale) + np.log(u[1] - u[0]) - 2 * np.log(MEANS)
    log_evidence += 2 * np.log(6) + np.log(1.5) + binomials

    density = [weight @ g for g in given]
    globals_ = {}
    for k in (0, 1):
        globals_[f"mu[{k + 1}]"] = entry(
            density[k] @ mu, density[k] @ mu**2, quantiles(mu, density[k])
        )
    globals_["kappa"] = entry(weight @ kappa, weight @ kappa**2, quantiles(kappa, weight))
    globals_["kappa"]["sd"] = None
    first, second = [[g @ mu**p for g in given] for p in (1, 2)]
    joint = (given[0] * weight[:, None]).T @ given[1]
    offsets = np.arange(-MEANS + 1, MEANS)
    # The mass of each difference of indices is that of a diagonal.
    loss = np.array([np.trace(joint, -offset) for offset in offsets])
    values = offsets / MEANS
    mean = weight @ (first[0] - first[1])
    assert abs(values @ loss - mean) < 1e-6
    square = weight @ (second[0] + second[1] - 2 * first[0] * first[1])
    globals_["loss"] = entry(mean, square, quantiles(values, loss))

    means, sds = [], []
    for row in rows:
        g = given[row["treated"]] * weight[:, None]
        alpha, total = a + row["alive"], kappa[:, None] + row["born"]
        m = (g * alpha / total).sum()
        s = (g * alpha * (alpha + 1) / (total * (total + 1))).sum()
        means.append(rounded(m))
        sds.append(rounded(np.sqrt(s - m**2)))

    head = {
        "name": "litters",
        "method": f"quadrature over kappa and the means ({KAPPAS} x {MEANS} points), chances "
        "integrated out; tests/oracle/litters_posterior.py",
        "trusted": True,
        "log_evidence": rounded(log_evidence),
        "note": "kappa has no standard deviation: its density falls as kappa^-2.5",
    }
    lines = [f" {json.dumps(k)}: {json.dumps(v)}," for k, v in head.items()]
    elements = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in globals_.items()]
    locals_ = json.dumps({"mean": means, "sd": sds})
    print("{", *lines, ' "globals": {', ",\n".join(elements), " },", sep="\n")
    print(' "locals": {', f'  "p": {locals_}', " }", "}", sep="\n")


if __name__ == "__main__":
    main()
