"""Ratings by users in minibatches of a fixed shape, and the networks that read them: for the two programs in JAX.

q(theta) = N(m0, L0 L0'), q(z_i) = N(mu_i, L_i L_i') with (mu_i, L_i) from a network of the rows of user i: 64-64-64 on each
rating and the features of its film, their mean, then 128-128. In single precision, as is usual."""
import jax
import jax.numpy as jnp
import numpy as np

import rows

D = rows.N_TRAITS
PACKED = D * (D + 1) // 2
N_GLOBAL = D + PACKED
HIDDEN = 64
DIAGONAL = rows.diagonal(D)


class Batches:
    def __init__(self, folder, batch, steps):
        """Blocks of `steps` minibatches of `batch` users."""
        data = rows.load(folder)
        places, valid, self.owner, self.n_rows = rows.cut(data["n"], data["start"])
        padded = lambda values: jnp.asarray(np.concatenate([values, np.zeros((1, rows.CHUNK), values.dtype)]))
        self.movie = padded(np.where(valid, data["movie"][places] - 1, 0).astype(np.int32))
        self.sign = padded(((2 * data["y"][places] - 1) * valid).astype(np.int8))
        self.features = jnp.asarray(data["X"], jnp.float32)
        self.count = jnp.asarray(data["n"], jnp.float32)
        self.n_users, self.batch, self.steps = int(data["I"]), batch, steps
        if self.n_users % batch:
            raise SystemExit("the number of users must be a multiple of the batch")
        self.first = np.cumsum(self.n_rows) - self.n_rows
        self.random = np.random.default_rng(1)
        # By length: a batch has one user of each class, so that numbers of rows differ little.
        self.classes = np.argsort(data["n"], kind="stable").reshape(batch, -1)
        some = [self.n_rows[self.epoch()].sum(axis=1).max() for _ in range(4 + 400 * batch // self.n_users)]
        self.capacity = int(-(-max(some) // 32) * 32)
        self.left = []

    def epoch(self):
        return self.random.permuted(self.classes, axis=1).T

    def pack(self, users, capacity):
        """Users, their rows, and to which of the users each row belongs, filled up with rows of nothing."""
        n = self.n_rows[users]
        slot = np.repeat(np.arange(len(users)), n)
        own = self.first[users][slot] + np.arange(n.sum()) - (np.cumsum(n) - n)[slot]
        packed, slots = np.full(capacity, len(self.owner), np.int32), np.full(capacity, len(users) - 1, np.int32)
        packed[:len(own)], slots[:len(own)] = own, slot
        return users.astype(np.int32), packed, slots

    def block(self):
        found = []
        while len(found) < self.steps:
            if not self.left:
                self.left = list(self.epoch())
            users = self.left.pop()
            if self.n_rows[users].sum() <= self.capacity:
                found.append(self.pack(users, self.capacity))
        return tuple(np.stack(parts) for parts in zip(*found))

    def read(self, packed):
        """Features [rows, CHUNK, D] and signs [rows, CHUNK], zero where padded."""
        return self.features[self.movie[packed]], self.sign[packed].astype(jnp.float32)

    def encode(self, nets, users, packed, slots):
        """Means and packed factors of the users."""
        features, sign = self.read(packed)
        # Products of two-dimensional matrices: those of three are half as fast on a CPU.
        features, sign = features.reshape(-1, D), sign.reshape(-1, 1)
        (first, bias), *rest = nets["feature"]
        hidden = jax.nn.relu(features @ first[:D] + sign * first[D] + bias)
        for weight, bias in rest:
            hidden = jax.nn.relu(hidden @ weight + bias)
        hidden = (hidden * jnp.abs(sign)).reshape(-1, rows.CHUNK, HIDDEN).sum(axis=1)
        hidden = jax.ops.segment_sum(hidden, slots, len(users), indices_are_sorted=True) / self.count[users][:, None]
        *inner, (weight, bias) = nets["parameter"]
        for inner_weight, inner_bias in inner:
            hidden = jax.nn.relu(hidden @ inner_weight + inner_bias)
        out = hidden @ weight + bias
        return out[:, :D], out[:, D:]


def networks():
    random = np.random.default_rng(0)

    def dense(n_in, n_out, scale=1.0):
        weight = random.normal(0, scale * np.sqrt(2 / n_in), (n_in, n_out))
        return jnp.asarray(weight, jnp.float32), jnp.zeros(n_out, jnp.float32)

    feature = [dense(D + 1, HIDDEN), dense(HIDDEN, HIDDEN), dense(HIDDEN, HIDDEN)]
    parameter = [dense(HIDDEN, 2 * HIDDEN), dense(2 * HIDDEN, 2 * HIDDEN), dense(2 * HIDDEN, D + PACKED, 0.05)]
    weight, bias = parameter[-1]
    parameter[-1] = (weight, bias.at[D + DIAGONAL].set(-1.0))
    return dict(feature=feature, parameter=parameter)
