"""Makes the data sets of the comparison, with fixed seeds.

    data.py DATA [ratings regression rats survey ticks]

Each folder DATA/<set> gets the CSV files that hbdc reads; the same as raw little-endian arrays, listed with kind and sizes in
arrays.txt (indices count from 1); points.f64, two unconstrained points in the order of the peers, in which a vector of all
branches follows another; points_hbdc.f64, the same points in the order of hbdc, branch by branch; and order.i32, the place
among the peers' unknowns of each of hbdc's."""
import csv
import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv

MODELS = pathlib.Path(__file__).resolve().parents[2] / "models"
N_TRAITS, N_MOVIES = 10, 10_000
COPIES = 100  # of the data of small models, so that a gradient takes more than a call


def write(folder, tables, arrays, points, n_global, n_branches, local_sizes):
    """`local_sizes`: the elements that each vector of locals has for one branch."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns in tables.items():
        pa.csv.write_csv(pa.table(columns), folder / f"{name}.csv")
    with open(folder / "arrays.txt", "w") as manifest:
        for name, array in arrays.items():
            array = np.asarray(array)
            kind = "f64" if array.dtype.kind == "f" else "i32"
            array.astype("<f8" if kind == "f64" else "<i4").tofile(folder / f"{name}.{kind}")
            print(name, kind, *array.shape, file=manifest)
    order, first = [np.arange(n_global)], n_global
    per_branch = []
    for size in local_sizes:
        per_branch.append(first + np.arange(n_branches * size).reshape(n_branches, size))
        first += n_branches * size
    order = np.concatenate(order + [np.concatenate(per_branch, axis=1).ravel()]).astype("<i4")
    points = np.asarray(points, "<f8")
    assert points.shape == (2, first)
    order.tofile(folder / "order.i32")
    points.tofile(folder / "points.f64")
    points[:, order].tofile(folder / "points_hbdc.f64")


def two_points(random, n_global, n_local):
    return [np.concatenate([random.normal(0, 0.3, n_global), random.normal(0, 0.5, n_local)]) for _ in range(2)]


def ratings(folder, n_users):
    """Users rate films, yes or no: logit of a product of ten tastes and ten features, ratings of users skewed in number."""
    shared = np.random.default_rng(20211206)  # films and truth are the same for any number of users
    features = shared.normal(0, 0.6, (N_MOVIES, N_TRAITS))
    popularity = (np.arange(N_MOVIES) + 10.0) ** -0.9
    cdf = np.cumsum(popularity) / popularity.sum()
    mu = shared.normal(0, 0.5, N_TRAITS)
    factor = np.tril(shared.normal(0, 0.15, (N_TRAITS, N_TRAITS)), -1)
    factor += np.diag(np.exp(shared.normal(-0.5, 0.2, N_TRAITS)))
    random = np.random.default_rng(1000 + n_users)
    n = 20 + np.minimum(random.lognormal(np.log(90) - 1.3**2 / 2, 1.3, n_users).astype(np.int64), 4000)
    n_rows = int(n.sum())
    movie = np.minimum(np.searchsorted(cdf, random.random(n_rows)), N_MOVIES - 1).astype(np.int32)
    user = np.repeat(np.arange(n_users, dtype=np.int32), n)
    tastes = mu + random.normal(size=(n_users, N_TRAITS)) @ factor.T
    logit = np.empty(n_rows)
    for first in range(0, n_rows, 1 << 20):
        rows = slice(first, first + (1 << 20))
        logit[rows] = np.einsum("rd,rd->r", features[movie[rows]], tastes[user[rows]])
    y = (random.random(n_rows) < 1 / (1 + np.exp(-logit))).astype(np.int32)
    n_global = N_TRAITS + N_TRAITS * (N_TRAITS + 1) // 2
    columns = {f"x{d + 1}": features[:, d] for d in range(N_TRAITS)}
    tables = {"movies": {"movie": np.arange(N_MOVIES), **columns}, "rows": {"user": user, "movie": movie, "y": y}}
    arrays = dict(I=n_users, R=n_rows, M=N_MOVIES, D=N_TRAITS, X=features, movie=movie + 1, y=y, n=n,
                  start=np.cumsum(n) - n + 1)
    points = two_points(random, n_global, n_users * N_TRAITS)
    write(folder, tables, arrays, points, n_global, n_users, [N_TRAITS])


def regression(folder, n_groups=100_000, mean_rows=11.0):
    """Varying intercepts and slopes; numbers of rows are geometric."""
    random = np.random.default_rng(77 + n_groups)
    n = 1 + random.negative_binomial(1.0, 1 / mean_rows, n_groups)
    n_rows = int(n.sum())
    group = np.repeat(np.arange(n_groups, dtype=np.int32), n)
    x = (random.random(n_rows) < 0.17).astype(float) + random.normal(0, 0.1, n_rows)
    a, b = random.normal(1.4, 0.35, n_groups), random.normal(-0.65, 0.3, n_groups)
    y = a[group] + b[group] * x + random.normal(0, 0.75, n_rows)
    arrays = dict(J=n_groups, N=n_rows, x=x, y=y, group=group + 1, n=n, start=np.cumsum(n) - n + 1)
    points = two_points(random, 5, 2 * n_groups)
    write(folder, {"rows": {"group": group, "x": x, "y": y}}, arrays, points, 5, n_groups, [1, 1])


def small(folder, model):
    """The data that are shipped with a model, COPIES times with as many branches."""
    with open(MODELS / f"{model}.csv") as file:
        rows = list(csv.DictReader(file))
    branch = next(iter(rows[0]))
    number = {key: k for k, key in enumerate(dict.fromkeys(row[branch] for row in rows))}
    rows.sort(key=lambda row: number[row[branch]])
    n_branches = COPIES * len(number)
    codes = np.array([number[row[branch]] for row in rows])
    codes = (codes + len(number) * np.arange(COPIES)[:, None]).ravel()
    columns = {name: [row[name] for row in rows] * COPIES for name in rows[0]}
    columns[branch] = codes
    numbers = {name: np.array(columns[name], float) for name in columns if name != "question"}
    arrays = dict(J=n_branches, N=len(codes)) | {branch: codes + 1}
    n_global, local_sizes = {"rats": (5, [1, 1]), "survey": (0, [1]), "ticks": (4, [1])}[model]
    if model == "rats":
        arrays |= dict(age=numbers["day"] - 22, weight=numbers["weight"])
    elif model == "ticks":
        height = numbers["height"]
        columns["height"] = height
        arrays |= dict(ticks=numbers["ticks"].astype(int), log_metres=np.log(numbers["metres"]),
                       h=(height - height.mean()) / height.std(ddof=1))
    else:
        levels = sorted(set(columns["question"]))
        n_global = 4 * len(levels)  # a discrimination and three cutpoints each
        question = np.array([levels.index(name) + 1 for name in columns["question"]])
        arrays |= dict(Q=len(levels), question=question, answer=numbers["answer"].astype(int))
    points = two_points(np.random.default_rng(len(model)), n_global, n_branches * sum(local_sizes))
    write(folder, {"rows": columns}, arrays, points, n_global, n_branches, local_sizes)


SETS = {"ratings": lambda folder: ratings(folder, 20_000), "regression": regression} | {
    name: lambda folder, name=name: small(folder, name) for name in ("rats", "survey", "ticks")}

if __name__ == "__main__":
    for name in sys.argv[2:] or SETS:
        SETS[name](pathlib.Path(sys.argv[1]) / name)
