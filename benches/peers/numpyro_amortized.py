"""The model, networks and minibatches of jax_amortized.py, written with NumPyro's plates and its SVI.

    numpyro_amortized.py DATA_DIR BATCH BLOCKS

Prints seconds of an epoch by each block of steps."""
import json
import sys
import time

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
import optax
from numpyro.infer import SVI, Trace_ELBO

import rows
from batches import D, N_GLOBAL, Batches, networks


def main(folder, batch, blocks):
    batch, steps = int(batch), max(4, 2000 // int(batch))
    batches = Batches(folder, batch, steps)
    first_weights = networks()

    def model(users, packed, slots):
        theta = numpyro.sample("theta", dist.Normal(0, 1).expand([N_GLOBAL]).to_event(1))
        with numpyro.plate("users", batches.n_users, subsample_size=batch):
            prior = dist.MultivariateNormal(theta[:D], scale_tril=rows.factor(jnp, theta[D:]))
            z = numpyro.sample("z", prior)
            features, sign = batches.read(packed)
            logit = sign * jnp.einsum("kcd,kd->kc", features, z[slots])
            of_rows = -(jnp.abs(sign) * jax.nn.softplus(-logit)).sum(axis=-1)
            numpyro.factor("y", jax.ops.segment_sum(of_rows, slots, batch, indices_are_sorted=True))

    def guide(users, packed, slots):
        m0 = numpyro.param("m0", jnp.zeros(N_GLOBAL))
        factor = numpyro.param("L0", 0.13 * jnp.eye(N_GLOBAL), constraint=dist.constraints.lower_cholesky)
        numpyro.sample("theta", dist.MultivariateNormal(m0, scale_tril=factor))
        mean, local = batches.encode(numpyro.param("networks", first_weights), users, packed, slots)
        with numpyro.plate("users", batches.n_users, subsample_size=batch):
            numpyro.sample("z", dist.MultivariateNormal(mean, scale_tril=rows.factor(jnp, local)))

    svi = SVI(model, guide, optax.adam(2e-3), Trace_ELBO())
    block = batches.block()
    state = svi.init(jax.random.key(0), *(part[0] for part in block))
    run = jax.jit(lambda state, block: jax.lax.scan(lambda state, batch: svi.update(state, *batch), state, block))
    compiled = run.lower(state, block).compile()
    times = []
    for _ in range(int(blocks)):
        start = time.perf_counter()
        state, _ = jax.block_until_ready(compiled(state, batches.block()))
        times.append(time.perf_counter() - start)
    scale = batches.n_users / batch / steps
    print(json.dumps(dict(what="numpyro", epoch_s=[seconds * scale for seconds in times[1:]])))


if __name__ == "__main__":
    main(*sys.argv[1:])
