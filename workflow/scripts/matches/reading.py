"""For later stages: the cases of a contrast, and the pairs behind a difference."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from doubletake.stats.contrasts import Contrast
from matches.tables import DIFFERENCE, MATCHED

BACKTRACK_CONTROL = "backtrack_control"
KEYS = ["trace", "event"]


def cases_of(
    contrast: Contrast, matches: pl.DataFrame, index: pl.DataFrame
) -> pl.DataFrame:
    """Members of the pairs of a contrast, by trace and event.

    Args:
        contrast: what to tell apart.
        matches: `MATCHES`.
        index: `ACTIVATION_INDEX`. It lacks the traces that the model cannot read; a
            pair with a member in one of them is left out.
    """
    members = matches.filter(contrast=contrast.name)
    return whole_pairs(members.join(index.select(KEYS), on=KEYS)).sort(KEYS)


def control_pairs(matches: pl.DataFrame, positions: pl.DataFrame) -> pl.DataFrame:
    """Pairs of backtrack and control of which both members are among the positions.

    Args:
        matches: `MATCHES`.
        positions: columns trace and event.

    Returns:
        Columns trace, event, pair, label (the backtrack) and pair_problem; two rows a
        pair.
    """
    members = matches.filter(contrast=BACKTRACK_CONTROL)
    among = positions.select(KEYS).unique()
    pairs = whole_pairs(members.join(among, on=KEYS))
    return pairs.select(*KEYS, "pair", "label", "pair_problem")


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


def whole_pairs(members: pl.DataFrame) -> pl.DataFrame:
    """The members whose partner is also there, with the problem of their pair.

    Args:
        members: of one contrast.

    Returns:
        The column `pair_problem` is the cluster of a difference within the pair: the
        problem of the side whose members are of fewer problems, because the members of
        a pair are mostly of two problems.
    """
    # ASSUME: pairs are dependent through one side only, the one with fewer problems.
    pairs = members.filter(pl.len().over("pair") == 2)
    sides = {flag: pairs.filter(label=flag)["problem"].n_unique() for flag in (1, 0)}
    is_side = pl.col("label") == pl.lit(sides[1] <= sides[0])
    problem = pl.col("problem").filter(is_side).first().over("pair")
    return pairs.with_columns(pair_problem=problem)
