"""Means of the attention to the injected token, beside the unsteered token."""

from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import IntervalSettings, cluster_means
from injection.tables import UNSTEERED

CONTEXT = ("trace", "problem", "place", "token")
SETTING = ("place", "direction", "boundary", "strength")


def paired(attention: pl.DataFrame) -> pl.DataFrame:
    """Rows with an injection, with the attention of the same token unsteered.

    Only layers from the boundary on are kept: those before it cannot change.

    Returns:
        Columns of `INJECTION_ATTENTION`, and `unsteered`.
    """
    plain = attention.filter(direction=UNSTEERED).select(
        *CONTEXT, "layer", unsteered="attention"
    )
    injected = attention.filter(pl.col("boundary").is_not_null())
    joined = injected.join(plain, on=[*CONTEXT, "layer"], maintain_order="left")
    return joined.filter(pl.col("layer") >= pl.col("boundary"))


def attended_rows(
    pairs: pl.DataFrame, intervals: IntervalSettings
) -> list[dict[str, Any]]:
    """Rows of `INJECTION_ATTENDED` without `depth`, of one setting.

    Args:
        pairs: of `paired`, of one setting.
        intervals: of the differences.
    """
    named = pairs.select(SETTING).row(0, named=True)
    distances = [2**k for k in range(len(pairs["attention"][0]))]
    cells: list[tuple[int | None, int | None]] = [(None, None)]
    cells += [(layer, None) for layer in pairs["layer"].unique().sort().to_list()]
    cells += [(None, distance) for distance in distances]
    rows = []
    for layer, distance in cells:
        part = pairs if layer is None else pairs.filter(layer=layer)
        columns = slice(None) if distance is None else [distances.index(distance)]
        injected, unsteered, problems = _means(part, columns)
        values = np.stack([injected - unsteered, injected, unsteered], 1)
        difference, *both = cluster_means(values, problems, intervals)
        contexts = part.select(CONTEXT).n_unique()
        rows.append(
            named
            | {"layer": layer, "distance": distance}
            | {"injected": both[0].value, "unsteered": both[1].value}
            | difference.columns("difference")
            | {"n": contexts, "problems": difference.clusters}
        )
    return rows


def _means(
    pairs: pl.DataFrame, columns: slice | list[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of each context over layers, vectors and distances, and the problems."""
    injected, unsteered = (
        np.array(pairs[name].to_list(), dtype=float)[:, columns].mean(1)
        for name in ("attention", "unsteered")
    )
    means = (
        pairs.select(CONTEXT)
        .with_columns(injected=injected, unsteered=unsteered)
        .group_by(CONTEXT, maintain_order=True)
        .mean()
    )
    names = ("injected", "unsteered", "problem")
    first, second, problems = (means[name].to_numpy() for name in names)
    return first, second, problems
