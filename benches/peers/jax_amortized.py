"""Amortized variational inference of ratings in plain JAX with optax, many steps for each call.

    jax_amortized.py DATA_DIR BATCH [--blocks N | --seconds S --elbo-every S]

Prints seconds of an epoch by each block of steps, and the ELBO over seconds of training where that is asked for (measuring it
is not counted)."""
import argparse
import functools
import json
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

import rows
from batches import D, DIAGONAL, N_GLOBAL, Batches, networks

WATCH_BATCH, WATCH_DRAWS = 500, 2
GLOBAL_DIAGONAL = rows.diagonal(N_GLOBAL)


def elbo(batches, parameters, key, users, packed, slots, n_draws=1):
    mean, local_packed = batches.encode(parameters, users, packed, slots)
    features, sign = batches.read(packed)
    global_key, local_key = jax.random.split(key)
    global_factor = rows.factor(jnp, parameters["L0"], N_GLOBAL)
    theta = parameters["m0"] + jax.random.normal(global_key, (n_draws, N_GLOBAL)) @ global_factor.T
    noise = jax.random.normal(local_key, (n_draws, len(users), D))
    z = mean + jnp.einsum("bij,sbj->sbi", rows.factor(jnp, local_packed), noise)
    mu, prior_packed = theta[:, :D], theta[:, D:]
    off = jnp.swapaxes(z - mu[:, None], 1, 2)
    white = jax.scipy.linalg.solve_triangular(rows.factor(jnp, prior_packed), off, lower=True)
    logit = sign * jnp.einsum("kcd,skd->skc", features, z[:, slots])
    likelihood = -(jnp.abs(sign) * jax.nn.softplus(-logit)).sum((1, 2))
    prior = -0.5 * (white**2).sum((1, 2)) - len(users) * prior_packed[:, DIAGONAL].sum(-1)
    entropy = len(users) * D / 2 + local_packed[:, DIAGONAL].sum()  # the constants of prior and entropy cancel
    of_globals = -0.5 * (theta**2).sum(-1) + N_GLOBAL / 2 + parameters["L0"][GLOBAL_DIAGONAL].sum()
    return jnp.mean(of_globals + batches.n_users / len(users) * (likelihood + prior + entropy))


class Watch:
    """The ELBO of all users: a part of them is off by some hundredths, as few users have most of the ratings."""

    def __init__(self, batches):
        groups = np.random.default_rng(5).permutation(batches.n_users).reshape(-1, WATCH_BATCH)
        capacity = int(max(batches.n_rows[group].sum() for group in groups))
        self.groups = [batches.pack(group, capacity) for group in groups]
        self.elbo = jax.jit(functools.partial(elbo, batches, n_draws=WATCH_DRAWS))

    def __call__(self, parameters):
        return float(np.mean([self.elbo(parameters, jax.random.key(99 + k), *group) for k, group in enumerate(self.groups)]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("batch", type=int)
    parser.add_argument("--blocks", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--elbo-every", type=float, default=0)
    arguments = parser.parse_args()
    steps = max(4, 2000 // arguments.batch)
    batches = Batches(arguments.folder, arguments.batch, steps)
    parameters = networks() | dict(
        m0=jnp.zeros(N_GLOBAL), L0=jnp.zeros(N_GLOBAL * (N_GLOBAL + 1) // 2).at[GLOBAL_DIAGONAL].set(-2.0))
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(2e-3))
    loss = lambda parameters, key, batch: -elbo(batches, parameters, key, *batch) / batches.n_users

    @functools.partial(jax.jit, donate_argnums=(0,))
    def run(state, block):
        def step(state, batch):
            parameters, optimizer_state, key = state
            key, now = jax.random.split(key)
            value, gradient = jax.value_and_grad(loss)(parameters, now, batch)
            update, optimizer_state = optimizer.update(gradient, optimizer_state, parameters)
            return (optax.apply_updates(parameters, update), optimizer_state, key), value

        return jax.lax.scan(step, state, block)

    state = (parameters, optimizer.init(parameters), jax.random.key(0))
    compiled = run.lower(state, batches.block()).compile()
    watch = Watch(batches) if arguments.elbo_every else None
    curve, times, trained, looked = [], [], 0.0, 0.0
    while len(times) < arguments.blocks or trained < arguments.seconds:
        start = time.perf_counter()
        state, _ = jax.block_until_ready(compiled(state, batches.block()))
        times.append(time.perf_counter() - start)
        trained += times[-1]
        if watch and trained >= looked + arguments.elbo_every:
            curve.append((trained, watch(state[0])))
            looked = trained
    scale = batches.n_users / arguments.batch / steps
    print(json.dumps(dict(what="jax", epoch_s=[block * scale for block in times[1:]], curve=curve)))


if __name__ == "__main__":
    main()
