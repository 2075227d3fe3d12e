"""Opens the draws of fit folders in ArviZ and holds them against the other files of the folder.

Run as: python3 arviz.py FIT...
Needs arviz, matplotlib and zarr 3: arviz 1 (`from_zarr`), or arviz 0.2x, which opens Zarr
version 3 by way of `xarray.open_datatree`. Fits made with --log-likelihood are put through `loo`
too. Warnings are errors but for those named below; no plot is shown.
"""

import csv
import json
import math
import sys
import warnings
from pathlib import Path

# A script is found before the package of its name.
sys.path = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).resolve().parent]

import matplotlib

matplotlib.use("Agg")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # arviz 0.2x announces arviz 1 when it is imported.
    import arviz as az
import numpy as np
import xarray as xr

IS_NEW = int(az.__version__.split(".")[0]) >= 1


def load(folder):
    path = str(folder / "draws.zarr")
    if IS_NEW:
        return az.from_zarr(path)
    return az.InferenceData.from_datatree(xr.open_datatree(path, engine="zarr"))


def groups(data):
    names = data.children if IS_NEW else data.groups()
    return {name.strip("/") for name in names}


def elements(posterior):
    """Each scalar by its name in summary.csv, with its levels and draws (chain, draw)."""
    for name, array in posterior.data_vars.items():
        own = [d for d in array.dims if d not in ("chain", "draw")]
        for index in np.ndindex(*[array.sizes[d] for d in own]):
            place = dict(zip(own, index))
            text = ",".join(str(k + 1) for k in index)
            labels = [array[d].values[k] for d, k in place.items()]
            levels = ",".join(label for label in labels if isinstance(label, str))
            label = f"{name}[{text}]" if own else name
            yield label, levels, array.isel(place).transpose("chain", "draw").values


def check_posterior(folder, data):
    posterior = data["posterior"].to_dataset() if IS_NEW else data.posterior
    assert dict(posterior.sizes)["chain"] == 4
    with open(folder / "summary.csv", encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    seen = set()
    for name, levels, draws in elements(posterior):
        assert np.isfinite(draws).all(), name
        if name not in rows:  # The upper triangle of a Cholesky factor.
            assert (draws == 0).all(), name
            continue
        row = rows[name]
        seen.add(name)
        assert levels == row["level"], (name, levels, row["level"])
        # Weighted draws may be picked twice, so they are worth fewer than there are.
        error = 5 * float(row["sd"]) / math.sqrt(draws.size / 4)
        assert abs(draws.mean() - float(row["mean"])) <= error + 1e-12, name
    assert seen == set(rows), set(rows) - seen
    return len(seen), posterior


def check_summary(data, posterior):
    """Labels and means of `summary` are those of the arrays."""
    with warnings.catch_warnings():
        # Elements that do not vary, such as the diagonal of a correlation matrix, have no r_hat.
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        table = az.summary(data, round_to="none")
    scalars = list(elements(posterior))
    assert len(table) == len(scalars)
    for (name, _, draws), mean in zip(scalars, table["mean"]):
        assert math.isclose(float(mean), draws.mean(), rel_tol=1e-9, abs_tol=1e-12), name


def check_loo(data, n_rows):
    likelihood = data["log_likelihood"]
    (name,) = likelihood.data_vars
    values = likelihood[name].transpose("chain", "draw", ...).values
    values = values.reshape(values.shape[0] * values.shape[1], -1)
    assert np.isfinite(values).all()
    assert values.shape[1] <= max(n_rows, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # About Pareto k of single rows, which is for the reader.
        loo = az.loo(data, pointwise=True)
        waic = None if IS_NEW else az.waic(data).elpd_waic
    elpd = loo.elpd if IS_NEW else loo.elpd_loo
    # Above by what the rows teach: the log of the mean likelihood.
    within = np.logaddexp.reduce(values, axis=0).sum() - values.shape[1] * math.log(len(values))
    assert elpd < within, (elpd, within)
    # The harmonic mean of the likelihoods estimates the same, without smoothing.
    harmonic = values.shape[1] * math.log(len(values)) - np.logaddexp.reduce(-values, axis=0).sum()
    assert abs(elpd - harmonic) < max(1.0, 0.02 * abs(elpd)), (elpd, harmonic)
    return elpd, loo.se, waic


def check_plots(data, posterior):
    names = list(posterior.data_vars)[:2]
    if IS_NEW:
        for plot in (az.plot_dist, az.plot_forest, az.plot_trace):
            plot(data, var_names=names, backend="matplotlib")
    else:
        for plot in (az.plot_posterior, az.plot_forest, az.plot_trace):
            plot(data, var_names=names)
    matplotlib.pyplot.close("all")


def check(folder):
    fit = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
    data = load(folder)
    found = groups(data)
    assert {"posterior", "sample_stats", "observed_data"} <= found, found
    n, posterior = check_posterior(folder, data)
    check_summary(data, posterior)
    statistics = data["sample_stats"]
    wanted = {"log_q", "log_prior"} | ({"lp"} if "log_likelihood" in found else set())
    assert set(statistics.data_vars) == wanted, statistics
    line = f"{folder}: {n} scalars, {posterior.sizes['draw']} draws in each of 4 chains"
    if "log_likelihood" in found:
        elpd, se, waic = check_loo(data, max(fit["n_rows"], fit["n_branches"]))
        line += f", elpd_loo {elpd:.1f} ± {se:.1f}"
        line += "" if waic is None else f", elpd_waic {waic:.1f}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of matplotlib, about layouts.
        check_plots(data, posterior)
    print(line)


if __name__ == "__main__":
    assert sys.argv[1:], __doc__
    warnings.simplefilter("error")
    print("arviz", az.__version__)
    for argument in sys.argv[1:]:
        check(Path(argument))
