"""For later stages: the cases of a contrast, and the pairs behind a difference."""

import polars as pl

from doubletake.stats.contrasts import Contrast

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
        Columns trace, event, pair and label (the backtrack); two rows a pair.
    """
    members = matches.filter(contrast=BACKTRACK_CONTROL)
    among = positions.select(KEYS).unique()
    return whole_pairs(members.join(among, on=KEYS)).select(*KEYS, "pair", "label")


def whole_pairs(members: pl.DataFrame) -> pl.DataFrame:
    """The members whose partner is also there."""
    return members.filter(pl.len().over("pair") == 2)
