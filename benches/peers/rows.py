"""What the JAX programs share: raw arrays of a data set, and ratings cut in rows of a fixed length."""
import pathlib

import numpy as np

N_TRAITS = 10
CHUNK = 16  # ratings in a row; users of unlike lengths then need few padded cells


def load(folder):
    folder = pathlib.Path(folder)
    arrays = {}
    for line in (folder / "arrays.txt").read_text().splitlines():
        name, kind, *sizes = line.split()
        values = np.fromfile(folder / f"{name}.{kind}", {"f64": "<f8", "i32": "<i4"}[kind])
        arrays[name] = values.reshape([int(size) for size in sizes])
    return arrays


def cut(n, start):
    """Cuts the run of each user into rows of CHUNK: places of the ratings [rows, CHUNK], which of them are ratings and not
    padding, the user of each row, and how many rows each user has."""
    rows = -(-n // CHUNK)
    owner = np.repeat(np.arange(len(n)), rows)
    first = np.cumsum(rows) - rows
    offset = (np.arange(rows.sum()) - first[owner]) * CHUNK
    valid = np.arange(CHUNK) < np.minimum(n[owner] - offset, CHUNK)[:, None]
    places = (start[owner] - 1)[:, None] + offset[:, None] + np.arange(CHUNK)
    return np.where(valid, places, 0), valid, owner, rows


def factor(jnp, packed, size=N_TRAITS):
    """Packed rows of a lower triangle, logarithms on its diagonal, to matrices."""
    i, j = np.tril_indices(size)
    matrix = jnp.zeros((*packed.shape[:-1], size, size), packed.dtype).at[..., i, j].set(packed)
    return jnp.where(np.eye(size, dtype=bool), jnp.exp(matrix), matrix)


def diagonal(size):
    """Where the diagonal of such a triangle is."""
    return np.array([k * (k + 1) // 2 + k for k in range(size)])
