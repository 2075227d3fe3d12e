"""Log density and gradient of all data in JAX, compiled, in double precision.

    jax_gradient.py ratings|regression DATA_DIR SECONDS [GRADIENT_FILE]

Threads are limited from outside (taskset). Output is that of the C++ programs, and the seconds of compiling."""
import json
import sys
import time

start = time.perf_counter()
import jax
import jax.numpy as jnp

import_s = time.perf_counter() - start
import numpy as np

import rows

BLOCKS = 7
jax.config.update("jax_enable_x64", True)


def ratings(data):
    n_traits, n_users = int(data["D"]), int(data["I"])
    n_packed = n_traits * (n_traits + 1) // 2
    places, valid, owner, _ = rows.cut(data["n"], data["start"])
    given = dict(features=data["X"], movie=(data["movie"] - 1)[places], user=owner, weight=valid.astype(float),
                 sign=(2.0 * data["y"][places] - 1) * valid)

    def log_density(position, given):
        mu, packed = position[:n_traits], position[n_traits:n_traits + n_packed]
        tastes = position[n_traits + n_packed:].reshape(n_users, n_traits)
        lower = rows.factor(jnp, packed)
        inverse = jax.scipy.linalg.solve_triangular(lower, jnp.eye(n_traits), lower=True)
        white = (tastes - mu) @ inverse.T
        of_row = jnp.take(tastes, given["user"], axis=0, indices_are_sorted=True, mode="clip")
        features = jnp.take(given["features"], given["movie"], axis=0, mode="clip")
        logit = given["sign"] * jnp.einsum("kcd,kd->kc", features, of_row)
        likelihood = -(given["weight"] * jax.nn.softplus(-logit)).sum()
        prior = -0.5 * (mu @ mu + packed @ packed + jnp.sum(white * white))
        return likelihood + prior - n_users * packed[rows.diagonal(n_traits)].sum()

    return log_density, given


def regression(data):
    n_groups = int(data["J"])
    given = dict(x=data["x"], y=data["y"], group=data["group"] - 1)

    def log_density(position, given):
        mu_a, mu_b, log_a, log_b, log_y = position[:5]
        a, b = position[5:5 + n_groups], position[5 + n_groups:]
        residual = (given["y"] - a[given["group"]] - b[given["group"]] * given["x"]) * jnp.exp(-log_y)
        off_a, off_b = (a - mu_a) * jnp.exp(-log_a), (b - mu_b) * jnp.exp(-log_b)
        squares = mu_a**2 / 100 + mu_b**2 / 100 + log_a**2 + log_b**2 + log_y**2
        squares += off_a @ off_a + off_b @ off_b + residual @ residual
        return -0.5 * squares - n_groups * (log_a + log_b) - len(given["y"]) * log_y

    return log_density, given


def main(what, folder, seconds, gradient_file=None):
    log_density, given = {"ratings": ratings, "regression": regression}[what](rows.load(folder))
    points = np.fromfile(f"{folder}/points.f64", "<f8").reshape(2, -1)
    given = jax.block_until_ready({name: jnp.asarray(values) for name, values in given.items()})
    start = time.perf_counter()
    compiled = jax.jit(jax.value_and_grad(log_density)).lower(jnp.asarray(points[0]), given).compile()
    compile_s = time.perf_counter() - start
    values, gradients = zip(*(jax.block_until_ready(compiled(jnp.asarray(point), given)) for point in points))
    if gradient_file:
        np.asarray(gradients).tofile(gradient_file)
    position = jnp.asarray(points[0])
    start = time.perf_counter()
    jax.block_until_ready(compiled(position, given))
    repeats = max(1, int(float(seconds) / BLOCKS / (time.perf_counter() - start)))
    times = []
    for _ in range(BLOCKS):
        start = time.perf_counter()
        for _ in range(repeats):
            result = compiled(position, given)
        jax.block_until_ready(result)
        times.append((time.perf_counter() - start) / repeats)
    print(json.dumps(dict(what="jax", log_density=[float(value) for value in values], median_s=float(np.median(times)),
                          min_s=min(times), max_s=max(times), import_s=import_s, compile_s=compile_s)))


if __name__ == "__main__":
    main(*sys.argv[1:])
