"""Writes zarr.json: small arrays as zarr-python stores them, metadata and bytes.

Keys: `root`, the metadata of the root with those of everything below it; `chunks`, the bytes of
each chunk in hexadecimal by its path. Needs zarr 3 and numpy 2. Run it in this directory:
python3 zarr_fixture.py
"""

import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import zarr


def add(group, name, dims, values, attributes=None):
    is_text = isinstance(values, list)
    array = group.create_array(
        name,
        shape=(len(values),) if is_text else values.shape,
        dtype=str if is_text else values.dtype,
        chunks=(len(values),) if is_text else values.shape,
        dimension_names=dims,
        fill_value="" if is_text else (0 if values.dtype == np.int64 else float("nan")),
        compressors=None,
        filters=None,
        attributes=attributes or {},
    )
    array[...] = np.array(values, dtype=object) if is_text else values


with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    # Consolidated metadata of version 3 are announced as not yet specified.
    warnings.simplefilter("ignore")
    root = zarr.create_group(folder, zarr_format=3, attributes={"inference_library": "hbdc"})
    posterior = root.create_group("posterior", attributes={"a": 1})
    add(posterior, "b", ["chain", "draw", "item"], np.linspace(-1.5, 1e300, 12).reshape(2, 2, 3))
    add(posterior, "item", ["item"], ["q1", "ä", ""])
    add(posterior, "chain", ["chain"], np.array([0, 1]))
    observed = root.create_group("observed_data")
    y = np.array([1.0, float("nan"), -float("inf")])
    add(observed, "y", ["row"], y, {"coordinates": "person"})
    add(observed, "row", ["row"], np.array([2, 3, -(2**40)]))
    zarr.consolidate_metadata(root.store)
    place = Path(folder)
    chunks = {
        str(path.relative_to(place)): path.read_bytes().hex()
        for path in sorted(place.rglob("*"))
        if path.is_file() and path.name != "zarr.json"
    }
    metadata = json.loads((place / "zarr.json").read_text())

fixture = json.dumps({"root": metadata, "chunks": chunks}, indent=1, ensure_ascii=False)
Path("zarr.json").write_text(fixture + "\n", encoding="utf-8")
