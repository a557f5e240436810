"""Probe directions in a safetensors file, written here and read by other folders.

Tensors, float32, of every contrast `x` that has probes:

    x       [n_layers + 1, d_model]  unit vectors at the boundaries of the residual
                                     stream, from the second class to the first
    x.gap   [n_layers + 1]           distance of the classes' means along them, in units
                                     of the residual stream

Metadata: model, revision, dtype, digest of the events table, n_layers, d_model. The
files of shards hold one tensor per boundary, `x/3` and `x.gap/3`. All files are sealed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from doubletake.running.errors import InputError
from doubletake.tensors.sealed_tensors import read_tensors, write_tensors

GAP_SUFFIX = ".gap"


@dataclass(frozen=True)
class Directions:
    """Directions by name of the contrast."""

    vectors: dict[str, np.ndarray]
    """[n_layers + 1, d_model], unit norm."""
    mean_gaps: dict[str, np.ndarray]
    """[n_layers + 1], distance of the classes' means."""


def merge_directions(paths: Iterable[str | Path], path: str | Path) -> None:
    """Stack the directions of all layer boundaries.

    Raises:
        InputError: two shards come from different models or events, or a boundary is
            missing.
    """
    rows_by_name: dict[str, dict[int, np.ndarray]] = {}
    metadata: dict[str, str] = {}
    for part in paths:
        tensors, origin = read_tensors(part)
        if metadata and origin != metadata:
            raise InputError(
                f"{part}: comes from another model or other events than the shards "
                f"before it: {origin}"
            )
        metadata = origin
        for key, values in tensors.items():
            name, _, boundary = key.rpartition("/")
            rows_by_name.setdefault(name, {})[int(boundary)] = values
    boundaries = range(int(metadata["n_layers"]) + 1)
    for name, rows in rows_by_name.items():
        if sorted(rows) != list(boundaries):
            raise InputError(
                f"{path}: boundaries of {name} are missing: expected 0 to "
                f"{boundaries[-1]}, got {sorted(rows)}"
            )
    merged = {
        name: np.stack([rows[k] for k in boundaries])
        for name, rows in rows_by_name.items()
    }
    write_tensors(merged, metadata, path)


def read_directions(path: str | Path, origin: dict[str, str]) -> Directions:
    """Read the directions of a study.

    Args:
        path: the merged file.
        origin: what they must come from: `dataclasses.asdict` of an
            `activations.reading.Origin`.

    Raises:
        InputError: the file is damaged, or made from another model or other events. The
            message names the key of `origin` that differs.
    """
    tensors, metadata = read_tensors(path)
    for key, expected in origin.items():
        if metadata.get(key) != expected:
            raise InputError(
                f"{path}: wrong origin: {key} is {metadata.get(key)!r} instead of "
                f"{expected!r}"
            )
    vectors = {name: t for name, t in tensors.items() if not name.endswith(GAP_SUFFIX)}
    return Directions(vectors, {name: tensors[name + GAP_SUFFIX] for name in vectors})
