"""Readings at positions, and within matched pairs of a backtrack and its control."""

import polars as pl

from matches.reading import KEYS, control_pairs
from matches.tables import DIFFERENCE, MATCHED

PLACE = ["component", "layer"]
READINGS = ("backtrack", "wrap_up", "vocabulary", "backtrack_equal", "is_leading")


def readings_of(
    lens: pl.DataFrame, matches: pl.DataFrame, targets: list[int]
) -> pl.DataFrame:
    """Readings of all kinds, also of the kinds `matched` and `difference`.

    `matched` repeats the backtracks that have their control among the positions.
    `difference` is the reading at such a backtrack minus the reading at its control. A
    mean of differences, over positions or of sums over layers, is so made like any
    other mean.

    Args:
        lens: `logit_lens.tables.LOGIT_LENS`.
        matches: `matches.tables.MATCHES`.
        targets: ids of the backtrack group.

    Returns:
        Columns trace, problem, event, kind, component, layer, and `READINGS` in logits.
        `is_leading` is 1 where a backtrack word is the most likely token and 0
        elsewhere, null for the parts.
    """
    keys = ["trace", "problem", "event", "kind", *PLACE]
    leads = pl.col("top_ids").list.first().is_in(targets).cast(pl.Float64)
    rows = lens.with_columns(is_leading=leads).select(*keys, *READINGS)
    members = rows.join(control_pairs(matches, rows), on=KEYS)
    matched = members.filter("label").with_columns(kind=pl.lit(MATCHED))
    both = matched.join(members.filter(~pl.col("label")), on=["pair", *PLACE])
    less = [pl.col(name) - pl.col(f"{name}_right") for name in READINGS]
    difference = both.with_columns(
        *less, kind=pl.lit(DIFFERENCE), problem="pair_problem"
    )
    tables = [rows, *(table.select(rows.columns) for table in (matched, difference))]
    return pl.concat(tables)
