"""Kinds of the summaries: selected positions, and matched pairs of them."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from matches.reading import KEYS, control_pairs
from matches.tables import DIFFERENCE, MATCHED


def by_kind(
    values: np.ndarray, positions: pl.DataFrame, matches: pl.DataFrame
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Values by kind of position, then those of the pairs: `MATCHED` and `DIFFERENCE`.

    Args:
        values: [position, column]; a difference is NaN where one of its values is.
        positions: columns trace, event, kind and problem, a row per row of `values`.
        matches: `matches.tables.MATCHES`.

    Yields:
        Kind, values [case, column] and problems [case]. A kind without cases is left
        out.
    """
    kinds, problems = (positions[name].to_numpy() for name in ("kind", "problem"))
    for kind in sorted(set(kinds)):
        yield kind, values[kinds == kind], problems[kinds == kind]
    rows = positions.select(KEYS).with_row_index("row")
    pairs = control_pairs(matches, positions).join(rows, on=KEYS).sort("pair")
    backtracks, controls = (
        pairs.filter(label=label)["row"].cast(pl.Int64).to_numpy()
        for label in (True, False)
    )
    if not len(backtracks):
        return
    yield MATCHED, values[backtracks], problems[backtracks]
    of_pairs = pairs.filter("label")["pair_problem"].to_numpy()
    yield DIFFERENCE, values[backtracks] - values[controls], of_pairs
